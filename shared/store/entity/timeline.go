package entity

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"

	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Event is a line of a timeline. Lines are only ever added; those of one transaction share their ID.
type Event struct {
	ID string    `json:"id"`
	At time.Time `json:"at"` // UTC
	By string    `json:"by"` // who did it: store.Customer, store.System, or an operator's email address
	Told
}

// Told is what a line of a timeline tells.
type Told struct {
	// Of is what it is about on a timeline of several things, such as store.OfLicense("…"); "" for what the timeline
	// itself is of.
	Of     string `json:"of,omitempty"`
	Action Action `json:"action"` // what was done
	Note   string `json:"note,omitempty"`
	// Changes are the fields that changed, in the order of their names.
	Changes []Change `json:"changes,omitempty"`
}

// stored is what one transaction told one timeline, in a row.
type stored struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Lines []told    `json:"lines"`
}

// told is a line as it is stored: with who did it, if that is not who did the first one.
type told struct {
	By string `json:"by,omitempty"`
	Told
}

// Audit is the row of the audit that each transaction with lines on timelines writes: what was done, without what
// was said. It has no names and addresses but those of colleagues.
type Audit struct {
	ID   string    `json:"id"` // of the lines on the timelines
	At   time.Time `json:"at"` // UTC
	By   string    `json:"by"`
	Done []Done    `json:"done"`
}

// Done is a change in the audit.
type Done struct {
	On     string `json:"on"` // partition of the timeline, or what else it is about
	Of     string `json:"of,omitempty"`
	Action Action `json:"action"`
}

// LogValue implements slog.LogValuer. It leaves out who did it, which may be an operator's address.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", e.ID), slog.String("action", string(e.Action)))
}

// Action is what was done to an entity, as its timeline says it.
type Action string

// Change is a field before and after, as JSON has its value; "" if it was absent.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Line is what a change adds to a timeline.
type Line struct {
	By     string
	Action Action
	Note   string // "" for none
	Of     string // as in Told; "" is Entity.Of
}

// logged is a line for a timeline and the audit, or for the audit alone.
type logged struct {
	timeline table.Key
	audited  string // of a line for the audit alone, what it is about; else ""
	line     Line
	changes  []Change
}

// told makes the rows of what a transaction tells: one for each timeline, and one for the audit.
func (t *Table) told(lines []logged) (writes []table.Write) {
	if len(lines) == 0 {
		return nil
	}
	id, now := t.newEventID(), t.now()
	audit := Audit{ID: id, At: now, By: lines[0].line.By}
	rows := map[table.Key]*stored{}
	var order []table.Key
	for _, l := range lines {
		if l.audited != "" {
			audit.Done = append(audit.Done, Done{On: l.audited, Of: l.line.Of, Action: l.line.Action})
			continue
		}
		row := rows[l.timeline]
		if row == nil {
			row = &stored{ID: id, At: now, By: l.line.By}
			rows[l.timeline] = row
			order = append(order, l.timeline)
		}
		line := told{Told: Told{Of: l.line.Of, Action: l.line.Action, Note: l.line.Note, Changes: l.changes}}
		if l.line.By != row.By {
			line.By = l.line.By
		}
		row.Lines = append(row.Lines, line)
		audit.Done = append(audit.Done, Done{On: l.timeline.PK, Of: l.line.Of, Action: l.line.Action})
	}
	for _, timeline := range order {
		writes = append(writes, table.Create(Encode(rowkey.Event(timeline, id), rowkey.TypeEvent, rows[timeline])))
	}
	row := Encode(rowkey.Audit(now, audit.By, id), rowkey.TypeAudit, audit)
	if t.keepAudit != nil {
		row.Expires = t.keepAudit(now)
	}
	return append(writes, table.Create(row))
}

// Timeline reads the timeline under the key, oldest first.
func (t *Table) Timeline(ctx context.Context, timeline table.Key) (events []Event, err error) {
	err = t.Each(ctx, table.Prefix(timeline.PK, rowkey.EventPrefix), func(row table.Row) error {
		lines, err := linesOf(row)
		events = append(events, lines...)
		return err
	})
	return events, err
}

// NewestEvents reads the newest rows of the timeline under the key, each with the lines of one transaction, and returns
// their lines, oldest first. before is where the page before ended: "" begins; next is "" at the end.
func (t *Table) NewestEvents(ctx context.Context, timeline table.Key, n int, before string) (
	events []Event, next string, err error) {
	q := table.Prefix(timeline.PK, rowkey.EventPrefix)
	q.Descending, q.After = true, before
	rows, next, err := t.First(ctx, q, n)
	if err != nil {
		return nil, "", err
	}
	for _, row := range slices.Backward(rows) {
		lines, err := linesOf(row)
		if err != nil {
			return nil, "", err
		}
		events = append(events, lines...)
	}
	return events, next, nil
}

// linesOf reads the lines of a row.
func linesOf(row table.Row) (events []Event, err error) {
	s, err := Decode[stored](row)
	for _, l := range s.Lines {
		e := Event{ID: s.ID, At: s.At, By: s.By, Told: l.Told}
		if l.By != "" {
			e.By = l.By
		}
		events = append(events, e)
	}
	return events, err
}

// difference lists the fields in which two states of an entity differ, given as JSON objects.
func difference(before, after json.RawMessage) (changed []Change) {
	was, is := members(before), members(after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if b, a := string(was[name]), string(is[name]); b != a {
			changed = append(changed, Change{name, b, a})
		}
	}
	return changed
}

func members(object json.RawMessage) (m map[string]json.RawMessage) {
	if err := json.Unmarshal(object, &m); err != nil {
		panic("store: an entity is not a JSON object: " + err.Error())
	}
	return m
}
