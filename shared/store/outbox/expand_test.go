package outbox_test

import (
	"errors"
	"fmt"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/tabletest"
)

// confirmed is a notice that expands, into keys that many people get.
func confirmed(about string) notice.Notice {
	return notice.Notice{ID: about + "--confirmed", Kind: mail.RequestConfirmed, About: about, Customer: "acme.example"}
}

func keysTo(n int) (list []notice.Notice) {
	for i := range n {
		list = append(list, key(fmt.Sprintf("l%03d", i), "it@acme.example"))
	}
	return list
}

func TestExpandedNoticeIsReplacedByItsMails(t *testing.T) {
	for _, n := range []int{0, 1, 48, 49, 100} {
		e := newTestEnv(t)
		e.queue(confirmed("r1"))
		e.table.Reset()
		e.must(e.Expand(t.Context(), e.read("r1--confirmed"), keysTo(n)))
		e.want("transactions", e.table.Counts().Transacts, max(1, (n+47)/48))
		e.want("notice", e.status("r1--confirmed"), "expanded")
		ready := e.ready(notice.RankUrgent)
		e.want("mails", len(ready), n)
		for i, id := range ready {
			e.want("turn", id, fmt.Sprintf("l%03d--key", i))
		}
		if err := e.Expand(t.Context(), e.read("r1--confirmed"), keysTo(n)); !errors.Is(err, outbox.ErrChanged) {
			t.Errorf("got %v for what was expanded, want that it has changed", err)
		}
	}
}

func TestReadyEntrySaysThatItExpands(t *testing.T) {
	e := newTestEnv(t)
	e.queue(confirmed("r1"), key("l1", "it@acme.example"))
	found := map[string]bool{}
	for _, rank := range notice.Ranks {
		for shard := range 16 {
			list, err := e.Ready(t.Context(), rank, shard, 10)
			e.must(err)
			for _, entry := range list {
				found[entry.ID] = entry.Expands
			}
		}
	}
	e.want("entries", found, map[string]bool{"r1--confirmed": true, "l1--key": false})
}

// TestExpansionThatIsCutOffIsDoneOnce fails each transaction in turn, before it and after it, and expands again.
func TestExpansionThatIsCutOffIsDoneOnce(t *testing.T) {
	for _, f := range []tabletest.Fault{tabletest.Down, tabletest.Lost} {
		for at := 1; at <= 3; at++ {
			e, n := newTestEnv(t), 0
			e.queue(confirmed("r1"))
			m := e.read("r1--confirmed")
			e.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					if n++; n == at {
						return f
					}
				}
				return tabletest.Fault{}
			}
			if err := e.Expand(t.Context(), m, keysTo(100)); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("got %v, want that the table is unavailable", err)
			}
			e.table.Fault = nil
			// The last mail has another recipient by now, and there is one more.
			again := append(keysTo(100)[:99], key("l099", "new@acme.example"), key("l100", "it@acme.example"))
			err := e.Expand(t.Context(), e.read("r1--confirmed"), again)
			want := 101
			if at == 3 && f == tabletest.Lost { // the first time, everything was done
				want = 100
				if errors.Is(err, outbox.ErrChanged) {
					err = nil
				}
			}
			e.must(err)
			e.want("notice", e.status("r1--confirmed"), "expanded")
			e.want(fmt.Sprintf("mails after call %d", at), len(e.ready(notice.RankUrgent)), want)
		}
	}
}

// TestOfTwoThatExpandOneStops lets a second mailer expand a notice between two transactions of the first, with other
// recipients.
func TestOfTwoThatExpandOneStops(t *testing.T) {
	e, n := newTestEnv(t), 0
	e.queue(confirmed("r1"))
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			if n++; n == 2 {
				e.must(e.Expand(t.Context(), e.read("r1--confirmed"), keysTo(60)))
			}
		}
		return tabletest.Fault{}
	}
	if err := e.Expand(t.Context(), e.read("r1--confirmed"), keysTo(100)); !errors.Is(err, outbox.ErrChanged) {
		t.Errorf("got %v, want that the notice has changed", err)
	}
	e.want("notice", e.status("r1--confirmed"), "expanded")
	e.want("mails", len(e.ready(notice.RankUrgent)), 60)
}

func TestPausedNoticeExpandsOnceItIsKnown(t *testing.T) {
	e := newTestEnv(t)
	e.queue(confirmed("r1"))
	for shard := range 16 {
		list, err := e.Ready(t.Context(), notice.RankSoon, shard, 10)
		e.must(err)
		for _, entry := range list {
			e.must(e.Park(t.Context(), entry, e.now))
		}
	}
	e.want("parked", e.status("r1--confirmed"), "waiting paused")
	e.promote()
	e.must(e.Expand(t.Context(), e.read("r1--confirmed"), keysTo(2)))
	e.want("expanded", e.status("r1--confirmed"), "expanded")
}
