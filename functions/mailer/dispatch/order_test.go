package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// order returns the IDs of the mails as they were sent.
func (p *provider) order() (ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		ids = append(ids, c.id)
	}
	return ids
}

func TestRanksAreSentInOrder(t *testing.T) {
	for _, atOnce := range []int{1, 8} {
		inTestEnv(t, func(w *testEnv) {
			for i := range 30 {
				a, b, c := fmt.Sprintf("a%02d", i), fmt.Sprintf("b%02d", i), fmt.Sprintf("c%02d", i)
				w.put(remind(c, c+".example"), soon(b, b+".example"), urgent(a, a+".example"))
				time.Sleep(time.Second)
			}
			p := &provider{quota: mail.Quota{PerSecond: 14}}
			d := w.dispatcher(p)
			d.AtOnce = atOnce
			w.run(d)
			got := p.order()
			if atOnce > 1 { // then mails of a rank may overtake one another
				for i := range got {
					got[i] = got[i][:1]
				}
			}
			if len(got) != 90 || !slices.IsSorted(got) {
				t.Errorf("got the order %v, want by rank and within a rank by time", got)
			}
		})
	}
}

// begun follows which mails' calls are begun while rank-1 mails are ready.
type begun struct {
	*outbox.Box
	begin func(m outbox.Mail)
}

func (b begun) Begin(ctx context.Context, m outbox.Mail, fence int64, letter mail.Message) (outbox.Mail, error) {
	b.begin(m)
	return b.Box.Begin(ctx, m, fence, letter)
}

func TestReminderIsNotBegunWhileAnUrgentMailIsReady(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		reminders := w.putMany(300, remind)
		p := &provider{quota: mail.Quota{PerSecond: 14}, delay: 150 * time.Millisecond}
		d := w.dispatcher(p)
		queued := map[string]time.Time{} // urgent mails that are not begun
		late, worst := 0, time.Duration(0)
		d.Outbox = begun{Box: w.box, begin: func(m outbox.Mail) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if m.Rank() == notice.RankUrgent {
				worst = max(worst, time.Since(queued[m.ID]))
				delete(queued, m.ID)
				return
			}
			for id, at := range queued {
				if time.Since(at) > lookEvery {
					late++
					t.Errorf("reminder %s was begun %v after %s was ready", m.ID, time.Since(at), id)
				}
			}
		}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(d)
		}()
		var keys []string
		for i := range 8 {
			time.Sleep(1700 * time.Millisecond)
			n := urgent(fmt.Sprintf("key%d", i), "new.example")
			p.mu.Lock()
			queued[n.ID] = time.Now()
			p.mu.Unlock()
			w.put(n)
			keys = append(keys, n.ID)
		}
		<-done
		w.eachOnce(p, append(reminders, keys...))
		if worst > lookEvery+200*time.Millisecond {
			t.Errorf("got an urgent mail that was begun after %v, want about a second at most", worst)
		}
		took := p.calls[len(p.calls)-1].at.Sub(p.calls[0].at)
		if took > 24*time.Second { // 308 mails at 14 a second
			t.Errorf("got all sent in %v, want 22 s: giving way costs no turns", took)
		}
	})
}

func TestCustomersTakeTurns(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		for i := range 60 {
			w.put(urgent(fmt.Sprintf("big%02d", i), "big.example"))
			time.Sleep(time.Millisecond)
		}
		for i := range 3 {
			w.put(urgent(fmt.Sprintf("small%d", i), "small.example"))
			time.Sleep(time.Millisecond)
		}
		w.put(urgent("tiny", "tiny.example"))
		p := &provider{quota: mail.Quota{PerSecond: 14}}
		d := w.dispatcher(p)
		d.AtOnce = 1
		w.run(d)
		got := p.order()[:8]
		if want := []string{"big00--q", "small0--q", "tiny--q", "big01--q", "small1--q", "big02--q", "small2--q",
			"big03--q"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestThousandMailsOfACustomerHoldBackNobody has the other customers in the same shard, later.
func TestThousandMailsOfACustomerHoldBackNobody(t *testing.T) {
	const big = "big.example"
	var others []string
	for i := 0; len(others) < 5; i++ {
		if host := fmt.Sprintf("small%d.example", i); rowkey.Shard(host) == rowkey.Shard(big) {
			others = append(others, host)
		}
	}
	for _, test := range []struct {
		of   func(name, host string) notice.Notice
		rate float64
		most int // place of the last of the others
	}{{urgent, 50, 70}, {soon, 50, 70}, {remind, 14, 900}} {
		inTestEnv(t, func(w *testEnv) {
			var list []notice.Notice
			for i := range 1000 {
				list = append(list, test.of(fmt.Sprintf("big%03d", i), big))
			}
			w.put(list...)
			time.Sleep(time.Minute)
			for i, host := range others {
				w.put(test.of(fmt.Sprintf("small%d", i), host))
			}
			p := &provider{quota: mail.Quota{PerSecond: test.rate}}
			d := w.dispatcher(p)
			w.run(d)
			for i, host := range others {
				place := slices.Index(p.order(), test.of(fmt.Sprintf("small%d", i), host).ID)
				if place < 0 || place > test.most {
					t.Errorf("got the mail of %s at place %d, want %d at most", host, place, test.most)
				}
			}
		})
	}
}

// TestTurnsOfARun has the reminders of a run, whose turns their rows say.
func TestTurnsOfARun(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		c := w.table.Begin()
		for i := range 20 {
			w.box.QueueTurn(c, remind(fmt.Sprintf("big%02d", i), "big.example"), time.Now(), i)
		}
		w.box.QueueTurn(c, remind("small0", "small.example"), time.Now(), 0)
		w.box.QueueTurn(c, remind("small1", "small.example"), time.Now(), 1)
		if err := c.Commit(context.Background()); err != nil {
			t.Fatal(err)
		}
		p := &provider{quota: mail.Quota{PerSecond: 1}}
		d := w.dispatcher(p)
		d.AtOnce = 1
		w.run(d)
		got := strings.Join(p.order()[:5], " ")
		if want := "big00--e small0--e big01--e small1--e big02--e"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestIdleSweepCosts64EmptyQueries(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		later := time.Now().Add(time.Hour)
		const n = 100_000
		for i := 0; i < n; {
			c := w.table.Begin()
			for end := min(n, i+table.MaxWrites); i < end; i++ {
				key := rowkey.Later(i%rowkey.Shards, later, notice.RankReminder, fmt.Sprintf("m%06d--e", i))
				c.Set(entity.Encode(key, rowkey.TypePending, struct{}{}))
			}
			if err := c.Commit(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		w.faulty.Reset()
		w.run(w.dispatcher(&provider{}))
		got := w.faulty.Counts()
		if got.Queries > 64 || got.RowsRead > 1 || got.Gets > 1 || got.Transacts > 2 {
			t.Errorf("got %+v, want 64 empty queries, and the lease read, taken and released", got)
		}
	})
}
