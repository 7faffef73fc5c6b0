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

// LogValue implements slog.LogValuer. It leaves out who did it, which may be an operator's address.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", e.ID), slog.String("action", string(e.Action)))
}

// Audit is the row of the audit that each transaction writes that somebody has to answer for: who did what to what. It
// names what was changed and whose it is by their IDs, and has no names, addresses and texts but those of colleagues.
type Audit struct {
	ID   string    `json:"id"` // of the lines on the timelines
	At   time.Time `json:"at"` // UTC
	By   string    `json:"by"` // as in Event
	Done []Done    `json:"done"`
}

// Done is a change in the audit.
type Done struct {
	// On is the partition of the timeline that tells it, or, of what has no timeline, what it is about.
	On     string `json:"on"`
	Of     string `json:"of,omitempty"` // as in Told
	Action Action `json:"action"`
	By     string `json:"by,omitempty"` // who did it, if that is not Audit.By
	// Detail is the note of what has no timeline: the filter of an export, what a job counted.
	Detail string `json:"detail,omitempty"`
	// Owners are the IDs of the customers whom it is about, besides the one of the timeline: two for what passes from
	// one to another.
	Owners []string `json:"customers,omitempty"`
}

// Customers lists the IDs of the customers whom a change is about.
func (d Done) Customers() []string {
	if of, ok := rowkey.TimelineOf(d.On); ok {
		return append([]string{of}, d.Owners...)
	}
	return d.Owners
}

// LogValue implements slog.LogValuer. It leaves out who did it, as Event does.
func (a Audit) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.Int("done", len(a.Done)))
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
	// Customer is the ID of the customer whom it is about, for the audit; "" where the timeline or the entity tells, or
	// if nobody knows.
	Customer string
}

// logged is a line for a timeline and the audit, or for the audit alone.
type logged struct {
	timeline table.Key
	audited  string // of a line for the audit alone, what it is about; else ""
	line     Line
	owners   []string // IDs of customers, besides the one that the timeline is of
	changes  []Change
}

// told makes the rows of what a transaction tells: one for each timeline, and one for the audit.
func (t *Table) told(lines []logged) (writes []table.Write) {
	if len(lines) == 0 {
		return nil
	}
	id, now := t.newEventID(), t.now()
	rows := map[table.Key]*stored{}
	var order []table.Key
	for _, l := range lines {
		if l.audited != "" {
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
	}
	for _, timeline := range order {
		writes = append(writes, table.Create(Encode(rowkey.Event(timeline, id), rowkey.TypeEvent, rows[timeline])))
	}
	audit := audited(id, now, lines)
	row := Encode(rowkey.Audit(now, audit.By, id), rowkey.TypeAudit, audit)
	if t.keepAudit != nil {
		row.Expires = t.keepAudit(now)
	}
	return append(writes, table.Create(row))
}

// systemActs is who acts if nobody does: store.System.
const systemActs = "system"

// audited makes the row of the audit for the lines of a transaction. Whoever began it answers for it: the system only
// adds to what people do.
func audited(id string, now time.Time, lines []logged) Audit {
	a := Audit{ID: id, At: now, By: systemActs}
	for _, l := range lines {
		if l.line.By != systemActs {
			a.By = l.line.By
			break
		}
	}
	for _, l := range lines {
		d := Done{On: l.timeline.PK, Of: l.line.Of, Action: l.line.Action, Owners: l.owners}
		if l.audited != "" {
			d.On, d.Detail = l.audited, l.line.Note
		}
		if l.line.By != a.By {
			d.By = l.line.By
		}
		if of := l.line.Customer; of != "" && !slices.Contains(d.Customers(), of) {
			d.Owners = append(slices.Clone(d.Owners), of)
		}
		a.Done = append(a.Done, d)
	}
	return a
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
