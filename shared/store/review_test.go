package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

// file files a request without mails, which is confirmed.
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
	return reviewBy(t, b, "sam@vendor.example", r, to, text)
}

func reviewBy(t *testing.T, b *testEnv, who string, r request.Request, to request.State, text string) request.Request {
	t.Helper()
	r, err := b.Review(t.Context(), store.Review{ID: r.ID, Version: r.Version, By: who, To: to, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReviewTellsWhoDidWhatWithBeforeAndAfter(t *testing.T) {
	b := newTestEnv(t)
	r := file(t, b, evaluation)
	r = review(t, b, r, request.InReview, "")
	b.now = b.now.Add(time.Hour)
	r = review(t, b, r, request.Waiting, "Which version?")
	r = review(t, b, r, request.InReview, "")
	r = review(t, b, r, request.Rejected, "No answer.")
	if r.State != request.Rejected || r.Reason != "No answer." || !r.Closed.Equal(b.now) ||
		r.Reviewer != "sam@vendor.example" {
		t.Errorf("got request %+v", r)
	}
	events, err := b.RequestTimeline(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		told = append(told, string(e.Action))
	}
	want := []string{"request received", "confirmed by the address", "taken into review", "customer asked",
		"review resumed", "rejected"}
	if !slices.Equal(told, want) {
		t.Errorf("got timeline %q, want %q", told, want)
	}
	last := events[len(events)-1]
	if last.By != "sam@vendor.example" || last.Note != "No answer." ||
		!slices.Contains(last.Changes, store.Change{Field: "state", Before: `"in review"`, After: `"rejected"`}) {
		t.Errorf("got last event %+v", last)
	}
}

func TestSecondOfTwoReviewersIsTold(t *testing.T) {
	b := newTestEnv(t)
	r := file(t, b, evaluation)
	var done, told atomic.Int32
	var wg sync.WaitGroup
	for _, to := range []request.State{request.Rejected, request.Waiting, request.InReview, request.Withdrawn} {
		wg.Go(func() {
			_, err := b.Review(t.Context(), store.Review{ID: r.ID, Version: r.Version, By: string(to), To: to,
				Text: "why"})
			switch {
			case err == nil:
				done.Add(1)
			case fault.KindOf(err) == fault.Conflict:
				told.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || told.Load() != 3 {
		t.Errorf("got %d reviews and %d conflicts, want 1 and 3", done.Load(), told.Load())
	}
	r, err := b.Request(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	mails := 1
	if r.State == request.InReview {
		mails = 0
	}
	b.now = b.now.Add(request.UndoFor)
	if got := promoteAll(t, b); len(got) != mails {
		t.Errorf("%s: got pending mails %v, want %d", r.State, got, mails)
	}
}

func TestStateChangesOnlyWhereItMay(t *testing.T) {
	b := newTestEnv(t)
	for _, from := range request.States {
		for _, to := range request.States {
			r := file(t, b, evaluation)
			if from != request.Received {
				r = review(t, b, r, from, "why")
			}
			_, err := b.Review(t.Context(), store.Review{ID: r.ID, Version: r.Version, By: "sam@vendor.example",
				To: to})
			if ok := err == nil; ok != from.Leads(to) || !ok && fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s to %s: got %v", from, to, err)
			}
		}
	}
}

func TestColleagueTakesARequestOver(t *testing.T) {
	b := newTestEnv(t)
	first := review(t, b, file(t, b, evaluation), request.InReview, "")
	over := reviewBy(t, b, "lucia@vendor.example", first, request.InReview, "")
	if over.Reviewer != "lucia@vendor.example" || over.State != request.InReview || over.Version != first.Version+1 {
		t.Errorf("got request %+v", over)
	}
	events, err := b.RequestTimeline(t.Context(), over.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	want := []store.Change{{Field: "reviewer", Before: `"sam@vendor.example"`, After: `"lucia@vendor.example"`}}
	if last.Action != store.RequestTakenOver || last.By != "lucia@vendor.example" || !slices.Equal(last.Changes, want) {
		t.Errorf("got last event %+v", last)
	}
	_, err = b.Review(t.Context(), store.Review{ID: first.ID, Version: first.Version, By: "sam@vendor.example",
		To: request.Rejected, Text: "why"})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("first reviewer with the old version: got %v, want a Conflict fault", err)
	}
}

func TestOneOfManyTakesARequestOver(t *testing.T) {
	b := newTestEnv(t)
	r := review(t, b, file(t, b, evaluation), request.InReview, "")
	var done atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := b.Review(t.Context(), store.Review{ID: r.ID, Version: r.Version,
				By: fmt.Sprint(i, "@vendor.example"), To: request.InReview})
			if err == nil {
				done.Add(1)
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	events, err := b.RequestTimeline(t.Context(), r.ID)
	if err != nil || done.Load() != 1 || len(events) != 4 {
		t.Errorf("got %d takeovers and %d events, %v, want 1 and 4", done.Load(), len(events), err)
	}
}

func TestQueueKnowsWhoHasWhatInReview(t *testing.T) {
	b := newTestEnv(t)
	queue := func(who string, kind request.Kind, edition license.Edition) (ids string) {
		t.Helper()
		q := store.QueueQuery{States: []request.State{request.InReview}, Kind: kind, Edition: edition, Reviewer: who,
			Limit: 10}
		page, err := b.Queue(t.Context(), q)
		n, errLength := b.QueueLength(t.Context(), q)
		if err != nil || errLength != nil || n != len(page.Requests) {
			t.Fatalf("got %d requests and length %d, %v, %v", len(page.Requests), n, err, errLength)
		}
		for _, r := range page.Requests {
			ids += r.ID
			if who != "" && r.Reviewer != who {
				t.Errorf("queue of %s: got %+v", who, r)
			}
		}
		return ids
	}
	const sam, lucia = "sam@vendor.example", "lucia@vendor.example"
	a := reviewBy(t, b, sam, file(t, b, evaluation), request.InReview, "")
	b.now = b.now.Add(time.Hour)
	file(t, b, evaluation)
	d := evaluation
	d.Kind, d.Edition = request.Renewal, license.Enterprise
	r := reviewBy(t, b, lucia, file(t, b, d), request.InReview, "")
	expect := func(ofSam, ofLucia, ofLuciaRenewals string) {
		t.Helper()
		if got := [...]string{queue(sam, "", ""), queue(lucia, "", ""),
			queue(lucia, request.Renewal, license.Enterprise)}; got != [...]string{ofSam, ofLucia, ofLuciaRenewals} {
			t.Errorf("got in review %q, want %q, %q, %q", got, ofSam, ofLucia, ofLuciaRenewals)
		}
		if all := queue("", "", ""); len(all) != len(ofSam+ofLucia) {
			t.Errorf("got in review of everybody %q", all)
		}
	}
	expect(a.ID, r.ID, r.ID)
	a = reviewBy(t, b, lucia, a, request.InReview, "")
	expect("", a.ID+r.ID, r.ID)
	r = reviewBy(t, b, sam, r, request.Waiting, "Which one?")
	expect("", a.ID, "")
	r = reviewBy(t, b, sam, r, request.InReview, "")
	expect(r.ID, a.ID, "")
	reviewBy(t, b, lucia, r, request.Rejected, "why")
	expect("", a.ID, "")
}

func TestQueueShowsWhatIsDueFirstInPages(t *testing.T) {
	b := newTestEnv(t)
	kinds := []request.Kind{request.Evaluation, request.New, request.Renewal}
	editions := []license.Edition{license.Developer, license.Enterprise}
	want := map[string][]string{} // by filter
	for i := range 60 {
		b.now = b.now.Add(time.Hour)
		d := evaluation
		d.Kind, d.Edition = kinds[i%3], editions[i%2]
		r := file(t, b, d)
		if i%5 == 0 {
			r = review(t, b, r, request.InReview, "")
		}
		if i%7 == 0 {
			review(t, b, r, request.Withdrawn, "why")
			continue
		}
		for _, kind := range []request.Kind{"", d.Kind} {
			for _, edition := range []license.Edition{"", d.Edition} {
				filter := fmt.Sprint(kind, "/", edition)
				want[filter] = append(want[filter], r.ID)
			}
		}
	}
	for _, kind := range append(kinds, "") {
		for _, edition := range append(editions, "") {
			for _, latest := range []bool{false, true} {
				var got []string
				q := store.QueueQuery{States: []request.State{request.Received, request.InReview}, Kind: kind,
					Edition: edition, Latest: latest, Limit: 7}
				for pages := 0; ; pages++ {
					page, err := b.Queue(t.Context(), q)
					if err != nil || pages > 20 {
						t.Fatal(pages, err)
					}
					for _, r := range page.Requests {
						got = append(got, r.ID)
					}
					if q.After = page.Next; q.After == "" {
						break
					}
				}
				all := slices.Clone(want[fmt.Sprint(kind, "/", edition)])
				if slices.Sort(all); latest {
					slices.Reverse(all)
				}
				// Several can be due at the same instant, as what comes on a weekend is: those come by ID as well.
				if !slices.Equal(got, all) {
					t.Errorf("queue of %q %q, latest %v: got\n%v\nwant\n%v", kind, edition, latest, got, all)
				}
			}
		}
	}
}
