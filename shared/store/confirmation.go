package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
)

// Actions on requests that wait for their confirmation.
const (
	EmailCorrected   Action = "email corrected"
	ConfirmationSent Action = "confirmation sent again"
	RequestConfirmed Action = "confirmed by the address"
	RequestDenied    Action = "denied by the address"
)

// A request is confirmed by the person behind its address, through the secret in an email. Anybody can type anybody's
// address, so the emails are few, and every request is confirmed by itself: one that comes later under a confirmed
// address may be somebody else's (decision 19).

// Limits of the emails that ask one address to confirm requests, for each day (UTC): so many, then one that lists all
// that wait, then none. An address behind which somebody confirmed a request lately may have more.
const (
	maxConfirmations  = 3
	maxOfConfirmed    = 20
	confirmedDays     = 30 // how long an address counts as confirmed
	confirmationsDays = 2  // how long the emails of a day are remembered
)

// ConfirmTogether is how long one email serves to confirm other requests of its address as well.
const ConfirmTogether = 24 * time.Hour

// confirmations are the emails that asked an address to confirm requests on a day.
type confirmations struct {
	day   license.Date
	sent  int
	limit int
}

// confirmed is when the person behind an address last confirmed a request.
type confirmed struct {
	At time.Time `json:"at"`
}

// confirmations reads the last two rows about an address: when it was confirmed, and the newest email that it was sent.
// If that was on a later day, by another clock, the count goes on there.
func (s *Store) confirmations(ctx context.Context, email string) (confirmations, error) {
	now := s.now()
	c := confirmations{day: license.DateOf(now), limit: maxConfirmations}
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.ConfirmationsPK(email), Descending: true}, 2)
	for _, row := range rows {
		if day, n, ok := rowkey.SlotOf(row.Key); ok {
			if !day.Before(c.day) {
				c.day, c.sent = day, max(c.sent, n)
			}
			continue
		}
		last, err := entity.Decode[confirmed](row)
		if err != nil {
			return c, err
		}
		if now.Before(last.At.AddDate(0, 0, confirmedDays)) {
			c.limit = maxOfConfirmed
		}
	}
	return c, err
}

// askToConfirm queues an email that asks to confirm a request, or one that lists all that wait, or none, and reports
// whether it queued one. A Conflict fault of the commit means that another email was queued at once.
func (c *changeset) askToConfirm(sent confirmations, r request.Request) bool {
	if c.store.silent {
		return false
	}
	n := sent.sent + 1
	what := fmt.Sprintf("%s-%d-%s", sent.day, n, mail.RecipientID(r.Email))
	switch {
	case n > sent.limit+1:
		return false
	case n == sent.limit+1:
		c.queue(notice.RequestsToConfirm(r, what))
	case r.Version == 0: // it is being filed
		c.queue(notice.RequestReceived(r))
	default:
		c.queue(notice.RequestReceivedAgain(r, what))
	}
	row := entity.Encode(rowkey.ConfirmationSlot(r.Email, sent.day, n), rowkey.TypeConfirmation,
		Referenced{Request: r.ID})
	row.Expires = sent.day.AddDays(confirmationsDays).Start()
	c.Create(row)
	return true
}

// SendConfirmation sends the email that confirms a request once more. It is a RateLimited fault if its address was sent
// too many today, and a Conflict fault if there is nothing to confirm.
func (s *Store) SendConfirmation(ctx context.Context, id string) error {
	err := entity.Retry(func() error {
		r, err := s.Request(ctx, id)
		switch {
		case err != nil:
			return err
		case r.Undoing(s.now()) != nil:
			return r.Undoing(s.now())
		case !toConfirm(r):
			return fault.New(fault.Conflict, "There is nothing to confirm about this request.")
		}
		sent, err := s.confirmations(ctx, r.Email)
		if err != nil {
			return err
		}
		c := s.begin()
		if !c.askToConfirm(sent, r) {
			return fault.New(fault.RateLimited, "We sent this address several emails today. "+
				"Look for them in the spam folder too, or try again tomorrow.")
		}
		c.Log(rowkey.Request(id), entity.Line{By: Customer, Action: ConfirmationSent, Customer: r.Customer})
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: confirmation of request %s: %w", id, err)
	}
	return nil
}

// ToConfirm reads the requests that the secret of one of them confirms: that one, and the other open ones of its
// address that nobody has confirmed and that came up to ConfirmTogether before and after it, the oldest first. A secret
// serves until its own request is confirmed or closed, and then for nothing more: the list has that request alone.
// People pass on emails that they are done with. A wrong secret is reported like a missing request.
func (s *Store) ToConfirm(ctx context.Context, id, secret string) ([]request.Request, error) {
	r, err := s.Request(ctx, id)
	r = r.Known(s.now())
	switch {
	case err != nil:
		return nil, err
	case !token.Confirmation.Same(r.Secret, secret):
		return nil, s.noRequest(fault.New(fault.NotFound, ""), id)
	case !toConfirm(r):
		return []request.Request{r}, nil
	}
	list, err := s.RequestsToConfirm(ctx, r.Email, r.Created)
	if !slices.ContainsFunc(list, func(other request.Request) bool { return other.ID == id }) {
		list = append(list, r)
	}
	return list, err
}

// toConfirm reports whether there is something to confirm about a request.
func toConfirm(r request.Request) bool { return r.State.Open() && r.Confirmed.IsZero() }

// confirmAtOnce is how many requests one email lists.
const confirmAtOnce = 50

// RequestsToConfirm reads the open requests of an address that nobody has confirmed, and that came up to
// ConfirmTogether before or after a time, the oldest first.
func (s *Store) RequestsToConfirm(ctx context.Context, email string, at time.Time) (list []request.Request, err error) {
	q := table.Query{PK: rowkey.EmailRequestsPK(email), From: timeOfID(at.Add(-ConfirmTogether)),
		To: timeOfID(at.Add(ConfirmTogether)), Descending: true} // older ones may be junk under somebody's address
	rows, _, err := s.table.First(ctx, q, confirmAtOnce)
	if err != nil {
		return nil, fmt.Errorf("store: requests to confirm: %w", err)
	}
	keys := make([]table.Key, len(rows))
	for i, row := range rows {
		keys[i] = rowkey.Request(row.SK)
	}
	found, versions, err := entity.GetAll[request.Request](ctx, s.table, keys)
	if err != nil {
		return nil, fmt.Errorf("store: requests to confirm: %w", err)
	}
	for i, r := range found {
		r.Version = versions[i]
		if r = r.Known(s.now()); toConfirm(r) && input.SameMailbox(r.Email, email) {
			list = append(list, r)
		}
	}
	slices.Reverse(list)
	return list, nil
}

// ConfirmRequests notes that the person behind an address sent some requests: of those that ToConfirm reads for the
// secret of one of them, the ones with these IDs. Sales are told of them, and they are due from now on.
func (s *Store) ConfirmRequests(ctx context.Context, id, secret string, ids ...string) error {
	return s.settle(ctx, id, secret, ids, func(c *changeset, r request.Request) {
		after, now := r, s.now().Truncate(time.Millisecond)
		after.Confirmed, after.Unconfirmed = now, false
		if r.Unconfirmed {
			after.Due = s.hours.Due(r.Begins(now))
			c.Delete(rowkey.Untold(r.ID), table.Any)
		}
		c.queue(notice.RequestConfirmed(after))
		c.changeRequest(r, &after, entity.Line{By: Customer, Action: RequestConfirmed})
		row := entity.Encode(rowkey.ConfirmedMailbox(r.Email), rowkey.TypeConfirmation, confirmed{now})
		row.Expires = now.AddDate(0, 0, confirmedDays)
		c.Set(row)
	})
}

// deniedReason is why a request that nobody sent is closed.
const deniedReason = "The owner of the email address did not send this request."

// DenyRequests notes that the person behind an address did not send some requests, as ConfirmRequests does, and closes
// them. Nobody is emailed.
func (s *Store) DenyRequests(ctx context.Context, id, secret string, ids ...string) error {
	return s.settle(ctx, id, secret, ids, func(c *changeset, r request.Request) {
		c.drop(r, deniedReason, entity.Line{By: Customer, Action: RequestDenied})
	})
}

// drop closes a request that nobody has confirmed.
func (c *changeset) drop(r request.Request, why string, line entity.Line) {
	after := r
	after.State, after.Reason, after.Closed = request.Withdrawn, why, c.store.now()
	if r.Unconfirmed {
		c.Delete(rowkey.Untold(r.ID), table.Any)
	}
	c.changeRequest(r, &after, line)
}

// settle changes requests that the secret of one of them confirms, each in a transaction of its own. One that was
// settled before is left as it is. The one that the secret is of comes last, so that the same can be done again until
// all are settled.
func (s *Store) settle(ctx context.Context, id, secret string, ids []string,
	change func(*changeset, request.Request)) error {
	err := entity.Retry(func() error {
		list, err := s.ToConfirm(ctx, id, secret)
		if err != nil {
			return err
		}
		own := slices.IndexFunc(list, func(r request.Request) bool { return r.ID == id })
		list = append(slices.Delete(slices.Clone(list), own, own+1), list[own])
		for _, r := range list {
			if !slices.Contains(ids, r.ID) || !toConfirm(r) {
				continue
			}
			if err := r.Undoing(s.now()); err != nil {
				return err
			}
			c := s.begin()
			change(c, r)
			if err := c.Commit(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: confirming request %s: %w", id, err)
	}
	return nil
}

// unconfirmedReason is why a request that nobody confirmed is closed.
const unconfirmedReason = "Nobody confirmed this request."

// CloseUnconfirmed closes requests that nobody confirmed for request.ConfirmDays, of the first limit in the queue, and
// returns how many. One that cannot be closed keeps no other from it. Nobody is emailed.
func (s *Store) CloseUnconfirmed(ctx context.Context, limit int) (n int, err error) {
	// The queue is in the order of Due, which is that of Created but for those that are due together. Office hours that
	// changed since can only delay the end of one, by days.
	filed := s.now().AddDate(0, 0, -request.ConfirmDays)
	q := table.Query{PK: rowkey.QueuePK(rowkey.UnconfirmedState, "", "", ""),
		To: s.hours.Due(filed).Add(time.Second).Format(time.RFC3339)}
	rows, _, err := s.table.First(ctx, q, limit)
	if err != nil {
		return 0, fmt.Errorf("store: unconfirmed requests: %w", err)
	}
	for _, row := range rows {
		listed, problem := entity.Decode[request.Summary](row)
		closed := false
		if problem == nil && !listed.Created.After(filed) {
			closed, problem = s.closeUnconfirmed(ctx, listed.ID)
		}
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("store: closing unconfirmed request %s: %w", row.SK, problem))
		}
		if closed {
			n++
		}
	}
	return n, err
}

// closeUnconfirmed closes a request, unless somebody was first.
func (s *Store) closeUnconfirmed(ctx context.Context, id string) (closed bool, err error) {
	err = entity.Retry(func() error {
		r, err := s.Request(ctx, id)
		if closed = err == nil && r.Unconfirmed && r.State.Open(); !closed {
			return err
		}
		c := s.begin()
		c.drop(r, unconfirmedReason, entity.Line{By: System, Action: RequestWithdrawn})
		return c.Commit(ctx)
	})
	return closed && err == nil, err
}

// CorrectEmail changes the address of a request from one to another, as its customer asked, with a new secret, which is
// emailed there. It does nothing if the request has another address than from, was confirmed or closed: somebody was
// first. What contacts and colleagues said about the request does not hold for the new address. A request that came
// through a bound link keeps the contact's address.
func (s *Store) CorrectEmail(ctx context.Context, id, from, to string) error {
	err := entity.Retry(func() error {
		before, err := s.Request(ctx, id)
		if err == nil {
			err = before.Undoing(s.now())
		}
		if err != nil || before.Email != from || !toConfirm(before) || before.Bound {
			return err
		}
		after := before
		after.Email, after.Secret = to, token.Confirmation.New()
		after.Asked, after.AskedOf, after.Answers, after.Vouch = time.Time{}, nil, nil, nil
		c := s.begin()
		c.changeRequest(before, &after, entity.Line{By: Customer, Action: EmailCorrected})
		c.Names(rowkey.Request(id), to, from)
		if !after.Suspicious {
			sent, err := s.confirmations(ctx, to)
			if err != nil {
				return err
			}
			c.askToConfirm(sent, after)
		}
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: correcting the address of request %s: %w", id, err)
	}
	return nil
}

// Edit is a change of an open request by its customer, while it is worked out (shared/store/requester).
type Edit struct {
	Before, After request.Request
	Line          entity.Line     // of the timeline; By is Customer
	Mails         []notice.Notice // to queue
	Names         []string        // addresses that the request names from now on
	// Confirm has the address confirm the request again, with a new secret. If it was sent too many emails today, it
	// waits without one.
	Confirm bool
}

// ErrUnchanged is what an edit returns if there is nothing to change.
var ErrUnchanged = errors.New("store: nothing is left to change")

// EditRequest changes a request as its customer asks; edit may be called several times. It is a Conflict fault while
// sales can undo the end of the request.
func (s *Store) EditRequest(ctx context.Context, id string, edit func(*Edit) error) error {
	err := entity.Retry(func() error {
		before, err := s.Request(ctx, id)
		if err == nil {
			err = before.Undoing(s.now())
		}
		if err != nil {
			return err
		}
		e := Edit{Before: before, After: before}
		if err := edit(&e); err != nil {
			return err
		}
		c := s.begin()
		if e.Confirm {
			e.After.Confirmed, e.After.Secret = time.Time{}, token.Confirmation.New()
		}
		switch {
		case e.After.Unconfirmed && e.After.State.Open(): // also if sales were told what it was before
			c.Set(untoldRow(e.After))
		case before.Unconfirmed:
			c.Delete(rowkey.Untold(id), table.Any)
		}
		e.Line.By = Customer
		c.changeRequest(before, &e.After, e.Line)
		c.Names(rowkey.Request(id), e.After.Email, e.Names...)
		c.queue(e.Mails...)
		if e.Confirm && !e.After.Suspicious {
			sent, err := s.confirmations(ctx, e.After.Email)
			if err != nil {
				return err
			}
			c.askToConfirm(sent, e.After)
		}
		return c.Commit(ctx)
	})
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: request %s: %w", id, err)
	}
	return nil
}

// toldAtOnce is how many requests one mail of TellUnconfirmed lists: its transaction deletes a row for each.
const toldAtOnce = 50

// TellUnconfirmed queues one mail to sales about the unconfirmed requests that sales was not told of yet, the oldest
// first, and returns how many it lists. If one was queued on the same day (UTC), nothing is queued, and the requests
// are left for the next one.
func (s *Store) TellUnconfirmed(ctx context.Context) (n int, err error) {
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.UntoldPK}, toldAtOnce)
	if err != nil {
		return 0, fmt.Errorf("store: unconfirmed requests: %w", err)
	}
	var list []request.Summary
	c := s.begin()
	for _, row := range rows {
		r, err := entity.Decode[request.Summary](row)
		if err != nil {
			return 0, err
		}
		list = append(list, r)
		c.Delete(row.Key, table.Any)
	}
	if len(list) == 0 {
		return 0, nil
	}
	m := notice.RequestsUnconfirmed(list, license.DateOf(s.now()))
	c.queue(m)
	switch err := c.Commit(ctx); {
	case entity.IsConflictOn(err, rowkey.Mail(m.ID)):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("store: telling of unconfirmed requests: %w", err)
	}
	return len(list), nil
}
