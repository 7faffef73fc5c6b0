package customer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/request"
)

// noon is the time of the tests of standing.
var noon = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return noon.AddDate(0, 0, -n) }

// contactSince is a contact whom a colleague added some days ago.
func contactSince(days int, email string, instances ...string) Contact {
	return Contact{Email: email, Since: daysAgo(days), AddedBy: "sam@vendor.example", Instances: instances}
}

func vouchedFor(c Contact) Contact {
	c.VouchedBy = "lucia@vendor.example"
	return c
}

// acme is an account with contacts of every sort. The instance "m" is that of Small, which was merged into it.
func acme() *Account {
	own := key("k", "2026-01-01", "2026-12-31")
	a := &Account{
		Customer: Customer{ID: "acme", Name: "Acme", Domains: []string{"acme.example"}, Contacts: []Contact{
			contactSince(30, "ana@acme.example"), contactSince(1, "new@acme.example"),
			vouchedFor(contactSince(1, "vic@acme.example")), contactSince(30, "rita@reseller.example", "p"),
		}},
		Merged: []Customer{{ID: "small", Name: "Small", MergedInto: "acme", Survivor: "acme",
			Domains: []string{"small.example"}, Contacts: []Contact{contactSince(30, "sue@small.example")}}},
		Contracts: []Contract{{ID: "k", Customer: "acme"}},
		Instances: []Instance{
			production("p", first).with(own), staging("s", "p", second).with(own), production("m", third).with(own),
		},
	}
	for n := range a.Instances {
		a.Instances[n].Customer = "acme"
	}
	a.Instances[2].Customer = "small"
	return a
}

// from is a request of an address, whose mailbox was confirmed.
func from(email string, change ...func(*request.Request)) request.Request {
	r := request.Request{ID: "r", Customer: "acme", Confirmed: daysAgo(0)}
	r.Email, r.Kind, r.Server = email, request.Renewal, first
	for _, c := range change {
		c(&r)
	}
	return r
}

func unconfirmed(r *request.Request) { r.Confirmed, r.Unconfirmed = time.Time{}, true }

func answered(by string, yes bool) func(*request.Request) {
	return func(r *request.Request) { r.Answers = append(r.Answers, request.Answer{By: by, At: noon, Yes: yes}) }
}

// through is a link that was mailed to a contact about the license of an instance.
func through(contact, instance string) func(*request.Request) {
	return func(r *request.Request) {
		r.Link = &request.Link{Mail: "mail", Contact: contact, License: instance + "-l1"}
	}
}

func TestStandingOfWhoAsks(t *testing.T) {
	of := func(change func(*request.Details)) func(*request.Request) {
		return func(r *request.Request) { change(&r.Details) }
	}
	for name, test := range map[string]struct {
		request  request.Request
		instance string
		want     Standing
	}{
		"contact":                             {from("ana@acme.example"), "p", KnownContact},
		"contact in another spelling":         {from("ANA@Acme.example"), "p", KnownContact},
		"contact whose address is only typed": {from("ana@acme.example", unconfirmed), "p", Stranger},
		"contact for all, new instance":       {from("ana@acme.example"), "", KnownContact},
		"contact since yesterday":             {from("new@acme.example"), "p", Colleague},
		"vouched for since yesterday":         {from("vic@acme.example"), "p", KnownContact},
		"partner about its instance":          {from("rita@reseller.example"), "p", KnownContact},
		"partner about another one":           {from("rita@reseller.example"), "s", Colleague},
		"partner about a new one":             {from("rita@reseller.example"), "", Colleague},
		"merged contact, own instance":        {from("sue@small.example"), "m", KnownContact},
		"merged contact, others' one":         {from("sue@small.example"), "p", Colleague},
		"merged contact, new instance":        {from("sue@small.example"), "", Colleague},
		"survivor's contact, merged one":      {from("ana@acme.example"), "m", KnownContact},
		"the customer's domain":               {from("bob@acme.example"), "p", Colleague},
		"domain of a merged customer":         {from("bob@small.example"), "p", Colleague},
		"domain that is only typed":           {from("bob@acme.example", unconfirmed), "p", Stranger},
		"a subdomain":                         {from("bob@mail.acme.example"), "p", Stranger},
		"another domain":                      {from("eve@evil.example"), "p", Stranger},

		"a contact says yes": {from("eve@evil.example", answered("ana@acme.example", true)), "p", Proven},
		"a yes before the mailbox is confirmed": {from("eve@evil.example", unconfirmed,
			answered("ana@acme.example", true)), "p", Proven},
		"a contact says no": {from("eve@evil.example", answered("ana@acme.example", false)), "p", Stranger},
		"one yes and one no": {from("bob@acme.example", answered("ana@acme.example", true),
			answered("vic@acme.example", false)), "p", Colleague},
		"a new contact says yes": {from("bob@acme.example", answered("new@acme.example", true)), "p", Colleague},
		"a new contact says no": {from("bob@acme.example", answered("new@acme.example", false),
			answered("ana@acme.example", true)), "p", Proven},
		"a partner says yes about another instance": {from("bob@acme.example",
			answered("rita@reseller.example", true)), "s", Colleague},
		"a merged contact says yes about another instance": {from("bob@acme.example",
			answered("sue@small.example", true)), "p", Colleague},
		"a merged contact says yes about its own": {from("bob@acme.example",
			answered("sue@small.example", true)), "m", Proven},
		"the asker says yes":        {from("new@acme.example", answered("new@acme.example", true)), "p", Colleague},
		"a stranger says yes":       {from("bob@acme.example", answered("eve@evil.example", true)), "p", Colleague},
		"a contact of old says yes": {from("bob@acme.example", answered("gone@acme.example", true)), "p", Colleague},
		"a yes for another customer": {from("bob@acme.example", answered("ana@acme.example", true),
			func(r *request.Request) { r.Customer = "other" }), "p", Colleague},
		"a yes for a merged one": {from("bob@acme.example", answered("ana@acme.example", true),
			func(r *request.Request) { r.Customer = "small" }), "p", Proven},
		"a yes for nobody yet": {from("bob@acme.example", answered("ana@acme.example", true),
			func(r *request.Request) { r.Customer = "" }), "p", Colleague},

		"link alone":       {from("ana@acme.example", unconfirmed, through("ana@acme.example", "p")), "p", Linked},
		"link and mailbox": {from("ana@acme.example", through("ana@acme.example", "p")), "p", Proven},
		"link of a partner about another instance": {from("rita@reseller.example",
			through("rita@reseller.example", "p")), "s", Colleague},
		"forwarded link, own mailbox": {from("eve@evil.example", through("ana@acme.example", "p")), "p", Stranger},
		"forwarded link, contact's address typed": {from("ana@acme.example", unconfirmed,
			through("ana@acme.example", "p"), of(func(d *request.Details) { d.Server = "evil" })), "p", Stranger},
		"forwarded link, further contact": {from("ana@acme.example", unconfirmed, through("ana@acme.example", "p"),
			of(func(d *request.Details) { d.Contacts = []string{"eve@evil.example"} })), "p", Stranger},
		"forwarded link, another kind": {from("ana@acme.example", unconfirmed, through("ana@acme.example", "p"),
			of(func(d *request.Details) { d.Kind = request.Replacement })), "p", Stranger},
		"link to who is no contact any more": {from("gone@acme.example", unconfirmed,
			through("gone@acme.example", "p")), "p", Stranger},
		"link about a license elsewhere": {from("ana@acme.example", unconfirmed,
			through("ana@acme.example", "elsewhere")), "p", Stranger},
	} {
		t.Run(name, func(t *testing.T) {
			if got := acme().Standing(Asker{Request: test.request, Instance: test.instance}, noon); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	shared := Asker{Request: from("bob@acme.example"), Instance: "p", DomainShared: true}
	if got := acme().Standing(shared, noon); got != Stranger {
		t.Errorf("got %s at a domain that another customer has too, want stranger", got)
	}
}

func TestContactSpeaksFromTheSeventhDay(t *testing.T) {
	since := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	c := Contact{Email: "new@acme.example", Since: since}
	for at, want := range map[time.Time]bool{
		since: false, since.AddDate(0, 0, 7).Add(-1): false, since.AddDate(0, 0, 7): true, since.AddDate(1, 0, 0): true,
	} {
		if got := c.InEffect(at); got != want {
			t.Errorf("%s: got %v, want %v", at, got, want)
		}
	}
	if c.VouchedBy = "lucia@vendor.example"; !c.InEffect(since) {
		t.Error("got a contact without effect whom a colleague vouches for")
	}
}

func TestApproversAreContactsInEffectWhoDidNotAsk(t *testing.T) {
	a := acme()
	a.Merged[0].Contacts = append(a.Merged[0].Contacts, contactSince(30, "ANA@acme.example"))
	for name, test := range map[string]struct {
		by, instance string
		want         string
	}{
		"a stranger":             {"eve@evil.example", "p", "ana@acme.example vic@acme.example rita@reseller.example"},
		"a contact":              {"Ana@acme.example", "p", "vic@acme.example rita@reseller.example"},
		"about staging":          {"eve@evil.example", "s", "ana@acme.example vic@acme.example"},
		"about a new instance":   {"eve@evil.example", "", "ana@acme.example vic@acme.example"},
		"about what was merged":  {"eve@evil.example", "m", "sue@small.example ANA@acme.example vic@acme.example"},
		"about what is not ours": {"eve@evil.example", "x", "ana@acme.example vic@acme.example"},
	} {
		var got []string
		for _, c := range a.Approvers(Asker{Request: from(test.by), Instance: test.instance}, noon) {
			got = append(got, c.Email)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: got %v, want %s", name, got, test.want)
		}
	}
}

func TestContactOfLongestStanding(t *testing.T) {
	a := acme()
	a.Merged[0].Contacts = append(a.Merged[0].Contacts, contactSince(60, "Ana@acme.example"))
	if c, ok := a.Contact("ana@ACME.example"); !ok || !c.Since.Equal(daysAgo(60)) {
		t.Errorf("got %+v, %v, want the one who has been a contact for longest", c, ok)
	}
	if c, ok := a.Contact("eve@evil.example"); ok {
		t.Errorf("got %+v, want no contact", c)
	}
}

// licensesOf lists the IDs of the licenses of instances.
func licensesOf(a *Account, instances ...string) (ids []string) {
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			if slices.Contains(instances, i.ID) {
				ids = append(ids, l.ID)
			}
		}
	}
	return ids
}
