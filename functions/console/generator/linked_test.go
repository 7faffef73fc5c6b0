package generator

import (
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// renewal files what the page behind a reminder to Carol files: it knows neither country nor version nor lines of code.
func (w *testEnv) renewal(of string, change func(*request.Details)) request.Request {
	w.Helper()
	d, err := request.RenewalForm{Renewal: string(request.SameLines)}.Accept(w.license(of), carol)
	if err != nil {
		w.Fatal(err)
	}
	link := request.Link{Mail: of + "--1m", Contact: carol.Email, License: of}
	change(&d)
	r, _, err := w.store.FileRequest(w.Context(), store.Filing{
		Details: d, Link: &link, Bound: link.Binds(d, w.license(of).Server),
	})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func TestRenewalThroughAReminderIsIssuedToContacts(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	known := w.instanceOf(prod)
	known.ProductVersion, known.Loc, known.Told = "6.7.1", 420_000, w.now.AddDate(0, -6, 0)
	w.record(store.Issue{Instances: []customer.Instance{known}, By: "sam"})

	r := w.renewal("l1", func(*request.Details) {})
	source := Source{Request: r.ID}
	f := w.begin(source)
	if f.To != carol.Email || f.ProductVersion != "6.7.1" || f.MaxLoc != "500000" || f.Instance != known.ID {
		t.Errorf("got the form %+v, want the contact's, with what is known of the instance", f)
	}
	d := w.draft(source, f)
	if p := d.Permission("sam@vendor.example"); p != customer.Free {
		t.Errorf("got permission %s, want that nobody is charged", p)
	}
	next := w.issue(source, f)
	if l := w.license("l1"); l.Successor != next.ID {
		t.Errorf("got successor %q, want %s", l.Successor, next.ID)
	}
	if got := w.instanceOf(prod); got.ProductVersion != "6.7.1" || got.Loc != 420_000 {
		t.Errorf("got version %q and %d lines, want those told before", got.ProductVersion, got.Loc)
	}
	mails, err := w.store.MailsAbout(t.Context(), next.ID, 10)
	if err != nil || len(mails) != 1 || mails[0].Kind != mail.LicenseKey || mails[0].To.Email != carol.Email {
		t.Errorf("got %v, %v, want the key to the contact", mails, err)
	}
}

func TestForwardedReminderGetsNoKeyElsewhere(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	source := Source{Request: w.renewal("l1", func(*request.Details) {}).ID}
	f := w.begin(source)
	f.To, f.Name, f.Email = OtherAddress, "Mallory", "mallory@gmail.com"
	d := w.draft(source, f)
	err := w.Issue(t.Context(), source, f, confirmed(d))
	if fault.KindOf(err) != fault.Forbidden {
		t.Errorf("got %v, want that the key may not go to %s", err, f.Email)
	}
}
