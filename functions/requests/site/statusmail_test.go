package site

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web/webtest"
)

// issueTo issues a license for a request and queues the email with its key to an address.
func (env *testEnv) issueTo(r request.Request, to string, packages ...string) string {
	env.t.Helper()
	l := license.License{
		ID: "01c7wnn8g0aaaaaaaaaaaaaaaa", Type: license.Production, Organization: "Customer", Server: r.Server,
		Edition: license.Developer, MaxLoc: 1000, Expiration: terms().Expiration, Packages: packages,
	}
	c, err := sample()
	if err != nil {
		env.t.Fatal(err)
	}
	e, _ := c.Edition("developer")
	l.Plugins = e.Plugins
	env.answer(r, license.Contact{Email: to}, l)
	return l.ID + "--key"
}

func (env *testEnv) bounced(id string) {
	env.t.Helper()
	report := outbox.Report{Mail: id, ProviderID: "provider-1", Outcome: outbox.Bounced}
	if _, err := env.store.RecordReport(env.t.Context(), report); err != nil {
		env.t.Fatal(err)
	}
}

func TestStatusSaysWhatBecameOfTheKey(t *testing.T) {
	const own, other = "jane.doe@customer.example", "peter@partner.example"
	for name, tt := range map[string]struct {
		to      string
		happens func(*testEnv, string)
		lead    string
		history string // the last line
	}{
		"queued": {own, func(*testEnv, string) {}, "We will email you the key with installation steps.",
			"We issued the license."},
		"being sent": {own, func(env *testEnv, id string) { env.begin(id) },
			"We will email you the key with installation steps.", "We issued the license."},
		"accepted": {own, (*testEnv).sent,
			"We emailed the key with installation steps to jane.doe@customer.example on 05 Mar 2018, 09:30 UTC.",
			"We emailed the key to jane.doe@customer.example."},
		"accepted, for another contact": {other, (*testEnv).sent,
			"We emailed the key with installation steps to p…@partner.example on 05 Mar 2018, 09:30 UTC.",
			"We emailed the key to p…@partner.example."},
		"delivered": {own, func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Delivered})
		}, "We emailed the key with installation steps to jane.doe@customer.example on 05 Mar 2018, 09:30 UTC. " +
			"Your mail server accepted it.", "We emailed the key to jane.doe@customer.example."},
		"delayed, for another contact": {other, func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Delayed})
		}, "We emailed the key with installation steps to p…@partner.example on 05 Mar 2018, 09:30 UTC. " +
			"The recipient's mail server has not accepted it yet. We keep trying.",
			"We emailed the key to p…@partner.example."},
		"returned, to be sent again": {own, func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Returned, Status: "5.2.2"})
		}, "We will email you the key with installation steps.",
			"The email with the key could not be delivered to jane.doe@customer.example."},
		"given up": {own, func(env *testEnv, id string) {
			if err := env.store.Outbox().Fail(env.t.Context(), env.begin(id), "no such domain"); err != nil {
				env.t.Fatal(err)
			}
		}, "The email could not be delivered to jane.doe@customer.example.", "We issued the license."},
		"bounced": {other, func(env *testEnv, id string) { env.sent(id); env.bounced(id) },
			"The email could not be delivered to p…@partner.example.",
			"The email with the key could not be delivered to p…@partner.example."},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			r, page := env.fileForm()
			tt.happens(env, env.issueTo(r, tt.to))
			a := env.get(page).WantStatus(200)
			doc := a.Page()
			if got := webtest.Text(doc.Find(".lead")); got != tt.lead {
				t.Errorf("got %q, want %q", got, tt.lead)
			}
			lines := historyLines(doc)
			if got := lines[len(lines)-1]; got != tt.history {
				t.Errorf("got history %q, want %q last", lines, tt.history)
			}
			main := webtest.Text(doc.Find("main"))
			failed := strings.Contains(tt.lead, "could not")
			if strings.Contains(main, "To receive the key, write to sales@vendor.example") != failed ||
				strings.Contains(main, "Install the key as described in our email") == failed {
				t.Errorf("got next step in %q, failed %t", main, failed)
			}
			if strings.Contains(a.Body, other) || strings.Contains(a.Body, "no such domain") {
				t.Error("the page shows another contact's address or an internal error")
			}
		})
	}
}

// reported records what the mail provider reports about an email.
func (env *testEnv) reported(id string, r outbox.Report) {
	env.t.Helper()
	r.Mail, r.ProviderID = id, "provider-1"
	if _, err := env.store.RecordReport(env.t.Context(), r); err != nil {
		env.t.Fatal(err)
	}
}

// TestStatusAndAPIListOurEmails compares the list on the page and its JSON.
func TestStatusAndAPIListOurEmails(t *testing.T) {
	at := start.Add(time.Minute)
	for name, tt := range map[string]struct {
		happens func(env *testEnv, id string)
		says    []string // of each email
		states  []string // of each email: state and time
	}{
		"queued": {func(*testEnv, string) {}, []string{"waiting to be sent."}, []string{"queued"}},
		"being sent": {func(env *testEnv, id string) { env.begin(id) }, []string{"waiting to be sent."},
			[]string{"queued"}},
		"sent": {(*testEnv).sent, []string{"sent on 05 Mar 2018, 09:30 UTC."}, []string{"sent 09:30"}},
		"delivered": {func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Delivered, At: at, Detail: "250 internal.host ok"})
		}, []string{"your mail server accepted it on 05 Mar 2018, 09:31 UTC."}, []string{"delivered 09:31"}},
		"absence note": {func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Delivered, At: at})
			env.reported(id, outbox.Report{Outcome: outbox.Returned, At: at})
		}, []string{"your mail server accepted it on 05 Mar 2018, 09:31 UTC."}, []string{"delivered 09:31"}},
		"delayed": {func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Delayed})
		}, []string{"sent on 05 Mar 2018, 09:30 UTC. Your mail server has not accepted it yet. We keep trying."},
			[]string{"delayed 09:30"}},
		"returned": {func(env *testEnv, id string) {
			env.sent(id)
			env.reported(id, outbox.Report{Outcome: outbox.Returned, Status: "5.2.2", Detail: "mailbox full"})
		}, []string{"it did not arrive. Your mail server sent it back.",
			"the previous email did not arrive, so we will send it again on 06 Mar 2018, 09:30 UTC."},
			[]string{"returned 09:30", "queued 09:30"}},
		"returned twice": {func(env *testEnv, id string) {
			for _, id := range []string{id, id + "-repeated"} {
				env.sent(id)
				env.reported(id, outbox.Report{Outcome: outbox.Returned, Status: "5.2.2"})
			}
		}, []string{"it did not arrive. Your mail server sent it back.", "it could not be delivered."},
			[]string{"returned 09:30", "failed 09:30"}},
		"bounced": {func(env *testEnv, id string) { env.sent(id); env.bounced(id) },
			[]string{"it could not be delivered."}, []string{"failed 09:30"}},
		"failed": {func(env *testEnv, id string) {
			if err := env.store.Outbox().Fail(env.t.Context(), env.begin(id), "550 internal.host no"); err != nil {
				env.t.Fatal(err)
			}
		}, []string{"it could not be delivered."}, []string{"failed 09:30"}},
		"pointless": {func(env *testEnv, id string) {
			m, err := env.store.Outbox().Read(env.t.Context(), id)
			if err == nil {
				err = env.store.Outbox().Drop(env.t.Context(), m, "the customer has since been told more")
			}
			if err != nil {
				env.t.Fatal(err)
			}
		}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			r, page := env.fileForm()
			tt.happens(env, r.ID+"--received")
			a := env.get(page).WantStatus(200)
			webtest.CheckPage(t, a.Page())
			var says []string
			a.Page().Find(".emails dd").Each(func(_ int, s *goquery.Selection) {
				says = append(says, strings.TrimPrefix(webtest.Text(s), "To jane.doe@customer.example: "))
			})
			if !slices.Equal(says, tt.says) {
				t.Errorf("got %q, want %q", says, tt.says)
			}
			answer := env.get("/api/license-requests/" + r.ID + "?token=" + r.Token).WantStatus(200)
			var got struct {
				Emails []struct {
					Kind, To, State string
					At              time.Time
				}
			}
			if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || got.Emails == nil {
				t.Fatalf("got %s, %v, want an array of emails", answer.Body, err)
			}
			var states []string
			for _, e := range got.Emails {
				state := e.State
				if !e.At.IsZero() {
					state += e.At.Format(" 15:04")
				}
				states = append(states, state)
				if e.Kind != "request-received" || e.To != "jane.doe@customer.example" {
					t.Errorf("got email %+v", e)
				}
			}
			if !slices.Equal(states, tt.states) {
				t.Errorf("got states %q, want %q", states, tt.states)
			}
			told := a.Body + answer.Body
			if strings.Contains(told, "internal") || strings.Contains(told, "mailbox full") {
				t.Error("the page or the API tells technical details")
			}
			if public := env.get("/api/license-requests/" + r.ID); strings.Contains(public.Body, "emails") {
				t.Error("the API tells of emails without the token")
			}
		})
	}
}

func TestStatusSaysThatOurEmailsDoNotArrive(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	if env.get(page).Page().Find("#lost").Length() > 0 {
		t.Error("got a warning before the email was sent, want none")
	}
	env.sent(r.ID + "--received")
	env.bounced(r.ID + "--received")
	got := webtest.Text(env.get(page).WantStatus(200).Page().Find("#lost"))
	if !strings.Contains(got, "could not be delivered to jane.doe@customer.example") ||
		!strings.Contains(got, "write to sales@vendor.example") {
		t.Errorf("got %q, want that our email was not delivered", got)
	}
	main := webtest.Text(env.get(page).Page().Find("main"))
	for _, untrue := range []string{"We will email you", "nothing you need to do", "Reply to our email"} {
		if strings.Contains(main, untrue) {
			t.Errorf("got %q beside the warning", untrue)
		}
	}
}

// TestStatusSaysThatOurQuestionDidNotArrive has a confirmation that arrived, which says nothing about the question.
func TestStatusSaysThatOurQuestionDidNotArrive(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	env.sent(r.ID + "--received")
	env.review(r, request.Waiting, "Which version?")
	id := fmt.Sprintf("%s--question-%d", r.ID, r.Version)
	env.sent(id)
	const reply = "You can also reply to our email."
	doc := env.get(page).WantStatus(200).Page()
	if doc.Find("#lost").Length() > 0 || !strings.Contains(webtest.Text(doc.Find("main")), reply) {
		t.Error("got a warning, want how to answer the email")
	}
	env.bounced(id)
	doc = env.get(page).WantStatus(200).Page()
	got := webtest.Text(doc.Find("#lost"))
	if !strings.Contains(got, "The email with our question could not be delivered to jane.doe@customer.example") ||
		strings.Contains(webtest.Text(doc.Find("main")), reply) {
		t.Errorf("got %q, want that our question was not delivered, and no email to reply to", got)
	}
}

func TestIssuedRequestLinksPackageAndInstallation(t *testing.T) {
	links := func(doc *goquery.Document) (list []string) {
		doc.Find("dl.license a").Each(func(_ int, a *goquery.Selection) {
			list = append(list, a.AttrOr("href", ""))
		})
		return list
	}
	env := newTestEnv(t)
	r, page := env.fileForm()
	env.issueTo(r, r.Email)
	c, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	standard, _ := c.Package("developer", "6.7.1")
	want := []string{standard.URL, "/editions/developer#install"}
	if got := links(env.get(page).Page()); !slices.Equal(got, want) {
		t.Errorf("standard: got links %q, want %q", got, want)
	}

	env = newTestEnv(t)
	r, page = env.fileForm()
	env.issueTo(r, r.Email, "developer-edition-6.7.1-secret.zip")
	want = []string{packagesURL + "/tailored/developer-edition-6.7.1-secret.zip", "/editions/developer#install"}
	if got := links(env.get(page).Page()); !slices.Equal(got, want) {
		t.Errorf("custom: got links %q, want %q", got, want)
	}
}
