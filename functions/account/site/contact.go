package site

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store/contact"
	"marketplace/shared/web"
)

// The contacts of the customer. Who speaks for the customer as a whole adds and removes them; others see those who are
// written to about what they speak for.

// Contacts changes contacts. shared/store/contact implements it.
type Contacts interface {
	// AddContact adds a contact. It is an Invalid fault of wrong fields, and a Conflict fault if that is not possible.
	AddContact(ctx context.Context, change contact.Change, added customer.Contact) error
	// RemoveContact removes the contact with an address. It is a Conflict fault if that is not possible.
	RemoveContact(ctx context.Context, change contact.Change, email string) error
}

const contactsPath = "/account/contacts"

// contactsView is the data of contacts.html.
type contactsView struct {
	Contacts []contactRow
	CanEdit  bool
	Fields   []web.Field // of the form that adds one
	web.Marked
	Note     string
	Days     int    // after which a new contact speaks
	Customer string // the ID of the company whose contacts they are: see sameCompany
}

// contactRow is a contact in the list.
type contactRow struct {
	customer.Contact
	ID        string // in addresses of pages
	Self      bool
	New       bool                // does not speak for the customer yet
	Instances []customer.Instance // which the person speaks for; none: all
}

// SinceDay is when the person became a contact.
func (c contactRow) SinceDay() license.Date { return license.DateOf(c.Since) }

// From is the first day on which a new contact speaks for the customer.
func (c contactRow) From() license.Date { return license.DateOf(c.Effect()) }

// Gets words what the contact is written to for.
func (c contactRow) Gets() string {
	switch {
	case len(c.For) == 0:
		return "License keys and renewal reminders"
	case c.For[0] == customer.Keys:
		return "License keys"
	}
	return "Renewal reminders"
}

func (s *site) contactRows(r *http.Request) (list []contactRow) {
	of := seen(r)
	for _, c := range of.Contacts() {
		row := contactRow{Contact: c, ID: mail.RecipientID(c.Email), Self: input.SameMailbox(c.Email, person(r)),
			New: !c.InEffect(s.now())}
		for _, id := range c.Instances {
			if i := of.Instance(id); i != nil {
				row.Instances = append(row.Instances, *i)
			}
		}
		if !slices.ContainsFunc(list, func(have contactRow) bool { return have.ID == row.ID }) {
			list = append(list, row)
		}
	}
	return list
}

// contactList shows the contacts.
func (s *site) contactList(w http.ResponseWriter, r *http.Request) error {
	return s.renderContacts(w, r, http.StatusOK, contactsView{}, contactFields(seen(r), customer.Contact{}), nil)
}

func (s *site) renderContacts(w http.ResponseWriter, r *http.Request, status int, v contactsView, fields []web.Field,
	bad []fault.Field) error {
	v.Contacts, v.CanEdit, v.Days = s.contactRows(r), seen(r).Whole, customer.NewContactDays
	v.Customer = seen(r).Customer.ID
	v.Fields = fields
	var marked []*web.Field
	for i := range v.Fields {
		marked = append(marked, &v.Fields[i])
	}
	v.Marked = web.Mark(bad, marked...)
	title := "Contacts"
	if len(bad) > 0 {
		title = "Error: " + title
	}
	return s.render(w, r, status, "contacts.html", web.View{Title: title, Section: inContacts, Data: v})
}

// contactFields are the fields of the form that adds a contact, with what was typed.
func contactFields(of *customer.Seen, c customer.Contact) []web.Field {
	ticked := func(p customer.Purpose) bool { return len(c.For) == 0 || slices.Contains(c.For, p) }
	fields := []web.Field{
		{Name: "email", Label: "Email", Value: c.Email, Type: "email", Required: true},
		{Name: "name", Label: "Name", Value: c.Name, Optional: true},
		{Name: "for", Label: "What should we send them?", Type: "boxes", Class: "wide", Options: []web.Option{
			{Value: string(customer.Keys), Label: "License keys", Ticked: ticked(customer.Keys)},
			{Value: string(customer.Renewals), Label: "Renewal reminders", Ticked: ticked(customer.Renewals)},
		}},
	}
	about := web.Field{Name: "instances", Label: "For some installations only?", Type: "boxes", Class: "wide",
		Hint: "Leave all blank to include every installation, also later ones."}
	for _, i := range of.Instances {
		if i.InUse() {
			about.Options = append(about.Options, web.Option{Value: i.ID, Ticked: slices.Contains(c.Instances, i.ID),
				Label: environmentName(i.Environment) + " " + string(i.Server())})
		}
	}
	if len(about.Options) > 1 {
		fields = append(fields, about)
	}
	return fields
}

func environmentName(e request.Environment) string {
	if e == request.StagingUse {
		return "Staging"
	}
	return "Production"
}

// forbidden is who may not change contacts.
func forbidden(of *customer.Seen) error {
	if of.Whole {
		return nil
	}
	return fault.New(fault.Forbidden, "Only contacts for all installations can add and remove contacts. "+
		"Ask one of them, or write to us.")
}

// sameCompany refuses a form of one company that is sent after the person chose another one in another tab. Addresses
// of pages about contacts do not name the company, and a colleague of one would become a contact of the other.
func sameCompany(r *http.Request, form url.Values) error {
	if form.Get("company") == seen(r).Customer.ID {
		return nil
	}
	return fault.New(fault.Conflict, "You opened the licenses of %s meanwhile, so your change was not saved. Go back "+
		"to Contacts and check which company they are of.", seen(r).Customer.Name)
}

// addContact adds a contact.
func (s *site) addContact(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	of := seen(r)
	if err := cmp.Or(forbidden(of), sameCompany(r, values)); err != nil {
		return err
	}
	added := customer.Contact{Name: values.Get("name"), Email: values.Get("email")}
	for _, p := range values["for"] {
		added.For = append(added.For, customer.Purpose(p))
	}
	for _, id := range values["instances"] {
		if of.Instance(id) == nil { // it was moved meanwhile, or is another customer's
			return fault.New(fault.NotFound, "Your account has no such installation. Reload the page and try again.")
		}
		added.Instances = append(added.Instances, id)
	}
	if len(added.For) == 0 {
		bad := []fault.Field{{Name: "for", Msg: "Tick what we should send them."}}
		return s.renderContacts(w, r, http.StatusUnprocessableEntity, contactsView{}, contactFields(of, added), bad)
	}
	err = s.contacts.AddContact(r.Context(), s.contactChange(r, of.Customer.ID, 0), added)
	return s.afterContact(w, r, contactFields(of, added), "contact added", err)
}

// contactChange is a change of a contact who is kept with a customer, after some others of the same page.
func (s *site) contactChange(r *http.Request, customerID string, others int64) contact.Change {
	of := seen(r)
	return contact.Change{Account: of.Customer.ID, Version: of.Version + others, Customer: customerID, By: person(r)}
}

// afterContact redirects to the contacts, or shows them with what was in the way.
func (s *site) afterContact(w http.ResponseWriter, r *http.Request, fields []web.Field, done string, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && f.Kind == fault.Invalid && len(f.Fields) > 0:
		return s.renderContacts(w, r, http.StatusUnprocessableEntity, contactsView{}, fields, f.Fields)
	case ok && f.Kind == fault.Conflict:
		return s.renderContacts(w, r, http.StatusConflict, contactsView{Note: f.Msg}, fields, nil)
	case err != nil:
		return err
	}
	s.log.InfoContext(r.Context(), done+" in the account", "customer", seen(r).Customer.ID)
	http.Redirect(w, r, contactsPath, http.StatusSeeOther)
	return nil
}

// removeView is the data of removecontact.html.
type removeView struct {
	contactRow
	Sure web.Field
	web.Marked
	Days     int    // for which it can be undone
	Customer string // as that of contactsView
}

// contactOf returns the contact that the address of a request names, if the person sees them and may remove them.
func (s *site) contactOf(r *http.Request) (contactRow, error) {
	if err := forbidden(seen(r)); err != nil {
		return contactRow{}, err
	}
	for _, row := range s.contactRows(r) {
		if row.ID == r.PathValue("contact") {
			return row, nil
		}
	}
	return contactRow{}, fault.New(fault.NotFound, "Your account has no such contact. Someone may have removed them.")
}

// removeForm asks whether a contact is removed.
func (s *site) removeForm(w http.ResponseWriter, r *http.Request) error {
	row, err := s.contactOf(r)
	if err != nil {
		return err
	}
	return s.renderRemove(w, r, row, nil)
}

func (s *site) renderRemove(w http.ResponseWriter, r *http.Request, row contactRow, bad []fault.Field) error {
	v := removeView{contactRow: row, Days: customer.RestoreDays, Customer: seen(r).Customer.ID, Sure: web.Field{
		Name: "remove", Label: "Do you want to remove them?", Type: "boxes", Class: "rows",
		Options: []web.Option{{Value: "yes", Label: "Yes, remove " + row.Email}}}}
	v.Marked = web.Mark(bad, &v.Sure)
	title, status := "Remove a contact", http.StatusOK
	if len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "removecontact.html", web.View{Title: title, Section: inContacts, Data: v})
}

// removeContact removes a contact from every customer of the account that has them.
func (s *site) removeContact(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	row, err := s.contactOf(r)
	if err = cmp.Or(err, sameCompany(r, values)); err != nil {
		return err
	}
	switch {
	case values.Get("remove") != "yes":
		return s.renderRemove(w, r, row, []fault.Field{{Name: "remove", Msg: "Tick the box to remove the contact."}})
	}
	var others int64
	for _, c := range seen(r).Customers() {
		if _, has := c.Contact(row.Email); !has || err != nil {
			continue
		}
		err = s.contacts.RemoveContact(r.Context(), s.contactChange(r, c.ID, others), row.Email)
		others++
	}
	return s.afterContact(w, r, contactFields(seen(r), customer.Contact{}), "contact removed", err)
}
