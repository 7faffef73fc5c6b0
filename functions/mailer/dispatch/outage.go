package dispatch

import (
	"errors"
	"slices"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

// errOutage ends a run in an outage.
var errOutage = errors.New("dispatch: the provider accepts nothing")

// pauses are those of the whole outbox before the first probe of an outage, the second, and so on; the last one is
// repeated.
var pauses = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}

// probing reports whether there is an outage: one mail at a time is sent, to find out whether it lasts.
func (r *run) probing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.provider.Outage.On()
}

// pausedByOutage reports whether there is an outage, and its next probe is not due.
func (r *run) pausedByOutage() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := r.provider.Outage.NextProbe.Sub(r.Now())
	return r.provider.Outage.On() && wait > 0 && wait <= pauses[len(pauses)-1] // longer if the clock went back
}

// candidates is among how many of the first ready mails a probe is chosen.
const candidates = 20

// chooseProbe chooses the mail that was tried least: a mail that nobody accepts does not prolong an outage. It is no
// reminder while a more urgent mail is ready.
func (r *run) chooseProbe() (probe *place) {
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
		for i, e := range ready[of] {
			if seen++; seen > candidates {
				return probe
			}
			m, _ := r.Outbox.Read(r.ctx, e.ID) // one that cannot be read has no attempts: work finds out why
			if probe == nil || m.State.Attempts < fewest {
				probe, fewest = &place{e, of, i}, m.State.Attempts
			}
		}
	}
	return probe
}

// accepted notes that the provider accepts mails.
func (r *run) accepted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.provider.Outage; o.On() {
		r.Log.Info("the outage is over", "since", o.Since, "class", o.Class)
	}
	r.provider.Outage = outbox.Outage{}
	r.provider.CountSent(r.Now(), 1)
	r.quota.count()
	r.counts.sent++
}

// refused notes that a mail failed, and reports whether that is due to an outage rather than to the mail. Three
// different mails that fail alike, one after another, are one.
func (r *run) refused(id string, cause error) (outage bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, class := &r.provider.Outage, mail.FailureClass(cause)
	switch {
	case o.On():
		if !r.onset { // else it was being sent when the outage began
			r.prolong()
		}
		return true
	case o.Class != class:
		*o = outbox.Outage{Class: class, Mails: []string{id}, Since: r.Now()}
	case !slices.Contains(o.Mails, id):
		o.Mails = append(o.Mails, id)
	}
	if !o.On() {
		return false
	}
	r.onset = true
	r.Log.Error("the provider accepts nothing: an outage", "class", class, logging.Error(cause))
	r.pauseAll()
	return true
}

// prolong notes that a probe failed. The caller holds mu.
func (r *run) prolong() {
	r.provider.Outage.Probes++
	r.pauseAll()
}

// pauseAll pauses the outbox until the next probe. The caller holds mu.
func (r *run) pauseAll() {
	o := &r.provider.Outage
	o.NextProbe = r.Now().Add(pauses[min(o.Probes, len(pauses)-1)])
	r.stop(errOutage)
}
