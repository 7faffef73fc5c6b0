package site

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/mail"
	"marketplace/shared/web/webtest"
)

// newContact has Sam add a contact to the customer of a license, and returns the addresses of their pages.
func (w *workshop) newContact(email string) (page, contact string) {
	w.t.Helper()
	l := w.record(sampleLicense("l1", day("2018-04-30"))).License
	a, err := w.store.Account(w.t.Context(), l.Customer)
	if err != nil {
		w.t.Fatal(err)
	}
	page = customerPage(a.Customer)
	form := w.snapshot(page + "/contacts/new")
	form["email"], form["for"] = []string{email}, []string{"keys", "renewals"}
	w.send(sam, page+"/contacts/new", form).WantStatus(http.StatusSeeOther)
	return page, page + "/contacts/" + mail.RecipientID(email)
}

func (w *workshop) contact(email string) customer.Contact {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), w.license("l1").License.Customer)
	if err != nil {
		w.t.Fatal(err)
	}
	c, ok := a.Contact(email)
	if !ok {
		w.t.Fatalf("got no contact %s", email)
	}
	return c
}

func TestColleagueVouchesForANewContact(t *testing.T) {
	w := newWorkshop(t)
	const nina = "nina@customer.example"
	page, contact := w.newContact(nina)
	if c := w.contact(nina); c.VouchedBy != "" || c.AddedBy != emails[sam] || c.InEffect(*w.now) {
		t.Fatalf("got %+v, want a contact who speaks for nothing yet", c)
	}
	row := webtest.Text(w.get(sam, page).WantStatus(200).Page().Find("table.contacts"))
	if !strings.Contains(row, "added by "+emails[sam]+" speaks for the customer from 12 Mar 2018") {
		t.Errorf("got contacts %q, want who added the contact and from when it speaks", row)
	}
	button := "form[action$='/vouch'] button"
	if w.get(sam, contact).WantStatus(200).Page().Find(button).Length() != 0 {
		t.Error("got a button for who added the contact")
	}
	w.send(sam, contact+"/vouch", w.snapshot(contact)).WantStatus(http.StatusForbidden)
	key := w.snapshot(contact)
	key["license"], key["once"] = []string{"l1"}, []string{"01c7tqy3e0nb8vrcztbyyhdg3z"}
	w.send(sam, contact+"/send-key", key).WantStatus(http.StatusConflict)
	if w.contact(nina).VouchedBy != "" {
		t.Fatal("got a contact vouched for by who added it")
	}
	if w.get(lucia, contact).WantStatus(200).Page().Find(button).Length() != 1 {
		t.Fatal("got no button for a colleague")
	}
	vouch := w.snapshot(contact)
	for range 2 { // a double click
		w.send(lucia, contact+"/vouch", vouch).WantStatus(http.StatusSeeOther)
	}
	if c := w.contact(nina); c.VouchedBy != emails[lucia] || !c.InEffect(*w.now) {
		t.Errorf("got %+v, want Lucía to vouch", c)
	}
	row = webtest.Text(w.get(vera, page).WantStatus(200).Page().Find("table.contacts"))
	if !strings.Contains(row, "vouched for by "+emails[lucia]) {
		t.Errorf("got contacts %q, want who vouched", row)
	}
	w.send(sam, contact+"/send-key", key).WantStatus(http.StatusSeeOther)
}

func TestOneOperatorVouchesForTheirOwnContact(t *testing.T) {
	w := newWorkshop(t, func(o *Options) { o.OneOperator = true })
	_, contact := w.newContact("nina@customer.example")
	w.send(sam, contact+"/vouch", w.snapshot(contact)).WantStatus(http.StatusSeeOther)
	if c := w.contact("nina@customer.example"); c.VouchedBy != emails[sam] {
		t.Errorf("got %+v, want Sam's vouch", c)
	}
}

func TestAnotherAddressOrInstanceNeedsAVouchAgain(t *testing.T) {
	w := newWorkshop(t)
	const jane = "jane.doe@customer.example"
	page, _ := w.newContact("nina@customer.example")
	w.advance(time.Hour)
	instance := w.license("l1").License.Instance
	edit := func(email, address string, instances ...string) customer.Contact {
		t.Helper()
		to := page + "/contacts/" + mail.RecipientID(email)
		form := w.snapshot(to)
		form["email"], form["for"], form["instances"] = []string{address}, []string{"keys", "renewals"}, instances
		w.send(sam, to, form).WantStatus(http.StatusSeeOther)
		return w.contact(address)
	}
	if c := edit(jane, jane, instance); !c.InEffect(*w.now) {
		t.Errorf("got %+v, want who speaks for less to go on", c)
	}
	if c := edit(jane, jane); c.InEffect(*w.now) || !c.Since.Equal(*w.now) || c.AddedBy != emails[sam] {
		t.Errorf("got %+v, want who speaks for more to be new", c)
	}
	if c := edit("john@customer.example", "eve@evil.example"); c.InEffect(*w.now) || !c.Since.Equal(*w.now) {
		t.Errorf("got %+v, want another address to be new", c)
	}
}
