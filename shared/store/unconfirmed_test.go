package store_test

import (
	"fmt"
	"testing"

	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

func fileUnconfirmed(t *testing.T, b *testEnv, d request.Details) request.Request {
	t.Helper()
	r, created, err := b.FileUnconfirmed(t.Context(), d, "")
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
	n, err := b.TellUnconfirmed(t.Context(), func([]request.Summary) mail.Message { return mail.Message{ID: "m"} })
	if n != 0 || err != nil {
		t.Errorf("got %d listed, %v, want none: somebody reviews it already", n, err)
	}
}

func TestSalesIsToldOfUnconfirmedRequestsOnceADay(t *testing.T) {
	b := newTestEnv(t)
	tell := func(id string) (n int) {
		n, err := b.TellUnconfirmed(t.Context(), func(list []request.Summary) mail.Message {
			return mail.Message{
				ID:    id,
				Kind:  mail.RequestUnconfirmed,
				About: list[0].ID,
				To:    mail.Address{Email: "s@v.example"},
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 60 {
		fileUnconfirmed(t, b, evaluation)
	}
	for i, want := range []struct {
		id string
		n  int
	}{{"monday", 50}, {"monday", 0}, {"tuesday", 10}, {"wednesday", 0}} {
		if n := tell(want.id); n != want.n {
			t.Errorf("run %d: got %d requests listed, want %d", i, n, want.n)
		}
	}
	pending, err := b.PendingMail(t.Context(), "", 10)
	if err != nil || fmt.Sprint(pending) != "[monday tuesday]" {
		t.Errorf("got mails %v, %v, want monday and tuesday", pending, err)
	}
}
