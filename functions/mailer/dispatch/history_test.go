package dispatch

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/tabletest"
)

// history is a random sequence of runs and faults for a number of mails.
type history struct {
	ranks    []int
	table    []tabletest.Fault // of the calls, in order
	provider []answer
	runs     []runs
}

type answer struct {
	accepted bool
	err      error
}

type runs struct {
	atOnce int
	then   time.Duration // until the next
}

func drawHistory(t *rapid.T) history {
	return history{
		ranks: rapid.SliceOfN(rapid.IntRange(1, 3), 1, 6).Draw(t, "ranks"),
		table: rapid.SliceOfN(rapid.SampledFrom([]tabletest.Fault{
			{}, {}, {}, {}, {}, {}, tabletest.Down, tabletest.Lost, {Delay: 7 * time.Second},
		}), 0, 900).Draw(t, "table"),
		provider: rapid.SliceOfN(rapid.SampledFrom([]answer{
			{true, nil}, {true, nil}, {true, errLost}, {false, errLost}, {false, errServer}, {false, errConnect},
			{false, mail.ErrThrottled},
		}), 0, 12).Draw(t, "provider"),
		runs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) runs {
			return runs{rapid.IntRange(1, 2).Draw(t, "at once"),
				time.Duration(rapid.IntRange(0, 2000).Draw(t, "seconds")) * time.Second}
		}), 1, 8).Draw(t, "runs"),
	}
}

// next removes the first element of a list that several goroutines share; false if it is empty.
func next[T any](mu *sync.Mutex, list *[]T) (v T, ok bool) {
	mu.Lock()
	defer mu.Unlock()
	if len(*list) == 0 {
		return v, false
	}
	v, *list = (*list)[0], (*list)[1:]
	return v, true
}

// play runs the history and describes what is wrong in the end.
func (h history) play(w *testEnv) (wrong string) {
	var ids []string
	for i, rank := range h.ranks {
		of := map[int]func(name, host string) notice.Notice{1: urgent, 2: soon, 3: remind}[rank]
		n := of(fmt.Sprintf("m%d", i), fmt.Sprintf("host%d.example", i%2))
		w.put(n)
		ids = append(ids, n.ID)
	}
	var mu sync.Mutex
	w.faulty.Fault = func(tabletest.Call) tabletest.Fault {
		f, _ := next(&mu, &h.table)
		return f
	}
	p := &provider{delay: time.Second, fault: func(mail.Message) (bool, error) {
		if a, ok := next(&mu, &h.provider); ok {
			return a.accepted, a.err
		}
		return true, nil
	}}
	for _, r := range h.runs {
		var wg sync.WaitGroup
		for range r.atOnce {
			wg.Go(func() { w.dispatcher(p).Run(context.Background()) })
		}
		wg.Wait()
		time.Sleep(r.then)
	}
	w.faulty.Fault, p.fault = nil, nil
	for range 3 {
		time.Sleep(maxPause)
		w.run(w.dispatcher(p))
	}
	for _, id := range ids {
		s, n, calls := w.mail(id).State, p.accepted()[id], p.callsOf(id)
		flagged := true
		for i, c := range calls {
			flagged = flagged && (c.maybeTwice || !anyAccepted(calls[:i]))
		}
		if s.Status != outbox.Sent && s.Status != outbox.Failed || s.Status == outbox.Sent && n == 0 || n > maxDoubts ||
			!flagged || s.Status == outbox.Failed && s.Doubts < maxDoubts {
			wrong += fmt.Sprintf("mail %s was accepted %d times in %d calls: %+v\n", id, n, len(calls), s)
		}
	}
	if q, err := w.box.Queued(context.Background(), 10); err != nil || q.Total() > 0 {
		wrong += fmt.Sprintf("%+v wait, %v\n", q, err)
	}
	return wrong
}

func anyAccepted(calls []call) bool {
	for _, c := range calls {
		if c.accepted {
			return true
		}
	}
	return false
}

// TestHistories lets table and provider fail at random. In the end each mail was accepted, or given up after three
// calls whose end nobody knows, and every letter but the first says that it may not be the first.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h, wrong := drawHistory(rt), ""
		synctest.Test(t, func(t *testing.T) { wrong = h.play(newTestEnv(t, &tabletest.Memory{})) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
