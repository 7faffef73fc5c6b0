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
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// provider is a mail.Sender that counts what it took.
type provider struct {
	quota    mail.Quota
	quotaErr error
	delay    time.Duration // of each message
	// fault says what becomes of a message: whether it is taken, and what is answered; nil takes everything.
	fault func(m mail.Message) (taken bool, err error)

	mu     sync.Mutex
	taken  map[string]int
	at     []time.Time // when messages came
	quotas int         // how often the quota was asked for
}

func (c *provider) Send(ctx context.Context, m mail.Message) (string, error) {
	select {
	case <-time.After(c.delay):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
	taken, err := true, error(nil)
	if c.fault != nil {
		taken, err = c.fault(m)
	}
	if taken {
		if c.taken == nil {
			c.taken = map[string]int{}
		}
		c.taken[m.ID]++
	}
	return "provider-" + m.ID, err
}

func (c *provider) Quota(context.Context) (mail.Quota, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quotas++
	return c.quota, c.quotaErr
}

// testEnv is an outbox over a bolt table that can be made to fail, and a log. Its clock is time.Now, which is the bubble's.
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

// inTestEnv runs a test in a bubble of its own time.
func inTestEnv(t *testing.T, f func(w *testEnv)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "table")
	synctest.Test(t, func(t *testing.T) { f(newTestEnv(t, dir)) })
}

func (w *testEnv) dispatcher(c *provider) *Dispatcher {
	return &Dispatcher{Outbox: w.store, Sender: c, Now: time.Now, Log: w.logger}
}

var details = request.Details{
	Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000, ProductVersion: "6.7",
	Name: "Ada Lovelace", Email: "ada@example.org", Company: "Analytical Engines", Country: "England",
}

// put puts mails m000, m001, … into the outbox; a prefix takes the place of m.
func (w *testEnv) put(n int, prefix ...string) {
	w.t.Helper()
	prefix = append(prefix, "m")
	for begin := 0; begin < n; begin += 25 {
		_, _, err := w.store.FileRequest(context.Background(), details, "", func(request.Request) (list []mail.Message) {
			for i := begin; i < min(n, begin+25); i++ {
				list = append(list, mail.Message{ID: fmt.Sprintf("%s%03d", prefix[0], i), Kind: mail.RequestReceived, About: "r1",
					To: mail.Address{Name: "Ada Lovelace", Email: "ada@example.org"}, Subject: "s", Text: "t"})
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

// eachOnce fails where the provider did not take each of n mails exactly once.
func (w *testEnv) eachOnce(c *provider, n int) {
	w.t.Helper()
	for i := range n {
		m := w.mail(i)
		if c.taken[m.Message.ID] != 1 || m.State != store.MailSent || m.Leased {
			w.t.Errorf("mail %d was taken %d times and is %s", i, c.taken[m.Message.ID], m.State)
		}
	}
}

func TestASuppressedAddressGetsNothingAndTheNextContactAll(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ctx := context.Background()
		l := license.License{
			ID: "l1", Type: license.Production, Organization: "Analytical Engines", Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer,
			MaxLoc: 1, Expiration: license.DateOf(time.Now()).AddDays(90),
			Contacts: []license.Contact{{Name: "Ada Lovelace", Email: "ada@example.org"}, {Email: "it@example.org"}},
		}
		if _, err := w.store.AddLicense(ctx, l, "test"); err != nil {
			t.Fatal(err)
		}
		letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "ada@example.org"}} // who is a customer here as well
		send := func(id string) mail.Message {
			m := letters.LicenseKey(id, letter.Delivery{To: l.Contacts[0], Licenses: []license.License{l}})
			if err := w.store.SendKeyAgain(ctx, l.ID, "sam", m); err != nil {
				t.Fatal(err)
			}
			return m
		}
		c := &provider{}
		d := w.dispatcher(c)
		d.Unreached = letters.LicenseUnreached
		first := send("k1")
		w.run(d)
		w.put(1)
		bounce := func(id string) {
			if _, err := w.store.RecordReport(ctx, store.Report{Mail: id, ProviderID: "c", Outcome: store.Bounced},
				letters.LicenseUnreached); err != nil {
				t.Fatal(err)
			}
		}
		bounce("k1")
		again := send("k2")
		w.run(d)
		w.run(d)
		for _, m := range []mail.Message{first.Readdressed(l.Contacts[1]), again.Readdressed(l.Contacts[1])} {
			if c.taken[m.ID] != 1 {
				t.Errorf("the next contact got %s %d times", m.ID, c.taken[m.ID])
			}
		}
		if m := w.mail(0); c.taken["k2"]+c.taken["m000"] != 0 || m.State != store.MailFailed || m.Leased {
			t.Errorf("the address got a mail: %v; %+v", c.taken, m)
		}
		bounce(first.Readdressed(l.Contacts[1]).ID)
		send("k3")
		w.run(d)
		if id := letters.LicenseUnreached(l).ID; c.taken["k3"] != 0 || c.taken[id] != 1 {
			t.Errorf("sales are not told, or a customer was written to: %v", c.taken)
		}
		if s := w.log.String(); strings.Contains(s, "@") || strings.Contains(s, "Lovelace") || !strings.Contains(s, "its address is suppressed") {
			t.Errorf("logged %s", s)
		}
	})
}

func TestEveryPendingMailIsSentOnce(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		const n = 2*pageSize + 5
		w.put(n)
		c := &provider{}
		d := w.dispatcher(c)
		w.run(d)
		w.eachOnce(c, n)
		if m := w.mail(0); m.ProviderID != "provider-m000" || m.Attempts != 1 || m.MaybeTwice || m.Sent.IsZero() {
			t.Errorf("%+v", m)
		}
		if !strings.Contains(w.log.String(), fmt.Sprintf(`"MailsSent":%d`, n)) {
			t.Errorf("logged %s", w.log.String())
		}
		w.log.Reset()
		w.run(d)
		w.eachOnce(c, n)
		if w.log.Len() > 0 {
			t.Errorf("a run with nothing to do logged %s", w.log.String())
		}
	})
}

func TestManyDispatchersAtOnceSendEachMailOnce(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(60)
		c := &provider{delay: 50 * time.Millisecond}
		same := w.dispatcher(c)
		var wg sync.WaitGroup
		for i := range 6 {
			d := same
			if i%2 == 0 {
				d = w.dispatcher(c)
			}
			wg.Go(func() { w.run(d) })
		}
		wg.Wait()
		w.eachOnce(c, 60)
	})
}

func TestMailsPassAtTheRateThatTheProviderAllows(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(21)
		c := &provider{quota: mail.Quota{PerSecond: 2}}
		start := time.Now()
		w.run(w.dispatcher(c))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("21 mails at 2 a second took %v", took)
		}
		for i := range c.at[:len(c.at)-2] {
			if apart := c.at[i+2].Sub(c.at[i]); apart < 900*time.Millisecond {
				t.Errorf("mails %d to %d in %v", i, i+2, apart)
			}
		}
		w.eachOnce(c, 21)
	})
}

func TestARateThatIsNotKnownIsACautiousOne(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		c := &provider{quotaErr: fmt.Errorf("%w: Rate exceeded", mail.ErrThrottled)}
		start := time.Now()
		w.run(w.dispatcher(c))
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("3 mails took %v", took)
		}
		w.eachOnce(c, 3)
	})
}

func TestTheQuotaIsAskedForOnceAMinuteAndOnlyWhenThereIsMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		c, start := &provider{}, time.Now()
		d := w.dispatcher(c)
		w.run(d)
		if c.quotas != 0 {
			t.Error("asked without mail")
		}
		for n, at := range []struct {
			after time.Duration // the beginning
			asked int           // times by then
		}{
			{0, 1}, {quotaAge - time.Second, 1}, {quotaAge, 2}, {quotaAge + time.Second, 2},
			{-time.Hour, 3}, // the clock was set back
		} {
			now := start.Add(at.after)
			d.Now = func() time.Time { return now }
			w.put(1, fmt.Sprintf("run%d-", n))
			w.run(d)
			if c.quotas != at.asked {
				t.Errorf("%v after the beginning: asked %d times, want %d", at.after, c.quotas, at.asked)
			}
		}
	})
}

func TestAnExhaustedQuotaKeepsEverything(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		c := &provider{quota: mail.Quota{Exhausted: true}}
		d := w.dispatcher(c)
		w.run(d)
		if m := w.mail(0); len(c.at) != 0 || m.State != store.MailPending || m.Attempts != 0 || m.Leased {
			t.Errorf("%d sent, %+v", len(c.at), m)
		}
		c.quota = mail.Quota{}
		time.Sleep(2 * time.Minute)
		w.run(d)
		w.eachOnce(c, 3)
	})
}

func TestThrottlingStopsTheRunAndKeepsTheRest(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(50)
		c := &provider{delay: time.Millisecond}
		c.fault = func(mail.Message) (bool, error) {
			if len(c.at) > 10 {
				return false, fmt.Errorf("%w: Daily message quota exceeded", mail.ErrThrottled)
			}
			return true, nil
		}
		w.run(w.dispatcher(c))
		if len(c.taken) != 10 || len(c.at) > 10+atOnce {
			t.Errorf("%d taken of %d tries", len(c.taken), len(c.at))
		}
		for i := range 50 {
			if m := w.mail(i); m.State != store.MailSent && (m.State != store.MailPending || m.Attempts != 0 || m.Leased || m.MaybeTwice) {
				t.Errorf("mail %d: %+v", i, m)
			}
		}
		c.fault = nil
		w.run(w.dispatcher(c))
		w.eachOnce(c, 50)
	})
}

func TestAProviderThatHasToBeSetRightIsAnErrorAndLosesNothing(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(20)
		c := &provider{fault: func(mail.Message) (bool, error) {
			return false, fmt.Errorf("%w: ConfigurationSetDoesNotExist", mail.ErrSetup)
		}}
		if err := w.dispatcher(c).Run(context.Background()); !errors.Is(err, mail.ErrSetup) || len(c.at) > atOnce {
			t.Errorf("%v after %d tries", err, len(c.at))
		}
		c.fault = nil
		c.quotaErr = fmt.Errorf("%w: AccessDenied", mail.ErrSetup)
		if err := w.dispatcher(c).Run(context.Background()); !errors.Is(err, mail.ErrSetup) {
			t.Errorf("no quota: %v", err)
		}
		c.quotaErr = nil
		w.run(w.dispatcher(c))
		w.eachOnce(c, 20)
	})
}

func TestAMailThatIsNeverTakenIsBuriedAndTheOthersGo(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		c := &provider{fault: func(m mail.Message) (bool, error) {
			if m.ID == "m001" {
				return false, fmt.Errorf("%w: MessageRejected: Address blacklisted", mail.ErrRejected)
			}
			return true, nil
		}}
		w.run(w.dispatcher(c))
		if m := w.mail(1); m.State != store.MailFailed || !strings.Contains(m.LastError, "blacklisted") || m.Leased {
			t.Errorf("%+v", m)
		}
		if w.mail(0).State != store.MailSent || w.mail(2).State != store.MailSent {
			t.Error("the others did not go")
		}
		w.run(w.dispatcher(c))
		if len(c.at) != 3 {
			t.Error("it was tried again")
		}
	})
}

func TestAFailureIsTriedAgainAfterLongerAndLongerPausesAndThenBuried(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		c := &provider{fault: func(mail.Message) (bool, error) { return false, errors.New("connection reset") }}
		d := w.dispatcher(c)
		start := time.Now()
		for time.Since(start) < 48*time.Hour {
			w.run(d)
			time.Sleep(time.Minute)
		}
		if len(c.at) != maxAttempts {
			t.Fatalf("tried %d times", len(c.at))
		}
		for i := 1; i < len(c.at); i++ {
			if apart := c.at[i].Sub(c.at[i-1]); apart < pause(i) || apart > pause(i)+time.Minute {
				t.Errorf("try %d came %v after the one before", i+1, apart)
			}
		}
		if pause(1) != time.Minute || pause(2) != 2*time.Minute || pause(maxAttempts) != maxPause {
			t.Error("pauses")
		}
		if m := w.mail(0); m.State != store.MailFailed || m.LastError != "connection reset" || !m.MaybeTwice {
			t.Errorf("%+v", m)
		}
	})
}

func TestARecordWhoseAnswerWasLostIsFoundAndNotMadeAgain(t *testing.T) {
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
		c := &provider{}
		start := time.Now()
		w.run(w.dispatcher(c))
		w.eachOnce(c, 1)
		if took := time.Since(start); transacts != 2 || took != 0 || !strings.Contains(w.log.String(), `"MailsSent":1`) {
			t.Errorf("%d transactions in %v, logged %s", transacts, took, w.log.String())
		}
	})
}

func TestNothingIsBegunShortlyBeforeTheDeadline(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(100)
		c := &provider{delay: 9 * time.Second}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := w.dispatcher(c).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Minute-recordTimeout || len(c.at) != 5*atOnce {
			t.Errorf("%d mails in %v", len(c.at), took)
		}
		for i := range 100 {
			if m := w.mail(i); m.Leased || (m.State == store.MailSent) != (c.taken[m.Message.ID] == 1) {
				t.Errorf("mail %d: %+v", i, m)
			}
		}
	})
}

func TestAProviderThatHangsDelaysAMailOnly(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		c := &provider{delay: time.Hour}
		w.run(w.dispatcher(c))
		if m := w.mail(0); m.State != store.MailPending || m.Leased || !m.MaybeTwice {
			t.Errorf("%+v", m)
		}
		c.delay = 0
		time.Sleep(5 * time.Minute)
		w.run(w.dispatcher(c))
		w.eachOnce(c, 1)
	})
}

func TestAMailThatKillsWhoSendsItIsGivenUp(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(1)
		for range maxAttempts {
			if _, err := w.store.ClaimMail(context.Background(), "m000", time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
		}
		c := &provider{}
		w.run(w.dispatcher(c))
		if m := w.mail(0); m.State != store.MailFailed || len(c.at) != 0 || m.LastError == "" {
			t.Errorf("%+v", m)
		}
	})
}

func TestALeaseThatRanOutWhileWaitingIsGivenBack(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(3)
		c := &provider{quota: mail.Quota{PerSecond: 0.1}}
		d := w.dispatcher(c)
		d.Lease = 5 * time.Second
		w.run(d)
		if len(c.at) != 1 {
			t.Errorf("%d sent, some under a lease that had run out", len(c.at))
		}
		for range 2 {
			time.Sleep(time.Minute)
			w.run(d)
		}
		w.eachOnce(c, 3)
	})
}

// TestADeathAtEveryStep lets the process die at each call of the table and of the provider, before the call is made and
// after it was, and lets another one go on.
func TestADeathAtEveryStep(t *testing.T) {
	const n = 3
	died := 0
	for step := 1; step == 1 || died == step-1; step++ {
		for _, lost := range []bool{false, true} {
			inTestEnv(t, func(w *testEnv) {
				w.put(n)
				var mu sync.Mutex
				calls, dead := 0, false
				// die counts a call, and says whether the process is dead before it and after it.
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
				c := &provider{}
				c.fault = func(mail.Message) (bool, error) {
					before, after := die()
					if before || after {
						return !before, errors.New("dead")
					}
					return true, nil
				}
				w.dispatcher(c).Run(context.Background())

				w.faulty.Fault, c.fault = nil, nil
				time.Sleep(defaultLease)
				w.run(w.dispatcher(c))
				time.Sleep(defaultLease)
				w.run(w.dispatcher(c))
				for i := range n {
					m := w.mail(i)
					if taken := c.taken[m.Message.ID]; m.State != store.MailSent || taken < 1 || taken > 2 || taken == 2 && !m.MaybeTwice {
						t.Errorf("death at step %d (lost %v): mail %d was taken %d times: %+v", step, lost, i, taken, m)
					}
				}
			})
		}
	}
	if died < 3*n {
		t.Errorf("only %d steps", died)
	}
}

// history is what befalls a number of mails.
type history struct {
	mails    int
	table    []tabletest.Fault // of the calls, in their order
	provider []answer
	runs     []runs
}

type answer struct {
	taken bool
	err   error
}

type runs struct {
	atOnce int
	then   time.Duration // to the next
}

func drawHistory(t *rapid.T) history {
	return history{
		mails: rapid.IntRange(1, 6).Draw(t, "mails"),
		table: rapid.SliceOfN(rapid.SampledFrom([]tabletest.Fault{{}, {}, {}, tabletest.Down, tabletest.Lost}), 0, 60).Draw(t, "table"),
		provider: rapid.SliceOfN(rapid.SampledFrom([]answer{
			{true, nil}, {true, nil}, {true, errors.New("answer lost")}, {false, errors.New("connection refused")}, {false, mail.ErrThrottled},
		}), 0, 10).Draw(t, "provider"),
		runs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) runs {
			return runs{rapid.IntRange(1, 2).Draw(t, "at once"), time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second}
		}), 1, 8).Draw(t, "runs"),
	}
}

// next takes the first of a list that several goroutines take from; the zero value when there is no more.
func next[T any](mu *sync.Mutex, list *[]T) (v T, ok bool) {
	mu.Lock()
	defer mu.Unlock()
	if len(*list) == 0 {
		return v, false
	}
	v, *list = (*list)[0], (*list)[1:]
	return v, true
}

// live lets the history happen and says what is wrong at its end.
func (h history) live(w *testEnv) (wrong string) {
	w.put(h.mails)
	var mu sync.Mutex
	w.faulty.Fault = func(tabletest.Call) tabletest.Fault {
		f, _ := next(&mu, &h.table)
		return f
	}
	c := &provider{fault: func(mail.Message) (bool, error) {
		if a, ok := next(&mu, &h.provider); ok {
			return a.taken, a.err
		}
		return true, nil
	}}
	for _, r := range h.runs {
		var wg sync.WaitGroup
		for range r.atOnce {
			wg.Go(func() { w.dispatcher(c).Run(context.Background()) })
		}
		wg.Wait()
		time.Sleep(r.then)
	}
	w.faulty.Fault, c.fault = nil, nil
	for range 3 {
		time.Sleep(maxPause)
		w.run(w.dispatcher(c))
	}
	for i := range h.mails {
		m := w.mail(i)
		if taken := c.taken[m.Message.ID]; m.State != store.MailSent || taken < 1 || taken > 1 && !m.MaybeTwice {
			wrong += fmt.Sprintf("mail %d was taken %d times: %+v\n", i, taken, m)
		}
	}
	return wrong
}

// TestHistories lets table and provider fail at random. Whatever happens, each mail ends up taken, and more than once only
// where its row says that it may have been.
func TestHistories(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		h, wrong := drawHistory(rt), ""
		n++
		synctest.Test(t, func(t *testing.T) { wrong = h.live(newTestEnv(t, filepath.Join(dir, fmt.Sprint(n)))) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func TestTheLogHoldsNothingOfPeople(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(4)
		c := &provider{fault: func(m mail.Message) (bool, error) {
			kind := map[string]error{"m000": mail.ErrRejected, "m001": errors.New("lost"), "m002": mail.ErrSetup}[m.ID]
			if kind == nil {
				return true, nil
			}
			return false, fmt.Errorf("%w: to Ada.L+x@mail.example.org: refused", kind)
		}}
		err := w.dispatcher(c).Run(context.Background())
		if !errors.Is(err, mail.ErrSetup) {
			t.Fatal(err)
		}
		all := w.log.String() + err.Error()
		if strings.Contains(all, "@") || strings.Contains(all, "Lovelace") || !strings.Contains(all, "[redacted]") {
			t.Errorf("logged %s", all)
		}
	})
}

func TestWhateverWakesItGetsItsAnswer(t *testing.T) {
	stream := `{"Records":[{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{"Keys":{"PK":{"S":"OUTBOX"}},"SequenceNumber":"1"}}]}`
	for _, payload := range []string{stream, `{"source":"aws.scheduler"}`, `{}`, `{"Records":[]}`, `null`, `"x"`, ``, `garbage`, `[1,2]`, `{"Records":7}`} {
		inTestEnv(t, func(w *testEnv) {
			w.put(2)
			c := &provider{}
			d := w.dispatcher(c)
			if answer, err := d.Invoke(context.Background(), []byte(payload)); err != nil || string(answer) != `{"batchItemFailures":[]}` {
				t.Errorf("%q: %s, %v", payload, answer, err)
			}
			w.eachOnce(c, 2)

			w.faulty.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
			answer, err := d.Invoke(context.Background(), []byte(payload))
			if payload == stream && (err != nil || string(answer) != `{"batchItemFailures":[]}`) {
				t.Errorf("the stream would deliver again: %s, %v", answer, err)
			}
			if payload != stream && err == nil {
				t.Errorf("%q: a failed run is not seen", payload)
			}
		})
	}
}
