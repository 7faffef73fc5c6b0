package delivery

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/store/outbox"
)

// Records reads what is on record about the subject of a notice: what its letter says, and whether it still has a
// point. It is a NotFound fault if the subject is not on record any more.
func (s *Store) Records(ctx context.Context, n notice.Notice) (r notice.Records, err error) {
	r.Today, r.Policy = license.DateOf(s.Now()), s.Policy()
	switch n.Kind {
	case mail.RequestReceived, mail.RequestNew, mail.RequestQuestion, mail.RequestRejected, mail.RequestWithdrawn,
		mail.RequestAsk, mail.RequestAnswered, mail.RequestUpdated, mail.RequestsOfDomain:
		r.Request, err = s.Request(ctx, n.About)
	case mail.RequestLate, mail.RequestLateSales:
		r.Request, err = s.Request(ctx, n.About)
		if r.Now = s.Now(); err == nil && r.Request.Reviewer != "" {
			var c license.Contact
			c, err = s.colleague(ctx, r.Request.Reviewer)
			r.Reviewer = c.Name
		}
	case mail.SignInLink:
		r.Now = s.Now()
		r.SignIn, err = s.signInOf(ctx, n.To.Email)
	case mail.RequestsToConfirm:
		if r.Request, err = s.Request(ctx, n.About); err == nil {
			r.Requests, err = s.RequestsToConfirm(ctx, r.Request.Email, r.Request.Created)
		}
	case mail.RequestUnconfirmed:
		err = s.requestsOf(ctx, n, &r)
	case mail.LicenseKey:
		err = s.licensesOf(ctx, n.Licenses, &r)
	case mail.LicenseUnreached, mail.LicenseNextKey, mail.LicenseMoved, mail.LicenseRevoked:
		err = s.licensesOf(ctx, []string{n.About}, &r)
	case mail.ContactAdded, mail.ContactRemoved, mail.ErasureAsked:
		err = s.customerOf(ctx, n, &r)
	case mail.LicenseExpiring, mail.RemindersStopped:
		if err = s.customerOf(ctx, n, &r); err == nil {
			err = s.expiringOf(ctx, n, &r)
		}
	}
	if err == nil && n.Kind.AboutLicense() {
		err = s.accountOf(ctx, n, &r)
	}
	if err == nil && n.Kind == mail.RequestAsk {
		err = s.askedAbout(ctx, &r)
	}
	if n.Kind != mail.RequestRejected && n.Kind != mail.RequestWithdrawn {
		r.Request = r.Request.Known(s.Now()) // all but the end of a request goes on while that can be undone
	}
	if err == nil && n.Repeats != "" {
		var before outbox.Mail
		before, err = s.outbox.Read(ctx, n.Repeats)
		r.Arrived = Arrived(before)
	}
	if err != nil {
		return notice.Records{}, fmt.Errorf("delivery: what mail %s is about: %w", n.ID, err)
	}
	return r, nil
}

// requestsOf reads the requests of a notice that are still on record.
func (s *Store) requestsOf(ctx context.Context, n notice.Notice, r *notice.Records) error {
	for _, id := range n.Requests {
		one, err := s.Request(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		r.Requests = append(r.Requests, one.Known(s.Now()))
	}
	return nil
}

// signInOf reads whether an address is that of a contact, and from when on the person may sign in.
func (s *Store) signInOf(ctx context.Context, email string) (found notice.SignIn, err error) {
	accounts, err := s.AccountsOf(ctx, email)
	if err != nil {
		return found, err
	}
	for _, a := range accounts {
		c, ok := a.Contact(email)
		if !ok {
			continue
		}
		found.Contact = true
		if _, ok := a.SeenBy(email, s.Now()); ok {
			return notice.SignIn{Contact: true}, nil
		}
		if found.From.IsZero() || c.Effect().Before(found.From) {
			found.From = c.Effect()
		}
	}
	return found, nil
}

// askedAbout reads what a contact is asked about: the customer and the instance that the request was linked to.
func (s *Store) askedAbout(ctx context.Context, r *notice.Records) error {
	if r.Request.Customer == "" {
		return nil
	}
	a, err := s.Account(ctx, r.Request.Customer)
	if err != nil {
		return err
	}
	r.Customer, r.Organization = a.Customer.Reference, a.Customer.Name
	for _, of := range a.Customers() {
		for _, c := range of.Contacts {
			r.Contacts = append(r.Contacts, license.Contact{Name: c.Name, Email: c.Email})
		}
	}
	if i := a.Instance(r.Request.Instance); i != nil {
		r.Server = i.Server()
	}
	return nil
}

// customerOf reads the customer that a notice is about, or the one that it was merged into.
func (s *Store) customerOf(ctx context.Context, n notice.Notice, r *notice.Records) error {
	customers, err := s.CustomersOf(ctx, license.License{Customer: n.About})
	if err != nil {
		return err
	}
	now := customers[len(customers)-1]
	r.Customer, r.Organization = now.Reference, now.Name
	return nil
}

// expiringOf reads the licenses of a digest that are still on record, and who is reminded of each.
func (s *Store) expiringOf(ctx context.Context, n notice.Notice, r *notice.Records) error {
	r.Expiring = map[string]notice.Expiring{}
	ids := make([]string, len(n.Due))
	for i, due := range n.Due {
		ids[i] = due.License
	}
	licenses, err := s.Licenses(ctx, ids...)
	if err != nil {
		return err
	}
	p, found := s.NewPlanner(), make([]notice.Expiring, len(licenses))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(expiringAtOnce)
	for i, recorded := range licenses {
		g.Go(func() (err error) {
			found[i], err = p.Expiring(ctx, recorded.License, s.Now())
			return err
		})
	}
	err = g.Wait()
	for _, of := range found {
		r.Expiring[of.License.ID] = of
	}
	return err
}

// expiringAtOnce is how many licenses of a digest are looked at at once.
const expiringAtOnce = 16

// accountOf reads what is on record about the customer of the licenses: references, and who is written to.
func (s *Store) accountOf(ctx context.Context, n notice.Notice, r *notice.Records) error {
	l := r.Licenses[0]
	customers, err := s.CustomersOf(ctx, l)
	if err != nil {
		return err
	}
	if len(customers) > 0 {
		r.Customer = customers[len(customers)-1].Reference
	}
	if n.Kind == mail.LicenseUnreached {
		r.Contacts = customer.Readers(customers, customer.Renewals, l.Instance, s.Now())
		for _, c := range customer.Readers(customers, customer.Keys, l.Instance, s.Now()) {
			if !slices.Contains(r.Contacts, c) {
				r.Contacts = append(r.Contacts, c)
			}
		}
		of := reach{customers: customers, now: s.Now()}
		if of.mails, err = s.outbox.About(ctx, l.ID); err == nil {
			r.Reachable, err = of.inReach(ctx, l, s.Reachable)
		}
		if err != nil {
			return err
		}
	}
	contracts, err := s.contractsOf(ctx, r.Licenses)
	for id, c := range contracts {
		if r.Contracts == nil {
			r.Contracts = map[string]reference.Reference{}
		}
		r.Contracts[id] = c.Reference
	}
	if c := contracts[l.Contract]; c.Outlives(l) {
		r.ContractLast = c.Last
	}
	return err
}

// contractsOf reads the contracts of licenses, by ID.
func (s *Store) contractsOf(ctx context.Context, licenses []license.License) (
	found map[string]customer.Contract, err error) {
	for _, l := range licenses {
		if _, known := found[l.Contract]; known || l.Contract == "" {
			continue
		}
		c, err := s.ContractOf(ctx, l)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		if found == nil {
			found = map[string]customer.Contract{}
		}
		found[l.Contract] = c
	}
	return found, nil
}

// licensesOf reads licenses, and the request that the first of them answered, if any.
func (s *Store) licensesOf(ctx context.Context, ids []string, r *notice.Records) error {
	for _, id := range ids {
		l, err := s.License(ctx, id)
		if err != nil {
			return err
		}
		r.Licenses = append(r.Licenses, l.License)
	}
	if id := r.Licenses[0].Request; id != "" {
		answered, err := s.Request(ctx, id)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		r.Request = answered
	}
	return nil
}
