package dispatch

import (
	"slices"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

// pauses are those of the whole outbox before the first probe of an outage, the second, and so on; the last is repeated.
var pauses = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}

// pausedByOutage reports whether an outage lasts and its next probe is not due.
func (r *run) pausedByOutage() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := r.provider.Outage.NextProbe.Sub(r.Now())
	return r.provider.Outage.On() && wait > 0 && wait <= pauses[len(pauses)-1]
}

func (r *run) probing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.provider.Outage.On()
}

// candidates is among how many of the first ready mails a probe is chosen.
const candidates = 20

// chooseProbe chooses the mail that was tried least: a mail that nobody accepts does not prolong an outage. It is no
// reminder while a more urgent mail is ready.
func (r *run) chooseProbe() (rank, i int, ok bool) {
	r.mu.Lock()
	ready := map[int][]outbox.Entry{}
	for _, rank := range notice.Ranks {
		if rank == notice.RankReminder && len(ready[notice.RankUrgent])+len(ready[notice.RankSoon]) > 0 {
			break
		}
		ready[rank] = slices.Clone(r.queue.ready[rank])
	}
	r.mu.Unlock()
	fewest, seen := 0, 0
	for _, of := range notice.Ranks {
		for place, e := range ready[of] {
			if seen++; seen > candidates {
				break
			}
			m, err := r.Outbox.Read(r.ctx, e.ID)
			if err == nil && (!ok || m.State.Attempts < fewest) {
				rank, i, ok, fewest = of, place, true, m.State.Attempts
			}
		}
	}
	return rank, i, ok
}

// accepted notes that the provider accepts mails.
func (r *run) accepted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.provider.Outage.On() {
		r.Log.Info("the outage is over", "since", r.provider.Outage.Since, "class", r.provider.Outage.Class)
	}
	r.provider.Outage = outbox.Outage{}
	r.provider.CountSent(r.Now(), 1)
	r.quota.count()
	r.counts.sent++
}

// refused notes that a mail failed, and reports whether that counts against the mail: not in an outage.
func (r *run) refused(id string, cause error) (counts bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, class := &r.provider.Outage, mail.FailureClass(cause)
	was := o.On()
	switch {
	case was:
		if !r.onset { // it is a probe, and not one of several mails that were under way when it began
			o.Probes++
		}
	case o.Class != class:
		*o = outbox.Outage{Class: class, Mails: []string{id}, Since: r.Now()}
	case !slices.Contains(o.Mails, id):
		o.Mails = append(o.Mails, id)
	}
	if !o.On() {
		return true
	}
	if !was {
		r.onset = true
		r.Log.Error("the provider accepts nothing: an outage", "class", class, logging.Error(cause))
	}
	o.NextProbe = r.Now().Add(pauses[min(o.Probes, len(pauses)-1)])
	r.stop(errOutage)
	return false
}
