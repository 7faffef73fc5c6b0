package dispatch

import (
	"context"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/tabletest"
)

const stream = `{"Records":[{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb",` +
	`"dynamodb":{"Keys":{"PK":{"S":"OUTBOX#1#0"}},"SequenceNumber":"1"}}]}`

const noFailures = `{"batchItemFailures":[]}`

func TestEveryCallerGetsItsAnswer(t *testing.T) {
	for _, payload := range []string{stream, `{"source":"aws.scheduler"}`, `{}`, `{"Records":[]}`, `null`, `"x"`, ``,
		`garbage`, `[1,2]`, `{"Records":7}`} {
		inTestEnv(t, func(w *testEnv) {
			ids := w.putMany(2, soon)
			p := &provider{}
			d := w.dispatcher(p)
			answer, err := d.Invoke(context.Background(), []byte(payload))
			if err != nil || string(answer) != noFailures {
				t.Errorf("%q: got %s, %v; want a success", payload, answer, err)
			}
			w.eachOnce(p, ids)

			w.faulty.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
			answer, err = d.Invoke(context.Background(), []byte(payload))
			if payload == stream && (err != nil || string(answer) != noFailures) {
				t.Errorf("the stream would deliver the records again: %s, %v", answer, err)
			}
			if payload != stream && err == nil {
				t.Errorf("%q: a failed run is not an error", payload)
			}
		})
	}
}

// TestStreamWaitsForAnotherMailer has a mailer that has looked for the last time before the mail was written.
func TestStreamWaitsForAnotherMailer(t *testing.T) {
	for _, held := range []time.Duration{2 * time.Second, time.Minute} {
		for _, payload := range []string{stream, `{}`} {
			inTestEnv(t, func(w *testEnv) {
				other, err := w.box.Acquire(context.Background(), leaseLength)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					time.Sleep(held)
					other.Release(context.Background())
				}()
				w.put(urgent("m", "a.example"))
				p := &provider{}
				start := time.Now()
				if answer, err := w.dispatcher(p).Invoke(context.Background(), []byte(payload)); err != nil ||
					string(answer) != noFailures {
					t.Errorf("got %s, %v; want a success", answer, err)
				}
				took, s := time.Since(start), w.status("m--q")
				switch {
				case payload != stream && took != 0:
					t.Errorf("the sweep waited %v, want it to leave the mails to the other", took)
				case payload == stream && held < waitForOther && s != outbox.Sent:
					t.Errorf("got the mail %s after %v, want sent", s, took)
				case took > waitForOther+askOther:
					t.Errorf("the stream waited %v, want %v at most", took, waitForOther)
				}
				time.Sleep(time.Hour)
			})
		}
	}
}

// TestLongRunFindsUrgentMail has a mailer that is busy with reminders while the stream gives up.
func TestLongRunFindsUrgentMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(60, remind)
		p := &provider{quota: mail.Quota{PerSecond: 1}}
		d := w.dispatcher(p)
		go w.run(d)
		time.Sleep(10 * time.Second)
		w.put(urgent("m", "a.example"))
		if _, err := w.dispatcher(p).Invoke(context.Background(), []byte(stream)); err != nil {
			t.Error(err)
		}
		if s := w.status("m--q"); s != outbox.Sent {
			t.Errorf("got %s, want sent by the other mailer", s)
		}
		time.Sleep(time.Hour)
		w.eachOnce(p, append(ids, "m--q"))
	})
}
