package store_test

import (
	"fmt"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

func fileUnconfirmed(t *testing.T, b *testEnv, d request.Details) request.Request {
	t.Helper()
	r, created, err := storetest.FileUnconfirmed(t.Context(), b, d, "")
	if err != nil || !created || !r.Unconfirmed {
		t.Fatalf("got %+v, %v, %v", r, created, err)
	}
	return r
}

// queueLengths counts the received requests, those in review, and the unconfirmed ones.
func queueLengths(t *testing.T, b *testEnv) string {
	t.Helper()
	var n [3]int
	for i, q := range []store.QueueQuery{{States: []request.State{request.Received}},
		{States: []request.State{request.InReview}}, {Unconfirmed: true}} {
		q.Limit = 100
		page, err := b.Queue(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n[i] = len(page.Requests)
		if counted, err := b.QueueLength(t.Context(), q); err != nil || counted != n[i] {
			t.Errorf("got length %d, %v, want %d", counted, err, n[i])
		}
	}
	return fmt.Sprint(n)
}

func TestUnconfirmedRequestWaitsBesideTheQueueUntilReview(t *testing.T) {
	b := newTestEnv(t)
	file(t, b, evaluation)
	r := fileUnconfirmed(t, b, evaluation)
	if got := queueLengths(t, b); got != "[1 0 1]" {
		t.Errorf("filed: got %s, want [1 0 1]", got)
	}
	r = review(t, b, r, request.InReview, "")
	if got := queueLengths(t, b); got != "[1 1 0]" || r.Unconfirmed {
		t.Errorf("reviewed: got %s and unconfirmed %v, want [1 1 0] and false", got, r.Unconfirmed)
	}
	n, err := b.TellUnconfirmed(t.Context())
	if n != 0 || err != nil {
		t.Errorf("got %d listed, %v, want none: somebody reviews it already", n, err)
	}
}

func TestSalesIsToldOfUnconfirmedRequestsOnceADay(t *testing.T) {
	b := newTestEnv(t)
	d := evaluation
	d.Email = "ada@gmail.com" // at a domain of which nobody counts the requests
	for range 60 {
		fileUnconfirmed(t, b, d)
	}
	for i, want := range []struct {
		day string
		n   int
	}{{"2018-03-01", 50}, {"2018-03-01", 0}, {"2018-03-02", 10}, {"2018-03-03", 0}} {
		b.now = day(want.day).Start().Add(9 * time.Hour)
		if n, err := b.TellUnconfirmed(t.Context()); n != want.n || err != nil {
			t.Errorf("run %d: got %d requests listed, %v, want %d", i, n, err, want.n)
		}
	}
	for id, n := range map[string]int{"request-unconfirmed--2018-03-01": 50, "request-unconfirmed--2018-03-02": 10} {
		m, err := b.Outbox().Read(t.Context(), id)
		if err != nil || m.Kind != mail.RequestUnconfirmed || len(m.Requests) != n {
			t.Errorf("got mail %+v, %v, want %d requests in it", m, err, n)
		}
	}
	if got := pending(t, b.Store); len(got) != 2 {
		t.Errorf("got pending mails %v, want two", got)
	}
}
