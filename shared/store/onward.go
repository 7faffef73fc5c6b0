package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/table"
)

// stillTrue is how old a mail may be that goes to the next contact: what it says of days is not true for ever. Of an older
// one only sales are told, where no contact is left; later mails find the next contact by themselves.
const stillTrue = 7 * 24 * time.Hour

// onward are the writes by which a mail about a license that its reader did not get goes to the license's next contact; or
// task's mail to sales, where none of them can be reached. None for other mails, and where the mail has lost its point.
//
// The reader is not asked about: whoever calls suppresses that address.
func (s *Store) onward(ctx context.Context, m Mail, task func(license.License) mail.Message) ([]table.Write, error) {
	if m.Message.Kind != mail.LicenseKey && m.Message.Kind != mail.LicenseExpiring {
		return nil, nil
	}
	r, err := s.License(ctx, m.Message.About)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil || pointless(m.Message.Kind, r.License, license.DateOf(s.now())) {
		return nil, err
	}
	var others []license.Contact
	for _, c := range r.License.Contacts {
		if !sameAddress(c.Email, m.Message.To.Email) {
			others = append(others, c)
		}
	}
	next, err := s.Reachable(ctx, others)
	switch {
	case err != nil:
		return nil, err
	case next == nil:
		return s.unreachedWrites(ctx, r.License, task(r.License))
	case s.now().Sub(m.Created) > stillTrue:
		return nil, nil
	}
	same := m.Message.Readdressed(*next)
	if known, err := s.hasMail(ctx, same.ID); known || err != nil {
		return nil, err
	}
	return append(s.outboxWrites(same), s.eventWrite(licenseKey(r.License.ID), System, MailReaddressed, next.Email, nil)), nil
}

// pointless reports whether a mail about a license need not be read any more.
func pointless(k mail.Kind, l license.License, today license.Date) bool {
	if k == mail.LicenseExpiring {
		return reminder.Over(l, today)
	}
	return !l.Revoked.IsZero() || today.After(l.Expiration)
}

// unreachedWrites tell sales, once for each license and expiration, that no contact of a license can be reached.
func (s *Store) unreachedWrites(ctx context.Context, l license.License, task mail.Message) ([]table.Write, error) {
	if known, err := s.hasMail(ctx, task.ID); known || err != nil {
		return nil, err
	}
	row := encode(unreachedKey(l.ID), rowIndex, struct{}{})
	row.Expires = l.Expiration.End()
	return append(s.outboxWrites(task), table.Set(row), s.eventWrite(licenseKey(l.ID), System, ContactsUnreached, "", nil)), nil
}

func (s *Store) hasMail(ctx context.Context, id string) (bool, error) {
	_, err := s.Mail(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// RecordUnreached tells sales that a license's reminder can be sent to none of its contacts: task goes into the outbox, once
// for each license and expiration; told is false where it did before. The license stays due.
func (s *Store) RecordUnreached(ctx context.Context, l license.License, task mail.Message) (told bool, err error) {
	err = retryOnConflict(func() error {
		writes, err := s.unreachedWrites(ctx, l, task)
		if err != nil {
			return err
		}
		told = len(writes) > 0
		return s.table.Transact(ctx, writes...)
	})
	if err != nil {
		return false, fmt.Errorf("store: no contact of license %s: %w", l.ID, err)
	}
	return told, nil
}

// FailSuppressed gives up a claimed mail whose address is suppressed, and sends it to the license's next contact, or tells
// sales, as RecordReport does.
func (s *Store) FailSuppressed(ctx context.Context, m Mail, why Suppression, task func(license.License) mail.Message) error {
	return retryOnConflict(func() error {
		onward, err := s.onward(ctx, m, task)
		if err != nil {
			return fmt.Errorf("store: mail %s to the next contact: %w", m.Message.ID, err)
		}
		return s.failMail(ctx, m, why, onward...)
	})
}

// Unreached lists licenses of which mails reached no contact, the newest first, at most limit: those that still have a point, and
// still no contact that mail can be sent to. Of more than three times limit, those beyond are not looked at.
func (s *Store) Unreached(ctx context.Context, limit int) (list []Summary, err error) {
	defer func() {
		if err != nil {
			list, err = nil, fmt.Errorf("store: licenses without a contact: %w", err)
		}
	}()
	today := license.DateOf(s.now())
	page, err := s.table.Query(ctx, table.Query{PK: unreachedPK, Descending: true, Limit: 3 * limit})
	if err != nil {
		return nil, err
	}
	for _, row := range page.Rows {
		r, err := s.License(ctx, row.SK)
		if err != nil {
			return nil, err
		}
		if reminder.Over(r.License, today) {
			continue
		}
		c, err := s.Reachable(ctx, r.License.Contacts)
		if err != nil {
			return nil, err
		}
		if c == nil {
			list = append(list, summaryOf(r.License))
		}
		if len(list) == limit {
			break
		}
	}
	return list, nil
}
