// Package lettertest writes the letters of waiting mails in tests, as functions/mailer does.
package lettertest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
)

// Ready returns the mails that are ready to be sent, in the order in which they were queued.
func Ready(ctx context.Context, s *delivery.Store) (list []outbox.Mail, err error) {
	err = s.Outbox().EachReady(ctx, func(m outbox.Mail) error {
		list = append(list, m)
		return nil
	})
	slices.SortFunc(list, func(a, b outbox.Mail) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, err
}

// Write writes the letter of a mail from what is on record. A mail that has no point any more is an error.
func Write(ctx context.Context, s *delivery.Store, w letter.Writer, c *catalog.Catalog, m outbox.Mail) (
	mail.Message, error) {
	records, err := s.Records(ctx, m.Notice)
	if err != nil {
		return mail.Message{}, err
	}
	if why := m.Pointless(records); why != "" {
		return mail.Message{}, fmt.Errorf("lettertest: mail %s: %s", m.ID, why)
	}
	return w.Write(m.Notice, records, c, letter.Call{Attempt: m.State.Attempts + 1, MaybeTwice: m.MaybeTwice()})
}

// Send sends a mail by hand: the provider accepts its letter.
func Send(ctx context.Context, s *delivery.Store, id string, letter mail.Message, providerID string) error {
	m, err := s.Outbox().Read(ctx, id)
	if err != nil {
		return err
	}
	if m, err = s.Outbox().Begin(ctx, m, 1, letter); err != nil {
		return err
	}
	return s.Outbox().RecordSent(ctx, m, providerID)
}
