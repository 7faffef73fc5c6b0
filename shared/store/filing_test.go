package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// fileAs files a request as it arrives.
func fileAs(t *testing.T, b *testEnv, f store.Filing) request.Request {
	t.Helper()
	r, created, err := b.FileRequest(t.Context(), f)
	if err != nil || !created {
		t.Fatalf("FileRequest = %v, %v", created, err)
	}
	return r
}

// under are the details of a usual request under an address.
func under(email string) store.Filing {
	d := evaluation
	d.Email = email
	return store.Filing{Details: d}
}

// kinds lists the kinds of the mails about a request, in the order in which they were queued.
func kinds(t *testing.T, b *testEnv, id string) (list []mail.Kind) {
	t.Helper()
	mails, err := b.MailsAbout(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		list = append(list, m.Kind)
	}
	return list
}

func TestFilingIsOneTransactionAfterOneRoundOfReads(t *testing.T) {
	b := newTestEnv(t)
	d := evaluation
	d.Company = "Norwegian Fjord Systems International"
	r := fileAs(t, b, store.Filing{Details: d, Key: "token"})
	if c := b.table.Counts(); c.Transacts != 1 || c.Gets != 0 || c.Queries != 2 || c.RowsWritten > 16 {
		t.Errorf("got %+v, want two queries and one transaction of at most 16 rows", c)
	}
	got, err := b.Request(t.Context(), r.ID)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(r) {
		t.Errorf("Request = %+v, %v; want %+v", got, err, r)
	}
	if r.State != request.Received || !r.Due.Equal(b.now.AddDate(0, 0, 1)) || len(r.Token) != 26 ||
		len(r.Secret) != 26 || r.Secret == r.Token || !r.Unconfirmed || !r.Confirmed.IsZero() {
		t.Errorf("got request %+v", r)
	}
	events, err := b.RequestTimeline(t.Context(), r.ID)
	if err != nil || len(events) != 1 || events[0].Action != store.RequestReceived || events[0].By != store.Customer {
		t.Errorf("got timeline %+v, %v", events, err)
	}
	if got := kinds(t, b, r.ID); !slices.Equal(got, []mail.Kind{mail.RequestReceived}) {
		t.Errorf("got mails %v, want one to the address and none to sales", got)
	}
	if got := queueLengths(t, b); got != "[0 0 1]" {
		t.Errorf("got queues %s, want the request among the unconfirmed ones", got)
	}
}

func TestWhatNeedsNoConfirmationIsToldToSalesAtOnce(t *testing.T) {
	link := &request.Link{Mail: "m", Contact: "ada@acme.example", License: "l"}
	both := []mail.Kind{mail.RequestConfirmed, mail.RequestReceived}
	for name, tt := range map[string]struct {
		filing      store.Filing
		unconfirmed bool
		mails       []mail.Kind
		by          string
	}{
		"through a bound link": {store.Filing{Link: link, Bound: true}, false, both, store.Customer},
		"by a colleague":       {store.Filing{By: "sam@vendor.example"}, false, both, "sam@vendor.example"},
		"through a link, asking for more than it allows": {store.Filing{Link: link}, true,
			[]mail.Kind{mail.RequestReceived}, store.Customer},
		"by a program":                      {store.Filing{Suspicious: true}, true, nil, store.Customer},
		"by a program through a bound link": {store.Filing{Suspicious: true, Link: link, Bound: true}, true, nil, store.Customer},
	} {
		b := newTestEnv(t)
		tt.filing.Details = evaluation
		r := fileAs(t, b, tt.filing)
		if c := b.table.Counts(); !tt.unconfirmed && c.Queries != 0 {
			t.Errorf("%s: got %+v, want nothing counted", name, c)
		}
		got := kinds(t, b, r.ID)
		slices.Sort(got)
		events, err := b.RequestTimeline(t.Context(), r.ID)
		if r.Unconfirmed != tt.unconfirmed || !slices.Equal(got, tt.mails) || err != nil || events[0].By != tt.by ||
			!r.Confirmed.IsZero() {
			t.Errorf("%s: got %+v with mails %v and timeline %+v, %v, want unconfirmed %v and mails %v", name, r, got,
				events, err, tt.unconfirmed, tt.mails)
		}
	}
}

func TestOneTokenFilesOneRequest(t *testing.T) {
	b := newTestEnv(t)
	ids := make([]string, 200)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			r, _, err := b.FileRequest(t.Context(), store.Filing{Details: evaluation, Key: "token"})
			if err != nil {
				t.Error(err)
			}
			ids[i] = r.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
		t.Errorf("200 posts: got requests %v, want one", slices.Compact(ids))
	}
	if got := pending(t, b.Store); len(got) != 1 {
		t.Errorf("200 posts: got mails %v, want one", got)
	}
}

func TestTokenIsRememberedForNinetyDays(t *testing.T) {
	b := newTestEnv(t)
	var expires []time.Time
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		for _, w := range c.Writes {
			if w.Row.Type == "idempotency" {
				expires = append(expires, w.Row.Expires)
			}
		}
		return tabletest.Fault{}
	}
	fileAs(t, b, store.Filing{Details: evaluation, Key: "token"})
	if len(expires) != 1 || !expires[0].Equal(b.now.AddDate(0, 0, 90)) {
		t.Errorf("got tokens expiring at %v, want one, 90 days from %v", expires, b.now)
	}
}

func TestTokenWithOtherDetailsIsAnotherRequest(t *testing.T) {
	b := newTestEnv(t)
	f := store.Filing{Details: evaluation, Key: "token"}
	first := fileAs(t, b, f)
	other := f
	other.Email = "eve@acme.example"
	r := fileAs(t, b, other)
	if r.ID == first.ID || r.Token == first.Token || r.Secret == first.Secret || r.Email != other.Email {
		t.Errorf("FileRequest = %+v; want another request than %+v", r, first)
	}
	if again, created, err := b.FileRequest(t.Context(), f); err != nil || created || again.ID != first.ID {
		t.Errorf("FileRequest again = %s, %v, %v; want the first request", again.ID, created, err)
	}
}

func TestRetryAfterALostAnswerFindsItsRequest(t *testing.T) {
	b := newTestEnv(t)
	lost := false
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" && !lost {
			lost = true
			return tabletest.Lost
		}
		return tabletest.Fault{}
	}
	f := store.Filing{Details: evaluation, Key: "token"}
	if _, _, err := b.FileRequest(t.Context(), f); !errors.Is(err, table.ErrUnavailable) {
		t.Fatalf("got %v, want a lost answer", err)
	}
	if _, created, err := b.FileRequest(t.Context(), f); err != nil || created {
		t.Errorf("retry: got created %v, %v, want the first request", created, err)
	}
	if got := pending(t, b.Store); len(got) != 1 {
		t.Errorf("got pending mails %v, want one", got)
	}
}

// TestHundredRequestsAtOnceUnderOneAddressMakeFourMails lets all of them read before the first is written.
func TestHundredRequestsAtOnceUnderOneAddressMakeFourMails(t *testing.T) {
	b := newMemoryEnv()
	var arrived atomic.Int32
	all := make(chan struct{})
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" && arrived.Add(1) == 100 {
			close(all) // all have read by now
		}
		if c.Op == "transact" {
			<-all
		}
		return tabletest.Fault{}
	}
	var wg sync.WaitGroup
	for i := range 100 {
		email := []string{"ada@acme.example", "Ada@acme.example", "ADA@ACME.EXAMPLE", "ada+1@acme.example"}[i%4]
		wg.Go(func() {
			if _, created, err := b.FileRequest(t.Context(), under(email)); err != nil || !created {
				t.Errorf("FileRequest = %v, %v", created, err)
			}
		})
	}
	wg.Wait()
	page, err := b.Queue(t.Context(), store.QueueQuery{Unconfirmed: true, Limit: 200})
	if err != nil || len(page.Requests) != 100 {
		t.Errorf("got %d requests, %v, want all 100", len(page.Requests), err)
	}
	found := map[mail.Kind]int{}
	for _, r := range page.Requests {
		for _, k := range kinds(t, b.testEnv, r.ID) {
			found[k]++
		}
	}
	delete(found, mail.RequestsOfDomain) // of many at once, each may have seen too few
	want := map[mail.Kind]int{mail.RequestReceived: 3, mail.RequestsToConfirm: 1}
	if fmt.Sprint(found) != fmt.Sprint(want) {
		t.Errorf("got mails %v, want %v", found, want)
	}
}

// TestFilingTellsNothingOfWhatIsOnRecord compares what the form does for a server of a customer, asked for under a
// contact's address, with what it does for one that nobody knows.
func TestFilingTellsNothingOfWhatIsOnRecord(t *testing.T) {
	b := newMemoryEnv()
	b.table.ShortPages = false // which makes more calls of some
	storetest.Record(t, b.Store, license.License{ID: "l1", Type: license.Production, Organization: "Acme AG",
		Server: evaluation.Server, Edition: license.Developer, MaxLoc: 1, Expiration: day("2019-01-01")}, ada)
	trace := func(f store.Filing) (calls []string) {
		var mu sync.Mutex // two queries are made at once
		b.table.Fault = func(c tabletest.Call) tabletest.Fault {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, fmt.Sprint(c.Op, " ", len(c.Key.String()), " ", len(fmt.Sprint(c.Query))))
			for _, w := range c.Writes {
				kind, _, _ := strings.Cut(w.Row.PK, "#")
				calls = append(calls,
					fmt.Sprint(kind, " ", len(w.Row.Key.String()), " ", len(w.Row.Data), " ", w.Expect))
			}
			return tabletest.Fault{}
		}
		r := fileAs(t, b.testEnv, f)
		b.table.Fault = nil
		size := len(fmt.Sprint(r))
		slices.Sort(calls)
		return append(calls, fmt.Sprint("answer ", size))
	}
	known := under(ada.Email)
	unknown := under("bob@acme.example")
	unknown.Server = "AWHW8w9JtzBzSrmf9GQY"
	if got, want := trace(unknown), trace(known); !slices.Equal(got, want) {
		t.Errorf("unknown server: got\n%s\nwant as for a known one\n%s", strings.Join(got, "\n"),
			strings.Join(want, "\n"))
	}
}

func TestHundredRequestsOfADomainMakeOneAlarmAndCutNobody(t *testing.T) {
	b := newMemoryEnv()
	alarms := func() (n int) {
		for _, id := range pending(t, b.Store) {
			if strings.Contains(id, "--domain-") {
				n++
			}
		}
		return n
	}
	for i := range 100 {
		r := fileAs(t, b.testEnv, under(fmt.Sprint("person", i, "@acme.example")))
		if !slices.Contains(kinds(t, b.testEnv, r.ID), mail.RequestReceived) {
			t.Errorf("request %d: its address was sent no email", i)
		}
		if want := i/20 > 0; (alarms() > 0) != want {
			t.Errorf("after %d requests: got %d alarms, want one: %v", i+1, alarms(), want)
		}
	}
	var wg sync.WaitGroup
	for i := range 40 { // suspicious ones count, too
		wg.Go(func() {
			f := under(fmt.Sprint("person", i, "@fjord.example"))
			f.Suspicious = true
			if _, _, err := b.FileRequest(t.Context(), f); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fileAs(t, b.testEnv, under("ada@fjord.example")) // all those at once may have seen too few
	if got := alarms(); got != 2 {
		t.Errorf("got %d alarms, want one for each domain", got)
	}
	b.now = b.now.AddDate(0, 0, 1)
	for i := range 21 {
		fileAs(t, b.testEnv, under(fmt.Sprint("other", i, "@acme.example")))
	}
	if got := alarms(); got != 3 {
		t.Errorf("a day later: got %d alarms, want one more", got)
	}
}

func TestRequestsOfPublicProvidersAreNotCounted(t *testing.T) {
	b := newMemoryEnv()
	for i := range 30 {
		fileAs(t, b.testEnv, under(fmt.Sprint("person", i, "@gmail.com")))
		fileAs(t, b.testEnv, store.Filing{Details: evaluation, By: "sam@vendor.example"})
	}
	for _, row := range b.memory.Rows() {
		if strings.HasPrefix(row.PK, "DOMAIN-REQUESTS#") {
			t.Errorf("got row %v", row.Key)
		}
	}
}

func TestSuspiciousRequestDoesNotTakeTheLinkOfAContact(t *testing.T) {
	b := newMemoryEnv().testEnv
	f := store.Filing{Details: evaluation, Suspicious: true, Bound: true,
		Link: &request.Link{Mail: "m", Contact: evaluation.Email, License: "l"}}
	f.Kind = request.Renewal
	suspicious := fileAs(t, b, f)
	f.Suspicious = false
	r := fileAs(t, b, f)
	if r.ID == suspicious.ID || r.Unconfirmed {
		t.Errorf("got %+v, want a request of its own, which needs no confirmation", r)
	}
}
