package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// provider is a mail.Sender that counts the messages it accepted.
type provider struct {
	quota    mail.Quota
	quotaErr error
	delay    time.Duration // before each answer
	// fault decides whether a message is accepted, and the answer; nil accepts every message.
	fault func(m mail.Message) (accepted bool, err error)

	mu       sync.Mutex
	accepted map[string]int
	at       []time.Time // times of the calls of Send
	quotas   int         // calls of Quota
}

func (p *provider) Send(ctx context.Context, m mail.Message) (string, error) {
	select {
	case <-time.After(p.delay):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
	accepted, err := true, error(nil)
	if p.fault != nil {
		accepted, err = p.fault(m)
	}
	if accepted {
		if p.accepted == nil {
			p.accepted = map[string]int{}
		}
		p.accepted[m.ID]++
	}
	return "provider-" + m.ID, err
}

func (p *provider) Quota(context.Context) (mail.Quota, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quotas++
	return p.quota, p.quotaErr
}

// testEnv is an outbox over a faulty bolt table, and a log. Its clock is time.Now, which is that of the synctest
// bubble.
type testEnv struct {
	t      testing.TB
	faulty *tabletest.Faulty
	store  *store.Store
	log    bytes.Buffer
	logger *slog.Logger
}

func newTestEnv(t testing.TB, dir string) *testEnv {
	t.Helper()
	b, err := bolt.Open(dir + ".bolt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w := &testEnv{t: t, faulty: &tabletest.Faulty{Table: b}}
	w.store = store.New(w.faulty, store.Options{Now: time.Now})
	w.logger = logging.New(&w.log)
	return w
}

// inTestEnv runs a test in a synctest bubble.
func inTestEnv(t *testing.T, f func(w *testEnv)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "table")
	synctest.Test(t, func(t *testing.T) { f(newTestEnv(t, dir)) })
}

func (w *testEnv) dispatcher(p *provider) *Dispatcher {
	return &Dispatcher{Outbox: w.store, Sender: p, Now: time.Now, Log: w.logger}
}

var details = request.Details{
	Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000, ProductVersion: "6.7",
	Name: "Ada Lovelace", Email: "ada@example.org", Company: "Analytical Engines", Country: "England",
}

// put puts mails m000, m001, … into the outbox; prefix replaces the m.
func (w *testEnv) put(n int, prefix ...string) {
	w.t.Helper()
	prefix = append(prefix, "m")
	for begin := 0; begin < n; begin += 25 {
		_, _, err := w.store.FileRequest(context.Background(), details, "",
			func(request.Request) (list []mail.Message) {
				for i := begin; i < min(n, begin+25); i++ {
					list = append(list, mail.Message{ID: fmt.Sprintf("%s%03d", prefix[0], i),
						Kind:  mail.RequestReceived,
						About: "r1",
						To:    mail.Address{Name: "Ada Lovelace", Email: "ada@example.org"}, Subject: "s", Text: "t"})
				}
				return list
			})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *testEnv) mail(i int) store.Mail {
	w.t.Helper()
	m, err := w.store.Mail(context.Background(), fmt.Sprintf("m%03d", i))
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *testEnv) run(d *Dispatcher) {
	w.t.Helper()
	if err := d.Run(context.Background()); err != nil {
		w.t.Fatal(err, w.log.String())
	}
}

// eachOnce fails unless the provider took each of n mails exactly once.
func (w *testEnv) eachOnce(p *provider, n int) {
	w.t.Helper()
	for i := range n {
		m := w.mail(i)
		if p.accepted[m.Message.ID] != 1 || m.State != store.MailSent || m.Leased {
			w.t.Errorf("mail %d was accepted %d times and is %s, want once and sent", i, p.accepted[m.Message.ID],
				m.State)
		}
	}
}

func TestNextContactGetsTheMailsOfASuppressedAddress(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ctx := context.Background()
		l := license.License{
			ID: "l1", Type: license.Production, Organization: "Analytical Engines", Server: "AWHW8w9JtzBzSrmf9GQX",
			Edition: license.Developer,
			MaxLoc:  1, Expiration: license.DateOf(time.Now()).AddDays(90),
			Contacts: []license.Contact{{Name: "Ada Lovelace", Email: "ada@example.org"}, {Email: "it@example.org"}},
		}
		if _, err := w.store.AddLicense(ctx, l, "test"); err != nil {
			t.Fatal(err)
		}
		// also a customer here
		letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "ada@example.org"}}
		send := func(id string) mail.Message {
			m := letters.LicenseKey(id, letter.Delivery{To: l.Contacts[0], Licenses: []license.License{l}})
			if err := w.store.SendKeyAgain(ctx, l.ID, "sam", m); err != nil {
				t.Fatal(err)
			}
			return m
		}
		p := &provider{}
		d := w.dispatcher(p)
		d.Unreached = letters.LicenseUnreached
		first := send("k1")
		w.run(d)
		w.put(1)
		bounce := func(id string) {
			if _, err := w.store.RecordReport(ctx, store.Report{Mail: id, ProviderID: "c", Outcome: outbox.Bounced},
				letters.LicenseUnreached); err != nil {
				t.Fatal(err)
			}
		}
		bounce("k1")
		again := send("k2")
		w.run(d)
		w.run(d)
		for _, m := range []mail.Message{first.Readdressed(l.Contacts[1]), again.Readdressed(l.Contacts[1])} {
			if p.accepted[m.ID] != 1 {
				t.Errorf("the next contact got %s %d times", m.ID, p.accepted[m.ID])
			}
		}
		if m := w.mail(0); p.accepted["k2"]+p.accepted["m000"] != 0 || m.State != store.MailFailed || m.Leased {
			t.Errorf("the suppressed address got a mail: %v; %+v", p.accepted, m)
		}
		bounce(first.Readdressed(l.Contacts[1]).ID)
		send("k3")
		w.run(d)
		if id := letters.LicenseUnreached(l).ID; p.accepted["k3"] != 0 || p.accepted[id] != 1 {
			t.Errorf("sales did not get the task, or a customer got a mail: %v", p.accepted)
		}
		if s := w.log.String(); strings.Contains(s, "@") || strings.Contains(s, "Lovelace") ||
			!strings.Contains(s, "its address is suppressed") {
			t.Errorf("logged %s", s)
		}
	})
}

func TestEveryPendingMailIsSentOnce(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		const n = 2*pageSize + 5
		w.put(n)
		p := &provider{}
		d := w.dispatcher(p)
		w.run(d)
		w.eachOnce(p, n)
		if m := w.mail(0); m.ProviderID != "provider-m000" || m.Attempts != 1 || m.MaybeTwice || m.Sent.IsZero() {
			t.Errorf("%+v", m)
		}
		if !strings.Contains(w.log.String(), fmt.Sprintf(`"MailsSent":%d`, n)) {
			t.Errorf("logged %s", w.log.String())
		}
		w.log.Reset()
		w.run(d)
		w.eachOnce(p, n)
		if w.log.Len() > 0 {
			t.Errorf("a run with nothing to do logged %s", w.log.String())
		}
	})
}

func TestConcurrentDispatchersSendEachMailOnce(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(60)
		p := &provider{delay: 50 * time.Millisecond}
		same := w.dispatcher(p)
		var wg sync.WaitGroup
		for i := range 6 {
			d := same
			if i%2 == 0 {
				d = w.dispatcher(p)
			}
			wg.Go(func() { w.run(d) })
		}
		wg.Wait()
		w.eachOnce(p, 60)
	})
}

func TestMailsAreSentAtTheRateOfTheProvider(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(21)
		p := &provider{quota: mail.Quota{PerSecond: 2}}
		start := time.Now()
		w.run(w.dispatcher(p))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("21 mails at 2 a second: got %v, want 10s", took)
		}
		for i := range p.at[:len(p.at)-2] {
			if apart := p.at[i+2].Sub(p.at[i]); apart < 900*time.Millisecond {
				t.Errorf("mails %d to %d: got %v apart, want about a second", i, i+2, apart)
			}
		}
		w.eachOnce(p, 21)
	})
}

func TestUnknownRateIsCautious(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		p := &provider{quotaErr: fmt.Errorf("%w: Rate exceeded", mail.ErrThrottled)}
		start := time.Now()
		w.run(w.dispatcher(p))
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("3 mails: got %v, want 2s", took)
		}
		w.eachOnce(p, 3)
	})
}

func TestQuotaIsReadOnceAMinuteAndOnlyIfThereIsMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		p, start := &provider{}, time.Now()
		d := w.dispatcher(p)
		w.run(d)
		if p.quotas != 0 {
			t.Error("read the quota without mail")
		}
		for n, at := range []struct {
			after time.Duration // since the start
			calls int           // until then
		}{
			{0, 1}, {quotaAge - time.Second, 1}, {quotaAge, 2}, {quotaAge + time.Second, 2},
			{-time.Hour, 3}, // the clock is set back
		} {
			now := start.Add(at.after)
			d.Now = func() time.Time { return now }
			w.put(1, fmt.Sprintf("run%d-", n))
			w.run(d)
			if p.quotas != at.calls {
				t.Errorf("%v after the start: got %d calls, want %d", at.after, p.quotas, at.calls)
			}
		}
	})
}

func TestExhaustedQuotaKeepsAllMails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		p := &provider{quota: mail.Quota{PerDay: 1, SentLastDay: 1}}
		d := w.dispatcher(p)
		w.run(d)
		if m := w.mail(0); len(p.at) != 0 || m.State != store.MailPending || m.Attempts != 0 || m.Leased {
			t.Errorf("got %d sent, want none; %+v", len(p.at), m)
		}
		p.quota = mail.Quota{}
		time.Sleep(2 * time.Minute)
		w.run(d)
		w.eachOnce(p, 3)
	})
}

func TestThrottlingStopsTheRunAndKeepsTheRest(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(50)
		p := &provider{delay: time.Millisecond}
		p.fault = func(mail.Message) (bool, error) {
			if len(p.at) > 10 {
				return false, fmt.Errorf("%w: Daily message quota exceeded", mail.ErrThrottled)
			}
			return true, nil
		}
		w.run(w.dispatcher(p))
		if len(p.accepted) != 10 || len(p.at) > 10+atOnce {
			t.Errorf("got %d accepted of %d tries, want 10", len(p.accepted), len(p.at))
		}
		for i := range 50 {
			if m := w.mail(i); m.State != store.MailSent &&
				(m.State != store.MailPending || m.Attempts != 0 || m.Leased || m.MaybeTwice) {
				t.Errorf("mail %d: %+v", i, m)
			}
		}
		p.fault = nil
		w.run(w.dispatcher(p))
		w.eachOnce(p, 50)
	})
}

func TestBadSetupIsAnErrorAndKeepsAllMails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(20)
		p := &provider{fault: func(mail.Message) (bool, error) {
			return false, fmt.Errorf("%w: ConfigurationSetDoesNotExist", mail.ErrSetup)
		}}
		if err := w.dispatcher(p).Run(context.Background()); !errors.Is(err, mail.ErrSetup) || len(p.at) > atOnce {
			t.Errorf("%v after %d tries", err, len(p.at))
		}
		p.fault = nil
		p.quotaErr = fmt.Errorf("%w: AccessDenied", mail.ErrSetup)
		if err := w.dispatcher(p).Run(context.Background()); !errors.Is(err, mail.ErrSetup) {
			t.Errorf("no quota: %v", err)
		}
		p.quotaErr = nil
		w.run(w.dispatcher(p))
		w.eachOnce(p, 20)
	})
}

func TestRejectedMailFailsAndOthersAreSent(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		p := &provider{fault: func(m mail.Message) (bool, error) {
			if m.ID == "m001" {
				return false, fmt.Errorf("%w: MessageRejected: Address blacklisted", mail.ErrRejected)
			}
			return true, nil
		}}
		w.run(w.dispatcher(p))
		if m := w.mail(1); m.State != store.MailFailed || !strings.Contains(m.LastError, "blacklisted") || m.Leased {
			t.Errorf("%+v", m)
		}
		if w.mail(0).State != store.MailSent || w.mail(2).State != store.MailSent {
			t.Error("the other mails were not sent")
		}
		w.run(w.dispatcher(p))
		if len(p.at) != 3 {
			t.Error("the rejected mail was retried")
		}
	})
}

func TestFailingMailIsRetriedAtGrowingPausesAndThenFails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		p := &provider{fault: func(mail.Message) (bool, error) { return false, errors.New("connection reset") }}
		d := w.dispatcher(p)
		start := time.Now()
		for time.Since(start) < 48*time.Hour {
			w.run(d)
			time.Sleep(time.Minute)
		}
		if len(p.at) != maxAttempts {
			t.Fatalf("got %d attempts, want %d", len(p.at), maxAttempts)
		}
		for i := 1; i < len(p.at); i++ {
			if apart := p.at[i].Sub(p.at[i-1]); apart < pause(i) || apart > pause(i)+time.Minute {
				t.Errorf("attempt %d: got %v after the one before, want %v", i+1, apart, pause(i))
			}
		}
		if pause(1) != time.Minute || pause(2) != 2*time.Minute || pause(maxAttempts) != maxPause {
			t.Error("pauses do not double from a minute to the maximum")
		}
		if m := w.mail(0); m.State != store.MailFailed || m.LastError != "connection reset" || !m.MaybeTwice {
			t.Errorf("%+v", m)
		}
	})
}

func TestRecordWithALostAnswerIsNotRepeated(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		transacts := 0
		w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
			if c.Op == "transact" {
				transacts++
				if transacts == 2 { // the first claims the mail
					return tabletest.Lost
				}
			}
			return tabletest.Fault{}
		}
		p := &provider{}
		start := time.Now()
		w.run(w.dispatcher(p))
		w.eachOnce(p, 1)
		if took := time.Since(start); transacts != 2 || took != 0 ||
			!strings.Contains(w.log.String(), `"MailsSent":1`) {
			t.Errorf("got %d transactions in %v, want 2 at once; logged %s", transacts, took, w.log.String())
		}
	})
}

func TestRunBeginsNoMailShortlyBeforeTheDeadline(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(100)
		p := &provider{delay: 9 * time.Second}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := w.dispatcher(p).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Minute-recordTimeout || len(p.at) != 5*atOnce {
			t.Errorf("got %d mails in %v, want %d before the deadline", len(p.at), took, 5*atOnce)
		}
		for i := range 100 {
			if m := w.mail(i); m.Leased || (m.State == store.MailSent) != (p.accepted[m.Message.ID] == 1) {
				t.Errorf("mail %d: %+v", i, m)
			}
		}
	})
}

func TestHangingProviderOnlyDelaysAMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		p := &provider{delay: time.Hour}
		w.run(w.dispatcher(p))
		if m := w.mail(0); m.State != store.MailPending || m.Leased || !m.MaybeTwice {
			t.Errorf("%+v", m)
		}
		p.delay = 0
		time.Sleep(5 * time.Minute)
		w.run(w.dispatcher(p))
		w.eachOnce(p, 1)
	})
}

func TestMailThatKillsItsSenderFails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		for range maxAttempts {
			if _, err := w.store.ClaimMail(context.Background(), "m000", time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
		}
		p := &provider{}
		w.run(w.dispatcher(p))
		if m := w.mail(0); m.State != store.MailFailed || len(p.at) != 0 || m.LastError == "" {
			t.Errorf("%+v", m)
		}
	})
}

func TestLeaseThatExpiresWhileWaitingIsReleased(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		p := &provider{quota: mail.Quota{PerSecond: 0.1}}
		d := w.dispatcher(p)
		d.Lease = 5 * time.Second
		w.run(d)
		if len(p.at) != 1 {
			t.Errorf("got %d sent, want 1: the leases of the others have expired", len(p.at))
		}
		for range 2 {
			time.Sleep(time.Minute)
			w.run(d)
		}
		w.eachOnce(p, 3)
	})
}

// TestCrashAtEveryStepLosesNoMail lets the process die at each call of the table and of the provider, before the call
// and after it, and lets another one continue.
func TestCrashAtEveryStepLosesNoMail(t *testing.T) {
	const n = 3
	died := 0
	for step := 1; step == 1 || died == step-1; step++ {
		for _, lost := range []bool{false, true} {
			inTestEnv(t, func(w *testEnv) {
				w.put(n)
				var mu sync.Mutex
				calls, dead := 0, false
				// die counts a call, and reports whether the process is dead before and after it.
				die := func() (before, after bool) {
					mu.Lock()
					defer mu.Unlock()
					calls++
					if calls == step && !dead {
						dead, died = true, step
						return !lost, lost
					}
					return dead, dead
				}
				w.faulty.Fault = func(tabletest.Call) tabletest.Fault {
					switch before, after := die(); {
					case before:
						return tabletest.Down
					case after:
						return tabletest.Lost
					}
					return tabletest.Fault{}
				}
				p := &provider{}
				p.fault = func(mail.Message) (bool, error) {
					before, after := die()
					if before || after {
						return !before, errors.New("dead")
					}
					return true, nil
				}
				w.dispatcher(p).Run(context.Background())

				w.faulty.Fault, p.fault = nil, nil
				time.Sleep(defaultLease)
				w.run(w.dispatcher(p))
				time.Sleep(defaultLease)
				w.run(w.dispatcher(p))
				for i := range n {
					m := w.mail(i)
					if accepted := p.accepted[m.Message.ID]; m.State != store.MailSent || accepted < 1 ||
						accepted > 2 ||
						accepted == 2 && !m.MaybeTwice {
						t.Errorf("crash at step %d (lost %v): mail %d was accepted %d times: %+v", step, lost, i,
							accepted, m)
					}
				}
			})
		}
	}
	if died < 3*n {
		t.Errorf("got %d steps, want at least %d", died, 3*n)
	}
}

// history is a random sequence of runs and faults for a number of mails.
type history struct {
	mails    int
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
		mails: rapid.IntRange(1, 6).Draw(t, "mails"),
		table: rapid.SliceOfN(rapid.SampledFrom([]tabletest.Fault{{}, {}, {}, tabletest.Down, tabletest.Lost}), 0,
			60).Draw(t, "table"),
		provider: rapid.SliceOfN(rapid.SampledFrom([]answer{
			{true, nil}, {true, nil}, {true, errors.New("answer lost")}, {false, errors.New("connection refused")},
			{false, mail.ErrThrottled},
		}), 0, 10).Draw(t, "provider"),
		runs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) runs {
			return runs{rapid.IntRange(1, 2).Draw(t, "at once"),
				time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second}
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
	w.put(h.mails)
	var mu sync.Mutex
	w.faulty.Fault = func(tabletest.Call) tabletest.Fault {
		f, _ := next(&mu, &h.table)
		return f
	}
	p := &provider{fault: func(mail.Message) (bool, error) {
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
	for i := range h.mails {
		m := w.mail(i)
		if accepted := p.accepted[m.Message.ID]; m.State != store.MailSent || accepted < 1 ||
			accepted > 1 && !m.MaybeTwice {
			wrong += fmt.Sprintf("mail %d was accepted %d times: %+v\n", i, accepted, m)
		}
	}
	return wrong
}

// TestHistories lets table and provider fail at random. In the end each mail was accepted, and more than once only if
// its row says so.
func TestHistories(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		h, wrong := drawHistory(rt), ""
		n++
		synctest.Test(t, func(t *testing.T) { wrong = h.play(newTestEnv(t, filepath.Join(dir, fmt.Sprint(n)))) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func TestLogHasNoPersonalData(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(4)
		p := &provider{fault: func(m mail.Message) (bool, error) {
			kind := map[string]error{"m000": mail.ErrRejected, "m001": errors.New("lost"), "m002": mail.ErrSetup}[m.ID]
			if kind == nil {
				return true, nil
			}
			return false, fmt.Errorf("%w: to Ada.L+x@mail.example.org: refused", kind)
		}}
		err := w.dispatcher(p).Run(context.Background())
		if !errors.Is(err, mail.ErrSetup) {
			t.Fatal(err)
		}
		all := w.log.String() + err.Error()
		if strings.Contains(all, "@") || strings.Contains(all, "Lovelace") || !strings.Contains(all, "[redacted]") {
			t.Errorf("logged %s", all)
		}
	})
}

func TestEveryCallerGetsItsAnswer(t *testing.T) {
	stream := `{"Records":[{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb",` +
		`"dynamodb":{"Keys":{"PK":{"S":"OUTBOX"}},"SequenceNumber":"1"}}]}`
	for _, payload := range []string{stream, `{"source":"aws.scheduler"}`, `{}`, `{"Records":[]}`, `null`, `"x"`, ``,
		`garbage`, `[1,2]`, `{"Records":7}`} {
		inTestEnv(t, func(w *testEnv) {
			w.put(2)
			p := &provider{}
			d := w.dispatcher(p)
			if answer, err := d.Invoke(context.Background(), []byte(payload)); err != nil ||
				string(answer) != `{"batchItemFailures":[]}` {
				t.Errorf("%q: %s, %v", payload, answer, err)
			}
			w.eachOnce(p, 2)

			w.faulty.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
			answer, err := d.Invoke(context.Background(), []byte(payload))
			if payload == stream && (err != nil || string(answer) != `{"batchItemFailures":[]}`) {
				t.Errorf("the stream would deliver the records again: %s, %v", answer, err)
			}
			if payload != stream && err == nil {
				t.Errorf("%q: a failed run is not an error", payload)
			}
		})
	}
}
