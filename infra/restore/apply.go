package restore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"marketplace/shared/table"
)

const (
	// inOne is how many rows one transaction writes; together they stay below its 4 MB, since few rows are large.
	inOne = 25
	// largest bounds the bytes of a transaction all the same.
	largest = table.MaxTransaction / 2
)

// Apply does what the plan says: emails first, each in one transaction, then everything else. It is safe to cut off.
func (p *Plan) Apply(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(p.sending)) {
		if err := p.transact(ctx, p.sending[id].writes); err != nil {
			return err
		}
	}
	b := batch{plan: p}
	for key, version := range p.remove {
		if err := b.add(ctx, table.Delete(key, version)); err != nil {
			return err
		}
	}
	err := p.options.Copy.Each(ctx, func(row table.Row) error {
		version, changed := p.update[row.Key]
		if !changed && !p.create[row.Key] {
			return nil
		}
		return b.add(ctx, table.Write{Row: row, Expect: version}) // 0: the table must not have it
	})
	if err != nil {
		return err
	}
	return b.flush(ctx)
}

// batch collects writes that do not depend on each other.
type batch struct {
	plan   *Plan
	writes []table.Write
	size   int
}

func (b *batch) add(ctx context.Context, w table.Write) error {
	b.writes, b.size = append(b.writes, w), b.size+len(w.Row.Data)
	if len(b.writes) < inOne && b.size < largest {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	writes := b.writes
	b.writes, b.size = nil, 0
	return b.plan.transact(ctx, writes)
}

func (p *Plan) transact(ctx context.Context, writes []table.Write) error {
	switch err := p.options.Table.Replace(ctx, writes...); {
	case errors.Is(err, table.ErrConflict):
		return fmt.Errorf("restore: something else writes to the table; stop it, and run this again: %w", err)
	case err != nil:
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}
