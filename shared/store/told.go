package store

import (
	"context"
	"fmt"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

// Contacts of record are told of what they did not ask for. The transaction that does it queues one notice, which the
// mailer turns into one for each contact (shared/store/expansion).

// contactsTold is who is told of a change of contacts.
type contactsTold struct {
	of     *account
	except []string // addresses
	none   bool     // nobody is told
	// contact is the address of the contact who did it; "" for somebody else.
	contact string
}

// tellContacts has the contacts of a customer told who was added and removed.
func (c *changeset) tellContacts(id, by string, told contactsTold, added, removed []customer.Contact) {
	if told.none {
		return
	}
	change := notice.ContactChange{Customer: id, Version: told.of.version, By: by, Except: told.except}
	if told.of.id != id {
		change.Survivor = told.of.id
	}
	if told.contact != "" {
		change.By, change.ByContact = told.contact, true
	}
	if len(added) > 0 {
		change.Contacts = people(added)
		if change.ByContact {
			change.Until = license.DateOf(customer.Contact{Since: c.store.now()}.Effect())
		}
		c.queue(notice.ContactAdded(change))
	}
	if len(removed) > 0 {
		change.Contacts, change.Until = people(removed), customer.Removed{RemovedAt: c.store.now()}.Until()
		c.queue(notice.ContactRemoved(change))
	}
}

func people(contacts []customer.Contact) (list []license.Contact) {
	for _, c := range contacts {
		list = append(list, license.Contact{Name: c.Name, Email: c.Email})
	}
	return list
}

// tellMoves has contacts told of the licenses of an issue that replace others for another server ID.
func (c *changeset) tellMoves(i Issue, replaced []license.License) {
	var licenses []license.License
	var moves []notice.Move
	for _, old := range replaced {
		n := slices.IndexFunc(i.Licenses, func(l license.License) bool {
			return l.ID == old.ReplacedBy && l.Instance == old.Instance && l.Server != old.Server
		})
		known := func(l license.License) bool { return n >= 0 && l.ID == i.Licenses[n].ID }
		if n >= 0 && !slices.ContainsFunc(licenses, known) {
			licenses = append(licenses, i.Licenses[n])
			moves = append(moves, notice.Move{From: old.Server, To: i.Licenses[n].Server})
		}
	}
	if len(licenses) > 0 && !i.Imported {
		c.queue(notice.LicenseMoved(licenses, moves, i.By, i.Except...))
	}
}

// tellBridge has contacts told of a bridge key.
func (c *changeset) tellBridge(i Issue, b license.License, of customer.Instance) {
	for _, old := range of.Licenses {
		if old.ID == b.Bridges {
			moves := []notice.Move{{From: old.Server, To: b.Server}}
			c.queue(notice.LicenseMoved([]license.License{b}, moves, i.By, i.Except...))
		}
	}
}

// isRemoval reports whether an email told somebody of being removed from a customer's contacts, with a link.
func isRemoval(m outbox.Mail, customerID string) bool {
	return m.Kind == mail.ContactRemoved && m.Notice.About == customerID && m.Nonce != ""
}

// RestoreContact takes a contact back, as the person asked by the link of the email mailID. The person counts as added
// now, and nobody vouches for that: sales had a reason for the removal. It is a *notice.PointlessError if the person is
// a contact, or may not come back any more.
func (s *Store) RestoreContact(ctx context.Context, customerID, mailID string) error {
	m, err := s.outbox.Read(ctx, mailID)
	if err != nil {
		return err
	}
	if !isRemoval(m, customerID) {
		return &notice.PointlessError{Why: "no email about a removal had the link"}
	}
	return entity.Retry(func() error {
		c := s.begin()
		a, err := c.account(ctx, customerID)
		if err != nil {
			return err
		}
		line := entity.Line{By: Customer, Action: ContactRestored, Note: m.To.Email}
		told := contactsTold{of: a, except: []string{m.To.Email}}
		err = c.changeCustomer(ctx, customerID, line, told, func(kept *customer.Customer) error {
			_, has := kept.Contact(m.To.Email)
			back, ok := kept.Restorable(m.To.Email, license.DateOf(s.now()))
			switch {
			case has:
				return &notice.PointlessError{Why: "the person is a contact"}
			case !ok, len(kept.Contacts) >= customer.MaxContacts:
				return &notice.PointlessError{Why: "the contact can no longer be restored"}
			}
			back.Since, back.AddedBy, back.VouchedBy = s.now(), Customer, ""
			kept.Contacts = append(slices.Clone(kept.Contacts), back.Contact)
			return nil
		})
		if err != nil {
			return err
		}
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: restoring a contact of customer %s: %w", customerID, err)
		}
		return nil
	})
}

// UndoRemoval has the mailer put a contact back who was removed and told so by an email. Once is enough: again, it does
// nothing.
func (s *Store) UndoRemoval(ctx context.Context, removed outbox.Mail) error {
	n := notice.ContactUndo(removed.Notice)
	c := s.begin()
	c.queue(n)
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
		return fmt.Errorf("store: undoing a removal: %w", err)
	}
	return nil
}

// RemovalUndone reports whether somebody undid the removal of a contact that an email told of.
func (s *Store) RemovalUndone(ctx context.Context, removed outbox.Mail) (bool, error) {
	return s.outbox.Exists(ctx, notice.ContactUndo(removed.Notice).ID)
}
