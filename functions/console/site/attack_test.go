package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web/webtest"
)

// People who ask for the license of Acme AG in TestAttacks.
const (
	ana     = "ana@acme.example"  // a contact since last year
	it      = "acme.it@gmail.com" // another one
	bob     = "bob@acme.example"  // no contact
	mallory = "mallory@gmail.com" // the attacker
)

const attacked = "01acmel1" // the license of the production server

// attack is a story about somebody who wants the production license of Acme AG for another server.
type attack struct {
	story
	t       *testing.T
	details request.Details // of an honest request
}

func newAttack(t *testing.T) attack {
	s := newStory(t)
	for _, who := range []string{sam, lucia} {
		s.must(s.store.RecordSignIn(t.Context(), emails[who], who, "sales"))
	}
	lastYear := start.AddDate(-1, 0, 0)
	instance := func(id, production string, e request.Environment, server license.Server) customer.Instance {
		return customer.Instance{ID: id, Customer: "01acmec", Production: production, Environment: e, Created: lastYear,
			ProductVersion: "6.7.1", Loc: 120_000, Told: lastYear,
			Servers: []customer.ServerID{{Server: server, Told: lastYear}}}
	}
	terms := customer.Terms{Edition: license.Enterprise, MaxLoc: 1_000_000, Support: true}
	first, last := day("2017-06-01"), day("2018-05-31")
	issued := func(id, instance string, kind license.Type, server license.Server) license.License {
		return license.License{ID: id, Type: kind, Organization: "Acme AG", Customer: "01acmec", Instance: instance,
			Contract: "01acmek1", Server: server, Edition: terms.Edition, MaxLoc: terms.MaxLoc, Support: true,
			NotBefore: first, Expiration: last, KeyText: strings.Repeat("Rm9ybWF0PTEK", 60)}
	}
	s.put(store.Issue{
		Customer: &customer.Customer{
			ID: "01acmec", Reference: "C-ACME00", Name: "Acme AG", Domains: []string{"acme.example"}, Created: lastYear,
			Contacts: []customer.Contact{
				{Name: "Ana Acme", Email: ana, Since: lastYear, AddedBy: emails[ada]},
				{Name: "Ivo Acme", Email: it, Since: lastYear, AddedBy: emails[ada]},
			},
		},
		Contracts: []customer.Contract{{ID: "01acmek1", Customer: "01acmec", Reference: "K-111111", Terms: terms,
			Production: 1, Staging: 1, First: first, Last: last, Created: lastYear}},
		Instances: []customer.Instance{
			instance("01acmei1", "", request.ProductionUse, production1),
			instance("01acmei2", "01acmei1", request.StagingUse, staging1),
		},
		Licenses: []license.License{
			issued(attacked, "01acmei1", license.Production, production1),
			issued("01acmel2", "01acmei2", license.Staging, staging1),
		},
	})
	return attack{story: s, t: t, details: request.Details{
		Kind: request.Replacement, Environment: request.ProductionUse, OldServer: request.OldStopped,
		Edition: license.Enterprise, Server: production2, Replaces: production1, Loc: 120_000, ProductVersion: "6.7.1",
		Name: "Ana Acme", Company: "Acme AG", Country: "Switzerland",
	}}
}

// confirms files a request under an address, which confirms it, and does what the mailer does then.
func (a attack) confirms(email string, change ...func(*request.Details)) request.Request {
	a.t.Helper()
	d := a.details
	d.Email = email
	for _, c := range change {
		c(&d)
	}
	return a.received(a.file(d))
}

func (a attack) received(r request.Request) request.Request {
	a.t.Helper()
	a.expand(notice.RequestConfirmed(r).ID)
	return a.request(r.ID)
}

// queued lists the mails that wait, as their kinds and addresses.
func (a attack) queued() (list []string) {
	a.t.Helper()
	for _, id := range a.pendingMails() {
		m := a.mail(id)
		list = append(list, strings.TrimSpace(string(m.Kind)+" "+m.To.Email))
	}
	slices.Sort(list)
	return list
}

// says fails unless a request's page says who asks in these words.
func (a attack) says(r request.Request, want ...string) {
	a.t.Helper()
	page := a.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	webtest.CheckPage(a.t, page)
	wantTexts(a.t, webtest.Text(page.Find(".asker")), want...)
}

// issuesAs reviews a request's license as change says and issues it, whether the review has the button or not.
func (a attack) issuesAs(who string, r request.Request, change ...func(url.Values)) *webtest.Answer {
	a.t.Helper()
	review := a.reviews(issueFor(r), change...)
	form := review.Page().Find("main form.wizard")
	values := filledIn(form)
	values.Set("step", "issue")
	confirm(review)(values)
	return a.send(who, form.AttrOr("action", ""), values)
}

// keyTo has the key sent to an address that need be nobody's on record.
func keyTo(email string) func(url.Values) {
	return func(v url.Values) {
		v["to"], v["name"], v["email"] = []string{"other"}, []string{"A. Nybody"}, []string{email}
	}
}

// refuses fails unless an operator cannot issue a request's license, for a reason, wherever the key goes.
func (a attack) refuses(who string, r request.Request, why string) {
	a.t.Helper()
	a.refused(who, r, why, keyTo(ana))
	a.refused(who, r, why, keyTo(r.Email))
}

// refused fails unless an operator cannot issue a request's license as change says, and nothing is changed or mailed.
func (a attack) refused(who string, r request.Request, why string, change func(url.Values)) {
	a.t.Helper()
	before := a.queued()
	refused := a.issuesAs(who, r, change).WantStatus(http.StatusForbidden)
	wantTexts(a.t, webtest.Text(refused.Page().Find("#barred")), "This revokes a license of Acme AG.", why)
	if l := a.story.license(attacked); !l.Revoked.IsZero() || l.ReplacedBy != "" || l.Successor != "" {
		a.t.Errorf("got %+v, want it untouched", l)
	}
	if after := a.queued(); !slices.Equal(before, after) {
		a.t.Errorf("got mails %q after %q, want no more", after, before)
	}
	if now := a.request(r.ID); now.Version != r.Version {
		a.t.Errorf("got request %+v, want it as it was", now)
	}
}

// grantsAs fails unless an operator issues a request's license in place of the production's, with the key to an
// address.
func (a attack) grantsAs(who string, r request.Request, to string, change ...func(url.Values)) license.License {
	a.t.Helper()
	l := a.issued(a.issuesAs(who, r, change...))
	if old := a.story.license(attacked); old.Revoked.IsZero() || old.ReplacedBy != l.ID {
		a.t.Errorf("got %+v, want it replaced by %s", old, l.ID)
	}
	if !slices.Contains(a.queued(), string(mail.LicenseKey)+" "+to) {
		a.t.Errorf("got mails %q, want the key to %s", a.queued(), to)
	}
	return l
}

// wantMails fails unless these mails wait.
func (a attack) wantMails(want ...string) {
	a.t.Helper()
	if got := a.queued(); !slices.Equal(got, want) {
		a.t.Errorf("got mails %q, want %q", got, want)
	}
}

// neverTo fails if any mail about a request or a license is to an address.
func (a attack) neverTo(email string, about ...string) {
	a.t.Helper()
	for _, id := range about {
		mails, err := a.store.MailsAbout(a.t.Context(), id, 100)
		a.must(err)
		if slices.ContainsFunc(mails, func(m outbox.Mail) bool { return input.SameMailbox(m.To.Email, email) }) {
			a.t.Errorf("got a mail about %s to %s", id, email)
		}
	}
}

// vouches has an operator vouch for a request on its page.
func (a attack) vouches(who string, r request.Request) {
	a.t.Helper()
	a.sends(who, r, "vouch", set("knows", "Called the number on record.")).WantStatus(http.StatusSeeOther)
}

// TestAttacks holds that nobody gets a customer's license through the console whom no contact and no second colleague
// stands for, whatever was typed.
func TestAttacks(t *testing.T) {
	const (
		nobody    = "No contact of Acme AG has said that this request is theirs."
		askedAna  = "request-ask " + ana
		askedIt   = "request-ask " + it
		confirmed = "confirmed this request on 05 Mar 2018, 09:30 UTC."
	)
	for name, plays := range map[string]func(a attack){
		"another address of a contact's public provider": func(a attack) {
			r := a.confirms(mallory)
			a.says(r, "Stranger", "Unknown address; claims to be Acme AG", confirmed)
			a.wantMails(askedIt, askedAna, "request-new", "request-received "+mallory)
			a.refuses(sam, r, nobody)
		},
		"somebody of the customer who is no contact": func(a attack) {
			r := a.confirms(bob)
			a.says(r, "Colleague", "At the customer's mail domain acme.example; "+confirmed, "no answer yet: "+ana)
			a.wantMails(askedIt, askedAna, "request-new", "request-received "+bob)
			a.refuses(sam, r, nobody)
		},
		"a contact's address, never confirmed": func(a attack) {
			d := a.details
			d.Email, d.Name, d.Company, d.Message = ana, "Mallory Mole", "Evil Ltd", "Call +41 44 555 01 23."
			r := a.fileUnconfirmed(d)
			a.says(r, "Contact since 05 Mar 2017; not confirmed: anybody can type this address.")
			if got := listed(a.get(sam, "/console").WantStatus(200).Page()); len(got) > 0 {
				a.t.Errorf("got %q in the queue, want what nobody confirmed left out", got)
			}
			a.wantMails("request-received " + ana)
			m := a.letter(a.pendingMails()[0])
			for _, typed := range []string{"Mallory", "Evil", "555", production1, production2} {
				if strings.Contains(m.Subject+m.Text+m.HTML, typed) {
					a.t.Errorf("got %q in the confirmation, want nothing that was typed", typed)
				}
			}
			a.refuses(sam, r, nobody)
			a.wantMails("request-received " + ana)
		},
		"a further contact of a contact's request": func(a attack) {
			r := a.confirms(ana, func(d *request.Details) { d.Contacts = []string{mallory} })
			a.says(r, "Contact since 05 Mar 2017; "+confirmed)
			a.wantMails("request-new", "request-received "+ana)
			a.refused(sam, r, "A contact asked for the key to go to "+ana+". Here it goes to "+mallory+".",
				keyTo(mallory))
			l := a.grantsAs(sam, r, ana)
			a.sendMail(l.ID + "--key")
			a.bounce(l.ID+"--key", outbox.Bounced, "no such mailbox")
			if !slices.Contains(a.queued(), "license-key "+it) {
				a.t.Errorf("got mails %q, want the key to the next contact", a.queued())
			}
			a.expand(l.ID + "--moved") // the contacts are told
			a.neverTo(mallory, r.ID, l.ID)
		},
		"a contact since yesterday": func(a attack) {
			c := a.of(a.story.license(attacked)).Customer
			c.Contacts = append(slices.Clone(c.Contacts), customer.Contact{Name: "Mallory", Email: mallory,
				Since: start.AddDate(0, 0, -1), AddedBy: emails[sam]})
			a.put(store.Issue{Customer: &c})
			r := a.confirms(mallory)
			a.says(r, "Colleague", "Contact since 04 Mar 2018; may speak for Acme AG from 11 Mar 2018; "+confirmed)
			a.refuses(sam, r, nobody)
		},
		"through a reminder that was forwarded": func(a attack) {
			d := a.details
			d.Email = mallory
			link := request.Link{Mail: attacked + "--1m", Contact: ana, License: attacked}
			f := store.Filing{Details: d, Link: &link, Bound: link.Binds(d, production1)}
			r, _, err := a.store.FileRequest(a.t.Context(), f)
			a.must(err)
			a.must(a.store.ConfirmRequests(a.t.Context(), r.ID, r.Secret, r.ID))
			r = a.received(a.request(r.ID))
			a.says(r, "Stranger", "Unknown address; claims to be Acme AG", confirmed,
				"Came through the reminder that was mailed to "+ana+".")
			a.wantMails(askedIt, askedAna, "request-new", "request-received "+mallory)
			a.refuses(sam, r, nobody)
		},
		"numbers to call back": func(a attack) {
			const number = "+41 44 555 01 23"
			r := a.confirms(mallory, func(d *request.Details) {
				d.Name, d.Company, d.Phone = "Ana, "+number, "Acme AG, call "+number, number
				d.Message, d.Replaces = "Call "+number, production1+" call "+number
				d.Server = "4A6F8E2B-" + production1
			})
			asked := 0
			for _, id := range a.pendingMails() {
				if a.mail(id).Kind != mail.RequestAsk {
					continue
				}
				asked++
				m := a.letter(id)
				all := m.Subject + m.Text + m.HTML + m.To.Name
				if strings.Contains(all, "555") || strings.Contains(all, "01 23") {
					a.t.Errorf("got the number in the question to %s:\n%s", m.To.Email, m.Text)
				}
			}
			if asked != 2 {
				a.t.Errorf("got %d contacts asked, want both", asked)
			}
			a.refuses(sam, r, nobody)
		},
		"a contact says no after another said yes": func(a attack) {
			r := a.confirms(mallory)
			a.must(a.store.AnswerRequest(a.t.Context(), r.ID, it, true))
			a.must(a.store.AnswerRequest(a.t.Context(), r.ID, ana, false))
			a.says(r, "Stranger", it+" said yes on",
				ana+" said no on 05 Mar 2018, 09:30 UTC: the request is not theirs.")
			a.refuses(sam, a.request(r.ID), ana+" said that this request is not theirs.")
		},
		"the word of the colleague who issues": func(a attack) {
			r := a.confirms(bob)
			a.vouches(sam, r)
			a.says(r, "You vouched on 05 Mar 2018, 09:30 UTC", "so another colleague has to issue the license.")
			r = a.request(r.ID)
			a.refuses(sam, r, "You vouched for this request yourself, so another colleague has to issue the license.")
			a.grantsAs(lucia, r, bob, keyTo(bob))
		},
		"honest: a contact": func(a attack) {
			r := a.confirms(ana)
			a.says(r, "Contact since 05 Mar 2017; "+confirmed)
			a.wantMails("request-new", "request-received "+ana)
			a.grantsAs(sam, r, ana)
		},
		"honest: somebody of the customer for whom a contact says yes": func(a attack) {
			r := a.confirms(bob)
			a.must(a.store.AnswerRequest(a.t.Context(), r.ID, ana, true))
			a.says(r, "Proven", ana+" said yes on 05 Mar 2018, 09:30 UTC.")
			a.grantsAs(sam, r, bob, keyTo(bob))
		},
		"honest: somebody of the customer for whom another colleague vouches": func(a attack) {
			r := a.confirms(bob)
			a.vouches(lucia, r)
			a.says(r, "Lucía Marín vouched on 05 Mar 2018, 09:30 UTC")
			a.grantsAs(sam, r, bob, keyTo(bob))
		},
	} {
		t.Run(name, func(t *testing.T) { plays(newAttack(t)) })
	}
}
