package erasure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// ErasureAsked is an action in the audit: a contact asked to be erased.
const ErasureAsked store.Action = "erasure asked for"

// Asked is a person's wish to be erased, until an admin erases them.
type Asked struct {
	Email    string    `json:"email"`
	Name     string    `json:"name,omitempty"`
	Customer string    `json:"customer"` // the ID of the customer at whose account the person asked
	At       time.Time `json:"at"`       // UTC
}

// Wishes keeps who asked to be erased. Who asks need not have the right to erase, so this is not an Eraser's.
type Wishes struct{ store *store.Store }

// NewWishes returns the wishes in a store.
func NewWishes(kept *store.Store) *Wishes { return &Wishes{kept} }

// AskErasure notes that a contact of a customer asks to be erased, and tells sales. Asked again, it stays as it is.
func (w *Wishes) AskErasure(ctx context.Context, customerID string, who license.Contact) error {
	key := rowkey.ErasureAsked(who.Email)
	a := Asked{Email: who.Email, Name: who.Name, Customer: customerID, At: w.store.Now().Truncate(time.Millisecond)}
	c := w.store.Table().Begin()
	c.Create(entity.Encode(key, rowkey.TypeErasureAsked, a))
	c.Audit(rowkey.ErasuresAskedPK, entity.Line{By: store.Customer, Action: ErasureAsked, Customer: customerID})
	w.store.Outbox().Queue(c, notice.ErasureAsked(customerID, who, store.NewID(a.At)))
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, key) {
		return fmt.Errorf("erasure: noting a wish: %w", err)
	}
	return nil
}

// ErasureWish reads the wish of the person behind an address; ok is false if there is none.
func (w *Wishes) ErasureWish(ctx context.Context, email string) (a Asked, ok bool, err error) {
	list, err := wishes(ctx, w.store.Table())
	i := slices.IndexFunc(list, func(a Asked) bool { return input.SameMailbox(a.Email, email) })
	if i < 0 || err != nil {
		return Asked{}, false, err
	}
	return list[i], true, nil
}

// ReadOwn reads everything on record about the person behind an address, as the function ReadOwn does.
func (w *Wishes) ReadOwn(ctx context.Context, email string) (*Own, error) {
	return ReadOwn(ctx, w.store, email)
}

// Wishes lists who asked to be erased and was not yet, the oldest first.
func (e *Eraser) Wishes(ctx context.Context) ([]Asked, error) { return wishes(ctx, e.table) }

func wishes(ctx context.Context, t *entity.Table) (list []Asked, err error) {
	err = t.Each(ctx, table.Query{PK: rowkey.ErasuresAskedPK}, func(row table.Row) error {
		a, err := entity.Decode[Asked](row)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("erasure: who asked: %w", err)
	}
	slices.SortFunc(list, func(a, b Asked) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Email, b.Email)) })
	return list, nil
}
