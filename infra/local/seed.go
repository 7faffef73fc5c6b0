package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/infra/local/devidp"
	"marketplace/infra/localdata"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// seeder fills a new table with requests and licenses of invented customers, as after a year of sales. It sends no
// email and mutes its licenses, so the outbox shows only what the person who tries the program causes.
type seeder struct {
	*delivery.Store
	random  *rand.Rand
	now     time.Time // of the store, while writing the past
	loc     int       // lines of code of the current customer
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
func seed(ctx context.Context, t table.Table, issuer license.Issuer, sample *catalog.Catalog, now time.Time) error {
	kept := store.New(t, store.Options{Now: func() time.Time { return now }})
	for _, p := range devidp.SamplePeople() {
		if len(p.Groups) == 0 {
			continue
		}
		if err := kept.RecordSignIn(ctx, p.Email, p.Name, p.Groups[0]); err != nil {
			return fmt.Errorf("seed: %s: %w", p.Name, err)
		}
	}
	for i, c := range companies {
		s := &seeder{random: rand.New(rand.NewPCG(6, uint64(i))), issuer: issuer, catalog: sample}
		s.Store = delivery.New(store.New(t, store.Options{Now: func() time.Time { return s.now }}))
		if err := s.customer(ctx, c, i, now); err != nil {
			return fmt.Errorf("seed: %s: %w", c.name, err)
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
	evaluation, err := s.file(ctx, c, request.Evaluation, edition, server, "")
	if err != nil {
		return err
	}
	s.now = s.now.Add(time.Duration(2+s.random.IntN(20)) * time.Hour)
	if i%7 == 6 {
		_, err := s.review(ctx, evaluation, request.Rejected,
			"You have already evaluated this edition twice. Please ask us for a quote.")
		return err
	}
	if err := s.issue(ctx, evaluation, license.Evaluation, license.DateOf(s.now).AddDays(30), false, ""); err != nil {
		return err
	}

	if s.now = began.AddDate(0, 0, 25); s.now.Before(now.AddDate(0, 0, -2)) {
		bought, err := s.file(ctx, c, request.New, edition, server, "")
		if err != nil {
			return err
		}
		s.now = s.now.Add(time.Duration(1+s.random.IntN(30)) * time.Hour)
		if err := s.issue(ctx, bought, license.Production, license.DateOf(s.now).AddMonths(12), i%2 == 0,
			""); err != nil {
			return err
		}
		if edition != license.Developer && s.now.AddDate(0, 0, 5).Before(now) {
			s.now = s.now.AddDate(0, 0, 5)
			staging, err := s.file(ctx, c, request.Staging, edition, s.server(), server)
			if err != nil {
				return err
			}
			s.now = s.now.Add(time.Duration(1+s.random.IntN(9)) * time.Hour)
			if err := s.issue(ctx, staging, license.Staging, license.DateOf(s.now).AddMonths(12), i%2 == 0,
				server); err != nil {
				return err
			}
			if i == 4 {
				s.now = s.now.AddDate(0, 0, 9)
				change := store.LicenseChange{ID: licenseID(staging), Version: 1, By: operators[0]}
				if err := s.RevokeLicense(ctx, change,
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
	r, err := s.file(ctx, c, kind, edition, server, about)
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

// file files a request for a server, related to the license of the server about unless that is "".
func (s *seeder) file(ctx context.Context, c company, kind request.Kind, edition license.Edition, server,
	about license.Server) (request.Request, error) {
	person := c.people[s.random.IntN(len(c.people))]
	form := request.Form{
		Kind: string(kind), Edition: string(edition), Server: string(server),
		Loc:            fmt.Sprint(s.loc),
		ProductVersion: []string{"6.7", "6.7.1", "6.7.4", "7.0", "7.1"}[s.random.IntN(5)],
		Name:           person, Email: strings.ToLower(strings.Fields(asciiName(person))[0]) + "@" + c.domain,
		Company: c.name, Country: c.country,
		Replaces: string(about),
	}
	if kind == request.Replacement {
		form.Environment, form.OldServer = "production", "stopped"
	}
	if s.random.IntN(3) == 0 {
		form.Message = "We would like to start next month. Please send the invoice to our purchasing department."
	}
	d, err := form.Accept()
	if err != nil {
		return request.Request{}, err
	}
	r, _, err := s.Silent().FileRequest(ctx, d, "")
	return r, err
}

func (s *seeder) review(ctx context.Context, r request.Request, to request.State, text string) (request.Request,
	error) {
	by := operators[s.random.IntN(len(operators))]
	return s.Silent().Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: by, To: to, Text: text})
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

// licenseID returns the ID of the license that answers a request.
func licenseID(r request.Request) string { return strings.ToLower(r.ID[:20] + "000000") }

// issue answers a request with a license and a real key; mirrors is the production server of a staging license.
func (s *seeder) issue(ctx context.Context, r request.Request, kind license.Type, expiration license.Date, support bool,
	mirrors license.Server) error {
	e, ok := s.catalog.Edition(string(r.Edition))
	if !ok {
		return fmt.Errorf("the catalog has no edition %s", r.Edition)
	}
	l := license.License{
		ID: licenseID(r), Type: kind, Organization: r.Company, Server: r.Server, Edition: r.Edition,
		MaxLoc: s.threshold(r.Loc), Support: support, NotBefore: license.DateOf(s.now), Expiration: expiration,
		Issued:  license.DateOf(s.now),
		Plugins: e.Plugins, Contacts: []license.Contact{{Name: r.Name, Email: r.Email}}, Muted: true,
		Mirrors: mirrors,
	}
	var err error
	if l.KeyText, err = s.issuer.Issue(l.Terms()); err != nil {
		return err
	}
	by := operators[s.random.IntN(len(operators))]
	return s.Silent().IssueLicenses(ctx, store.Issue{Licenses: []license.License{l}, By: by, Request: r.ID,
		RequestVersion: r.Version})
}

// threshold returns the smallest limit on sale that is large enough.
func (s *seeder) threshold(loc int64) int64 {
	for _, limit := range s.catalog.LOCThresholds {
		if limit >= loc {
			return limit
		}
	}
	return s.catalog.LOCThresholds[len(s.catalog.LOCThresholds)-1]
}

// server invents a server ID as versions 6.1 to 6.7.4 and 7.0 to 7.2 make them.
func (s *seeder) server() license.Server {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	id := []byte("AW")
	for len(id) < 20 {
		id = append(id, alphabet[s.random.IntN(len(alphabet))])
	}
	return license.Server(id)
}

// asciiName writes a name as in an email address.
func asciiName(name string) string {
	return strings.NewReplacer("é", "e", "í", "i", "ł", "l", "ó", "o", "è", "e", "ì", "i").Replace(name)
}
