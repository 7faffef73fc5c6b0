package store

import (
	"context"
	"fmt"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/retention"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// DeletedKind is a kind of personal data that is deleted, as a report counts it.
type DeletedKind string

// Every DeletedKind of the daily run.
const (
	DeletedRequests DeletedKind = "requests" // that ended without a license
	DeletedEmails   DeletedKind = "emails"   // about them: to whom, when, and what became of it
	DeletedLetters  DeletedKind = "letters"  // the text of these emails
	DeletedLines    DeletedKind = "lines"    // changes on the timelines of the requests
)

// Deleted counts what was deleted.
type Deleted map[DeletedKind]int

// byRetention names what the daily run deletes in the key of its report.
const byRetention = "retention"

// Deletion is the report of what was deleted on a day. It has no personal data.
type Deletion struct {
	Day    license.Date `json:"day"` // UTC
	By     string       `json:"by"`  // retention, for the daily run, or what else deleted it
	Counts Deleted      `json:"counts"`
}

// commitDeleted commits a change that deletes something, and adds that to the daily run's report of today in the same
// transaction. So each is counted once, however often a run is cut off.
func (c *changeset) commitDeleted(ctx context.Context, d Deleted) error {
	today := license.DateOf(c.store.now())
	key := rowkey.Deletion(today, byRetention)
	r := Deletion{Day: today, By: byRetention}
	version, err := c.store.table.Get(ctx, key, &r)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if r.Counts == nil {
		r.Counts = Deleted{}
	}
	for kind, n := range d {
		if kind != "" {
			r.Counts[kind] += n
		}
	}
	c.Update(entity.Encode(key, rowkey.TypeDeletion, r), version)
	return c.Commit(ctx)
}

// Retention says how long personal data is kept.
func (s *Store) Retention() retention.Policy { return s.keep }

// Deletions reads the newest reports of what was deleted, at most limit, the newest first.
func (s *Store) Deletions(ctx context.Context, limit int) (list []Deletion, err error) {
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.DeletionsPK, Descending: true}, limit)
	if err != nil {
		return nil, fmt.Errorf("store: what was deleted: %w", err)
	}
	return entity.DecodeMany[Deletion](rows)
}

// ToDelete counts the requests that expire by the end of a day, by the day on which the daily run deletes them.
type ToDelete struct {
	Day      license.Date
	Requests int
}

// ToDelete reads what the daily run is to delete through a day, of the first limit requests; more: there are others.
func (s *Store) ToDelete(ctx context.Context, through license.Date, limit int) (list []ToDelete, more bool, err error) {
	rows, next, err := s.table.First(ctx, rowkey.ToDeleteThrough(through), limit)
	if err != nil {
		return nil, false, fmt.Errorf("store: requests to delete: %w", err)
	}
	for _, row := range rows {
		day, err := license.ParseDate(row.SK[:min(len(row.SK), len("2006-01-02"))])
		if err != nil {
			return nil, false, fmt.Errorf("store: request to delete %s: %w", row.SK, err)
		}
		same := func(d ToDelete) bool { return d.Day == day }
		i := slices.IndexFunc(list, same)
		if i < 0 {
			list, i = append(list, ToDelete{Day: day}), len(list)
		}
		list[i].Requests++
	}
	return list, next != "", nil
}
