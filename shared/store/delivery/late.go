package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/table"
)

// lateGrace is how long after the office closes somebody is told that a request is late: it may have been due by then.
const lateGrace = 15 * time.Minute

// lateAtOnce is how many late requests are read at once.
const lateAtOnce = 100

// TellLate tells the reviewers of requests that have become late, or sales, and returns of how many requests. It tells
// nobody while the office is closed. One that cannot be told of keeps no other from it. It may run any number of times,
// also at once: everybody is told once for each deadline.
func (s *Store) TellLate(ctx context.Context) (told int, err error) {
	now := s.Now()
	if !s.tellsLate(now) {
		return 0, nil
	}
	listErr := s.eachLate(ctx, now, func(r request.Summary) error {
		if !s.dueToTell(r, now) {
			return nil
		}
		did, problem := s.tellLate(ctx, r.ID, "")
		if did {
			told++
		}
		err = errors.Join(err, problem)
		return nil
	})
	return told, errors.Join(err, listErr)
}

// tellsLate reports whether anybody is told at a time that a request is late.
func (s *Store) tellsLate(now time.Time) bool {
	return s.Hours().Open(now) || s.Hours().Open(now.Add(-lateGrace))
}

// eachLate passes the requests that are due before a time to f, the earliest first: those that do not wait for their
// customer or for a confirmation.
func (s *Store) eachLate(ctx context.Context, before time.Time, f func(request.Summary) error) error {
	states := []request.State{request.Received, request.InReview}
	q := store.QueueQuery{States: states, Before: before, Limit: lateAtOnce}
	for {
		page, err := s.Queue(ctx, q)
		if err != nil {
			return fmt.Errorf("delivery: late requests: %w", err)
		}
		for _, r := range page.Requests {
			if err := f(r); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// dueToTell reports whether somebody has to be told at a time that a request is late.
func (s *Store) dueToTell(r request.Summary, now time.Time) bool {
	next, ok := r.ToTell(s.Hours())
	return ok && r.Late(now) && !now.Before(next.At)
}

// tellLate tells whose turn it is that a request is late, if it still is. Who is unreachable, an address, is not told:
// then sales are.
func (s *Store) tellLate(ctx context.Context, id, unreachable string) (told bool, err error) {
	err = entity.Retry(func() error {
		told = false
		r, err := s.Request(ctx, id)
		if err != nil {
			return err
		}
		now := s.Now().Truncate(time.Millisecond)
		next, ok := r.Summary().ToTell(s.Hours())
		skip := unreachable != "" && input.SameMailbox(r.Reviewer, unreachable)
		if !ok || !r.Late(now) || !skip && now.Before(next.At) {
			return nil
		}
		what := r.LateTold
		if !what.Due.Equal(r.Due) {
			what = request.LateTold{Due: r.Due}
		}
		if !next.Sales && !skip {
			to, err := s.reachableReviewer(ctx, r.Reviewer)
			if err != nil {
				return err
			}
			if to != nil {
				what.Reviewer, told = now, true
				return s.RecordLate(ctx, r, what, notice.RequestLate(r, *to))
			}
		}
		what.Sales, told = now, true
		return s.RecordLate(ctx, r, what, notice.RequestLateSales(r))
	})
	if errors.Is(err, table.ErrConflict) {
		return false, nil // whoever changes it again and again is at work on it, or another run told of it
	}
	return told && err == nil, err
}

// reachableReviewer returns the reviewer of a request as the recipient of an email; nil if none can be sent there.
func (s *Store) reachableReviewer(ctx context.Context, email string) (*license.Contact, error) {
	if _, err := input.Email(email); err != nil {
		return nil, nil
	}
	why, err := s.Suppressed(ctx, email)
	if err != nil || why != nil && why.Stops(mail.RequestLate) {
		return nil, err
	}
	c, err := s.colleague(ctx, email)
	return &c, err
}

// colleague returns who signed in to the console under an address; without a name if nobody did.
func (s *Store) colleague(ctx context.Context, email string) (license.Contact, error) {
	c, err := s.Colleague(ctx, email)
	if fault.KindOf(err) == fault.NotFound {
		err = nil
	}
	return license.Contact{Name: c.Name, Email: email}, err
}

// NextLate returns when TellLate has something to do next, if nobody answers until then; the zero Time if it has not.
// That may be in the past.
func (s *Store) NextLate(ctx context.Context) (at time.Time, err error) {
	found := errors.New("found")
	err = s.eachLate(ctx, time.Time{}, func(r request.Summary) error {
		if next, ok := r.ToTell(s.Hours()); ok && (at.IsZero() || next.At.Before(at)) {
			at = next.At
		}
		if !at.IsZero() && !r.Due.Before(at) {
			return found // the rest is due later
		}
		return nil
	})
	if errors.Is(err, found) {
		err = nil
	}
	if now := s.Now(); !at.IsZero() && at.Before(now) && !s.tellsLate(now) {
		at = s.Hours().Add(now, time.Nanosecond).Truncate(time.Second) // when the office opens
	}
	return at, err
}

// untoldFor is for how much office time nobody is told of a late request before the alarm is raised.
const untoldFor = time.Hour

// LateUntold counts the late requests of which somebody should have been told an hour of office time ago, up to a
// limit.
func (s *Store) LateUntold(ctx context.Context, limit int) (n int, err error) {
	now := s.Now()
	err = s.eachLate(ctx, now, func(r request.Summary) error {
		next, ok := r.ToTell(s.Hours())
		if ok && r.Late(now) && s.Hours().Add(next.At, untoldFor).Before(now) {
			n++
		}
		return nil
	})
	return min(n, limit), err
}
