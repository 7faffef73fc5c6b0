package restore_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"marketplace/functions/reminders/daily"
	"marketplace/infra/restore"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// snapshot is every row of a table at a moment.
type snapshot []table.Row

func (s snapshot) Each(_ context.Context, f func(table.Row) error) error {
	for _, row := range s {
		if err := f(row); err != nil {
			return err
		}
	}
	return nil
}

// memory is a table in memory that can be restored.
type memory struct{ *tabletest.Memory }

func (m memory) Each(ctx context.Context, f func(table.Row) error) error {
	return snapshot(m.Rows()).Each(ctx, f)
}

// env is a vendor whose table is restored.
type env struct {
	t     *testing.T
	table table.Table
	now   time.Time
	store *delivery.Store
	sent  []string // the IDs of all emails that SES accepted, in order
}

func newEnv(t *testing.T, tab table.Table) *env {
	// In the future, since DynamoDB Local drops rows that have expired.
	e := &env{t: t, table: tab, now: time.Date(2096, 3, 2, 9, 0, 0, 0, time.UTC)}
	e.store = delivery.New(store.New(tab, store.Options{Now: e.clock}))
	return e
}

func (e *env) clock() time.Time { return e.now }

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// file files a request that its sender has not confirmed.
func (e *env) file(email string) request.Request {
	e.t.Helper()
	r, _, err := e.store.FileRequest(e.t.Context(), store.Filing{Key: email, Details: request.Details{
		Kind: request.Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Name: "Ada Lovelace",
		Email: email, Company: "Acme AG",
	}})
	e.must(err)
	return r
}

func (e *env) issue(id string, n int, expiration string, contact string) license.License {
	e.t.Helper()
	day, err := license.ParseDate(expiration)
	e.must(err)
	server := license.Server("AWHW8w9JtzBzSrmf000" + string(rune('0'+n)))
	l := license.License{
		ID: id, Type: license.Production, Organization: "Acme " + id, Server: server, Edition: license.Developer,
		MaxLoc: 100_000, Issued: license.DateOf(e.now), Expiration: day, Plugins: []string{"license"},
	}
	l.KeyText, err = licensetest.Issuer(e.t).Issue(l.Terms())
	e.must(err)
	return storetest.Issue(e.t, e.store.Store, l, license.Contact{Name: "Ada Lovelace", Email: contact}).License
}

// ready returns the IDs of the emails that are ready.
func (e *env) ready() (ids []string) {
	list, err := lettertest.Ready(e.t.Context(), e.store)
	e.must(err)
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

// send lets SES accept what is ready and has a point, or of that only some.
func (e *env) send(only ...string) (sent []string) {
	e.t.Helper()
	w := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@example.com"}}
	for _, id := range e.ready() {
		if len(only) > 0 && !slices.Contains(only, id) {
			continue
		}
		m, err := e.store.Outbox().Read(e.t.Context(), id)
		e.must(err)
		if m.Expands() {
			continue
		}
		records, err := e.store.Records(e.t.Context(), m.Notice)
		e.must(err)
		if why := m.Pointless(records); why != "" {
			e.must(e.store.Outbox().Drop(e.t.Context(), m, why))
			continue
		}
		written, err := lettertest.Write(e.t.Context(), e.store, w, nil, m)
		if err != nil {
			e.t.Fatalf("%s: %v", id, err)
		}
		e.must(lettertest.Send(e.t.Context(), e.store, id, written, "ses-"+id))
		sent = append(sent, id)
	}
	e.sent = append(e.sent, sent...)
	return sent
}

// daily runs the daily run, and lets half an hour pass.
func (e *env) daily() {
	e.t.Helper()
	job := daily.New(daily.Options{
		Store: e.store, Deletion: deletion.New(e.store.Store), Now: e.clock, Log: logging.New(io.Discard, "test"),
	})
	e.must(job.Run(e.t.Context()))
}

// restore gives the table the records of a copy, and returns what it reported.
func (e *env) restore(o restore.Options) restore.Report {
	e.t.Helper()
	o.Now = e.clock
	p, err := restore.Compare(e.t.Context(), o)
	e.must(err)
	e.must(p.Apply(e.t.Context()))
	return p.Report
}

// state returns how far sending an email is; "" if there is none.
func (e *env) state(id string) outbox.Status {
	m, err := e.store.Outbox().Read(e.t.Context(), id)
	if err != nil {
		return ""
	}
	return m.State.Status
}
