package delivery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
)

// actionsOf lists the events of a timeline, with their notes.
func actionsOf(t *testing.T, events []store.Event, err error) (list []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		list = append(list, string(e.Action)+": "+e.Note)
	}
	return list
}

func settle(t *testing.T, b *testEnv, id string) {
	t.Helper()
	if err := b.Outbox().Settle(t.Context(), id, 1, "p1", b.now); err != nil {
		t.Fatal(err)
	}
}

func TestGivenUpMailIsTriedAgainOnce(t *testing.T) {
	b := newTestEnv(t)
	r, _, err := storetest.FileRequest(t.Context(), b, evaluation, "")
	if err != nil {
		t.Fatal(err)
	}
	id := notice.RequestReceived(r).ID
	if err := b.TryMailAgain(t.Context(), id, "sam@vendor.example"); err != nil {
		t.Fatal(err) // it is not given up: nothing changes
	}
	m, err := b.Outbox().Read(t.Context(), id)
	if err == nil {
		err = b.Outbox().Fail(t.Context(), m, "no such host")
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.TryMailAgain(t.Context(), id, "sam@vendor.example"); err != nil {
			t.Fatal(err)
		}
	}
	if got := pending(t, b.Store); !slices.Contains(got, id) {
		t.Errorf("got ready mails %q, want the one that is tried again", got)
	}
	if failed, err := b.FailedMails(t.Context(), 10); err != nil || len(failed) > 0 {
		t.Errorf("got failed mails %+v, %v, want none", failed, err)
	}
	events, err := b.RequestTimeline(t.Context(), r.ID)
	want := []string{"request received: ", "confirmed by the address: ",
		"mail tried again: request-received ada@acme.example"}
	if got := actionsOf(t, events, err); !slices.Equal(got, want) {
		t.Errorf("got timeline %q, want %q", got, want)
	}
	if err := b.TryMailAgain(t.Context(), "l9--key", "sam@vendor.example"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown mail: got %v, want not found", err)
	}
}

func TestAllGivenUpMailsAreTriedAgain(t *testing.T) {
	b := newTestEnv(t)
	for range 3 {
		if _, _, err := storetest.FileRequest(t.Context(), b, evaluation, ""); err != nil {
			t.Fatal(err)
		}
	}
	want := pending(t, b.Store)
	for _, id := range want {
		m, err := b.Outbox().Read(t.Context(), id)
		if err == nil {
			err = b.Outbox().Fail(t.Context(), m, "no such host")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{4, 2, 0} { // at most four at once
		if got, err := b.TryFailedMailsAgain(t.Context(), "sam@vendor.example", 4); err != nil || got != n {
			t.Errorf("got %d mails, %v, want %d", got, err, n)
		}
	}
	if got := pending(t, b.Store); !slices.Equal(got, want) {
		t.Errorf("got ready mails %q, want %q", got, want)
	}
}

// sentMails are one mail of each kind that has been sent, by its kind.
func sentMails(t *testing.T, b *testEnv) map[mail.Kind]string {
	t.Helper()
	asked := review(t, b, file(t, b, evaluation), request.Waiting, "Which version?")
	rejected := review(t, b, file(t, b, evaluation), request.Rejected, "No.")
	withdrawn := review(t, b, file(t, b, evaluation), request.Withdrawn, "Twice.")
	filed, _, err := b.FileRequest(t.Context(), store.Filing{Details: evaluation})
	if err != nil {
		t.Fatal(err)
	}
	asked2, told := file(t, b, evaluation), file(t, b, evaluation)
	carl := license.Contact{Email: "carl@acme.example"}
	of := storetest.Customer(t, b.Store.Store, "Acme AG", carl)
	for _, r := range []request.Request{asked2, told} {
		c := store.RequestChange{ID: r.ID, By: "sam@vendor.example"}
		err := b.LinkRequest(t.Context(), c, of.ID, "")
		if err == nil {
			err = b.AskContacts(t.Context(), c, carl)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := b.AnswerRequest(t.Context(), told.ID, carl.Email, true); err != nil {
		t.Fatal(err)
	}
	asked2.Asked = b.now
	alarm, list, answer := notice.RequestsOfDomain(told, license.DateOf(b.now)), notice.RequestsToConfirm(filed, "1"),
		notice.RequestAnswered(told, request.Answer{By: carl.Email, At: b.now.Truncate(time.Millisecond)})
	queued := b.Table().Begin()
	b.Outbox().Queue(queued, notice.RequestNew(told), alarm, list)
	if err := queued.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := license.License{
		ID: "l1", Type: license.Production, Organization: "Acme AG", Server: "AWHW8w9JtzBzSrmf9GQZ",
		Edition: license.Developer, MaxLoc: 1000, Expiration: license.Date{Year: 2018, Month: 4, Day: 15},
		KeyText: "Rm9ybWF0PTE=",
	}
	carol := license.Contact{Email: "carol@acme.example"}
	recorded := storetest.Issue(t, b.Store.Store, l, carol)
	d := b.NewDigest(recorded.License.Customer, license.DateOf(b.now), carol, b.now, 0)
	err = b.RecordReminder(t.Context(), store.Due{LicenseRecord: recorded},
		store.Reminding{Stage: reminder.MonthsBefore(2), Digest: d})
	if err == nil {
		err = d.Release(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	sent := map[mail.Kind]string{
		mail.RequestReceived:  notice.RequestReceived(filed).ID,
		mail.RequestNew:       notice.RequestNew(told).ID,
		mail.RequestsOfDomain: alarm.ID, mail.RequestsToConfirm: list.ID, mail.RequestAnswered: answer.ID,
		mail.RequestAsk:       notice.RequestAsk(asked2, carl, "").ID,
		mail.RequestQuestion:  notice.RequestQuestion(asked, asked.Version-1).ID,
		mail.RequestRejected:  notice.RequestClosed(rejected, rejected.Version-1, "").ID,
		mail.RequestWithdrawn: notice.RequestClosed(withdrawn, withdrawn.Version-1, "").ID,
		mail.LicenseKey:       notice.LicenseKey([]license.License{l}, carol).ID,
		mail.LicenseExpiring:  notice.LicensesExpiring(recorded.License.Customer, license.DateOf(b.now), carol, 1).ID,
	}
	for _, id := range sent {
		settle(t, b, id)
	}
	return sent
}

func TestEveryKindIsSentAgainOncePerNonce(t *testing.T) {
	b := newTestEnv(t)
	for kind, id := range sentMails(t, b) {
		before := pending(t, b.Store)
		for _, nonce := range []string{"n1", "n1", "n2"} {
			if err := b.SendMailAgain(t.Context(), id, "sam@vendor.example", nonce); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		var again []string
		for _, id := range pending(t, b.Store) {
			if !slices.Contains(before, id) {
				again = append(again, id)
			}
		}
		if len(again) != 2 {
			t.Errorf("%s: got mails %q, want one for each nonce", kind, again)
		}
		for _, id := range again {
			m, err := b.Outbox().Read(t.Context(), id)
			if err != nil || m.Kind != kind || !eml.ValidID(id) || notice.AboutID(id) != m.Notice.About ||
				m.Resent != (kind == mail.LicenseKey) || m.Repeats != "" {
				t.Errorf("%s: got %+v, %v", kind, m.Notice, err)
			}
			settle(t, b, id)
		}
		if err := b.SendMailAgain(t.Context(), again[0], "sam@vendor.example", "n3"); err != nil {
			t.Errorf("%s, again of again: %v", kind, err)
		}
		if got := pending(t, b.Store); !slices.ContainsFunc(got, func(id string) bool {
			return strings.Contains(id, "again-n3") && strings.Count(id, "again") == 1
		}) {
			t.Errorf("%s: got mails %q, want one of the third nonce", kind, got)
		}
	}
	l, err := b.License(t.Context(), "l1")
	if err != nil {
		t.Fatal(err)
	}
	events, _, err := b.LicenseTimeline(t.Context(), l.License)
	got := actionsOf(t, events, err)
	events, _, err = b.CustomerTimeline(t.Context(), []string{l.License.Customer}, "", 100) // of the digest
	got = append(got, actionsOf(t, events, err)...)
	if !slices.Contains(got, "mail sent again: license-expiring carol@acme.example") ||
		!slices.Contains(got, "mail sent again: license-key carol@acme.example") {
		t.Errorf("got timeline %q, want who was sent what again", got)
	}
}

func TestPointlessMailIsNotSentAgain(t *testing.T) {
	b := newTestEnv(t)
	sent := sentMails(t, b)
	refused := func(kind mail.Kind, want string) {
		t.Helper()
		before := pending(t, b.Store)
		err := b.SendMailAgain(t.Context(), sent[kind], "sam@vendor.example", "n1")
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Sentence(err), want) {
			t.Errorf("%s: got %v, want a conflict with %q", kind, err, want)
		}
		if got := pending(t, b.Store); !slices.Equal(got, before) {
			t.Errorf("%s: got mails %q, want no new one", kind, got)
		}
	}
	asked, err := b.Request(t.Context(), notice.AboutID(sent[mail.RequestQuestion]))
	if err != nil {
		t.Fatal(err)
	}
	review(t, b, asked, request.InReview, "")
	refused(mail.RequestQuestion, "the question is no longer open")

	recorded, err := b.License(t.Context(), "l1")
	if err != nil {
		t.Fatal(err)
	}
	change := store.LicenseChange{ID: "l1", Version: recorded.Version, By: "sam"}
	if err := b.MuteReminders(t.Context(), change, "stop", license.Date{}); err != nil {
		t.Fatal(err)
	}
	refused(mail.LicenseExpiring, "the reminders are paused")

	bounced := outbox.Report{Mail: sent[mail.LicenseKey], ProviderID: "p1", Outcome: outbox.Bounced}
	if _, err := b.RecordReport(t.Context(), bounced); err != nil {
		t.Fatal(err)
	}
	refused(mail.LicenseKey, "no longer email carol@acme.example")

	filed, _, err := storetest.FileRequest(t.Context(), b, evaluation, "")
	if err != nil {
		t.Fatal(err)
	}
	sent[mail.RequestReceived] = notice.RequestReceived(filed).ID
	refused(mail.RequestReceived, "has not been sent")
}
