package deletion

import (
	"context"
	"fmt"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Kind is a kind of personal data that is deleted, as a report counts it.
type Kind string

// Every Kind of the daily run.
const (
	Requests Kind = "requests" // that ended without a license
	Emails   Kind = "emails"   // about them: to whom, when, and what became of it
	Letters  Kind = "letters"  // the text of these emails
	Lines    Kind = "lines"    // changes on the timelines of the requests
)

// Counts counts what was deleted.
type Counts map[Kind]int

// byRetention names what the daily run deletes in the key of its report.
const byRetention = "retention"

// Report is the report of what was deleted on a day. It has no personal data.
type Report struct {
	Day    license.Date `json:"day"` // UTC
	By     string       `json:"by"`  // retention, for the daily run, or what else deleted it
	Counts Counts       `json:"counts"`
}

// commit commits a change that deletes something, and adds that to the daily run's report of today in the same
// transaction. So each is counted once, however often a run is cut off.
func (s Store) commit(ctx context.Context, c *entity.Changeset, d Counts) error {
	today := license.DateOf(s.kept.Now())
	key := rowkey.Deletion(today, byRetention)
	r := Report{Day: today, By: byRetention}
	version, err := s.kept.Table().Get(ctx, key, &r)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if r.Counts == nil {
		r.Counts = Counts{}
	}
	for kind, n := range d {
		if kind != "" {
			r.Counts[kind] += n
		}
	}
	c.Update(entity.Encode(key, rowkey.TypeDeletion, r), version)
	return c.Commit(ctx)
}

// Reports reads the newest reports of what was deleted, at most limit, the newest first.
func (s Store) Reports(ctx context.Context, limit int) (list []Report, err error) {
	rows, _, err := s.kept.Table().First(ctx, table.Query{PK: rowkey.DeletionsPK, Descending: true}, limit)
	if err != nil {
		return nil, fmt.Errorf("deletion: what was deleted: %w", err)
	}
	return entity.DecodeMany[Report](rows)
}

// Upcoming counts the requests that expire by the end of a day, by the day on which the daily run deletes them.
type Upcoming struct {
	Day      license.Date
	Requests int
}

// Upcoming reads what the daily run is to delete through a day, of the first limit requests; more: there are others.
func (s Store) Upcoming(ctx context.Context, through license.Date, limit int) (list []Upcoming, more bool, err error) {
	rows, next, err := s.kept.Table().First(ctx, rowkey.ToDeleteThrough(through), limit)
	if err != nil {
		return nil, false, fmt.Errorf("deletion: requests to delete: %w", err)
	}
	for _, row := range rows {
		day, err := license.ParseDate(row.SK[:min(len(row.SK), len("2006-01-02"))])
		if err != nil {
			return nil, false, fmt.Errorf("deletion: request to delete %s: %w", row.SK, err)
		}
		same := func(d Upcoming) bool { return d.Day == day }
		i := slices.IndexFunc(list, same)
		if i < 0 {
			list, i = append(list, Upcoming{Day: day}), len(list)
		}
		list[i].Requests++
	}
	return list, next != "", nil
}
