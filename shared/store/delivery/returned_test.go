package delivery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// returned records that a mail came back because it expired.
func (r *reached) returned(m notice.Notice) {
	_, err := r.RecordReport(ctx, outbox.Report{Mail: m.ID, ProviderID: "c-" + m.ID, Recipient: m.To.Email,
		Outcome: outbox.Returned, Status: "4.4.7", Detail: "General, 4.4.7"})
	r.must(err)
}

// keys lists the mails with the key: the address, and whether and until when they wait.
func (r *reached) keys() (list []string) {
	mails, err := r.MailsAbout(ctx, r.l.ID, 100)
	r.must(err)
	for _, m := range mails {
		if m.Kind != mail.LicenseKey {
			continue
		}
		line := m.To.Email + " " + string(m.State.Status)
		if !m.State.NotBefore.IsZero() && m.State.Status == outbox.Waiting {
			line += " " + m.State.NotBefore.Sub(r.now).String()
		}
		list = append(list, line)
	}
	return list
}

func TestReturnedMailIsRepeatedADayLaterAndThenGoesOn(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	r.returned(r.key)
	r.returned(r.key)
	r.want(t, r.keys(), "ada@acme.example sent", "ada@acme.example waiting 24h0m0s")
	r.want(t, r.told(), "mail returned: ada@acme.example: General, 4.4.7",
		"mail is sent again in a day: ada@acme.example")
	list, err := r.RecentReports(ctx, r.now, 10)
	if err != nil || len(list) != 1 || list[0].Outcome != outbox.Returned {
		t.Errorf("got the reports %+v, %v, want the return", list, err)
	}
	if why, err := r.Suppressed(ctx, "ada@acme.example"); why != nil || err != nil {
		t.Errorf("got suppression %v, %v, want none", why, err)
	}

	r.now = r.now.Add(38 * time.Hour)
	r.returned(r.key.Repeated())
	toIT := r.key.ToContact(r.contacts[1])
	r.want(t, r.keys(), "ada@acme.example sent", "ada@acme.example sent", "it@acme.example waiting")

	r.now = r.now.Add(14 * time.Hour)
	r.returned(toIT)
	r.now = r.now.Add(38 * time.Hour)
	if list, err := r.Unreached(ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("before the second contact returned twice: got unreached %v, %v, want none", list, err)
	}
	r.returned(toIT.Repeated())
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-key ada@acme.example",
		"license-key ada@acme.example", "license-key it@acme.example", "license-key it@acme.example",
		"license-unreached")
	if list, err := r.Unreached(ctx, 10); err != nil || len(list) != 1 {
		t.Errorf("got unreached %v, %v, want the license", list, err)
	}
	task := notice.LicenseUnreached(r.l)
	if records, err := r.Records(ctx, task); err != nil || task.Pointless(records) != "" {
		t.Errorf("got the task pointless: %q, %v", task.Pointless(records), err)
	}

	// The next mail reaches somebody: the customer can be reached again.
	r.now = r.now.Add(time.Hour)
	r.must(r.SendKeyAgain(ctx, r.l.ID, "sam", r.contacts[0], "later"))
	r.report(notice.LicenseKeyAgain(r.l, r.contacts[0], "later"), outbox.Delivered)
	if records, err := r.Records(ctx, task); err != nil || task.Pointless(records) == "" {
		t.Errorf("got the task to the point, %v, want it pointless", err)
	}
	if list, err := r.Unreached(ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("got unreached %v, %v, want none", list, err)
	}
}

func TestRepetitionIsPointlessIfTheMailArrivedAfterAll(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	absent := outbox.Report{Mail: r.key.ID, ProviderID: "c", Recipient: "ada@acme.example", Outcome: outbox.Returned,
		Detail: "General"}
	r.must(errOf(r.RecordReport(ctx, absent)))
	r.want(t, r.keys(), "ada@acme.example sent", "ada@acme.example waiting 24h0m0s")
	delivered := absent
	delivered.Outcome = outbox.Delivered
	r.must(errOf(r.RecordReport(ctx, delivered)))
	r.want(t, r.keys(), "ada@acme.example sent", "ada@acme.example pointless")
	if list, err := r.RecentReports(ctx, r.now, 10); err != nil || len(list) != 0 {
		t.Errorf("got the reports %+v, %v, want none: it was an absence note", list, err)
	}
	m, err := r.Outbox().Read(ctx, r.key.ID)
	if err != nil || !delivery.Arrived(m) {
		t.Errorf("got a mail that did not arrive, %v: %+v", err, m.Reports)
	}
	records, err := r.Records(ctx, r.key.Repeated())
	if err != nil || r.key.Repeated().Pointless(records) == "" {
		t.Errorf("got the repetition to the point, %v", err)
	}
}

// endState is what reports leave behind, without what did not come about and the timeline.
func endState(r *reached, about string, to string) string {
	var lines []string
	mails, err := r.MailsAbout(ctx, about, 100)
	r.must(err)
	for _, m := range mails {
		if m.State.Status != outbox.Pointless {
			fate := outbox.FateOf(m.Reports)
			lines = append(lines, fmt.Sprintf("%s to %s: %s %s", m.ID, m.To.Email, m.State.Status, fate))
		}
	}
	why, err := r.Suppressed(ctx, to)
	r.must(err)
	if why != nil {
		lines = append(lines, fmt.Sprintf("suppressed: %s %q %v", why.Outcome, why.Scope, why.ProvidersList))
	}
	recent, err := r.RecentReports(ctx, r.now.Add(-time.Hour), 100)
	r.must(err)
	for _, one := range recent {
		lines = append(lines, fmt.Sprintf("overview: %s %s", one.Outcome, one.Detail))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestOrderOfReportsDoesNotMatter records small sets of reports in every order, each once and twice.
func TestOrderOfReportsDoesNotMatter(t *testing.T) {
	report := func(o outbox.Outcome, call, status, detail string) outbox.Report {
		return outbox.Report{ProviderID: call, Recipient: "ada@acme.example", Outcome: o, Status: status,
			Detail: detail}
	}
	var (
		accepted  = report(outbox.Accepted, "c1", "", "")
		delivered = report(outbox.Delivered, "c1", "", "250 OK")
		delayed   = report(outbox.Delayed, "c1", "4.2.2", "MailboxFull")
		absent    = report(outbox.Returned, "c1", "", "General")
		expired   = report(outbox.Returned, "c1", "4.4.7", "General")
		full      = report(outbox.Returned, "c1", "5.2.2", "MailboxFull")
		bounced   = report(outbox.Bounced, "c1", "5.1.1", "NoEmail")
		listed    = report(outbox.Bounced, "c1", "5.1.1", "OnAccountSuppressionList, 5.1.1")
		spam      = report(outbox.Complained, "c1", "", "abuse")
		spamList  = report(outbox.Complained, "c1", "", "OnAccountSuppressionList")
		virus     = report(outbox.Refused, "c1", "", "Bad content")
	)
	again := func(r outbox.Report) outbox.Report { r.ProviderID = "c2"; return r }
	for _, set := range [][]outbox.Report{
		{accepted, delivered, absent},
		{accepted, delivered, delayed},
		{accepted, delayed, expired},
		{delivered, full, absent},
		{delivered, bounced},
		{delivered, spam, absent},
		{expired, bounced},
		{accepted, listed, spam},
		{spamList, accepted},
		{virus, accepted, delayed},
		{delivered, again(expired), again(accepted)},
		{absent, again(delivered)},
		{bounced, again(delivered), again(absent)},
		{expired, again(full)},
		{delivered, spam, bounced},
	} {
		for _, about := range []string{"a key", "a confirmation"} {
			states := map[string]string{} // the first order that leads to each
			permutations(set, func(order []outbox.Report) {
				r := reachedIn(t, newTestEnvOver(&tabletest.Memory{}), "l1",
					[]string{"ada@acme.example", "it@acme.example"})
				id, subject := r.key.ID, r.l.ID
				if about == "a confirmation" {
					filed, _, err := storetest.FileRequest(ctx, r, evaluation, "token")
					r.must(err)
					id, subject = notice.RequestReceived(filed).ID, filed.ID
				}
				for range 2 {
					for _, one := range order {
						one.Mail = id
						r.now = r.now.Add(time.Second)
						r.must(errOf(r.RecordReport(ctx, one)))
					}
				}
				state := strings.ReplaceAll(endState(r, subject, "ada@acme.example"), subject, "…")
				if states[state] == "" {
					states[state] = fmt.Sprintf("%v", order)
				}
			})
			if len(states) != 1 {
				for state, order := range states {
					t.Errorf("%s, reports %s: got\n%s\nin one of several end states", about, order, state)
				}
			}
		}
	}
}

// TestReportsAtTheSameTimeAreOneAfterAnother: while a report is being recorded, another one about the same mail is.
func TestReportsAtTheSameTimeAreOneAfterAnother(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	report := func(o outbox.Outcome) {
		r.must(errOf(r.RecordReport(ctx, outbox.Report{Mail: r.key.ID, ProviderID: "c", Recipient: "ada@acme.example",
			Outcome: o, Detail: "General"})))
	}
	report(outbox.Accepted)
	other := false
	r.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" && !other {
			other = true
			report(outbox.Delivered)
		}
		return tabletest.Fault{}
	}
	report(outbox.Returned)
	if list, err := r.RecentReports(ctx, r.now, 10); !other || err != nil || len(list) != 0 {
		t.Errorf("got the reports %+v, %v, want none: it was an absence note", list, err)
	}
	r.want(t, r.keys(), "ada@acme.example sent")
}

// permutations calls f with every order of a list.
func permutations[T any](list []T, f func([]T)) {
	list = slices.Clone(list)
	var permute func(n int)
	permute = func(n int) {
		if n == len(list) {
			f(slices.Clone(list))
			return
		}
		for i := n; i < len(list); i++ {
			list[n], list[i] = list[i], list[n]
			permute(n + 1)
			list[n], list[i] = list[i], list[n]
		}
	}
	permute(0)
}

// TestComplaintAboutWhatAnybodyCausesStopsThatOnly lets somebody complain about each kind of mail. A stranger can have
// some sent to a contact, so a complaint about these must not cost the contact keys and reminders.
func TestComplaintAboutWhatAnybodyCausesStopsThatOnly(t *testing.T) {
	byAnybody := []mail.Kind{mail.RequestReceived, mail.RequestsToConfirm, mail.RequestAsk}
	b := newTestEnv(t)
	for kind, id := range sentMails(t, b) {
		m, err := b.Outbox().Read(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if kind.ToSales() {
			continue // which is never suppressed
		}
		complaint := outbox.Report{Mail: id, ProviderID: "p1", Outcome: outbox.Complained, Detail: "abuse"}
		if _, err := b.RecordReport(ctx, complaint); err != nil {
			t.Fatal(err)
		}
		why, err := b.Suppressed(ctx, m.To.Email)
		if err != nil || why == nil {
			t.Fatalf("%s: got suppression %v, %v", kind, why, err)
		}
		scope := delivery.AllMails
		if slices.Contains(byAnybody, kind) {
			scope = delivery.Confirmations
		}
		if why.Scope != scope {
			t.Errorf("%s: got scope %q, want %q", kind, why.Scope, scope)
		}
		for _, other := range []mail.Kind{mail.RequestReceived, mail.RequestsToConfirm, mail.RequestAsk,
			mail.RequestQuestion, mail.RequestRejected, mail.RequestWithdrawn, mail.LicenseKey, mail.LicenseExpiring} {
			if want := scope == delivery.AllMails || slices.Contains(byAnybody, other); why.Stops(other) != want {
				t.Errorf("complaint about %s: stops %s: %v, want %v", kind, other, why.Stops(other), want)
			}
		}
		on := store.Subject{License: "l1"}
		if _, err := b.LiftSuppression(ctx, on, m.To.Email, "sam", "for the next one"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestComplaintAboutAConfirmationStopsConfirmationsOnly(t *testing.T) {
	b := newTestEnv(t)
	filed, _, err := storetest.FileRequest(ctx, b, evaluation, "")
	if err != nil {
		t.Fatal(err)
	}
	report := func(o outbox.Outcome, detail string) *delivery.Suppression {
		t.Helper()
		r := outbox.Report{Mail: notice.RequestReceived(filed).ID, ProviderID: "c", Outcome: o, Detail: detail}
		if _, err := b.RecordReport(ctx, r); err != nil {
			t.Fatal(err)
		}
		why, err := b.Suppressed(ctx, evaluation.Email)
		if err != nil || why == nil {
			t.Fatalf("got suppression %v, %v", why, err)
		}
		return why
	}
	if why := report(outbox.Complained, "abuse"); !why.Stops(mail.RequestReceived) || why.Stops(mail.RequestQuestion) ||
		why.Stops(mail.LicenseKey) {
		t.Errorf("got %+v, want a suppression of confirmations", why)
	}
	if why := report(outbox.Bounced, "NoEmail"); !why.Stops(mail.RequestReceived) || !why.Stops(mail.LicenseKey) ||
		why.Outcome != outbox.Complained {
		t.Errorf("after a bounce: got %+v, want a suppression of everything", why)
	}
}

func TestLiftingASuppressionTakesAReason(t *testing.T) {
	for detail, providersList := range map[string]bool{"NoEmail": false, "OnAccountSuppressionList, 5.1.1": true} {
		r := newReached(t, "ada@acme.example")
		r.must(errOf(r.RecordReport(ctx, outbox.Report{Mail: r.key.ID, ProviderID: "c", Outcome: outbox.Bounced,
			Detail: detail})))
		on := store.Subject{License: "l1"}
		if _, err := r.LiftSuppression(ctx, on, "ada@acme.example", "sam", " \n"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("without a reason: got %v, want an Invalid fault", err)
		}
		for _, want := range []bool{providersList, false} { // a button that is clicked twice
			got, err := r.LiftSuppression(ctx, on, "Ada@acme.example", "sam", "She called:\nthe mailbox is back")
			if err != nil || got != want {
				t.Errorf("%s: got %v, %v, want %v", detail, got, err, want)
			}
		}
		if told := r.told(); told[len(told)-1] !=
			"mail to the address allowed again: Ada@acme.example: She called: the mailbox is back" {
			t.Errorf("got the timeline %q", told)
		}
	}
}

func TestEveryReportEndsADoubt(t *testing.T) {
	for _, o := range []outbox.Outcome{outbox.Accepted, outbox.Delivered, outbox.Delayed, outbox.Returned,
		outbox.Bounced, outbox.Complained, outbox.Refused} {
		r := newReached(t, "ada@acme.example", "it@acme.example")
		m, err := r.Outbox().Read(ctx, r.key.ID)
		r.must(err)
		m, err = r.Outbox().Begin(ctx, m, 1, mail.Message{ID: m.ID})
		r.must(err)
		r.must(r.Outbox().Doubt(ctx, m, "no answer", r.now.Add(5*time.Minute)))
		at := r.now.Add(-time.Minute)
		report := outbox.Report{Mail: r.key.ID, Attempt: 1, ProviderID: "c1", Outcome: o, At: at}
		for _, want := range []bool{true, false} {
			writes := 0
			r.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					writes++
				}
				return tabletest.Fault{}
			}
			if recorded, err := r.RecordReport(ctx, report); recorded != want || err != nil {
				t.Errorf("%s: got recorded %v, %v, want %v", o, recorded, err, want)
			}
			if !want && writes > 0 {
				t.Errorf("%s again: got %d writes, want a read alone", o, writes)
			}
		}
		m, err = r.Outbox().Read(ctx, r.key.ID)
		if err != nil || m.State.Status != outbox.Sent || m.State.ProviderID != "c1" || m.State.Attempt != 1 ||
			!m.State.Closed.Equal(at) {
			t.Errorf("%s: got %+v, %v, want it sent", o, m.State, err)
		}
		if ids := pending(t, r.Store); slices.Contains(ids, m.ID) {
			t.Errorf("%s: the mail is still ready", o)
		}
	}
}
