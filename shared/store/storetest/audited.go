package storetest

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"strings"

	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Audited is a table that looks at each transaction: what somebody has to answer for must have exactly one row of the
// audit, which names it, and every line of that row must be true of the transaction. It knows rows alone, and nothing
// of how the store makes them.
type Audited struct {
	table.Table
	Fail func(format string, args ...any) // called for what is wrong
	// Erasing is set while a person is erased: all transactions of that have one row together.
	Erasing bool
}

// class says how a type of row stands to the audit.
type class int

const (
	bookkeeping class = iota + 1 // follows from the rest, or is the outbox's own
	answered                     // a row of the audit names it
	auditRow
)

// classes has every type of row; a test compares it with those of rowkey.
var classes = map[rowkey.Type]class{
	rowkey.TypeRequest: answered, rowkey.TypeLicense: answered, rowkey.TypeCustomer: answered,
	rowkey.TypeContract: answered, rowkey.TypeInstance: answered, rowkey.TypeEvent: answered,
	rowkey.TypeUnsubscribed: answered, rowkey.TypeSuppression: answered, rowkey.TypeSession: answered,
	rowkey.TypeColleague: answered, rowkey.TypeRun: answered, rowkey.TypeReply: answered, rowkey.TypeErased: answered,
	rowkey.TypeErasureAsked: answered,
	rowkey.TypeAudit:        auditRow,
	rowkey.TypeGuard:        bookkeeping, rowkey.TypeIndex: bookkeeping, rowkey.TypeReference: bookkeeping,
	rowkey.TypeIdempotency: bookkeeping, rowkey.TypeConfirmation: bookkeeping, rowkey.TypeDataset: bookkeeping,
	rowkey.TypeDue: bookkeeping, rowkey.TypeMail: bookkeeping, rowkey.TypeMailState: bookkeeping,
	rowkey.TypeDigestDue: bookkeeping, rowkey.TypeReminded: bookkeeping, rowkey.TypeLetter: bookkeeping,
	rowkey.TypePending: bookkeeping, rowkey.TypeFailed: bookkeeping, rowkey.TypeLease: bookkeeping,
	rowkey.TypeStats: bookkeeping, rowkey.TypeReport: bookkeeping,
	rowkey.TypeSignIn:   bookkeeping, // it ends within a day, and the session that it begins is told
	rowkey.TypeDeletion: bookkeeping, // a count of what a job deleted, whose rows have their own
}

// reads are the actions that change nothing.
var reads = []string{"signed in", "sign-in refused", "exported", "license key shown", "license key downloaded",
	"email with a license key opened"}

// change is a row before and after a transaction.
type change struct {
	key           table.Key
	kind          rowkey.Type
	before, after map[string]any // nil: the row was not or is not there
}

// Transact is table.Table's.
func (a *Audited) Transact(ctx context.Context, writes ...table.Write) error {
	var list []change
	var told []entity.Audit
	for _, w := range writes {
		c := change{key: w.Row.Key, kind: rowkey.Type(w.Row.Type)}
		if row, err := a.Table.Get(ctx, c.key); err == nil {
			c.before = members(row.Data)
			if w.Row.Type == "" {
				c.kind = rowkey.Type(row.Type)
			}
		}
		if w.Row.Type != "" {
			c.after = members(w.Row.Data)
		}
		list = append(list, c)
		if c.kind == rowkey.TypeAudit && c.after != nil {
			var t entity.Audit
			if err := json.Unmarshal(w.Row.Data, &t); err != nil {
				a.Fail("audit: %v: %v", c.key, err)
			}
			told = append(told, t)
		}
	}
	if err := a.Table.Transact(ctx, writes...); err != nil {
		return err
	}
	if !a.Erasing {
		a.check(list, told)
	}
	return nil
}

func members(data []byte) (m map[string]any) {
	if json.Unmarshal(data, &m) != nil || m == nil {
		m = map[string]any{}
	}
	return m
}

// check compares what changed with what the audit tells.
func (a *Audited) check(list []change, told []entity.Audit) {
	if len(told) > 1 {
		a.Fail("audit: got %d rows of one transaction, want at most one: %+v", len(told), told)
		return
	}
	var done []entity.Done
	if len(told) == 1 {
		done = told[0].Done
		if len(done) == 0 || told[0].By == "" {
			a.Fail("audit: got a row that tells nothing, or not who: %+v", told[0])
		}
	}
	for _, c := range list {
		kind, known := classes[c.kind]
		switch {
		case !known && c.kind != "":
			a.Fail("audit: nobody decided whether %q has a row", c.kind)
		case kind != answered || c.follows(list):
		case !anyOf(done, func(d entity.Done) bool { return c.isNamedBy(d, told[0].ID) }):
			a.Fail("audit: %s %v changed, and the audit does not name it: %+v", c.kind, c.key, told)
		}
	}
	for _, d := range done {
		of := func(c change) bool {
			if d.Action == "deleted" { // of a request, whose reference stays: it is the last of several transactions
				return c.kind == rowkey.TypeReference && d.On == "REQUEST#"+text(c.before, "request") &&
					text(c.after, "deleted") != ""
			}
			if strings.HasPrefix(d.On, "MAILS#") { // an email that is about nothing with a timeline
				return c.key.PK == d.On && c.changed()
			}
			return classes[c.kind] == answered && c.changed() && c.isNamedBy(d, told[0].ID)
		}
		if !anyOf(reads, func(r string) bool { return r == string(d.Action) }) && !anyOf(list, of) {
			a.Fail("audit: got %+v without a change, of %v", d, list)
		}
	}
}

func anyOf[T any](list []T, is func(T) bool) bool {
	for _, v := range list {
		if is(v) {
			return true
		}
	}
	return false
}

// changed reports whether a row is another one. A daily run that ends is one, even at the moment of another.
func (c change) changed() bool {
	return c.kind == rowkey.TypeRun || c.after == nil || !reflect.DeepEqual(c.before, c.after)
}

func text(state map[string]any, field string) string {
	v, _ := state[field].(string)
	return v
}

// except returns a state without some fields.
func except(state map[string]any, fields ...string) map[string]any {
	rest := maps.Clone(state)
	for _, f := range fields {
		delete(rest, f)
	}
	return rest
}

// changes reports whether something changed besides some fields.
func (c change) changes(besides ...string) bool {
	return c.before == nil || c.after == nil ||
		!reflect.DeepEqual(except(c.before, besides...), except(c.after, besides...))
}

// follows reports whether a change only follows from another one, or is the daily run's own.
func (c change) follows(list []change) bool {
	switch c.kind {
	case rowkey.TypeRequest, rowkey.TypeEvent: // it is deleted, which the last transaction tells
		return !c.changed() || c.after == nil
	case rowkey.TypeLicense: // its next reminder
		return !c.changes("reminded", "nextReminder")
	case rowkey.TypeInstance: // what it has on record about licenses that changed, or its place before it was moved
		same := func(o change) bool {
			return o.kind == c.kind && o.key.SK == c.key.SK && o.key != c.key && o.after != nil
		}
		license := func(o change) bool { return o.kind == rowkey.TypeLicense }
		return c.after == nil && anyOf(list, same) || !c.changes("licenses", "bridges") && anyOf(list, license)
	case rowkey.TypeCustomer: // where a chain of merges ends
		return c.before != nil && c.after != nil && !c.changes("survivor")
	}
	return !c.changed()
}

// movesWith reports whether a license changed as its instance did: where it belongs, and whether it is in use.
func (c change) movesWith(instance string) bool {
	was, _ := c.before["license"].(map[string]any)
	is, _ := c.after["license"].(map[string]any)
	place := []string{"retired", "customer", "contract"}
	return was != nil && is["instance"] == instance && reflect.DeepEqual(except(was, place...), except(is, place...))
}

// last returns the last part of a key.
func last(part string) string { return part[strings.LastIndexByte(part, '#')+1:] }

// isNamedBy reports whether a line of the audit names a change.
func (c change) isNamedBy(d entity.Done, id string) bool {
	onTimeline := strings.HasPrefix(d.On, "TIMELINE#")
	erased := d.Action == "person erased" || d.Action == "deleted"
	switch c.kind {
	case rowkey.TypeEvent:
		return d.On == c.key.PK && last(c.key.SK) == id || c.before != nil && erased
	case rowkey.TypeLicense:
		return onTimeline && d.Of == "license/"+last(c.key.PK) || d.On == c.key.PK || erased ||
			c.movesWith(strings.TrimPrefix(d.Of, "instance/"))
	case rowkey.TypeInstance:
		return onTimeline && d.Of == "instance/"+last(c.key.SK)
	case rowkey.TypeContract:
		return onTimeline && d.Of == "contract/"+last(c.key.SK)
	case rowkey.TypeCustomer:
		return d.On == "TIMELINE#"+last(c.key.PK) && d.Of == "" || erased
	case rowkey.TypeSuppression:
		return d.Action == "address suppressed" || d.Action == "mail to the address allowed again" || erased
	case rowkey.TypeSession:
		return d.Action == "signed out"
	case rowkey.TypeRun:
		return d.Action == "daily run complete"
	case rowkey.TypeErasureAsked:
		return d.Action == "erasure asked for" || erased
	case rowkey.TypeErased:
		return d.Action == "person erased"
	case rowkey.TypeColleague, rowkey.TypeReply:
		return d.On == c.key.PK+"#"+c.key.SK
	case rowkey.TypeRequest, rowkey.TypeUnsubscribed:
		return d.On == c.key.PK || erased
	}
	return false
}
