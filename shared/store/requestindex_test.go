package store_test

import (
	"slices"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
)

func TestOpenRequestsAreFilteredAmongOthers(t *testing.T) {
	b := newTestEnv(t)
	wanted := map[string]bool{}
	for i := range 40 {
		d := evaluation
		if i%10 == 0 {
			d.Kind, d.Edition = request.Renewal, license.DataCenter
		}
		r := file(t, b, d)
		if i%10 == 0 {
			wanted[r.ID] = true
		}
		b.now = b.now.Add(time.Minute)
	}
	ofOpen := table.Query{PK: rowkey.QueuePK(request.Received, request.Renewal, "", "")}
	if page, err := b.table.Query(t.Context(), ofOpen); err != nil || len(page.Rows) != 0 {
		t.Errorf("got %d rows in a list of open renewals, %v, want none", len(page.Rows), err)
	}
	q := store.QueueQuery{States: []request.State{request.Received}, Kind: request.Renewal,
		Edition: license.DataCenter, Limit: 3}
	n, err := b.QueueLength(t.Context(), q)
	if err != nil || n != 3 {
		t.Errorf("got length %d, %v, want the limit of 3", n, err)
	}
	first, err := b.Queue(t.Context(), q)
	if err != nil || len(first.Requests) != 3 || first.Next == "" {
		t.Fatalf("got %+v, %v, want 3 and a next page", first, err)
	}
	q.After = first.Next
	second, err := b.Queue(t.Context(), q)
	if err != nil || len(second.Requests) != 1 || second.Next != "" {
		t.Fatalf("got %+v, %v, want the last one", second, err)
	}
	for _, r := range append(first.Requests, second.Requests...) {
		if !wanted[r.ID] {
			t.Errorf("got %s %s %s", r.ID, r.Kind, r.Edition)
		}
		delete(wanted, r.ID)
	}
	if len(wanted) > 0 {
		t.Errorf("missing %v", wanted)
	}
}

func TestLateRequestsAreThoseDueBeforeNow(t *testing.T) {
	b := newTestEnv(t)
	var late []string
	for i := range 6 {
		d := evaluation
		if i%2 == 0 {
			d.Kind = request.New
		}
		r := file(t, b, d)
		if i < 3 && i%2 == 0 {
			late = append(late, r.ID)
		}
		b.now = b.now.Add(time.Hour)
	}
	// Each is due one business day after it was filed: the third was due a second ago.
	b.now = b.now.AddDate(0, 0, 1).Add(-4*time.Hour + time.Second)
	q := store.QueueQuery{States: []request.State{request.Received, request.InReview}, Kind: request.New, Before: b.now,
		Limit: 1}
	n, err := b.QueueLength(t.Context(), store.QueueQuery{States: q.States, Kind: q.Kind, Before: b.now, Limit: 10})
	if err != nil || n != len(late) {
		t.Errorf("got %d late, %v, want %d", n, err, len(late))
	}
	var got []string
	for {
		page, err := b.Queue(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Requests {
			got = append(got, r.ID)
			if !r.Late(b.now) {
				t.Errorf("got %s, which is due at %v", r.ID, r.Due)
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if !slices.Equal(got, late) {
		t.Errorf("got late %q, want %q", got, late)
	}
}

// repeating draws the same reference again and again, then others.
type repeating struct{ same, calls int }

func (r *repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(max(0, r.calls-r.same))
	}
	r.calls++
	return len(p), nil
}

func TestTwoRequestsNeverHaveTheSameReference(t *testing.T) {
	b := newTestEnv(t)
	b.Store = store.New(b.table, store.Options{Now: func() time.Time { return b.now }, Random: &repeating{same: 3}})
	first, second := file(t, b, evaluation), file(t, b, evaluation)
	if first.Reference != "R-000000" || second.Reference != "R-111111" {
		t.Errorf("got references %s and %s, want R-000000 and R-111111", first.Reference, second.Reference)
	}
	for _, r := range []request.Request{first, second} {
		id, err := b.RequestByReference(t.Context(), r.Reference)
		kept, errKept := b.Request(t.Context(), id)
		if err != nil || errKept != nil || id != r.ID || kept.Reference != r.Reference {
			t.Errorf("%s: got %s with reference %s, %v, %v", r.Reference, id, kept.Reference, err, errKept)
		}
	}
	if _, err := b.RequestByReference(t.Context(), "R-222222"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown reference: got %v, want NotFound", err)
	}
	b.Store = store.New(b.table, store.Options{Now: func() time.Time { return b.now }, Random: &repeating{same: 99}})
	if _, _, err := storetest.FileRequest(t.Context(), b, evaluation, ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same reference without end: got %v, want a Conflict", err)
	}
}
