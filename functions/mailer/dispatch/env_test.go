package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// call is a call of provider.Send.
type call struct {
	id         string
	at         time.Time
	attempt    int
	maybeTwice bool
	accepted   bool
}

// provider is a mail.Sender that remembers its calls. Like SES it counts what it accepted in the last 24 hours.
type provider struct {
	quota    mail.Quota
	quotaErr error
	delay    time.Duration // before each answer
	// fault decides whether a message is accepted, and the answer; nil accepts every message.
	fault func(m mail.Message) (accepted bool, err error)

	mu     sync.Mutex
	calls  []call
	quotas int // calls of Quota
}

func (p *provider) Send(ctx context.Context, m mail.Message) (string, error) {
	select {
	case <-time.After(p.delay):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	accepted, err := true, error(nil)
	if p.fault != nil {
		accepted, err = p.fault(m)
	}
	p.calls = append(p.calls, call{m.ID, time.Now(), m.Attempt, strings.Contains(m.Text, "twice"), accepted})
	return "provider-" + m.ID, err
}

func (p *provider) Quota(context.Context) (mail.Quota, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quotas++
	q := p.quota
	for _, c := range p.calls {
		if c.accepted && time.Since(c.at) < 24*time.Hour {
			q.SentLastDay++
		}
	}
	return q, p.quotaErr
}

// accepted returns how often each mail was accepted.
func (p *provider) accepted() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := map[string]int{}
	for _, c := range p.calls {
		if c.accepted {
			n[c.id]++
		}
	}
	return n
}

// callsOf returns the calls for one mail.
func (p *provider) callsOf(id string) (calls []call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		if c.id == id {
			calls = append(calls, c)
		}
	}
	return calls
}

// Answers of a provider.
var (
	errServer  = &mail.Failure{Kind: mail.ErrNotSent, Class: mail.ClassServer, Err: errors.New("503 Unavailable")}
	errConnect = &mail.Failure{Kind: mail.ErrNotSent, Class: mail.ClassConnect, Err: errors.New("connection refused")}
	errLost    = &mail.Failure{Class: mail.ClassLost, Err: errors.New("connection reset")}
)

func always(err error) func(mail.Message) (bool, error) {
	return func(mail.Message) (bool, error) { return false, err }
}

// failing refuses mails of some IDs and accepts the others.
func failing(err error, ids ...string) func(mail.Message) (bool, error) {
	return func(m mail.Message) (bool, error) {
		for _, id := range ids {
			if m.ID == id {
				return false, err
			}
		}
		return true, nil
	}
}

// records are the Records of notices that keep their point, unless a test says otherwise.
type records struct {
	of         func(n notice.Notice) (notice.Records, error) // nil, or nil Records: those of a notice with a point
	suppressed func(email string) (*delivery.Suppression, error)
}

func (r *records) Records(_ context.Context, n notice.Notice) (notice.Records, error) {
	if r.of != nil {
		return r.of(n)
	}
	return withPoint(n), nil
}

// withPoint are records with which a notice has a point.
func withPoint(n notice.Notice) notice.Records {
	r := notice.Records{Today: license.DateOf(time.Now())}
	switch n.Kind {
	case mail.RequestQuestion:
		r.Request = request.Request{State: request.Waiting, Question: n.Text}
	case mail.LicenseExpiring:
		r.Expiring = map[string]notice.Expiring{}
		for _, due := range n.Due {
			r.Expiring[due.License] = expiring(due, n.To)
		}
	default:
		r.Request = request.Request{State: request.Received, Details: request.Details{Email: n.To.Email}}
	}
	return r
}

// expiring are the records of a license of which a contact needs to be reminded.
func expiring(due notice.Due, to license.Contact) notice.Expiring {
	l := license.License{ID: due.License, Type: license.Production, Expiration: due.Expiration}
	return notice.Expiring{License: l, Contacts: []license.Contact{to}, Reminded: &to}
}

func (r *records) Suppressed(_ context.Context, email string) (*delivery.Suppression, error) {
	if r.suppressed != nil {
		return r.suppressed(email)
	}
	return nil, nil
}

func (r *records) FailSuppressed(context.Context, outbox.Mail, delivery.Suppression) error {
	return errors.New("the tests of the store have this")
}

func (r *records) PassOmitted(context.Context, outbox.Mail, notice.Records) error { return nil }

// testEnv is an outbox over a faulty table, and a log. Its clock is time.Now, which is that of the synctest bubble.
type testEnv struct {
	t       testing.TB
	faulty  *tabletest.Faulty
	table   *entity.Table
	box     *outbox.Box
	records records
	expand  expander
	now     func() time.Time
	write   func(notice.Notice, notice.Records, letter.Call) (mail.Message, error)
	log     bytes.Buffer
	logger  *slog.Logger
}

// inTestEnv runs a test in a synctest bubble.
func inTestEnv(t *testing.T, f func(w *testEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newTestEnv(t, &tabletest.Memory{})) })
}

func newTestEnv(t testing.TB, rows table.Table) *testEnv {
	w := &testEnv{t: t, faulty: &tabletest.Faulty{Table: rows}, now: time.Now, write: write}
	events := 0
	now := func() time.Time { return w.now() }
	w.table = entity.Open(w.faulty, now, func() string { events++; return fmt.Sprint(events) })
	w.box = outbox.New(w.table, now)
	w.logger = logging.New(&w.log, "test")
	return w
}

// write writes a letter that repeats the notice's ID and says whether the recipient may have it already.
func write(n notice.Notice, _ notice.Records, call letter.Call) (mail.Message, error) {
	m := mail.Message{ID: n.ID, Kind: n.Kind, About: n.About, Attempt: call.Attempt, Subject: n.ID,
		To: mail.Address{Email: n.To.Email}}
	if call.MaybeTwice {
		m.Text = "perhaps for the twice time"
	}
	return m, nil
}

func (w *testEnv) dispatcher(p mail.Sender) *Dispatcher {
	return New(Options{
		Outbox: w.box, Records: &w.records, Expander: w, Sender: p, Log: w.logger,
		Write: func(n notice.Notice, r notice.Records, c letter.Call) (mail.Message, error) { return w.write(n, r, c) },
		Now:   func() time.Time { return w.now() },
	})
}

// urgent, soon and remind return notices of the three ranks to somebody at a host. The ID is the name and a suffix.
func urgent(name, host string) notice.Notice {
	return notice.Notice{ID: name + "--q", Kind: mail.RequestQuestion, About: name, Customer: host, Text: "Which one?",
		To: license.Contact{Name: "Ada Lovelace", Email: "ada@" + host}}
}

func soon(name, host string) notice.Notice {
	return notice.Notice{ID: name + "--r", Kind: mail.RequestReceived, About: name, Customer: host,
		To: license.Contact{Name: "Ada Lovelace", Email: "ada@" + host}}
}

func remind(name, host string) notice.Notice {
	last := license.DateOf(time.Now()).AddDays(28)
	due := notice.Due{License: name, Stage: reminder.MonthsBefore(1), Expiration: last}
	return notice.Notice{ID: name + "--e", Kind: mail.LicenseExpiring, About: name, Customer: host,
		Due: []notice.Due{due}, To: license.Contact{Name: "Ada Lovelace", Email: "ada@" + host}}
}

// put queues notices.
func (w *testEnv) put(notices ...notice.Notice) {
	w.t.Helper()
	for len(notices) > 0 {
		n := min(len(notices), 40)
		c := w.table.Begin()
		w.box.Queue(c, notices[:n]...)
		if err := c.Commit(context.Background()); err != nil {
			w.t.Fatal(err)
		}
		notices = notices[n:]
	}
}

// putMany queues n notices of a rank, m000, m001, …, each to a customer of its own.
func (w *testEnv) putMany(n int, of func(name, host string) notice.Notice) (ids []string) {
	w.t.Helper()
	var list []notice.Notice
	for i := range n {
		one := of(fmt.Sprintf("m%03d", i), fmt.Sprintf("host%d.example", i))
		list, ids = append(list, one), append(ids, one.ID)
	}
	w.put(list...)
	return ids
}

func (w *testEnv) mail(id string) outbox.Mail {
	w.t.Helper()
	m, err := w.box.Read(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *testEnv) status(id string) outbox.Status { w.t.Helper(); return w.mail(id).State.Status }

func (w *testEnv) run(d *Dispatcher) {
	w.t.Helper()
	if err := d.Run(context.Background()); err != nil {
		w.t.Fatal(err, w.log.String())
	}
}

// runFor runs a Dispatcher every minute, as the schedule does, or less often.
func (w *testEnv) runFor(d *Dispatcher, length time.Duration, every ...time.Duration) {
	w.t.Helper()
	pause := append(every, time.Minute)[0]
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(pause) {
		w.run(d)
	}
}

// eachOnce fails unless the provider accepted each mail exactly once and no mail waits.
func (w *testEnv) eachOnce(p *provider, ids []string) {
	w.t.Helper()
	accepted := p.accepted()
	for _, id := range ids {
		if s := w.status(id); accepted[id] != 1 || s != outbox.Sent {
			w.t.Errorf("mail %s: got %d accepted and %s, want once and sent", id, accepted[id], s)
		}
	}
	w.nothingWaits()
}

func (w *testEnv) nothingWaits() {
	w.t.Helper()
	q, err := w.box.Queued(context.Background(), 10)
	if err != nil || q.Total() != 0 {
		w.t.Errorf("got %+v waiting, %v; want none", q, err)
	}
}

// logged fails unless the log has the texts.
func (w *testEnv) logged(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(w.log.String(), text) {
			w.t.Errorf("got a log without %s: %s", text, w.log.String())
		}
	}
}
