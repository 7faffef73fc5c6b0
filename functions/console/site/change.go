package site

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

func errNoKey(l license.License) error {
	return fault.New(fault.NotFound, "The license %s was issued elsewhere, so its key is not on record here.", l.ID)
}

// sendKey resends the license key. A form that is submitted twice sends one email to each contact that it names.
func (s *site) sendKey(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return err
	}
	l := recorded.License
	if l.KeyText == "" {
		return errNoKey(l)
	}
	if why := whyKeyNotSent(l, s.today()); why != "" {
		return s.showLicenseError(w, r, b, fault.New(fault.Conflict, "%s", why))
	}
	contacts, err := s.store.Contacts(r.Context(), l, customer.Keys)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(contacts, func(c license.Contact) bool { return c.Email == form.Get("to") })
	if i < 0 {
		return fault.New(fault.Invalid, "The key can only be sent to a contact of the customer. Choose one of them.")
	}
	switch why, err := s.store.Suppressed(r.Context(), form.Get("to")); {
	case err != nil:
		return err
	case why != nil && why.Stops(mail.LicenseKey):
		return s.showLicenseError(w, r, b, errSuppressed(contacts[i].Email))
	}
	nonce := b.LastEvent + "-" + strconv.Itoa(i)
	if err := s.store.SendKeyAgain(r.Context(), l.ID, operator(r), contacts[i], nonce); err != nil {
		return err
	}
	return redirectToLicense(w, r, l.ID, "send-key")
}

// whyKeyNotSent returns why a license's key can no longer be sent; "" if it can.
func whyKeyNotSent(l license.License, today license.Date) string {
	switch {
	case !l.Revoked.IsZero():
		return "The license was revoked, so its key can no longer be sent."
	case today.After(l.Expiration):
		return "The license has expired, so its key can no longer be sent. Renew the license instead."
	}
	return ""
}

func redirectToLicense(w http.ResponseWriter, r *http.Request, id, done string) error {
	http.Redirect(w, r, "/console/licenses/"+id+"?done="+done, http.StatusSeeOther)
	return nil
}

// showLicenseError shows the license with the conflict and the events since the form was shown.
func (s *site) showLicenseError(w http.ResponseWriter, r *http.Request, b snapshot, conflict error) error {
	v, err := s.licenseView(r, "")
	if err != nil {
		return err
	}
	v.Error = conflictError(conflict, v.Timeline, b)
	return s.showLicense(w, r, http.StatusConflict, v)
}

type revokeView struct {
	license.License
	Badge        badge
	Snapshot     snapshot
	Revocable    bool
	Reason       web.Field
	Confirmed    bool   // the box is ticked
	ConfirmError string // why it has to be
	Error        *formError
	Timeline     []eventView   // not shown; of the license
	events       []store.Event // shown as Timeline elsewhere
}

var revocationReason = textInput{
	name: "reason", label: "Reason", hint: "We email it to the customer's contacts.",
	missing: "Enter the reason.",
}

// revokeForm asks for the reason and for confirmation.
func (s *site) revokeForm(w http.ResponseWriter, r *http.Request) error {
	v, err := s.revokeView(r)
	if err != nil {
		return err
	}
	return s.showRevoke(w, r, http.StatusOK, v)
}

func (s *site) revokeView(r *http.Request) (revokeView, error) {
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return revokeView{}, err
	}
	events, _, err := s.store.LicenseTimeline(r.Context(), recorded.License)
	if err != nil {
		return revokeView{}, err
	}
	words, err := s.vocabulary(r, events)
	if err != nil {
		return revokeView{}, err
	}
	return revokeView{
		License:   recorded.License,
		Badge:     s.licenseBadge(store.SummaryOf(recorded.License)),
		Revocable: recorded.License.Revoked.IsZero(),
		Snapshot:  snapshot{recorded.Version, lastOf(events)}, Reason: revocationReason.field("", ""), events: events,
		Timeline: timelineView(events, words),
	}, nil
}

func (s *site) showRevoke(w http.ResponseWriter, r *http.Request, status int, v revokeView) error {
	return s.render(w, r, status, "revoke.html", inLicenses, "Revoke "+v.Organization+"'s license", v)
}

// revoke revokes a license, given a reason and a confirmation.
func (s *site) revoke(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	v, err := s.revokeView(r)
	if err != nil {
		return err
	}
	typed, wrong := revocationReason.read(form)
	v.Confirmed = form.Get("sure") == "yes"
	v.Reason = revocationReason.field(typed, wrong)
	if !v.Confirmed {
		v.ConfirmError = "Tick the box to confirm."
	}
	if wrong != "" || !v.Confirmed {
		return s.showRevoke(w, r, http.StatusUnprocessableEntity, v)
	}
	err = s.store.RevokeLicense(r.Context(), store.LicenseChange{ID: v.ID, Version: b.Version, By: operator(r)}, typed)
	if fault.KindOf(err) == fault.Conflict {
		conflict, sent := err, v.Reason
		again, err := s.revokeView(r)
		if err != nil {
			return errors.Join(err, conflict)
		}
		v = again
		if isRepeat(since(v.events, b.LastEvent), operator(r), store.LicenseRevoked, typed) {
			return redirectToLicense(w, r, v.ID, "revoke")
		}
		v.Reason, v.Error = sent, conflictError(conflict, v.Timeline, b)
		if !v.Revocable {
			v.Error.Typed, v.Error.TypedInto = typed, revocationReason.label
		}
		return s.showRevoke(w, r, http.StatusConflict, v)
	}
	if err != nil {
		return err
	}
	return redirectToLicense(w, r, v.ID, "revoke")
}
