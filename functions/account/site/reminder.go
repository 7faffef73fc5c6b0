package site

import (
	"context"
	"net/http"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// The reminders about an installation to the person's own address: paused, and resumed. Keys arrive all the same.

// Reminders keeps who is reminded. shared/store implements it.
type Reminders interface {
	// Unsubscribe stops the reminders of the licenses that a digest names to its reader, and tells sales. Again, it
	// does nothing.
	Unsubscribe(ctx context.Context, digest outbox.Mail) error
	// ResubscribeContact resumes the reminders of a license to an address. It does nothing if nobody stopped them.
	ResubscribeContact(ctx context.Context, l license.License, email, by string) error
	// Unsubscribed lists the addresses that unsubscribed from the reminders of a license.
	Unsubscribed(ctx context.Context, licenseID string) ([]store.Unsubscription, error)
}

// remindersView is the data of reminders.html.
type remindersView struct {
	Instance customer.Instance
	Email    string
	Reader   bool // the person is written to about renewals
	Paused   bool
	Sure     web.Field
	web.Marked
}

// reminded are the licenses of an installation about which somebody may still be reminded.
func (s *site) reminded(i customer.Instance) (list []customer.License) {
	for _, l := range i.Licenses {
		if l.Revoked.IsZero() && !s.today().After(l.Expiration.AddMonths(1)) {
			list = append(list, l)
		}
	}
	return list
}

// paused reports whether the person is reminded of none of some licenses.
func (s *site) paused(r *http.Request, licenses []customer.License) (bool, error) {
	for _, l := range licenses {
		list, err := s.reminders.Unsubscribed(r.Context(), l.ID)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(list, func(u store.Unsubscription) bool {
			return input.SameMailbox(u.Email, person(r))
		}) {
			return false, nil
		}
	}
	return len(licenses) > 0, nil
}

// remindersForm says whether the person is reminded, and offers the other.
func (s *site) remindersForm(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	return s.renderReminders(w, r, i, nil)
}

func (s *site) renderReminders(w http.ResponseWriter, r *http.Request, i customer.Instance, bad []fault.Field) error {
	v := remindersView{Instance: i, Email: person(r), Reader: seen(r).Contact.IsFor(customer.Renewals, i.ID)}
	var err error
	if v.Paused, err = s.paused(r, s.reminded(i)); err != nil {
		return err
	}
	v.Sure = web.Field{Name: "pause", Label: "Do you want to pause them?", Type: "boxes", Class: "rows",
		Options: []web.Option{{Value: "yes", Label: "Yes, send no reminders about this installation to " + person(r)}}}
	if v.Paused {
		v.Sure = web.Field{Name: "resume", Label: "Do you want to resume them?", Type: "boxes", Class: "rows",
			Options: []web.Option{{Value: "yes", Label: "Yes, resume the reminders to " + person(r)}}}
	}
	for n := range bad { // whichever box the page has
		bad[n].Name = v.Sure.Name
	}
	v.Marked = web.Mark(bad, &v.Sure)
	title, status := "Reminders", http.StatusOK
	if len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "reminders.html", web.View{Title: title, Section: inOverview, Data: v})
}

// changeReminders pauses the reminders to the person, or resumes them.
func (s *site) changeReminders(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	i, err := instance(r)
	if err != nil {
		return err
	}
	licenses := s.reminded(i)
	switch {
	case len(licenses) == 0:
		return fault.New(fault.Conflict, "Nobody is reminded about this installation any more.")
	case values.Get("pause") == "yes":
		err = s.reminders.Unsubscribe(r.Context(), s.ownDigest(r, i, licenses))
	case values.Get("resume") == "yes":
		for _, l := range licenses {
			if err == nil {
				about := license.License{ID: l.ID, Customer: i.Customer}
				err = s.reminders.ResubscribeContact(r.Context(), about, person(r), store.Customer)
			}
		}
	default:
		return s.renderReminders(w, r, i, []fault.Field{{Msg: "Tick the box, then send the form."}})
	}
	if err != nil {
		return err
	}
	s.log.InfoContext(r.Context(), "reminders changed in the account", "instance", i.ID, "pause", values.Get("pause"))
	http.Redirect(w, r, instancePath(i)+"/reminders", http.StatusSeeOther)
	return nil
}

// ownDigest is a reminder of some licenses to the person, as if it had been sent: what its reader could stop.
func (s *site) ownDigest(r *http.Request, i customer.Instance, licenses []customer.License) outbox.Mail {
	to := license.Contact{Name: seen(r).Contact.Name, Email: person(r)}
	n := notice.LicensesExpiring(i.Customer, s.today(), to, 1)
	for _, l := range licenses {
		n.Due = append(n.Due, notice.Due{License: l.ID, Expiration: l.Expiration})
	}
	return outbox.Mail{Notice: n}
}
