package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/infra/sesfront"
	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/web"
)

// randomEvents is the sender of the local server, which publishes SES's events about the emails at random while it is
// on: each is delivered, or comes to grief in one of the ways that SES reports. Events are due by the movable clock,
// and those that are not published yet are lost when the server stops.
type randomEvents struct {
	mail.Sender
	front *sesfront.Front
	now   func() time.Time

	mu    sync.Mutex
	share float64 // of the emails that do not arrive; below 0: no events
}

// newRandomEvents returns a sender over another one. share is the text of MAIL_EVENTS.
func newRandomEvents(sender mail.Sender, share string, now func() time.Time, events mailEventsFunc) (*randomEvents,
	error) {
	e := &randomEvents{Sender: sender, now: now}
	if err := e.set(share); err != nil {
		return nil, err
	}
	e.front = sesfront.New(sesfront.Options{Now: now, Publish: func(event string) {
		_, _ = events(context.Background(), feedbacktest.Batch(event)) // the function logs what fails
	}})
	return e, nil
}

// set sets the share of the emails that do not arrive, from 0 to 1; "" switches events off.
func (e *randomEvents) set(text string) error {
	share := -1.0
	if text != "" {
		var err error
		if share, err = strconv.ParseFloat(text, 64); err != nil || !(share >= 0 && share <= 1) {
			return fault.New(fault.Invalid, "Enter the share of emails that do not arrive as a number from 0 to 1, "+
				"for example 0.2, or nothing to switch events off.")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.share = share
	return nil
}

// text returns the share as set takes it.
func (e *randomEvents) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.share < 0 {
		return ""
	}
	return strconv.FormatFloat(e.share, 'g', -1, 64)
}

// Send implements mail.Sender.
func (e *randomEvents) Send(ctx context.Context, m mail.Message) (id string, err error) {
	id, err = e.Sender.Send(ctx, m)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil && e.share >= 0 {
		each := e.share / 4
		mix := sesfront.Mix{Returned: each, Absent: each, Bounced: each, Complained: each, Delayed: e.share}
		e.front.Follow(feedbacktest.Mail{
			ID: m.ID, Kind: string(m.Kind), About: m.About, Attempt: m.Attempt, ProviderID: id, To: m.To.Email,
			At: e.now(),
		}, mix.Events(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))))
	}
	return id, err
}

// after returns a job that runs another one and publishes the events that are due then.
func (e *randomEvents) after(j job) job {
	return func(ctx context.Context) error {
		err := j(ctx)
		e.front.PublishDue()
		return err
	}
}

// switchEvents sets the share of emails that do not arrive to the form field “share”.
func (p *localPages) switchEvents(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	if err := p.events.set(strings.TrimSpace(form.Get("share"))); err != nil {
		return err
	}
	http.Redirect(w, r, "/_local/outbox", http.StatusSeeOther)
	return nil
}

// mailOf is an email of the outbox folder as SES's events name it.
func mailOf(m eml.Parsed) feedbacktest.Mail {
	return feedbacktest.Mail{
		ID: m.ID, Kind: string(m.Kind), About: m.About, Attempt: m.Attempt, ProviderID: m.ID + ".eml", To: m.To.Email,
		At: m.Date.In(time.UTC),
	}
}
