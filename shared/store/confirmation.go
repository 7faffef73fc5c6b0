package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
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

// UnconfirmedDays is how long an unconfirmed request waits before it is closed.
const UnconfirmedDays = request.ConfirmDays

// confirmations are the emails that asked an address to confirm requests today.
type confirmations struct {
	sent  int
	limit int
}

// confirmed is when the person behind an address last confirmed a request.
type confirmed struct {
	At time.Time `json:"at"`
}

func (s *Store) confirmations(ctx context.Context, email string) (confirmations, error) {
	c, today := confirmations{limit: maxConfirmations}, license.DateOf(s.now()).String()
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.ConfirmationsPK(email), Descending: true},
		maxOfConfirmed+2)
	for _, row := range rows {
		switch {
		case row.Key == rowkey.ConfirmedMailbox(email):
			last, err := entity.Decode[confirmed](row)
			if err != nil {
				return c, err
			}
			if s.now().Before(last.At.AddDate(0, 0, confirmedDays)) {
				c.limit = maxOfConfirmed
			}
		case row.SK > today:
			c.sent++
		}
	}
	return c, err
}

// askToConfirm queues an email that asks to confirm a request, or one that lists all that wait, or none, and reports
// whether it queued one. A Conflict fault of the commit means that another email was queued at once.
func (c *changeset) askToConfirm(sent confirmations, r request.Request, n notice.Notice) bool {
	switch {
	case sent.sent > sent.limit:
		return false
	case sent.sent == sent.limit:
		n = notice.RequestsToConfirm(r)
	}
	now := c.store.now()
	row := entity.Encode(rowkey.ConfirmationSlot(r.Email, license.DateOf(now), sent.sent+1), rowkey.TypeConfirmation,
		referenced{Request: r.ID})
	row.Expires = now.AddDate(0, 0, confirmationsDays)
	c.Create(row)
	c.queue(n)
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
		case !r.Confirmed.IsZero() || !r.State.Open():
			return fault.New(fault.Conflict, "There is nothing to confirm about this request.")
		}
		sent, err := s.confirmations(ctx, r.Email)
		if err != nil {
			return err
		}
		c := s.begin()
		nonce := fmt.Sprintf("%s-%d", license.DateOf(s.now()), sent.sent+1)
		if !c.askToConfirm(sent, r, notice.RequestReceivedAgain(r, nonce)) {
			return fault.New(fault.RateLimited, "We sent this address several emails today. "+
				"Look for them in the spam folder too, or try again tomorrow.")
		}
		c.Log(rowkey.Request(id), entity.Line{By: Customer, Action: ConfirmationSent})
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: confirmation of request %s: %w", id, err)
	}
	return nil
}

// ToConfirm reads the requests that the secret of one of them confirms: that one, and the other open ones of its address
// that nobody has confirmed and that came up to ConfirmTogether before and after it, the oldest first. A wrong secret is
// reported like a missing request.
func (s *Store) ToConfirm(ctx context.Context, id, secret string) ([]request.Request, error) {
	r, err := s.Request(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !token.Confirmation.Same(r.Secret, secret):
		return nil, fault.New(fault.NotFound, "There is no license request %s.", id)
	}
	list, err := s.RequestsToConfirm(ctx, r.Email, r.Created)
	if !slices.ContainsFunc(list, func(other request.Request) bool { return other.ID == id }) {
		list = append(list, r)
	}
	return list, err
}

// confirmAtOnce is how many requests one email lists.
const confirmAtOnce = 50

// RequestsToConfirm reads the open requests of an address that nobody has confirmed, and that came up to
// ConfirmTogether before or after a time, the oldest first.
func (s *Store) RequestsToConfirm(ctx context.Context, email string, at time.Time) (list []request.Request, err error) {
	q := table.Query{PK: rowkey.EmailRequestsPK(email), From: timeOfID(at.Add(-ConfirmTogether)),
		To: timeOfID(at.Add(ConfirmTogether))}
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
		if r.Version = versions[i]; r.State.Open() && r.Confirmed.IsZero() && input.SameMailbox(r.Email, email) {
			list = append(list, r)
		}
	}
	return list, nil
}

// ConfirmRequests notes that the person behind an address sent some requests: of those that ToConfirm reads for the
// secret of one of them, the ones with these IDs. Sales are told of them, and they are due from now on.
func (s *Store) ConfirmRequests(ctx context.Context, id, secret string, ids ...string) error {
	return s.settle(ctx, id, secret, ids, func(c *changeset, r request.Request) {
		after, now := r, s.now().Truncate(time.Millisecond)
		after.Confirmed, after.Unconfirmed = now, false
		if r.Unconfirmed {
			after.Due = request.DueAt(now)
			c.Delete(rowkey.Untold(r.ID), table.Any)
		}
		c.queue(notice.RequestConfirmed(after))
		c.Change(requestEntity{r}, requestEntity{after}, r.Version, entity.Line{By: Customer, Action: RequestConfirmed})
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
		after := r
		after.State, after.Unconfirmed = request.Withdrawn, false
		after.Reason, after.Closed = deniedReason, s.now()
		c.Delete(rowkey.Untold(r.ID), table.Any)
		c.Change(requestEntity{r}, requestEntity{after}, r.Version, entity.Line{By: Customer, Action: RequestDenied})
	})
}

// settle changes requests that the secret of one of them confirms, each in a transaction of its own. One that was
// settled before is left as it is.
func (s *Store) settle(ctx context.Context, id, secret string, ids []string,
	change func(*changeset, request.Request)) error {
	err := entity.Retry(func() error {
		list, err := s.ToConfirm(ctx, id, secret)
		if err != nil {
			return err
		}
		for _, r := range list {
			if !slices.Contains(ids, r.ID) || !r.State.Open() || !r.Confirmed.IsZero() {
				continue
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

// CloseUnconfirmed closes requests that nobody confirmed for UnconfirmedDays, the oldest first, at most limit, and
// returns how many. Nobody is emailed.
func (s *Store) CloseUnconfirmed(ctx context.Context, limit int) (n int, err error) {
	q := table.Query{PK: rowkey.QueuePK(rowkey.UnconfirmedState, "", "", ""),
		To: s.now().AddDate(0, 0, -UnconfirmedDays).UTC().Format(time.RFC3339)}
	rows, _, err := s.table.First(ctx, q, limit)
	for _, row := range rows {
		listed, err := entity.Decode[request.Summary](row)
		if err != nil {
			return n, err
		}
		err = entity.Retry(func() error {
			r, err := s.Request(ctx, listed.ID)
			if err != nil || !r.Unconfirmed {
				return err
			}
			after := r
			after.State, after.Unconfirmed = request.Withdrawn, false
			after.Reason, after.Closed = "Nobody confirmed this request.", s.now()
			c := s.begin()
			c.Delete(rowkey.Untold(r.ID), table.Any)
			c.Change(requestEntity{r}, requestEntity{after}, r.Version, entity.Line{By: System, Action: RequestWithdrawn})
			return c.Commit(ctx)
		})
		if err != nil {
			return n, fmt.Errorf("store: closing request %s: %w", listed.ID, err)
		}
		n++
	}
	return n, err
}

// CorrectEmail changes the address of a request from one to another, as its customer asked, with a new secret, which is
// emailed there. It does nothing if the request has another address than from, or was confirmed: somebody was first.
func (s *Store) CorrectEmail(ctx context.Context, id, from, to string) error {
	err := entity.Retry(func() error {
		before, err := s.Request(ctx, id)
		if err != nil || before.Email != from || !before.Confirmed.IsZero() {
			return err
		}
		after := before
		after.Email, after.Secret = to, token.Confirmation.New()
		c := s.begin()
		c.Change(requestEntity{before}, requestEntity{after}, before.Version,
			entity.Line{By: Customer, Action: EmailCorrected})
		if !after.Suspicious {
			sent, err := s.confirmations(ctx, to)
			if err != nil {
				return err
			}
			c.askToConfirm(sent, after, notice.RequestReceivedAgain(after, "corrected"))
		}
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: correcting the address of request %s: %w", id, err)
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
