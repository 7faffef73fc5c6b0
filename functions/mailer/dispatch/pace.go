package dispatch

import "time"

// pace spaces the calls to the provider, also the first of a run from the last of the run before.
type pace struct {
	turn chan struct{} // held by whoever makes the next call
	next time.Time     // when it may be made
}

// waitForTurn waits until a mail may be begun; false if it must not be: because the run ends, or because a more urgent
// mail is ready, to which it gives its turn.
func (r *run) waitForTurn(f *flight) bool {
	select {
	case r.pace.turn <- struct{}{}:
		defer func() { <-r.pace.turn }()
	case <-r.begin.Done():
		return false
	}
	var apart time.Duration
	if perSecond := r.quota.known().PerSecond; perSecond > 0 {
		apart = time.Duration(float64(time.Second) / perSecond)
	}
	// The next call is further away than that if the clock went back, or if the rate has risen.
	if pause := min(r.pace.next.Sub(r.Now()), apart); pause > 0 {
		r.Sleep(r.begin, pause)
	}
	if r.begin.Err() != nil {
		return false
	}
	if r.moreUrgent(f.rank) {
		f.givesWay = true
		return false
	}
	r.pace.next = r.Now().Add(apart)
	return r.begin.Err() == nil
}
