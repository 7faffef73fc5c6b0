package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"marketplace/shared/table"
	"marketplace/shared/web/webtest"
)

// failingTable is a table whose calls fail with an error that names a key.
type failingTable struct {
	table.Table
	err error
}

func (f failingTable) Get(_ context.Context, key table.Key) (table.Row, error) {
	return table.Row{}, fmt.Errorf("get %v: %w", key, f.err)
}

func (f failingTable) Query(_ context.Context, q table.Query) (table.Page, error) {
	return table.Page{}, fmt.Errorf("query %v: %w", q, f.err)
}

func (f failingTable) Transact(_ context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if strings.HasPrefix(w.Row.PK, "EMAIL-REQUESTS#") {
			return fmt.Errorf("transact %v: %w", w.Row.Key, f.err)
		}
	}
	return f.err
}

func TestUnavailableStorageAsksToRetry(t *testing.T) {
	env := newTestEnvOver(t, failingTable{err: table.ErrUnavailable})
	for _, a := range []*webtest.Answer{env.send("/request/developer", validForm()), env.api(validJSON()),
		env.get("/requests/1?token=x"), env.get("/api/license-requests/1")} {
		a.WantStatus(http.StatusServiceUnavailable)
		if a.Header.Get("Retry-After") == "" || strings.Contains(a.Body, "REQUEST#") {
			t.Errorf("got headers %v and body %s, want Retry-After and no row key", a.Header, a.Body)
		}
	}
	env = newTestEnvOver(t, failingTable{err: errors.New("the disk is on fire")})
	if a := env.send("/request/developer", validForm()).WantStatus(500); strings.Contains(a.Body, "fire") {
		t.Errorf("got the cause in the response: %s", a.Body)
	}
	if !strings.Contains(env.log.String(), "fire") {
		t.Errorf("got no cause in the log: %s", env.log)
	}
}

func TestLogHasNoCustomerData(t *testing.T) {
	for _, env := range []*testEnv{newTestEnv(t), newTestEnvOver(t, failingTable{err: errors.New("broken")}),
		newTestEnvOver(t, failingTable{err: table.ErrUnavailable})} {
		to := env.send("/request/developer", validForm()).Header.Get("Location")
		env.send("/request/developer",
			withValues(validForm(), "serverId", "x", "email", "jane.doe@customer.example,", "name", "Jane\x00Doe"))
		env.send("/request/developer", withValues(validForm(), "ncloc", "7"))
		env.api(validJSON("message", 7, "jane.doe@customer.example", 7, "Jane Doe", 7))
		env.api(validJSON())
		if to != "" {
			env.get(to)
			env.get(strings.Replace(to, "token=", "token=x", 1))
		}
		env.get("/jane.doe@customer.example/")
		log := env.log.String()
		if log == "" {
			t.Fatal("got an empty log")
		}
		_, token, _ := strings.Cut(to, "token=")
		for _, secret := range []string{"jane.doe", "Jane", "Doe", "customer & sons", "Customer & Sons", "Switzerland",
			"555 01 23", "hurry", "john@", token} {
			if secret != "" && strings.Contains(log, secret) {
				t.Errorf("the log contains %q:\n%s", secret, log)
			}
		}
	}
}
