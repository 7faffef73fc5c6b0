package site

import (
	"errors"
	"net/http"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// The page of a request whose address nobody has confirmed. Whoever typed the address has the link to it, so it shows
// nothing but where the email went, and it does two things: send that email again, and correct a mistyped address. Some
// scanners submit the forms that they find, so both want a tick.

// againForm is the form that sends the email to confirm a request again.
type againForm struct {
	ID, Token string
	Sure      web.Field
	Button    string
	First     bool // no such email was sent yet
}

// newAgainForm returns the form for a request, of which the newest email that asks to confirm it is known; nil if there
// is nothing to confirm.
func newAgainForm(r request.Request, asked *emailFate) *againForm {
	if !r.AwaitsConfirmation() {
		return nil
	}
	f := &againForm{ID: r.ID, Token: r.Token, Button: "Send the email again", Sure: web.Field{
		Name: "sure", Label: "Email not arrived?", Type: "boxes",
		Options: []web.Option{{Value: "yes", Label: "I looked for it, also in the spam folder"}},
	}}
	if asked == nil {
		f.Button, f.First = "Send me the confirmation email", true
		f.Sure.Label, f.Sure.Options[0].Label = "Did you send this request?", "Yes, I sent it"
	}
	return f
}

// slipForm is the form that corrects an address which is probably mistyped.
type slipForm struct {
	ID, Token string
	Email     string // as it was typed
	Meant     string
	Right     web.Field
}

// newSlipForm returns the form for an open request that is not confirmed yet; nil if its address looks right.
func newSlipForm(r request.Request) *slipForm {
	meant := input.LikelySlip(r.Email)
	if meant == "" || !r.State.Open() || !r.Confirmed.IsZero() {
		return nil
	}
	return &slipForm{ID: r.ID, Token: r.Token, Email: r.Email, Meant: meant, Right: web.Field{
		Name: "right", Label: "Did you mean " + meant + "?", Type: "boxes",
		Hint:    "Our emails go to " + r.Email + ", which may be mistyped.",
		Options: []web.Option{{Value: "yes", Label: "Yes, my address is " + meant}},
	}}
}

// unconfirmedProgress words the state of an unconfirmed request. asked is the newest email that asks to confirm it; nil
// if none was queued.
func unconfirmedProgress(r request.Request, asked *emailFate) progress {
	p := progress{Title: "Confirm your request", Step: 1, Open: true, Tone: "warn"}
	switch {
	case asked != nil && asked.Failed:
		p.Text = "Our email could not be delivered to " + r.Email + ". We cannot start before you confirm the request."
	case asked != nil && asked.State == emailQueued:
		p.Text = "We are emailing " + r.Email + " a link that confirms it."
	case asked != nil:
		p.Text = "We emailed " + r.Email + " a link that confirms it."
	case r.Suspicious:
		p.Title = "Tell us that you sent this request"
		p.Text = "A hidden field of the form was filled in. Spam programs do that, and sometimes a browser's " +
			"autofill does, so we have not emailed you yet."
	default:
		p.Text = "We have not emailed " + r.Email + " about this request. If you sent other requests, the link in " +
			"our newest email may list this one too. You can also have the email sent now, or tomorrow."
	}
	return p
}

// untouched is the reply to a form that was sent as it came: a box is not ticked.
func untouched(box, msg string) statusReply {
	return statusReply{wrong: []fault.Field{{Name: box, Msg: msg}}}
}

// sendConfirmation sends the email that confirms a request again.
func (s *site) sendConfirmation(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	found, err := s.byToken(r, values.Get("token"))
	if err != nil {
		return err
	}
	if !found.AwaitsConfirmation() {
		http.Redirect(w, r, letter.StatusPath(found), http.StatusSeeOther)
		return nil
	}
	if values.Get("sure") != "yes" {
		return s.showStatus(w, r, found, untouched("sure", "Tick the box to have the email sent."))
	}
	err = s.store.SendConfirmation(r.Context(), found.ID)
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Kind == fault.RateLimited:
		return s.showStatus(w, r, found, statusReply{status: http.StatusTooManyRequests, note: f.Msg})
	case err != nil && fault.KindOf(err) != fault.Conflict: // somebody confirmed it meanwhile
		return err
	}
	s.log.InfoContext(r.Context(), "confirmation of a license request sent again", "id", found.ID)
	http.Redirect(w, r, letter.StatusPath(found), http.StatusSeeOther)
	return nil
}

// correctEmail corrects an address that is probably mistyped, as the status page offers. No other address can be set
// with the link, which colleagues share.
func (s *site) correctEmail(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	found, err := s.byToken(r, values.Get("token"))
	if err != nil {
		return err
	}
	if slip := newSlipForm(found); slip != nil {
		if values.Get("right") != "yes" {
			return s.showStatus(w, r, found, untouched("right", "Tick the box to have the address corrected."))
		}
		err = s.store.CorrectEmail(r.Context(), found.ID, found.Email, slip.Meant)
		if err != nil {
			return err
		}
		s.log.InfoContext(r.Context(), "address of a license request corrected", "id", found.ID)
	}
	http.Redirect(w, r, letter.StatusPath(found), http.StatusSeeOther)
	return nil
}
