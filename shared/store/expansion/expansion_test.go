package expansion_test

import (
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/table/tabletest"
)

// testEnv is a store with a clock that only tests move.
type testEnv struct {
	*delivery.Store
	*expansion.Expander
	t   *testing.T
	now time.Time
}

func newTestEnv(t *testing.T) *testEnv {
	e := &testEnv{t: t, now: time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)}
	e.Store = delivery.New(store.New(&tabletest.Memory{}, store.Options{Now: func() time.Time { return e.now }}))
	e.Expander = expansion.New(e.Store)
	return e
}

func (e *testEnv) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *testEnv) file() request.Request {
	e.t.Helper()
	r, _, err := e.FileRequest(e.t.Context(), request.Details{
		Kind: request.Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Name: "Ada Lovelace",
		Email: "ada@acme.example", Company: "Acme AG",
	}, "")
	e.must(err)
	return r
}

func TestConfirmedRequestIsToldToSales(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	into, err := e.Expand(t.Context(), notice.RequestConfirmed(r))
	e.must(err)
	if len(into) != 1 || into[0].ID != notice.RequestNew(r).ID {
		t.Errorf("got %+v, want the email to sales", into)
	}
	r.ID = "01c7gcm9m0zzzzzzzzzzzzzzzz"
	if _, err := e.Expand(t.Context(), notice.RequestConfirmed(r)); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v of a request that is not on record, want not found", err)
	}
	if _, err := e.Expand(t.Context(), notice.RequestNew(r)); err == nil {
		t.Error("got an email expanded, want an error")
	}
}
