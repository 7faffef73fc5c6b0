package outbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// FailedMail is a mail that was given up, in the list of them.
type FailedMail struct {
	ID    string    `json:"-"`
	At    time.Time `json:"at"`
	Kind  mail.Kind `json:"kind"`
	About string    `json:"about"`
	Cause string    `json:"cause"`
}

// failedRow lists a mail that was given up.
func (m Mail) failedRow() table.Row {
	f := FailedMail{At: m.State.Closed, Kind: m.Kind, About: m.Notice.About, Cause: m.State.Cause}
	return entity.Encode(rowkey.Failed(f.At, m.ID), rowkey.TypeFailed, f)
}

// Troubled counts the mails that were given up since a time, and those in doubt, each up to a limit.
func (b *Box) Troubled(ctx context.Context, since time.Time, limit int) (failed, inDoubt int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		failed, err = b.table.Count(ctx, rowkey.FailedSince(since), limit)
		return err
	})
	g.Go(func() (err error) {
		inDoubt, err = b.table.Count(ctx, table.Query{PK: rowkey.InDoubtPK}, limit)
		return err
	})
	err = g.Wait()
	return failed, inDoubt, err
}

// Failed lists the newest mails that were given up, at most limit.
func (b *Box) Failed(ctx context.Context, limit int) (list []FailedMail, err error) {
	rows, _, err := b.table.First(ctx, table.Query{PK: rowkey.FailedPK, Descending: true}, limit)
	if err != nil {
		return nil, fmt.Errorf("store: failed mails: %w", err)
	}
	for _, row := range rows {
		f, err := entity.Decode[FailedMail](row)
		if err != nil {
			return nil, err
		}
		_, f.ID, _ = strings.Cut(row.SK, "#")
		list = append(list, f)
	}
	return list, nil
}
