package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

var ctx = context.Background()

// reached is a license with contacts, whose first one was sent the reminder of two months and a key.
type reached struct {
	*testEnv
	t        storetest.TB
	l        license.License
	contacts []license.Contact
	reminder notice.Notice
	key      notice.Notice
}

func newReached(t *testing.T, contacts ...string) *reached {
	return reachedIn(t, newTestEnv(t), "l1", contacts)
}

func reachedIn(t storetest.TB, b *testEnv, id string, contacts []string) *reached {
	server := license.Server("AWHW8w9JtzBzSr" + strings.ToUpper(mail.RecipientID(id))[:6])
	l := license.License{
		ID: id, Type: license.Production, Organization: "Acme AG " + id, Server: server, Edition: license.Developer,
		MaxLoc:     1,
		Expiration: license.DateOf(b.now).AddMonths(2),
	}
	r := &reached{testEnv: b, t: t}
	for _, c := range contacts {
		r.contacts = append(r.contacts, license.Contact{Email: c})
	}
	recorded := storetest.Record(t, b.Store.Store, l, r.contacts...)
	r.l = recorded.License
	due := notice.Due{License: id, Expiration: r.l.Expiration, Stage: reminder.MonthsBefore(2)}
	r.reminder = r.digest(r.contacts[0])
	r.reminder.Due = []notice.Due{due}
	r.key = notice.LicenseKeyAgain(r.l, r.contacts[0], "key")
	d := b.NewDigest(r.l.Customer, license.DateOf(b.now), r.contacts[0], b.now, 0)
	r.must(b.RecordReminder(ctx, store.Due{LicenseRecord: recorded}, store.Reminding{Stage: due.Stage, Digest: d}))
	r.must(d.Release(ctx))
	r.must(b.SendKeyAgain(ctx, id, "sam@vendor.example", r.contacts[0], "key"))
	return r
}

// digest is the first digest of today for a contact, without its licenses.
func (r *reached) digest(to license.Contact) notice.Notice {
	return notice.LicensesExpiring(r.l.Customer, license.DateOf(r.now), to, 1)
}

func errOf[T any](_ T, err error) error { return err }

func (r *reached) must(err error) {
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *reached) report(m notice.Notice, o outbox.Outcome) (recorded bool) {
	recorded, err := r.RecordReport(ctx, outbox.Report{Mail: m.ID, ProviderID: "c-" + m.ID, Recipient: m.To.Email,
		Outcome: o, Detail: "no such user"})
	r.must(err)
	return recorded
}

// to lists the readers of the mails about the license: kind and address.
func (r *reached) to() (list []string) {
	mails, err := r.MailsAbout(ctx, r.l.ID, 100)
	r.must(err)
	for _, m := range mails {
		list = append(list, strings.TrimSuffix(fmt.Sprintf("%s %s", m.Kind, m.To.Email), " "))
	}
	slices.Sort(list)
	return list
}

// told are the lines of the timelines of the license and, about mails, of its customer.
func (r *reached) told() (list []string) {
	events, _, err := r.LicenseTimeline(ctx, r.l)
	r.must(err)
	events = events[3:] // recorded, reminder queued, key sent
	ofCustomer, _, err := r.CustomerTimeline(ctx, []string{r.l.Customer}, "", 1000)
	r.must(err)
	for _, e := range ofCustomer {
		if strings.Contains(string(e.Action), "mail") {
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b store.Event) int { return strings.Compare(a.ID, b.ID) })
	for _, e := range events {
		list = append(list, strings.TrimSuffix(string(e.Action)+": "+e.Note, ": "))
	}
	return list
}

func (r *reached) want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMailThatBouncesGoesToTheNextContactOnce(t *testing.T) {
	for _, outcome := range []outbox.Outcome{outbox.Bounced, outbox.Complained} {
		r := newReached(t, "Ada@acme.example", "nobody", "it@acme.example", "boss@acme.example")
		if !r.report(r.reminder, outcome) || r.report(r.reminder, outcome) {
			t.Error("got the report recorded twice or never, want once")
		}
		why, err := r.Suppressed(ctx, "ada@ACME.example")
		if err != nil || why == nil || why.Outcome != outcome || why.Mail != r.reminder.ID ||
			strings.Contains(why.Reason(), "@") {
			t.Errorf("got suppression %+v, %v", why, err)
		}
		r.want(t, r.to(), "license-expiring Ada@acme.example", "license-expiring it@acme.example",
			"license-key Ada@acme.example")
		action := map[outbox.Outcome]string{outbox.Bounced: "mail bounced",
			outbox.Complained: "complaint about a mail"}[outcome]
		r.want(t, r.told(), "mail goes to the next contact: it@acme.example", action+": Ada@acme.example: no such user")

		r.report(r.key, outcome)
		r.want(t, r.to(), "license-expiring Ada@acme.example", "license-expiring it@acme.example",
			"license-key Ada@acme.example", "license-key it@acme.example")
		list, err := r.RecentReports(ctx, r.now.AddDate(0, 0, -30), 10)
		if err != nil || len(list) != 2 || list[0].About != "l1" || list[1].About != r.l.Customer ||
			list[0].To != "Ada@acme.example" ||
			list[0].Outcome != outcome {
			t.Errorf("got reports %+v, %v", list, err)
		}
		mails, err := r.MailsAbout(ctx, "l1", 10)
		if err != nil || len(mails[0].Reports) != 1 || mails[0].Reports[0].Outcome != outcome ||
			mails[0].State.Status != outbox.Sent {
			t.Errorf("got mail %+v, %v, want one report", mails[0], err)
		}
	}
}

func TestSalesAreToldOnceIfNoContactIsLeft(t *testing.T) {
	r := newReached(t, "ada@acme.example", "ADA@acme.example", "it@acme.example")
	r.report(r.reminder, outbox.Bounced)
	next := r.digest(r.contacts[2])
	r.report(next, outbox.Complained)
	r.report(r.key, outbox.Bounced)
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-expiring it@acme.example",
		"license-key ada@acme.example", "license-unreached")
	list, err := r.Unreached(ctx, 10)
	if err != nil || len(list) != 1 || list[0].ID != "l1" {
		t.Errorf("got unreached %+v, %v, want l1", list, err)
	}
	if told, err := r.RecordUnreached(ctx, r.l); told || err != nil {
		t.Errorf("telling again: got %v, %v, want false", told, err)
	}
	for range 2 { // a button that is clicked twice
		r.must(errOf(r.LiftSuppression(ctx, store.Subject{License: "l1"}, "It@acme.example", "sam@vendor.example",
			"ok")))
	}
	if told := r.told(); told[len(told)-1] != "mail to the address allowed again: It@acme.example: ok" ||
		told[len(told)-2] == told[len(told)-1] {
		t.Errorf("got timeline %q", told)
	}
	if list, err := r.Unreached(ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("after lifting the suppression: got unreached %+v, %v, want none", list, err)
	}
	if r.report(next, outbox.Complained) {
		t.Error("got the old complaint recorded again, want it ignored")
	}
	if why, err := r.Suppressed(ctx, "it@acme.example"); why != nil || err != nil {
		t.Errorf("got suppression %v, %v, want none", why, err)
	}
}

func TestNewestUnreachedLicensesAreListed(t *testing.T) {
	b := newTestEnv(t)
	for _, id := range []string{"l1", "l2", "l3"} {
		r := reachedIn(t, b, id, []string{id + "@acme.example"})
		r.report(r.reminder, outbox.Bounced)
	}
	for limit, want := range map[int]string{1: "l3", 2: "l3 l2", 10: "l3 l2 l1"} {
		list, err := b.Unreached(ctx, limit)
		var got []string
		for _, l := range list {
			got = append(got, l.ID)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("at most %d: got %q, %v, want %s", limit, got, err, want)
		}
	}
}

func TestEverySpellingOfAMailboxIsSuppressedAndFound(t *testing.T) {
	r := newReached(t, "ana@bücher.example")
	r.report(r.key, outbox.Bounced)
	for _, email := range []string{"ana@xn--bcher-kva.example", "ana@bu\u0308cher.example", "ANA@BÜCHER.example"} {
		if why, err := r.Suppressed(ctx, email); why == nil || err != nil {
			t.Errorf("%s: got suppression %v, %v, want that of ana@bücher.example", email, why, err)
		}
		contact, err := r.Reachable(ctx, []license.Contact{{Email: email}})
		if contact != nil || err != nil {
			t.Errorf("%s: got %v, %v, want no reachable contact", email, contact, err)
		}
		if found, err := search.New(r.Store.Store).ByEmail(ctx, email, 10); len(found.Customers) != 1 || err != nil {
			t.Errorf("%s: got %d customers, %v, want 1", email, len(found.Customers), err)
		}
	}
	r.must(errOf(r.LiftSuppression(ctx, store.Subject{License: r.l.ID}, "ana@xn--bcher-kva.example",
		"sam@vendor.example", "ok")))
	if why, err := r.Suppressed(ctx, "ana@bücher.example"); why != nil || err != nil {
		t.Errorf("got suppression %v, %v after it was lifted", why, err)
	}
}

func TestTransientBounceSuppressesNothing(t *testing.T) {
	r := newReached(t, "ada@müller.example", "it@acme.example")
	r.must(errOf(r.RecordReport(ctx, outbox.Report{Mail: r.reminder.ID, ProviderID: "c",
		Recipient: "ADA@xn--mller-kva.example", Outcome: outbox.Delayed, Detail: "no such user"})))
	r.report(r.key, outbox.Refused)
	r.want(t, r.told(), "mail delayed: ada@müller.example: no such user",
		"mail refused by the carrier: ada@müller.example: no such user")
	if why, err := r.Suppressed(ctx, "ada@müller.example"); why != nil || err != nil {
		t.Errorf("got suppression %v, %v, want none", why, err)
	}
	r.want(t, r.to(), "license-expiring ada@müller.example", "license-key ada@müller.example")
	if list, err := r.RecentReports(ctx, r.now, 10); err != nil || len(list) != 2 {
		t.Errorf("got reports %+v, %v, want one of each email", list, err)
	}
	// The delay is over.
	r.must(errOf(r.RecordReport(ctx, outbox.Report{Mail: r.reminder.ID, ProviderID: "c", Outcome: outbox.Delivered})))
	if list, err := r.RecentReports(ctx, r.now, 10); err != nil || len(list) != 1 || list[0].Outcome != outbox.Refused {
		t.Errorf("got reports %+v, %v, want the refusal alone", list, err)
	}
}

func TestReportsComeInAnyOrderAndForSeveralRecipients(t *testing.T) {
	r := newReached(t, "it@acme.example", "boss@acme.example")
	report := func(providerID, recipient string, o outbox.Outcome) {
		t.Helper()
		recorded, err := r.RecordReport(ctx, outbox.Report{Mail: r.reminder.ID, ProviderID: providerID,
			Recipient: recipient, Outcome: o})
		if err != nil || !recorded {
			t.Errorf("got recorded %v, %v, want true", recorded, err)
		}
	}
	report("c1", "it@acme.example", outbox.Complained)
	report("c1", "it@acme.example", outbox.Bounced)
	report("c1", "bob@acme.example", outbox.Bounced) // it@ is an alias
	report("c2", "it@acme.example", outbox.Bounced)  // it was sent twice
	r.want(t, r.told(), "mail goes to the next contact: boss@acme.example", "complaint about a mail: it@acme.example",
		"mail bounced: it@acme.example",
		"mail bounced: it@acme.example (where it went to bob@acme.example)", "mail bounced: it@acme.example")
	r.want(t, r.to(), "license-expiring boss@acme.example", "license-expiring it@acme.example",
		"license-key it@acme.example")
	if why, err := r.Suppressed(ctx, "it@acme.example"); err != nil || why.Outcome != outbox.Complained {
		t.Errorf("got suppression %+v, %v, want the complaint", why, err)
	}
}

func TestPointlessMailGoesToNobodyElse(t *testing.T) {
	for name, change := range map[string]func(*reached) error{
		"muted": func(r *reached) error {
			return r.MuteReminders(ctx, store.LicenseChange{ID: "l1", Version: 2, By: "sam"}, "stop", license.Date{})
		},
		"revoked": func(r *reached) error {
			return r.RevokeLicense(ctx, store.LicenseChange{ID: "l1", Version: 2, By: "sam"}, "unpaid")
		},
		"old":     func(r *reached) error { r.now = r.now.AddDate(0, 0, 8); return nil },
		"expired": func(r *reached) error { r.now = r.now.AddDate(0, 3, 0); return nil },
	} {
		r := newReached(t, "ada@acme.example", "it@acme.example")
		r.want(t, r.to(), "license-expiring ada@acme.example", "license-key ada@acme.example")
		r.must(change(r))
		before := r.to() // the contacts are told of a revocation
		r.report(r.reminder, outbox.Bounced)
		r.want(t, r.to(), before...)
		if why, err := r.Suppressed(ctx, "ada@acme.example"); why == nil || err != nil {
			t.Errorf("%s: got no suppression, %v, want one", name, err)
		}
	}
}

func TestMailsToSalesAndOfRequestsStayWhereTheyAre(t *testing.T) {
	b := newTestEnv(t)
	r, _, err := storetest.FileRequest(ctx, b, evaluation, "")
	if err != nil {
		t.Fatal(err)
	}
	queued := b.Table().Begin()
	b.Outbox().Queue(queued, notice.RequestNew(r))
	if err := queued.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{r.ID + "--received", r.ID + "--new"} {
		bounce := outbox.Report{Mail: id, ProviderID: "c", Outcome: outbox.Bounced}
		if _, err := b.RecordReport(ctx, bounce); err != nil {
			t.Fatal(err)
		}
	}
	for email, want := range map[string]bool{evaluation.Email: true, "sales@example.com": false} {
		if why, err := b.Suppressed(ctx, email); err != nil || (why != nil) != want {
			t.Errorf("%s: got suppression %v, %v", email, why, err)
		}
	}
	events, err := b.RequestTimeline(ctx, r.ID)
	if err != nil || len(events) != 4 || events[3].Action != delivery.MailBounced {
		t.Errorf("got events %+v, %v", events, err)
	}
	if got := pending(t, b.Store); len(got) != 1 || got[0] != notice.RequestConfirmed(r).ID {
		t.Errorf("got pending mails %v, want neither: both were sent, and nobody else gets them", got)
	}
	_, err = b.RecordReport(ctx, outbox.Report{Mail: "none", ProviderID: "c", Outcome: outbox.Bounced})
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown mail: got %v, want a NotFound fault", err)
	}
	found, err := search.New(b.Store.Store).ByEmail(ctx, evaluation.Email, 10)
	if err != nil || len(found.Requests) != 1 {
		t.Errorf("searching the address: got %+v, %v, want the request", found, err)
	}
}

func TestSuppressedMailIsGivenUpAndGoesToTheNextContact(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	r.report(r.reminder, outbox.Bounced)
	m, err := r.Outbox().Read(ctx, r.key.ID)
	r.must(err)
	why, err := r.Suppressed(ctx, "ada@acme.example")
	r.must(err)
	r.must(r.FailSuppressed(ctx, m, *why))
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-expiring it@acme.example",
		"license-key ada@acme.example", "license-key it@acme.example")
	if m, err = r.Outbox().Read(ctx, r.key.ID); err != nil || m.State.Status != outbox.Failed ||
		!strings.HasPrefix(m.State.Cause, "not sent: an email to this address bounced on 01 Mar 2018") {
		t.Errorf("got mail %+v, %v", m, err)
	}
}

func TestReportsAtTheSameTimeAndWithFaultsAreRecordedOnce(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	var mu sync.Mutex
	faults := 0
	r.table.Fault = func(c tabletest.Call) tabletest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if faults++; c.Op == "transact" && faults < 60 {
			return []tabletest.Fault{tabletest.Down, tabletest.Lost}[faults%2]
		}
		return tabletest.Fault{}
	}
	var wg sync.WaitGroup
	for i := range 8 {
		m := []notice.Notice{r.reminder, r.key}[i%2]
		wg.Go(func() {
			for {
				_, err := r.RecordReport(ctx, outbox.Report{Mail: m.ID, ProviderID: "c", Recipient: m.To.Email,
					Outcome: outbox.Bounced})
				if err == nil {
					return
				}
				if !errors.Is(err, table.ErrUnavailable) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-expiring it@acme.example",
		"license-key ada@acme.example", "license-key it@acme.example")
	if told := r.told(); len(told) != 4 {
		t.Errorf("got timeline %q", told)
	}
}

// TestHistoriesOfReports: whatever is reported of whichever mail, how often and in which order, with addresses allowed
// again in between: who is suppressed is as simple reckoning has it, nobody gets a mail twice but for one repetition,
// a mail that came back is repeated, and one that bounced or came back twice has been sent to somebody else, or sales
// know.
func TestHistoriesOfReports(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &reportHistory{t: rt, suppressed: map[string]bool{}, returned: map[string]bool{}, seen: map[string]bool{}}
		for i := range rapid.IntRange(1, 4).Draw(rt, "contacts") {
			h.contacts = append(h.contacts, fmt.Sprintf("c%d@acme.example", i))
		}
		h.reached = reachedIn(rt, newTestEnvOver(&tabletest.Memory{}), "l1", h.contacts)
		for range rapid.IntRange(1, 12).Draw(rt, "events") {
			h.step()
		}
		h.check()
	})
}

// reportHistory is a history of reports about the mails of a license.
type reportHistory struct {
	*reached
	t          *rapid.T
	contacts   []string
	suppressed map[string]bool
	returned   map[string]bool // addresses that returned a mail
	seen       map[string]bool // reports
	again      bool            // an address that got no mail could be reached again
}

// step allows an address again, or reports something of a mail.
func (h *reportHistory) step() {
	if rapid.IntRange(0, 5).Draw(h.t, "lift") == 0 {
		email := rapid.SampledFrom(h.contacts).Draw(h.t, "address")
		h.must(errOf(h.LiftSuppression(ctx, store.Subject{License: h.l.ID}, email, "sam", "ok")))
		h.again = h.again || h.suppressed[email]
		delete(h.suppressed, email)
		return
	}
	mails, err := h.MailsAbout(ctx, h.l.ID, 100)
	h.must(err)
	m := rapid.SampledFrom(mails).Draw(h.t, "mail").Notice
	o := rapid.SampledFrom([]outbox.Outcome{outbox.Delivered, outbox.Returned, outbox.Bounced, outbox.Complained,
		outbox.Delayed, outbox.Refused}).Draw(h.t, "outcome")
	fresh := !h.seen[m.ID+string(o)]
	h.seen[m.ID+string(o)] = true
	if recorded := h.report(m, o); recorded != fresh {
		h.t.Fatalf("%s of %s: got recorded %v, want the opposite", o, m.ID, recorded)
	}
	if !fresh || m.Kind.ToSales() {
		return
	}
	h.again = h.again || o == outbox.Delivered && m.Repeats != ""
	after, err := h.Outbox().Read(ctx, m.ID)
	h.must(err)
	records, err := h.Records(ctx, m)
	h.must(err)
	pointless := m.Pointless(records) != "" // a repetition of what arrived
	switch {
	case o == outbox.Bounced || o == outbox.Complained:
		h.suppressed[m.To.Email] = true
		if !pointless {
			h.wentOn(m, o)
		}
	case o == outbox.Returned && m.Repeats != "" && pointless:
		h.returned[m.To.Email] = true
	case pointless:
	case o == outbox.Returned && outbox.FateOf(after.Reports) == outbox.FateReturned && m.Repeats == "":
		again, err := h.Outbox().Read(ctx, m.Repeated().ID)
		if err != nil || again.State.Status == outbox.Pointless {
			h.t.Fatalf("%s came back: got no repetition: %+v, %v", m.ID, again, err)
		}
	case o == outbox.Returned && outbox.FateOf(after.Reports) == outbox.FateReturned:
		h.returned[m.To.Email] = true
		h.wentOn(m, o)
	}
}

// wentOn fails unless a mail was sent to somebody else, or sales know.
func (h *reportHistory) wentOn(m notice.Notice, o outbox.Outcome) {
	known, err := h.Outbox().Exists(ctx, notice.LicenseUnreached(h.l).ID)
	h.must(err)
	for _, contact := range h.reached.contacts {
		if contact.Email == m.To.Email || known {
			continue
		}
		if m.Kind == mail.LicenseExpiring {
			known, err = h.Outbox().Reminded(ctx, m.Due[0], contact)
		} else {
			known, err = h.Outbox().Exists(ctx, m.ToContact(contact).ID)
		}
		h.must(err)
	}
	if !known {
		h.t.Fatalf("after %s of %s: got no mail to anybody else", o, m.ID)
	}
}

// check compares what the reports left behind with simple reckoning.
func (h *reportHistory) check() {
	for _, email := range h.contacts {
		if why, err := h.Suppressed(ctx, email); err != nil || (why != nil) != h.suppressed[email] {
			h.t.Fatalf("%s: got suppression %v, %v", email, why, err)
		}
	}
	mails, err := h.MailsAbout(ctx, h.l.ID, 100)
	h.must(err)
	times := map[string]int{}
	twice := 0
	for _, m := range mails {
		if m.Repeats == "" {
			if times[string(m.Kind)+m.To.Email]++; times[string(m.Kind)+m.To.Email] > 1 {
				twice++
			}
		}
	}
	if twice > 1 || twice == 1 && !h.again { // the key, to a contact who could be reached again
		h.t.Fatalf("got mails %q", h.to())
	}
	list, err := h.Unreached(ctx, 1000)
	h.must(err)
	inReach := slices.ContainsFunc(h.contacts, func(c string) bool { return !h.suppressed[c] && !h.returned[c] })
	if listed := slices.ContainsFunc(list, func(l store.Summary) bool { return l.ID == h.l.ID }); listed && inReach {
		h.t.Fatalf("got sales told with a contact in reach, suppressed: %v", h.suppressed)
	}
}

// TestBounceSuppressesTheAddressThatWasCorrected has a question wait while the customer corrects the address. The
// letter goes to the new one, and so does what follows from its bounce.
func TestBounceSuppressesTheAddressThatWasCorrected(t *testing.T) {
	b := newTestEnv(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := evaluation
	d.Email = "ada@acne.example"
	r, _, err := storetest.FileRequest(ctx, b, d, "")
	must(err)
	asked, err := b.Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: "sam@vendor.example",
		To: request.Waiting, Text: "Which version?"})
	must(err)
	must(b.CorrectEmail(ctx, r.ID, d.Email, "ada@acme.example"))
	question, err := b.Outbox().Read(ctx, notice.RequestQuestion(asked, r.Version).ID)
	must(err)
	begun, err := b.Outbox().Begin(ctx, question, 1, mail.Message{ID: question.ID,
		To: mail.Address{Name: "Ada Lovelace", Email: "ada@acme.example"}})
	must(err)
	must(b.Outbox().RecordSent(ctx, begun, "c"))
	must(errOf(b.RecordReport(ctx, outbox.Report{Mail: question.ID, Attempt: 1, ProviderID: "c",
		Recipient: "ada@acme.example", Outcome: outbox.Bounced, Status: "5.1.1"})))
	for address, want := range map[string]bool{"ada@acme.example": true, "ada@acne.example": false} {
		if why, err := b.Suppressed(ctx, address); err != nil || (why != nil) != want {
			t.Errorf("%s: got suppression %v, %v, want one: %v", address, why, err, want)
		}
	}
}
