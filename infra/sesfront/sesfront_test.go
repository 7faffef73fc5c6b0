package sesfront_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/infra/sesfront"
	"marketplace/shared/mail"
	"marketplace/shared/mail/ses"
)

// clock is a clock that only the test moves, and the events that were published.
type clock struct {
	now       time.Time
	published []string // "mail.attempt type"
}

func newClock() *clock { return &clock{now: time.Date(2018, 3, 1, 9, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) publish(event string) {
	var e struct {
		EventType string
		Mail      struct{ Tags map[string][]string }
	}
	if err := json.Unmarshal([]byte(event), &e); err != nil {
		panic(err)
	}
	c.published = append(c.published, fmt.Sprintf("%s.%s %s", e.Mail.Tags["mail"][0], e.Mail.Tags["attempt"][0],
		e.EventType))
}

func message(id string, attempt int) mail.Message {
	return mail.Message{
		ID: id, Kind: mail.LicenseKey, About: "l1", Attempt: attempt, To: mail.Address{Email: "zoe@müller.example"},
		Subject: "Grüße", Text: "Hello\n",
	}
}

var from = mail.Address{Name: "Licensing", Email: "licensing@vendor.example"}

// serve serves a front and returns its address.
func serve(t *testing.T, f *sesfront.Front) string {
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	return server.URL
}

// senders returns the three ways to send through a front.
func senders(t *testing.T, f *sesfront.Front, now func() time.Time) map[string]mail.Sender {
	o := ses.Options{From: from, ConfigurationSet: "licenses", Now: now}
	return map[string]mail.Sender{
		"sender":    f.Sender(),
		"transport": ses.New(ses.Client(f.Transport(), "http://ses.test"), o),
		"network":   ses.New(ses.Client(http.DefaultTransport, serve(t, f)), o),
	}
}

func TestFaultsAreThoseOfSESInEveryWay(t *testing.T) {
	for fault, want := range map[sesfront.Fault]struct {
		kind     error // nil: in doubt
		class    string
		accepted bool
	}{
		sesfront.Refuse:      {mail.ErrNotSent, "connect", false},
		sesfront.ServerError: {mail.ErrNotSent, "http 5xx", false},
		sesfront.Unavailable: {mail.ErrNotSent, "http 5xx", false},
		sesfront.Gateway:     {nil, "http 502", false},
		sesfront.Throttle:    {mail.ErrThrottled, "throttled", false},
		sesfront.QuotaGone:   {mail.ErrDailyQuota, "daily quota", false},
		sesfront.Reject:      {mail.ErrRejected, "rejected", false},
		sesfront.Setup:       {mail.ErrSetup, "setup", false},
		sesfront.NoAnswer:    {nil, "connection lost", false},
		sesfront.AnswerLost:  {nil, "connection lost", true},
		sesfront.Hang:        {nil, "timeout", true},
		sesfront.HangRefused: {nil, "timeout", false},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			f := sesfront.New(sesfront.Options{Now: c.Now, Publish: c.publish})
			f.SetDown(fault)
			accepted := 0
			for way, sender := range senders(t, f, c.Now) {
				limit := time.Minute
				if want.class == "timeout" {
					limit = time.Second // enough for a busy computer to make the call
				}
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				_, err := sender.Send(ctx, message("m", 1))
				cancel()
				kind, class := want.kind, want.class
				if fault == sesfront.Refuse && way == "network" { // a handler cannot refuse a connection
					kind, class = nil, "connection lost"
				}
				if err == nil || mail.InDoubt(err) != (kind == nil) || kind != nil && !errors.Is(err, kind) ||
					mail.FailureClass(err) != class {
					t.Errorf("by %s: got %v of class %q, want %v of class %q", way, err, mail.FailureClass(err),
						kind, class)
				}
				if want.accepted {
					accepted++
				}
			}
			if n := len(f.Accepted()); n != accepted {
				t.Errorf("got %d mails accepted, want %d", n, accepted)
			}
			c.now = c.now.Add(time.Hour)
			if n := f.PublishDue(); n != 2*accepted {
				t.Errorf("got %d events, want send and delivery of %d mails", n, accepted)
			}
		})
	}
}

func TestEventsComeByScript(t *testing.T) {
	c := newClock()
	scripts := map[string][]sesfront.Event{
		"late": {{Event: feedbacktest.Send(), After: time.Hour}},
		"turned": {{Event: feedbacktest.Send(), After: 2 * time.Second},
			{Event: feedbacktest.Delivery(), After: time.Second, Times: 2}},
		"early": {{Event: feedbacktest.Send(), Early: true}, {Event: feedbacktest.HardBounce(), After: 3 * time.Second}},
		"never": nil,
	}
	f := sesfront.New(sesfront.Options{Now: c.Now, Publish: c.publish,
		Behave: func(call sesfront.Call) sesfront.Behaviour {
			return sesfront.Behaviour{Events: scripts[call.Mail.ID]}
		}})
	for _, id := range []string{"late", "turned", "early", "never"} {
		if _, err := f.Sender().Send(t.Context(), message(id, 3)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"early.3 Send"}
	if !slices.Equal(c.published, want) {
		t.Errorf("before the clock moved: got %q, want %q", c.published, want)
	}
	c.now = c.now.Add(59 * time.Minute)
	f.PublishDue()
	want = append(want, "turned.3 Delivery", "turned.3 Delivery", "turned.3 Send", "early.3 Bounce")
	if !slices.Equal(c.published, want) || f.Due() != 1 {
		t.Errorf("got %q, want %q, and one more", c.published, want)
	}
	c.now = c.now.Add(time.Hour)
	f.PublishDue()
	if want = append(want, "late.3 Send"); !slices.Equal(c.published, want) || f.Due() != 0 {
		t.Errorf("got %q, want %q", c.published, want)
	}
}

func TestQuotaIsKeptAndTold(t *testing.T) {
	c := newClock()
	f := sesfront.New(sesfront.Options{Now: c.Now, Quota: mail.Quota{PerSecond: 2, PerDay: 3}})
	sender := senders(t, f, c.Now)["transport"]
	send := func(want error) {
		t.Helper()
		if _, err := sender.Send(t.Context(), message("m", 1)); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	send(nil)
	send(nil)
	send(mail.ErrThrottled)
	c.now = c.now.Add(time.Second)
	send(nil)
	send(mail.ErrDailyQuota)
	want := mail.Quota{PerSecond: 2, PerDay: 3, SentLastDay: 3}
	for way, s := range senders(t, f, c.Now) {
		if q, err := s.Quota(t.Context()); err != nil || q != want {
			t.Errorf("%s: got the quota %+v, %v, want %+v", way, q, err, want)
		}
	}
	c.now = c.now.Add(24*time.Hour - time.Second)
	send(nil) // two of the three are a day old
	if n := f.Calls(); n != 6 {
		t.Errorf("got %d calls, want 6", n)
	}
}

func TestMixIsTheSameForTheSameSeed(t *testing.T) {
	run := func() string {
		c := newClock()
		mix := sesfront.Mix{
			Fault: 0.3, Faults: []sesfront.Fault{sesfront.ServerError, sesfront.AnswerLost}, Returned: 0.1, Absent: 0.1,
			Bounced: 0.1, Complained: 0.1, Refused: 0.1, Missing: 0.1, Twice: 0.2, Early: 0.1, Late: 0.3, Delayed: 0.1,
		}
		f := sesfront.New(sesfront.Options{Now: c.Now, Publish: c.publish,
			Behave: mix.Behave(rand.New(rand.NewPCG(1, 2)))})
		for i := range 300 {
			f.Sender().Send(t.Context(), message(fmt.Sprintf("m%d", i), 1))
		}
		c.now = c.now.Add(24 * time.Hour)
		f.PublishDue()
		return strings.Join(c.published, "\n")
	}
	first := run()
	if first != run() {
		t.Error("got different events for the same seed")
	}
	for _, event := range []string{"Send", "Delivery", "DeliveryDelay", "Bounce", "Complaint", "Reject"} {
		if !strings.Contains(first, " "+event) {
			t.Errorf("got no %s among the events of 300 mails", event)
		}
	}
}

func TestWhatIsNoMailIsAnswered(t *testing.T) {
	server := httptest.NewServer(sesfront.New(sesfront.Options{Now: time.Now}).Handler())
	defer server.Close()
	for body, want := range map[string]string{
		"Action=ListIdentities":                      "InvalidAction",
		"Action=SendRawEmail&RawMessage.Data=%21%21": "InvalidParameterValue",
		"%zz": "MalformedQueryString",
	} {
		resp, err := http.Post(server.URL, "application/x-www-form-urlencoded", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 1000)
		n, _ := resp.Body.Read(text)
		resp.Body.Close()
		if resp.StatusCode != 400 || !strings.Contains(string(text[:n]), want) {
			t.Errorf("%s: got %s %s, want 400 %s", body, resp.Status, text[:n], want)
		}
	}
}
