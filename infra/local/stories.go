package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/functions/console/generator"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// story is what happened to a customer of the sample, beyond an evaluation and a license.
type story struct {
	name string // of the customer
	tell func(s *seeder, ctx context.Context, now time.Time) error
}

// stories show every case that customers, contracts and instances have.
var stories = []story{
	{helvetia.name, (*seeder).twoContracts},
	{aurora.name, (*seeder).threeStaging},
	{nordlicht.name, (*seeder).movedServer},
	{tulip.name, (*seeder).handover},
	{alpine.name, (*seeder).merged},
	{ocean.name, (*seeder).reseller},
	{sierra.name, (*seeder).yearlyKeys},
	{quarry.name, (*seeder).unpaid},
	{juniper.name, (*seeder).lostKey},
	{granite.name, (*seeder).sameDay},
	{willow.name, (*seeder).unsubscribed},
	{cobalt.name, (*seeder).evaluationEnds},
}

var (
	helvetia  = company{"Helvetia Robotics AG", "Switzerland", "helvetia-robotics.example", []string{"Nina Meier"}}
	aurora    = company{"Aurora Bank plc", "United Kingdom", "aurorabank.example", []string{"Oscar Reid"}}
	nordlicht = company{"Nordlicht Verlag GmbH", "Germany", "nordlicht.example", []string{"Jörg Petersen"}}
	tulip     = company{"Tulip Foods BV", "Netherlands", "tulipfoods.example", []string{"Daan Bakker"}}
	delta     = company{"Delta Hosting BV", "Netherlands", "deltahosting.example", []string{"Femke Visser"}}
	alpine    = company{"Alpine Group AG", "Austria", "alpinegroup.example", []string{"Lena Huber"}}
	rossi     = company{"Rossi Macchine S.p.A.", "Italy", "rossimacchine.example", []string{"Marco Rossi"}}
	ocean     = company{"Ocean Freight Oy", "Finland", "oceanfreight.example", []string{"Aino Virtanen"}}
	sierra    = company{"Sierra Analytics Inc.", "United States", "sierra-analytics.example", []string{"Maya Torres"}}
	quarry    = company{"Quarry Stone Ltd", "Ireland", "quarrystone.example", []string{"Sean Byrne"}}
	juniper   = company{"Juniper Fields Pty Ltd", "Australia", "juniperfields.example", []string{"Zoe Campbell"}}
	granite   = company{"Granite Works AG", "Switzerland", "graniteworks.example", []string{"Reto Frei"}}
	willow    = company{"Willow Bank Ltd", "United Kingdom", "willowbank.example", []string{"Iris Cole"}}
	cobalt    = company{"Cobalt Games AB", "Sweden", "cobaltgames.example", []string{"Elsa Lind"}}
)

// twoContracts: two production servers on other terms are under a contract each.
func (s *seeder) twoContracts(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -7, 0)
	large, err := s.buy(ctx, helvetia, license.Enterprise, s.server(), true, nil)
	if err != nil {
		return err
	}
	s.now = s.now.AddDate(0, 0, 6)
	if _, err := s.addStaging(ctx, helvetia, large.Licenses[0], s.server()); err != nil {
		return err
	}
	s.now = now.AddDate(0, -3, 0)
	s.loc = 180_000
	_, err = s.buy(ctx, helvetia, license.Developer, s.server(), false, nil)
	return err
}

// threeStaging: a contract covers three staging servers of one production server. Two have its data: one with another
// prefix, and one with the whole ID.
func (s *seeder) threeStaging(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -5, 0)
	data := s.server()
	production := "3C9A41F7-" + data
	bought, err := s.buy(ctx, aurora, license.DataCenter, production, true, func(f *generator.Form) {
		f.StagingCount = "3"
	})
	if err != nil {
		return err
	}
	for n, server := range []license.Server{"B07E55D2-" + data, production, s.server()} {
		s.now = now.AddDate(0, -4, 3*n)
		if _, err := s.addStaging(ctx, aurora, bought.Licenses[0], server); err != nil {
			return err
		}
	}
	return nil
}

// movedServer: a server moved to another database, so that its ID has another prefix.
func (s *seeder) movedServer(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -6, 0)
	data := s.server()
	before, after := "5D20C8A1-"+data, "E81B3F60-"+data
	if _, err := s.buy(ctx, nordlicht, license.Enterprise, before, true, nil); err != nil {
		return err
	}
	s.now = now.AddDate(0, -2, 0)
	r, err := s.file(ctx, nordlicht, asking{
		kind: request.Replacement, edition: license.Enterprise, server: after, about: before,
	})
	if err != nil {
		return err
	}
	s.pass(5)
	_, err = s.answer(ctx, r, nil)
	return err
}

// handover: an outsourcer ran a server for a customer who runs it alone now; it is moved to that customer.
func (s *seeder) handover(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -9, 0)
	moved, err := s.buy(ctx, delta, license.Developer, s.server(), true, nil)
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, -8, 0)
	if _, err := s.buy(ctx, delta, license.Developer, s.server(), true, nil); err != nil {
		return err
	}
	s.now = now.AddDate(0, -4, 0)
	bought, err := s.buy(ctx, tulip, license.Developer, s.server(), true, func(f *generator.Form) {
		f.ProductionCount = "2"
	})
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, -1, 0)
	from, err := s.account(ctx, moved)
	if err != nil {
		return err
	}
	to, err := s.account(ctx, bought)
	if err != nil {
		return err
	}
	return s.MoveInstances(ctx, store.Move{
		Instances: []string{moved.Licenses[0].Instance}, From: change(from), To: to.Customer.ID, Version: to.Version,
		Contract: bought.Licenses[0].Contract,
	})
}

// merged: a customer was bought by another.
func (s *seeder) merged(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -10, 0)
	bought, err := s.buy(ctx, alpine, license.Enterprise, s.server(), true, nil)
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, -8, 0)
	other, err := s.buy(ctx, rossi, license.Developer, s.server(), false, nil)
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, -1, -12)
	into, err := s.account(ctx, bought)
	if err != nil {
		return err
	}
	from, err := s.account(ctx, other)
	if err != nil {
		return err
	}
	return s.MergeCustomers(ctx, store.Merge{
		From: from.Customer.ID, FromVersion: from.Version, Into: into.Customer.ID, IntoVersion: into.Version,
		By: operators[1],
	})
}

// reseller: a partner buys for an end customer, and gets the keys; the end customer is reminded of renewals.
func (s *seeder) reseller(ctx context.Context, now time.Time) error {
	const partner, person, email = "Baltic Software OÜ", "Mart Tamm", "mart@balticsoftware.example"
	s.now = now.AddDate(0, -4, -9)
	r, err := s.file(ctx, ocean, asking{
		kind: request.New, edition: license.Developer, server: s.server(), person: person, email: email,
	})
	if err != nil {
		return err
	}
	s.pass(20)
	bought, err := s.answer(ctx, r, func(f *generator.Form) {
		f.Contract, f.ProductionCount, f.StagingCount = generator.NewContract, "1", "0"
		f.AddDomain = ""
	})
	if err != nil {
		return err
	}
	s.pass(1)
	a, err := s.account(ctx, bought)
	if err != nil {
		return err
	}
	return s.Silent().SaveCustomer(ctx, change(a), a.Customer.ID, func(c *customer.Customer) error {
		i := slices.IndexFunc(c.Contacts, func(have customer.Contact) bool { return have.Email == email })
		if i < 0 {
			return fmt.Errorf("%s is no contact", email)
		}
		c.Contacts[i].Partner, c.Contacts[i].For = partner, []customer.Purpose{customer.Keys}
		c.Contacts = append(c.Contacts, customer.Contact{
			Name: ocean.people[0], Email: emailOf(ocean.people[0], ocean.domain),
			For: []customer.Purpose{customer.Renewals}, Since: s.now, AddedBy: operators[0], VouchedBy: operators[0],
		})
		c.Domains = append(c.Domains, ocean.domain)
		c.Outside = append(c.Outside, customer.Outside{System: "CRM", ID: "4711"})
		c.Owner = operators[0]
		return nil
	})
}

// yearlyKeys: a contract of three years, whose keys are for a year each. The third key is soon due.
func (s *seeder) yearlyKeys(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -23, 0)
	first := license.DateOf(s.now)
	bought, err := s.buy(ctx, sierra, license.Enterprise, s.server(), true, func(f *generator.Form) {
		f.NotBefore, f.Expiration = first.String(), first.AddMonths(12).AddDays(-1).String()
		f.ContractLast = first.AddMonths(36).AddDays(-1).String()
	})
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, -12, 10)
	k := bought.Licenses[0].Contract
	_, err = s.issue(ctx, generator.Source{Contract: k, Customer: bought.Licenses[0].Customer},
		func(f *generator.Form) {
			f.Expiration = first.AddMonths(24).AddDays(-1).String()
		})
	return err
}

// unpaid: a contract ended early, since nobody paid.
func (s *seeder) unpaid(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -3, -4)
	bought, err := s.buy(ctx, quarry, license.Enterprise, s.server(), false, nil)
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, 0, -16)
	a, err := s.account(ctx, bought)
	if err != nil {
		return err
	}
	return s.EndContract(ctx, change(a), bought.Licenses[0].Contract, "unpaid")
}

// lostKey: a key was lost, and the request for it was answered with the same key.
func (s *seeder) lostKey(ctx context.Context, now time.Time) error {
	s.now = now.AddDate(0, -2, -20)
	server := s.server()
	bought, err := s.buy(ctx, juniper, license.Developer, server, true, nil)
	if err != nil {
		return err
	}
	s.now = now.AddDate(0, 0, -9)
	r, err := s.file(ctx, juniper, asking{
		kind: request.Replacement, edition: license.Developer, server: server, about: server, old: request.OldSame,
	})
	if err != nil {
		return err
	}
	s.pass(2)
	v := store.Review{ID: r.ID, Version: r.Version, By: s.operator()}
	return s.Silent().ResendKey(ctx, v, bought.Licenses[0].ID, license.Contact{Name: r.Name, Email: r.Email})
}

// sameDay: four licenses under one contract expire on one day, and one person is reminded of them in one email. The
// first one was sent; in five days at the latest the second is due, without the license whose reminders are paused
// until a week later.
func (s *seeder) sameDay(ctx context.Context, now time.Time) error {
	s.reminds = true
	second := license.DateOf(now).AddDays(5)
	last := second.AddMonths(1)
	s.now = last.AddMonths(-12).Start().Add(9 * time.Hour)
	bought, err := s.buy(ctx, granite, license.Developer, s.server(), true, func(f *generator.Form) {
		f.ProductionCount, f.Expiration, f.ContractLast = "3", last.String(), last.String()
	})
	if err != nil {
		return err
	}
	ids, under := []string{bought.Licenses[0].ID}, generator.UnderContract(bought.Licenses[0].Contract)
	for range 2 {
		s.pass(24)
		r, err := s.file(ctx, granite, asking{kind: request.New, edition: license.Developer, server: s.server()})
		if err != nil {
			return err
		}
		s.pass(3)
		next, err := s.answer(ctx, r, func(f *generator.Form) { f.Contract = under })
		if err != nil {
			return err
		}
		ids = append(ids, next.Licenses[0].ID)
	}
	s.pass(24)
	staging, err := s.addStaging(ctx, granite, bought.Licenses[0], s.server())
	if err != nil {
		return err
	}
	ids = append(ids, staging.Licenses[0].ID)
	if _, err := s.remind(ctx, contactAt(granite), reminder.MonthsBefore(2), ids...); err != nil {
		return err
	}
	s.pass(30)
	l, err := s.License(ctx, staging.Licenses[0].ID)
	if err != nil {
		return err
	}
	change := store.LicenseChange{ID: l.License.ID, Version: l.Version, By: operators[0]}
	return s.MuteReminders(ctx, change, "They decide about this staging server at the end of the quarter",
		second.AddDays(7))
}

// unsubscribed: the contact unsubscribed from the reminders of a license, and nobody else is asked.
func (s *seeder) unsubscribed(ctx context.Context, now time.Time) error {
	s.reminds = true
	first := license.DateOf(now).AddDays(-10)
	last := first.AddMonths(2)
	s.now = last.AddMonths(-12).Start().Add(9 * time.Hour)
	bought, err := s.buy(ctx, willow, license.Enterprise, s.server(), true, func(f *generator.Form) {
		f.Expiration, f.ContractLast = last.String(), last.String()
	})
	if err != nil {
		return err
	}
	sent, err := s.remind(ctx, contactAt(willow), reminder.MonthsBefore(2), bought.Licenses[0].ID)
	if err != nil {
		return err
	}
	s.pass(27)
	return s.Silent().Unsubscribe(ctx, sent)
}

// evaluationEnds: an evaluation of thirty days is about to end, and the contact was reminded seven days before.
func (s *seeder) evaluationEnds(ctx context.Context, now time.Time) error {
	s.reminds = true
	s.now = now.AddDate(0, 0, -26)
	r, err := s.file(ctx, cobalt, asking{kind: request.Evaluation, edition: license.Developer, server: s.server()})
	if err != nil {
		return err
	}
	s.pass(1)
	issued, err := s.answer(ctx, r, nil)
	if err != nil {
		return err
	}
	_, err = s.remind(ctx, contactAt(cobalt), reminder.DaysBefore(7), issued.Licenses[0].ID)
	return err
}

// contactAt is the contact of a company with one person.
func contactAt(c company) license.Contact {
	return license.Contact{Name: c.people[0], Email: emailOf(c.people[0], c.domain)}
}

// account reads the customer of what was issued.
func (s *seeder) account(ctx context.Context, issued *generator.Draft) (*customer.Account, error) {
	return s.Account(ctx, issued.Licenses[0].Customer)
}

// change is a change of an account by sales.
func change(a *customer.Account) store.AccountChange {
	return store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: operators[0]}
}
