package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// QueueQuery asks for a page of the requests in some states.
type QueueQuery struct {
	States []request.State
	// Unconfirmed asks for the unconfirmed requests, whatever States says. All other queries leave them out.
	Unconfirmed bool
	Kind        request.Kind    // "" is every kind
	Edition     license.Edition // "" is every edition
	// Reviewer is who works on it, as in Review.By, if States is request.InReview alone; "" is everybody.
	Reviewer string
	Before   time.Time // only what is due before; zero: whenever it is due
	Latest   bool      // the latest due first; else the earliest due first
	Limit    int       // requests in a page
	After    string    // QueuePage.Next of the page before; "" begins
}

// QueuePage is a page of the queue.
type QueuePage struct {
	Requests []request.Summary
	Next     string // for QueueQuery.After; "" at the end
}

// Queue reads a page of the requests in some states, in the order in which they are due. It reads all states at once.
func (s *Store) Queue(ctx context.Context, q QueueQuery) (QueuePage, error) {
	states := q.states()
	lists, rest := make([][]table.Row, len(states)), make([]bool, len(states))
	g, gctx := errgroup.WithContext(ctx)
	for i, state := range states {
		g.Go(func() (err error) { lists[i], rest[i], err = s.queueOf(gctx, q, state); return err })
	}
	if err := g.Wait(); err != nil {
		return QueuePage{}, fmt.Errorf("store: queue of requests: %w", err)
	}
	// Each state is a list of its own, in the order of its sort keys; the page is the beginning of all of them.
	found := slices.Concat(lists...)
	slices.SortFunc(found, func(a, b table.Row) int {
		if q.Latest {
			a, b = b, a
		}
		return cmp.Compare(a.SK, b.SK)
	})
	var page QueuePage
	for _, row := range found[:min(q.Limit, len(found))] {
		r, err := entity.Decode[request.Summary](row)
		if err != nil {
			return QueuePage{}, err
		}
		page.Requests = append(page.Requests, r)
	}
	if n := len(page.Requests); n > 0 && (slices.Contains(rest, true) || n < len(found)) {
		page.Next = found[n-1].SK
	}
	return page, nil
}

// QueueLength counts the requests that a query asks for on all its pages, up to the query's limit. It reads all states
// at once.
func (s *Store) QueueLength(ctx context.Context, q QueueQuery) (n int, err error) {
	states := q.states()
	lengths := make([]int, len(states))
	g, ctx := errgroup.WithContext(ctx)
	for i, state := range states {
		g.Go(func() (err error) {
			if q.filters(state) {
				rows, _, err := s.queueOf(ctx, q, state)
				lengths[i] = len(rows)
				return err
			}
			lengths[i], err = s.table.Count(ctx, q.of(state), q.Limit) // decodes nothing
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, fmt.Errorf("store: counting requests: %w", err)
	}
	for _, length := range lengths {
		n += length
	}
	return min(n, q.Limit), nil
}

// filters reports whether the list of a state has requests that the query does not ask for.
func (q QueueQuery) filters(state request.State) bool {
	return (q.Kind != "" || q.Edition != "") && !rowkey.ListedByKind(state)
}

// asksFor reports whether the query asks for the request of a row. It decodes no more than it needs: many rows are
// looked at for one that is shown.
func (q QueueQuery) asksFor(row table.Row) (bool, error) {
	type filtered struct {
		Kind    request.Kind    `json:"kind"`
		Edition license.Edition `json:"edition"`
	}
	r, err := entity.Decode[filtered](row)
	return (q.Kind == "" || r.Kind == q.Kind) && (q.Edition == "" || r.Edition == q.Edition), err
}

// filteredAtOnce is how many rows are read at once to find requests among others.
const filteredAtOnce = 500

// queueOf reads the rows of the first requests of a state, as many as a page has; more: there are others. Where the
// state has no list by kind and edition, it reads on until it has found as many.
func (s *Store) queueOf(ctx context.Context, q QueueQuery, state request.State) (
	found []table.Row, more bool, err error) {
	t, filters := q.of(state), q.filters(state)
	n := q.Limit
	if filters {
		n = max(n, filteredAtOnce)
	}
	for len(found) < q.Limit {
		rows, next, err := s.table.First(ctx, t, n)
		if err != nil {
			return nil, false, err
		}
		for i, row := range rows {
			if filters {
				if ok, err := q.asksFor(row); err != nil {
					return nil, false, err
				} else if !ok {
					continue
				}
			}
			if found = append(found, row); len(found) == q.Limit {
				return found, i < len(rows)-1 || next != "", nil
			}
		}
		if t.After = next; next == "" {
			break
		}
	}
	return found, false, nil
}

// states lists the states under which rowkey.Queue lists what the query asks for.
func (q QueueQuery) states() []request.State {
	if q.Unconfirmed {
		return []request.State{rowkey.UnconfirmedState}
	}
	return q.States
}

// of is the query for the narrowest list of a state that has all requests that are asked for.
func (q QueueQuery) of(state request.State) table.Query {
	kind, edition := q.Kind, q.Edition
	if !rowkey.ListedByKind(state) {
		kind, edition = "", ""
	}
	t := table.Query{PK: rowkey.QueuePK(state, kind, edition, q.Reviewer), Descending: q.Latest, After: q.After}
	if !q.Before.IsZero() {
		t.To = q.Before.UTC().Format(time.RFC3339)
	}
	return t
}

// RecordLate notes on a request as it was read who is told that it is late, and queues the mail. It is a Conflict fault
// if the request changed meanwhile.
func (s *Store) RecordLate(ctx context.Context, before request.Request, told request.LateTold,
	n notice.Notice) error {
	after, line := before, entity.Line{By: System, Action: LateSalesTold}
	after.LateTold = told
	if n.Kind == mail.RequestLate {
		line.Action, line.Note = LateReviewerTold, n.To.Email
	}
	c := s.begin()
	c.queue(n)
	c.Change(requestEntity{before}, requestEntity{after}, before.Version, line)
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: telling of late request %s: %w", before.ID, err)
	}
	return nil
}

// Week is what happened to requests in a week.
type Week struct {
	Begins      license.Date    // its Monday
	Filed       int             // requests received, without those that nobody confirmed or looked at
	TimeToIssue []time.Duration // of the requests that were answered with a license

	// How the requests received were answered whose first answer is due by now, and how many are due later. Those that
	// the customer withdrew first, and those for which nothing was promised, are in none of them.
	OnTime, Late, DueLater int
}

// weekRead is a week with what its rows say of each request, by its ID.
type weekRead struct {
	Week
	filed    map[string]filed
	answered map[string]time.Time // by the license
}

// Weeks reads the last weeks, the oldest first, up to the week of the day. It reads all at once. The week of the day
// has to be the last in which a license was issued: it may be the first answer to a request of any week before.
func (s *Store) Weeks(ctx context.Context, day license.Date, weeks int) ([]Week, error) {
	monday, now := day.AddDays(-(int(day.Start().Weekday())+6)%7), s.now()
	list := make([]weekRead, weeks)
	g, ctx := errgroup.WithContext(ctx)
	for i := range list {
		g.Go(func() (err error) {
			list[i], err = s.week(ctx, monday.AddDays(-7*(weeks-1-i)))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	answered := map[string]time.Time{}
	for _, w := range list {
		maps.Copy(answered, w.answered)
	}
	result := make([]Week, weeks)
	for i, w := range list {
		for id, f := range w.filed {
			if at, ok := answered[id]; ok {
				f.Answered = at
			}
			w.judge(f, now)
		}
		result[i] = w.Week
	}
	return result, nil
}

// judge counts how a request was answered.
func (w *Week) judge(f filed, now time.Time) {
	switch {
	case f.Due.IsZero():
	case !now.After(f.Due):
		w.DueLater++
	case f.Answered.IsZero() || f.Answered.After(f.Due):
		w.Late++
	default:
		w.OnTime++
	}
}

func (s *Store) week(ctx context.Context, monday license.Date) (w weekRead, err error) {
	w = weekRead{Week{Begins: monday}, map[string]filed{}, map[string]time.Time{}}
	err = s.table.Each(ctx, table.Query{PK: rowkey.WeekPK(monday), Limit: 1000}, func(row table.Row) error {
		if id, ok := strings.CutPrefix(row.SK, rowkey.FiledPrefix); ok {
			w.Filed++
			w.filed[id], err = entity.Decode[filed](row)
			return err
		}
		t, err := entity.Decode[issued](row)
		w.TimeToIssue = append(w.TimeToIssue, time.Duration(t.Seconds)*time.Second)
		if !t.Answered.IsZero() {
			w.answered[strings.TrimPrefix(row.SK, rowkey.IssuedPrefix)] = t.Answered
		}
		return err
	})
	if err != nil {
		return weekRead{}, fmt.Errorf("store: week of %s: %w", monday, err)
	}
	return w, nil
}

// RequestsFiledIn passes the requests that were received in the week of the day to f, oldest first, until f fails.
// Those that nobody confirmed or looked at are left out, and those that were deleted since: Week.Filed counts them.
func (s *Store) RequestsFiledIn(ctx context.Context, week license.Date, f func(request.Request) error) error {
	q := table.Prefix(rowkey.WeekPK(week), rowkey.FiledPrefix)
	err := s.table.Each(ctx, q, func(row table.Row) error {
		r, err := s.Request(ctx, row.SK[len(rowkey.FiledPrefix):])
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		return f(r)
	})
	if err != nil {
		return fmt.Errorf("store: requests of the week of %s: %w", week, err)
	}
	return nil
}

// RequestsOf reads at most limit of the requests that were linked to some customers, the newest first. more: there are
// others.
func (s *Store) RequestsOf(ctx context.Context, customers []string, limit int) (
	list []request.Summary, more bool, err error) {
	found := make([][]request.Summary, len(customers))
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range customers {
		g.Go(func() error {
			q := table.Query{PK: rowkey.CustomerRequestsPK(id), Descending: true}
			rows, _, err := s.table.First(ctx, q, limit+1)
			for _, row := range rows {
				r, err := entity.Decode[request.Summary](row)
				if err != nil {
					return err
				}
				found[i] = append(found[i], r)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, false, fmt.Errorf("store: requests of customers %v: %w", customers, err)
	}
	list = slices.Concat(found...)
	slices.SortFunc(list, func(a, b request.Summary) int { return cmp.Compare(b.ID, a.ID) })
	return list[:min(limit, len(list))], len(list) > limit, nil
}
