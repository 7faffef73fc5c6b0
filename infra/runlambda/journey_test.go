package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/infra/runtimeapi"
	"marketplace/infra/sesfront"
	"marketplace/infra/stack"
	"marketplace/shared/license"
	"marketplace/shared/mail/eml"
	"marketplace/shared/web/webtest"
)

const (
	eve = "eve@acme.example" // who asks for a license; the mail with her key bounces
	bob = "bob@acme.example" // her further contact
)

// journey is a request's way through the whole stack.
type journey struct {
	*Server
	browser
	status, license string  // addresses of pages
	bob             browser // signed in to the account
}

// steps are the parts of the journey, in order; each name is the place at which a fault shows.
var steps = []struct {
	name string
	take func(*journey) error
}{
	{"catalog", (*journey).catalog},
	{"request", (*journey).request},
	{"confirmation", (*journey).confirm},
	{"license", (*journey).issue},
	{"letter", (*journey).letter},
	{"bounce", (*journey).bounce},
	{"reminder", (*journey).remind},
	{"account", (*journey).signIn},
	{"bridge key", (*journey).bridge},
}

// travel takes the journey through a template, and returns the step at which it ended with an error, "" if none.
func travel(t *testing.T, template stack.Template, bootstraps string) (step string, err error) {
	t.Helper()
	s, err := start(t, template, bootstraps)
	if err != nil {
		return "start", err
	}
	j := &journey{Server: s, browser: *newBrowser(t.Context())}
	for _, step := range steps {
		if err := step.take(j); err != nil {
			return step.name, err
		}
	}
	return "", nil
}

// start starts the stack for a test. Its clock stands until it is moved, so that a slow run starts no schedule.
func start(t *testing.T, template stack.Template, bootstraps string) (*Server, error) {
	t.Helper()
	begun := time.Now()
	s, err := Start(t.Context(), Options{
		Addr: "localhost:0", Template: template, Bootstraps: bootstraps,
		Stack:    fmt.Sprintf("journey-%d", time.Now().UnixNano()),
		DynamoDB: os.Getenv("DYNAMODB_ENDPOINT"), AWS: os.Getenv("SES_ENDPOINT"),
		Behave: bouncesKeys, Now: func() time.Time { return begun },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err == nil {
		t.Cleanup(func() {
			for id, p := range s.pools {
				if text := p.output(); t.Failed() && text != "" {
					t.Logf("%s:\n%s", id, text)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return s, err
}

// bouncesKeys is an SES whose mails to Eve with a license key come back.
func bouncesKeys(c sesfront.Call) sesfront.Behaviour {
	b := sesfront.Well(c)
	if c.Mail.Kind == "license-key" && c.Mail.To == eve {
		b.Events[1] = sesfront.Event{Event: feedbacktest.HardBounce(), After: 3 * time.Second}
	}
	return b
}

// mailTo finds the newest mail of a kind to an address.
func (j *journey) mailTo(kind, to string) (eml.Parsed, error) {
	all := j.mail.Accepted()
	var known []string
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind == kind && all[i].To == to {
			return eml.Parse(bytes.NewReader(all[i].Raw))
		}
		known = append(known, all[i].Kind+" to "+all[i].To)
	}
	return eml.Parsed{}, fmt.Errorf("no mail %s to %s; there is: %s", kind, to, strings.Join(known, ", "))
}

func (j *journey) catalog() error {
	if err := j.open(j.URL + "/editions.json"); err != nil {
		return err
	}
	return j.open(j.URL + "/editions/developer")
}

func (j *journey) request() error {
	err := j.open(j.URL + "/request/developer?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000")
	if err != nil {
		return err
	}
	err = j.press("Send request", with(map[string]string{
		"kind": "new", "productVersion": "6.7.1", "name": "Eve Adams", "email": eve, "company": "Acme AG",
		"country": "Switzerland", "contacts": bob,
	}))
	j.status = j.at.String()
	if err == nil && !strings.HasPrefix(j.at.Path, "/requests/") {
		err = fmt.Errorf("the form led to %s: %s", j.at, j.browser.main())
	}
	return err
}

var confirmLink = regexp.MustCompile(`http://\S+[?&]confirm=[^\s&]+`)

// confirm: the stream wakes the mailer without any schedule, and the link of the mail works.
func (j *journey) confirm() error {
	if err := j.Settle(j.ctx); err != nil {
		return err
	}
	m, err := j.mailTo("request-received", eve)
	if err != nil {
		return err
	}
	if err := j.open(confirmLink.FindString(m.Text)); err != nil {
		return err
	}
	button := j.page.Find("main form[method=post] button").First()
	err = j.press(webtest.Text(button), with(map[string]string{"answer": "yes"}))
	if err != nil {
		return err
	}
	if err := j.Settle(j.ctx); err != nil {
		return err
	}
	_, err = j.mailTo("request-new", "sales@vendor.example")
	return err
}

// issue: a salesperson signs in, opens the request and issues a license. It is valid since a month ago and for 45 days,
// so that its first reminder is due today: the functions' clock does not move.
func (j *journey) issue() error {
	if err := j.open(j.URL + "/console"); err != nil {
		return err
	}
	if err := j.follow("main a[href*='person=sam']"); err != nil {
		return err
	}
	if err := j.follow("main a[href^='/console/requests/']"); err != nil {
		return err
	}
	if err := j.follow("a[href$='/issue']"); err != nil {
		return err
	}
	today := license.DateOf(time.Now())
	contacts := j.page.Find("input[name=addContacts]").Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("value", "")
	})
	err := j.press("Review", func(v url.Values) {
		v.Set("notBefore", today.AddDays(-30).String())
		v.Set("expiration", today.AddDays(45).String())
		v["addContacts"] = contacts
	})
	if err != nil {
		return err
	}
	warned := j.page.Find("#warnings input").Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("value", "")
	})
	err = j.press("Issue and send", func(v url.Values) { v["confirm"] = warned })
	j.license, _, _ = strings.Cut(j.at.String(), "?")
	if err == nil && !strings.HasPrefix(j.at.Path, "/console/licenses/") {
		err = fmt.Errorf("issuing led to %s: %s", j.at, j.browser.main())
	}
	return err
}

// letter: the key arrives, and the site says that it is valid.
func (j *journey) letter() error {
	if err := j.Settle(j.ctx); err != nil {
		return err
	}
	m, err := j.mailTo("license-key", eve)
	if err != nil {
		return err
	}
	if len(m.Attachments) == 0 {
		return errors.New("the mail has no attachment")
	}
	return j.checkKey(string(m.Attachments[0].Data), "AWHW8w9JtzBzSrmf9GQX")
}

// checkKey asks the site whether a key is valid on a server.
func (j *journey) checkKey(key, server string) error {
	if err := j.open(j.URL + "/licenses/check"); err != nil {
		return err
	}
	form := j.page.Find("#key").Closest("form")
	values := filledIn(form)
	values.Set("key", key)
	values.Set("serverId", server)
	if err := j.ask("POST", form.AttrOr("action", ""), values); err != nil {
		return err
	}
	result := j.page.Find("#result").Text()
	if !strings.Contains(result, "valid") || strings.Contains(result, "invalid") {
		return fmt.Errorf("the key check says %q", result)
	}
	return nil
}

// bounce: the events of SES reach the license's page through the topic and the queues.
func (j *journey) bounce() error {
	for range 2 { // the event is due, then the batch's window is over
		if err := j.MoveClock(j.ctx, j.clock.Now().Add(10*time.Second)); err != nil {
			return err
		}
	}
	if err := j.open(j.license); err != nil {
		return err
	}
	if !strings.Contains(strings.ToLower(j.browser.main()), "bounced") {
		return fmt.Errorf("the license's page does not say that the mail bounced: %s", j.browser.main())
	}
	return nil
}

// remind: the daily run reminds the further contact, since Eve's address takes no mail any more.
func (j *journey) remind() error {
	now := j.clock.Now()
	morning := time.Date(now.Year(), now.Month(), now.Day(), 6, 0, 0, 0, time.UTC)
	if !morning.After(now) {
		morning = morning.AddDate(0, 0, 1)
	}
	if err := j.MoveClock(j.ctx, morning); err != nil {
		return err
	}
	if err := j.MoveClock(j.ctx, morning.Add(time.Minute)); err != nil { // the sweep sends reminders
		return err
	}
	if _, err := j.mailTo("license-expiring", bob); err != nil {
		return err
	}
	if err := j.open(j.URL + "/_local/"); err != nil { // the page about what runs
		return err
	}
	if page := webtest.Text(j.page.Find("body")); !strings.Contains(page, "· "+bob) {
		return fmt.Errorf("the page does not list the reminder: %s", page)
	}
	return nil
}

// buildFunctions compiles every function of the template.
func buildFunctions(ctx context.Context, template stack.Template, folder string) error {
	for id := range template.Functions() {
		out := filepath.Join(folder, id, "bootstrap")
		if err := runtimeapi.Build(ctx, "marketplace/functions/"+stack.Folder(id), out); err != nil {
			return err
		}
	}
	return nil
}

// needEngines skips a test without DynamoDB and moto.
func needEngines(t *testing.T) {
	t.Helper()
	switch {
	case os.Getenv("DYNAMODB_ENDPOINT") == "":
		t.Skip("DYNAMODB_ENDPOINT names no engine; infra/engines/with-dynoxide.sh and with-dynamodb-local.sh do")
	case os.Getenv("SES_ENDPOINT") == "":
		t.Skip("SES_ENDPOINT is not set: no SES to send through (infra/engines/with-moto.sh starts one)")
	}
}

func readTemplate(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, text string) stack.Template {
	t.Helper()
	template, err := stack.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// TestJourney takes a request to its license, its letter, a bounce and a reminder, through the compiled functions. Then
// it changes the template, one thing at a time, and the journey ends where that thing is needed.
func TestJourney(t *testing.T) {
	needEngines(t)
	text, folder := readTemplate(t), t.TempDir()
	if err := buildFunctions(t.Context(), parse(t, text), folder); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, step string }{
		{name: "as it is"},
		{"a route", `Path: "/console/{proxy+}"`, `Path: "/sales/{proxy+}"`, "license"},
		{"a variable", "          SES_CONFIGURATION_SET: !Ref MailConfigurationSet\n", "", "bounce"},
		{"a filter", `{"prefix":"OUTBOX#2#"}`, `{"prefix":"OUTBOX#3#"}`, "confirmation"},
		{"a page of the account", `Path: "/account/{proxy+}"`, `Path: "/accounts/{proxy+}"`, "account"},
		{"the bridge function's filter", `"S":["BRIDGES"]`, `"S":["BRIDGE"]`, "bridge key"},
		{"a schedule", "cron(0 6 * * ? *)", "cron(0 6 1 1 ? 2199)", "reminder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(text, tt.old) != 1 && tt.old != "" {
				t.Fatalf("the template has %q %d times, want once", tt.old, strings.Count(text, tt.old))
			}
			step, err := travel(t, parse(t, strings.Replace(text, tt.old, tt.new, 1)), folder)
			if step != tt.step {
				t.Errorf("the journey ended at %q with %v, want %q", step, err, tt.step)
			}
			t.Logf("ended at %q: %v", step, err)
		})
	}
}
