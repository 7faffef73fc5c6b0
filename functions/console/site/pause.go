package site

import (
	"net/http"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// maxReason is the longest reason for pausing reminders, in characters.
const maxReason = 300

// pauseForm pauses the reminders of a license.
type pauseForm struct {
	Reason, Until web.Field
	Open          bool // it is shown at once: something is wrong with what was typed
}

func newPauseForm() pauseForm {
	return pauseForm{
		Reason: web.Field{
			Name: "reason", Label: "Reason", Hint: "For colleagues. Customers never see it.", Required: true,
		},
		Until: web.Field{
			Name: "until", Label: "Until", Type: "date", Optional: true,
			Hint: "The last day without reminders (UTC). Without one, they stay paused until a colleague resumes them.",
		},
	}
}

// readPause reads a form that pauses the reminders of a license. ok is false if something is wrong, as its fields say.
// last is the last day on which one of them may be sent.
func readPause(get func(string) string, today, last license.Date) (
	reason string, until license.Date, f pauseForm, ok bool) {
	f = newPauseForm()
	f.Reason.Value, f.Until.Value = get("reason"), get("until")
	reason, err := input.Line("message", f.Reason.Label, f.Reason.Value, maxReason)
	switch {
	case err != nil:
		f.Reason.Error = fault.Sentence(err)
	case reason == "":
		f.Reason.Error = "Enter the reason."
	}
	if f.Until.Value != "" {
		until, err = license.ParseDate(f.Until.Value)
		switch {
		case err != nil:
			f.Until.Error = "Enter a day, for example " + today.AddDays(14).String() + "."
		case until.Before(today):
			f.Until.Error = "Enter today, " + today.Long() + ", or a later day."
		case until.After(last):
			f.Until.Error = "Enter a day up to " + last.Long() + ", the last day on which a reminder can be sent, " +
				"or leave this empty to pause reminders until a colleague resumes them."
		}
	}
	f.Open = f.Reason.Error != "" || f.Until.Error != ""
	return reason, until, f, !f.Open
}

// mute pauses the reminders of a license, for a reason. A form that is submitted twice counts once.
func (s *site) mute(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return err
	}
	l := recorded.License
	reason, until, pause, ok := readPause(form.Get, s.today(), s.store.Policy().Last(l))
	if !ok {
		v, err := s.licenseView(r, "")
		if err != nil {
			return err
		}
		v.Pause = pause
		return s.showLicense(w, r, http.StatusUnprocessableEntity, v)
	}
	if m := l.Mute; m.By == operator(r) && m.Reason == reason && m.Until == until {
		return redirectToLicense(w, r, l.ID, "mute")
	}
	change := store.LicenseChange{ID: l.ID, Version: b.Version, By: operator(r)}
	return s.afterLicenseChange(w, r, b, "mute", s.store.MuteReminders(r.Context(), change, reason, until))
}

// unmute resumes the reminders of a license.
func (s *site) unmute(w http.ResponseWriter, r *http.Request) error {
	_, b, err := readForm(r)
	if err != nil {
		return err
	}
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return err
	}
	if recorded.License.Mute != (license.Mute{}) {
		change := store.LicenseChange{ID: recorded.License.ID, Version: b.Version, By: operator(r)}
		err = s.store.UnmuteReminders(r.Context(), change)
	}
	return s.afterLicenseChange(w, r, b, "unmute", err)
}

// resubscribe resumes the reminders of a license to an address that unsubscribed from them.
func (s *site) resubscribe(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return err
	}
	id, email := recorded.License.ID, form.Get("to")
	gone, err := s.store.Unsubscribed(r.Context(), id)
	if err != nil {
		return err
	}
	for _, u := range gone { // none: a form that was submitted twice, or the contact resumed them
		if input.SameMailbox(u.Email, email) {
			err = s.store.ResubscribeContact(r.Context(), recorded.License, u.Email, operator(r))
		}
	}
	return s.afterLicenseChange(w, r, b, "resubscribe", err)
}

// afterLicenseChange leads back to the license in the address, or shows the conflict.
func (s *site) afterLicenseChange(w http.ResponseWriter, r *http.Request, b snapshot, done string, err error) error {
	if fault.KindOf(err) == fault.Conflict {
		return s.showLicenseError(w, r, b, err)
	}
	if err != nil {
		return err
	}
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return err
	}
	return redirectToLicense(w, r, recorded.License.ID, done)
}
