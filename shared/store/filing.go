package store

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
)

// Actions on requests as they are filed.
const (
	RequestReceived Action = "request received"
	BridgeRequested Action = "bridge key requested" // on the replacement that it comes ahead of
)

// Filing is a license request as it arrives.
type Filing struct {
	request.Details
	// Key is the client's: the same details with the same key are the same request. "" is none.
	Key string
	// Suspicious is set if a program may have sent it. It sends no email.
	Suspicious bool
	// Link is the link in one of our emails through which it came; nil: none. Bound is set if it asks for no more than
	// the link allows (request.Link.Binds): then there is nothing to confirm, and Key is not used.
	Link  *request.Link
	Bound bool
	// Customer and Instance are the IDs of what a contact asks for who is signed in; Link is of the email that signed
	// the contact in, at the same address. The request is confirmed and linked as it is filed. "" otherwise.
	Customer string
	Instance string
	By       string // the operator who files it for a customer; "": the customer
	// Zone is the time zone of the customer's browser, an IANA name; "" if unknown. The same request with another zone
	// is still the same.
	Zone string
}

// filingAttempts is how often a filing is tried while others take the references and the emails that it draws.
const filingAttempts = 30

// FileRequest records a license request and the emails about it, in one transaction. What was filed with the same key
// and the same details before is returned with created false; through a bound link, what came through the same link
// before and is open, whatever its details.
//
// A new request is unconfirmed, and the email to its address has the secret that confirms it; if that address was sent
// too many of these already, it waits without one (confirmation.go). Sales are told at once only of one that needs no
// confirmation: what came through a bound link, what a contact files who is signed in, and what a colleague files. What
// is read and written does not depend on what is on record about the server.
func (s *Store) FileRequest(ctx context.Context, f Filing) (r request.Request, created bool, err error) {
	f.Bound = f.Bound && !f.Suspicious
	now := s.now().Truncate(time.Millisecond)
	r = request.Request{
		ID: s.newID(), Token: token.Status.New(), Secret: token.Confirmation.New(), State: request.Received,
		Created: now, Due: s.hours.Due(f.Begins(now)), Zone: f.Zone, Details: f.Details, Suspicious: f.Suspicious,
		Link: f.Link, Bound: f.Bound, FiledBy: f.By,
		Unconfirmed: f.Suspicious || f.By == "" && !f.Bound && f.Customer == "",
	}
	if f.Customer != "" {
		r.Confirmed, r.Customer, r.Instance, r.LinkedBy = now, f.Customer, f.Instance, System
	}
	known := rowkey.Idempotency(f.Key, r.Fingerprint())
	var replaced int64 // the version of the key's row, if its request was deleted
	for range filingAttempts {
		if r.Reference, err = reference.New(reference.Request, s.random); err != nil {
			break
		}
		c := s.begin()
		if f.Bound {
			open, err := c.rememberLink(ctx, r)
			if err != nil || open.ID != "" {
				return open, false, err
			}
		}
		if err = c.fileRequest(ctx, r); err != nil {
			break
		}
		if f.Key != "" && !f.Bound {
			row := entity.Encode(known, rowkey.TypeIdempotency, idempotency{r.ID})
			row.Expires = now.AddDate(0, 0, idempotencyDays)
			c.Update(row, replaced)
		}
		err = c.Commit(ctx)
		if entity.IsConflictOn(err, known) {
			var first request.Request
			if first, replaced, err = s.requestOfKey(ctx, known); err != nil || first.ID != "" {
				return first, false, err
			}
			continue
		}
		if fault.KindOf(err) != fault.Conflict {
			break
		}
	}
	if err != nil {
		return request.Request{}, false, fmt.Errorf("store: filing a request: %w", err)
	}
	r.Version = 1
	return r, true, nil
}

// requestOfKey reads the request that was filed with a client's key; none if it was deleted since. It also returns the
// version of the key's row; 0 if that is gone too.
func (s *Store) requestOfKey(ctx context.Context, known table.Key) (r request.Request, version int64, err error) {
	var first idempotency
	version, err = s.table.Get(ctx, known, &first)
	if err == nil {
		r, err = s.Request(ctx, first.RequestID)
	}
	if fault.KindOf(err) == fault.NotFound {
		return request.Request{}, version, nil
	}
	return r, version, err
}

// fileRequest adds a new request with its emails.
func (c *changeset) fileRequest(ctx context.Context, r request.Request) error {
	line := entity.Line{By: Customer, Action: RequestReceived}
	if r.FiledBy != "" {
		line.By = r.FiledBy
	}
	c.Add(requestEntity{r}, line)
	c.Create(entity.Encode(rowkey.Reference(r.Reference), rowkey.TypeReference, Referenced{Request: r.ID}))
	c.Names(rowkey.Request(r.ID), r.Email, r.Contacts...)
	if r.Link != nil {
		c.Names(rowkey.Request(r.ID), r.Email, r.Link.Contact)
	}
	if !r.Unconfirmed {
		c.queue(notice.RequestReceived(r), notice.RequestConfirmed(r))
		return nil
	}
	c.Set(untoldRow(r))
	var sent confirmations
	var many bool
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { sent, err = c.store.confirmations(ctx, r.Email); return err })
	g.Go(func() (err error) { many, err = c.store.manyOfDomain(ctx, r); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	if !r.Suspicious {
		c.askToConfirm(sent, r)
	}
	c.countDomain(r, many)
	return nil
}

// maxOfDomain is how many unconfirmed requests a mail domain may send in a day (UTC) before sales are told that it is
// unusual. Nothing is refused because of it: others would keep its people from asking.
const maxOfDomain = 20

// domainDays is how long the requests of a mail domain are counted for.
const domainDays = 2

// manyOfDomain reports whether sales have to be told of the many requests of the mail domain.
func (s *Store) manyOfDomain(ctx context.Context, r request.Request) (bool, error) {
	domain, ok := ofDomain(r)
	if !ok {
		return false, nil
	}
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.DomainRequestsPK(domain, license.DateOf(r.Created))},
		maxOfDomain)
	return len(rows) == maxOfDomain && rows[0].Key != rowkey.DomainAlarm(domain, license.DateOf(r.Created)), err
}

// ofDomain returns the mail domain among whose requests an unconfirmed one is counted: none at a public provider.
func ofDomain(r request.Request) (domain string, ok bool) {
	domain = customer.DomainOf(r.Email)
	return domain, customer.CheckDomain(domain) == nil
}

// countDomain counts an unconfirmed request of a mail domain. many: sales are told of them.
func (c *changeset) countDomain(r request.Request, many bool) {
	domain, ok := ofDomain(r)
	if !ok {
		return
	}
	day := license.DateOf(r.Created)
	row := entity.Encode(rowkey.DomainRequest(domain, day, r.ID), rowkey.TypeIndex, struct{}{})
	row.Expires = r.Created.AddDate(0, 0, domainDays)
	c.Create(row)
	if many {
		alarm := entity.Encode(rowkey.DomainAlarm(domain, day), rowkey.TypeIndex, struct{}{})
		alarm.Expires = row.Expires
		c.Create(alarm)
		c.queue(notice.RequestsOfDomain(r, day))
	}
}

// FileBridge records the request for a bridge key that comes ahead of a replacement. It is of whom the replacement is
// of, needs no confirmation of its own and sends no email: sales know of the replacement. by is the colleague who asks
// for it, "" for the customer. Whatever it says is judged anew when the key is issued (customer.Account.BridgeFor).
//
// A replacement has one: until it ended without a key, the same is returned again, with created false.
func (s *Store) FileBridge(ctx context.Context, of request.Request, by string) (r request.Request, created bool,
	err error) {
	if of.Kind != request.Replacement {
		return r, false, fault.New(fault.Invalid, "A bridge key is only for a server whose ID changed.")
	}
	now := s.now().Truncate(time.Millisecond)
	r = request.Request{
		ID: s.newID(), Token: token.Status.New(), Secret: token.Confirmation.New(), State: request.Received,
		Created: now, Due: s.hours.Due(now), Zone: of.Zone, Details: of.Details, Link: of.Link, Bound: of.Bound,
		Confirmed: of.Confirmed, FiledBy: by, Bridges: of.ID, Customer: of.Customer, Instance: of.Instance,
		LinkedBy: of.LinkedBy,
	}
	r.Kind, r.Message, r.Contacts = request.Bridge, "", nil
	known := rowkey.Idempotency("bridge", of.ID)
	for range filingAttempts {
		var first idempotency
		var replaced int64
		replaced, err = s.table.Get(ctx, known, &first)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			break
		}
		if first.RequestID != "" {
			before, err := s.Request(ctx, first.RequestID)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return request.Request{}, false, err
			}
			if err == nil && (before.State.Open() || len(before.Licenses) > 0) {
				return before, false, nil
			}
		}
		if r.Reference, err = reference.New(reference.Request, s.random); err != nil {
			break
		}
		c := s.begin()
		line := entity.Line{By: Customer, Action: RequestReceived}
		if by != "" {
			line.By = by
		}
		c.Add(requestEntity{r}, line)
		c.Log(rowkey.Request(of.ID), entity.Line{By: line.By, Action: BridgeRequested, Customer: of.Customer})
		c.Create(entity.Encode(rowkey.Reference(r.Reference), rowkey.TypeReference, Referenced{Request: r.ID}))
		if r.Link != nil {
			c.Names(rowkey.Request(r.ID), r.Email, r.Link.Contact)
		}
		row := entity.Encode(known, rowkey.TypeIdempotency, idempotency{r.ID})
		row.Expires = now.AddDate(0, 0, idempotencyDays)
		c.Update(row, replaced)
		if err = c.Commit(ctx); fault.KindOf(err) != fault.Conflict {
			break
		}
	}
	if err != nil {
		return request.Request{}, false, fmt.Errorf("store: filing a request for a bridge key: %w", err)
	}
	r.Version = 1
	return r, true, nil
}
