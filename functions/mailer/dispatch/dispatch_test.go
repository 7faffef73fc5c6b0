package dispatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestEveryReadyMailIsSentOnce(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		const n = 205
		ids := w.putMany(n, soon)
		p := &provider{}
		d := w.dispatcher(p)
		w.run(d)
		w.eachOnce(p, ids)
		s := w.mail(ids[0]).State
		if s.ProviderID != "provider-m000--r" || s.Attempts != 1 || s.Attempt != 1 || s.Doubts != 0 ||
			s.Closed.IsZero() {
			t.Errorf("got %+v, want one attempt with the provider's ID", s)
		}
		m, err := w.box.Letter(context.Background(), ids[0], 1)
		if err != nil || m.Subject != ids[0] || m.Attempt != 1 {
			t.Errorf("got the letter %+v, %v; want it as it was sent", m, err)
		}
		w.logged(fmt.Sprintf(`"MailsSent":%d`, n))
		w.log.Reset()
		w.run(d)
		w.eachOnce(p, ids)
		if w.log.Len() > 0 {
			t.Errorf("a run with nothing to do logged %s", w.log.String())
		}
	})
}

func TestMailWithoutAPointIsNotSent(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.records.of = func(n notice.Notice) (notice.Records, error) {
			details := request.Details{Email: n.To.Email}
			return notice.Records{Request: request.Request{State: request.Issued, Details: details}}, nil
		}
		ids := w.putMany(3, soon)
		p := &provider{}
		w.run(w.dispatcher(p))
		for _, id := range ids {
			const why = "the request is closed"
			if s := w.mail(id).State; s.Status != outbox.Pointless || s.Cause != why {
				t.Errorf("got %+v, want pointless", s)
			}
		}
		if len(p.calls) != 0 {
			t.Errorf("got %d calls, want none", len(p.calls))
		}
		w.nothingWaits()
	})
}

// TestLetterThatWaitedForItsTurnIsWrittenAgain has three mails prepared at once and sent two seconds apart: meanwhile
// the day ends, and then the third loses its point.
func TestLetterThatWaitedForItsTurnIsWrittenAgain(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(3, urgent)
		time.Sleep(24*time.Hour - time.Second) // a bubble begins at midnight UTC
		begun := time.Now()
		w.records.of = func(n notice.Notice) (notice.Records, error) {
			r := withPoint(n)
			if time.Since(begun) > 3*time.Second {
				r.Request.State = request.InReview
			}
			return r, nil
		}
		var mu sync.Mutex
		days := map[string]license.Date{}
		w.write = func(n notice.Notice, r notice.Records, c letter.Call) (mail.Message, error) {
			mu.Lock()
			defer mu.Unlock()
			days[n.ID] = r.Today
			return write(n, r, c)
		}
		p := &provider{quota: mail.Quota{PerSecond: 0.5}}
		w.run(w.dispatcher(p))
		pointless := 0
		for _, id := range ids {
			if w.status(id) == outbox.Pointless {
				pointless++
			}
		}
		if len(p.calls) != 2 || pointless != 1 {
			t.Fatalf("got %d calls and %d pointless mails, want 2 and 1", len(p.calls), pointless)
		}
		first := license.DateOf(begun)
		if a, b := days[p.calls[0].id], days[p.calls[1].id]; a != first || b != first.AddDays(1) {
			t.Errorf("got letters of %v and %v, want %v and the day after", a, b, first)
		}
	})
}

func TestMailAboutNothingOnRecordIsPointless(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.records.of = func(notice.Notice) (notice.Records, error) {
			return notice.Records{}, fault.New(fault.NotFound, "There is no request.")
		}
		w.put(soon("m", "a.example"))
		p := &provider{}
		w.run(w.dispatcher(p))
		if s := w.mail("m--r").State; s.Status != outbox.Pointless || len(p.calls) != 0 {
			t.Errorf("got %+v and %d calls, want pointless and none", s, len(p.calls))
		}
	})
}

func TestRejectedMailFailsAndOthersAreSent(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(3, soon)
		p := &provider{fault: failing(fmt.Errorf("%w: MessageRejected: Address blacklisted", mail.ErrRejected), ids[1])}
		d := w.dispatcher(p)
		w.run(d)
		if s := w.mail(ids[1]).State; s.Status != outbox.Failed || !strings.Contains(s.Cause, "blacklisted") {
			t.Errorf("got %+v, want failed", s)
		}
		if w.status(ids[0]) != outbox.Sent || w.status(ids[2]) != outbox.Sent {
			t.Error("the other mails were not sent")
		}
		w.runFor(d, 24*time.Hour)
		if len(p.calls) != 3 {
			t.Errorf("got %d calls, want 3: the rejected mail was retried", len(p.calls))
		}
		w.nothingWaits()
	})
}

func TestLetterThatCannotBeWrittenIsAFailureOfItsMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(soon("panics", "a.example"), soon("fails", "b.example"), soon("good", "c.example"))
		w.write = func(n notice.Notice, r notice.Records, c letter.Call) (mail.Message, error) {
			switch n.About {
			case "panics":
				panic("runtime error: index out of range for ada@a.example")
			case "fails":
				return mail.Message{}, errors.New("the letter altered the key")
			}
			return write(n, r, c)
		}
		p := &provider{}
		w.run(w.dispatcher(p))
		for id, cause := range map[string]string{"panics--r": "index out of range", "fails--r": "altered the key"} {
			s := w.mail(id).State
			if s.Status != outbox.Failed || !strings.Contains(s.Cause, cause) || strings.Contains(s.Cause, "@") {
				t.Errorf("%s: got %+v, want failed because of %q", id, s, cause)
			}
		}
		w.logged(`"MailsFailed":2`)
		w.eachOnce(p, []string{"good--r"})
		if failed, err := w.box.Failed(context.Background(), 10); len(failed) != 2 || err != nil {
			t.Errorf("got %v, %v; want both in the list", failed, err)
		}
	})
}

// TestRecordsThatPanicAreAFailureOfTheMail has a license that is missing from the records.
func TestRecordsThatPanicAreAFailureOfTheMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.records.of = func(notice.Notice) (notice.Records, error) { return notice.Records{}, nil }
		w.put(notice.Notice{ID: "m--u", Kind: mail.LicenseUnreached, About: "m", Customer: "a.example"})
		w.run(w.dispatcher(&provider{}))
		if s := w.status("m--u"); s != outbox.Failed {
			t.Errorf("got %s, want failed", s)
		}
	})
}

func TestMailOfANewerVersionIsPausedWithAnAlarm(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		kind, schema, shape := urgent("kind", "a.example"), urgent("schema", "b.example"), urgent("shape", "c.example")
		kind.Kind = "license-rented"
		w.put(kind, schema, shape, remind("r", "d.example"))
		original := map[string]string{}
		change := func(id string, schema int, data string) {
			row, err := w.faulty.Get(context.Background(), rowkey.Mail(id))
			if err != nil {
				t.Fatal(err)
			}
			original[id] = string(row.Data)
			row.Schema, row.Data = schema, []byte(data)
			if err := w.faulty.Transact(context.Background(), table.Update(row)); err != nil {
				t.Fatal(err)
			}
		}
		const newer = `{"id":"schema--q","kind":"request-question","customer":"b.example","rank":1}`
		change(schema.ID, notice.Schema+1, newer)
		change(shape.ID, notice.Schema+1, `{"to":["ada@c.example"],"rank":"urgent"}`)

		p := &provider{}
		d := w.dispatcher(p)
		w.run(d)
		q, err := w.box.Queued(context.Background(), 10)
		if err != nil || q.Paused != 3 || q.Total() != 3 || p.accepted()["r--e"] != 1 || len(p.calls) != 1 {
			t.Errorf("got %+v, %v, calls %v; want three paused, the reminder sent", q, err, p.calls)
		}
		w.logged(`"MailsUnknown":3`, `"level":"ERROR"`)
		if strings.Contains(w.log.String(), "@") {
			t.Errorf("logged an address: %s", w.log.String())
		}
		w.log.Reset()
		time.Sleep(59 * time.Minute)
		w.run(d)
		if w.log.Len() != 0 {
			t.Errorf("logged %s within the hour, want nothing", w.log.String())
		}
		time.Sleep(time.Minute)
		w.run(d)
		w.logged(`"MailsUnknown":3`)

		// The newer version is deployed: it knows all of them.
		time.Sleep(time.Hour)
		change(schema.ID, notice.Schema, original[schema.ID])
		change(shape.ID, notice.Schema, original[shape.ID])
		data, err := w.faulty.Get(context.Background(), rowkey.Mail(kind.ID))
		if err != nil {
			t.Fatal(err)
		}
		change(kind.ID, notice.Schema, strings.Replace(string(data.Data), "license-rented", "request-received", 1))
		w.run(d)
		w.eachOnce(p, []string{kind.ID, schema.ID, shape.ID, "r--e"})
	})
}

func TestFailingMailIsRetriedAtGrowingPausesAndThenFails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(soon("m", "a.example"))
		p := &provider{fault: always(errServer)}
		w.runFor(w.dispatcher(p), 48*time.Hour)
		if len(p.calls) != maxFailures {
			t.Fatalf("got %d attempts, want %d", len(p.calls), maxFailures)
		}
		for i := 1; i < len(p.calls); i++ {
			if apart := p.calls[i].at.Sub(p.calls[i-1].at); apart < pause(i) || apart > pause(i)+time.Minute {
				t.Errorf("attempt %d: got %v after the one before, want %v", i+1, apart, pause(i))
			}
		}
		if pause(1) != time.Minute || pause(2) != 2*time.Minute || pause(maxFailures) != maxPause {
			t.Error("pauses do not double from a minute to the maximum")
		}
		if s := w.mail("m--r").State; s.Status != outbox.Failed || !strings.Contains(s.Cause, "503") || s.Doubts != 0 {
			t.Errorf("got %+v, want failed and never in doubt", s)
		}
		w.nothingWaits()
	})
}

func TestRunBeginsNoMailShortlyBeforeTheDeadline(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(100, soon)
		p := &provider{delay: 9 * time.Second}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := w.dispatcher(p).Run(ctx); err != nil {
			t.Fatal(err)
		}
		// Rounds of eight begin after 0, 9, 18 and 27 seconds, and none after 35.
		if took := time.Since(start); took > time.Minute-recordTimeout || len(p.calls) != 4*8 {
			t.Errorf("got %d mails in %v, want 32 before the deadline", len(p.calls), took)
		}
		for _, id := range ids {
			s := w.status(id)
			if (s == outbox.Sent) != (p.accepted()[id] == 1) || s != outbox.Sent && s != outbox.Waiting {
				t.Errorf("mail %s: got %s after %d calls", id, s, p.accepted()[id])
			}
		}
	})
}

func TestTableErrorEndsTheRunAndTheNextContinues(t *testing.T) {
	for step := 1; ; step++ {
		var failed atomic.Bool
		inTestEnv(t, func(w *testEnv) {
			ids := w.putMany(3, soon)
			w.faulty.Reset()
			w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.N >= step && c.N < step+20 { // longer than a record is repeated
					failed.Store(true)
					return tabletest.Down
				}
				return tabletest.Fault{}
			}
			p := &provider{}
			d := w.dispatcher(p)
			err := d.Run(context.Background())
			if failed.Load() && err == nil && strings.Contains(w.log.String(), `"level":"ERROR"`) {
				t.Errorf("failure from call %d: got no error, logged %s", step, w.log.String())
			}
			w.faulty.Fault = nil
			for range 3 { // after the lease, and after the wait for events
				time.Sleep(31 * time.Minute)
				w.run(d)
			}
			for _, id := range ids {
				n, m := p.accepted()[id], w.mail(id)
				if m.State.Status != outbox.Sent || n < 1 || n > 2 || n == 2 && !p.callsOf(id)[1].maybeTwice {
					t.Errorf("failure from call %d: mail %s was accepted %d times, %+v", step, id, n, m.State)
				}
			}
			w.nothingWaits()
		})
		if !failed.Load() {
			if step < 10 {
				t.Errorf("got %d steps, want more", step)
			}
			return
		}
	}
}

func TestRecordWithALostAnswerIsNotRepeated(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(soon("m", "a.example"))
		writes := 0
		w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
			for _, write := range c.Writes {
				if strings.Contains(string(write.Row.Data), `"status":"sent"`) {
					if writes++; writes == 1 {
						return tabletest.Lost
					}
				}
			}
			return tabletest.Fault{}
		}
		p := &provider{}
		w.run(w.dispatcher(p))
		w.eachOnce(p, []string{"m--r"})
		if writes != 2 { // the second one finds the first
			t.Errorf("got %d writes, want 2", writes)
		}
		w.logged(`"MailsSent":1`)
	})
}

func TestClockThatIsSetBackLosesNoMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		var shift time.Duration
		w.now = func() time.Time { return time.Now().Add(shift) }
		w.put(soon("lost", "a.example"), soon("refused", "b.example"), soon("good", "c.example"))
		p := &provider{quota: mail.Quota{PerSecond: 1}, fault: func(m mail.Message) (bool, error) {
			switch m.About {
			case "lost":
				return false, errLost
			case "refused":
				return false, errServer
			}
			return true, nil
		}}
		d := w.dispatcher(p)
		w.run(d)
		w.put(soon("new", "d.example"))
		p.fault = nil
		shift = -365 * 24 * time.Hour
		before := time.Now()
		w.run(d)
		if took := time.Since(before); p.accepted()["new--r"] != 1 || took > 3*time.Second {
			t.Errorf("got %v in %v, want the new mail sent at once", p.accepted(), took)
		}
		shift = time.Hour
		w.run(d)
		w.eachOnce(p, []string{"lost--r", "refused--r", "good--r", "new--r"})

		// A mail whose pause is over is ready, also if the clock is set back after that.
		w.put(soon("paused", "a.example"))
		p.fault = always(errServer)
		w.run(d)
		time.Sleep(2 * time.Minute)
		p.fault = always(fmt.Errorf("%w: Maximum sending rate exceeded", mail.ErrThrottled))
		w.run(d)
		p.fault = nil
		shift = -time.Hour
		w.run(d)
		w.eachOnce(p, []string{"paused--r"})
	})
}

func TestLogHasNoPersonalData(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(urgent("m0", "a.example"), urgent("m1", "b.example"), urgent("m2", "c.example"),
			urgent("m3", "d.example"))
		p := &provider{fault: func(m mail.Message) (bool, error) {
			kind := map[string]error{"m0": mail.ErrRejected, "m1": errors.New("lost"), "m2": mail.ErrSetup}[m.About]
			if kind == nil {
				return true, nil
			}
			return false, fmt.Errorf("%w: to Ada.L+x@mail.example.org: refused", kind)
		}}
		err := w.dispatcher(p).Run(context.Background())
		if !errors.Is(err, mail.ErrSetup) {
			t.Fatalf("got %v, want ErrSetup", err)
		}
		all := w.log.String() + err.Error()
		for _, id := range []string{"m0--q", "m1--q", "m2--q"} {
			all += w.mail(id).State.Cause
		}
		if strings.Contains(all, "@") || strings.Contains(all, "Lovelace") || !strings.Contains(all, "[redacted]") {
			t.Errorf("logged %s", all)
		}
	})
}
