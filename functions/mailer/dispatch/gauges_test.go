package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math"
	"testing"
	"time"

	"marketplace/shared/alarm"
	"marketplace/shared/mail"
	"marketplace/shared/table/tabletest"
)

const schedule = `{"source":"aws.scheduler"}`

// gaugesEnv is a testEnv whose Dispatcher publishes gauges.
type gaugesEnv struct {
	*testEnv
	d       *Dispatcher
	ctx     context.Context // of each invocation
	watched alarm.Readings
	reads   int // of watched
}

func inGaugesEnv(t *testing.T, p *provider, f func(w *gaugesEnv)) {
	t.Helper()
	inTestEnv(t, func(env *testEnv) {
		w := &gaugesEnv{testEnv: env, watched: alarm.Readings{DailyRun: time.Now()}, ctx: context.Background()}
		w.d = w.dispatcher(p)
		w.d.Watched = func(context.Context) (alarm.Readings, error) { w.reads++; return w.watched, nil }
		f(w)
	})
}

// invoke invokes the function, and returns the values of each line with gauges that it logs.
func (w *gaugesEnv) invoke(payload string) (lines []map[string]float64) {
	w.t.Helper()
	w.log.Reset()
	w.d.Invoke(w.ctx, []byte(payload))
	for line := range bytes.Lines(w.log.Bytes()) {
		var v struct {
			Msg, Stage string
			AWS        struct {
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		var values map[string]any
		if json.Unmarshal(line, &v) != nil || json.Unmarshal(line, &values) != nil {
			w.t.Fatalf("got the line %s", line)
		}
		if v.Msg != "gauges" {
			continue
		}
		m := v.AWS.CloudWatchMetrics[0]
		if v.Stage != "test" || len(m.Dimensions) != 1 || m.Dimensions[0][0] != "Stage" {
			w.t.Errorf("got %s, want the dimension Stage", line)
		}
		got := map[string]float64{}
		for _, metric := range m.Metrics {
			got[metric.Name] = values[metric.Name].(float64)
			for _, rule := range alarm.Rules {
				if rule.Metric == metric.Name && string(rule.Unit) != metric.Unit {
					w.t.Errorf("%s: got the unit %s, want %s", metric.Name, metric.Unit, rule.Unit)
				}
			}
		}
		lines = append(lines, got)
	}
	return lines
}

// one invokes the function on schedule, and returns the values of its only line with gauges.
func (w *gaugesEnv) one() map[string]float64 {
	w.t.Helper()
	lines := w.invoke(schedule)
	if len(lines) != 1 {
		w.t.Fatalf("got %d lines with gauges, want one: %s", len(lines), w.log.String())
	}
	return lines[0]
}

func TestSweepPublishesTheGauges(t *testing.T) {
	inGaugesEnv(t, &provider{}, func(w *gaugesEnv) {
		ended := time.Now().Add(-90 * time.Minute)
		w.watched = alarm.Readings{DailyRun: ended, Failed: 2, InDoubt: 3, LateUntold: 1, Sent: 1, Quota: 4}
		want := map[string]float64{
			"HoursSinceDailyRun": 1.5, "OldestUrgentMail": 0, "OldestConfirmation": 0, "OldestReminder": 0,
			"FailedMails": 2, "MailsInDoubt": 3, "MailQuotaUsed": 25, "LateRequestsUntold": 1,
		}
		if got := w.one(); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestDailyRunThatIsNotOnRecordIsNotPublished(t *testing.T) {
	inGaugesEnv(t, &provider{}, func(w *gaugesEnv) {
		w.watched = alarm.Readings{}
		if got := w.one(); len(got) != 7 {
			t.Errorf("got %v, want all but the hours since the daily run", got)
		}
	})
}

func TestGaugesArePublishedEveryFewMinutes(t *testing.T) {
	inGaugesEnv(t, &provider{}, func(w *gaugesEnv) {
		w.put(urgent("m", "a.example"))
		if got := w.invoke(stream); len(got) != 0 || w.reads != 0 {
			t.Errorf("got %v and %d reads by a run that the stream started, want none", got, w.reads)
		}
		published, last, start := 0, time.Now(), time.Now()
		for time.Since(start) < time.Hour { // as the schedule does
			if len(w.invoke(schedule)) > 0 {
				if ago := time.Since(last); published > 0 && (ago < alarm.PublishEvery || ago > 5*time.Minute) {
					t.Errorf("got gauges after %v, want every few minutes", ago)
				}
				published, last = published+1, time.Now()
			}
			time.Sleep(time.Minute)
		}
		if published != 15 || w.reads != 15 {
			t.Errorf("got %d lines in an hour after %d reads, want 15", published, w.reads)
		}
	})
}

func TestClockSetBackDoesNotStopTheGauges(t *testing.T) {
	inGaugesEnv(t, &provider{fault: always(errServer)}, func(w *gaugesEnv) {
		back := time.Duration(0)
		w.now = func() time.Time { return time.Now().Add(-back) }
		w.put(urgent("m", "a.example"))
		w.one()
		back = 48 * time.Hour // what is ready and the daily run are of the future
		for metric, v := range w.one() {
			if v != 0 {
				t.Errorf("%s: got %v, want 0", metric, v)
			}
		}
	})
}

// TestOldestReadyMailIsWhatTheRunLeft has a provider whose quota leaves reminders, and then all, where they are.
func TestOldestReadyMailIsWhatTheRunLeft(t *testing.T) {
	p := &provider{quota: mail.Quota{PerDay: 100, SentLastDay: 75}}
	inGaugesEnv(t, p, func(w *gaugesEnv) {
		w.put(urgent("u", "a.example"), soon("s", "a.example"), remind("r", "a.example"))
		time.Sleep(10 * time.Second)
		w.put(remind("later", "b.example"))
		time.Sleep(20 * time.Second)
		check := func(urgent, soon, reminder float64) {
			t.Helper()
			got := w.one()
			if math.Round(got["OldestUrgentMail"]) != urgent || math.Round(got["OldestConfirmation"]) != soon ||
				math.Round(got["OldestReminder"]) != reminder {
				t.Errorf("got %v, want %v, %v and %v", got, urgent, soon, reminder)
			}
		}
		check(0, 0, 30)
		p.quota.SentLastDay = 100
		w.put(urgent("u2", "c.example"), soon("s2", "c.example"))
		time.Sleep(5 * time.Minute)
		check(300, 300, 330)
		p.quota.SentLastDay = 0
		time.Sleep(5 * time.Minute)
		check(0, 0, 0)
	})
}

// TestMailThatAnOutageReturnsIsStillReady has the third mail in a row fail: the first two are paused.
func TestMailThatAnOutageReturnsIsStillReady(t *testing.T) {
	inGaugesEnv(t, &provider{fault: always(errServer)}, func(w *gaugesEnv) {
		w.d.AtOnce = 1
		w.putMany(3, urgent)
		time.Sleep(20 * time.Second)
		if got := w.one(); math.Round(got["OldestUrgentMail"]) != 20 {
			t.Errorf("got %v, want an urgent mail of 20 seconds", got)
		}
	})
}

// TestGaugesArePublishedWhileAnotherMailerSends has a mailer that sends for longer than a period of the alarms.
func TestGaugesArePublishedWhileAnotherMailerSends(t *testing.T) {
	inGaugesEnv(t, &provider{}, func(w *gaugesEnv) {
		if _, err := w.box.Acquire(context.Background(), leaseLength); err != nil {
			t.Fatal(err)
		}
		w.put(remind("r", "a.example"))
		time.Sleep(7 * time.Second)
		if got := w.one(); got["OldestReminder"] != 7 {
			t.Errorf("got %v, want a reminder of 7 seconds", got)
		}
	})
}

// TestGaugesOfARunWithoutALookAreRead has too little time left to look for what is ready.
func TestGaugesOfARunWithoutALookAreRead(t *testing.T) {
	inGaugesEnv(t, &provider{}, func(w *gaugesEnv) {
		w.put(urgent("u", "a.example"))
		time.Sleep(7 * time.Second)
		var cancel context.CancelFunc
		w.ctx, cancel = context.WithTimeout(w.ctx, mailTimeout/2)
		defer cancel()
		if got := w.one(); got["OldestUrgentMail"] != 7 {
			t.Errorf("got %v, want an urgent mail of 7 seconds", got)
		}
	})
}

// TestGaugesSurviveFailures has a table that is down for a sweep, and a setup that is wrong.
func TestGaugesSurviveFailures(t *testing.T) {
	inGaugesEnv(t, &provider{quotaErr: mail.ErrSetup}, func(w *gaugesEnv) {
		w.faulty.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
		if got := w.invoke(schedule); len(got) != 0 {
			t.Errorf("got %v without the table", got)
		}
		w.logged("cannot read what the alarms watch")
		w.faulty.Fault = nil
		w.put(urgent("u", "a.example"))
		time.Sleep(time.Minute)
		if got := w.one(); got["OldestUrgentMail"] != 60 {
			t.Errorf("got %v, want the gauges of the next sweep, though it failed", got)
		}
	})
}
