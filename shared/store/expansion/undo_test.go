package expansion_test

import (
	"errors"
	"testing"
	"time"

	"marketplace/shared/customer"
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

// queueUndo queues the undo of an email, as the public function does.
func (e *testEnv) queueUndo(of notice.Notice) {
	e.t.Helper()
	c := e.Table().Begin()
	e.Outbox().Queue(c, notice.ContactUndo(of))
	e.must(c.Commit(e.t.Context()))
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
	e.queueUndo(toBob)
	e.must(e.expandUndo(toBob))
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
		e.queueUndo(toBob)
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
