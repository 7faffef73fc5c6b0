package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/infra/localdata"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table/bolt"
)

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
		w := &worker{clock: clock, mailer: nothing, sweep: nothing, log: slog.New(slog.DiscardHandler),
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

func TestInterruptedClockMoveKeepsItsDays(t *testing.T) {
	dir := localdata.Dir(t.TempDir())
	now := func() time.Time { return time.Date(2018, 3, 1, 12, 0, 0, 0, time.UTC) }
	clock, err := dir.OpenClock(now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, breakOff := context.WithCancel(t.Context())
	days := 0
	w := &worker{clock: clock, log: slog.New(slog.DiscardHandler), mailer: func(context.Context) error { return nil },
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

func TestInterruptedEmailMayBeSentTwice(t *testing.T) {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	now := time.Date(2018, 3, 1, 12, 0, 0, 0, time.UTC)
	s := store.New(engine, store.Options{Now: func() time.Time { return now }})
	details := request.Details{Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX",
		Email: "ada@example.org"}
	_, _, err = s.FileRequest(t.Context(), details, "", func(r request.Request) []mail.Message {
		return []mail.Message{{ID: "being-sent", About: r.ID}, {ID: "waiting", About: r.ID}}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClaimMail(t.Context(), "being-sent", time.Hour); err != nil {
		t.Fatal(err)
	}

	if err := releaseClaims(t.Context(), s, now); err != nil {
		t.Fatal(err)
	}
	for id, twice := range map[string]bool{"being-sent": true, "waiting": false} {
		m, err := s.ClaimMail(t.Context(), id, time.Hour)
		if err != nil || m.MaybeTwice != twice {
			t.Errorf("%s: got maybe sent twice %v, want %v; %v", id, m.MaybeTwice, twice, err)
		}
	}
}
