package main

import (
	"context"
	"net/http"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// hear is the function of functions/mailevents, as SNS calls it.
type hear func(ctx context.Context, payload []byte) ([]byte, error)

// said is what the provider can be made to say of a mail, by the value of the button.
var said = map[string]func(feedbacktest.Mail) string{
	"bounced": func(m feedbacktest.Mail) string {
		return feedbacktest.Bounce(m, "Permanent", "General", "smtp; 550 5.1.1 <"+m.To+">: user unknown")
	},
	"delayed": func(m feedbacktest.Mail) string {
		return feedbacktest.Bounce(m, "Transient", "MailboxFull", "smtp; 452 4.2.2 mailbox full")
	},
	"complained": func(m feedbacktest.Mail) string { return feedbacktest.Complaint(m, "abuse") },
}

// reportMail plays the provider of a mail that it has taken: it says of the mail what the form field said names. The
// outbox shows what that has caused.
func (p *localPages) reportMail(w http.ResponseWriter, r *http.Request) error {
	m, err := p.outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	event, ok := said[form.Get("said")]
	if !ok {
		return fault.New(fault.Invalid, "The form field said must be bounced, delayed or complained.")
	}
	now := p.worker.clock.Now()
	message := event(feedbacktest.Mail{ID: m.ID, ProviderID: "local-" + m.ID, To: m.To.Email, At: m.Date.In(time.UTC)})
	if _, err := p.hear(r.Context(), feedbacktest.Notification(now, message)); err != nil {
		return err
	}
	http.Redirect(w, r, "/_local/outbox", http.StatusSeeOther)
	return nil
}
