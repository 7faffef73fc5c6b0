package erasure_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/secret"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/erasure/erasuretest"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/requester"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

const admin = "ada.admin@vendor.example"

var (
	ada  = license.Contact{Name: "Ada Lovelace", Email: "Ada.L@Bücher.example"}
	ben  = license.Contact{Name: "Ben Ada Lovell", Email: "xada.l@bücher.example"}
	twin = license.Contact{Name: "Ada Lovelace", Email: "twin@bücher.example"}
)

func keys(t *testing.T, first ...byte) erasure.Keys {
	t.Helper()
	var list []string
	for _, b := range first {
		list = append(list, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)))
	}
	k, err := erasure.ParseKeys(strings.Join(list, ","))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type testEnv struct {
	*delivery.Store
	t      *testing.T
	memory *tabletest.Memory
	table  *tabletest.Faulty
	now    time.Time
	erase  *erasure.Eraser
}

func newTestEnv(t *testing.T) *testEnv {
	b := &testEnv{t: t, memory: &tabletest.Memory{}, now: time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)}
	b.table = &tabletest.Faulty{Table: b.memory, ShortPages: true}
	b.Store = delivery.New(store.New(b.table, store.Options{Now: func() time.Time { return b.now }}))
	b.erase = erasure.New(b.Store.Store, secret.Fixed(keys(t, 1)))
	return b
}

func (b *testEnv) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *testEnv) details(from license.Contact, contacts ...string) request.Details {
	return request.Details{
		Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
		ProductVersion: "6.7.1", Name: from.Name, Email: from.Email, Company: "Bücher AG", Country: "Switzerland",
		Phone: "+41 22 555 01 23", Contacts: contacts,
	}
}

func (b *testEnv) file(d request.Details) request.Request {
	b.t.Helper()
	r, _, err := storetest.FileRequest(b.t.Context(), b.Store, d, "")
	b.must(err)
	return r
}

// send has every ready email sent, with a letter that names the person in many ways.
func (b *testEnv) send(names license.Contact) {
	ctx := b.t.Context()
	var ready []outbox.Mail
	b.must(b.Outbox().EachReady(ctx, func(m outbox.Mail) error { ready = append(ready, m); return nil }))
	for _, m := range ready {
		if m.Expands() {
			b.must(b.Outbox().Drop(ctx, m, "not in this test"))
			continue
		}
		to := m.To
		if to.Email == "" {
			to = license.Contact{Email: "sales@vendor.example"}
		}
		wire, err := input.Wire(names.Email)
		b.must(err)
		l := mail.Message{
			ID: m.ID, Kind: m.Kind, About: m.Notice.About, Subject: "About " + names.Name,
			Text: "mailto:" + names.Email + "\n", HTML: `<a href="https://x.example/?login=` +
				strings.ReplaceAll(wire, "@", "%40") + `">x</a>` + "\n",
			Attachments: []mail.Attachment{{Name: "x.txt", Data: []byte(names.Email)}},
		}.AddressedTo(to)
		began, err := b.Outbox().Begin(ctx, m, 1, l)
		b.must(err)
		b.must(b.Outbox().RecordSent(ctx, began, "ses-"+m.ID))
	}
}

// everywhere puts a person on record wherever one can be.
func (b *testEnv) everywhere(who license.Contact) {
	ctx := b.t.Context()
	l := storetest.Issue(b.t, b.Store.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Bücher AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
	}, ben, who, twin).License
	b.must(b.SendKeyAgain(ctx, "l1", admin, who, "n1"))
	b.send(who)
	again := notice.LicenseKeyAgain(l, who, "n1")
	for _, outcome := range []outbox.Outcome{outbox.Delayed, outbox.Bounced} {
		_, err := b.RecordReport(ctx, outbox.Report{Mail: again.ID, Attempt: 1, ProviderID: "ses-" + again.ID,
			Recipient: who.Email, Outcome: outcome, Status: "5.1.1", Detail: "550 <" + who.Email + ">: unknown",
			At: b.now})
		b.must(err)
	}
	_, err := b.LiftSuppression(ctx, store.Subject{License: "l1"}, who.Email, admin, "they called")
	b.must(err)
	_, err = b.RecordReport(ctx, outbox.Report{Mail: again.ID, Attempt: 1, ProviderID: "ses-" + again.ID,
		Recipient: who.Email, Outcome: outbox.Complained, At: b.now})
	b.must(err)
	digest := notice.LicensesExpiring(l.Customer, license.DateOf(b.now), who, 1)
	digest.Due = []notice.Due{{License: l.ID, Expiration: l.Expiration}}
	b.must(b.Unsubscribe(ctx, outbox.Mail{Notice: digest}))
	b.must(b.MuteReminders(ctx, store.LicenseChange{ID: "l1", Version: b.version("l1"), By: admin},
		"they pay late", license.Date{}))

	b.file(b.details(who)) // stays open
	corrected, _, err := b.FileRequest(ctx, store.Filing{Details: b.details(who)})
	b.must(err)
	b.must(b.CorrectEmail(ctx, corrected.ID, who.Email, "other@elsewhere.example"))
	_, _, err = b.FileRequest(ctx, store.Filing{Details: b.details(ben, who.Email, "third@bücher.example")})
	b.must(err)
	asked := b.file(b.details(license.Contact{Name: "Cleo", Email: "cleo@elsewhere.example"}))
	b.must(b.AskContacts(ctx, store.RequestChange{ID: asked.ID, By: admin}, who))
	b.must(b.AnswerRequest(ctx, asked.ID, who.Email, true))
	b.must(b.VouchFor(ctx, store.RequestChange{ID: asked.ID, By: admin}, request.Vouch{Email: who.Email}))
	b.send(who)

	said := requester.Who(who.Email) // the question and the details are those of a colleague's request
	answered := b.file(b.details(license.Contact{Name: "Dan", Email: "dan@elsewhere.example"}))
	_, err = b.Review(ctx, store.Review{ID: answered.ID, Version: answered.Version, By: admin, To: request.Waiting,
		Text: "Which version?"})
	b.must(err)
	asks := requester.New(b.Store.Store)
	b.must(asks.AnswerQuestion(ctx, answered.ID, said, "Which version?", "6.7.5"))
	answered, err = b.Request(ctx, answered.ID)
	b.must(err)
	other := answered.Details
	other.Loc++
	b.must(asks.CorrectRequest(ctx, answered.ID, said, answered.Version, other))
	b.must(asks.CancelRequest(ctx, answered.ID, said))
	b.send(who)

	b.must(erasure.NewWishes(b.Store.Store).AskErasure(ctx, l.Customer, who))
	b.send(who)

	former := storetest.Customer(b.t, b.Store.Store, "Former Ltd", who, ben)
	a, err := b.Account(ctx, former.ID)
	b.must(err)
	b.must(b.SaveCustomer(ctx, store.AccountChange{Customer: former.ID, Version: a.Version, By: admin}, former.ID,
		func(c *customer.Customer) error {
			c.Contacts = slices.DeleteFunc(c.Contacts, func(c customer.Contact) bool {
				return input.SameMailbox(c.Email, who.Email)
			})
			return nil
		}))
	b.send(who)
}

func (b *testEnv) customer(licenseID string) string {
	r, err := b.License(b.t.Context(), licenseID)
	b.must(err)
	return r.License.Customer
}

func (b *testEnv) version(id string) int64 {
	r, err := b.License(b.t.Context(), id)
	b.must(err)
	return r.Version
}

func (b *testEnv) erased(o erasure.Options) erasure.Report {
	b.t.Helper()
	o.By, o.Now = admin, func() time.Time { return b.now }
	r, err := b.erase.Erase(b.t.Context(), "  "+strings.ToUpper(ada.Email)+" ", o)
	b.must(err)
	return r
}

// scan looks for a person, and leaves out the texts that a report lists.
func (b *testEnv) scan(r erasure.Report, names ...string) []string {
	b.t.Helper()
	var allowed []string
	for _, text := range r.Texts {
		allowed = append(allowed, text.Words)
	}
	found, err := erasuretest.Scan(b.t.Context(), b.memory.Rows(), b.Outbox(),
		erasuretest.Person{Email: ada.Email, Names: names}, allowed...)
	b.must(err)
	return found
}

func TestErasedPersonIsNowhere(t *testing.T) {
	b := newTestEnv(t)
	b.everywhere(ada)
	before := len(b.scan(erasure.Report{}))
	r := b.erased(erasure.Options{})
	if !r.Done || r.Total() == 0 || before < 30 {
		t.Errorf("got report %+v of %d rows, want it done", r, before)
	}
	for _, f := range b.scan(r) {
		t.Error(f)
	}
	for _, found := range b.scan(r, ada.Name) { // a twin at the same customer keeps the name
		if !strings.HasPrefix(found, "WORD#") && !strings.Contains(found, ".name has") {
			t.Error(found)
		}
	}
	rows := b.memory.Rows()
	of, err := b.CustomersOf(t.Context(), license.License{Customer: b.customer("l1")})
	if err != nil || len(of[0].Contacts) != 2 || of[0].Contacts[1].Name != twin.Name ||
		of[0].Contacts[1].Email != twin.Email {
		t.Errorf("got contacts %+v, %v, want Ben and the twin", of[0].Contacts, err)
	}

	again := b.erased(erasure.Options{})
	if !again.Done || !reflect.DeepEqual(b.memory.Rows(), rows) {
		t.Errorf("got %+v and changed rows, want that the second run changes nothing", again)
	}
	if _, was, err := b.erase.Erased(t.Context(), "ada.l@xn--bcher-kva.example"); !was || err != nil {
		t.Errorf("got %v, %v, want that the address was erased", was, err)
	}
}

// TestOwnDataHasEverythingAndNobodyElses reads what the scan finds of a person, as the person gets it.
func TestOwnDataHasEverythingAndNobodyElses(t *testing.T) {
	b := newTestEnv(t)
	b.everywhere(ada)
	own, err := erasure.ReadOwn(t.Context(), b.Store.Store, ada.Email)
	if err != nil {
		t.Fatal(err)
	}
	if len(own.Contacts) != 2 || len(own.Requests) != 1 || len(own.Emails) < 4 || len(own.Stopped) != 1 ||
		!own.Suppressed || len(own.Mentions) == 0 {
		t.Errorf("got %d contacts, %d requests, %d emails, %d pauses, suppressed %v, mentions %v", len(own.Contacts),
			len(own.Requests), len(own.Emails), len(own.Stopped), own.Suppressed, own.Mentions)
	}
	data, err := own.JSON()
	b.must(err)
	for _, other := range []string{ben.Email, twin.Email, "cleo@", "dan@", admin, `"token"`, `"secret"`} {
		if strings.Contains(strings.ToLower(string(data)), strings.ToLower(other)) {
			t.Errorf("got %s in %s", other, data)
		}
	}
	b.erased(erasure.Options{})
	after, err := erasure.ReadOwn(t.Context(), b.Store.Store, ada.Email)
	if err != nil || len(after.Contacts)+len(after.Requests)+len(after.Emails)+len(after.Mentions) > 0 {
		t.Errorf("got %+v, %v after the erasure, want nothing", after, err)
	}
	if list, err := b.erase.Wishes(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("got wishes %v, %v, want none left", list, err)
	}
}

func TestErasureGoesOnWhereItWasCutOff(t *testing.T) {
	down := errors.New("the process died")
	for after := 1; ; after++ {
		b := newTestEnv(t)
		b.everywhere(ada)
		left := after
		b.table.Fault = func(c tabletest.Call) tabletest.Fault {
			if c.Op == "transact" {
				if left--; left < 0 {
					return tabletest.Fault{Before: down}
				}
			}
			return tabletest.Fault{}
		}
		_, err := b.erase.Erase(t.Context(), ada.Email, erasure.Options{By: admin})
		b.table.Fault = nil
		if err == nil {
			t.Logf("%d transactions", after-1)
			break
		}
		if !errors.Is(err, down) {
			t.Fatal(err)
		}
		r := b.erased(erasure.Options{})
		if found := b.scan(r); !r.Done || len(found) > 0 {
			t.Fatalf("after %d transactions: got %v, %v", after, r.Done, found)
		}
	}
}

func TestErasureBoundedByTimeSaysWhatRemains(t *testing.T) {
	b := newTestEnv(t)
	b.everywhere(ada)
	runs := 0
	for {
		runs++
		ticks := 0
		r, err := b.erase.Erase(t.Context(), ada.Email, erasure.Options{
			By: admin, Until: b.now.Add(5 * time.Second), Now: func() time.Time {
				ticks++
				return b.now.Add(time.Duration(ticks) * time.Second)
			},
		})
		b.must(err)
		if r.Done {
			break
		}
		if r.Remaining == 0 || runs > 50 {
			t.Fatalf("run %d: got %+v, want that it says what remains", runs, r)
		}
	}
	if found := b.scan(erasure.Report{}); len(found) > 0 || runs < 3 {
		t.Errorf("got %v after %d runs", found, runs)
	}
}

func TestErasureTellsItsConsequencesBefore(t *testing.T) {
	b := newTestEnv(t)
	b.everywhere(ada)
	storetest.Customer(t, b.Store.Store, "Only Ada Ltd", ada)
	rows := b.memory.Rows()
	r, err := b.erase.Preview(t.Context(), ada.Email)
	b.must(err)
	if !reflect.DeepEqual(rows, b.memory.Rows()) {
		t.Error("a preview changed rows")
	}
	if len(r.Open) != 1 || len(r.Contacts) != 2 || r.Contacts[0].Last || !r.Contacts[1].Last || r.Total() == 0 ||
		r.Before {
		t.Errorf("got %+v", r)
	}
	b.erased(erasure.Options{})
	open, err := b.Request(t.Context(), r.Open[0].ID)
	b.must(err)
	if open.State != request.Withdrawn || !input.Erased(open.Email) || open.Name != erasure.Name || open.Phone != "" {
		t.Errorf("got %+v, want it withdrawn", open)
	}
	for _, row := range b.memory.Rows() {
		if row.Type == "mail" && strings.Contains(string(row.Data), `"request-withdrawn"`) {
			t.Errorf("got a mail: %s", row.Data)
		}
	}
	audits := 0
	for _, row := range b.memory.Rows() {
		if row.Type == "audit" && strings.Contains(string(row.Data), "person erased") &&
			strings.Contains(string(row.Data), r.Hash) && strings.Contains(string(row.Data), admin) {
			audits++
		}
	}
	if audits != 1 {
		t.Errorf("got %d rows of the audit, want one", audits)
	}
	list, err := b.erase.Reports(t.Context())
	if b.must(err); len(list) != 1 || list[0].Hash != r.Hash || !list[0].Done || list[0].By != admin {
		t.Errorf("got reports %+v", list)
	}
}

func TestTypedTextsAreListedAndClearedOneByOne(t *testing.T) {
	b := newTestEnv(t)
	d := b.details(ada)
	d.Message = "Please call Ada Lovelace."
	r := b.file(d)
	b.must(b.NoteOnRequest(t.Context(), r.ID, admin, "ADA.L@BÜCHER.example called"))
	b.must(b.NoteOnRequest(t.Context(), r.ID, admin, "Nobody called"))
	report := b.erased(erasure.Options{})
	if len(report.Texts) != 2 || !report.Done {
		t.Fatalf("got %+v, want the message and a note", report.Texts)
	}
	for _, text := range report.Texts {
		if text.Link != "/console/requests/"+r.ID || text.Where != "message" && text.Where != "note" {
			t.Errorf("got %+v", text)
		}
	}
	if found := b.scan(report, ada.Name); len(found) > 0 {
		t.Error(found)
	}
	report = b.erased(erasure.Options{Clear: []string{report.Texts[0].ID, report.Texts[1].ID}})
	if len(report.Texts) != 0 {
		t.Errorf("got %+v, want none left", report.Texts)
	}
	if found := b.scan(erasure.Report{}, ada.Name); len(found) > 0 {
		t.Error(found)
	}
}

func TestWhatComesLateDoesNotBringThePersonBack(t *testing.T) {
	b := newTestEnv(t)
	l := storetest.Issue(t, b.Store.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Bücher AG",
		Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 1,
		Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
	}, ada).License
	b.send(ada)
	waiting := notice.LicenseKeyAgain(l, ada, "n1")
	b.must(b.SendKeyAgain(t.Context(), "l1", admin, ada, "n1"))
	r := b.erased(erasure.Options{})
	key := notice.LicenseKey([]license.License{l}, ada)
	_, err := b.RecordReport(t.Context(), outbox.Report{Mail: key.ID, Attempt: 1, ProviderID: "ses-" + key.ID,
		Recipient: ada.Email, Outcome: outbox.Bounced, Detail: "550 " + ada.Email, At: b.now})
	b.must(err)
	if found := b.scan(r, ada.Name); len(found) > 0 {
		t.Error(found)
	}
	m, err := b.Outbox().Read(t.Context(), waiting.ID)
	b.must(err)
	records, err := b.Records(t.Context(), m.Notice)
	b.must(err)
	if m.Pointless(records) == "" {
		t.Errorf("got the mail %+v with a point", m)
	}
}

// TestChangeDuringAnErasureIsNotLost changes a row between reading and writing each time.
func TestChangeDuringAnErasureIsNotLost(t *testing.T) {
	b := newTestEnv(t)
	b.everywhere(ada)
	aside := store.New(b.memory, store.Options{Now: func() time.Time { return b.now }})
	raced := map[table.Key]bool{}
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		for _, w := range c.Writes {
			if c.Op == "transact" && w.Expect > 0 && !w.Delete && !raced[w.Row.Key] && w.Row.Type != "erased" {
				raced[w.Row.Key] = true
				row, err := b.memory.Get(context.Background(), w.Row.Key)
				if err == nil {
					err = b.memory.Transact(context.Background(), table.Update(row))
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
		return tabletest.Fault{}
	}
	b.must(aside.NoteOnRequest(t.Context(), b.file(b.details(ben)).ID, admin, "kept"))
	r := b.erased(erasure.Options{})
	if found := b.scan(r); !r.Done || len(found) > 0 || len(raced) < 10 {
		t.Errorf("got %v, %v after %d races", r.Done, found, len(raced))
	}
}

func TestOnlyAddressesOfOthersAreErased(t *testing.T) {
	b := newTestEnv(t)
	b.must(b.RecordSignIn(t.Context(), admin, "Ada Admin", "admin"))
	for _, email := range []string{"", "no address", admin, erasure.Address("x")} {
		if _, err := b.erase.Preview(t.Context(), email); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: got %v, want it refused", email, err)
		}
	}
	before := b.memory.Rows()
	r, err := b.erase.Erase(t.Context(), "nobody@nowhere.example", erasure.Options{By: admin})
	if err != nil || !r.Done || r.Total() != 0 || !reflect.DeepEqual(before, b.memory.Rows()) {
		t.Errorf("got %+v, %v, want that nothing is kept of who was never here", r, err)
	}
}

// TestNamesOfOneWordDoNotEndlesslyReplaceThemselves erases people whose names are in what replaces them.
func TestNamesOfOneWordDoNotEndlesslyReplaceThemselves(t *testing.T) {
	for _, name := range []string{"person", "Erased", "email", "."} {
		b := newTestEnv(t)
		who := license.Contact{Name: name, Email: ada.Email}
		b.everywhere(who)
		if r := b.erased(erasure.Options{}); !r.Done || len(b.scan(r)) > 0 {
			t.Errorf("%q: got %+v, %v", name, r, b.scan(r))
		}
	}
}

func TestHashKeysAreReplaced(t *testing.T) {
	b := newTestEnv(t)
	b.file(b.details(ada))
	first := b.erased(erasure.Options{})
	b.file(b.details(ada))
	b.erase = erasure.New(b.Store.Store, secret.Fixed(keys(t, 2, 1)))
	if again := b.erased(erasure.Options{}); again.Hash != first.Hash {
		t.Errorf("got the hash %s, want the one of the first time, %s", again.Hash, first.Hash)
	}
	if _, err := erasure.ParseKeys(strings.Repeat("a1B", 14) + "c"); err != nil { // as Secrets Manager makes it
		t.Errorf("without padding: %v", err)
	}
	for _, wrong := range []string{"", "AAAA", "%"} {
		if _, err := erasure.ParseKeys(wrong); err == nil || wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

// TestScanFindsEachReplacementThatIsMissing leaves one kind of row at a time as it is.
func TestScanFindsEachReplacementThatIsMissing(t *testing.T) {
	of := func(kind string) func(table.Row) bool { return func(r table.Row) bool { return r.Type == kind } }
	in := func(prefix string) func(table.Row) bool {
		return func(r table.Row) bool { return strings.HasPrefix(r.PK, prefix) }
	}
	eventIn := func(prefix string) func(table.Row) bool {
		return func(r table.Row) bool { return r.Type == "event" && strings.HasPrefix(r.PK, prefix) }
	}
	for name, skip := range map[string]func(table.Row) bool{
		"requests": of("request"), "customers": of("customer"), "emails": of("mail"), "reports": of("report"),
		"letters": of("letter"), "who unsubscribed": of("unsubscribed"), "suppression": of("suppression"),
		"confirmations": of("confirmation"), "recent reports": in("REPORTED"), "who is named": in("NAMED#"),
		"how often asked": in("ASKED#"), "timelines of requests": eventIn("REQUEST#"),
		"timelines of customers": eventIn("TIMELINE#"), "timelines of licenses": eventIn("LICENSE#"),
		"timelines of who unsubscribed": eventIn("UNSUBSCRIBED#"),
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestEnv(t)
			b.everywhere(ada)
			b.erase.Skip(skip)
			if found := b.scan(b.erased(erasure.Options{})); len(found) == 0 {
				t.Error("the scan found nothing")
			}
		})
	}
}
