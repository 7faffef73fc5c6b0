// Package sample has one letter for each thing that the vendor writes to people, about customers that do not exist. The
// console and the local server show them, and a test holds every letter against what mail programs, mail servers and
// readers need.
package sample

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// Letter is a sample letter.
type Letter struct {
	Name    string // in addresses of pages: lower case letters and dashes
	Title   string
	Message mail.Message
}

// told is a notice with what is on record about its subject.
type told struct {
	name, title string
	notice      notice.Notice
	on          notice.Records
	call        letter.Call
}

// Letters writes all sample letters, those to customers first.
func Letters(w letter.Writer, c *catalog.Catalog) ([]Letter, error) {
	var letters []Letter
	for _, t := range notices() {
		m, err := w.Write(t.notice, t.on, c, t.call)
		if err != nil {
			return nil, fmt.Errorf("sample: %s: %w", t.name, err)
		}
		letters = append(letters, Letter{Name: t.name, Title: t.title, Message: m})
	}
	return letters, nil
}

// Find returns the letter of a name; of an unknown one, fault.NotFound.
func Find(letters []Letter, name string) (Letter, error) {
	for _, l := range letters {
		if l.Name == name {
			return l, nil
		}
	}
	return Letter{}, fault.New(fault.NotFound, "There is no letter with this name.")
}

var (
	received = time.Date(2018, time.February, 26, 9, 30, 0, 0, time.UTC)
	today    = license.DateOf(received)
	expires  = license.Date{Year: 2019, Month: time.February, Day: 28}
)

func notices() []told {
	r, key := sampleRequest(), sampleLicense()
	staging := with(key, func(l *license.License) {
		l.ID, l.Type = "01c6x2m4vj8q0n5r7t9w3y1z2c", license.Staging
		l.Server = "5B7F9D3C-AWHW8w9JtzBzSrmf9GQX"
	})
	again := notice.LicenseKeyAgain(key, jane, "again1")
	evaluation := with(key, func(l *license.License) {
		l.Type, l.Support, l.NotBefore, l.Expiration = license.Evaluation, false, today, today.AddDays(30)
		l.Contract = ""
	})
	outlived := onRecord(expires.AddMonths(-2), key)
	outlived.ContractLast = expires.AddMonths(24)
	linked := change(r, func(r *request.Request) {
		r.Kind, r.Replaces, r.Environment, r.OldServer = request.Renewal, "", "", ""
		r.Link, r.Bound = &request.Link{Contact: r.Email}, true
	})
	planned := change(linked, func(r *request.Request) {
		r.Kind, r.Change, r.Planned = request.Replacement, request.DatabaseMoved, expires
		r.Before, r.Replaces, r.Environment, r.OldServer = r.Server, string(r.Server), request.ProductionUse,
			request.OldRunning
	})
	list := []request.Request{
		change(r, func(r *request.Request) { r.Unconfirmed = true }),
		change(international(), func(r *request.Request) { r.Unconfirmed = true }),
	}
	return append([]told{
		about("request-received", "Request to be confirmed", r, notice.RequestReceived(r)),
		about("request-linked", "Request received through our link", linked, notice.RequestReceived(linked)),
		about("request-planned", "Request before the server ID changes", planned, notice.RequestReceived(planned)),
		question(r),
		closed("request-rejected", "Request declined", r, request.Rejected, "This server already has a license "+
			"through 31 Dec 2018, and it covers the number of lines that you stated.\n\n"+
			"If you need more lines, request an upgrade."),
		closed("request-withdrawn", "Request withdrawn", r, request.Withdrawn, "As agreed on the phone today."),
		cancelled(r),
		keys("license-key", "License key", letter.Call{Attempt: 1}, key),
		keys("license-keys", "License keys of production and staging", letter.Call{}, key, staging),
		{"license-key-resent", "License key, resent", again, onRecord(today, key), letter.Call{}},
		keys("license-key-custom", "License key with a custom package", letter.Call{}, with(key, customPackage)),
		keys("license-key-cluster", "License key of a cluster", letter.Call{}, with(key, func(l *license.License) {
			l.Edition, l.MaxLoc = license.DataCenter, 100_000_000
		})),
		keys("bridge-key", "Bridge key", letter.Call{}, bridge(key)),
		keys("license-key-evaluation", "License key for an evaluation", letter.Call{}, evaluation),
		signIn("sign-in-link", "Link to sign in to the account", notice.SignIn{Contact: true}),
		signIn("sign-in-later", "A new contact signs in too early",
			notice.SignIn{Contact: true, From: received.AddDate(0, 0, 4)}),
	}, append(slices.Concat(reminders(key), asking(r), contactsTold(key, staging), hardCases(r, key, staging)), []told{
		about("request-new", "To sales: new request", r, notice.RequestNew(r)),
		{"request-unconfirmed", "To sales: unconfirmed requests",
			notice.RequestsUnconfirmed([]request.Summary{list[0].Summary(), list[1].Summary()}, today),
			notice.Records{Requests: list, Today: today}, letter.Call{}},
		answered(r, true), answered(r, false),
		updated(r, notice.Answered, "request-updated-answered", "To sales: the customer answered"),
		updated(r, notice.Corrected, "request-updated-corrected", "To sales: the customer corrected a request"),
		updated(r, notice.Cancelled, "request-updated-cancelled", "To sales: the customer cancelled a request"),
		late(r, "request-late", "To a reviewer: a late request"),
		late(r, "request-late-sales", "To sales: a late request that somebody is reviewing"),
		late(r, "request-late-new", "To sales: a late request that nobody is reviewing"),
		about("requests-of-domain", "To sales: many unconfirmed requests", r, notice.RequestsOfDomain(r, today)),
		stopped(key),
		{"license-next-key", "To sales: the next key is due", notice.LicenseNextKey(key, reminder.MonthsBefore(2)),
			outlived, letter.Call{}},
		{"license-unreached", "To sales: a customer cannot be reached", notice.LicenseUnreached(key),
			onRecord(expires.AddMonths(-1), key), letter.Call{}},
	}...)...)
}

// signIn is what the person behind an address is sent to sign in.
func signIn(name, title string, on notice.SignIn) told {
	n := notice.SignInLink("01c6x2m4vj8q0n5r7t9w3y1z2h", jane.Email, "SAMPLE", received.Add(time.Hour))
	return told{name, title, n, notice.Records{SignIn: on, Now: received, Today: today}, letter.Call{}}
}

// asking are letters that ask who sent a request.
func asking(r request.Request) []told {
	another := change(r, func(r *request.Request) {
		r.ID, r.Reference, r.Kind = "01c6x2m4vj8q0n5r7t9w3y1z2g", "R-0M8WXC", request.New
		r.Server = "C0A80117-AWHW8w9JtzBzSrmf9GQX"
	})
	all := notice.Records{Request: r, Requests: []request.Request{another, r}, Today: today}
	ask := notice.RequestAsk(r, jane, "SAMPLE")
	asked := notice.Records{Request: r, Today: today, Organization: "Customer & Sons Ltd",
		Server: "AWHW8w9JtzBzSrmf9GQX"}
	return []told{
		{"requests-to-confirm", "Requests to confirm", notice.RequestsToConfirm(r, "4"), all, letter.Call{}},
		{"request-ask", "Is this request yours?", ask, asked, letter.Call{}},
	}
}

// answered is what sales are told of a contact's answer.
func answered(r request.Request, yes bool) told {
	a := request.Answer{By: jane.Email, At: received, Yes: yes}
	r.Answers = []request.Answer{a}
	if yes {
		return about("request-answered-yes", "To sales: a contact said yes", r, notice.RequestAnswered(r, a))
	}
	return about("request-answered-no", "To sales: a contact said no", r, notice.RequestAnswered(r, a))
}

// updated is what sales are told of what a customer did to a request.
func updated(r request.Request, u notice.Update, name, title string) told {
	r.Confirmed, r.State = r.Created, request.InReview
	r.Response = &request.Response{At: received, Text: "It is switched off for good.\n\nAbout 1.5 million."}
	return about(name, title, r, notice.RequestUpdated(r, u, 4))
}

// cancelled is what a customer is told who cancelled a request.
func cancelled(r request.Request) told {
	r.Confirmed, r.State = r.Created, request.Withdrawn
	return about("request-cancelled", "Request cancelled by the customer", r,
		notice.RequestClosed(r, 3, notice.ByCustomer))
}

// late is what colleagues are told of a late request.
func late(r request.Request, name, title string) told {
	robin := license.Contact{Name: "Robin Sample", Email: "robin.sample@vendor.example"}
	on := notice.Records{Today: today.AddDays(1), Now: r.Due.Add(8 * time.Minute)}
	n := notice.RequestLateSales(r)
	if name != "request-late-new" {
		r.State, r.Reviewer, on.Reviewer = request.InReview, robin.Email, robin.Name
	}
	switch name {
	case "request-late":
		n = notice.RequestLate(r, robin)
	case "request-late-sales":
		r.LateTold = request.LateTold{Due: r.Due, Reviewer: on.Now}
		on.Now = r.Due.Add(130 * time.Minute)
	}
	on.Request = r
	return told{name, title, n, on, letter.Call{}}
}

// contactsTold are letters about what contacts did not ask for.
func contactsTold(key, staging license.License) []told {
	to := func(c license.Contact, n notice.Notice) notice.Notice { one, _ := n.ForContact(c); return one }
	moves := []notice.Move{
		{From: "C0A80117-AWHW8w9JtzBzSrmf9GQX", To: key.Server},
		{From: "C0A80117-AWHW8w9JtzBzSrmf9GQZ", To: staging.Server},
	}
	revoked := with(key, func(l *license.License) { l.Revoked = received })
	lena := license.Contact{Name: "Lena Vogt", Email: "lena.vogt@customer.example"}
	change := notice.ContactChange{
		Customer: sampleCustomer, Version: 7, Contacts: []license.Contact{lena}, By: "sam@vendor.example",
		Until: today.AddDays(14),
	}
	byContact := change
	byContact.By, byContact.ByContact, byContact.Until = jane.Email, true, today.AddDays(7)
	undone := change
	undone.By = "customer"
	removed := to(lena, notice.ContactRemoved(change))
	removed.Nonce = "SAMPLE"
	onCustomer := notice.Records{Today: today, Customer: "C-8H2V5N", Organization: "Customer & Sons Ltd"}
	return []told{
		{"license-replaced", "License moved to a new server ID",
			to(jane, notice.LicenseMoved([]license.License{key}, moves[:1], "sam@vendor.example")),
			onRecord(today, key), letter.Call{}},
		{"licenses-replaced", "Licenses moved to new server IDs",
			to(jane, notice.LicenseMoved([]license.License{key, staging}, moves, "sam@vendor.example")),
			onRecord(today, key), letter.Call{}},
		{"license-bridged", "Bridge key issued, to other contacts",
			to(jane, notice.LicenseMoved([]license.License{bridge(key)}, moves[:1], "system")),
			onRecord(today, bridge(key)), letter.Call{}},
		{"license-revoked", "License revoked",
			to(jane, notice.LicenseRevoked(revoked, "The invoice for 2018 was not paid.", "sam@vendor.example")),
			onRecord(today, revoked), letter.Call{}},
		{"contact-added", "Contact added", to(jane, notice.ContactAdded(change)), onCustomer, letter.Call{}},
		{"contact-added-you", "Contact added, to the new contact", to(lena, notice.ContactAdded(change)), onCustomer,
			letter.Call{}},
		{"contact-added-undo", "Contact added again", to(jane, notice.ContactAdded(undone)), onCustomer, letter.Call{}},
		{"contact-added-by-contact", "Contact added by a contact", to(lena, notice.ContactAdded(byContact)), onCustomer,
			letter.Call{}},
		{"contact-removed-by-contact", "Contact removed by a contact", to(jane, notice.ContactRemoved(byContact)),
			onCustomer, letter.Call{}},
		{"erasure-asked", "To sales: a contact asks to be erased", notice.ErasureAsked(sampleCustomer, lena, "n1"),
			onCustomer, letter.Call{}},
		{"contact-removed", "Contact removed", to(jane, notice.ContactRemoved(change)), onCustomer, letter.Call{}},
		{"contact-removed-you", "Contact removed, to the former contact", removed, onCustomer, letter.Call{}},
	}
}

// hardCases are letters with what is hardest on their form: other scripts, long names, many licenses.
func hardCases(r request.Request, key, staging license.License) []told {
	foreign := international()
	long := with(key, func(l *license.License) {
		l.Organization = strings.Repeat("Donaudampfschifffahrts-Elektrizitäten-Hauptbetriebswerk Bauunterbeamten ", 3)
		l.Languages = []string{"abap", "cobol", "pli", "rpg", "vb", "swift", "objc", "plsql"}
	})
	professor := license.Contact{
		Name: "Prof. Dr. Maximiliane Theodora von Hohenstein-Wittelsbach zu Neu",
		Email: "maximiliane.theodora.von-hohenstein-wittelsbach.licenses@" +
			"software-engineering.a-company-with-a-long-name.example",
	}
	var many []license.License
	for i := range 2 {
		many = append(many, with(staging, func(l *license.License) {
			l.ID = fmt.Sprintf("01c6x2m4vj8q0n5r7t9w3y1z3%d", i)
			l.Server = license.Server(fmt.Sprintf("5B7F9D3%d-AWHW8w9JtzBzSrmf9GQX", i))
		}))
	}
	arabic := with(key, func(l *license.License) {
		l.Organization = "شركة البرمجيات المتحدة"
	})
	layla := license.Contact{Name: "ليلى حداد", Email: "layla@شركة.example"}
	return []told{
		about("international-request", "Request to be confirmed, in other scripts", foreign,
			notice.RequestReceived(foreign)),
		about("international-request-new", "To sales: new request, in other scripts", foreign,
			notice.RequestNew(foreign)),
		keysTo(layla, "international-key", "License key, right to left", letter.Call{}, arabic),
		keysTo(professor, "long-names", "License key with long names", letter.Call{}, long),
		keys("three-keys", "License keys of three servers", letter.Call{}, append([]license.License{key}, many...)...),
		keys("maybe-twice", "License key that may arrive twice", letter.Call{Attempt: 2, MaybeTwice: true}, key),
	}
}

func with(l license.License, change func(*license.License)) license.License {
	change(&l)
	return withKey(l)
}

func change(r request.Request, change func(*request.Request)) request.Request {
	change(&r)
	return r
}

// bridge is a bridge key with the terms of a license.
func bridge(l license.License) license.License {
	return with(l, func(b *license.License) {
		b.ID, b.Bridges, b.NotBefore = "01c6x2m4vj8q0n5r7t9w3y1z2h", l.ID, today
		b.Expiration = today.AddDays(license.BridgeDays - 1)
	})
}

func customPackage(l *license.License) {
	l.Languages = []string{"cobol"}
	l.Packages = []string{"developer-edition-6.7.1-qx4c7d2wj5t3vazlqk2m6yhn3e.zip"}
}

func onRecord(today license.Date, licenses ...license.License) notice.Records {
	return notice.Records{
		Request: sampleRequest(), Licenses: licenses, Today: today, Contacts: []license.Contact{jane},
		Customer: "C-8H2V5N", Contracts: map[string]reference.Reference{sampleContract: contractReference},
	}
}

func about(name, title string, r request.Request, n notice.Notice) told {
	return told{name, title, n, notice.Records{Request: r, Today: today}, letter.Call{}}
}

func question(r request.Request) told {
	r.Confirmed = r.Created
	r.State, r.Reviewer = request.Waiting, "sam@vendor.example"
	r.Question = "Is the old server switched off for good, or will it run beside the new one for a while?\n\n" +
		"And how many lines of code do you expect in a year?"
	return about("request-question", "Question about a request", r, notice.RequestQuestion(r, 2))
}

func closed(name, title string, r request.Request, state request.State, reason string) told {
	r.State, r.Reason, r.Confirmed = state, reason, r.Created
	return about(name, title, r, notice.RequestClosed(r, 3, "sam@vendor.example"))
}

func keys(name, title string, call letter.Call, licenses ...license.License) told {
	return keysTo(jane, name, title, call, licenses...)
}

func keysTo(to license.Contact, name, title string, call letter.Call, licenses ...license.License) told {
	return told{name, title, notice.LicenseKey(licenses, to), onRecord(today, licenses...), call}
}

func sampleRequest() request.Request {
	return request.Request{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2a", Reference: "R-7K3Q9F", Token: "sample", Secret: "confirms",
		State:   request.Received,
		Created: received, Due: received.AddDate(0, 0, 1),
		Details: request.Details{
			Kind: request.Replacement, Edition: license.Developer, Loc: 1_200_000, WantedLoc: 2_000_000,
			Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", ProductVersion: "6.7.1",
			Name: "Jane Doe", Email: "jane.doe@customer.example", Phone: "+41 22 555 01 23",
			Company: "Customer & Sons Ltd", Country: "Switzerland",
			Contacts: []string{"it@customer.example", "purchasing@customer.example"},
			Message: "We moved the database to a new host, and the server ID has changed.\n\n" +
				"The old server is off.\nThank you!",
			Replaces: "AWHW8w9JtzBzSrmf9GQX", Environment: request.ProductionUse, OldServer: request.OldStopped,
		},
	}
}

// international returns a request in other scripts, from a domain beyond ASCII.
func international() request.Request {
	r := sampleRequest()
	r.ID, r.Reference = "01c6x2m4vj8q0n5r7t9w3y1z2d", "R-0M8WXC"
	r.Kind, r.Edition, r.Replaces, r.Environment, r.OldServer = request.New, license.Enterprise, "", "", ""
	r.Name, r.Email, r.Company, r.Country = "Zoë Müller-O’Neill", "zoe@müller.example", "株式会社ミュラー", "日本"
	r.Contacts = []string{"li.lei@例子.example"}
	r.Message = "これは最初のライセンスです。\n谢谢 — مع الشكر — Danke schön 🎉"
	return r
}

// sampleCustomer is the ID of the sample customer.
const sampleCustomer = "01c6x2m4vj8q0n5r7t9w3y1z2f"

// sampleContract is the ID of the contract of the sample licenses.
const sampleContract = "01c6x2m4vj8q0n5r7t9w3y1z2e"

var jane = license.Contact{Name: "Jane Doe", Email: "jane.doe@customer.example"}

func sampleLicense() license.License {
	return withKey(license.License{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: "Customer & Sons Ltd",
		Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 2_000_000, Support: true,
		Issued: today, NotBefore: today, Expiration: expires, Request: sampleRequest().ID,
		Contract: sampleContract,
	})
}

// withKey returns the license with a key of the form of a real one. Nobody signed it, so no server accepts it.
func withKey(l license.License) license.License {
	text := strings.Join([]string{
		"Format=1", "Kid=sample", "Id=" + l.ID, "Type=" + string(l.Type), "Organization=Sample",
		"Server=" + string(l.Server), "Edition=" + string(l.Edition), "Plugins=abap,cpp,license,objc,plsql,swift,vb",
		"Languages=abap,c,cpp,cs,js,java,objc,php,plsql,py,swift,ts,tsql,vbnet",
		fmt.Sprintf("MaxLoc=%d", l.MaxLoc), fmt.Sprintf("Support=%t", l.Support), "NotBefore=" + l.NotBefore.String(),
		"Expiration=" + l.Expiration.String(), "Issued=" + l.Issued.String(),
		"Signature=" + strings.Repeat("Sample", 16), "",
	}, "\n")
	l.KeyText = base64.StdEncoding.EncodeToString([]byte(text))
	return l
}
