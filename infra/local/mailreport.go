package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// mailEventsFunc is the handler of functions/mailevents, called as SQS calls it.
type mailEventsFunc func(ctx context.Context, payload []byte) ([]byte, error)

// feedbackEvents are the SES events that the buttons simulate, by the value of the button.
var feedbackEvents = map[string]feedbacktest.Event{
	"accepted":   feedbacktest.Send(),
	"delivered":  feedbacktest.Delivery(),
	"retrying":   feedbacktest.Delay("MailboxFull"),
	"returned":   feedbacktest.SoftBounce(),
	"delayed":    feedbacktest.SoftBounce(), // the value that scripts know
	"absent":     feedbacktest.Absence(),
	"bounced":    feedbacktest.HardBounce(),
	"complained": feedbacktest.Complaint("abuse"),
	"refused":    feedbacktest.Reject(),
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
		return fault.New(fault.Invalid, "Form field “said” must be one of %s.",
			strings.Join(slices.Sorted(maps.Keys(feedbackEvents)), ", "))
	}
	event.At = p.worker.clock.Now()
	if _, err := p.mailEvents(r.Context(), feedbacktest.Batch(event.JSON(mailOf(m)))); err != nil {
		return err
	}
	http.Redirect(w, r, "/_local/outbox", http.StatusSeeOther)
	return nil
}
