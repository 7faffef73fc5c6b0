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

// next takes the mail to send next; nil if none is ready that may be begun now.
func (r *run) next() *flight {
	if !r.look() {
		return nil
	}
	rank, i, ok := r.choose()
	if !ok || !r.readQuota() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i >= len(r.queue.ready[rank]) || r.preparing(rank) { // another look has found less, or a more urgent one
		return nil
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
func (r *run) take(rank, i int) *flight {
	if r.left(rank) <= 0 {
		if len(r.flights) == 0 { // otherwise wait for what becomes of those
			r.stop(mail.ErrDailyQuota)
		}
		return nil
	}
	list := r.queue.ready[rank]
	f := &flight{Entry: list[i], rank: rank}
	copy(list[1:i+1], list[:i]) // the one that is taken is among the first
	r.queue.ready[rank] = list[1:]
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
