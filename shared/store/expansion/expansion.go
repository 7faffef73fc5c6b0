// Package expansion says which mails a notice becomes that is to nobody yet (notice.Notice.Expands): whom they go to
// depends on what is on record when the mailer looks. What the notice asks for besides, it does before.
//
// functions/mailer replaces the notice by these mails; shared/store/outbox keeps them.
package expansion

import (
	"context"
	"fmt"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/search"
)

// Expander expands notices from what is on record.
type Expander struct {
	store *delivery.Store
	index *search.Index
}

// New returns an Expander.
func New(s *delivery.Store) *Expander { return &Expander{s, search.New(s.Store)} }

// Expand is dispatch.Expander's.
func (e *Expander) Expand(ctx context.Context, n notice.Notice) (into []notice.Notice, err error) {
	switch n.Kind {
	case mail.RequestConfirmed:
		into, err = e.requestConfirmed(ctx, n)
	case mail.LicenseMoved, mail.LicenseRevoked, mail.ContactAdded, mail.ContactRemoved:
		into, err = e.toContacts(ctx, n)
	case mail.ContactUndo: // the store has the other contacts told
		err = e.store.RestoreContact(ctx, n.About, n.Mail)
	default:
		err = fmt.Errorf("there is no expansion of %s", n.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("expansion: mail %s: %w", n.ID, err)
	}
	return into, nil
}
