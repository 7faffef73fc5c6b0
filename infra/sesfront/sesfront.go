// Package sesfront is a server that stands in for SES, or before one such as moto: it accepts mails as the Query API of
// SES does, misbehaves as it is told, and publishes the events that SES would, with our tags. No other SES for tests
// publishes events.
//
// A Front is an http.Handler (Handler), an http.RoundTripper that needs no network (Transport), and a mail.Sender that
// needs no HTTP (Sender). All three share what it accepted and what it publishes. It is deterministic: the clock and
// the behaviour are passed in, and it publishes events only when PublishDue is called.
//
//	front := sesfront.New(sesfront.Options{Now: clock.Now, Publish: func(event string) {
//		job.Invoke(ctx, feedbacktest.Batch(event)) // functions/mailevents
//	}})
//	api := ses.Client(front.Transport(), "http://ses.test")
//	… send …
//	clock.Add(time.Minute)
//	front.PublishDue() // send and delivery of every mail
package sesfront

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/mail"
)

// Options are what a Front needs.
type Options struct {
	// Now is the clock; required. Events and the quota use it.
	Now func() time.Time
	// Publish gets each event, as JSON, in the order in which they are due. nil: events are dropped. It may call the
	// Front.
	Publish func(event string)
	// Behave says how a call ends and which events follow. It is called under a lock, for one call after another, so
	// that it may use a random source. nil means Well.
	Behave func(Call) Behaviour
	// Upstream is the address of an SES that gets the calls which the Front accepts, and all of other actions. Only
	// Handler and Transport use it. "": the Front answers by itself.
	Upstream string
	// Quota has the limits that the Front keeps and tells; its SentLastDay is not used. The zero Quota has none; then
	// an upstream tells its own.
	Quota mail.Quota
}

// Call is a call to send a mail.
type Call struct {
	N    int // counts the calls from 1, those included that the quota or a fault refuses
	Mail feedbacktest.Mail
	// ConfigurationSet is the one that the call names; "" through Sender, which has none.
	ConfigurationSet string
}

// Behaviour is how a call ends and what follows.
type Behaviour struct {
	Fault  Fault
	Events []Event // published if the mail is accepted
}

// Event is an event that follows a mail.
type Event struct {
	feedbacktest.Event
	After time.Duration // since the mail was accepted
	Times int           // how often it is published; 0 means once
	// Early publishes the event before the call is answered, so before the mailer can record its mail.
	Early bool
}

// Fault is how a call fails.
type Fault string

// Every Fault. The mail is not accepted, unless the fault says so.
const (
	NoFault     Fault = ""
	Refuse      Fault = "refuse"       // no connection (Transport and Sender; Handler breaks it before an answer)
	ServerError Fault = "500"          // SES's own error
	Unavailable Fault = "503"          // SES's own error
	Gateway     Fault = "502"          // an error of a gateway, without SES's error body: the sender cannot know
	Throttle    Fault = "throttle"     // "Maximum sending rate exceeded"
	QuotaGone   Fault = "quota"        // "Daily message quota exceeded"
	Reject      Fault = "reject"       // SES will never accept this mail
	Setup       Fault = "setup"        // SES accepts nothing until its setup is fixed
	NoAnswer    Fault = "no answer"    // the connection breaks after the request, and the mail is not accepted
	AnswerLost  Fault = "answer lost"  // the mail is accepted, and the connection breaks before the answer
	Hang        Fault = "hang"         // the mail is accepted, and no answer comes until the caller gives up
	HangRefused Fault = "hang refused" // no answer comes until the caller gives up, and the mail is not accepted
)

// accepts reports whether the mail is accepted all the same.
func (f Fault) accepts() bool { return f == NoFault || f == AnswerLost || f == Hang }

// Well is the behaviour of an SES without faults: send at once, delivery two seconds later.
func Well(Call) Behaviour {
	return Behaviour{Events: []Event{
		{Event: feedbacktest.Send()}, {Event: feedbacktest.Delivery(), After: 2 * time.Second},
	}}
}

// Accepted is a mail that the Front accepted.
type Accepted struct {
	feedbacktest.Mail
	Raw     []byte       // the MIME text, through HTTP
	Message mail.Message // through Sender
}

// Front is a stand-in for SES. It may be used from several goroutines at once.
type Front struct {
	o Options

	mu       sync.Mutex
	calls    int
	down     Fault
	accepted []Accepted
	due      []dueEvent // not published yet, in the order of their times
	publish  sync.Mutex // held while events are published, so that their order holds
}

type dueEvent struct {
	at   time.Time
	json string
}

// New returns a Front.
func New(o Options) *Front {
	if o.Behave == nil {
		o.Behave = Well
	}
	return &Front{o: o}
}

// SetDown makes every call end with a fault, whatever Behave says, until it is called with NoFault.
func (f *Front) SetDown(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = fault
}

// Accepted returns the mails that were accepted, in order.
func (f *Front) Accepted() []Accepted {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.accepted)
}

// Calls returns how many calls to send there were.
func (f *Front) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Due returns how many events were not published yet.
func (f *Front) Due() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.due)
}

// PublishDue publishes every event whose time has come, and returns how many.
func (f *Front) PublishDue() (n int) {
	f.publish.Lock()
	defer f.publish.Unlock()
	for {
		f.mu.Lock()
		if len(f.due) == 0 || f.due[0].at.After(f.o.Now()) {
			f.mu.Unlock()
			return n
		}
		next := f.due[0]
		f.due = f.due[1:]
		f.mu.Unlock()
		f.send(next.json)
		n++
	}
}

func (f *Front) send(event string) {
	if f.o.Publish != nil {
		f.o.Publish(event)
	}
}

// begin decides how a call goes.
func (f *Front) begin(m feedbacktest.Mail, set string) Behaviour {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	b := f.o.Behave(Call{f.calls, m, set})
	if f.down != NoFault {
		b.Fault = f.down
	}
	if b.Fault.accepts() {
		b.Fault = cmp.Or(f.limit(), b.Fault)
	}
	return b
}

// limit returns the fault of a call that the quota refuses.
func (f *Front) limit() Fault {
	q, now := f.quota(), f.o.Now()
	switch {
	case q.Exhausted():
		return QuotaGone
	case q.PerSecond > 0 && f.sentSince(now.Add(-time.Second)) >= max(1, int(q.PerSecond)):
		return Throttle
	}
	return NoFault
}

func (f *Front) quota() mail.Quota {
	q := f.o.Quota
	q.SentLastDay = f.sentSince(f.o.Now().Add(-24 * time.Hour))
	return q
}

// sentSince counts the mails accepted after a time.
func (f *Front) sentSince(t time.Time) (n int) {
	for i := len(f.accepted) - 1; i >= 0 && f.accepted[i].At.After(t); i-- {
		n++
	}
	return n
}

// accept records a mail and schedules its events; it publishes the early ones.
func (f *Front) accept(a Accepted, events []Event) {
	var early []string
	f.mu.Lock()
	f.accepted = append(f.accepted, a)
	for _, e := range events {
		e.At = a.At.Add(e.After)
		text := e.JSON(a.Mail)
		for range max(1, e.Times) {
			if e.Early {
				early = append(early, text)
				continue
			}
			f.due = append(f.due, dueEvent{e.At, text})
		}
	}
	slices.SortStableFunc(f.due, func(a, b dueEvent) int { return a.at.Compare(b.at) })
	f.mu.Unlock()
	if len(early) > 0 {
		f.publish.Lock()
		defer f.publish.Unlock()
		for _, text := range early {
			f.send(text)
		}
	}
}

// Follow schedules the events of a mail that something else accepted.
func (f *Front) Follow(m feedbacktest.Mail, events []Event) { f.accept(Accepted{Mail: m}, events) }

// newID returns a message ID of the form that SES gives.
func (f *Front) newID() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("0100016b%08x-front", f.calls)
}
