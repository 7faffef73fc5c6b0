package main

import (
	"context"
	"net/http"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// mailEventsFunc is the handler of functions/mailevents, called as SNS calls it.
type mailEventsFunc func(ctx context.Context, payload []byte) ([]byte, error)

// feedbackEvents are the SES events that the buttons simulate, by the value of the button.
var feedbackEvents = map[string]func(feedbacktest.Mail) string{
	"bounced": func(m feedbacktest.Mail) string {
		return feedbacktest.Bounce(m, "Permanent", "General", "smtp; 550 5.1.1 <"+m.To+">: user unknown")
	},
	"delayed": func(m feedbacktest.Mail) string {
		return feedbacktest.Bounce(m, "Transient", "MailboxFull", "smtp; 452 4.2.2 mailbox full")
	},
	"complained": func(m feedbacktest.Mail) string { return feedbacktest.Complaint(m, "abuse") },
}

// reportMail simulates the SES event that the form field “said” names. The outbox shows what it causes.
func (p *localPages) reportMail(w http.ResponseWriter, r *http.Request) error {
	m, err := p.outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	event, ok := feedbackEvents[form.Get("said")]
	if !ok {
		return fault.New(fault.Invalid, "Form field “said” must be bounced, delayed or complained.")
	}
	now := p.worker.clock.Now()
	message := event(feedbacktest.Mail{ID: m.ID, ProviderID: "local-" + m.ID, To: m.To.Email, At: m.Date.In(time.UTC)})
	if _, err := p.mailEvents(r.Context(), feedbacktest.Notification(now, message)); err != nil {
		return err
	}
	http.Redirect(w, r, "/_local/outbox", http.StatusSeeOther)
	return nil
}
