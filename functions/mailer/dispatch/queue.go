package dispatch

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

const (
	// lookEvery is how old the view of the urgent mails may be when another one is begun, and of the reminders.
	lookEvery     = time.Second
	lookReminders = time.Minute
	// window is how many ready mails of a rank and shard a look reads. A customer with fewer ready ones holds nobody
	// back.
	window = 1000
	// promoteAtOnce is how many paused mails of a shard get ready in one look.
	promoteAtOnce = 25
)

// queue is what was ready at the last look, by rank, in the order in which it is sent.
type queue struct {
	looked    time.Time
	reminders time.Time // when these were looked at
	ready     map[int][]outbox.Entry
}

func (q queue) empty() bool {
	return len(q.ready[notice.RankUrgent])+len(q.ready[notice.RankSoon])+len(q.ready[notice.RankReminder]) == 0
}

// place is where an entry is in the queue.
type place struct {
	outbox.Entry
	rank, i int
}

// next takes the mail to send next, or the notice to expand; nil if none is ready that may be begun now. A notice that
// expands needs no provider, so nothing that keeps mails from being sent holds it back.
func (r *run) next() *flight {
	if !r.look() {
		return nil
	}
	p := r.choose()
	if p != nil && !p.Expands {
		if why := r.hindrance(p.rank); why != nil {
			if p = r.first(expands); p == nil {
				r.stopFor(why)
			}
		}
	}
	if p == nil || r.begin.Err() != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if list := r.queue.ready[p.rank]; p.i >= len(list) || list[p.i].ID != p.ID || r.preparing(p.rank) {
		return nil // another look has found others, or a more urgent one
	}
	return r.take(*p)
}

// choose returns the place of the entry to take next; nil if there is none.
func (r *run) choose() *place {
	if r.probing() {
		if p := r.first(expands); p != nil {
			return p
		}
		return r.chooseProbe()
	}
	return r.first(func(outbox.Entry) bool { return true })
}

func expands(e outbox.Entry) bool { return e.Expands }

// first returns the place of the first entry that is as wanted; nil if there is none.
func (r *run) first(wanted func(outbox.Entry) bool) *place {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rank := range notice.Ranks {
		if i := slices.IndexFunc(r.queue.ready[rank], wanted); i >= 0 {
			return &place{r.queue.ready[rank][i], rank, i}
		}
	}
	return nil
}

// hindrance says why the provider must not be called for a mail of a rank now; nil if it may be.
func (r *run) hindrance(rank int) error {
	if r.pausedByOutage() {
		return errOutage
	}
	if err := r.readQuota(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left(rank) <= 0 {
		return mail.ErrDailyQuota
	}
	return nil
}

// stopFor ends the run because of a hindrance. What is being worked on may end a want of quota; the pause of an outage
// is on record.
func (r *run) stopFor(hindrance error) {
	switch {
	case errors.Is(hindrance, errOutage):
	case !errors.Is(hindrance, mail.ErrDailyQuota):
		r.Log.Warn("cannot read the provider's quota", logging.Error(hindrance))
		r.stop(hindrance)
	case !r.busy():
		r.stop(hindrance)
	}
}

// take takes an entry off the queue. The caller holds mu.
func (r *run) take(p place) *flight {
	list := r.queue.ready[p.rank]
	f := &flight{Entry: p.Entry, rank: p.rank}
	copy(list[1:p.i+1], list[:p.i]) // the one that is taken is among the first
	r.queue.ready[p.rank] = list[1:]
	r.flights[f.ID] = f
	r.served[f.Customer]++
	return f
}

// land ends the work on a mail. One that gave way is the next of its rank again.
func (r *run) land(f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.flights, f.ID)
	if f.givesWay {
		r.served[f.Customer]--
		r.queue.ready[f.rank] = slices.Insert(r.queue.ready[f.rank], 0, f.Entry)
	}
}

// moreUrgent reports whether a mail of a lower rank number is ready; it looks again if the last look is too old. A
// probe may be of any rank but a reminder's.
func (r *run) moreUrgent(rank int) bool {
	if rank == notice.RankUrgent || rank == notice.RankSoon && r.probing() || !r.look() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, before := range notice.Ranks {
		if before < rank && len(r.queue.ready[before]) > 0 {
			return true
		}
	}
	return r.preparing(rank)
}

// preparing reports whether a mail of a lower rank number is about to be begun. The caller holds mu.
func (r *run) preparing(rank int) bool {
	for _, f := range r.flights {
		if f.rank < rank && !f.begun {
			return true
		}
	}
	return false
}

// look looks at what is ready unless the last look is recent enough: one is due every second, and when nothing is left
// and no mail is being worked on. It reports false if the table failed.
func (r *run) look() bool {
	r.looking <- struct{}{}
	defer func() { <-r.looking }()
	r.mu.Lock()
	recent := r.within(lookEvery, r.queue.looked) && (!r.queue.empty() || len(r.flights) > 0)
	ranks := []int{notice.RankUrgent, notice.RankSoon}
	if !r.within(lookReminders, r.queue.reminders) || len(r.queue.ready[notice.RankReminder]) == 0 {
		ranks = notice.Ranks
	}
	r.mu.Unlock()
	return recent || r.readReady(ranks)
}

// within reports whether a time is past and less than an age ago; it is not if the clock went back.
func (r *run) within(age time.Duration, at time.Time) bool {
	ago := r.Now().Sub(at)
	return ago >= 0 && ago < age
}

// readReady reads which mails of some ranks are ready.
func (r *run) readReady(ranks []int) bool {
	at := r.Now()
	if !r.everyShard(func(ctx context.Context, shard int) error {
		_, err := r.Outbox.Promote(ctx, shard, promoteAtOnce)
		return err
	}) {
		return false
	}
	var mu sync.Mutex
	found := map[int][]outbox.Entry{}
	if !r.everyShard(func(ctx context.Context, shard int) error {
		for _, rank := range ranks {
			list, err := r.Outbox.Ready(ctx, rank, shard, window)
			if err != nil {
				return err
			}
			mu.Lock()
			found[rank] = append(found[rank], list...)
			mu.Unlock()
		}
		return nil
	}) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue.looked = at
	for _, rank := range ranks {
		if rank == notice.RankReminder {
			r.queue.reminders = at
		}
		r.queue.ready[rank] = r.inTurns(found[rank])
	}
	return true
}

func (r *run) everyShard(f func(ctx context.Context, shard int) error) bool {
	g, ctx := errgroup.WithContext(r.begin)
	for shard := range rowkey.Shards {
		g.Go(func() error { return f(ctx, shard) })
	}
	err := g.Wait()
	if err != nil && r.begin.Err() == nil {
		r.fail("cannot read the ready mails", err)
	}
	return err == nil
}

// inTurns orders mails so that every customer's first is before any customer's second, counting those of this run that
// were taken before. It leaves out those that are being worked on. The caller holds mu.
func (r *run) inTurns(list []outbox.Entry) []outbox.Entry {
	slices.SortFunc(list, outbox.Entry.Compare)
	type turned struct {
		outbox.Entry
		turn int
	}
	var order []turned
	turns := map[string]int{}
	for _, e := range list {
		if r.flights[e.ID] != nil || r.skip[e.ID] {
			continue
		}
		turns[e.Customer]++
		order = append(order, turned{e, r.served[e.Customer] + turns[e.Customer]})
	}
	slices.SortStableFunc(order, func(a, b turned) int { return cmp.Compare(a.turn, b.turn) })
	list = list[:0]
	for _, t := range order {
		list = append(list, t.Entry)
	}
	return list
}
