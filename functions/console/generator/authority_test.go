package generator

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

const (
	sam   = "sam@vendor.example"
	lucia = "lucia@vendor.example"
)

// from makes a request one of an address.
func from(email string) func(*request.Details) {
	return func(d *request.Details) { d.Email, d.Contacts = email, nil }
}

// files files a request that its address confirms, linked to Acme Corporation as the mailer and sales do.
func (w *testEnv) files(kind request.Kind, change ...func(*request.Details)) request.Request {
	w.Helper()
	r := w.file(asked(kind, change...))
	if err := w.store.LinkRequest(w.Context(), store.RequestChange{ID: r.ID, By: sam}, w.account().Customer.ID,
		""); err != nil {
		w.Fatal(err)
	}
	return r
}

// about returns the form of a request at Acme Corporation, with the defaults.
func (w *testEnv) about(source Source) Form {
	w.Helper()
	f := w.begin(source)
	f.Customer = w.account().Customer.ID
	d, err := w.Refresh(w.Context(), source, f)
	if err != nil {
		w.Fatal(err)
	}
	return d.Form
}

// says asks a contact about a request, who answers.
func (w *testEnv) says(r request.Request, contact string, yes bool) {
	w.Helper()
	change := store.RequestChange{ID: r.ID, By: sam}
	if err := w.store.AskContacts(w.Context(), change, license.Contact{Email: contact}); err != nil {
		w.Fatal(err)
	}
	if err := w.store.AnswerRequest(w.Context(), r.ID, contact, yes); err != nil {
		w.Fatal(err)
	}
}

// edit changes the customer Acme Corporation.
func (w *testEnv) edit(f func(*customer.Customer)) {
	w.Helper()
	a := w.account()
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: sam}
	err := w.store.SaveCustomer(w.Context(), change, a.Customer.ID, func(c *customer.Customer) error {
		f(c)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// addContact makes somebody a contact of Acme Corporation since a number of days.
func (w *testEnv) addContact(email string, days int, instances ...string) {
	w.Helper()
	w.edit(func(c *customer.Customer) {
		c.Contacts = append(c.Contacts, customer.Contact{
			Email: email, Since: w.now.AddDate(0, 0, -days), AddedBy: sam, Instances: instances,
		})
	})
}

// wantBarred fails unless nothing is issued, and the refusal says something; "" wants the license issued.
func (w *testEnv) wantBarred(source Source, f Form, says string) {
	w.Helper()
	d := w.draft(source, f)
	err := w.Issue(w.Context(), source, f, confirmed(d))
	if says == "" {
		if err != nil {
			w.Errorf("got error %v, want it issued", err)
		}
		return
	}
	not, ok := errors.AsType[*NotIssued](err)
	if !ok || not.Draft == nil || fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), says) {
		w.Errorf("got error %v, want it forbidden with %q", err, says)
	}
	if _, err := w.store.License(w.Context(), f.ID); fault.KindOf(err) != fault.NotFound {
		w.Errorf("got error %v for the license, want not found", err)
	}
	if l := w.license("l1"); !l.Revoked.IsZero() {
		w.Errorf("got %+v, want the license of the customer untouched", l)
	}
}

// TestWhoMayTakeALicenseFromItsCustomer replaces a server's license for people of every standing.
func TestWhoMayTakeALicenseFromItsCustomer(t *testing.T) {
	eve := "eve@evil.example"
	replacement := func(w *testEnv, email string) (Source, request.Request) {
		r := w.files(request.Replacement, replaces("l1", other), from(email))
		return Source{Request: r.ID}, r
	}
	for name, test := range map[string]struct {
		prepare func(w *testEnv) (Source, Form)
		says    string // why it is refused; "" if it is issued
	}{
		"a stranger": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, eve)
			return s, w.about(s)
		}, "This revokes a license of Acme Corporation. No contact of Acme Corporation has said that this request is"},
		"a colleague": {func(w *testEnv) (Source, Form) {
			w.edit(func(c *customer.Customer) { c.Domains = []string{"acme.example"} })
			s, _ := replacement(w, "bob@acme.example")
			return s, w.about(s)
		}, "No contact"},
		"a contact": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, carol.Email)
			return s, w.about(s)
		}, ""},
		"a contact's address, not confirmed": {func(w *testEnv) (Source, Form) {
			r, _, err := w.store.FileRequest(w.Context(), store.Filing{
				Details: asked(request.Replacement, replaces("l1", other), from(carol.Email)),
			})
			if err != nil {
				w.Fatal(err)
			}
			s := Source{Request: r.ID}
			return s, w.about(s)
		}, "No contact"},
		"a contact since yesterday": {func(w *testEnv) (Source, Form) {
			w.addContact("new@acme.example", 1)
			s, _ := replacement(w, "new@acme.example")
			return s, w.about(s)
		}, "No contact"},
		"a contact for another instance": {func(w *testEnv) (Source, Form) {
			w.addContact("rita@reseller.example", 30, "elsewhere")
			s, _ := replacement(w, "rita@reseller.example")
			return s, w.about(s)
		}, "No contact"},
		"a contact says yes": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			w.says(r, carol.Email, true)
			f := w.about(s)
			f.To = eve
			return s, f
		}, ""},
		"a contact says no": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			w.says(r, carol.Email, false)
			return s, w.about(s)
		}, "carol@acme.example said that this request is not theirs"},
		"a stranger says yes": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			w.says(r, eve, true)
			return s, w.about(s)
		}, "No contact"},
		"a yes for another customer": {func(w *testEnv) (Source, Form) {
			globex := storetest.Customer(t, w.store.Store, "Globex", carol)
			s, r := replacement(w, eve)
			change := store.RequestChange{ID: r.ID, By: sam}
			if err := w.store.LinkRequest(w.Context(), change, globex.ID, ""); err != nil {
				w.Fatal(err)
			}
			w.says(r, carol.Email, true)
			return s, w.about(s)
		}, "No contact"},
		"a yes before the request was linked elsewhere and back": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			w.says(r, carol.Email, true)
			for _, id := range []string{"", w.account().Customer.ID} {
				if err := w.store.LinkRequest(w.Context(), store.RequestChange{ID: r.ID, By: sam}, id, ""); err != nil {
					w.Fatal(err)
				}
			}
			return s, w.about(s)
		}, "No contact"},
		"a yes from who is removed": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			w.says(r, carol.Email, true)
			w.edit(func(c *customer.Customer) { c.Contacts = nil })
			return s, w.about(s)
		}, "No contact"},

		"no request": {func(w *testEnv) (Source, Form) {
			s := Source{License: "l1", Kind: request.Replacement}
			f := w.begin(s)
			f.Server = other
			return s, f
		}, "File it as a request first"},
		"an upgrade without a request": {func(w *testEnv) (Source, Form) {
			s := Source{License: "l1", Kind: request.Upgrade}
			f := w.begin(s)
			f.MaxLoc = "1000000"
			return s, f
		}, "File it as a request first"},
		"a renewal to another server": {func(w *testEnv) (Source, Form) {
			s := Source{License: "l1", Kind: request.Renewal}
			f := w.begin(s)
			f.Server = other
			return s, f
		}, "This moves a license of Acme Corporation to the server " + other},
		"a renewal": {func(w *testEnv) (Source, Form) {
			s := Source{License: "l1", Kind: request.Renewal}
			return s, w.begin(s)
		}, ""},
		"a renewal to an address that was typed": {func(w *testEnv) (Source, Form) {
			s := Source{License: "l1", Kind: request.Renewal}
			f := w.begin(s)
			f.To, f.Email = OtherAddress, eve
			return s, f
		}, "would go to eve@evil.example, who is not a contact"},
		"a renewal to who becomes a contact with it": {func(w *testEnv) (Source, Form) {
			s := Source{License: "l1", Kind: request.Renewal}
			f := w.begin(s)
			f.To, f.Email, f.AddContacts = OtherAddress, eve, []string{AddRecipient}
			return s, f
		}, "who is not a contact"},
		"a renewal to a contact since yesterday": {func(w *testEnv) (Source, Form) {
			w.addContact("new@acme.example", 1)
			s := Source{License: "l1", Kind: request.Renewal}
			f := w.begin(s)
			f.To = "new@acme.example"
			return s, f
		}, "who is a new contact and speaks for Acme Corporation from 11 Mar 2018"},
		"a renewal to a contact for another instance": {func(w *testEnv) (Source, Form) {
			w.addContact("rita@reseller.example", 30, "elsewhere")
			s := Source{License: "l1", Kind: request.Renewal}
			f := w.begin(s)
			f.To = "rita@reseller.example"
			return s, f
		}, "who is a contact for other instances only"},
		"a stranger renews, key to a contact": {func(w *testEnv) (Source, Form) {
			r := w.files(request.Renewal, from(eve))
			return Source{Request: r.ID}, w.about(Source{Request: r.ID})
		}, ""},
		"a stranger renews, key to them": {func(w *testEnv) (Source, Form) {
			r := w.files(request.Renewal, from(eve))
			s := Source{Request: r.ID}
			f := w.about(s)
			f.To = eve
			return s, f
		}, "who is not a contact"},
		"an evaluation for a stranger": {func(w *testEnv) (Source, Form) {
			r := w.files(request.Evaluation, from(eve), server(other))
			s := Source{Request: r.ID}
			f := w.about(s)
			f.To, f.Instance = eve, ""
			return s, f
		}, ""},
		"staging for a stranger": {func(w *testEnv) (Source, Form) {
			r := w.files(request.Staging, from(eve), server(stage), func(d *request.Details) { d.Replaces = prod })
			s := Source{Request: r.ID}
			f := w.about(s)
			f.To = eve
			return s, f
		}, "who is not a contact"},
		"staging for the partner of its production": {func(w *testEnv) (Source, Form) {
			w.addContact("rita@reseller.example", 30, w.instanceOf(prod).ID)
			r := w.files(request.Staging, from("rita@reseller.example"), server(stage), func(d *request.Details) {
				d.Replaces = prod
			})
			s := Source{Request: r.ID}
			f := w.about(s)
			f.To = "rita@reseller.example"
			return s, f
		}, ""},
		"a new contract for a stranger": {func(w *testEnv) (Source, Form) {
			r := w.files(request.New, from(eve), server(other))
			s := Source{Request: r.ID}
			f := w.about(s)
			f.To, f.Instance, f.Contract = eve, "", NewContract
			return s, f
		}, "who is not a contact"},
		"a new customer": {func(w *testEnv) (Source, Form) {
			r := w.file(asked(request.New, from(eve), server(other)))
			s := Source{Request: r.ID}
			f := w.begin(s)
			f.Customer = NewCustomer
			d, err := w.Refresh(w.Context(), s, f)
			if err != nil {
				w.Fatal(err)
			}
			return s, d.Form
		}, ""},
		"a new customer with the server of another": {func(w *testEnv) (Source, Form) {
			r := w.file(asked(request.Replacement, from(eve), replaces("l1", prod)))
			s := Source{Request: r.ID}
			f := w.begin(s)
			f.Customer = NewCustomer
			d, err := w.Refresh(w.Context(), s, f)
			if err != nil {
				w.Fatal(err)
			}
			return s, d.Form
		}, ""}, // it revokes nothing: see the check below

		"another server than the contact asked for": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, carol.Email)
			f := w.about(s)
			f.Server = "BF41A1F2-" + prod
			return s, f
		}, "A contact asked for the server " + other},
		"another address than the contact asked for": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, carol.Email)
			f := w.about(s)
			f.To, f.Email = OtherAddress, eve
			return s, f
		}, "A contact asked for the key to go to carol@acme.example. Here it goes to eve@evil.example"},

		"vouched for": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, eve)
			f := w.about(s)
			f.To = eve
			w.vouched(lucia, s, f)
			return s, f
		}, ""},
		"vouched for by the operator": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, eve)
			f := w.about(s)
			w.vouched(sam, s, f)
			return s, f
		}, "You vouched for this request yourself"},
		"vouched for, another address": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, eve)
			f := w.about(s)
			w.vouched(lucia, s, f)
			f.To = eve
			return s, f
		}, "lucia@vendor.example vouched for this request, but not for sending the key to eve@evil.example"},
		"vouched for, another server": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, eve)
			f := w.about(s)
			w.vouched(lucia, s, f)
			f.Server = "BF41A1F2-" + prod
			return s, f
		}, "but for the server " + other},
		"vouched for, a license more": {func(w *testEnv) (Source, Form) {
			s, _ := replacement(w, eve)
			w.vouched(lucia, s, w.about(s))
			w.renewAhead("l1")
			return s, w.about(s)
		}, "but not for revoking every license"},
		"vouched for, another customer": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			v := request.Vouch{Customer: "globex", Licenses: []string{"l1"}, Server: other, Email: eve}
			if err := w.store.VouchFor(w.Context(), store.RequestChange{ID: r.ID, By: lucia}, v); err != nil {
				w.Fatal(err)
			}
			return s, w.about(s)
		}, "but for another customer"},
		"the vouch is withdrawn": {func(w *testEnv) (Source, Form) {
			s, r := replacement(w, eve)
			w.vouched(lucia, s, w.about(s))
			if err := w.store.WithdrawVouch(w.Context(), store.RequestChange{ID: r.ID, By: lucia}); err != nil {
				w.Fatal(err)
			}
			return s, w.about(s)
		}, "No contact"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(sold("l1"))
			source, f := test.prepare(w)
			w.wantBarred(source, f, test.says)
			if name == "a new customer with the server of another" && !w.license("l1").Revoked.IsZero() {
				t.Error("got the license of the other customer revoked")
			}
		})
	}
}

func TestContactOfOneInstanceDoesNotUpgradeTheOthers(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(2, 1)
	w.addContact("rita@reseller.example", 30, "instance00")
	r := w.files(request.Upgrade, from("rita@reseller.example"), server("AWHW8w9JtzBzSrmfFL00"))
	source := Source{Request: r.ID}
	f := w.about(source)
	f.MaxLoc, f.To = "1000000", carol.Email
	if len(f.Follow) != 2 {
		t.Fatalf("got %v along with it, want the other instances", f.Follow)
	}
	err := w.Issue(t.Context(), source, f, confirmed(w.draft(source, f)))
	if fault.KindOf(err) != fault.Forbidden || !strings.Contains(err.Error(), "does not speak for all of these") {
		t.Errorf("got error %v, want it forbidden", err)
	}
	f.Follow, f.ProductionCount, f.StagingCount = nil, "1", "0"
	d := w.draft(source, f)
	if got := d.Permission(sam); got != customer.ByContact {
		t.Errorf("got permission %s for its own instance, want by contact", got)
	}
}

func TestInstanceOfAMergedCustomerIsSpokenForByItsOwn(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	gil := license.Contact{Email: "gil@globex.example"}
	storetest.Record(t, w.store.Store, sold("g1", func(l *license.License) {
		l.Organization, l.Server = "Globex", other
	}), gil)
	into, err := w.store.Account(t.Context(), storetest.CustomerID("Globex"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.MergeCustomers(t.Context(), store.Merge{
		From: w.account().Customer.ID, FromVersion: w.account().Version, Into: into.Customer.ID,
		IntoVersion: into.Version, By: sam,
	}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		by, old string
		want    customer.Permission
	}{
		{carol.Email, "l1", customer.ByContact}, {gil.Email, "l1", customer.ByContact},
		{gil.Email, "g1", customer.ByContact}, {carol.Email, "g1", customer.NeedsVouch},
	} {
		r := w.file(asked(request.Replacement, replaces(test.old, stage), from(test.by)))
		source := Source{Request: r.ID}
		f := w.begin(source)
		f.To = gil.Email
		if f.Instance == "" {
			t.Fatalf("%s: got no instance", test.old)
		}
		if got := w.draft(source, f).Permission(sam); got != test.want {
			t.Errorf("%s asks about %s: got %s, want %s", test.by, test.old, got, test.want)
		}
	}
}

// TestPermissionIsThatOfTheIssue: what changes between the review and the issue counts as it is then.
func TestPermissionIsThatOfTheIssue(t *testing.T) {
	for name, test := range map[string]struct {
		by     string
		vouch  bool
		change func(*testEnv, request.Request) error
	}{
		"the vouch is withdrawn": {"eve@evil.example", true, func(w *testEnv, r request.Request) error {
			return w.store.WithdrawVouch(w.Context(), store.RequestChange{ID: r.ID, By: lucia})
		}},
		"the vouch is for less": {"eve@evil.example", true, func(w *testEnv, r request.Request) error {
			return w.store.VouchFor(w.Context(), store.RequestChange{ID: r.ID, By: lucia}, request.Vouch{
				Customer: w.account().Customer.ID, Server: other, Email: carol.Email,
			})
		}},
		"the contact is removed": {carol.Email, false, func(w *testEnv, _ request.Request) error {
			w.edit(func(c *customer.Customer) { c.Contacts = nil })
			return nil
		}},
		"the contact speaks for less": {carol.Email, false, func(w *testEnv, _ request.Request) error {
			w.edit(func(c *customer.Customer) { c.Contacts[0].Instances = []string{"elsewhere"} })
			return nil
		}},
		"the contact's address changes": {carol.Email, false, func(w *testEnv, _ request.Request) error {
			w.edit(func(c *customer.Customer) { c.Contacts[0].Email = "cora@acme.example" })
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(sold("l1"))
			r := w.files(request.Replacement, replaces("l1", other), from(test.by))
			source := Source{Request: r.ID}
			f := w.about(source)
			f.To, f.Name, f.Email = OtherAddress, "", carol.Email
			if test.vouch {
				w.vouched(lucia, source, f)
			}
			c := confirmed(w.draft(source, f))
			if err := w.draft(source, f).Barred(sam); err != nil {
				t.Fatalf("got %v, want it permitted before", err)
			}
			if err := test.change(w, r); err != nil {
				t.Fatal(err)
			}
			for range 2 { // as reviewed, and as it is reviewed again
				if err := w.Issue(t.Context(), source, f, c); err == nil {
					break
				}
				c = confirmed(w.draft(source, f))
			}
			if l := w.license("l1"); !l.Revoked.IsZero() {
				t.Errorf("got %+v, want it untouched", l)
			}
			if err := w.Issue(t.Context(), source, f, c); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("got error %v, want it forbidden", err)
			}
		})
	}
}

// TestMissingKeysNeedNoWordAgain: what a contract lacks after a change that was permitted is issued without a request,
// but neither for another server, nor on smaller terms, nor to somebody else.
func TestMissingKeysNeedNoWordAgain(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(2, 0)
	first := w.carolAsks(request.Upgrade, server("AWHW8w9JtzBzSrmfFL00"))
	f := w.begin(first)
	f.MaxLoc, f.Follow = "1000000", nil
	w.issue(first, f)
	source := Source{Customer: w.account().Customer.ID, Contract: "fleet"}
	for name, test := range map[string]struct {
		change func(*Form)
		want   customer.Permission
	}{
		"as it is":       {func(*Form) {}, customer.Free},
		"another server": {func(f *Form) { f.Server = other }, customer.NeedsRequest},
		"fewer lines":    {func(f *Form) { f.MaxLoc = "250000" }, customer.NeedsRequest},
		"a shorter term": {func(f *Form) { f.Expiration = "2018-04-01" }, customer.NeedsRequest},
		"a later start":  {func(f *Form) { f.NotBefore = "2018-03-06" }, customer.NeedsRequest},
		"another address": {func(f *Form) { f.To, f.Email = OtherAddress, "eve@evil.example" },
			customer.NeedsRequest},
	} {
		f := w.begin(source)
		if f.Instance != "instance01" {
			t.Fatalf("got form %+v, want the instance that lacks its key", f)
		}
		test.change(&f)
		d := w.draft(source, f)
		if len(d.Changes.Replaced) != 1 {
			t.Fatalf("%s: got %d licenses replaced, want one", name, len(d.Changes.Replaced))
		}
		if got := d.Permission(sam); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	w.issue(source, w.begin(source))
	if l := w.license("fleet01"); l.ReplacedBy == "" {
		t.Errorf("got %+v, want it replaced", l)
	}
}

func TestOneOperatorConfirmsByName(t *testing.T) {
	for name, test := range map[string]struct {
		by      string
		vouch   string
		request bool
		warns   string // what the operator confirms; "" for nothing
	}{
		"a contact asks":     {carol.Email, "", true, ""},
		"a stranger asks":    {"eve@evil.example", "", true, "nobody else vouches for it"},
		"nobody asks":        {"", "", false, "nobody else vouches for it"},
		"with the own vouch": {"eve@evil.example", sam, true, "nobody else vouches for it"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			w.OneOperator = true
			w.add(sold("l1"))
			source := Source{License: "l1", Kind: request.Replacement}
			f := w.begin(source)
			f.Server = other
			if test.request {
				source = Source{Request: w.files(request.Replacement, replaces("l1", other), from(test.by)).ID}
				f = w.about(source)
				f.To = carol.Email
			}
			if test.vouch != "" {
				w.vouched(test.vouch, source, f)
			}
			d := w.draft(source, f)
			i := slices.IndexFunc(d.Warnings, func(w Warning) bool { return w.Code == OnOwnWord })
			if asks := i >= 0; asks != (test.warns != "") ||
				asks && !strings.Contains(d.Warnings[i].Sentence, test.warns) {
				t.Fatalf("got warnings %+v, want %q", d.Warnings, test.warns)
			}
			c := confirmed(d)
			if test.warns != "" {
				without := c
				without.Codes = slices.DeleteFunc(slices.Clone(c.Codes), func(c Code) bool { return c == OnOwnWord })
				if err := w.Issue(t.Context(), source, f, without); err == nil {
					t.Fatal("got it issued without the confirmation")
				}
			}
			if err := w.Issue(t.Context(), source, f, c); err != nil {
				t.Fatal(err)
			}
			events, _, err := w.store.LicenseTimeline(t.Context(), w.license(f.ID))
			told := slices.ContainsFunc(events, func(e store.Event) bool {
				return e.Action == store.WarningsConfirmed && e.By == sam && strings.Contains(e.Note, test.warns)
			})
			if err != nil || test.warns != "" && !told {
				t.Errorf("got events %+v, %v, want the confirmation with the name", events, err)
			}
		})
	}
}

func TestTimelineSaysOnWhoseWord(t *testing.T) {
	for name, test := range map[string]struct {
		by    string
		yes   bool
		vouch bool
		want  string
	}{
		"a contact asked": {carol.Email, false, false, "carol@acme.example confirmed this request on 05 Mar 2018."},
		"a contact said yes": {"eve@evil.example", true, false,
			"carol@acme.example said yes to this request on 05 Mar 2018."},
		"a colleague vouched": {"eve@evil.example", false, true, "Vouched for by lucia@vendor.example on 05 Mar 2018."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(sold("l1"))
			r := w.files(request.Replacement, replaces("l1", other), from(test.by))
			source := Source{Request: r.ID}
			f := w.about(source)
			f.To = carol.Email
			if test.yes {
				w.says(r, carol.Email, true)
			}
			if test.vouch {
				w.vouched(lucia, source, f)
			}
			w.now = w.now.Add(time.Hour)
			l := w.issue(source, f)
			events, _, err := w.store.LicenseTimeline(t.Context(), l)
			i := slices.IndexFunc(events, func(e store.Event) bool { return e.Action == store.PermissionNoted })
			if err != nil || i < 0 || events[i].By != sam || events[i].Note != test.want {
				t.Errorf("got events %+v, %v, want one of %s with %q", events, err, sam, test.want)
			}
		})
	}
	w := newTestEnv(t)
	w.add(sold("l1"))
	source := Source{License: "l1", Kind: request.Renewal}
	if word := w.draft(source, w.begin(source)).Word(sam); word.String() != "" {
		t.Errorf("got word %q for what takes nothing from anybody", word)
	}
}
