package delivery

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// maxForwardAge is the greatest age of a mail that is sent on to the next contact: "in 30 days" in an older one would
// be wrong. About an older one we only tell sales, if no contact is left; later mails find the next contact themselves.
const maxForwardAge = 7 * 24 * time.Hour

// readdress sends a mail about a license that its reader did not get to the license's next contact; if none of them can
// be reached, it tells sales. It does nothing for other mails, and for those that became pointless.
//
// The reader counts as unreachable.
func (c *changeset) readdress(ctx context.Context, m outbox.Mail) error {
	if m.Kind != mail.LicenseKey && m.Kind != mail.LicenseExpiring {
		return nil
	}
	records, err := c.store.Records(ctx, m.Notice)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil || m.Pointless(records) != "" {
		return err
	}
	l := records.Licenses[0]
	next, err := c.store.contactInReach(ctx, l, m.To.Email)
	switch {
	case err != nil:
		return err
	case next == nil:
		_, err := c.tellUnreached(ctx, l)
		return err
	case c.store.Now().Sub(m.Created) > maxForwardAge:
		return nil
	}
	same := m.ToContact(*next)
	if known, err := c.store.outbox.Exists(ctx, same.ID); known || err != nil {
		return err
	}
	c.store.outbox.Queue(c.Changeset, same)
	c.Log(rowkey.License(l.ID), entity.Line{By: store.System, Action: MailReaddressed, Note: next.Email})
	return nil
}

// tellUnreached tells sales, once for each license and expiration, that no contact of a license can be reached; told is
// false if they were told before.
func (c *changeset) tellUnreached(ctx context.Context, l license.License) (told bool, err error) {
	task := notice.LicenseUnreached(l)
	if known, err := c.store.outbox.Exists(ctx, task.ID); known || err != nil {
		return false, err
	}
	row := entity.Encode(rowkey.Unreached(l.ID), rowkey.TypeIndex, struct{}{})
	row.Expires = l.Expiration.End()
	c.Set(row)
	c.store.outbox.Queue(c.Changeset, task)
	c.Log(rowkey.License(l.ID), entity.Line{By: store.System, Action: ContactsUnreached})
	return true, nil
}

// RecordUnreached tells sales that a license's reminder can be sent to none of its contacts, once for each license and
// expiration; told is false if they were told before. The license stays due.
func (s *Store) RecordUnreached(ctx context.Context, l license.License) (told bool, err error) {
	err = entity.Retry(func() error {
		c := s.begin()
		if told, err = c.tellUnreached(ctx, l); err != nil || !told {
			return err
		}
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("delivery: no contact of license %s: %w", l.ID, err)
	}
	return told, nil
}

// FailSuppressed marks a mail to a suppressed address as failed and queues it for the license's next contact. If there
// is none, it tells sales. It is outbox.ErrChanged if the mail is not as it was read.
func (s *Store) FailSuppressed(ctx context.Context, m outbox.Mail, why Suppression) error {
	return entity.Retry(func() error {
		c, failed := s.begin(), m
		if err := c.readdress(ctx, m); err != nil {
			return fmt.Errorf("delivery: mail %s to the next contact: %w", m.ID, err)
		}
		s.outbox.FailIn(c.Changeset, &failed, why.Reason())
		s.outbox.CloseIn(c.Changeset, failed)
		err := c.Commit(ctx)
		if entity.IsConflictOn(err, rowkey.MailState(m.ID)) {
			return outbox.ErrChanged
		}
		return err
	})
}

// Unreached lists licenses none of whose contacts mails reached, the newest first, at most limit: those whose reminders
// are not over, and that still have no reachable contact. It looks at three times limit at most, all of them at once.
func (s *Store) Unreached(ctx context.Context, limit int) (list []store.Summary, err error) {
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.UnreachedPK, Descending: true}, 3*limit)
	if err != nil {
		return nil, fmt.Errorf("delivery: licenses without a contact: %w", err)
	}
	found := make([]*store.Summary, len(rows))
	g, ctx := errgroup.WithContext(ctx)
	for i, row := range rows {
		g.Go(func() (err error) { found[i], err = s.unreached(ctx, row.SK); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("delivery: licenses without a contact: %w", err)
	}
	for _, l := range found {
		if l != nil && len(list) < limit {
			list = append(list, *l)
		}
	}
	return list, nil
}

// unreached reads a license that had no reachable contact; nil if that does not matter any more.
func (s *Store) unreached(ctx context.Context, id string) (*store.Summary, error) {
	var r store.LicenseRecord
	var mails []outbox.Mail
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { r, err = s.License(gctx, id); return err })
	g.Go(func() (err error) { mails, err = s.outbox.About(gctx, id); return err })
	if err := g.Wait(); err != nil || reminder.Over(r.License, license.DateOf(s.Now())) {
		return nil, err
	}
	if reached, err := s.reachesAny(ctx, inReach(r.License, "", mails)); reached || err != nil {
		return nil, err
	}
	l := store.SummaryOf(r.License)
	return &l, nil
}
