package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table"
)

var bob = license.Contact{Name: "Bob", Email: "bob@acme.example"}

// byAnn is a change of a request as it is, by an operator.
func byAnn(r request.Request) store.RequestChange {
	return store.RequestChange{ID: r.ID, Version: r.Version, By: "ann@vendor.example"}
}

// askAndVouch asks ada about a request, and vouches for it.
func askAndVouch(t *testing.T, b *testEnv, r request.Request) {
	t.Helper()
	if err := b.AskContacts(t.Context(), byAnn(r), ada); err != nil {
		t.Fatal(err)
	}
	v := request.Vouch{Customer: "a", Licenses: []string{"a-l0"}, Server: r.Server, Email: r.Email, Note: "I called them."}
	if err := b.VouchFor(t.Context(), byAnn(now(t, b, r)), v); err != nil {
		t.Fatal(err)
	}
}

func TestRequestIsLinkedRelinkedAndUnlinked(t *testing.T) {
	b := newMemoryEnv()
	b.acme(t, "a")
	b.acme(t, "b")
	r := file(t, b.testEnv, evaluation)
	for _, tt := range []struct{ customer, instance, note string }{
		{"a", "a-i0", "a"}, {"a", "", "a"}, {"b", "b-i1", "b"}, {"", "", ""},
	} {
		r = now(t, b.testEnv, r)
		for range 2 { // the second time it is so already
			if err := b.LinkRequest(t.Context(), byAnn(now(t, b.testEnv, r)), tt.customer, tt.instance); err != nil {
				t.Fatal(err)
			}
		}
		got := now(t, b.testEnv, r)
		by := "ann@vendor.example"
		if tt.customer == "" {
			by = ""
		}
		events, err := b.RequestTimeline(t.Context(), r.ID)
		last := events[len(events)-1]
		if got.Customer != tt.customer || got.Instance != tt.instance || got.LinkedBy != by || err != nil ||
			got.Version != r.Version+1 || last.Note != tt.note || last.By != "ann@vendor.example" {
			t.Errorf("%+v: got %+v and event %+v, %v", tt, got, last, err)
		}
		list, _, err := b.RequestsOf(t.Context(), []string{"a", "b"}, 10)
		if want := min(1, len(tt.customer)); err != nil || len(list) != want {
			t.Errorf("%+v: got requests of customers %+v, %v, want %d", tt, list, err, want)
		}
	}
	if got := actions(t, b.testEnv, r); got[len(got)-1] != store.RequestUnlinked {
		t.Errorf("got timeline %v", got)
	}
	for _, tt := range [][2]string{{"c", ""}, {"a", "b-i0"}, {"", "a-i0"}} {
		before := b.table.Counts().RowsWritten
		err := b.LinkRequest(t.Context(), byAnn(now(t, b.testEnv, r)), tt[0], tt[1])
		if n := b.table.Counts().RowsWritten - before; n != 0 || tt[0] != "" && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%v: got %v and %d rows written, want none", tt, err, n)
		}
	}
}

func TestNewCustomerIsMadeAndLinkedAtOnce(t *testing.T) {
	b := newMemoryEnv()
	r := file(t, b.testEnv, evaluation)
	added := customer.Customer{ID: "n", Name: "Northwind", Created: b.now}
	stale := byAnn(r)
	stale.Version--
	if err := b.LinkNewCustomer(t.Context(), stale, added); fault.KindOf(err) != fault.Conflict {
		t.Errorf("with an old version: got %v, want a conflict", err)
	}
	if _, err := b.Account(t.Context(), "n"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got customer, %v, want none", err)
	}
	b.table.Reset()
	if err := b.LinkNewCustomer(t.Context(), byAnn(r), added); err != nil {
		t.Fatal(err)
	}
	if c := b.table.Counts(); c.Transacts != 1 {
		t.Errorf("got %d transactions, want one", c.Transacts)
	}
	got := now(t, b.testEnv, r)
	made := account(t, b.testEnv, "n").Customer
	if got.Customer != "n" || got.LinkedBy != "ann@vendor.example" || made.Reference == "" {
		t.Errorf("got %+v", got)
	}
}

func TestClosedRequestIsNotChangedAnyMore(t *testing.T) {
	b := newMemoryEnv()
	b.acme(t, "a")
	r := file(t, b.testEnv, evaluation)
	askAndVouch(t, b.testEnv, r)
	r = review(t, b.testEnv, now(t, b.testEnv, r), request.Rejected, "why")
	for name, change := range map[string]func(store.RequestChange) error{
		"link": func(c store.RequestChange) error { return b.LinkRequest(t.Context(), c, "a", "") },
		"new customer": func(c store.RequestChange) error {
			return b.LinkNewCustomer(t.Context(), c, customer.Customer{ID: "n", Name: "Northwind"})
		},
		"ask":    func(c store.RequestChange) error { return b.AskContacts(t.Context(), c, bob) },
		"answer": func(c store.RequestChange) error { return b.AnswerRequest(t.Context(), c.ID, ada.Email, true) },
		"vouch":  func(c store.RequestChange) error { return b.VouchFor(t.Context(), c, request.Vouch{}) },
		"withdraw vouch": func(c store.RequestChange) error {
			return b.WithdrawVouch(t.Context(), c)
		},
	} {
		before := b.table.Counts().RowsWritten
		err := change(byAnn(r))
		if n := b.table.Counts().RowsWritten - before; fault.KindOf(err) != fault.Conflict || n != 0 {
			t.Errorf("%s: got %v and %d rows written, want a conflict", name, err, n)
		}
		if err := change(store.RequestChange{ID: "r9", By: "ann"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s of an unknown request: got %v, want not found", name, err)
		}
	}
}

// TestSecondOfTwoOperatorsIsToldAboutARequest lets two people change a request at once, on the same view of it.
func TestSecondOfTwoOperatorsIsToldAboutARequest(t *testing.T) {
	b := newMemoryEnv()
	b.acme(t, "a")
	changes := []func(store.RequestChange) error{
		func(c store.RequestChange) error { return b.LinkRequest(t.Context(), c, "a", "") },
		func(c store.RequestChange) error {
			added := customer.Customer{ID: "n" + c.By, Name: "Northwind"}
			return b.LinkNewCustomer(t.Context(), c, added)
		},
		func(c store.RequestChange) error { return b.AskContacts(t.Context(), c, ada) },
		func(c store.RequestChange) error { return b.VouchFor(t.Context(), c, request.Vouch{Note: c.By}) },
	}
	for range 20 {
		r := file(t, b.testEnv, evaluation)
		var done, told atomic.Int32
		var wg sync.WaitGroup
		for i, change := range changes {
			wg.Go(func() {
				err := change(store.RequestChange{ID: r.ID, Version: r.Version, By: fmt.Sprint(i, r.ID)})
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
		if got := actions(t, b.testEnv, r); done.Load() != 1 || int(told.Load()) != len(changes)-1 || len(got) != 3 {
			t.Errorf("got %d changes, %d conflicts and the timeline %v, want one change", done.Load(), told.Load(), got)
		}
	}
}

func TestContactsAreAskedEachWithASecretOfTheirOwn(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := file(t, b, evaluation)
	err := b.AskContacts(t.Context(), byAnn(r), ada, license.Contact{Email: "Ada@ACME.example"}, bob)
	if err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	if err := b.AskContacts(t.Context(), byAnn(now(t, b, r)), bob); err != nil { // once more
		t.Fatal(err)
	}
	got := now(t, b, r)
	if !slices.Equal(got.AskedOf, []string{ada.Email, bob.Email}) || !got.Asked.Equal(b.now) {
		t.Errorf("got %+v", got)
	}
	mails, err := b.MailsAbout(t.Context(), r.ID, 10)
	if err != nil || len(mails) != 3 {
		t.Fatalf("got mails %+v, %v, want three", mails, err)
	}
	seen := map[string]bool{}
	for i, m := range mails {
		if m.Kind != mail.RequestAsk || len(m.Nonce) != 26 || seen[m.Nonce] || m.Rank() != notice.RankUrgent {
			t.Errorf("got mail %d %+v", i, m.Notice)
		}
		seen[m.Nonce] = true
	}
}

func TestNewestAnswerOfAContactCounts(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := file(t, b, evaluation)
	if err := b.AskContacts(t.Context(), byAnn(r), ada, bob); err != nil {
		t.Fatal(err)
	}
	before := len(pending(t, b.Store))
	for i, tt := range []struct {
		by   string
		yes  bool
		told string
	}{
		{ada.Email, true, "ada@acme.example yes"}, {ada.Email, true, "ada@acme.example yes"},
		{bob.Email, false, "ada@acme.example yes, bob@acme.example no"},
		{"Ada@ACME.example", false, "bob@acme.example no, Ada@ACME.example no"},
		{bob.Email, true, "Ada@ACME.example no, bob@acme.example yes"},
	} {
		b.now = b.now.Add(time.Minute)
		if err := b.AnswerRequest(t.Context(), r.ID, tt.by, tt.yes); err != nil {
			t.Fatal(err)
		}
		got := ""
		for n, a := range now(t, b, r).Answers {
			if n > 0 {
				got += ", "
			}
			got += a.By + map[bool]string{true: " yes", false: " no"}[a.Yes]
		}
		if got != tt.told {
			t.Errorf("answer %d: got %s, want %s", i, got, tt.told)
		}
	}
	if n := len(pending(t, b.Store)) - before; n != 4 {
		t.Errorf("got %d mails to sales, want one for each answer that changed something", n)
	}
	want := []store.Action{store.RequestReceived, store.RequestConfirmed, store.ContactsAsked, store.ContactSaidYes,
		store.ContactSaidNo, store.ContactSaidNo, store.ContactSaidYes}
	if got := actions(t, b, r); !slices.Equal(got, want) {
		t.Errorf("got timeline %v, want %v", got, want)
	}
}

func TestAnswerOfWhomNobodyAskedIsRefused(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := file(t, b, evaluation)
	if err := b.AskContacts(t.Context(), byAnn(r), ada); err != nil {
		t.Fatal(err)
	}
	if err := b.AnswerRequest(t.Context(), r.ID, bob.Email, true); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
	if got := now(t, b, r).Answers; len(got) != 0 {
		t.Errorf("got answers %+v, want none", got)
	}
}

func TestConcurrentAnswersAllCount(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := file(t, b, evaluation)
	var contacts []license.Contact
	for i := range 8 {
		contacts = append(contacts, license.Contact{Email: fmt.Sprint("c", i, "@acme.example")})
	}
	if err := b.AskContacts(t.Context(), byAnn(r), contacts...); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, c := range contacts {
		wg.Go(func() {
			if err := b.AnswerRequest(t.Context(), r.ID, c.Email, true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := now(t, b, r).Answers; len(got) != 8 {
		t.Errorf("got answers %+v, want 8", got)
	}
}

func TestVouchIsOfWhoGaveItAndIsTakenBack(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := file(t, b, evaluation)
	v := request.Vouch{By: "eve@vendor.example", Customer: "a", Licenses: []string{"l"}, Server: r.Server,
		Email: r.Email, Note: "I called them."}
	if err := b.VouchFor(t.Context(), byAnn(r), v); err != nil {
		t.Fatal(err)
	}
	got := now(t, b, r)
	v.By, v.At = "ann@vendor.example", b.now
	if got.Vouch == nil || fmt.Sprint(*got.Vouch) != fmt.Sprint(v) {
		t.Errorf("got vouch %+v, want %+v", got.Vouch, v)
	}
	if err := b.WithdrawVouch(t.Context(), byAnn(r)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("on an old view: got %v, want a conflict", err)
	}
	for range 2 { // the second time there is none
		if err := b.WithdrawVouch(t.Context(), byAnn(now(t, b, r))); err != nil {
			t.Fatal(err)
		}
	}
	want := []store.Action{store.RequestReceived, store.RequestConfirmed, store.VouchedFor, store.VouchWithdrawn}
	if got := actions(t, b, r); !slices.Equal(got, want) || now(t, b, r).Vouch != nil {
		t.Errorf("got timeline %v, want %v", got, want)
	}
}

func TestReceivingARequestTwiceDoesItOnce(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := file(t, b, evaluation)
	first, err := b.ReceiveRequest(t.Context(), r.ID, "a", "a-i0", ada, bob)
	if err != nil || first.Customer != "a" || first.Instance != "a-i0" || first.LinkedBy != store.System ||
		!slices.Equal(first.AskedOf, []string{ada.Email, bob.Email}) || !first.Asked.Equal(b.now) {
		t.Fatalf("got %+v, %v", first, err)
	}
	b.now = b.now.Add(time.Hour)
	for _, c := range []string{"a", "b", ""} {
		again, err := b.ReceiveRequest(t.Context(), r.ID, c, "", ada)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
			t.Errorf("again: got %+v, %v, want %+v", again, err, first)
		}
	}
	events, err := b.RequestTimeline(t.Context(), r.ID)
	if err != nil || len(events) != 4 || events[2].Action != store.RequestLinked || events[2].Note != "a" ||
		events[3].Action != store.ContactsAsked || events[2].By != store.System || events[3].By != store.System {
		t.Errorf("got timeline %+v, %v", events, err)
	}
	if got := kinds(t, b, r.ID); len(got) != 0 {
		t.Errorf("got mails %v, want none: the caller queues them", got)
	}
	for _, id := range []string{"system", "colleague"} {
		page, err := b.table.Query(t.Context(), table.Query{PK: "AUDIT#2018-03-01#" + id})
		if want := map[string]bool{"system": true}[id]; err != nil || (len(page.Rows) > 0) != want {
			t.Errorf("got audit of %s %+v, %v, want a row: %v", id, page.Rows, err, want)
		}
	}
}

func TestReceivingKeepsWhatOperatorsDid(t *testing.T) {
	b := newMemoryEnv()
	b.acme(t, "a")
	b.acme(t, "b")
	linked := func(to string) request.Request {
		r := file(t, b.testEnv, evaluation)
		if err := b.LinkRequest(t.Context(), byAnn(r), to, ""); err != nil {
			t.Fatal(err)
		}
		return r
	}
	other, err := b.ReceiveRequest(t.Context(), linked("b").ID, "a", "a-i0", ada)
	if err != nil || other.Customer != "b" || len(other.AskedOf) != 0 {
		t.Errorf("linked before: got %+v, %v, want nobody asked", other, err)
	}
	asked := file(t, b.testEnv, evaluation)
	if err := b.AskContacts(t.Context(), byAnn(asked), bob); err != nil {
		t.Fatal(err)
	}
	asked, err = b.ReceiveRequest(t.Context(), asked.ID, "a", "", ada)
	if err != nil || asked.Customer != "a" || !slices.Equal(asked.AskedOf, []string{ada.Email}) {
		t.Errorf("asked before it was linked: got %+v, %v, want the customer's contact asked", asked, err)
	}
	closed := review(t, b.testEnv, file(t, b.testEnv, evaluation), request.Rejected, "why")
	b.now = b.now.Add(request.UndoFor)
	closed, err = b.ReceiveRequest(t.Context(), closed.ID, "a", "", ada)
	if err != nil || closed.Customer != "" || len(closed.AskedOf) != 0 {
		t.Errorf("closed: got %+v, %v, want it unchanged", closed, err)
	}
	if _, err := b.ReceiveRequest(t.Context(), "r9", "a", ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown request: got %v", err)
	}
}

func TestContactIsAskedEnoughOnceItWasAskedAboutFiveRequestsOfADay(t *testing.T) {
	b := newMemoryEnv().testEnv
	for i := range 6 {
		if enough, err := b.AskedEnough(t.Context(), "Ada@ACME.example"); err != nil || enough != (i >= 5) {
			t.Errorf("after %d requests: got enough %v, %v", i, enough, err)
		}
		r := file(t, b, evaluation)
		for range 2 { // once more about the same request counts once
			b.now = b.now.Add(time.Second)
			if err := b.AskContacts(t.Context(), byAnn(now(t, b, r)), ada); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.now = b.now.AddDate(0, 0, 1)
	if enough, err := b.AskedEnough(t.Context(), ada.Email); err != nil || enough {
		t.Errorf("on the next day: got enough %v, %v", enough, err)
	}
}

// TestRelinkingDropsWhatContactsOfTheOtherCustomerSaid: they are contacts of the wrong one.
func TestRelinkingDropsWhatContactsOfTheOtherCustomerSaid(t *testing.T) {
	b := newMemoryEnv()
	b.acme(t, "a")
	b.acme(t, "b")
	r := file(t, b.testEnv, evaluation)
	link := func(to, instance string) request.Request {
		t.Helper()
		if err := b.LinkRequest(t.Context(), byAnn(now(t, b.testEnv, r)), to, instance); err != nil {
			t.Fatal(err)
		}
		return now(t, b.testEnv, r)
	}
	askAndVouch(t, b.testEnv, link("a", ""))
	if err := b.AnswerRequest(t.Context(), r.ID, ada.Email, true); err != nil {
		t.Fatal(err)
	}
	if got := link("a", "a-i0"); len(got.Answers) != 1 || len(got.AskedOf) != 1 {
		t.Errorf("another instance: got %+v, want the answer kept", got)
	}
	if got := link("b", ""); len(got.Answers)+len(got.AskedOf) != 0 || !got.Asked.IsZero() {
		t.Errorf("another customer: got %+v, want no answer", got)
	}
	if err := b.AnswerRequest(t.Context(), r.ID, ada.Email, true); fault.KindOf(err) != fault.Conflict {
		t.Errorf("answer to the old question: got %v, want a conflict", err)
	}
}
