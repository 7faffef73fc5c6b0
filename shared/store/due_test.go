package store_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"marketplace/shared/officehours"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table/tabletest"
)

// zurichEnv is a store of an office in Zurich that is open until 18:00 and has holidays at Christmas.
func zurichEnv(t *testing.T, now string) *testEnv {
	t.Helper()
	hours, err := officehours.Hours{}.In("Europe/Zurich")
	if err == nil {
		hours, err = hours.On("Mon-Fri 09:00-18:00")
	}
	if err == nil {
		hours, err = hours.Except("12-25, 12-26")
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &testEnv{now: inZurich(t, now)}
	b.Store = store.New(&tabletest.Memory{}, store.Options{Now: func() time.Time { return b.now }, Hours: hours})
	return b
}

func inZurich(t *testing.T, text string) time.Time {
	t.Helper()
	zone, ok := officehours.LoadZone("Europe/Zurich")
	if !ok {
		t.Fatal("no time zones")
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func wantDue(t *testing.T, b *testEnv, r request.Request, want string) {
	t.Helper()
	if got := now(t, b, r); !got.Due.Equal(inZurich(t, want)) || got.Due.Location() != time.UTC {
		t.Errorf("got %s request due at %v, want %s in Zurich", got.State, got.Due, want)
	}
}

func TestRequestIsDueOneBusinessDayAfterItWasFiledConfirmedOrResumed(t *testing.T) {
	b := zurichEnv(t, "2026-12-23 11:00")
	r := fileAs(t, b, under("ada@acme.example"))
	wantDue(t, b, r, "2026-12-24 11:00")
	b.now = inZurich(t, "2026-12-24 17:30")
	confirm(t, b, r)
	wantDue(t, b, r, "2026-12-28 17:30")

	r = review(t, b, now(t, b, r), request.InReview, "")
	b.now = inZurich(t, "2026-12-28 10:00")
	r = review(t, b, r, request.Waiting, "Which server?")
	wantDue(t, b, r, "2026-12-28 17:30") // taking it into review and asking promise nothing else
	b.now = inZurich(t, "2027-01-08 17:00")
	r = review(t, b, r, request.InReview, "")
	wantDue(t, b, r, "2027-01-11 17:00")
	if r.Late(b.now) {
		t.Error("a request is late as soon as its customer has answered")
	}
	b.now = inZurich(t, "2027-01-11 09:00")
	r = reviewBy(t, b, "ben@vendor.example", r, request.InReview, "")
	wantDue(t, b, r, "2027-01-11 17:00") // the customer has waited since then, whoever works on it
}

func TestBrowsersZoneMakesNoOtherRequest(t *testing.T) {
	b := newTestEnv(t)
	f := store.Filing{Details: evaluation, Key: "form:1", Zone: "Asia/Tokyo"}
	first, _, err := b.FileRequest(t.Context(), f)
	if err != nil || first.Zone != "Asia/Tokyo" {
		t.Fatalf("got %+v, %v", first, err)
	}
	f.Zone = "America/New_York"
	again, created, err := b.FileRequest(t.Context(), f)
	if err != nil || created || again.ID != first.ID || again.Zone != "Asia/Tokyo" {
		t.Errorf("got %+v, created %v, %v; want the first request", again, created, err)
	}
}
