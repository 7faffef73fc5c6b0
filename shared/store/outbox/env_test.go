package outbox_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// testEnv is an outbox over a table that counts and can fail, with a clock that only tests move.
type testEnv struct {
	*outbox.Box
	t        *testing.T
	table    *tabletest.Faulty
	entities *entity.Table
	now      time.Time
}

var start = time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return newTestEnvOver(t, engine)
}

func newTestEnvOver(t *testing.T, engine table.Table) *testEnv {
	e := &testEnv{t: t, table: &tabletest.Faulty{Table: engine}, now: start}
	now := func() time.Time { return e.now }
	e.entities = entity.Open(e.table, now, func() string { return "e" })
	e.Box = outbox.New(e.entities, now)
	return e
}

func (e *testEnv) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// key is a notice of rank 1 to an address; reminder is one of rank 3.
func key(about, to string) notice.Notice {
	l := license.License{ID: about, Customer: notice.Customer(to)}
	return notice.LicenseKey([]license.License{l}, license.Contact{Email: to})
}

func reminder(about, to string) notice.Notice {
	n := notice.LicensesExpiring(about, license.DateOf(start), license.Contact{Email: to}, 1)
	n.Customer = "customer-" + notice.Customer(to)
	return n
}

func (e *testEnv) queue(notices ...notice.Notice) {
	e.t.Helper()
	c := e.entities.Begin()
	e.Queue(c, notices...)
	e.must(c.Commit(e.t.Context()))
}

// tryAgain tries a mail that was given up again, as shared/store/delivery does.
func (e *testEnv) tryAgain(id string) error {
	m, err := e.Read(e.t.Context(), id)
	if err != nil || m.State.Status != outbox.Failed {
		return err
	}
	c := e.entities.Begin()
	e.TryAgainIn(c, m)
	return c.Commit(e.t.Context())
}

func (e *testEnv) read(id string) outbox.Mail {
	e.t.Helper()
	m, err := e.Read(e.t.Context(), id)
	e.must(err)
	return m
}

// begin begins to send a mail.
func (e *testEnv) begin(id string) outbox.Mail {
	e.t.Helper()
	m, err := e.Begin(e.t.Context(), e.read(id), 1, mail.Message{ID: id})
	e.must(err)
	return m
}

// promote ends the pauses that are over, of every shard.
func (e *testEnv) promote() (n int) {
	e.t.Helper()
	for shard := range rowkey.Shards {
		more, err := e.Promote(e.t.Context(), shard, 1000)
		e.must(err)
		n += more
	}
	return n
}

// ready lists the ready mails of a rank, of every shard, in the order in which they are to be sent.
func (e *testEnv) ready(rank int) (ids []string) {
	e.t.Helper()
	var all []outbox.Entry
	for shard := range rowkey.Shards {
		list, err := e.Ready(e.t.Context(), rank, shard, 1000)
		e.must(err)
		all = append(all, list...)
	}
	slices.SortFunc(all, outbox.Entry.Compare)
	for _, entry := range all {
		ids = append(ids, entry.ID)
	}
	return ids
}

// lists says in which lists a mail is: ready, paused, failed.
func (e *testEnv) lists(id string) string {
	e.t.Helper()
	var in []string
	for _, rank := range notice.Ranks {
		if slices.Contains(e.ready(rank), id) {
			in = append(in, "ready")
		}
	}
	for shard := range rowkey.Shards {
		rows, _, err := e.entities.First(e.t.Context(), table.Query{PK: rowkey.LaterPK(shard)}, 1000)
		e.must(err)
		for _, row := range rows {
			if rowkey.MailOf(row.Key) == id {
				in = append(in, "paused")
			}
		}
	}
	failed, err := e.Failed(e.t.Context(), 1000)
	e.must(err)
	for _, f := range failed {
		if f.ID == id {
			in = append(in, "failed")
		}
	}
	return strings.Join(in, "+")
}

// status is the status of a mail and the lists that it is in. The list of those in doubt has no other.
func (e *testEnv) status(id string) string {
	e.t.Helper()
	status := e.read(id).State.Status
	version, err := e.entities.Version(e.t.Context(), rowkey.InDoubt(id))
	e.must(err)
	if listed := version > 0; listed != (status == outbox.InDoubt) {
		e.t.Errorf("%s: got %s, and %v that it is listed as in doubt", id, status, listed)
	}
	return strings.TrimSpace(fmt.Sprint(status, " ", e.lists(id)))
}

// state is the state of a mail as JSON.
func (e *testEnv) state(id string) string {
	e.t.Helper()
	text, err := json.Marshal(e.read(id).State)
	e.must(err)
	return string(text)
}

// want compares what was got with what was wanted, as texts.
func (e *testEnv) want(what string, got, want any) {
	e.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		e.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
