package dispatch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

const (
	// lookEvery is how old the view of the urgent mails may be when another one is begun.
	lookEvery = time.Second
	// window is how many ready mails of a rank and shard a look reads. A customer with fewer ready ones holds nobody
	// back.
	window = 1000
	// promoteAtOnce is how many paused mails of a shard get ready in one look.
	promoteAtOnce = 100
)

// queue is what was ready at the last look, by rank, in the order in which it is sent.
type queue struct {
	looked time.Time
	ready  map[int][]outbox.Entry
}

// next returns the mail to send next, and marks it as in flight; false if nothing is ready that may be sent.
func (r *run) next() (e outbox.Entry, ok bool) {
	if !r.lookAgain() {
		return e, false
	}
	rank, i, ok := r.choose()
	if !ok {
		return e, false
	}
	r.quota.refresh(r.begin, r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if i >= len(r.queue.ready[rank]) { // another look has found less
		return e, false
	}
	return r.take(rank, i)
}

// choose returns the place of the mail to send next in the queue.
func (r *run) choose() (rank, i int, ok bool) {
	if r.probing() {
		return r.chooseProbe()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rank := range notice.Ranks {
		if len(r.queue.ready[rank]) > 0 {
			return rank, 0, true
		}
	}
	return 0, 0, false
}

// take takes a mail off the queue, if the quota leaves its rank a share. The caller holds mu.
func (r *run) take(rank, i int) (e outbox.Entry, ok bool) {
	q := r.quota.known()
	q.SentLastDay = r.usedLastDay(q)
	if q.Left(share[rank]) == 0 {
		r.stop(mail.ErrDailyQuota)
		return e, false
	}
	e = r.queue.ready[rank][i]
	r.queue.ready[rank] = slices.Delete(r.queue.ready[rank], i, i+1)
	r.inFlight[e.ID] = true
	r.served[e.Customer]++
	return e, true
}

// share is the part of the rolling day's quota that a rank may use up: the rest is for the ranks before it.
var share = map[int]float64{notice.RankUrgent: 1, notice.RankSoon: 0.8, notice.RankReminder: 0.7}

// lookAgain looks at what is ready unless the last look is recent enough: a look is due every second, and when nothing
// was ready and no mail is under way. It reports false if the table failed.
func (r *run) lookAgain() bool {
	r.mu.Lock()
	age := r.Now().Sub(r.queue.looked)
	recent := r.queue.ready != nil && age >= 0 && age < lookEvery
	empty := len(r.queue.ready[notice.RankUrgent])+len(r.queue.ready[notice.RankSoon])+
		len(r.queue.ready[notice.RankReminder]) == 0
	busy := len(r.inFlight) > 0
	r.mu.Unlock()
	if recent && (busy || !empty) {
		return true
	}
	return r.look()
}

// look reads what is ready. Reminders are read again only when those of the last look are used up.
func (r *run) look() bool {
	at := r.Now()
	r.mu.Lock()
	ranks := []int{notice.RankUrgent, notice.RankSoon}
	if len(r.queue.ready[notice.RankReminder]) == 0 {
		ranks = notice.Ranks
	}
	r.mu.Unlock()
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
	if r.queue.ready == nil {
		r.queue.ready = map[int][]outbox.Entry{}
	}
	r.queue.looked = at
	for _, rank := range ranks {
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
		r.tableFailed("cannot read the ready mails", err)
	}
	return err == nil
}

// inTurns orders mails so that every customer's first is before any customer's second, counting those of this run that
// were begun before. It leaves out those that are being worked on. The caller holds mu.
func (r *run) inTurns(list []outbox.Entry) []outbox.Entry {
	slices.SortFunc(list, outbox.Entry.Compare)
	type turned struct {
		outbox.Entry
		turn int
	}
	var order []turned
	seen := map[string]int{}
	for _, e := range list {
		if r.inFlight[e.ID] || r.skip[e.ID] {
			continue
		}
		seen[e.Customer]++
		order = append(order, turned{e, r.served[e.Customer] + seen[e.Customer]})
	}
	slices.SortStableFunc(order, func(a, b turned) int { return cmp.Compare(a.turn, b.turn) })
	list = list[:0]
	for _, t := range order {
		list = append(list, t.Entry)
	}
	return list
}

// moreUrgent reports whether a mail of a lower rank number is ready; it looks again if the last look is too old. A
// probe may be of any rank but a reminder's.
func (r *run) moreUrgent(rank int) bool {
	if rank == notice.RankUrgent || rank == notice.RankSoon && r.probing() || !r.lookAgain() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, before := range notice.Ranks {
		if before < rank && len(r.queue.ready[before]) > 0 {
			return true
		}
	}
	return false
}
