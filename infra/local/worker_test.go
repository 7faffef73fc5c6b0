package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/catalog"
	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/reminders/late"
	"marketplace/infra/localdata"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/mail/notice"
	"marketplace/shared/mail/outboxdir"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/bolt"
)

// never is of no late request.
func never(context.Context) (time.Time, error) { return time.Time{}, nil }

func TestDailyRunCatchesUpAfterSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept atomic.Int64 // while the computer sleeps, the real clock runs on and timers stop
		clock, err := localdata.Dir(t.TempDir()).OpenClock(func() time.Time {
			return time.Now().Add(time.Duration(slept.Load()))
		})
		if err != nil {
			t.Fatal(err)
		}
		var runs atomic.Int64
		nothing := func(context.Context) error { return nil }
		w := &worker{clock: clock, mailer: nothing, expire: nothing, late: nothing,
			log:       slog.New(slog.DiscardHandler),
			reminders: func(context.Context) error { runs.Add(1); return nil }}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go w.run(ctx)

		for _, step := range []struct {
			passes time.Duration
			asleep bool
			runs   int64
		}{
			{time.Hour, false, 0},
			{24 * time.Hour, false, 1},
			{3 * 24 * time.Hour, true, 2},
			{-2 * 24 * time.Hour, true, 2},
			{time.Hour, false, 2},
		} {
			if step.asleep {
				slept.Add(int64(step.passes))
			} else {
				time.Sleep(step.passes)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := runs.Load(); got != step.runs {
				t.Errorf("after %v, asleep %v: got %d daily runs, want %d", step.passes, step.asleep, got, step.runs)
			}
		}
	})
}

func TestNothingIsLeftToDoAfterAMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, err := localdata.Dir(t.TempDir()).OpenClock(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var runs, lates atomic.Int64
		nothing := func(context.Context) error { return nil }
		w := &worker{clock: clock, mailer: nothing, expire: nothing, nextLate: never,
			log:       slog.New(slog.DiscardHandler),
			reminders: func(context.Context) error { runs.Add(1); return nil },
			late:      func(context.Context) error { lates.Add(1); return nil },
			replan:    func(context.Context, time.Time) error { return nil }}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go w.run(ctx)
		synctest.Wait()
		start := clock.Now()
		for _, to := range []time.Time{start.AddDate(0, 0, 3), start.AddDate(0, 0, -3), start.AddDate(0, 0, 1)} {
			if err := w.move(ctx, to); err != nil {
				t.Fatal(err)
			}
			runs.Store(0)
			lates.Store(0)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if r, l := runs.Load(), lates.Load(); r != 0 || l != 0 {
				t.Errorf("after a move to %v: got %d daily runs and %d for late requests, want none", to, r, l)
			}
		}
	})
}

func TestInterruptedClockMoveKeepsItsDays(t *testing.T) {
	dir := localdata.Dir(t.TempDir())
	now := func() time.Time { return time.Date(2018, 3, 1, 12, 0, 0, 0, time.UTC) }
	clock, err := dir.OpenClock(now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, breakOff := context.WithCancel(t.Context())
	days := 0
	nothing := func(context.Context) error { return nil }
	w := &worker{clock: clock, log: slog.New(slog.DiscardHandler), mailer: nothing, late: nothing, nextLate: never,
		reminders: func(context.Context) error {
			if days++; days == 5 {
				breakOff()
			}
			return nil
		}}
	if err := w.move(ctx, now().AddDate(1, 0, 0)); err == nil {
		t.Error("interrupted move: got no error")
	}
	again, err := dir.OpenClock(now)
	if want := time.Date(2018, 3, 6, 6, 0, 0, 0, time.UTC); err != nil || !again.Now().Equal(want) {
		t.Errorf("after a restart: got %v, %v, want %v", again.Now(), err, want)
	}
}

func TestMailerIsRunEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, err := localdata.Dir(t.TempDir()).OpenClock(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var runs atomic.Int64
		nothing := func(context.Context) error { return nil }
		w := &worker{clock: clock, reminders: nothing, expire: nothing, late: nothing,
			log:    slog.New(slog.DiscardHandler),
			mailer: func(context.Context) error { runs.Add(1); return nil }}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go w.run(ctx)
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if got := runs.Load(); got != 10 {
			t.Errorf("after 10 minutes: got %d runs, want 10", got)
		}
	})
}

// mailEnv is an outbox and the folder that its mails are sent to.
type mailEnv struct {
	store *delivery.Store
	sent  *outboxdir.Dir
	clock *localdata.Clock
}

func newMailEnv(t *testing.T) *mailEnv {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	clock, err := localdata.Dir(t.TempDir()).OpenClock(func() time.Time {
		return time.Date(2018, 3, 1, 12, 0, 0, 0, time.UTC)
	})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := outboxdir.Open(t.TempDir(), mail.Address{Email: "licensing@vendor.example"}, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sent.Close() })
	return &mailEnv{delivery.New(store.New(engine, store.Options{Now: clock.Now})), sent, clock}
}

// file files a request and returns the ID of its email.
func (w *mailEnv) file(t *testing.T) (mailID string) {
	details := request.Details{Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX",
		Email: "ada@example.org"}
	r, _, err := w.store.FileRequest(t.Context(), store.Filing{Details: details})
	if err != nil {
		t.Fatal(err)
	}
	return notice.RequestReceived(r).ID
}

// begin marks a mail as being sent by a mailer with a lease, and returns its letter.
func (w *mailEnv) begin(t *testing.T, lease *outbox.Lease, id string) mail.Message {
	letter := mail.Message{ID: id, Kind: mail.RequestReceived, To: mail.Address{Email: "ada@example.org"},
		Subject: "s", Text: "t", HTML: "h"}
	m, err := w.store.Outbox().Read(t.Context(), id)
	if err == nil {
		_, err = w.store.Outbox().Begin(t.Context(), m, lease.Fence, letter)
	}
	if err != nil {
		t.Fatal(err)
	}
	return letter
}

func TestKilledServerSendsNoEmailTwice(t *testing.T) {
	w := newMailEnv(t)
	lease, err := w.store.Outbox().Acquire(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	written, unwritten, waiting := w.file(t), w.file(t), w.file(t)
	letter := w.begin(t, lease, written)
	if _, err := w.sent.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	w.begin(t, lease, unwritten)

	if err := recoverMails(t.Context(), w.store.Outbox(), w.sent, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]outbox.Status{
		written: outbox.Sent, unwritten: outbox.Waiting, waiting: outbox.Waiting,
	} {
		m, err := w.store.Outbox().Read(t.Context(), id)
		if err != nil || m.State.Status != want || m.MaybeTwice() {
			t.Errorf("%s: got %s, maybe sent twice %v, %v, want %s", id, m.State.Status, m.MaybeTwice(), err, want)
		}
	}
	ready, err := lettertest.Ready(t.Context(), w.store)
	isWritten := func(m outbox.Mail) bool { return m.ID == written }
	if err != nil || len(ready) != 2 || slices.ContainsFunc(ready, isWritten) {
		t.Errorf("got ready emails %v, %v, want all but the one that was written", ready, err)
	}
	if _, err := w.store.Outbox().Acquire(t.Context(), time.Minute); err != nil {
		t.Errorf("lease after the kill: got %v, want no wait", err)
	}
}

// TestMoveOfTheClockSendsWhatGetsReadyOnTheWay pauses an email, and moves the clock over the end of its pause.
func TestMoveOfTheClockSendsWhatGetsReadyOnTheWay(t *testing.T) {
	w := newMailEnv(t)
	began := w.clock.Now()
	id := w.file(t)
	m, err := w.store.Outbox().Read(t.Context(), id)
	if err == nil {
		err = w.store.Outbox().Pause(t.Context(), m, "busy", began.Add(37*time.Hour), true)
	}
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	letters := letter.Writer{URL: "http://localhost", Sales: mail.Address{Email: "sales@vendor.example"}}
	mailer := dispatch.New(dispatch.Options{
		Outbox: w.store.Outbox(), Records: w.store, Expander: expansion.New(w.store), Sender: w.sent, Now: w.clock.Now,
		Log: log, Write: letters.With(func() (*catalog.Catalog, error) { return nil, nil }),
	})
	nothing := func(context.Context) error { return nil }
	worker := &worker{clock: w.clock, log: log, mailer: mailer.Run, reminders: nothing, late: nothing, nextLate: never}
	if err := worker.move(t.Context(), began.AddDate(0, 0, 9)); err != nil {
		t.Fatal(err)
	}
	m, err = w.store.Outbox().Read(t.Context(), id)
	if want := time.Date(2018, 3, 3, 6, 0, 0, 0, time.UTC); err != nil || m.State.Status != outbox.Sent ||
		!m.State.Closed.Equal(want) {
		t.Errorf("got %+v, %v, want it sent on %v, by the first run after the pause", m.State, err, want)
	}
}

// TestMoveOfTheClockTellsOfLateRequestsInTime moves the clock over the moments at which a reviewer and sales are told.
func TestMoveOfTheClockTellsOfLateRequestsInTime(t *testing.T) {
	w := newMailEnv(t)
	id := notice.AboutID(w.file(t))
	r, err := w.store.Request(t.Context(), id)
	if err == nil {
		_, err = w.store.Review(t.Context(), store.Review{ID: id, Version: r.Version, By: "sam@vendor.example",
			To: request.InReview})
	}
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(context.Context) error { return nil }
	runs := 0
	job := late.New(late.Options{Store: w.store, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler)})
	worker := &worker{clock: w.clock, log: slog.New(slog.DiscardHandler), mailer: nothing, reminders: nothing,
		nextLate: w.store.NextLate, late: func(ctx context.Context) error { runs++; return job.Run(ctx) }}
	if err := worker.move(t.Context(), w.clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if r, err = w.store.Request(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	reviewer, sales := r.LateTold.Reviewer.Sub(r.Due), r.LateTold.Sales.Sub(r.LateTold.Reviewer)
	if reviewer <= 0 || reviewer > lateEvery || sales != 2*time.Hour {
		t.Errorf("told the reviewer %v after the deadline, and sales %v later", reviewer, sales)
	}
	if runs > 10 {
		t.Errorf("got %d runs in a year, want those with something to do", runs)
	}
}

func TestLateRequestsAreLookedForEveryTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, err := localdata.Dir(t.TempDir()).OpenClock(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var runs atomic.Int64
		nothing := func(context.Context) error { return nil }
		w := &worker{clock: clock, reminders: nothing, expire: nothing, mailer: nothing,
			log: slog.New(slog.DiscardHandler), late: func(context.Context) error { runs.Add(1); return nil }}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go w.run(ctx)
		time.Sleep(time.Hour + 2*time.Second)
		synctest.Wait()
		if got := runs.Load(); got != 6 {
			t.Errorf("after an hour: got %d runs, want 6", got)
		}
	})
}
