package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
)

// mailStates puts one email in every state on record, before the server starts.
type mailStates struct {
	*delivery.Store
	t       *testing.T
	now     time.Time
	license license.License
	again   int // emails with the license's key so far
}

func (s *mailStates) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// begin writes the letter of an email, and marks that its call began.
func (s *mailStates) begin(id string) outbox.Mail {
	s.t.Helper()
	m, err := s.Outbox().Read(s.t.Context(), id)
	s.must(err)
	records, err := s.Records(s.t.Context(), m.Notice)
	s.must(err)
	letters := letter.Writer{URL: "http://localhost", Sales: mail.Address{Email: "sales@vendor.example"}}
	written, err := letters.Write(m.Notice, records, nil, letter.Call{Attempt: m.State.Attempts + 1})
	s.must(err)
	m, err = s.Outbox().Begin(s.t.Context(), m, 1, written)
	s.must(err)
	return m
}

// expand queues the emails that a notice for us stands for.
func (s *mailStates) expand(id string) {
	s.t.Helper()
	m, err := s.Outbox().Read(s.t.Context(), id)
	s.must(err)
	into, err := expansion.New(s.Store).Expand(s.t.Context(), m.Notice)
	s.must(err)
	s.must(s.Outbox().Expand(s.t.Context(), m, into))
}

func (s *mailStates) send(id string) {
	s.t.Helper()
	s.must(s.Outbox().RecordSent(s.t.Context(), s.begin(id), "p-"+id))
}

func (s *mailStates) report(id string, r outbox.Report) {
	s.t.Helper()
	r.Mail, r.ProviderID, r.At = id, "p-"+id, s.now
	_, err := s.RecordReport(s.t.Context(), r)
	s.must(err)
}

// key queues an email with the license's key to a contact and returns its ID.
func (s *mailStates) key(contact int) string {
	s.t.Helper()
	s.again++
	s.now = s.now.Add(time.Minute)
	nonce, to := strings.Repeat("n", s.again), contacts[contact]
	s.must(s.SendKeyAgain(s.t.Context(), s.license.ID, "sam@vendor.example", to, nonce))
	return notice.LicenseKeyAgain(s.license, to, nonce).ID
}

// fill makes the emails and returns the request that has some of them.
func (s *mailStates) fill() request.Request {
	ctx, box := s.t.Context(), s.Outbox()
	form := request.Form{Kind: "new", Edition: "developer", Server: "AWHW8w9JtzBzSrmf9GQX", Loc: "120000",
		Name: "Jane Doe", Email: "jane@customer.example", Company: "Customer AG", Country: "Switzerland",
		ProductVersion: "6.7.1"}
	details, err := form.Accept()
	s.must(err)
	r, _, err := storetest.FileRequest(ctx, s, details, "")
	s.must(err)
	s.send(notice.RequestReceived(r).ID)
	s.report(notice.RequestReceived(r).ID, outbox.Report{Outcome: outbox.Delivered})
	s.expand(notice.RequestConfirmed(r).ID)
	s.must(box.Fail(ctx, s.begin(notice.RequestNew(r).ID), "smtp; 554 5.7.1 relaying denied"))
	r, err = s.Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: "sam@vendor.example", To: request.Waiting,
		Text: "Which version of the server do you use?"})
	s.must(err)
	question := notice.RequestQuestion(r, r.Version-1).ID
	s.send(question)
	s.report(question, outbox.Report{Outcome: outbox.Returned, Status: "5.2.2", Detail: "MailboxFull, 452 full"})

	s.addLicense()
	later := s.now.Add(time.Hour)
	s.must(box.Pause(ctx, s.begin(s.key(0)), "dial tcp: connection refused", later, true))
	s.must(box.Doubt(ctx, s.begin(s.key(0)), "context deadline exceeded", later))
	twice := s.key(0)
	s.must(box.Doubt(ctx, s.begin(twice), "context deadline exceeded", s.now))
	s.send(twice)
	delayed, absent, bounced := s.key(0), s.key(0), s.key(1)
	for _, id := range []string{delayed, absent, bounced} {
		s.send(id)
	}
	s.report(delayed, outbox.Report{Outcome: outbox.Delayed, Status: "4.7.1", Detail: "greylisted, try later"})
	s.report(absent, outbox.Report{Outcome: outbox.Delivered})
	s.report(absent, outbox.Report{Outcome: outbox.Returned, Detail: "General"})
	s.report(bounced, outbox.Report{Outcome: outbox.Bounced, Status: "5.1.1", Detail: "General, 550 user unknown"})
	s.must(box.Fail(ctx, s.begin(s.key(0)), "the template panicked"))
	m, err := box.Read(ctx, s.key(0))
	s.must(err)
	s.must(box.Drop(ctx, m, "the license was revoked or has expired"))
	s.key(0) // queued
	s.outage()
	return r
}

// contacts are those of the license.
var contacts = []license.Contact{{Name: "Jane Doe", Email: "jane@customer.example"}, {Email: "john@customer.example"}}

func (s *mailStates) addLicense() {
	s.license = storetest.Record(s.t, s.Store.Store, license.License{
		ID: "01c7wnn8g0aaaaaaaaaaaaaaaa", Type: license.Production, Organization: "Customer AG",
		Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 200_000,
		Expiration: license.DateOf(s.now).AddMonths(12), KeyText: strings.Repeat("Rm9ybWF0PTEK", 60),
	}, contacts...).License
}

// outage records that the provider accepts nothing.
func (s *mailStates) outage() {
	lease, err := s.Outbox().Acquire(s.t.Context(), time.Minute)
	s.must(err)
	lease.Provider.CountSent(s.now, 42)
	lease.Provider.PerDay = 200
	lease.Provider.Outage = outbox.Outage{Class: "HTTP 503", Mails: []string{"a", "b", "c"}, Since: s.now,
		NextProbe: s.now.Add(8 * time.Minute)}
	s.must(lease.Release(s.t.Context()))
}

// TestEmailStatusInABrowser looks at the pages that say what became of emails, with an email in every state.
func TestEmailStatusInABrowser(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "") // the emails are filled into the table of the folder
	ctx := browser(t)
	data := localdata.Dir(t.TempDir())
	engine, done, err := data.OpenTable(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := &mailStates{t: t, now: time.Now()}
	s.Store = delivery.New(store.New(engine, store.Options{Now: func() time.Time { return s.now }}))
	r := s.fill()
	s.must(done())

	env := newTestEnv(t, data)
	act(t, ctx, "opening the status page", chromedp.Navigate(env.URL+letter.StatusPath(r)),
		chromedp.WaitVisible(`.emails`))
	look(t, ctx, "status-emails")
	act(t, ctx, "signing in", chromedp.Navigate(env.URL+"/console"), chromedp.WaitVisible(`a[href*="person=sam"]`),
		chromedp.Click(`a[href*="person=sam"]`), chromedp.WaitVisible(`form.who`))
	for path, name := range map[string]string{
		"/console/overview": "overview-emails", "/console/requests/" + r.ID: "request-emails",
		"/console/licenses/" + s.license.ID: "license-emails",
	} {
		act(t, ctx, "opening "+path, chromedp.Navigate(env.URL+path), chromedp.WaitVisible(`main h1`))
		look(t, ctx, name)
	}
	act(t, ctx, "opening an email", chromedp.Navigate(env.URL+"/console/licenses/"+s.license.ID),
		chromedp.WaitVisible(`.mails a`), chromedp.Click(`.mails a`), chromedp.WaitVisible(`iframe.mail`))
	look(t, ctx, "sent-email")
}
