package store

import (
	"context"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Reminders are forwarded, and whoever has one can request the renewal. So the links of a license to a contact have one
// open request at a time: nobody can fill the queue, or the contact's mailbox, with the same link.

// Mail reads an email about a request or a license, for the page behind the private link in it. what is the email's ID
// or its end (notice.IDOf). An unknown one is a NotFound fault.
func (s *Store) Mail(ctx context.Context, about, what string) (outbox.Mail, error) {
	return s.outbox.Read(ctx, notice.IDOf(about, what))
}

// RequestOfLink reads the open request that came through the links about a license to a contact, whichever of them;
// open is false if there is none.
func (s *Store) RequestOfLink(ctx context.Context, l request.Link) (r request.Request, open bool, err error) {
	r, _, err = s.requestOfLink(ctx, l)
	return r, r.ID != "", err
}

// requestOfLink also returns the version of the row that remembers the request; 0 if there is no row.
func (s *Store) requestOfLink(ctx context.Context, l request.Link) (r request.Request, version int64, err error) {
	var filed idempotency
	version, err = s.table.Get(ctx, linkKey(l), &filed)
	if err == nil {
		r, err = s.Request(ctx, filed.RequestID)
	}
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && !r.Known(s.now()).State.Open():
		return request.Request{}, version, nil
	case err != nil:
		return request.Request{}, 0, fmt.Errorf("store: request of a link: %w", err)
	}
	return r.Known(s.now()), version, nil
}

// linkKey is the row of the newest request that came through the links about a license to a contact.
func linkKey(l request.Link) table.Key {
	return rowkey.Idempotency("link\x00"+l.License+"\x00"+input.Mailbox(l.Contact), "")
}

// rememberLink notes that a request came through a bound link; open is the one that did before and is still open.
func (c *changeset) rememberLink(ctx context.Context, r request.Request) (open request.Request, err error) {
	open, version, err := c.store.requestOfLink(ctx, *r.Link)
	if err != nil || open.ID != "" {
		return open, err
	}
	row := entity.Encode(linkKey(*r.Link), rowkey.TypeIdempotency, idempotency{r.ID})
	row.Expires = r.Created.AddDate(0, 0, idempotencyDays)
	c.Update(row, version)
	return request.Request{}, nil
}
