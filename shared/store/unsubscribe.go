package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions about who unsubscribed from reminders.
const (
	Unsubscribed Action = "unsubscribed from reminders"
	Resubscribed Action = "reminders to the contact resumed"
)

// Unsubscription says that an address unsubscribed from the reminders of a license. It concerns reminders alone, never
// keys.
type Unsubscription struct {
	License string    `json:"license"` // its ID
	Email   string    `json:"email"`
	At      time.Time `json:"at"`
	Mail    string    `json:"mail"` // the ID of the digest with whose link it did
	Told    string    `json:"told"` // the ID of the mail that tells sales
}

// Unsubscribed lists the addresses that unsubscribed from the reminders of a license, in no order.
func (s *Store) Unsubscribed(ctx context.Context, licenseID string) (list []Unsubscription, err error) {
	err = s.table.Each(ctx, table.Query{PK: rowkey.UnsubscribedPK(licenseID)}, func(row table.Row) error {
		if strings.HasPrefix(row.SK, rowkey.EventPrefix) {
			return nil
		}
		u, err := entity.Decode[Unsubscription](row)
		list = append(list, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: who unsubscribed from license %s: %w", licenseID, err)
	}
	return list, nil
}

// unsubscribedAtOnce is how many licenses one transaction unsubscribes from: each is a row and a line on a timeline,
// and the audit and the mail to sales are three more.
const unsubscribedAtOnce = (table.MaxWrites - 3) / 2

// Unsubscribe stops the reminders of the licenses that a digest named to its reader, and tells sales, once. It does
// nothing about those that the reader has unsubscribed from before. The public site calls it, so the lines are not on
// the licenses' own timelines, which it may not write: LicenseTimeline reads both.
func (s *Store) Unsubscribe(ctx context.Context, digest outbox.Mail) error {
	err := entity.Retry(func() error { return s.unsubscribe(ctx, digest) })
	if err != nil {
		return fmt.Errorf("store: unsubscribing from mail %s: %w", digest.ID, err)
	}
	return nil
}

func (s *Store) unsubscribe(ctx context.Context, digest outbox.Mail) error {
	licenses, _, err := s.subscriptions(ctx, digest)
	if err != nil {
		return err
	}
	u := Unsubscription{Email: digest.To.Email, At: s.now(), Mail: digest.ID}
	stopped := notice.RemindersStopped(digest.Notice, digest.Named(), NewID(u.At))
	u.Told = stopped.ID
	for len(licenses) > 0 {
		part := licenses[:min(unsubscribedAtOnce, len(licenses))]
		licenses = licenses[len(part):]
		c := s.begin()
		for _, due := range part {
			u.License = due.License
			row := entity.Encode(rowkey.Unsubscribed(due.License, u.Email), rowkey.TypeUnsubscribed, u)
			row.Expires = due.Expiration.AddMonths(2).End() // there are no reminders any more
			c.Create(row)
			line := entity.Line{By: Customer, Action: Unsubscribed, Note: u.Email,
				Customer: digest.Notice.About}
			c.Log(rowkey.Unsubscribed(due.License, u.Email), line)
		}
		if len(licenses) == 0 { // once it is true of all, whichever call began
			c.queue(stopped)
		}
		if err := c.Commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Resubscribe resumes the reminders of the licenses that a digest named to its reader.
func (s *Store) Resubscribe(ctx context.Context, digest outbox.Mail) error {
	err := entity.Retry(func() error {
		_, gone, err := s.subscriptions(ctx, digest)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(gone, unsubscribedAtOnce) {
			c := s.begin()
			for _, u := range part {
				c.resubscribe(u, digest.To.Email, Customer, digest.Notice.About)
			}
			if err := c.Commit(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: resuming the reminders of mail %s: %w", digest.ID, err)
	}
	return nil
}

// ResubscribeContact resumes the reminders of a license to an address, as an operator does. It does nothing if nobody
// has stopped them.
func (s *Store) ResubscribeContact(ctx context.Context, l license.License, email, by string) error {
	err := entity.Retry(func() error {
		version, err := s.table.Version(ctx, rowkey.Unsubscribed(l.ID, email))
		if err != nil || version == 0 {
			return err
		}
		c := s.begin()
		c.resubscribe(unsubscribedRow{l.ID, version}, email, by, l.Customer)
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: resuming the reminders of license %s: %w", l.ID, err)
	}
	return nil
}

// unsubscribedRow is a license from whose reminders somebody unsubscribed, with the version of the row that says so.
type unsubscribedRow struct {
	license string
	version int64
}

func (c *changeset) resubscribe(row unsubscribedRow, email, by, of string) {
	key := rowkey.Unsubscribed(row.license, email)
	c.Delete(key, row.version)
	c.Log(key, entity.Line{By: by, Action: Resubscribed, Note: email, Customer: of})
}

// subscriptions returns the licenses that a digest named: those of which its reader is reminded, and those from whose
// reminders the reader has unsubscribed.
func (s *Store) subscriptions(ctx context.Context, digest outbox.Mail) (
	on []notice.Due, gone []unsubscribedRow, err error) {
	named := digest.Named()
	keys := make([]table.Key, len(named))
	for i, due := range named {
		keys[i] = rowkey.Unsubscribed(due.License, digest.To.Email)
	}
	found, versions, err := entity.GetAll[Unsubscription](ctx, s.table, keys)
	if err != nil {
		return nil, nil, err
	}
	for i, u := range found {
		gone = append(gone, unsubscribedRow{u.License, versions[i]})
	}
	for _, due := range named {
		if !slices.ContainsFunc(gone, func(row unsubscribedRow) bool { return row.license == due.License }) {
			on = append(on, due)
		}
	}
	return on, gone, nil
}

// UnsubscribedFrom returns the IDs of the licenses that a digest named, from whose reminders its reader has
// unsubscribed.
func (s *Store) UnsubscribedFrom(ctx context.Context, digest outbox.Mail) (licenses []string, err error) {
	_, gone, err := s.subscriptions(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("store: who unsubscribed from mail %s: %w", digest.ID, err)
	}
	for _, row := range gone {
		licenses = append(licenses, row.license)
	}
	return licenses, nil
}
