package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Entry names a mail that is ready.
type Entry struct {
	ID       string
	Customer string // whom it concerns: notice.Notice.Customer
	Expands  bool   // it is no mail, but becomes others: notice.Notice.Expands
	key      table.Key
	version  int64 // of the row
}

// Compare orders ready mails of a rank, whatever their shards.
func (e Entry) Compare(other Entry) int { return strings.Compare(e.key.SK, other.key.SK) }

// Since is since when the mail has been ready; the zero Time if its row does not tell.
func (e Entry) Since() time.Time { return rowkey.ReadySince(e.key) }

// Ready reads the first ready mails of a rank and shard, in the order in which they are to be sent, at most limit.
func (b *Box) Ready(ctx context.Context, rank, shard, limit int) (list []Entry, err error) {
	rows, _, err := b.table.First(ctx, table.Query{PK: rowkey.ReadyPK(rank, shard)}, limit)
	if err != nil {
		return nil, fmt.Errorf("store: ready mails: %w", err)
	}
	for _, row := range rows {
		w, _ := entity.Decode[waiting](row) // without a customer, the mail still has its turn
		list = append(list, Entry{rowkey.MailOf(row.Key), w.Customer, w.Expands, row.Key, row.Version})
	}
	return list, nil
}

// EachReady passes every ready mail to f until f fails.
func (b *Box) EachReady(ctx context.Context, f func(Mail) error) error {
	for _, rank := range notice.Ranks {
		for shard := range rowkey.Shards {
			err := b.table.Each(ctx, table.Query{PK: rowkey.ReadyPK(rank, shard)}, func(row table.Row) error {
				m, err := b.Read(ctx, rowkey.MailOf(row.Key))
				if err != nil {
					return err
				}
				return f(m)
			})
			if err != nil {
				return fmt.Errorf("store: ready mails: %w", err)
			}
		}
	}
	return nil
}

// Forget removes the row of a ready mail that, as it was read, is not open any more; the zero Mail if there is none.
// ErrChanged if it is open, or has changed.
func (b *Box) Forget(ctx context.Context, e Entry, m Mail) error {
	if m.State.Status.Open() {
		return ErrChanged
	}
	c := b.table.Begin()
	c.Delete(e.key, table.Any)
	if m.ID == "" {
		c.Delete(rowkey.Mail(e.ID), 0)
	} else {
		c.Update(m.stateRow(), m.version)
	}
	err := c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return ErrChanged
	}
	return err
}

// Park pauses a ready mail that this version of the program cannot read or does not know, until a time: a newer version
// may send it. It trusts nothing that the mail says of itself. ErrChanged if the mail is not ready any more.
func (b *Box) Park(ctx context.Context, e Entry, until time.Time) error {
	c := b.table.Begin()
	c.Delete(e.key, e.version)
	w := waiting{Customer: e.Customer, Expands: e.Expands}
	c.Set(entity.Encode(rowkey.LaterAgain(e.key, until), rowkey.TypePending, w))
	err := c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return ErrChanged
	}
	return err
}

// Promote makes the paused mails of a shard ready whose pause is over, at most limit, and returns how many these were.
// They stay ready if the clock goes back.
func (b *Box) Promote(ctx context.Context, shard, limit int) (n int, err error) {
	rows, _, err := b.table.First(ctx, rowkey.LaterDue(shard, b.now()), limit)
	if err != nil {
		return 0, fmt.Errorf("store: paused mails: %w", err)
	}
	for _, row := range rows {
		if err := b.promote(ctx, row); err != nil {
			return n, fmt.Errorf("store: ending the pause of mail %s: %w", rowkey.MailOf(row.Key), err)
		}
		n++
	}
	return n, nil
}

func (b *Box) promote(ctx context.Context, row table.Row) error {
	c := b.table.Begin()
	c.Delete(row.Key, row.Version)
	m, err := b.Read(ctx, rowkey.MailOf(row.Key))
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && !m.State.Status.Open():
	case errors.Is(err, entity.ErrUnreadable), err == nil && !m.Known():
		row.Key = rowkey.ReadyAgain(row.Key)
		c.Set(row)
	case err != nil:
		return err
	case m.State.NotBefore.IsZero(): // it was parked, and this version knows it
		c.Set(m.waitingRow(m.readyKey()))
	case m.laterKey() == row.Key:
		m.endPause(c)
	}
	if err := c.Commit(ctx); fault.KindOf(err) != fault.Conflict { // somebody settled or promoted it
		return err
	}
	return nil
}

// endPause makes a paused mail ready; the caller deletes its row among the paused ones. A digest takes no license then.
func (m *Mail) endPause(c *entity.Changeset) {
	m.State.Gathering, m.State.Held, m.State.NotBefore = false, false, time.Time{}
	c.Set(m.waitingRow(m.readyKey()))
	c.Update(m.stateRow(), m.version)
}

// Queued is how many mails wait, each number up to a limit.
type Queued struct {
	Ready  map[int]int // by rank
	Paused int         // until a later attempt, or until a day
	Held   int         // until nobody can undo any more what they tell
	Oldest Oldest      // among the ready ones
}

// Oldest is since when the oldest ready mail of each rank has been ready. Ranks without a ready mail have no entry.
type Oldest map[int]time.Time

// Add adds when a mail of a rank got ready.
func (o Oldest) Add(rank int, since time.Time) {
	if at, found := o[rank]; !found || since.Before(at) {
		o[rank] = since
	}
}

// OldestReady reads the first ready mail of each rank and shard, all at once.
func (b *Box) OldestReady(ctx context.Context) (Oldest, error) {
	q, err := b.queued(ctx, notice.Ranks, 1)
	return q.Oldest, err
}

// Total is the number of all of them.
func (q Queued) Total() (n int) {
	for _, ready := range q.Ready {
		n += ready
	}
	return n + q.Paused + q.Held
}

// Queued counts the mails that wait, each kind up to about a limit. All reads are made at once.
func (b *Box) Queued(ctx context.Context, limit int) (Queued, error) {
	return b.queued(ctx, append([]int{paused}, notice.Ranks...), limit)
}

// paused stands for the paused mails where others have a rank.
const paused = 0

func (b *Box) queued(ctx context.Context, kinds []int, limit int) (Queued, error) {
	g, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	q := Queued{Ready: map[int]int{}, Oldest: Oldest{}}
	for _, rank := range kinds {
		for shard := range rowkey.Shards {
			g.Go(func() error {
				pk := rowkey.ReadyPK(rank, shard)
				if rank == paused {
					pk = rowkey.LaterPK(shard)
				}
				rows, _, err := b.table.First(ctx, table.Query{PK: pk}, limit)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case rank == paused:
					held := countHeld(rows)
					q.Held += held
					q.Paused += len(rows) - held
				case len(rows) > 0:
					q.Ready[rank] += len(rows)
					q.Oldest.Add(rank, rowkey.ReadySince(rows[0].Key))
				}
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return Queued{}, fmt.Errorf("store: counting mails: %w", err)
	}
	return q, nil
}

// countHeld counts the rows of held mails. One that cannot be read counts as paused.
func countHeld(rows []table.Row) (n int) {
	for _, row := range rows {
		if w, err := entity.Decode[waiting](row); err == nil && w.Held {
			n++
		}
	}
	return n
}
