package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"marketplace/catalog/bundle"
	"marketplace/functions/catalog/api"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

// TestRequestIsAnsweredByOneHandler changes the handler at every request, also for the race detector.
func TestRequestIsAnsweredByOneHandler(t *testing.T) {
	var handlers [2]*api.Handler
	for i := range handlers {
		d := document("/editions.json", "", fmt.Sprint(i))
		d.Identity.ETag = fmt.Sprintf(`"%d"`, i)
		handlers[i] = api.New(&bundle.Bundle{SiteURL: "https://editions.example.com", Documents: []bundle.Document{d}},
			api.Options{})
	}
	var turn atomic.Int64
	live := api.Live(func() (*api.Handler, error) { return handlers[turn.Add(1)%2], nil })
	event, err := lambdahttptest.Event(httptest.NewRequest("GET", "/editions.json", nil))
	if err != nil {
		t.Fatal(err)
	}
	check := func(resp *http.Response) {
		text, etag := body(t, resp), resp.Header.Get("ETag")
		if resp.StatusCode != 200 || etag != `"`+text+`"` {
			t.Errorf("got %d with the entity tag %s for the body %q", resp.StatusCode, etag, text)
		}
	}
	var askers sync.WaitGroup
	for range 4 {
		askers.Go(func() {
			for range 100 {
				check(ask(live, "GET", "/editions.json"))
				answer, err := live.Invoke(t.Context(), event)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := lambdahttptest.Response(answer)
				if err != nil {
					t.Error(err)
					return
				}
				check(resp)
			}
		})
	}
	askers.Wait()
}

func TestFunctionWithDamagedCatalogFails(t *testing.T) {
	broken := api.Live(func() (*api.Handler, error) { return nil, errors.New("boom") })
	resp := ask(broken, "GET", "/editions.json")
	if resp.StatusCode != 500 || resp.Header.Get("Access-Control-Allow-Origin") != "*" || body(t, resp) == "boom" {
		t.Errorf("got %d %v, want 500 for any origin", resp.StatusCode, resp.Header)
	}
	if answer, err := broken.Invoke(t.Context(), []byte("{}")); err == nil {
		t.Errorf("Invoke: got %s, want an error", answer)
	}
}
