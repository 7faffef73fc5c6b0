package delivery_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// fleet is a customer whose licenses are due today, with a digest to Ada. Bob is a contact for the first instances, and
// Carol for the next ones; the others have Ada alone.
type fleet struct {
	*testEnv
	t        *testing.T
	licenses []license.License
	customer string
	digest   outbox.Mail
}

var ada, bob, carol = license.Contact{Email: "ada@acme.example"}, license.Contact{Email: "bob@acme.example"},
	license.Contact{Email: "carol@acme.example"}

func newFleet(t *testing.T, n, forBob, forCarol int, stage reminder.Stage) *fleet {
	t.Helper()
	f := &fleet{testEnv: newTestEnvOver(&tabletest.Memory{}), t: t}
	last := license.DateOf(f.now).AddMonths(2)
	kind := license.Production
	if stage == reminder.DaysBefore(0) {
		last, kind = license.DateOf(f.now), license.Evaluation
	}
	var records []store.LicenseRecord
	for i := range n {
		l := license.License{ID: fmt.Sprintf("l%02d", i), Type: kind, Organization: "Acme AG",
			Edition: license.Developer,
			Server:  license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf%04d", i)), MaxLoc: 1, Expiration: last}
		records = append(records, storetest.Record(t, f.Store.Store, l, ada))
		f.licenses = append(f.licenses, records[i].License)
	}
	f.customer = f.licenses[0].Customer
	instances := func(from, to int) (ids []string) {
		for _, l := range f.licenses[from:to] {
			ids = append(ids, l.Instance)
		}
		return ids
	}
	f.contacts(func(c *customer.Customer) {
		for _, added := range []customer.Contact{
			{Email: bob.Email, Instances: instances(0, forBob)},
			{Email: carol.Email, Instances: instances(forBob, forBob+forCarol)},
		} {
			if len(added.Instances) > 0 {
				c.Contacts = append(slices.Clone(c.Contacts), added)
			}
		}
	})
	d := f.NewDigest(f.customer, license.DateOf(f.now), ada, f.now, 0)
	for _, r := range records {
		f.must(f.RecordReminder(ctx, store.Due{LicenseRecord: r}, store.Reminding{Stage: stage, Digest: d}))
	}
	f.must(d.Release(ctx))
	f.digest = f.read(f.to(ada).ID)
	return f
}

func (f *fleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// contacts changes the contacts of the customer.
func (f *fleet) contacts(edit func(*customer.Customer)) {
	f.t.Helper()
	a, err := f.Account(ctx, f.customer)
	f.must(err)
	change := store.AccountChange{Customer: f.customer, Version: a.Version, By: storetest.By}
	f.must(f.SaveCustomer(ctx, change, f.customer, func(c *customer.Customer) error { edit(c); return nil }))
}

func (f *fleet) to(c license.Contact) notice.Notice {
	return notice.LicensesExpiring(f.customer, license.DateOf(f.now), c, 1)
}

func (f *fleet) read(id string) outbox.Mail {
	f.t.Helper()
	m, err := f.Outbox().Read(ctx, id)
	f.must(err)
	return m
}

// sent has the provider accept a mail whose letter leaves out some licenses.
func (f *fleet) sent(m outbox.Mail, omitted ...string) {
	f.t.Helper()
	m.State.Omitted = map[string]string{}
	for _, id := range omitted {
		m.State.Omitted[id] = "the license was revoked"
	}
	m, err := f.Outbox().Begin(ctx, m, 1, mail.Message{ID: m.ID, To: mail.Address{Email: m.To.Email}})
	f.must(err)
	f.must(f.Outbox().RecordSent(ctx, m, "c-"+m.ID))
}

func (f *fleet) report(m outbox.Mail, o outbox.Outcome) error {
	_, err := f.RecordReport(ctx, outbox.Report{Mail: m.ID, ProviderID: "c-" + m.ID, Recipient: m.To.Email, Outcome: o,
		Status: map[outbox.Outcome]string{outbox.Returned: "4.4.7"}[o]})
	return err
}

// told lists who is told of each license by mails other than Ada's first: the address, or that it is a task for sales.
// A license that is in two mails to one reader is an error.
func (f *fleet) told() (list []string) {
	f.t.Helper()
	for _, l := range f.licenses {
		mails, err := f.MailsAbout(ctx, l.ID, 100)
		f.must(err)
		var to []string
		for _, m := range mails {
			switch {
			case m.Kind == mail.LicenseUnreached:
				to = append(to, "sales")
			case m.ID != f.digest.ID && m.Repeats == "" && m.State.Status != outbox.Pointless:
				to = append(to, m.To.Email)
			}
		}
		slices.Sort(to)
		if len(slices.Compact(slices.Clone(to))) < len(to) {
			f.t.Errorf("%s: got %v, want each once", l.ID, to)
		}
		list = append(list, l.ID+" "+strings.Join(to, " "))
	}
	return list
}

// wantTold fails unless Bob is told of the first licenses, Carol of the next, and sales of the others; nobody of those
// that the letter did not name.
func (f *fleet) wantTold(forBob, forCarol int, omitted ...string) {
	f.t.Helper()
	for i, got := range f.told() {
		want := f.licenses[i].ID + " "
		switch {
		case slices.Contains(omitted, f.licenses[i].ID):
		case i < forBob:
			want += bob.Email
		case i < forBob+forCarol:
			want += carol.Email
		default:
			want += "sales"
		}
		if got != want {
			f.t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBouncedDigestGoesOnPerLicense(t *testing.T) {
	f := newFleet(t, 25, 10, 10, reminder.MonthsBefore(2))
	omitted := []string{"l03", "l15", "l24"}
	f.sent(f.digest, omitted...)
	for range 2 { // SQS delivers the event twice
		f.must(f.report(f.digest, outbox.Bounced))
	}
	f.wantTold(10, 10, omitted...)
	for _, c := range []license.Contact{bob, carol} {
		if m := f.read(f.to(c).ID); len(m.Due) != 9 || m.State.Gathering {
			t.Errorf("%s: got %d licenses, gathering %v, want 9 in one mail that is ready", c.Email, len(m.Due),
				m.State.Gathering)
		}
	}
	for id, want := range map[string]string{"l00": "mail goes to the next contact: bob@acme.example",
		"l24": "reminder queued: " + f.digest.ID, "l20": "no contact can be reached: "} {
		events, _, err := f.LicenseTimeline(ctx, license.License{ID: id, Customer: f.customer})
		if told := actionsOf(t, events, err); told[len(told)-1] != want {
			t.Errorf("%s: got timeline %q, want %q last", id, told, want)
		}
	}
	events, _, err := f.CustomerTimeline(ctx, []string{f.customer}, "", 1000)
	if told := actionsOf(t, events, err); !slices.Contains(told, "mail bounced: ada@acme.example") {
		t.Errorf("got the customer's timeline %q, want the bounce", told)
	}
	if list, err := f.Unreached(ctx, 100); err != nil || len(list) != 4 {
		t.Errorf("got %d licenses without a contact, %v, want 4", len(list), err)
	}
	// Bob's bounces too: nobody is left for his, and what went to Carol stays there.
	f.must(f.report(f.read(f.to(bob).ID), outbox.Bounced))
	for i, got := range f.told() {
		want := "l00 bob@acme.example sales"
		if i == 0 && got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestBounceThatIsCutOffAnywhereGoesOnOnce has each call fail in turn, before it is made or after, with all that
// follow; the event is delivered again.
func TestBounceThatIsCutOffAnywhereGoesOnOnce(t *testing.T) {
	for _, how := range []tabletest.Fault{tabletest.Down, tabletest.Lost} {
		for n, done := 1, false; !done; n++ {
			f := newFleet(t, 5, 2, 2, reminder.MonthsBefore(2))
			f.sent(f.digest)
			f.table.ShortPages = false
			f.table.Reset()
			done = true
			var mu sync.Mutex
			f.table.Fault = func(c tabletest.Call) tabletest.Fault {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case c.N < n:
					return tabletest.Fault{}
				case c.N == n:
					done = false
					return how
				}
				return tabletest.Down
			}
			f.report(f.digest, outbox.Bounced)
			f.table.Fault = nil
			f.must(f.report(f.digest, outbox.Bounced))
			f.wantTold(2, 2)
			if why, err := f.Suppressed(ctx, ada.Email); why == nil || err != nil {
				t.Errorf("got suppression %v, %v, want the bounce's", why, err)
			}
			f.now = f.now.Add(time.Hour)
			for shard := range 16 {
				if _, err := f.Outbox().Promote(ctx, shard, 100); err != nil {
					t.Fatal(err)
				}
			}
			f.now = f.now.Add(-time.Hour)
			if m := f.read(f.to(bob).ID); len(m.Due) != 2 || m.State.Gathering {
				t.Errorf("got Bob's digest %+v, want both licenses, ready", m)
			}
			if t.Failed() {
				t.Fatalf("cut off at call %d", n)
			}
		}
	}
}

func TestDigestToASuppressedAddressGoesOn(t *testing.T) {
	f := newFleet(t, 3, 1, 1, reminder.MonthsBefore(2))
	f.must(f.SendKeyAgain(ctx, "l00", "sam", ada, "k"))
	f.must(f.report(f.read(notice.LicenseKeyAgain(f.licenses[0], ada, "k").ID), outbox.Bounced))
	why, err := f.Suppressed(ctx, ada.Email)
	f.must(err)
	m := f.digest
	m.State.Omitted = map[string]string{"l01": "the license was revoked"}
	f.must(f.FailSuppressed(ctx, m, *why))
	if m = f.read(m.ID); m.State.Status != outbox.Failed || !strings.Contains(m.State.Cause, "bounced") {
		t.Errorf("got %+v, want it failed", m.State)
	}
	if m = f.read(f.to(bob).ID); len(m.Due) != 1 || m.Due[0].License != "l00" {
		t.Errorf("got Bob's digest %+v, want l00", m.Due)
	}
	if known, err := f.Outbox().Exists(ctx, f.to(carol).ID); known || err != nil {
		t.Errorf("got a mail to Carol: %v, %v, want none about what was left out", known, err)
	}
	if known, err := f.Outbox().Exists(ctx, notice.LicenseUnreached(f.licenses[2]).ID); !known || err != nil {
		t.Errorf("got no task for sales: %v, %v", known, err)
	}

	// It is tried again after the address was allowed again; everybody is told once still.
	_, err = f.LiftSuppression(ctx, store.Subject{License: "l00"}, ada.Email, "sam", "ok")
	f.must(err)
	f.must(f.TryMailAgain(ctx, f.digest.ID, "sam"))
	m = f.read(f.digest.ID)
	if m.State.Status != outbox.Waiting || len(m.Due) != 3 {
		t.Errorf("got %+v with %v, want all three to be looked at again", m.State, m.Due)
	}
	f.sent(m)
	f.must(f.report(m, outbox.Bounced))
	if m = f.read(f.to(bob).ID); len(m.Due) != 1 {
		t.Errorf("got Bob's digest %+v, want l00 once", m.Due)
	}
	if m = f.read(f.to(carol).ID); len(m.Due) != 1 {
		t.Errorf("got Carol's digest %+v, want l01", m.Due)
	}
}

func TestReturnedDigestIsRepeatedAndThenGoesOn(t *testing.T) {
	f := newFleet(t, 3, 2, 0, reminder.MonthsBefore(2))
	f.sent(f.digest, "l01")
	f.must(f.report(f.digest, outbox.Returned))
	again := f.read(f.digest.Repeated().ID)
	if len(again.Due) != 2 || again.State.NotBefore.Sub(f.now) != 24*time.Hour {
		t.Fatalf("got the repetition %+v, want of the two that were named, a day later", again)
	}
	for i, got := range f.told() {
		if want := f.licenses[i].ID + " "; got != want {
			t.Errorf("before the repetition: got %s, want nobody told", got)
		}
	}
	f.now = f.now.Add(24 * time.Hour)
	f.sent(again)
	f.must(f.report(again, outbox.Returned))
	if m := f.read(f.to(bob).ID); len(m.Due) != 1 || m.Due[0].License != "l00" {
		t.Errorf("got Bob's digest %+v, want l00", m.Due)
	}
}

func TestBouncedRepetitionOfADigestThatArrivedGoesNowhere(t *testing.T) {
	f := newFleet(t, 2, 2, 0, reminder.MonthsBefore(2))
	f.sent(f.digest)
	f.must(f.report(f.digest, outbox.Returned))
	again := f.read(f.digest.Repeated().ID)
	f.now = f.now.Add(24 * time.Hour)
	f.sent(again)
	_, err := f.RecordReport(ctx, outbox.Report{Mail: f.digest.ID, ProviderID: "another call", Recipient: ada.Email,
		Outcome: outbox.Delivered})
	f.must(err)
	f.must(f.report(again, outbox.Bounced))
	if known, err := f.Outbox().Exists(ctx, f.to(bob).ID); known || err != nil {
		t.Errorf("got a mail to Bob: %v, %v, want none", known, err)
	}
}

// TestDigestReturnedOnTheLastDayGoesOnAtOnce: a day later it is too late.
func TestDigestReturnedOnTheLastDayGoesOnAtOnce(t *testing.T) {
	f := newFleet(t, 2, 1, 0, reminder.DaysBefore(0))
	f.sent(f.digest)
	f.must(f.report(f.digest, outbox.Returned))
	f.wantTold(1, 0)
	if known, err := f.Outbox().Exists(ctx, f.digest.Repeated().ID); known || err != nil {
		t.Errorf("got a repetition: %v, %v, want none", known, err)
	}
}

func TestDigestSentAgainGoesOnOnce(t *testing.T) {
	f := newFleet(t, 2, 2, 0, reminder.MonthsBefore(2))
	f.sent(f.digest)
	f.must(f.SendMailAgain(ctx, f.digest.ID, "sam", "n1"))
	again := f.read(f.digest.Again("n1").ID)
	if len(again.Due) != 2 || again.To != ada {
		t.Fatalf("got %+v, want both licenses to Ada", again)
	}
	f.sent(again)
	f.must(f.report(again, outbox.Bounced))
	f.must(f.report(f.digest, outbox.Bounced))
	if m := f.read(f.to(bob).ID); len(m.Due) != 2 {
		t.Errorf("got Bob's digest %+v, want both", m.Due)
	}
	second := notice.LicensesExpiring(f.customer, license.DateOf(f.now), bob, 2)
	if known, err := f.Outbox().Exists(ctx, second.ID); known || err != nil {
		t.Errorf("got a second digest to Bob, %v", err)
	}
}

// TestNextContactWhoUnsubscribedIsNotRemindedAndSalesKnow: sales were not told when Bob left, since Ada was reminded.
func TestNextContactWhoUnsubscribedIsNotRemindedAndSalesKnow(t *testing.T) {
	f := newFleet(t, 2, 2, 0, reminder.MonthsBefore(2))
	f.sent(f.digest)
	ofBob := f.digest // as if it had been forwarded by a digest of his own
	ofBob.To, ofBob.ID = bob, f.to(bob).ID
	f.must(f.Unsubscribe(ctx, ofBob))
	list, err := f.Unsubscribed(ctx, "l00")
	f.must(err)
	stopped := f.read(list[0].Told)
	records, err := f.Records(ctx, stopped.Notice)
	f.must(err)
	f.must(f.Outbox().Drop(ctx, stopped, stopped.Pointless(records)))
	if stopped.Pointless(records) == "" {
		t.Fatal("got the mail to sales to the point while Ada is reminded")
	}
	for range 2 {
		f.must(f.report(f.digest, outbox.Bounced))
	}
	if known, err := f.Outbox().Exists(ctx, f.to(bob).ID); known || err != nil {
		t.Errorf("got a mail to Bob: %v, %v, want none", known, err)
	}
	stopped = f.read(stopped.ID)
	records, err = f.Records(ctx, stopped.Notice)
	f.must(err)
	if why := stopped.Pointless(records); stopped.State.Status != outbox.Waiting || why != "" {
		t.Errorf("got the mail to sales %s, pointless %q, want it to wait", stopped.State.Status, why)
	}
}

// TestOmittedLicenseOfAnotherContactIsPassedOn: Ada leaves while the digest waits.
func TestOmittedLicenseOfAnotherContactIsPassedOn(t *testing.T) {
	f := newFleet(t, 3, 1, 1, reminder.MonthsBefore(2))
	f.contacts(func(c *customer.Customer) { c.Contacts = c.Contacts[1:] }) // Ada leaves
	for range 2 {
		records, err := f.Records(ctx, f.digest.Notice)
		f.must(err)
		if why := f.digest.Pointless(records); why != "the recipient is no longer a contact" {
			t.Errorf("got pointless %q", why)
		}
		f.must(f.PassOmitted(ctx, f.digest, records))
	}
	f.wantTold(1, 1)
}
