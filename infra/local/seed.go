package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/functions/console/generator"
	"marketplace/infra/localdata"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/officehours"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/search"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// seeder fills a new table with requests and licenses of invented customers, as after two years of sales. Its licenses
// come from the generator. It sends no email, and mutes its licenses unless a story shows reminders, so the outbox
// shows little but what the person who tries the program causes.
type seeder struct {
	*delivery.Store
	random  *rand.Rand
	now     time.Time // of the store, while writing the past
	loc     int       // lines of code of the current customer
	reminds bool      // customers are reminded of the licenses that are issued
	issuer  license.Issuer
	catalog *catalog.Catalog
}

// company is an invented customer.
type company struct {
	name, country, domain string
	people                []string
}

var companies = []company{
	{"Northwind Trading GmbH", "Germany", "northwind.example", []string{"Mara Keller", "Jonas Brandt"}},
	{"Banque du Léman SA", "Switzerland", "leman.example", []string{"Luc Favre", "Chloé Rochat"}},
	{"Polder Software BV", "Netherlands", "polder.example", []string{"Anouk de Vries"}},
	{"Kiwi Analytics Ltd", "New Zealand", "kiwi.example", []string{"Tane Walker", "Ruby Hall"}},
	{"Fjord Systems AS", "Norway", "fjord.example", []string{"Ingrid Dahl"}},
	{"Maple Leaf Insurance Inc.", "Canada", "mapleleaf.example", []string{"Olivia Tremblay", "Noah Singh"}},
	{"Sakura Denki K.K.", "Japan", "sakura.example", []string{"Haruto Tanaka"}},
	{"Pampa Retail S.A.", "Argentina", "pampa.example", []string{"Lucía Fernández"}},
	{"Wisła Telekom S.A.", "Poland", "wisla.example", []string{"Paweł Nowak", "Zofia Wójcik"}},
	{"Cedar Health Systems", "United States", "cedarhealth.example", []string{"Grace Miller", "Ethan Brooks"}},
	{"Atlas Aviation plc", "United Kingdom", "atlas.example", []string{"Amelia Shaw"}},
	{"Baobab Mobile (Pty) Ltd", "South Africa", "baobab.example", []string{"Thandi Nkosi"}},
	{"Lumière Énergie SAS", "France", "lumiere.example", []string{"Hugo Lambert", "Inès Moreau"}},
	{"Tejo Logística Lda.", "Portugal", "tejo.example", []string{"Rui Carvalho"}},
}

// operators are the sales people that package devidp invents.
var operators = []string{"sam@vendor.example", "lucia@vendor.example"}

// seedOnce runs f once in the life of a table. The embedded table gets all or nothing of it; a DynamoDB engine may keep
// a part after a kill, and gets everything again at the next start.
func seedOnce(ctx context.Context, t table.Table, f func(table.Table) error) error {
	if _, err := t.Get(ctx, localdata.Marker.Key); !errors.Is(err, table.ErrNotFound) {
		return err
	}
	whole := func(t table.Table) error {
		if err := f(t); err != nil {
			return err
		}
		return t.Transact(ctx, table.Create(localdata.Marker))
	}
	if file, ok := t.(*bolt.Table); ok {
		return file.Fill(ctx, whole)
	}
	return whole(t)
}

// seed writes the sample customers up to now. The sample is the same each time except for IDs and signatures.
func seed(ctx context.Context, t table.Table, issuer license.Issuer, sample *catalog.Catalog, hours officehours.Hours,
	now time.Time) error {
	number := uint64(0)
	begin := func() *seeder {
		s := &seeder{random: rand.New(rand.NewPCG(6, number)), issuer: issuer, catalog: sample}
		number++
		s.Store = delivery.New(store.New(t, store.Options{Now: func() time.Time { return s.now }, Hours: hours}))
		return s
	}
	for i, c := range companies {
		if err := begin().customer(ctx, c, i, now); err != nil {
			return fmt.Errorf("seed: %s: %w", c.name, err)
		}
	}
	for _, story := range stories {
		s := begin()
		s.loc = (1 + s.random.IntN(90)) * 37_000
		if err := story.tell(s, ctx, now.Truncate(time.Hour)); err != nil {
			return fmt.Errorf("seed: %s: %w", story.name, err)
		}
	}
	s := begin()
	if err := s.tellLate(ctx, now); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	s.now = now
	return s.RecordDailyRun(ctx, license.DateOf(now)) // nothing of the sample is due
}

// tellLate has colleagues told of the sample's late requests while the office was open, up to now, without sending it.
func (s *seeder) tellLate(ctx context.Context, now time.Time) error {
	told := delivery.New(s.Silent())
	for s.now = now.AddDate(0, 0, -10); !s.now.After(now); s.pass(1) {
		if _, err := told.TellLate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// customer writes the history of a customer: an evaluation, usually a license a month later, and what followed.
func (s *seeder) customer(ctx context.Context, c company, i int, now time.Time) error {
	server := s.server()
	edition := license.Editions[1+i%3]
	s.loc = (1 + s.random.IntN(90)) * 37_000
	began := now.AddDate(0, 0, -330+23*i).Truncate(time.Hour)

	s.now = began
	evaluation, err := s.file(ctx, c, asking{kind: request.Evaluation, edition: edition, server: server})
	if err != nil {
		return err
	}
	s.pass(2 + s.random.IntN(20))
	if i%7 == 6 {
		_, err := s.review(ctx, evaluation, request.Rejected,
			"You have already evaluated this edition twice. Please ask us for a quote.")
		return err
	}
	if _, err := s.answer(ctx, evaluation, nil); err != nil {
		return err
	}

	if s.now = began.AddDate(0, 0, 25); s.now.Before(now.AddDate(0, 0, -2)) {
		bought, err := s.buy(ctx, c, edition, server, i%2 == 0, nil)
		if err != nil {
			return err
		}
		if edition != license.Developer && s.now.AddDate(0, 0, 5).Before(now) {
			s.now = s.now.AddDate(0, 0, 5)
			staging, err := s.addStaging(ctx, c, bought.Licenses[0], s.server())
			if err != nil {
				return err
			}
			if i == 4 {
				s.now = s.now.AddDate(0, 0, 9)
				change := store.LicenseChange{ID: staging.Licenses[0].ID, Version: 1, By: operators[0]}
				if err := s.Silent().RevokeLicense(ctx, change,
					"The staging server was shut down, and the customer returned the license."); err != nil {
					return err
				}
			}
		}
	}
	return s.openRequest(ctx, c, i, edition, server, now)
}

// openRequest writes a recent request. Together they are in every state.
func (s *seeder) openRequest(ctx context.Context, c company, i int, edition license.Edition, server license.Server,
	now time.Time) error {
	kind := []request.Kind{request.Renewal, request.Upgrade, request.Replacement, request.New}[i%4]
	s.now = now.Add(-time.Duration(3+11*i) * time.Hour)
	about := license.Server("")
	if kind == request.Replacement {
		about = server
	}
	r, err := s.file(ctx, c, asking{kind: kind, edition: edition, server: server, about: about})
	if err != nil {
		return err
	}
	s.now = s.now.Add(90 * time.Minute)
	switch i % 5 {
	case 1, 2:
		r, err = s.review(ctx, r, request.InReview, "")
		if err == nil && i%5 == 2 {
			err = s.NoteOnRequest(ctx, r.ID, r.Reviewer, "Called them. The purchase order is on its way.")
		}
	case 3:
		const question = "Does this server replace the one that you already have a license for?"
		if i == 3 {
			return s.askAndBounce(ctx, r, question)
		}
		_, err = s.review(ctx, r, request.Waiting, question)
	case 4:
		_, err = s.review(ctx, r, request.Withdrawn, "Sent twice by mistake.")
	}
	return err
}

// asking is what a customer asks for.
type asking struct {
	kind    request.Kind
	edition license.Edition
	server  license.Server
	about   license.Server // the server that it replaces or mirrors; "" for none
	old     request.OldServer
	person  string // "" for any of the company's people
	email   string // "" for the person's at the company
}

// file files a request.
func (s *seeder) file(ctx context.Context, c company, a asking) (request.Request, error) {
	if a.person == "" {
		a.person = c.people[s.random.IntN(len(c.people))]
	}
	if a.email == "" {
		a.email = emailOf(a.person, c.domain)
	}
	form := request.Form{
		Kind: string(a.kind), Edition: string(a.edition), Server: string(a.server),
		Loc:            fmt.Sprint(s.loc),
		ProductVersion: []string{"6.7", "6.7.1", "6.7.4", "7.0", "7.1"}[s.random.IntN(5)],
		Name:           a.person, Email: a.email, Company: c.name, Country: c.country, Replaces: string(a.about),
	}
	if a.kind == request.Replacement {
		form.Environment, form.OldServer = "production", string(request.OldStopped)
		if a.old != "" {
			form.OldServer = string(a.old)
		}
	}
	if s.random.IntN(3) == 0 {
		form.Message = "We would like to start next month. Please send the invoice to our purchasing department."
	}
	d, err := form.Accept()
	if err != nil {
		return request.Request{}, err
	}
	r, _, err := s.Silent().FileRequest(ctx, store.Filing{Details: d})
	if err != nil {
		return r, err
	}
	if err := s.Silent().ConfirmRequests(ctx, r.ID, r.Secret, r.ID); err != nil {
		return r, err
	}
	return s.Request(ctx, r.ID)
}

func (s *seeder) review(ctx context.Context, r request.Request, to request.State, text string) (request.Request,
	error) {
	return s.Silent().Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: s.operator(), To: to, Text: text})
}

// askAndBounce asks a customer a question by an email that bounces.
func (s *seeder) askAndBounce(ctx context.Context, r request.Request, question string) error {
	v := store.Review{ID: r.ID, Version: r.Version, By: operators[0], To: request.Waiting, Text: question}
	asked, err := s.Review(ctx, v)
	if err != nil {
		return err
	}
	id := notice.RequestQuestion(asked, r.Version).ID
	if err := s.Outbox().Settle(ctx, id, 1, "sample", s.now); err != nil {
		return err
	}
	s.now = s.now.Add(time.Minute)
	bounce := outbox.Report{Mail: id, ProviderID: "sample", Outcome: outbox.Bounced, Status: "5.1.1",
		Detail: "General, smtp; 550 5.1.1 user unknown", At: s.now}
	_, err = s.RecordReport(ctx, bounce)
	return err
}

// answer answers a request with a license, as the generator proposes it but for what edit changes; nil changes nothing.
func (s *seeder) answer(ctx context.Context, r request.Request, edit func(*generator.Form)) (*generator.Draft, error) {
	return s.issue(ctx, generator.Source{Request: r.ID}, func(f *generator.Form) {
		f.AddDomain, f.AddContacts = "yes", []string{r.Email}
		if edit != nil {
			edit(f)
		}
	})
}

// issue issues what the generator proposes, as an operator does who confirms every warning.
func (s *seeder) issue(ctx context.Context, from generator.Source, edit func(*generator.Form)) (*generator.Draft,
	error) {
	g := generator.New(generator.Options{
		Records: muting{s.Silent(), s.reminds}, Search: search.New(s.Store.Store),
		Catalog: func() (*catalog.Catalog, error) { return s.catalog, nil },
		Issuer:  func() (license.Issuer, error) { return s.issuer, nil }, Now: func() time.Time { return s.now },
	})
	d, err := g.Begin(ctx, from, "")
	if err == nil && d.Form.Customer == "" { // it may be several
		d.Form.Customer = generator.NewCustomer
		d, err = g.Refresh(ctx, from, d.Form)
	}
	if err != nil {
		return nil, err
	}
	f := d.Form
	f.CustomPackage = ""
	edit(&f)
	if d.Account != nil {
		f.AddContacts, f.AddDomain = newContacts(d.Account.Customer, f.AddContacts), ""
	}
	if d, err = g.Draft(ctx, from, f); err != nil {
		return nil, withFields(err)
	}
	by := s.operator()
	if d.Request != nil && d.Barred(by) != nil {
		if err := s.vouch(ctx, d, by); err != nil {
			return nil, err
		}
		if d, err = g.Draft(ctx, from, f); err != nil {
			return nil, withFields(err)
		}
	}
	confirmed := generator.Confirmation{Digest: d.Digest, By: by}
	for _, w := range d.Warnings {
		confirmed.Codes = append(confirmed.Codes, w.Code)
	}
	return d, withFields(g.Issue(ctx, from, f, confirmed))
}

// vouch has another operator than the one who issues vouch for a draft.
func (s *seeder) vouch(ctx context.Context, d *generator.Draft, issues string) error {
	others := slices.DeleteFunc(slices.Clone(operators), func(email string) bool { return email == issues })
	v := request.Vouch{
		Customer: d.Account.Customer.ID, Server: d.Licenses[0].Server, Email: d.To.Email,
		Note: "Called the number on record.",
	}
	for _, l := range d.Changes.Replaced {
		v.Licenses = append(v.Licenses, l.ID)
	}
	change := store.RequestChange{ID: d.Request.ID, Version: d.Request.Version, By: others[0]}
	return s.Silent().VouchFor(ctx, change, v)
}

// newContacts returns the addresses that are no contacts yet.
func newContacts(c customer.Customer, emails []string) (list []string) {
	for _, email := range emails {
		if _, known := c.Contact(email); !known {
			list = append(list, email)
		}
	}
	return list
}

// withFields adds to a fault what is wrong with which field of a form.
func withFields(err error) error {
	if invalid, ok := errors.AsType[*fault.Error](err); ok && len(invalid.Fields) > 0 {
		return fmt.Errorf("%w %v", err, invalid.Fields)
	}
	return err
}

// muting records licenses of which nobody is reminded, unless it reminds.
type muting struct {
	*store.Store
	reminds bool
}

func (m muting) IssueLicenses(ctx context.Context, i store.Issue) error {
	for n := range i.Licenses {
		if !m.reminds {
			i.Licenses[n].Mute = license.Mute{
				By: operators[0], At: i.Licenses[n].Issued.Start(), Reason: "Invented license: no reminders",
			}
		}
	}
	return m.Store.IssueLicenses(ctx, i)
}

// remind records that a contact was reminded of licenses that expire on one day, in one email, which arrived.
func (s *seeder) remind(ctx context.Context, to license.Contact, stage reminder.Stage, ids ...string) (outbox.Mail,
	error) {
	licenses, err := s.Licenses(ctx, ids...)
	if err != nil {
		return outbox.Mail{}, err
	}
	of := licenses[0].License
	s.now = stage.Day(of.Expiration).Start().Add(remindersAt)
	d := s.NewDigest(of.Customer, license.DateOf(s.now), to, s.now, 0)
	for _, l := range licenses {
		do := store.Reminding{Stage: stage, Digest: d}
		if err := s.RecordReminder(ctx, store.Due{LicenseRecord: l}, do); err != nil {
			return outbox.Mail{}, err
		}
	}
	if err := d.Release(ctx); err != nil {
		return outbox.Mail{}, err
	}
	id := notice.LicensesExpiring(of.Customer, license.DateOf(s.now), to, 1).ID
	if err := s.Outbox().Settle(ctx, id, 1, "sample", s.now); err != nil {
		return outbox.Mail{}, err
	}
	s.now = s.now.Add(time.Minute)
	arrived := outbox.Report{Mail: id, ProviderID: "sample", Outcome: outbox.Delivered, At: s.now}
	if _, err := s.RecordReport(ctx, arrived); err != nil {
		return outbox.Mail{}, err
	}
	return s.Outbox().Read(ctx, id)
}

// buy writes a request for production and its answer: with a contract of its own, unless edit says otherwise.
func (s *seeder) buy(ctx context.Context, c company, edition license.Edition, server license.Server, support bool,
	edit func(*generator.Form)) (*generator.Draft, error) {
	r, err := s.file(ctx, c, asking{kind: request.New, edition: edition, server: server})
	if err != nil {
		return nil, err
	}
	s.pass(1 + s.random.IntN(30))
	return s.answer(ctx, r, func(f *generator.Form) {
		f.Contract, f.ProductionCount, f.StagingCount = generator.NewContract, "1", "1"
		if f.Support = ""; support {
			f.Support = "yes"
		}
		if edition == license.Developer && !support {
			f.StagingCount = "0"
		}
		if edit != nil {
			edit(f)
		}
	})
}

// addStaging writes a request for a staging server and its answer.
func (s *seeder) addStaging(ctx context.Context, c company, production license.License, server license.Server) (
	*generator.Draft, error) {
	r, err := s.file(ctx, c, asking{
		kind: request.Staging, edition: production.Edition, server: server, about: production.Server,
	})
	if err != nil {
		return nil, err
	}
	s.pass(1 + s.random.IntN(9))
	return s.answer(ctx, r, nil)
}

// pass lets hours pass.
func (s *seeder) pass(hours int) { s.now = s.now.Add(time.Duration(hours) * time.Hour) }

func (s *seeder) operator() string { return operators[s.random.IntN(len(operators))] }

// server invents a server ID as versions 6.1 to 6.7.4 and 7.0 to 7.2 make them.
func (s *seeder) server() license.Server {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	id := []byte("AW")
	for len(id) < 20 {
		id = append(id, alphabet[s.random.IntN(len(alphabet))])
	}
	return license.Server(id)
}

// emailOf is a person's address at a company.
func emailOf(person, domain string) string {
	return strings.ToLower(strings.Fields(asciiName(person))[0]) + "@" + domain
}

// asciiName writes a name as in an email address.
func asciiName(name string) string {
	return strings.NewReplacer("é", "e", "í", "i", "ł", "l", "ó", "o", "è", "e", "ì", "i", "ö", "o", "ü", "u", "ä", "a",
		"õ", "o").Replace(name)
}
