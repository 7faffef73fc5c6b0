package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/fault"
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
}

// Unsubscribed lists the addresses that unsubscribed from the reminders of a license, in no order.
func (s *Store) Unsubscribed(ctx context.Context, licenseID string) (list []Unsubscription, err error) {
	err = s.table.Each(ctx, table.Query{PK: rowkey.UnsubscribedPK(licenseID)}, func(row table.Row) error {
		u, err := entity.Decode[Unsubscription](row)
		list = append(list, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: who unsubscribed from license %s: %w", licenseID, err)
	}
	return list, nil
}

// unsubscribedAtOnce is how many licenses, of two rows each, one transaction unsubscribes from, with the mail to sales.
const unsubscribedAtOnce = (table.MaxWrites - 2) / 2

// Unsubscribe stops the reminders of the licenses in a digest to its reader, with a line on each license's timeline, and
// tells sales. It does nothing about those that the reader has unsubscribed from before.
func (s *Store) Unsubscribe(ctx context.Context, digest outbox.Mail) error {
	licenses, err := s.subscriptions(ctx, digest, false)
	if err != nil {
		return err
	}
	u := Unsubscription{Email: digest.To.Email, At: s.now(), Mail: digest.ID}
	for part := range slices.Chunk(licenses, unsubscribedAtOnce) {
		c := s.begin()
		for _, due := range part {
			u.License = due.License
			row := entity.Encode(rowkey.Unsubscribed(due.License, u.Email), rowkey.TypeUnsubscribed, u)
			row.Expires = due.Expiration.AddMonths(2).End() // there are no reminders any more
			c.Create(row)
			c.Log(rowkey.License(due.License), entity.Line{By: Customer, Action: Unsubscribed, Note: u.Email})
		}
		c.queue(notice.RemindersStopped(digest.Notice, part, u.At))
		// Of two at once, or of one whose answer was lost, the other has done it.
		if err := c.Commit(ctx); err != nil && fault.KindOf(err) != fault.Conflict {
			return fmt.Errorf("store: unsubscribing from mail %s: %w", digest.ID, err)
		}
	}
	return nil
}

// Resubscribe resumes the reminders of the licenses in a digest to its reader, with a line on each license's timeline.
func (s *Store) Resubscribe(ctx context.Context, digest outbox.Mail) error {
	licenses, err := s.subscriptions(ctx, digest, true)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(licenses, unsubscribedAtOnce) {
		c := s.begin()
		for _, due := range part {
			c.resubscribe(due.License, digest.To.Email, Customer)
		}
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: resuming the reminders of mail %s: %w", digest.ID, err)
		}
	}
	return nil
}

// ResubscribeContact resumes the reminders of a license to an address, as an operator does.
func (s *Store) ResubscribeContact(ctx context.Context, licenseID, email, by string) error {
	c := s.begin()
	c.resubscribe(licenseID, email, by)
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: resuming the reminders of license %s: %w", licenseID, err)
	}
	return nil
}

func (c *changeset) resubscribe(licenseID, email, by string) {
	c.Delete(rowkey.Unsubscribed(licenseID, email), table.Any)
	c.Log(rowkey.License(licenseID), entity.Line{By: by, Action: Resubscribed, Note: email})
}

// subscriptions returns the licenses that a digest named, from whose reminders its reader has unsubscribed, or has not.
func (s *Store) subscriptions(ctx context.Context, digest outbox.Mail, unsubscribed bool) (list []notice.Due, err error) {
	gone, err := s.UnsubscribedFrom(ctx, digest)
	for _, due := range digest.Named() {
		if slices.Contains(gone, due.License) == unsubscribed {
			list = append(list, due)
		}
	}
	return list, err
}

// UnsubscribedFrom returns the IDs of the licenses that a digest named, from whose reminders its reader has
// unsubscribed.
func (s *Store) UnsubscribedFrom(ctx context.Context, digest outbox.Mail) (licenses []string, err error) {
	named := digest.Named()
	keys := make([]table.Key, len(named))
	for i, due := range named {
		keys[i] = rowkey.Unsubscribed(due.License, digest.To.Email)
	}
	found, _, err := entity.GetAll[Unsubscription](ctx, s.table, keys)
	if err != nil {
		return nil, fmt.Errorf("store: who unsubscribed from mail %s: %w", digest.ID, err)
	}
	for _, u := range found {
		licenses = append(licenses, u.License)
	}
	return licenses, nil
}
