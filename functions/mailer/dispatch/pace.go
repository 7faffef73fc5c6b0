package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
)

// quotaCache keeps the provider's quota for a while: SES answers one such call a second.
type quotaCache struct {
	mu    sync.Mutex
	quota mail.Quota
	until time.Time
	since int // mails sent since the quota was read
}

const (
	quotaAge = time.Minute
	// cautiousRate applies while the quota is unknown: SES allows it to every account.
	cautiousRate = 1
)

// refresh reads the quota if it is old.
func (c *quotaCache) refresh(ctx context.Context, r *run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := r.Now()
	if now.Before(c.until) && c.until.Sub(now) <= quotaAge {
		return
	}
	q, err := r.Sender.Quota(ctx)
	if err != nil {
		r.Log.Warn("cannot read the provider's quota", logging.Error(err))
		if errors.Is(err, mail.ErrSetup) {
			r.stop(err)
		}
		c.quota.PerSecond = cautiousRate
		return
	}
	c.quota, c.until, c.since = q, now.Add(quotaAge), 0
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

// usedLastDay is how many mails count against the day's quota: the provider's number lags behind, ours does not know
// of other senders.
func (r *run) usedLastDay(q mail.Quota) int {
	return max(q.SentLastDay, r.provider.SentLastDay(r.Now()))
}

// pace spaces the mails.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the next one may be sent
}

// wait waits until the next mail may be sent; false if the run must begin none.
func (r *run) wait() bool {
	r.quota.refresh(r.begin, r)
	perSecond := r.quota.known().PerSecond
	if perSecond <= 0 {
		return r.begin.Err() == nil
	}
	r.pace.mu.Lock()
	now := r.Now()
	if r.pace.next.Before(now) || r.pace.next.Sub(now) > time.Minute { // also if the clock went back
		r.pace.next = now
	}
	pause := r.pace.next.Sub(now)
	r.pace.next = r.pace.next.Add(time.Duration(float64(time.Second) / perSecond))
	r.pace.mu.Unlock()
	if pause > 0 {
		r.Sleep(r.begin, pause)
	}
	return r.begin.Err() == nil
}
