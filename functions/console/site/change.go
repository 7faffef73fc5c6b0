package site

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

func noKey(l license.License) error {
	return fault.New(fault.NotFound, "The license %s was issued elsewhere: its key is not on record here.", l.ID)
}

// sendKey sends the license's key once more. A form that comes twice sends one mail to each contact that it names.
func (s *site) sendKey(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	recorded, err := s.recorded(r)
	if err != nil {
		return err
	}
	l := recorded.License
	if l.KeyText == "" {
		return noKey(l)
	}
	if why := unsendable(l, s.today()); why != "" {
		return s.licenseAgain(w, r, b, fault.New(fault.Conflict, "%s", why))
	}
	i := slices.IndexFunc(l.Contacts, func(c license.Contact) bool { return c.Email == form.Get("to") })
	if i < 0 {
		return fault.New(fault.Invalid, "The key goes to contacts of the license only. Choose one of them.")
	}
	switch why, err := s.store.Suppressed(r.Context(), form.Get("to")); {
	case err != nil:
		return err
	case why != nil:
		return s.licenseAgain(w, r, b, fault.New(fault.Conflict, "No mail goes to %s any more. Choose another contact, or let mail go there again first.", l.Contacts[i].Email))
	}
	offered, err := s.catalog()
	if err != nil {
		return err
	}
	m := s.mail.LicenseKey(l.ID+"-again-"+b.Seen+"-"+strconv.Itoa(i), letter.Delivery{
		To: l.Contacts[i], Licenses: []license.License{l}, Again: true, ProductVersion: s.productVersion(r, l), Catalog: offered,
	})
	if err := s.store.SendKeyAgain(r.Context(), l.ID, by(r), m); err != nil {
		return err
	}
	return toLicense(w, r, l.ID, "send-key")
}

// unsendable says why the key of a license is not sent any more; "" where it is.
func unsendable(l license.License, today license.Date) string {
	switch {
	case !l.Revoked.IsZero():
		return "The license was revoked, so its key is not sent any more."
	case today.After(l.Expiration):
		return "The license has expired, so its key is not sent any more. Renew it instead."
	}
	return ""
}

// productVersion is that of the customer's server, as far as the request tells that the license answers; "" where none does.
func (s *site) productVersion(r *http.Request, l license.License) string {
	if l.Request == "" {
		return ""
	}
	answered, err := s.store.Request(r.Context(), l.Request)
	if err != nil {
		return ""
	}
	return answered.ProductVersion
}

func toLicense(w http.ResponseWriter, r *http.Request, id, done string) error {
	http.Redirect(w, r, "/console/licenses/"+id+"?done="+done, http.StatusSeeOther)
	return nil
}

// mute is the handler that stops a license's reminders, or lets them come again.
func (s *site) mute(muted bool) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, b, err := readForm(r)
		if err != nil {
			return err
		}
		recorded, err := s.recorded(r)
		if err != nil {
			return err
		}
		done := "unmute"
		if muted {
			done = "mute"
		}
		if recorded.License.Muted != muted {
			err = s.store.MuteReminders(r.Context(), store.LicenseChange{ID: recorded.License.ID, Version: b.Version, By: by(r)}, muted)
		}
		if fault.KindOf(err) == fault.Conflict {
			return s.licenseAgain(w, r, b, err)
		}
		if err != nil {
			return err
		}
		return toLicense(w, r, recorded.License.ID, done)
	}
}

// licenseAgain shows the license with what came between.
func (s *site) licenseAgain(w http.ResponseWriter, r *http.Request, b basis, conflict error) error {
	v, err := s.licenseView(r)
	if err != nil {
		return err
	}
	v.Trouble = overtaken(conflict, v.events, b)
	return s.showLicense(w, r, http.StatusConflict, v)
}

type revokeView struct {
	license.License
	Badge     badge
	Basis     basis
	Revocable bool
	Reason    web.Field
	Sure      bool   // the box is ticked
	SureError string // why it has to be
	Trouble   *trouble
	events    []store.Event // of the license's timeline
}

var revocation = prompt{"reason", "The reason", "For the timeline. Customers do not see it."}

// revokeForm asks for the reason, and whether it is meant.
func (s *site) revokeForm(w http.ResponseWriter, r *http.Request) error {
	v, err := s.revokeView(r)
	if err != nil {
		return err
	}
	return s.showRevoke(w, r, http.StatusOK, v)
}

func (s *site) revokeView(r *http.Request) (revokeView, error) {
	recorded, err := s.recorded(r)
	if err != nil {
		return revokeView{}, err
	}
	events, err := s.store.LicenseTimeline(r.Context(), recorded.License.ID)
	if err != nil {
		return revokeView{}, err
	}
	return revokeView{
		License: recorded.License, Badge: licenseBadge(recorded.License, s.today()), Revocable: recorded.License.Revoked.IsZero(),
		Basis: basis{recorded.Version, lastOf(events)}, Reason: revocation.field("", ""), events: events,
	}, nil
}

func (s *site) showRevoke(w http.ResponseWriter, r *http.Request, status int, v revokeView) error {
	return s.render(w, r, status, "revoke.html", inLicenses, "Revoke the license of "+v.Organization, v)
}

// revoke takes a license back, once it is told why and that it is meant.
func (s *site) revoke(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	v, err := s.revokeView(r)
	if err != nil {
		return err
	}
	typed, wrong := revocation.take(form)
	v.Sure = form.Get("sure") == "yes"
	v.Reason = revocation.field(typed, wrong)
	if !v.Sure {
		v.SureError = "Tick the box if you mean it."
	}
	if wrong != "" || !v.Sure {
		return s.showRevoke(w, r, http.StatusUnprocessableEntity, v)
	}
	err = s.store.RevokeLicense(r.Context(), store.LicenseChange{ID: v.ID, Version: b.Version, By: by(r)}, typed)
	if fault.KindOf(err) == fault.Conflict {
		conflict, sent := err, v.Reason
		again, err := s.revokeView(r)
		if err != nil {
			return errors.Join(err, conflict)
		}
		v = again
		if repeats(since(v.events, b.Seen), by(r), store.LicenseRevoked, typed) {
			return toLicense(w, r, v.ID, "revoke")
		}
		v.Reason, v.Trouble = sent, overtaken(conflict, v.events, b)
		if !v.Revocable {
			v.Trouble.Kept, v.Trouble.KeptAs = typed, revocation.label
		}
		return s.showRevoke(w, r, http.StatusConflict, v)
	}
	if err != nil {
		return err
	}
	return toLicense(w, r, v.ID, "revoke")
}
