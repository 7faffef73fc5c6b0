package site

import (
	"net/http"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/web"
)

// resendKey answers a request for a lost key with the key that is on record. Nothing is issued, and nothing revoked.
var resendKey = step{
	path: "resend", label: "Resend the key and close", from: undecided, to: request.Answered,
	action: store.RequestAnswered, done: "The key will be emailed shortly, and the request is closed.",
}

// resendView offers to resend the key of a license.
type resendView struct {
	License string       // its ID
	Text    string       // what it is: Production, Developer Edition, through 31 Aug 2018
	To      []web.Option // none: the key is not on record, or has no contact to go to
	HasKey  bool
}

// resends lists the keys that answer a request for a lost key: of the licenses in force of instances that have the
// server. Those of imported licenses are not on record, and are issued anew.
func (s *site) resends(r request.Request, instances []search.FoundInstance) (list []resendView) {
	if r.Kind != request.Replacement || r.OldServer != request.OldSame || !r.State.Leads(request.Answered) {
		return nil
	}
	for _, i := range instances {
		l, ok := i.Current(s.today())
		if !ok || !i.InUse() || !l.Valid(s.today()) || i.Server() != r.Server {
			continue
		}
		v := resendView{
			License: l.ID, HasKey: l.HasKey,
			Text: l.Type.Name() + ", " + l.Edition.Name() + ", through " + l.Expiration.Long() + ", of " + i.Of.Name,
		}
		for _, c := range i.Contacts {
			if l.HasKey && c.IsFor(customer.Keys, i.ID) && c.InEffect(s.now()) {
				v.To = append(v.To, web.Option{
					Value: c.Email, Label: c.Email, Hint: c.Name, Ticked: input.SameMailbox(c.Email, r.Email),
				})
			}
		}
		list = append(list, v)
	}
	return list
}

// resendAndClose resends the key of a license to a contact of its customer, and closes the request.
func (s *site) resendAndClose(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	ctx, email := r.Context(), form.Get("to")
	return s.perform(w, r, resendKey, b, form.Get("license"), func(b snapshot, id, licenseID string) error {
		asked, err := s.store.Request(ctx, id)
		if err != nil {
			return err
		}
		recorded, err := s.store.License(ctx, licenseID)
		if err != nil {
			return err
		}
		if recorded.License.Server != asked.Server {
			return fault.New(fault.Invalid, "The license is for another server. Reload the page and try again.")
		}
		contacts, err := s.store.Contacts(ctx, recorded.License, customer.Keys)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(contacts, func(c license.Contact) bool { return c.Email == email })
		if i < 0 {
			return fault.New(fault.Invalid,
				"The key can only be sent to a contact of the customer. Choose one of them.")
		}
		switch why, err := s.store.Suppressed(ctx, email); {
		case err != nil:
			return err
		case why != nil && why.Stops(mail.LicenseKey):
			return errSuppressed(email)
		}
		v := store.Review{ID: id, Version: b.Version, By: operator(r)}
		return s.store.ResendKey(ctx, v, licenseID, contacts[i])
	})
}

// errSuppressed says that a key cannot be sent to an address.
func errSuppressed(email string) error {
	return fault.New(fault.Conflict,
		"We no longer email %s because an email was not delivered or was marked as spam. Choose another contact, "+
			"or resume emails to this address first.", email)
}
