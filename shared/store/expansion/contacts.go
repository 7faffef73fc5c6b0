package expansion

import (
	"context"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/token"
)

// toContacts makes a notice one to each contact of record, without those who are not to be told and those to whom no
// mail can be sent.
func (e *Expander) toContacts(ctx context.Context, n notice.Notice) (into []notice.Notice, err error) {
	readers, err := e.readers(ctx, n)
	if err == nil {
		readers, err = e.store.CanBeSent(ctx, n.Kind, readers)
	}
	if err != nil {
		return nil, err
	}
	for _, to := range readers {
		one, ok := n.ForContact(to)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(n.Contacts, one.Concerns); i >= 0 && n.Kind == mail.ContactRemoved {
			one.Contacts, one.Nonce = n.Contacts[i:i+1], token.Undo.New()
		}
		into = append(into, one)
	}
	if len(into) == 0 {
		return nil, &notice.PointlessError{Why: "no contact is left to tell"}
	}
	return into, nil
}

// readers are the contacts of record whom a notice concerns, and of a ContactRemoved those who were removed.
func (e *Expander) readers(ctx context.Context, n notice.Notice) (list []license.Contact, err error) {
	about := license.License{Customer: n.About}
	var instances []string
	if n.Kind.AboutLicense() {
		for _, id := range append([]string{n.About}, n.Licenses...) {
			l, err := e.store.License(ctx, id)
			if err != nil {
				return nil, err
			}
			about, instances = l.License, append(instances, l.License.Instance)
		}
	}
	customers, err := e.store.CustomersOf(ctx, about)
	if err != nil {
		return nil, err
	}
	list = customer.Told(customers, instances...)
	for _, removed := range n.Contacts {
		known := func(c license.Contact) bool { return input.SameMailbox(c.Email, removed.Email) }
		if n.Kind == mail.ContactRemoved && !slices.ContainsFunc(list, known) {
			list = append(list, removed)
		}
	}
	return list, nil
}
