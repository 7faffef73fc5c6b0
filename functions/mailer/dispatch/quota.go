package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
)

// share is the part of the rolling day's quota that a rank may use up: the rest is for the ranks before it.
var share = map[int]float64{notice.RankUrgent: 1, notice.RankSoon: 0.8, notice.RankReminder: 0.7}

const (
	quotaAge = time.Minute // SES answers one such call a second
	retryAge = time.Second // after it did not answer
	// cautiousRate applies while the quota is unknown: SES allows it to every account.
	cautiousRate = 1
)

// quotaCache keeps the provider's quota for a while.
type quotaCache struct {
	mu    sync.Mutex
	quota mail.Quota
	until time.Time
	since int   // mails sent since the quota was read
	err   error // why it could not be read the last time
}

// refresh reads the quota if it is old. Its error is that of the last time that it was read.
func (c *quotaCache) refresh(ctx context.Context, s mail.Sender, now time.Time) error {
	c.mu.Lock()
	fresh, err := now.Before(c.until) && c.until.Sub(now) <= quotaAge, c.err
	c.mu.Unlock()
	if fresh {
		return err
	}
	q, err := s.Quota(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err = err; err != nil {
		c.quota.PerSecond, c.until = cautiousRate, now.Add(retryAge)
		return err
	}
	c.quota, c.until, c.since = q, now.Add(quotaAge), 0
	return nil
}

func (c *quotaCache) known() mail.Quota {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.quota
	q.SentLastDay += c.since
	return q
}

func (c *quotaCache) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since++
}

// readQuota makes sure that the quota is known. Its error says that no mail must be sent: the setup is wrong, or in an
// outage, the provider still does not answer. Such a probe risks no mail.
func (r *run) readQuota() error {
	err := r.quota.refresh(r.begin, r.Sender, r.Now())
	switch {
	case err == nil:
		r.mu.Lock()
		r.provider.PerDay = r.quota.known().PerDay
		r.mu.Unlock()
	case r.begin.Err() != nil:
	case errors.Is(err, mail.ErrSetup):
		return err
	case r.probing() && !errors.Is(err, mail.ErrThrottled):
		r.mu.Lock()
		r.prolong()
		r.mu.Unlock()
	default:
		r.Log.Warn("cannot read the provider's quota", logging.Error(err))
	}
	return context.Cause(r.begin)
}

// left is how many more mails of a rank the quota allows, beside those that are being worked on. The caller holds mu.
func (r *run) left(rank int) int {
	q := r.quota.known()
	// The provider's number lags behind, and ours does not know of other senders.
	q.SentLastDay = max(q.SentLastDay, r.provider.SentLastDay(r.Now()))
	calls := 0
	for _, f := range r.flights {
		if !f.Expands {
			calls++
		}
	}
	return q.Left(share[rank]) - calls
}
