package delivery_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// testEnv is a store over a table that counts and can fail and returns one row a page, with a clock that only tests
// move.
type testEnv struct {
	*delivery.Store
	table *tabletest.Faulty
	now   time.Time
}

func newTestEnv(tb testing.TB) *testEnv {
	engine, err := bolt.Open(filepath.Join(tb.TempDir(), "table.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(); err != nil {
			tb.Error(err)
		}
	})
	return newTestEnvOver(engine)
}

func newTestEnvOver(engine table.Table) *testEnv {
	b := &testEnv{
		table: &tabletest.Faulty{Table: engine, ShortPages: true},
		now:   time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC),
	}
	b.Store = delivery.New(store.New(b.table, store.Options{Now: func() time.Time { return b.now }}))
	return b
}

var evaluation = request.Details{
	Kind: request.Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
	ProductVersion: "6.7.1",
	Name:           "Ada Lovelace", Email: "ada@acme.example", Company: "Acme AG", Country: "Switzerland",
}

// pending lists the IDs of the mails that are ready.
func pending(t *testing.T, s *delivery.Store) (ids []string) {
	t.Helper()
	err := s.Outbox().EachReady(t.Context(), func(m outbox.Mail) error {
		ids = append(ids, m.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// file files a request and tells nobody.
func file(t *testing.T, b *testEnv, d request.Details) request.Request {
	t.Helper()
	r, _, err := storetest.FileRequest(t.Context(), b.Silent(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func review(t *testing.T, b *testEnv, r request.Request, to request.State, text string) request.Request {
	t.Helper()
	v := store.Review{ID: r.ID, Version: r.Version, By: "sam@vendor.example", To: to, Text: text}
	r, err := b.Review(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
