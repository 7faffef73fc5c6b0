package outbox

import (
	"context"

	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// RewriteIn changes rows of a mail in place, as a part of a change, which the caller commits: what they say of a person
// who is erased. before and after are the row of the mail itself, state that of its state as it is to be; nil for none.
// An open mail keeps its place among the ready or paused ones, under the customer that it has then, and whoever works
// on it meanwhile is told that it has changed.
func (b *Box) RewriteIn(ctx context.Context, c *entity.Changeset, before, after table.Row, state *table.Row) error {
	was, is := Mail{State: State{Status: Waiting}}, Mail{State: State{Status: Waiting}}
	for m, row := range map[*Mail]table.Row{&was: before, &is: after} {
		if err := m.decode(row, "#"); err != nil {
			return err
		}
		if state != nil {
			if err := m.decode(*state, rowkey.StateSuffix); err != nil {
				return err
			}
		}
	}
	c.Update(after, before.Version)
	switch {
	case state != nil:
		c.Update(*state, state.Version)
	case is.State.Status.Open():
		b.GuardIn(c, is)
	}
	if !is.State.Status.Open() || was.Customer == is.Customer {
		return nil
	}
	return b.requeueIn(ctx, c, was, is)
}

// requeueIn moves the row of an open mail among the ready or paused ones, which may be that of a mail of a newer
// version: then nothing but its key tells where it is.
func (b *Box) requeueIn(ctx context.Context, c *entity.Changeset, was, is Mail) error {
	for from, to := range map[table.Key]table.Key{was.readyKey(): is.readyKey(), was.laterKey(): is.laterKey()} {
		switch version, err := b.table.Version(ctx, from); {
		case err != nil:
			return err
		case version > 0:
			if from != to {
				c.Delete(from, version)
			}
			c.Set(is.waitingRow(to))
			return nil
		}
	}
	shard := rowkey.Shard(was.Customer)
	return b.table.Each(ctx, table.Query{PK: rowkey.LaterPK(shard)}, func(row table.Row) error {
		if rowkey.MailOf(row.Key) == is.ID {
			c.Update(is.waitingRow(row.Key), row.Version) // promoted, it keeps its shard
		}
		return nil
	})
}
