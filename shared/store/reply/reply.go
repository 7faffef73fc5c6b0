// Package reply keeps the texts that sales begin replies with (request.Reply). Admins write them. Separate from
// shared/store, since only the console needs them, and nothing else on record depends on them.
package reply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions on replies, in the audit.
const (
	Added   entity.Action = "reply template added"
	Changed entity.Action = "reply template changed"
	Deleted entity.Action = "reply template deleted"
)

// Most is how many replies there can be: all are listed beside each form.
const Most = 100

// Store keeps replies in a table.
type Store struct {
	table *entity.Table
	now   func() time.Time // UTC
}

// New makes a Store over a table.
func New(t *entity.Table, now func() time.Time) *Store { return &Store{t, now} }

// Replies lists all replies by what they are for and by name.
func (s *Store) Replies(ctx context.Context) (list []request.Reply, err error) {
	err = s.table.Each(ctx, table.Query{PK: rowkey.RepliesPK}, func(row table.Row) error {
		r, err := entity.Decode[request.Reply](row)
		r.Version = row.Version
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reply: listing: %w", err)
	}
	slices.SortFunc(list, func(a, b request.Reply) int {
		return cmp.Or(cmp.Compare(slices.Index(request.ReplyStates, a.For), slices.Index(request.ReplyStates, b.For)),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// Reply reads a reply; a NotFound fault if there is none.
func (s *Store) Reply(ctx context.Context, id string) (r request.Reply, err error) {
	r.Version, err = s.table.Get(ctx, rowkey.Reply(id), &r)
	return r, entity.Missing(err, "There is no such reply template. Someone may have deleted it.")
}

// SaveReply adds a reply whose version is 0, or changes the one with the ID and version. It is a Conflict fault if
// somebody else changed it first, or added as many as there can be.
func (s *Store) SaveReply(ctx context.Context, r request.Reply, by string) error {
	action := Changed
	if r.Version == 0 {
		action = Added
		list, err := s.Replies(ctx)
		switch {
		case err != nil:
			return err
		case len(list) >= Most:
			return fault.New(fault.Conflict, "There are %d reply templates already. Delete one first.", len(list))
		}
	}
	r.ChangedBy, r.Changed = by, s.now()
	c := s.table.Begin()
	c.Update(entity.Encode(rowkey.Reply(r.ID), rowkey.TypeReply, r), r.Version)
	return s.commit(ctx, c, r, entity.Line{By: by, Action: action})
}

// DeleteReply deletes the reply with the ID and version. It is a Conflict fault if somebody changed it first.
func (s *Store) DeleteReply(ctx context.Context, r request.Reply, by string) error {
	c := s.table.Begin()
	c.Delete(rowkey.Reply(r.ID), r.Version)
	return s.commit(ctx, c, r, entity.Line{By: by, Action: Deleted})
}

func (s *Store) commit(ctx context.Context, c *entity.Changeset, r request.Reply, l entity.Line) error {
	l.Note = r.Name
	c.Audit(rowkey.RepliesPK+"#"+r.ID, l)
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("reply: saving: %w", err)
	}
	return nil
}
