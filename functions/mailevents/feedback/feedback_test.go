package feedback

import (
	"bytes"
	"context"
	"fmt"
	"marketplace/shared/input"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/store"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// testEnv is a Job over a store with a license and its reminder in the outbox.
type testEnv struct {
	*Job
	t      *testing.T
	faulty *tabletest.Faulty
	store  *store.Store
	log    bytes.Buffer
	l      license.License
	sent   feedbacktest.Mail
}

var now = time.Date(2018, 3, 1, 9, 30, 0, 0, time.UTC)

var letters = letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@vendor.example"}}

func newTestEnv(t *testing.T, contacts ...string) *testEnv {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	clock := func() time.Time { return now }
	w := &testEnv{t: t, faulty: &tabletest.Faulty{Table: engine}}
	w.store = store.New(w.faulty, store.Options{Now: clock})
	w.Job = New(Options{
		Store: w.store, Now: clock, Log: logging.New(&w.log),
		Unreached: letters.LicenseUnreached,
	})
	w.l = license.License{
		ID: "l1", Type: license.Production, Organization: "Acme AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1,
		Expiration: license.DateOf(now).AddMonths(2),
	}
	for _, c := range contacts {
		w.l.Contacts = append(w.l.Contacts, license.Contact{Email: c})
	}
	if _, err := w.store.AddLicense(t.Context(), w.l, "test"); err != nil {
		t.Fatal(err)
	}
	m := letters.LicenseExpiring("l1-2m-"+mail.RecipientID(contacts[0]), w.l, w.l.Contacts[0], license.DateOf(now))
	if err := w.store.SendKeyAgain(t.Context(), w.l.ID, store.System, m); err != nil {
		t.Fatal(err)
	}
	w.sent = feedbacktest.Mail{ID: m.ID, ProviderID: "0100016b-ses-1", To: contacts[0], At: now}
	return w
}

func (w *testEnv) receive(messages ...string) {
	w.t.Helper()
	if _, err := w.Invoke(w.t.Context(), feedbacktest.Notification(now, messages...)); err != nil {
		w.t.Fatal(err)
	}
}

// timeline returns what the timeline says after the mail was put into the outbox.
func (w *testEnv) timeline() (list []string) {
	w.t.Helper()
	events, err := w.store.LicenseTimeline(w.t.Context(), w.l.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range events[2:] {
		list = append(list, strings.TrimSuffix(string(e.Action)+": "+e.Note, ": "))
	}
	return list
}

func TestEventsAreRecorded(t *testing.T) {
	const diagnostic = "smtp; 550 5.1.1 user unknown"
	toNextContact := "mail goes to the next contact: it@acme.example"
	for name, tt := range map[string]struct {
		message    func(feedbacktest.Mail) string
		timeline   []string
		suppressed bool
	}{
		"permanent": {func(m feedbacktest.Mail) string {
			return feedbacktest.Bounce(m, "Permanent", "General",
				diagnostic)
		},
			[]string{"mail bounced: ada@acme.example: General, smtp; 550 5.1.1 user unknown", toNextContact}, true},
		"on the account's list": {func(m feedbacktest.Mail) string {
			return feedbacktest.Bounce(m, "Permanent", "OnAccountSuppressionList", "")
		},
			[]string{"mail bounced: ada@acme.example: OnAccountSuppressionList, 5.1.1", toNextContact}, true},
		"transient": {func(m feedbacktest.Mail) string {
			return feedbacktest.Bounce(m, "Transient", "MailboxFull",
				"")
		},
			[]string{"mail bounced for now: ada@acme.example: MailboxFull, 5.1.1"}, false},
		"undetermined": {func(m feedbacktest.Mail) string {
			return feedbacktest.Bounce(m, "Undetermined",
				"Undetermined", "")
		},
			[]string{"mail bounced for now: ada@acme.example: Undetermined, 5.1.1"}, false},
		"complaint": {func(m feedbacktest.Mail) string { return feedbacktest.Complaint(m, "abuse") },
			[]string{"complaint about a mail: ada@acme.example: abuse", toNextContact}, true},
		"complaint of no type": {func(m feedbacktest.Mail) string { return feedbacktest.Complaint(m, "") },
			[]string{"complaint about a mail: ada@acme.example", toNextContact}, true},
		"no complaint": {func(m feedbacktest.Mail) string { return feedbacktest.Complaint(m, "not-spam") }, nil, false},
		"reject": {func(m feedbacktest.Mail) string { return feedbacktest.Reject(m, "Bad content") },
			[]string{"mail refused by the carrier: ada@acme.example: Bad content"}, false},
		"delivery": {func(feedbacktest.Mail) string { return `{"eventType":"Delivery","mail":{"messageId":"x"}}` },
			nil, false},
		"first": {func(feedbacktest.Mail) string {
			return "Successfully validated SNS topic for Amazon SES event publishing."
		}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t, "ada@acme.example", "it@acme.example")
			w.receive(tt.message(w.sent))
			w.receive(tt.message(w.sent), tt.message(w.sent)) // delivered again
			if got := w.timeline(); !slices.Equal(got, tt.timeline) {
				t.Errorf("timeline: got %q, want %q", got, tt.timeline)
			}
			if why, err := w.store.Suppressed(t.Context(), "ada@acme.example"); err != nil ||
				(why != nil) != tt.suppressed {
				t.Errorf("suppressed: %v, %v", why, err)
			}
			if s := w.log.String(); strings.Contains(s, "@") || strings.Contains(s, `"level":"ERROR"`) {
				t.Errorf("logged %s", s)
			}
		})
	}
}

func TestEventsMayArriveInAnyOrderAndBeforeTheMailIsRecorded(t *testing.T) {
	w := newTestEnv(t, "ada@acme.example")
	m, err := w.store.ClaimMail(t.Context(), w.sent.ID, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	w.receive(feedbacktest.Complaint(w.sent, "abuse"), feedbacktest.Bounce(w.sent, "Permanent", "General", ""))
	if err := w.store.RecordSent(t.Context(), m, w.sent.ProviderID); err != nil {
		t.Errorf("the mailer cannot record what it sent: %v", err)
	}
	want := []string{"complaint about a mail: ada@acme.example: abuse", "no contact can be reached",
		"mail bounced: ada@acme.example: General, 5.1.1"}
	if got := w.timeline(); !slices.Equal(got, want) {
		t.Errorf("timeline: got %q", got)
	}
	if ids, err := w.store.PendingMail(t.Context(), "", 10); err != nil ||
		!slices.Equal(ids, []string{letters.LicenseUnreached(w.l).ID}) {
		t.Errorf("pending %q, %v", ids, err)
	}
}

func TestMalformedRecordsDoNotStopTheOthers(t *testing.T) {
	w := newTestEnv(t, "ada@acme.example", "it@acme.example")
	stranger := w.sent
	stranger.ID = "none"
	foreign := w.sent
	foreign.ID = ""
	w.receive(`{"eventType":`, "null", "[]", `"Bounce"`, `{"mail":{}}`, `{"eventType":"Bounce"}`,
		`{"eventType":"Bounce","mail":{"messageId":"x","tags":{"mail":"no list"}}}`, "ada@acme.example",
		feedbacktest.Bounce(stranger, "Permanent", "General", ""),
		feedbacktest.Bounce(foreign, "Permanent", "General", ""),
		feedbacktest.Bounce(w.sent, "Permanent", "General", ""))
	if got := w.timeline(); len(got) != 2 {
		t.Errorf("timeline: got %q", got)
	}
	s := w.log.String()
	if !strings.Contains(s, `"unknown":2,"MailsBounced":1,"MailsComplained":0,"MailEventsMalformed":8`) ||
		strings.Contains(s, "@") {
		t.Errorf("logged %s", s)
	}
	for _, payload := range []string{"", "{}", `{"Records":[]}`, `{"Records":7}`, "null"} {
		if _, err := w.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("payload %q: got no error", payload)
		}
	}
}

func TestFailingStoreIsAnErrorAndTheNextDeliverySucceeds(t *testing.T) {
	for _, op := range []string{"get", "transact"} {
		for _, fault := range []tabletest.Fault{
			tabletest.Down, tabletest.Lost, {Before: fmt.Errorf("%w: the row of ada@acme.example",
				table.ErrUnavailable)},
		} {
			w := newTestEnv(t, "ada@acme.example", "it@acme.example")
			payload := feedbacktest.Notification(now, "no event",
				feedbacktest.Bounce(w.sent, "Permanent", "General", ""), feedbacktest.Reject(w.sent, "Bad content"))
			failed := false
			w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op != op || failed {
					return tabletest.Fault{}
				}
				failed = true
				return fault
			}
			if _, err := w.Invoke(t.Context(), payload); err == nil || strings.Contains(err.Error(), "@") {
				t.Errorf("%s: %v", op, err)
			}
			if got := w.timeline(); !slices.Contains(got,
				"mail refused by the carrier: ada@acme.example: Bad content") {
				t.Errorf("%s: the other record was not processed: %q", op, got)
			}
			if _, err := w.Invoke(t.Context(), payload); err != nil {
				t.Errorf("%s: %v", op, err)
			}
			if got := w.timeline(); len(got) != 3 {
				t.Errorf("%s: timeline: got %q", op, got)
			}
		}
	}
	w := newTestEnv(t, "ada@acme.example")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Invoke(ctx, feedbacktest.Notification(now, feedbacktest.Reject(w.sent, "x"))); err == nil {
		t.Error("cancelled context: got no error")
	}
}

func TestDiagnosticBecomesOneHarmlessLine(t *testing.T) {
	for _, diagnostic := range []string{
		"smtp; 550\r\nBcc: eve@example.com\x00\u202egnp.exe\u2028x", strings.Repeat("é", 5000), "\xff\xfe",
		`"><script>alert(1)</script>`,
	} {
		w := newTestEnv(t, "ada@acme.example", "it@acme.example")
		w.receive(feedbacktest.Bounce(w.sent, "Permanent", "General", diagnostic))
		events, err := w.store.LicenseTimeline(t.Context(), "l1")
		if err != nil || len(events) != 4 {
			t.Fatalf("%+v, %v", events, err)
		}
		note := events[2].Note
		if strings.ContainsAny(note, "\r\n\x00\u202e\u2028") || !utf8.ValidString(note) ||
			utf8.RuneCountInString(note) > maxDetail+40 {
			t.Errorf("%q", note)
		}
	}
}

func TestEventMayNameSeveralRecipients(t *testing.T) {
	r := store.Report{ProviderID: "c", Outcome: store.Bounced, Detail: "General"}
	list := reports(r, []recipient{{Email: "a@x.example", Status: "5.1.1", Diagnostic: "smtp; 550 5.1.1 no"},
		{Email: "A@x.example"}, {Email: "b@x.example", Status: "5.7.1", Diagnostic: "no"}})
	if len(list) != 2 || list[0].Recipient != "a@x.example" || list[0].Detail != "General, smtp; 550 5.1.1 no" ||
		list[1].Detail != "General, 5.7.1, no" {
		t.Errorf("%+v", list)
	}
	many := make([]recipient, 1000)
	for i := range many {
		many[i].Email = strings.Repeat("a", i+1) + "@x.example"
	}
	if n := len(reports(r, many)); n != maxRecipients {
		t.Errorf("got %d of 1000 recipients, want %d", n, maxRecipients)
	}
	if list := reports(r, nil); len(list) != 1 || list[0].Recipient != "" {
		t.Errorf("%+v", list)
	}
}

func FuzzParse(f *testing.F) {
	m := feedbacktest.Mail{ID: "m1", ProviderID: "c1", To: "ada@acme.example", At: now}
	f.Add(feedbacktest.Bounce(m, "Permanent", "General", "smtp; 550 5.1.1 user unknown"))
	f.Add(feedbacktest.Complaint(m, "abuse"))
	f.Add(feedbacktest.Reject(m, "Bad content"))
	f.Add("Successfully validated SNS topic for Amazon SES event publishing.")
	f.Fuzz(func(t *testing.T, message string) {
		list, err := parse(message)
		if err != nil && len(list) > 0 || len(list) > maxRecipients {
			t.Fatalf("%d reports, %v", len(list), err)
		}
		for _, r := range list {
			for _, s := range []string{r.Mail, r.ProviderID, r.Recipient, r.Detail} {
				if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxDetail || input.OneLine(s, maxDetail) != s {
					t.Errorf("%q", s)
				}
			}
			if r.ProviderID == "" || r.Outcome == "" {
				t.Errorf("%+v", r)
			}
		}
	})
}
