// Package restore gives the stack's table the records that a restored copy of it has (decision 31). What happened
// outside the table stays as it is: emails that were sent, what SES reported, who unsubscribed or was erased, and the
// audit. Everything else becomes as it is in the copy.
//
// Nothing else may write meanwhile: each write expects the version that was read, and a conflict stops it. A
// restoration that was cut off is run again, and one that is complete finds nothing to do.
package restore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"marketplace/shared/store/erasure"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Source reads every row of a table, in no order.
type Source interface {
	Each(ctx context.Context, f func(table.Row) error) error
}

// Table is the table that is restored.
type Table interface {
	Source
	// Replace is table.Table's Transact, but each row keeps its own Version: other rows may name it.
	Replace(ctx context.Context, writes ...table.Write) error
}

// Options says what is restored.
type Options struct {
	Copy  Source // the restored copy
	Table Table  // the stack's table
	Now   func() time.Time
	// Keys recognise, among the addresses of the copy, people who have been erased since. Without keys, they are
	// only counted.
	Keys erasure.Keys
}

// Plan is what a restoration does. Its lists are sorted.
type Plan struct {
	Report
	options Options
	sending map[string]*sending // by the mail's ID

	copied  map[table.Key][sha256.Size]byte // the rows of the copy
	create  map[table.Key]bool              // rows of the copy that Table has not
	update  map[table.Key]int64             // rows of the copy that Table has otherwise, by its version of them
	remove  map[table.Key]int64             // rows that only Table has
	erased  map[string]bool                 // hashes of people erased since
	erasedC map[string]bool                 // those that the copy knows as erased
}

// Report says what a restoration changes, for people.
type Report struct {
	Put     map[string]int // rows that become as in the copy, by type
	Deleted map[string]int // rows that the copy has not, by type

	Sent     int      // emails that were waiting then and have been sent since: they are not sent again
	Waiting  []string // emails that are still to be sent, by their IDs
	Reopened []string // emails that were dropped as pointless since, and wait again
	Held     []string // emails of which nobody knows whether they were sent: failed emails now, for sales to look at
	Undone   []string // emails queued since by changes that are undone: they are forgotten, sent or not

	Licenses []License // licenses issued since, of which only their customers know now
	Requests []Request // requests filed since
	Erased   int       // people erased since, who may be back
	Again    []string  // their addresses, as far as the keys recognise them
}

// Nothing reports whether there is nothing to do.
func (r Report) Nothing() bool { return len(r.Put) == 0 && len(r.Deleted) == 0 }

// Compare reads both tables and plans. It changes nothing.
func Compare(ctx context.Context, o Options) (*Plan, error) {
	p := &Plan{
		options: o, sending: map[string]*sending{}, copied: map[table.Key][sha256.Size]byte{},
		create: map[table.Key]bool{}, update: map[table.Key]int64{}, remove: map[table.Key]int64{},
		erased: map[string]bool{}, erasedC: map[string]bool{},
		Report: Report{Put: map[string]int{}, Deleted: map[string]int{}},
	}
	if err := o.Copy.Each(ctx, p.readCopy); err != nil {
		return nil, fmt.Errorf("restore: the copy: %w", err)
	}
	if len(p.copied) == 0 {
		return nil, errors.New("restore: the copy is empty; wait until its status is ACTIVE")
	}
	if err := o.Table.Each(ctx, p.readSending); err != nil {
		return nil, fmt.Errorf("restore: the table: %w", err)
	}
	for id, s := range p.sending {
		p.judge(id, s)
	}
	for key := range p.copied {
		p.create[key] = true // until the table turns out to have it
	}
	if err := o.Table.Each(ctx, p.compare); err != nil {
		return nil, fmt.Errorf("restore: the table: %w", err)
	}
	if err := p.describe(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// readCopy notes a row of the copy.
func (p *Plan) readCopy(row table.Row) error {
	if id := sendingOf(row); id != "" {
		return p.sent(id).copy.add(row)
	}
	p.copied[row.Key] = digest(row)
	if row.Type == string(rowkey.TypeErased) {
		p.erasedC[row.SK] = true
	}
	return nil
}

// readSending notes a row of the table that says how far sending an email is.
func (p *Plan) readSending(row table.Row) error {
	if id := sendingOf(row); id != "" {
		return p.sent(id).now.add(row)
	}
	return nil
}

func (p *Plan) sent(id string) *sending {
	s := p.sending[id]
	if s == nil {
		s = &sending{}
		p.sending[id] = s
	}
	return s
}

// compare decides about a row of the table that is not about sending.
func (p *Plan) compare(row table.Row) error {
	if sendingOf(row) != "" {
		return nil
	}
	if row.Type == string(rowkey.TypeErased) && !p.erasedC[row.SK] {
		p.erased[row.SK] = true
	}
	was, copied := p.copied[row.Key]
	switch stays, err := p.stays(row); {
	case err != nil:
		return err
	case stays, copied && was == digest(row):
		delete(p.create, row.Key)
	case copied:
		delete(p.create, row.Key)
		p.update[row.Key] = row.Version
	default:
		p.remove[row.Key] = row.Version
		p.Deleted[row.Type]++
		return p.gone(row)
	}
	return nil
}

// outside are the types of rows about what happened outside the table, or that only grow.
var outside = []rowkey.Type{
	rowkey.TypeAudit, rowkey.TypeSuppression, rowkey.TypeUnsubscribed, rowkey.TypeErased, rowkey.TypeSession,
	rowkey.TypeConfirmation, rowkey.TypeColleague, rowkey.TypeDeletion, rowkey.TypeLease,
}

// stays reports whether a row of the table stays as it is, whatever the copy says. One that belongs to an email stays
// with it.
func (p *Plan) stays(row table.Row) (bool, error) {
	if slices.Contains(outside, rowkey.Type(row.Type)) || strings.HasPrefix(row.PK, rowkey.UnsubscribedPK("")) {
		return true, nil
	}
	id, err := mailOf(row)
	if id == "" || err != nil {
		return false, err
	}
	s := p.sending[id]
	return s != nil && s.verdict != undo, nil
}

// digest is of all that a row says.
func digest(row table.Row) [sha256.Size]byte {
	var expires int64
	if !row.Expires.IsZero() {
		expires = row.Expires.Unix()
	}
	return sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d %s", row.Type, row.Schema, row.Version, expires, row.Data))
}

// describe reads the copy once more, for the counts of the report and the people who are back.
func (p *Plan) describe(ctx context.Context) error {
	for _, s := range p.sending {
		for _, w := range s.writes {
			if w.Delete {
				p.Deleted[s.typeOf(w.Row.Key)]++
			} else {
				p.Put[w.Row.Type]++
			}
		}
	}
	again := map[string]bool{}
	err := p.options.Copy.Each(ctx, func(row table.Row) error {
		if _, changed := p.update[row.Key]; p.create[row.Key] || changed {
			p.Put[row.Type]++
		}
		if mailbox := mailboxOf(row.PK); mailbox != "" && len(p.erased) > 0 {
			for _, hash := range p.options.Keys.Hashes(mailbox) {
				if p.erased[hash] {
					again[mailbox] = true
				}
			}
		}
		return nil
	})
	p.Report.Erased, p.Again = len(p.erased), slices.Sorted(maps.Keys(again))
	for _, list := range [][]string{p.Waiting, p.Reopened, p.Held, p.Undone} {
		slices.Sort(list)
	}
	slices.SortFunc(p.Licenses, func(a, b License) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(p.Requests, func(a, b Request) int { return strings.Compare(a.ID, b.ID) })
	return err
}

// mailboxOf returns the mailbox that a partition is named for; "" for others.
func mailboxOf(pk string) string {
	for _, prefix := range []string{"CONTACT#", "NAMED#", "EMAIL-REQUESTS#", "EMAIL#"} {
		if mailbox, ok := strings.CutPrefix(pk, prefix); ok {
			return mailbox
		}
	}
	return ""
}
