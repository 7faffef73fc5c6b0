package dispatch

import (
	"context"
	"errors"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/store/outbox"
)

// leaseLength is how long a Dispatcher may send without renewing its lease, and how long the others wait if its process
// dies. It is renewed when it is renewEvery old, so that there is always time for another mail.
const (
	renewEvery  = 5 * time.Second
	leaseLength = renewEvery + mailTimeout
)

// holdLease renews the lease from time to time; false if the run must end, because another Dispatcher has the lease or
// the table failed.
func (r *run) holdLease() bool {
	r.leasing <- struct{}{}
	defer func() { <-r.leasing }()
	left := r.lease.Until.Sub(r.Now())
	if left > leaseLength-renewEvery && left <= leaseLength { // more is left if the clock went back
		return true
	}
	r.lease.Provider = r.learned()
	switch err := r.lease.Renew(r.ctx, leaseLength); {
	case err == nil:
		return true
	case errors.Is(err, outbox.ErrHeld):
		r.takenOver()
	default:
		r.fail("cannot renew the lease", err)
	}
	return false
}

// takenOver ends the run of a Dispatcher that did not renew its lease in time: its process was stopped for a while.
func (r *run) takenOver() {
	r.Log.Warn("another mailer has taken over")
	r.stop(outbox.ErrHeld)
}

// learned returns what the run has learned about the provider so far.
func (r *run) learned() outbox.Provider {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.provider.Clone()
}

// releaseLease tells the next run what this one learned, also after this one was cancelled. cause is why it ended
// early.
func (r *run) releaseLease(cause error) {
	if errors.Is(cause, outbox.ErrHeld) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), recordTimeout)
	defer cancel()
	r.lease.Provider = r.learned()
	if err := r.lease.Release(ctx); err != nil {
		r.Log.Warn("cannot release the lease; the next run waits until it ends", logging.Error(err))
	}
}
