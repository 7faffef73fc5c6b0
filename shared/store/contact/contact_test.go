package contact_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/contact"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

const ana = "ana@acme.example"

type testEnv struct {
	*store.Store
	contacts *contact.Store
	t        *testing.T
	now      time.Time
	of       string // the customer
}

func newTestEnv(t *testing.T) *testEnv {
	e := &testEnv{t: t, now: time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)}
	e.Store = store.New(&storetest.Audited{Table: &tabletest.Memory{}, Fail: t.Errorf},
		store.Options{Now: func() time.Time { return e.now }})
	e.contacts = contact.New(e.Store)
	e.of = storetest.Customer(t, e.Store, "Acme AG", license.Contact{Name: "Ana", Email: ana}).ID
	e.now = e.now.AddDate(0, 1, 0)
	return e
}

func (e *testEnv) account() *customer.Account {
	e.t.Helper()
	a, err := e.Account(e.t.Context(), e.of)
	if err != nil {
		e.t.Fatal(err)
	}
	return a
}

func (e *testEnv) change() contact.Change {
	return contact.Change{Account: e.of, Version: e.account().Version, Customer: e.of, By: ana}
}

func (e *testEnv) add(email string) error {
	return e.contacts.AddContact(e.t.Context(), e.change(), customer.Contact{Name: "Bob", Email: email,
		VouchedBy: "eve@acme.example"})
}

func TestAddedContactSpeaksForNothingForSevenDays(t *testing.T) {
	e := newTestEnv(t)
	if err := e.add("bob@acme.example"); err != nil {
		t.Fatal(err)
	}
	bob, ok := e.account().Contact("bob@acme.example")
	if !ok || bob.AddedBy != ana || bob.VouchedBy != "" || bob.InEffect(e.now.AddDate(0, 0, 6)) ||
		!bob.InEffect(e.now.AddDate(0, 0, 7)) {
		t.Errorf("got %+v, want bob as a contact in seven days", bob)
	}
	events, _, err := e.CustomerTimeline(t.Context(), []string{e.of}, "", 1)
	if err != nil || len(events) != 1 || events[0].By != store.Customer || events[0].Note != ana {
		t.Errorf("got %+v, %v on the timeline, want that ana did it", events, err)
	}
	if err := e.add("Bob@Acme.example"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v for the same mailbox, want a conflict", err)
	}
}

// told are the addresses that are told of the newest change, with their letters' notices.
func (e *testEnv) told(kind mail.Kind) map[string]notice.Notice {
	e.t.Helper()
	about, err := e.MailsAbout(e.t.Context(), e.of, 100)
	if err != nil {
		e.t.Fatal(err)
	}
	list := map[string]notice.Notice{}
	for _, m := range about {
		if m.Kind != kind || !m.ByContact || m.To.Email != "" {
			continue
		}
		into, err := expansion.New(delivery.New(e.Store)).Expand(e.t.Context(), m.Notice)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, n := range into {
			list[n.To.Email] = n
		}
	}
	return list
}

func TestEveryOtherContactIsToldWhoAddedWhom(t *testing.T) {
	e := newTestEnv(t)
	storetest.Customer(t, e.Store, "Acme AG", license.Contact{Email: "cleo@acme.example"})
	if err := e.add("bob@acme.example"); err != nil {
		t.Fatal(err)
	}
	list := e.told(mail.ContactAdded)
	for _, email := range []string{"bob@acme.example", "cleo@acme.example"} {
		if n := list[email]; !n.ByContact || n.Author != ana || n.Expiration != license.DateOf(e.now).AddDays(7) {
			t.Errorf("%s: got %+v, want that ana added bob", email, n)
		}
	}
	if _, told := list[ana]; told {
		t.Error("ana is told what she did")
	}
}

func TestRemovedContactCanUndoIt(t *testing.T) {
	e := newTestEnv(t)
	storetest.Customer(t, e.Store, "Acme AG", license.Contact{Email: "cleo@acme.example"})
	if err := e.contacts.RemoveContact(t.Context(), e.change(), "CLEO@acme.example"); err != nil {
		t.Fatal(err)
	}
	if e.account().IsContact("cleo@acme.example") {
		t.Error("cleo is still a contact")
	}
	n := e.told(mail.ContactRemoved)["cleo@acme.example"]
	if n.Nonce == "" || !n.ByContact || n.Expiration != license.DateOf(e.now).AddDays(customer.RestoreDays) {
		t.Errorf("got %+v, want a link that undoes it", n)
	}
	err := e.contacts.RemoveContact(t.Context(), e.change(), "cleo@acme.example")
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v, want that cleo is no contact", err)
	}
}

func TestLastSpeakerStays(t *testing.T) {
	e := newTestEnv(t)
	if err := e.add("bob@acme.example"); err != nil {
		t.Fatal(err)
	}
	err := e.contacts.RemoveContact(t.Context(), e.change(), ana)
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "Nobody would be left") {
		t.Errorf("got %v, want that ana stays until bob speaks", err)
	}
	e.now = e.now.AddDate(0, 0, 7)
	if err := e.contacts.RemoveContact(t.Context(), e.change(), ana); err != nil {
		t.Error(err)
	}
}

func TestFewContactsAreNewAtATime(t *testing.T) {
	e := newTestEnv(t)
	for i := range contact.MaxNew {
		if err := e.add(fmt.Sprintf("n%d@acme.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.add("one.more@acme.example"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
	e.now = e.now.AddDate(0, 0, 7)
	if err := e.add("one.more@acme.example"); err != nil {
		t.Error(err)
	}
}

func TestChangeOfWhatChangedMeanwhileIsRefused(t *testing.T) {
	e := newTestEnv(t)
	stale := e.change()
	if err := e.add("bob@acme.example"); err != nil {
		t.Fatal(err)
	}
	err := e.contacts.AddContact(t.Context(), stale, customer.Contact{Email: "cleo@acme.example"})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
	err = e.contacts.AddContact(t.Context(), e.change(), customer.Contact{Email: "no address"})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want an invalid address", err)
	}
}
