package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Colleagues is who acts in a query for what all colleagues do: see Query.By.
const Colleagues = "colleague"

// Query selects entries of the audit. The zero Query selects all of them.
type Query struct {
	From, To license.Date // both included, UTC; zero: no limit
	// By is who acts: the email address of a colleague, Colleagues, store.Customer or store.System; "": everybody.
	By string
	// Customers are the IDs of customers of whom one is concerned; none: everybody.
	Customers []string
	Action    store.Action // "": any
}

// Matches reports whether the query selects an entry, whatever its day.
func (q Query) Matches(e Entry) bool {
	return (q.By == "" || partitionOf(q.By) == partitionOf(e.By) && (q.By == Colleagues || q.By == e.By)) &&
		slices.ContainsFunc(e.Done, q.matches)
}

func (q Query) matches(d Done) bool {
	concerned := func(id string) bool { return slices.Contains(q.Customers, id) }
	return (q.Action == "" || q.Action == d.Action) &&
		(len(q.Customers) == 0 || slices.ContainsFunc(d.Customers(), concerned))
}

// actors are in whose partitions a day's entries are.
var actors = []string{Colleagues, store.Customer, store.System}

func partitionOf(by string) string {
	if by == store.Customer || by == store.System {
		return by
	}
	return Colleagues
}

// actors lists in whose partitions the selected entries are.
func (q Query) actors() []string {
	if q.By == "" {
		return actors
	}
	return []string{partitionOf(q.By)}
}

// Page is a page of entries, the newest first.
type Page struct {
	Entries []Entry
	// Next is where the next page begins; "" at the end. A page of few entries may have a next one, since one page
	// looks through a bounded number of rows and days.
	Next string
	// Through is the oldest day that was looked through as a whole; zero: none was.
	Through license.Date
}

const (
	// rowsAtOnce bounds how many rows a round reads of all its days together.
	rowsAtOnce = 2000
	// rounds is how often a page reads, one time after another.
	rounds = 2
	// firstDays and moreDays are how many days the first round reads at once, and the next one.
	firstDays, moreDays = 7, 60
)

// Page reads at most limit entries that a query selects, the newest first. after is where the page before ended; ""
// begins. Of one day, all that was there when the page before was read is before or after it: entries are only added,
// and keep their places.
func (l *Log) Page(ctx context.Context, q Query, limit int, after string) (p Page, err error) {
	at, err := l.begin(q, after)
	if err != nil {
		return Page{}, err
	}
	for round, days := 0, firstDays; round < rounds && !l.isOver(q, at.day); round++ {
		read, err := l.days(ctx, q, at, days)
		if err != nil {
			return Page{}, fmt.Errorf("audit: from %s back: %w", at.day, err)
		}
		days = moreDays
		for _, day := range read {
			for _, e := range day.entries {
				if !q.Matches(e) {
					continue
				}
				if len(p.Entries) == limit {
					last := p.Entries[limit-1]
					p.Next = place{license.DateOf(last.At), last.ID}.String()
					return p, nil
				}
				p.Entries = append(p.Entries, e)
			}
			at = place{day: day.day, before: day.rest}
			if day.rest != "" {
				days = 1 // of a day with so many, more at once
				break
			}
			p.Through, at = day.day, place{day: day.day.AddDays(-1)}
		}
	}
	if !l.isOver(q, at.day) {
		p.Next = at.String()
	}
	return p, nil
}

// Each passes every entry that a query selects to f, the newest first, until f fails.
func (l *Log) Each(ctx context.Context, q Query, f func(Entry) error) error {
	for after := ""; ; {
		p, err := l.Page(ctx, q, rowsAtOnce, after)
		if err != nil {
			return err
		}
		for _, e := range p.Entries {
			if err := f(e); err != nil {
				return err
			}
		}
		if after = p.Next; after == "" {
			return nil
		}
	}
}

// place is where reading goes on: in a day before the entry with an ID, or with the whole day if that is "".
type place struct {
	day    license.Date
	before string
}

// String is the place in an address.
func (p place) String() string { return strings.TrimSuffix(p.day.String()+"."+p.before, ".") }

// begin returns where a page begins.
func (l *Log) begin(q Query, after string) (at place, err error) {
	if after == "" {
		at.day = license.DateOf(l.kept.Now()).AddDays(1) // a clock may have been ahead
		if !q.To.IsZero() && q.To.Before(at.day) {
			at.day = q.To
		}
		return at, nil
	}
	day, before, _ := strings.Cut(after, ".")
	if at.day, err = license.ParseDate(day); err != nil {
		return at, fault.Wrap(fault.Invalid, err, "This page of the audit does not exist. Start at the newest changes.")
	}
	at.before = before
	return at, nil
}

// isOver reports whether nothing that a query selects is left on a day and those before it.
func (l *Log) isOver(q Query, day license.Date) bool {
	return day.Before(q.From) || l.keep.AuditExpires(day.End()).Before(l.kept.Now())
}

// readDay is what was read of a day: its entries, the newest first.
type readDay struct {
	day     license.Date
	entries []Entry
	rest    string // before which ID the unread ones are; "": there are none
}

// days reads some days from a place back, all at once.
func (l *Log) days(ctx context.Context, q Query, at place, n int) ([]readDay, error) {
	var list []readDay
	for day := at.day; len(list) < n && !l.isOver(q, day); day = day.AddDays(-1) {
		list = append(list, readDay{day: day})
	}
	limit := max(rowsAtOnce/len(list)/len(q.actors()), 1)
	g, ctx := errgroup.WithContext(ctx)
	for i := range list {
		before := ""
		if i == 0 {
			before = at.before
		}
		g.Go(func() (err error) {
			list[i].entries, list[i].rest, err = l.day(ctx, list[i].day, q.actors(), before, limit)
			return err
		})
	}
	return list, g.Wait()
}

// day reads the entries of a day before an ID, or all if that is "", of each partition at most limit: the newest ones.
func (l *Log) day(ctx context.Context, day license.Date, actors []string, before string, limit int) (
	entries []Entry, rest string, err error) {
	found := make([][]Entry, len(actors))
	rests := make([]string, len(actors))
	g, ctx := errgroup.WithContext(ctx)
	for i, by := range actors {
		g.Go(func() error {
			query := table.Query{PK: rowkey.AuditPK(day, by), Descending: true, After: before}
			rows, next, err := l.table.First(ctx, query, limit)
			if err != nil {
				return err
			}
			rests[i] = next
			found[i], err = entity.DecodeMany[Entry](rows)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, "", err
	}
	entries = slices.Concat(found...)
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(b.ID, a.ID) })
	// What is older than the last one of a partition that has more cannot be put in order yet.
	rest = slices.Max(rests)
	entries = slices.DeleteFunc(entries, func(e Entry) bool { return e.ID < rest })
	return entries, rest, nil
}
