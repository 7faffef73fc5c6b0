package feedback

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// testEnv is a Job over a store with a license and its reminder in the outbox.
type testEnv struct {
	*Job
	t      *testing.T
	faulty *tabletest.Faulty
	store  *delivery.Store
	log    bytes.Buffer
	l      license.License
	sent   feedbacktest.Mail
}

var now = time.Date(2018, 3, 1, 9, 30, 0, 0, time.UTC)

func newTestEnv(t *testing.T, contacts ...string) *testEnv {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	clock := func() time.Time { return now }
	w := &testEnv{t: t, faulty: &tabletest.Faulty{Table: engine}}
	w.store = delivery.New(store.New(w.faulty, store.Options{Now: clock}))
	w.Job = New(Options{Store: w.store, Now: clock, Log: logging.New(&w.log, "test")})
	w.l = license.License{
		ID: "l1", Type: license.Production, Organization: "Acme AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1,
		Expiration: license.DateOf(now).AddMonths(2),
	}
	var to []license.Contact
	for _, c := range contacts {
		to = append(to, license.Contact{Email: c})
	}
	w.l = storetest.Record(t, w.store.Store, w.l, to...).License
	if err := w.store.SendKeyAgain(t.Context(), w.l.ID, store.System, to[0], "now"); err != nil {
		t.Fatal(err)
	}
	m := notice.LicenseKeyAgain(w.l, to[0], "now")
	w.sent = feedbacktest.Mail{ID: m.ID, ProviderID: "0100016b-ses-1", To: contacts[0], At: now}
	return w
}

// receive hands events over as one batch, of which none may fail.
func (w *testEnv) receive(events ...string) {
	w.t.Helper()
	if failed := w.invoke(events...); len(failed) > 0 {
		w.t.Fatalf("records %q failed:\n%s", failed, w.log.String())
	}
}

// invoke hands events over as one batch and returns the IDs of the records that failed.
func (w *testEnv) invoke(events ...string) (failed []string) {
	w.t.Helper()
	answer, err := w.Invoke(w.t.Context(), feedbacktest.Batch(events...))
	if err != nil {
		w.t.Fatal(err)
	}
	var a failures
	if err := json.Unmarshal(answer, &a); err != nil || a.Items == nil {
		w.t.Fatalf("got the answer %s, %v", answer, err)
	}
	for _, item := range a.Items {
		failed = append(failed, item.ID)
	}
	return failed
}

// timeline returns what the timeline says after the mail was put into the outbox.
func (w *testEnv) timeline() (list []string) {
	w.t.Helper()
	events, _, err := w.store.LicenseTimeline(w.t.Context(), w.l)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range events[2:] {
		list = append(list, strings.TrimSuffix(string(e.Action)+": "+e.Note, ": "))
	}
	return list
}

func TestEventsAreRecorded(t *testing.T) {
	toNextContact := "mail goes to the next contact: it@acme.example"
	for name, tt := range map[string]struct {
		event      feedbacktest.Event
		timeline   []string
		suppressed bool
	}{
		"permanent": {feedbacktest.HardBounce(),
			[]string{"mail bounced: ada@acme.example: General, smtp; 550 5.1.1 user unknown", toNextContact}, true},
		"on the account's list": {feedbacktest.Bounce("Permanent", "OnAccountSuppressionList", "5.1.1", ""),
			[]string{"mail bounced: ada@acme.example: OnAccountSuppressionList, 5.1.1", toNextContact}, true},
		"transient": {feedbacktest.SoftBounce(),
			[]string{"mail returned: ada@acme.example: MailboxFull, 4.4.7, smtp; 452 4.2.2 mailbox full",
				"mail is sent again in a day: ada@acme.example"}, false},
		"undetermined": {feedbacktest.Bounce("Undetermined", "Undetermined", "", ""),
			[]string{"mail returned or answered automatically: ada@acme.example: Undetermined",
				"mail is sent again in a day: ada@acme.example"}, false},
		"delay": {feedbacktest.Delay("MailboxFull"),
			[]string{"mail delayed: ada@acme.example: MailboxFull, smtp; 452 4.2.2 mailbox full"}, false},
		"complaint": {feedbacktest.Complaint("abuse"),
			[]string{"complaint about a mail: ada@acme.example: abuse", toNextContact}, true},
		"complaint of no type": {feedbacktest.Complaint(""),
			[]string{"complaint about a mail: ada@acme.example", toNextContact}, true},
		"no complaint": {feedbacktest.Complaint("not-spam"), nil, false},
		"reject": {feedbacktest.Reject(),
			[]string{"mail refused by the carrier: ada@acme.example: Bad content"}, false},
		"send":     {feedbacktest.Send(), nil, false},
		"delivery": {feedbacktest.Delivery(), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t, "ada@acme.example", "it@acme.example")
			event := tt.event.JSON(w.sent)
			w.receive(event)
			w.receive(event, event) // delivered again
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
	box := w.store.Outbox()
	m, err := box.Read(t.Context(), w.sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = box.Begin(t.Context(), m, 1, mail.Message{ID: m.ID}); err != nil {
		t.Fatal(err)
	}
	w.receive(feedbacktest.Complaint("abuse").JSON(w.sent),
		feedbacktest.Bounce("Permanent", "General", "5.1.1", "").JSON(w.sent), feedbacktest.Send().JSON(w.sent))
	if m, err = box.Read(t.Context(), w.sent.ID); err != nil || m.State.Status != outbox.Sent {
		t.Errorf("got the mail %+v, %v, want it sent", m.State, err)
	}
	want := []string{"complaint about a mail: ada@acme.example: abuse", "no contact can be reached",
		"mail bounced: ada@acme.example: General, 5.1.1"}
	if got := w.timeline(); !slices.Equal(got, want) {
		t.Errorf("timeline: got %q", got)
	}
	if known, err := box.Exists(t.Context(), notice.LicenseUnreached(w.l).ID); err != nil || !known {
		t.Errorf("got no mail to sales, %v", err)
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
		feedbacktest.HardBounce().JSON(stranger), feedbacktest.Send().JSON(foreign),
		feedbacktest.Validation, `{"eventType":"Open","mail":{"messageId":"x"}}`,
		`{"eventType":"Rendering Failure","mail":{"messageId":"x"}}`, feedbacktest.HardBounce().JSON(w.sent))
	if got := w.timeline(); len(got) != 2 {
		t.Errorf("timeline: got %q", got)
	}
	s := w.log.String()
	if !strings.Contains(s, `"unknown":2,"MailsDelivered":0,"MailsReturned":0,"MailsBounced":1,`+
		`"MailsComplained":0,"MailEventsFailed":0,"MailEventsMalformed":8`) ||
		strings.Contains(s, "@") {
		t.Errorf("logged %s", s)
	}
	for _, payload := range []string{
		"", "{}", `{"Records":[]}`, `{"Records":7}`, "null",
	} {
		if _, err := w.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("payload %q: got no error", payload)
		}
	}
}

func TestOnlyRecordsThatTheStoreDidNotRecordAreDeliveredAgain(t *testing.T) {
	for _, op := range []string{"query", "transact"} {
		for _, fault := range []tabletest.Fault{
			tabletest.Down, tabletest.Lost, {Before: fmt.Errorf("%w: the row of ada@acme.example",
				table.ErrUnavailable)},
		} {
			w := newTestEnv(t, "ada@acme.example", "it@acme.example")
			events := []string{"no event", feedbacktest.HardBounce().JSON(w.sent), feedbacktest.Reject().JSON(w.sent)}
			failed := false
			w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op != op || failed {
					return tabletest.Fault{}
				}
				failed = true
				return fault
			}
			if got := w.invoke(events...); !slices.Equal(got, []string{feedbacktest.MessageID(1)}) {
				t.Errorf("%s: got the failures %q, want the second record", op, got)
			}
			if got := w.timeline(); !slices.Contains(got,
				"mail refused by the carrier: ada@acme.example: Bad content") {
				t.Errorf("%s: the other record was not processed: %q", op, got)
			}
			w.receive(events[1])
			if got := w.timeline(); len(got) != 3 {
				t.Errorf("%s: timeline: got %q", op, got)
			}
			if s := w.log.String(); strings.Contains(s, "@") || !strings.Contains(s, `"MailEventsFailed":1`) {
				t.Errorf("logged %s", s)
			}
		}
	}
	w := newTestEnv(t, "ada@acme.example")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	answer, err := w.Invoke(ctx, feedbacktest.Batch(feedbacktest.Reject().JSON(w.sent)))
	if want := `{"batchItemFailures":[{"itemIdentifier":"` + feedbacktest.MessageID(0) + `"}]}`; err != nil ||
		string(answer) != want {
		t.Errorf("cancelled context: got %s, %v, want %s", answer, err, want)
	}
}

// TestEventsBecomeReports has an event for every type and subtype that SES documents.
func TestEventsBecomeReports(t *testing.T) {
	m := feedbacktest.Mail{
		ID: "l1--key", Kind: "license-key", About: "l1", Attempt: 2, ProviderID: "0100016b", To: "ada@acme.example",
		At: now,
	}
	at := now.Add(90 * time.Second)
	bounce := func(kind, subtype string, o outbox.Outcome) struct {
		event feedbacktest.Event
		want  outbox.Report
	} {
		return struct {
			event feedbacktest.Event
			want  outbox.Report
		}{feedbacktest.Bounce(kind, subtype, "5.7.1", "smtp; 550 5.7.1 no"), outbox.Report{Recipient: m.To, Outcome: o,
			Status: "5.7.1", Detail: subtype + ", smtp; 550 5.7.1 no"}}
	}
	for _, tt := range []struct {
		event feedbacktest.Event
		want  outbox.Report
	}{
		{feedbacktest.Send(), outbox.Report{Outcome: outbox.Accepted}},
		{feedbacktest.Delivery(), outbox.Report{Recipient: m.To, Outcome: outbox.Delivered, Detail: "250 2.0.0 OK"}},
		{feedbacktest.Delay("RecipientServerError"), outbox.Report{Recipient: m.To, Outcome: outbox.Delayed,
			Status: "4.2.2", Detail: "RecipientServerError, smtp; 452 4.2.2 mailbox full"}},
		bounce("Undetermined", "Undetermined", outbox.Returned),
		bounce("Permanent", "General", outbox.Bounced),
		bounce("Permanent", "NoEmail", outbox.Bounced),
		bounce("Permanent", "Suppressed", outbox.Bounced),
		bounce("Permanent", "OnAccountSuppressionList", outbox.Bounced),
		bounce("Permanent", "OnTenantSuppressionList", outbox.Bounced),
		bounce("Permanent", "EmailValidationSuppressed", outbox.Bounced),
		bounce("Transient", "General", outbox.Returned),
		bounce("Transient", "MailboxFull", outbox.Returned),
		bounce("Transient", "MessageTooLarge", outbox.Returned),
		bounce("Transient", "CustomTimeoutExceeded", outbox.Returned),
		bounce("Transient", "ContentRejected", outbox.Returned),
		bounce("Transient", "AttachmentRejected", outbox.Returned),
		bounce("SomethingNew", "General", outbox.Returned),
		{feedbacktest.Absence(), outbox.Report{Recipient: m.To, Outcome: outbox.Returned, Detail: "General"}},
		{feedbacktest.Bounce("Transient", "General", "4.4.7 (expired)", ""), outbox.Report{Recipient: m.To,
			Outcome: outbox.Returned, Status: "4.4.7", Detail: "General, 4.4.7 (expired)"}},
		{feedbacktest.Bounce("Transient", "General", "failed", ""), outbox.Report{Recipient: m.To,
			Outcome: outbox.Returned, Detail: "General, failed"}},
		{feedbacktest.Bounce("Transient", "General", "5.1", "x"), outbox.Report{Recipient: m.To,
			Outcome: outbox.Returned, Detail: "General, 5.1, x"}},
		{feedbacktest.Complaint("abuse"), outbox.Report{Recipient: m.To, Outcome: outbox.Complained, Detail: "abuse"}},
		{feedbacktest.Event{Type: "Complaint", Subtype: "OnAccountSuppressionList"}, outbox.Report{Recipient: m.To,
			Outcome: outbox.Complained, Detail: "OnAccountSuppressionList"}},
		{feedbacktest.Reject(), outbox.Report{Outcome: outbox.Refused, Detail: "Bad content"}},
	} {
		if !slices.Contains(EventTypes, tt.event.Type) {
			t.Errorf("%s is not among EventTypes", tt.event.Type)
		}
		tt.event.At = at
		tt.want.Mail, tt.want.Attempt, tt.want.ProviderID, tt.want.At = m.ID, m.Attempt, m.ProviderID, at
		if tt.want.Outcome == outbox.Accepted || tt.want.Outcome == outbox.Refused { // these have no time of their own
			tt.want.At = now
		}
		got, err := parse(tt.event.JSON(m))
		if err != nil || len(got) != 1 || got[0] != tt.want {
			t.Errorf("%+v: got %+v, %v\nwant %+v", tt.event, got, err, tt.want)
		}
	}
}

func TestTagsAndTimesAreReadStrictly(t *testing.T) {
	for tag, want := range map[string]int{
		"1": 1, "12": 12, "": 0, "0": 0, "-1": 0, "01": 0, "1.5": 0, "99999999999": 0, "x": 0,
	} {
		message := `{"eventType":"Send","mail":{"messageId":"x","tags":{"mail":["m"],"attempt":["` + tag + `"]}}}`
		if got, err := parse(message); err != nil || got[0].Attempt != want || got[0].Mail != "m" {
			t.Errorf("attempt %q: got %+v, %v, want %d", tag, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"2018-03-01T09:30:00.123Z":      "2018-03-01T09:30:00.123Z",
		"2018-03-01T09:30:00.000-07:00": "2018-03-01T16:30:00Z",
		"1519896600":                    "0001-01-01T00:00:00Z", "": "0001-01-01T00:00:00Z",
	} {
		got, err := parse(`{"eventType":"Send","mail":{"messageId":"x","timestamp":"` + text + `"}}`)
		if err != nil || got[0].At.Format(time.RFC3339Nano) != want {
			t.Errorf("time %q: got %+v, %v, want %s", text, got, err, want)
		}
	}
}

func TestDiagnosticBecomesOneHarmlessLine(t *testing.T) {
	for _, diagnostic := range []string{
		"smtp; 550\r\nBcc: eve@example.com\x00\u202egnp.exe\u2028x", strings.Repeat("é", 5000), "\xff\xfe",
		`"><script>alert(1)</script>`,
	} {
		w := newTestEnv(t, "ada@acme.example", "it@acme.example")
		w.receive(feedbacktest.Bounce("Permanent", "General", "5.1.1", diagnostic).JSON(w.sent))
		events, _, err := w.store.LicenseTimeline(t.Context(), w.l)
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
	r := outbox.Report{ProviderID: "c", Outcome: outbox.Bounced, Detail: "General"}
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
	for _, e := range []feedbacktest.Event{
		feedbacktest.Send(), feedbacktest.Delivery(), feedbacktest.Delay("General"), feedbacktest.HardBounce(),
		feedbacktest.Complaint("abuse"), feedbacktest.Reject(),
	} {
		f.Add(e.JSON(m))
	}
	f.Add(feedbacktest.Validation)
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
			if r.ProviderID == "" || r.Outcome == "" || r.Attempt < 0 ||
				r.Status != "" && !statusCode().MatchString(r.Status) {
				t.Errorf("%+v", r)
			}
		}
	})
}
