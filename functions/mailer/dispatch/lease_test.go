package dispatch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
)

func TestOneDispatcherSendsAtATime(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(60, soon)
		p := &provider{delay: 50 * time.Millisecond}
		same := w.dispatcher(p)
		var wg sync.WaitGroup
		var mu sync.Mutex
		sending, held := 0, 0
		for i := range 6 {
			d := same
			if i%2 == 0 {
				d = w.dispatcher(p)
			}
			wg.Go(func() {
				err := d.Run(context.Background())
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					sending++
				case errors.Is(err, outbox.ErrHeld):
					held++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if sending != 1 || held != 5 {
			t.Errorf("got %d that sent and %d that were told, want 1 and 5", sending, held)
		}
		w.eachOnce(p, ids)
	})
}

func TestLeaseOfADeadDispatcherRunsOut(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(soon("m", "a.example"))
		if _, err := w.box.Acquire(context.Background(), leaseLength); err != nil { // and its process dies
			t.Fatal(err)
		}
		p := &provider{}
		d := w.dispatcher(p)
		time.Sleep(leaseLength - time.Second)
		if err := d.Run(context.Background()); !errors.Is(err, outbox.ErrHeld) || len(p.calls) != 0 {
			t.Errorf("got %v and %d calls, want ErrHeld and none", err, len(p.calls))
		}
		time.Sleep(time.Second)
		w.run(d)
		w.eachOnce(p, []string{"m--r"})
	})
}

// freezer is a Sender and an Outbox whose process stops for a while at a step.
type freezer struct {
	*outbox.Box
	mail.Sender
	beforeBegin, beforeCall, afterCall time.Duration
}

func (f *freezer) Begin(ctx context.Context, m outbox.Mail, fence int64, l mail.Message) (outbox.Mail, error) {
	time.Sleep(f.beforeBegin)
	return f.Box.Begin(context.WithoutCancel(ctx), m, fence, l)
}

func (f *freezer) Send(ctx context.Context, m mail.Message) (string, error) {
	time.Sleep(f.beforeCall)
	id, err := f.Sender.Send(context.WithoutCancel(ctx), m)
	time.Sleep(f.afterCall)
	return id, err
}

// TestFrozenMailerThatThawsSendsNothingTwice stops a mailer while another one goes through the outbox.
func TestFrozenMailerThatThawsSendsNothingTwice(t *testing.T) {
	for name, frozen := range map[string]freezer{
		"before the mark": {beforeBegin: time.Minute},
		"before the call": {beforeCall: time.Minute},
		"after the call":  {afterCall: time.Minute},
	} {
		inTestEnv(t, func(w *testEnv) {
			ids := w.putMany(3, soon)
			p := &provider{}
			frozen.Box, frozen.Sender = w.box, p
			first := w.dispatcher(&frozen)
			first.Outbox, first.AtOnce = &frozen, 1
			done := make(chan struct{})
			go func() {
				defer close(done)
				if err := first.Run(context.Background()); !errors.Is(err, outbox.ErrHeld) {
					t.Errorf("%s: got %v from the frozen mailer, want ErrHeld", name, err)
				}
			}()
			time.Sleep(leaseLength + time.Second)
			second := w.dispatcher(p)
			w.run(second)
			<-done
			w.logged("another mailer has taken over")
			w.runFor(second, time.Hour)
			w.eachOnce(p, ids)
		})
	}
}

// TestCallOfAFrozenMailerIsRecordedUnlessAnother has a mailer that marks a mail after another one took over.
func TestMarkOfAnOlderFenceIsInDoubt(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(urgent("m", "a.example"))
		ctx := context.Background()
		old, err := w.box.Acquire(ctx, leaseLength)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(leaseLength)
		if _, err := w.box.Begin(ctx, w.mail("m--q"), old.Fence, mail.Message{ID: "m--q"}); err != nil {
			t.Fatal(err)
		}
		p := &provider{}
		w.run(w.dispatcher(p))
		if s := w.mail("m--q").State; s.Status != outbox.InDoubt || s.Doubts != 1 || len(p.calls) != 0 {
			t.Errorf("got %+v and %d calls, want in doubt and none", s, len(p.calls))
		}
	})
}
