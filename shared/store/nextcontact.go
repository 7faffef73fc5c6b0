package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// maxForwardAge is the greatest age of a mail that is sent on to the next contact: "in 30 days" in an older one would
// be wrong. About an older one we only tell sales, if no contact is left; later mails find the next contact themselves.
const maxForwardAge = 7 * 24 * time.Hour

// readdress sends a mail about a license that its reader did not get to the license's next contact; if none of them can
// be reached, it sends task's mail to sales. It does nothing for other mails, and for those that became pointless.
//
// The reader counts as unreachable: the caller suppresses that address.
func (c *changeset) readdress(ctx context.Context, m Mail, task func(license.License) mail.Message) error {
	if m.Message.Kind != mail.LicenseKey && m.Message.Kind != mail.LicenseExpiring {
		return nil
	}
	r, err := c.store.License(ctx, m.Message.About)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil || pointless(m.Message.Kind, r.License, license.DateOf(c.store.now())) {
		return err
	}
	var others []license.Contact
	for _, contact := range r.License.Contacts {
		if !input.SameMailbox(contact.Email, m.Message.To.Email) {
			others = append(others, contact)
		}
	}
	next, err := c.store.Reachable(ctx, others)
	switch {
	case err != nil:
		return err
	case next == nil:
		_, err := c.tellUnreached(ctx, r.License, task(r.License))
		return err
	case c.store.now().Sub(m.Created) > maxForwardAge:
		return nil
	}
	same := m.Message.Readdressed(*next)
	if known, err := c.store.hasMail(ctx, same.ID); known || err != nil {
		return err
	}
	c.queue(same)
	c.Log(rowkey.License(r.License.ID), entity.Line{By: System, Action: MailReaddressed, Note: next.Email})
	return nil
}

// pointless reports whether a mail about a license need not be read any more.
func pointless(k mail.Kind, l license.License, today license.Date) bool {
	if k == mail.LicenseExpiring {
		return reminder.Over(l, today)
	}
	return !l.Revoked.IsZero() || today.After(l.Expiration)
}

// tellUnreached tells sales, once for each license and expiration, that no contact of a license can be reached; told is
// false if they were told before.
func (c *changeset) tellUnreached(ctx context.Context, l license.License, task mail.Message) (told bool, err error) {
	if known, err := c.store.hasMail(ctx, task.ID); known || err != nil {
		return false, err
	}
	row := entity.Encode(rowkey.Unreached(l.ID), rowkey.TypeIndex, struct{}{})
	row.Expires = l.Expiration.End()
	c.Set(row)
	c.queue(task)
	c.Log(rowkey.License(l.ID), entity.Line{By: System, Action: ContactsUnreached})
	return true, nil
}

func (s *Store) hasMail(ctx context.Context, id string) (bool, error) {
	version, err := s.table.Version(ctx, rowkey.Mail(id))
	return version > 0, err
}

// RecordUnreached tells sales that a license's reminder can be sent to none of its contacts: it queues task, once for
// each license and expiration; told is false if they were told before. The license stays due.
func (s *Store) RecordUnreached(ctx context.Context, l license.License, task mail.Message) (told bool, err error) {
	err = entity.Retry(func() error {
		c := s.begin()
		if told, err = c.tellUnreached(ctx, l, task); err != nil || !told {
			return err
		}
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("store: no contact of license %s: %w", l.ID, err)
	}
	return told, nil
}

// FailSuppressed marks a claimed mail to a suppressed address as failed and queues it for the license's next contact.
// If there is none, it tells sales.
func (s *Store) FailSuppressed(ctx context.Context, m Mail, why Suppression,
	task func(license.License) mail.Message) error {
	return entity.Retry(func() error {
		c := s.begin()
		if err := c.readdress(ctx, m, task); err != nil {
			return fmt.Errorf("store: mail %s to the next contact: %w", m.Message.ID, err)
		}
		return c.failMail(ctx, m, why.Reason())
	})
}

// Unreached lists licenses none of whose contacts mails reached, the newest first, at most limit: those whose reminders
// are not over, and that still have no reachable contact. It looks at three times limit at most.
func (s *Store) Unreached(ctx context.Context, limit int) (list []Summary, err error) {
	defer func() {
		if err != nil {
			list, err = nil, fmt.Errorf("store: licenses without a contact: %w", err)
		}
	}()
	today := license.DateOf(s.now())
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.UnreachedPK, Descending: true}, 3*limit)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		r, err := s.License(ctx, row.SK)
		if err != nil {
			return nil, err
		}
		if reminder.Over(r.License, today) {
			continue
		}
		contact, err := s.Reachable(ctx, r.License.Contacts)
		if err != nil {
			return nil, err
		}
		if contact == nil {
			list = append(list, summaryOf(r.License))
		}
		if len(list) == limit {
			break
		}
	}
	return list, nil
}
