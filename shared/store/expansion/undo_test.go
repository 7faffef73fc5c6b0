package expansion_test

import (
	"errors"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
)

// removeBob removes a contact, and returns the notice to him.
func removeBob(e *testEnv) (l license.License, toBob notice.Notice) {
	e.t.Helper()
	l = e.sold(contact("ada"), contact("bob"))
	e.save(l.Customer, func(c *customer.Customer) { c.Contacts[1].VouchedBy = "sam@vendor.example" })
	e.save(l.Customer, func(c *customer.Customer) { c.Contacts = c.Contacts[:1] })
	a, err := e.Account(e.t.Context(), l.Customer)
	e.must(err)
	n := notice.ContactRemoved(notice.ContactChange{Customer: l.Customer, Version: a.Version - 1})
	m, err := e.Outbox().Read(e.t.Context(), n.ID)
	e.must(err)
	into, err := e.Expand(e.t.Context(), m.Notice)
	e.must(err)
	e.must(e.Outbox().Expand(e.t.Context(), m, into))
	return l, into[1]
}

// expandUndo expands the undo of an email as the mailer does.
func (e *testEnv) expandUndo(of notice.Notice) error {
	e.t.Helper()
	m, err := e.Outbox().Read(e.t.Context(), notice.ContactUndo(of).ID)
	e.must(err)
	into, err := e.Expand(e.t.Context(), m.Notice)
	if err != nil {
		return err
	}
	return e.Outbox().Expand(e.t.Context(), m, into)
}

func TestWhoWasRemovedComesBackByTheLink(t *testing.T) {
	e := newTestEnv(t)
	l, toBob := removeBob(e)
	ctx := t.Context()
	e.now = e.now.Add(14*24*time.Hour - time.Minute)
	if _, used, err := e.Removal(ctx, l.Customer, toBob.ID, toBob.Nonce); used || err != nil {
		t.Fatalf("got used %v, %v, want a link that was not used", used, err)
	}
	for range 2 { // a second click changes nothing
		e.must(e.UndoRemoval(ctx, l.Customer, toBob.ID, toBob.Nonce))
	}
	e.must(e.expandUndo(toBob))
	if _, used, err := e.Removal(ctx, l.Customer, toBob.ID, toBob.Nonce); !used || err != nil {
		t.Errorf("got used %v, %v, want it used", used, err)
	}
	a, err := e.Account(ctx, l.Customer)
	e.must(err)
	bob, ok := a.Customer.Contact("bob@acme.example")
	if !ok || !bob.Since.Equal(e.now) || bob.VouchedBy != "" || bob.AddedBy != store.Customer ||
		len(a.Customer.Removed) > 0 {
		t.Errorf("got %+v, removed %v; want bob as a new contact that nobody vouches for", bob, a.Customer.Removed)
	}
	events, _, err := e.CustomerTimeline(ctx, []string{l.Customer}, "", 1)
	if err != nil || len(events) != 1 || events[0].By != store.Customer || events[0].Action != store.ContactRestored {
		t.Errorf("got timeline %+v, %v, want one line by the customer", events, err)
	}
	added := notice.ContactAdded(notice.ContactChange{Customer: l.Customer, Version: a.Version - 1})
	told, err := e.Outbox().Read(ctx, added.ID)
	e.must(err)
	e.want("restored", e.told(told.Notice), contact("ada"))
	// Expanded again after a crash, it restores nobody a second time.
	_, err = e.Expand(ctx, notice.ContactUndo(toBob))
	if _, ok := errors.AsType[*notice.PointlessError](err); !ok {
		t.Errorf("got %v, want that it has no point", err)
	}
}

func TestLinkOfARemovalOpensNothingElse(t *testing.T) {
	e := newTestEnv(t)
	l, toBob := removeBob(e)
	ctx := t.Context()
	toAda := notice.ContactRemoved(notice.ContactChange{}) // which has no secret
	toAda.ID = toBob.ID[:len(toBob.ID)-8] + "00000000"
	for name, link := range map[string][3]string{
		"wrong secret":     {l.Customer, toBob.ID, "AAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"no secret":        {l.Customer, toBob.ID, ""},
		"another customer": {"another", toBob.ID, toBob.Nonce},
		"another email":    {l.Customer, toAda.ID, toBob.Nonce},
		"the entry itself": {l.Customer, toBob.ID[:len(toBob.ID)-9], ""},
		"nothing":          {"", "", ""},
	} {
		if err := e.UndoRemoval(ctx, link[0], link[1], link[2]); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
	e.now = e.now.AddDate(0, 0, 15)
	if err := e.UndoRemoval(ctx, l.Customer, toBob.ID, toBob.Nonce); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v after 15 days, want a conflict", err)
	}
}

// TestUndoThatComesTooLateRestoresNobody has the mailer find something else than the page did.
func TestUndoThatComesTooLateRestoresNobody(t *testing.T) {
	for name, happens := range map[string]func(e *testEnv, l license.License){
		"15 days pass": func(e *testEnv, _ license.License) { e.now = e.now.AddDate(0, 0, 15) },
		"sales add the person": func(e *testEnv, l license.License) {
			e.save(l.Customer, func(c *customer.Customer) {
				c.Contacts = append(c.Contacts, customer.Contact{Email: "bob@acme.example"})
			})
		},
	} {
		e := newTestEnv(t)
		l, toBob := removeBob(e)
		e.must(e.UndoRemoval(t.Context(), l.Customer, toBob.ID, toBob.Nonce))
		happens(e, l)
		before, err := e.Account(t.Context(), l.Customer)
		e.must(err)
		if _, ok := errors.AsType[*notice.PointlessError](e.expandUndo(toBob)); !ok {
			t.Errorf("%s: got no reason why it is pointless", name)
		}
		if after, err := e.Account(t.Context(), l.Customer); err != nil || after.Version != before.Version {
			t.Errorf("%s: got a changed customer, %v", name, err)
		}
	}
}

// TestForgedRemovalRestoresNobody has an email about a removal that never was, as the public function could write it.
func TestForgedRemovalRestoresNobody(t *testing.T) {
	e := newTestEnv(t)
	l := e.sold(contact("ada"))
	eve := contact("eve")
	n, _ := notice.ContactRemoved(notice.ContactChange{Customer: l.Customer, Contacts: []license.Contact{eve},
		Until: license.DateOf(e.now).AddDays(14)}).ForContact(eve)
	n.Nonce = "FORGED"
	c := e.Table().Begin()
	e.Outbox().Queue(c, n, notice.ContactUndo(n))
	e.must(c.Commit(t.Context()))
	if _, ok := errors.AsType[*notice.PointlessError](e.expandUndo(n)); !ok {
		t.Error("got a contact who never was one restored")
	}
}
