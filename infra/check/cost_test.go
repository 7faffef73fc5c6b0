package check

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/reminders/daily"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// costEnv is a store over a table that counts what DynamoDB would. Its clock is time.Now, that of the synctest bubble.
type costEnv struct {
	*delivery.Store
	t      *testing.T
	meter  *tabletest.Meter
	issuer license.Issuer
	ids    int               // how many were made
	lines  map[string]string // the measured lines of the table of costs, by operation
	// hottest is, of each kind of partition that many customers share, the operation that writes most to one of them.
	hottest map[string]heat
}

// sent is a provider that accepts everything, at a rate.
type sent struct{ perSecond float64 }

func (sent) Send(_ context.Context, m mail.Message) (string, error) {
	return "0100018c2f0e5a3b-" + fmt.Sprintf("%-60.60s", m.ID), nil // as long as those of SES
}

func (s sent) Quota(context.Context) (mail.Quota, error) {
	return mail.Quota{PerSecond: s.perSecond}, nil
}

func newCostEnv(t *testing.T, issuer license.Issuer) *costEnv {
	return (&costEnv{t: t, issuer: issuer, lines: map[string]string{}, hottest: map[string]heat{}}).fresh()
}

// heat is how many write units an operation needs of one partition.
type heat struct {
	units     int
	operation string
}

// fresh returns an environment with the same lines and an empty store.
func (e *costEnv) fresh() *costEnv {
	fresh := *e
	fresh.meter = &tabletest.Meter{Table: &tabletest.Memory{}}
	fresh.Store = delivery.New(store.New(fresh.meter, store.Options{Now: time.Now}))
	return &fresh
}

// daily returns the daily run.
func (e *costEnv) daily() *daily.Job {
	return daily.New(daily.Options{
		Store: e, Deletion: deletion.New(e.Store.Store), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// mailer returns a Dispatcher with the real letters.
func (e *costEnv) mailer(perSecond float64) *dispatch.Dispatcher {
	letters := letter.Writer{
		URL: "https://licenses.example.com", Packages: "https://cdn.example.com/packages",
		Sales: mail.Address{Name: "Licensing", Email: "licensing@example.com"},
	}
	return dispatch.New(dispatch.Options{
		Outbox: e.Outbox(), Records: e, Expander: expansion.New(e.Store), Write: letters.With(sampleCatalog),
		Sender: sent{perSecond}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

func sampleCatalog() (*catalog.Catalog, error) {
	b, err := builtin.Bundle()
	if err != nil {
		return nil, err
	}
	return catalog.FromBundle(b)
}

func (e *costEnv) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// measure measures an operation, for a line of the table of costs.
func (e *costEnv) measure(operation string, do func() error) tabletest.Spent {
	e.t.Helper()
	e.meter.Reset()
	e.must(do())
	s := e.meter.Spent()
	e.line(operation, s.Use, s.Partitions)
	return s
}

// line notes a line of the table of costs.
func (e *costEnv) line(operation string, use tabletest.Use, partitions map[string]tabletest.Use) {
	var reads []string
	for _, r := range []struct {
		n        int
		one, all string
	}{{use.Gets, "1 get", "gets"}, {use.Queries, "1 query", "queries"}} {
		switch {
		case r.n == 1:
			reads = append(reads, r.one)
		case r.n > 1:
			reads = append(reads, fmt.Sprintf("%d %s", r.n, r.all))
		}
	}
	if len(reads) == 0 {
		reads = []string{"none"}
	}
	e.lines[operation] = fmt.Sprintf("| %s | %s | %d | %d | %d | %s |", operation, strings.Join(reads, ", "),
		use.ReadUnits, use.RowsWritten, use.WriteUnits, e.hot(operation, partitions))
}

// maxHot is how many of the partitions that an operation touches its line names.
const maxHot = 3

// hot names the kinds of partitions that many customers share and that the operation writes, the busiest first, with
// the write units of one of them. Of an operation that writes nothing, it names those that it reads.
func (e *costEnv) hot(operation string, partitions map[string]tabletest.Use) string {
	written, read := map[string]int{}, map[string]int{}
	for pk, use := range partitions {
		kind := kindOfPartition(pk)
		if !isShared(kind) {
			continue
		}
		read[kind] = max(read[kind], use.ReadUnits)
		if use.WriteUnits == 0 {
			continue
		}
		written[kind] = max(written[kind], use.WriteUnits)
		if h := e.hottest[kind]; use.WriteUnits > h.units || use.WriteUnits == h.units && operation < h.operation {
			e.hottest[kind] = heat{use.WriteUnits, operation}
		}
	}
	units := written
	if len(written) == 0 {
		units = read
	}
	kinds := slices.SortedFunc(maps.Keys(units), func(a, b string) int {
		return cmp.Or(cmp.Compare(units[b], units[a]), cmp.Compare(a, b))
	})
	var list []string
	for i, kind := range kinds {
		if i == maxHot {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprintf("`%s` %d", kind, units[kind]))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// usual are the details of a usual request, which names no further contacts: few do.
func usual(i int) request.Details {
	d := details(i)
	d.Contacts = nil
	return d
}

// details are those of a request that names a further contact.
func details(i int) request.Details {
	return request.Details{
		Kind: request.New, Edition: license.Enterprise, Server: license.Server(fmt.Sprintf("AWHW8w9JtzBzSrm%05d", i)),
		Loc: 1_200_000, ProductVersion: "6.7.1", Name: "Mara Keller",
		Email:   fmt.Sprintf("mara.keller@customer%d.example", i),
		Company: "Northwind Trading Europe", Country: "Germany", Phone: "+49 30 555 01 23",
		Message:  "We would like to begin next week, with two branches of the same code.",
		Contacts: []string{fmt.Sprintf("jonas.brandt@customer%d.example", i)},
	}
}

// measureRequests measures what is done about requests, with the mails that this sends, and the first license.
func (e *costEnv) measureRequests() {
	ctx := e.t.Context()
	var r request.Request
	file := func() (err error) {
		key := "0f8fad5b-d9cb-469f-a165-70867728950e"
		r, _, err = e.FileRequest(ctx, store.Filing{Details: usual(1), Key: key})
		return err
	}
	filed := e.measureFiling("file a request, with an email", file)
	e.measure("file it again with the same token and details", file)
	total := filed.WriteUnits + e.measureSending("send its email", 1).WriteUnits
	e.measure("send the email again", func() error { return e.SendConfirmation(ctx, r.ID) })
	e.measure("correct the address of a request, with an email", func() error {
		return e.CorrectEmail(ctx, r.ID, r.Email, "mara@customer1.example")
	})
	e.must(e.mailer(0).Run(ctx))
	r, err := e.Request(ctx, r.ID)
	e.must(err)
	e.measure("read what the secret of an email confirms", func() error {
		return last(e.ToConfirm(ctx, r.ID, r.Secret))
	})
	total += e.measure("confirm a request", func() error {
		return e.ConfirmRequests(ctx, r.ID, r.Secret, r.ID)
	}).WriteUnits
	r, err = e.Request(ctx, r.ID)
	e.must(err)
	total += e.measureExpanding("turn its notice into an email to sales", r).WriteUnits
	total += e.measureSending("send the email to sales", 1).WriteUnits
	if total > 90 {
		e.t.Errorf("got %d write units for a confirmed request with both emails sent, want at most 90", total)
	}
	e.measure("add a note to a request", func() error { return e.NoteOnRequest(ctx, r.ID, operator, "They called.") })
	r, err = e.Request(ctx, r.ID)
	e.must(err)
	e.measure("take a request into review", func() (err error) {
		r, err = e.Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: operator, To: request.InReview})
		return err
	})
	bought := r.Details
	bought.Contacts = details(1).Contacts
	p := e.buy(bought, license.DateOf(time.Now()).AddMonths(-10))
	e.measure("issue the first license, with customer, contract and email", func() error {
		return e.IssueLicenses(ctx, p.answering(r, store.Issue{
			Customer: &p.customer, Contracts: []customer.Contract{p.contract}, Instances: p.instances[:1],
			Licenses: []license.License{p.license(p.production(), p.contract)},
		}))
	})
	e.measureSending("send a license key", 1)
	storetest.Customer(e.t, e.Store.Store, "Other")
	e.measureWho(p, details(1))
	e.must(e.mailer(0).Run(ctx))
	e.measureLicense(p)
}

// measureFiling measures filing a request, and holds its budget.
func (e *costEnv) measureFiling(operation string, file func() error) tabletest.Spent {
	e.t.Helper()
	filed := e.measure(operation, file)
	if filed.WriteUnits > 45 || filed.RowsWritten > 16 {
		e.t.Errorf("%s: got %d rows and %d write units, want at most 16 and 45: %v", operation, filed.RowsWritten,
			filed.WriteUnits, filed.Largest)
	}
	return filed
}

// measureWho measures what shows who asks, of a request about a license of a customer on record.
func (e *costEnv) measureWho(p *purchase, d request.Details) {
	ctx := e.t.Context()
	d.Kind, d.Replaces, d.Email = request.Replacement, p.issued[0].ID, "somebody@elsewhere.example"
	r, _, err := e.FileRequest(ctx, store.Filing{Details: d})
	e.must(err)
	e.must(e.ConfirmRequests(ctx, r.ID, r.Secret, r.ID))
	r, err = e.Request(ctx, r.ID)
	e.must(err)
	e.measureExpanding("link a request, and turn its notice into three emails", r)
	change := func() store.RequestChange {
		r, err = e.Request(ctx, r.ID)
		e.must(err)
		return store.RequestChange{ID: r.ID, Version: r.Version, By: operator}
	}
	c := change()
	e.measure("link a request to another customer", func() error {
		return e.LinkRequest(ctx, c, storetest.CustomerID("Other"), "")
	})
	c = change()
	e.measure("link it to a new customer", func() error {
		return e.LinkNewCustomer(ctx, c, customer.Customer{ID: "n", Name: "Northwind Trading Europe",
			Domains: []string{"new.example"}})
	})
	c = change()
	time.Sleep(time.Second) // they were asked just now
	e.measure("ask two contacts about a request", func() error {
		return e.AskContacts(ctx, c, p.to(), license.Contact{Email: d.Contacts[0]})
	})
	e.measure("answer whether a request is theirs", func() error {
		return e.AnswerRequest(ctx, r.ID, p.to().Email, true)
	})
	c = change()
	e.measure("vouch for a request", func() error {
		return e.VouchFor(ctx, c, request.Vouch{Customer: p.customer.ID, Licenses: []string{p.issued[0].ID},
			Server: r.Server, Email: r.Email, Note: "I called the number that we have on record."})
	})
}

// measureExpanding measures what the mailer does when the notice of a confirmed request expands.
func (e *costEnv) measureExpanding(operation string, r request.Request) tabletest.Spent {
	e.t.Helper()
	return e.measure(operation, func() error {
		ctx := e.t.Context()
		m, err := e.Outbox().Read(ctx, notice.RequestConfirmed(r).ID)
		if err != nil {
			return err
		}
		into, err := expansion.New(e.Store).Expand(ctx, m.Notice)
		if err != nil {
			return err
		}
		return e.Outbox().Expand(ctx, m, into)
	})
}

// measureSending sends the mails that are ready, and holds the budgets of a mail. The line leaves out the lease and the
// looks at what is ready, which serve all mails of a run.
func (e *costEnv) measureSending(operation string, mails int) tabletest.Use {
	e.t.Helper()
	e.meter.Reset()
	e.must(e.mailer(0).Run(e.t.Context()))
	s := e.meter.Spent()
	ready := s.In("OUTBOX#")
	looks := tabletest.Use{Queries: ready.Queries, ReadUnits: ready.ReadUnits}
	use := s.Without(s.In("MAILER"), s.In("LATER#"), looks)
	maps.DeleteFunc(s.Partitions, func(pk string, _ tabletest.Use) bool {
		return pk == "MAILER" || strings.HasPrefix(pk, "LATER#")
	})
	e.line(operation, use, s.Partitions)
	claims := 2 * mails
	records := s.In("MAILS#").WriteUnits - claims + ready.WriteUnits
	letters := s.In("LETTER#").WriteUnits
	if claims+records+letters != use.WriteUnits || records > 4*mails || letters > 10*mails {
		e.t.Errorf("%s: got %d write units to record %d emails and %d for the letters of %d in all, want at most 4 and "+
			"10 each: %v", operation, records, mails, letters, use.WriteUnits, s.Largest)
	}
	return use
}

// measureLicense measures what is done about a license of a purchase whose first reminder is due.
func (e *costEnv) measureLicense(p *purchase) {
	ctx := e.t.Context()
	imported := e.buy(details(2), license.DateOf(time.Now()).AddMonths(2))
	e.measure("import a license, with customer and contract", func() error {
		return e.IssueLicenses(ctx, store.Issue{
			Customer: &imported.customer, Contracts: []customer.Contract{imported.contract},
			Instances: imported.instances[:1], By: operator, Imported: true,
			Licenses: []license.License{imported.license(imported.production(), imported.contract)},
		})
	})
	id := imported.issued[0].ID
	change := func() store.LicenseChange {
		recorded, err := e.License(ctx, id)
		e.must(err)
		return store.LicenseChange{ID: id, Version: recorded.Version, By: operator}
	}
	seen := change()
	e.measure("list a custom package on a license", func() error {
		return e.AddPackage(ctx, seen, "sonarqube-enterprise-6.7.1-0f8fad5bd9cb469f.zip")
	})
	seen = change()
	e.measure("mute or unmute reminders", func() error {
		return e.MuteReminders(ctx, seen, "they moved", license.Date{})
	})
	e.must(e.UnmuteReminders(ctx, change()))
	seen = change()
	e.measure("revoke a license", func() error { return e.RevokeLicense(ctx, seen, "not paid") })
	revoked, err := e.License(ctx, id)
	e.must(err)
	e.measure("make its notice an email to each of two contacts", func() error {
		m, err := e.Outbox().Read(ctx, notice.LicenseRevoked(revoked.License, "", "").ID)
		e.must(err)
		into, err := expansion.New(e.Store).Expand(ctx, m.Notice)
		e.must(err)
		return e.Outbox().Expand(ctx, m, into)
	})
	e.must(e.mailer(0).Run(ctx))

	l, to := p.issued[0], p.to()
	e.measure("record a reminder, with its email", func() error {
		return e.daily().Run(ctx)
	})
	e.measureSending("send a reminder", 1)
	reminded := notice.LicensesExpiring(l.Customer, license.DateOf(time.Now()), to, 1)
	m, err := e.Outbox().Read(ctx, reminded.ID)
	e.must(err)
	report := outbox.Report{
		Mail: m.ID, Attempt: 1, ProviderID: m.State.ProviderID, Recipient: m.To.Email, Outcome: outbox.Accepted,
		At: time.Now().UTC(),
	}
	e.measure("record that SES accepted an email", func() error { return last(e.RecordReport(ctx, report)) })
	report.Outcome, report.Detail = outbox.Delivered, "250 2.0.0 OK 1519894800 d9443c01a7336-1db"
	e.measure("record that it was delivered", func() error { return last(e.RecordReport(ctx, report)) })
	report.Outcome, report.Status, report.Detail = outbox.Bounced, "5.1.1", "smtp; 550 5.1.1 user unknown"
	e.measure("record a bounce and write to the next contact", func() error {
		return last(e.RecordReport(ctx, report))
	})
	e.measure("allow an address again", func() error {
		return last(e.LiftSuppression(ctx, store.Subject{License: l.ID}, m.To.Email, operator, "they wrote to us"))
	})
	e.measure("unsubscribe from reminders, with an email to sales", func() error { return e.Unsubscribe(ctx, m) })
	e.measure("resume them", func() error { return e.Resubscribe(ctx, m) })
	e.must(e.mailer(0).Run(ctx))
}

// measureLate measures what tells of a late request.
func (e *costEnv) measureLate() {
	ctx := e.t.Context()
	r, _, err := e.FileRequest(ctx, store.Filing{Details: details(6), By: operator})
	e.must(err)
	_, err = e.Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: operator, To: request.InReview})
	e.must(err)
	e.must(e.RecordSignIn(ctx, operator, "Robin", "sales"))
	time.Sleep(time.Until(r.Due.Add(-time.Second)))
	idle := e.measure("look for late requests, with none", func() error { return last(e.TellLate(ctx)) })
	if idle.Gets+idle.RowsRead+idle.RowsWritten > 0 || idle.Queries > 2 {
		e.t.Errorf("got %+v for late requests when there are none, want two empty queries", idle)
	}
	time.Sleep(2 * time.Second)
	e.measure("tell a reviewer of a late request, with an email", func() error { return last(e.TellLate(ctx)) })
	again := e.measure("look for late requests, with one told of", func() error { return last(e.TellLate(ctx)) })
	if again.Gets+again.RowsWritten > 0 {
		e.t.Errorf("got %+v for a late request of which its reviewer knows, want nothing but queries", again)
	}
}

// measureRest measures what the console and the jobs do besides.
func (e *costEnv) measureRest() {
	ctx := e.t.Context()
	e.measureFiling("file a request that a program may have sent", func() error {
		_, _, err := storetest.FileUnconfirmed(ctx, e, usual(3), "token")
		return err
	})
	e.measureLate()
	e.measureFiling("file a request for a customer, with two emails", func() error {
		_, _, err := e.FileRequest(ctx, store.Filing{Details: usual(4), Key: "token", By: operator})
		return err
	})
	var names request.Request
	e.measure("file a request that names a further contact, with an email", func() (err error) {
		names, _, err = e.FileRequest(ctx, store.Filing{Details: details(20), Key: "contact"})
		return err
	})
	e.must(e.DenyRequests(ctx, names.ID, names.Secret, names.ID))
	e.must(e.mailer(0).Run(ctx))
	denied, _, err := e.FileRequest(ctx, store.Filing{Details: details(5)})
	e.must(err)
	e.measure("deny a request", func() error { return e.DenyRequests(ctx, denied.ID, denied.Secret, denied.ID) })
	e.measure("tell sales of one unconfirmed request, with an email", func() error {
		return last(e.TellUnconfirmed(ctx))
	})
	time.Sleep(request.ConfirmDays * 24 * time.Hour)
	e.measure("close an unconfirmed request", func() error { return last(e.CloseUnconfirmed(ctx, 1)) })
	e.measure("sign in, the first time of a day", func() error {
		return e.RecordSignIn(ctx, operator, "Robin", "sales")
	})
	e.measure("sign in again on that day", func() error {
		return e.RecordSignIn(ctx, operator, "Robin", "sales")
	})
	e.measure("read the names of colleagues", func() error { return last(e.Colleagues(ctx)) })
	e.measure("sign out", func() error { return e.EndSession(ctx, "s1", operator, time.Now().Add(time.Hour)) })
	e.measure("a page of the queue", func() error {
		return last(e.Queue(ctx, store.QueueQuery{States: []request.State{request.Received}, Limit: 50}))
	})
	e.must(e.mailer(0).Run(ctx))
	e.measure("a daily run with nothing due", func() error {
		return e.daily().Run(ctx)
	})
	idle := e.measure("a sweep of the mailer with nothing ready", func() error { return e.mailer(0).Run(ctx) })
	if idle.Queries > 4*rowkey.Shards || idle.RowsRead > 1 || idle.WriteUnits > 4 {
		e.t.Errorf("got an idle sweep of %d queries and %d rows, want at most %d queries and the lease alone: %+v",
			idle.Queries, idle.RowsRead, 4*rowkey.Shards, idle)
	}
	publishing := e.measure("a sweep that also publishes the gauges", func() error {
		m := e.mailer(0)
		m.Watched = e.Watched
		return last(m.Invoke(ctx, []byte("{}")))
	})
	if publishing.Gets > idle.Gets+2 || publishing.Queries > idle.Queries+4 || publishing.WriteUnits > idle.WriteUnits {
		e.t.Errorf("got %+v for the gauges, want at most 2 gets and 4 queries more than %+v", publishing, idle)
	}
	time.Sleep(182 * 24 * time.Hour)
	e.measure("delete an expired request", func() error {
		return last(deletion.New(e.Store.Store).DeleteExpired(ctx, 1))
	})
}

// TestStorageStatesTheCosts measures every line of the table of costs. Its secrets are the same in every run: others
// would make a letter that is close to a kilobyte cost more or less.
func TestStorageStatesTheCosts(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	issuer := licensetest.Issuer(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2018, 6, 4, 9, 0, 0, 0, time.UTC)))
		e := newCostEnv(t, issuer)
		e.fresh().measureRequests()
		e.fresh().measureContract()
		e.fresh().measureCustomer()
		e.fresh().measureAccount()
		e.fresh().measureRest()
		page := read(t, storageFile)
		for _, line := range e.lines {
			if !strings.Contains(page, "\n"+line+"\n") {
				t.Errorf("%s has no line %s", storageFile, line)
			}
		}
		for _, row := range tableUnder(page, "Costs") {
			if e.lines[row[0]] == "" {
				t.Errorf("%s: nobody measures %q", storageFile, row[0])
			}
		}
		var hottest []string
		for kind, h := range e.hottest {
			hottest = append(hottest, fmt.Sprintf("`%s` %d %d %s", kind, h.units, maxWriteUnits/h.units, h.operation))
		}
		var documented []string
		for _, row := range tableUnder(page, "Hot partition keys") {
			documented = append(documented, strings.Join(row, " "))
		}
		slices.Sort(hottest)
		report(t, differ(storageFile, "the hot partition", documented, hottest))
	})
}

// TestPausedMailsCostASweepNothing has 100,000 mails paused.
func TestPausedMailsCostASweepNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newCostEnv(t, license.Issuer{})
		const paused, atOnce = 100_000, 100
		var writes []table.Write
		for i := range paused {
			later := rowkey.Later(i%rowkey.Shards, time.Now().Add(time.Hour+time.Duration(i)*time.Second), 1,
				fmt.Sprintf("l%d--key", i))
			writes = append(writes, table.Create(table.Row{Key: later, Type: string(rowkey.TypePending), Schema: 1,
				Data: []byte(`{"customer":"acme.example"}`)}))
			if len(writes) == atOnce {
				e.must(e.meter.Table.Transact(t.Context(), writes...))
				writes = nil
			}
		}
		e.must(e.mailer(0).Run(t.Context())) // so that there is a lease
		s := e.measure("sweep", func() error { return e.mailer(0).Run(t.Context()) })
		if s.Queries > 4*rowkey.Shards || s.RowsRead != 1 || s.ReadUnits > 4*rowkey.Shards+1 {
			t.Errorf("got a sweep of %d queries, %d rows and %d read units, want %d queries and the lease's row",
				s.Queries, s.RowsRead, s.ReadUnits, 4*rowkey.Shards)
		}
		time.Sleep(time.Hour)
		s = e.measure("sweep", func() error { return last(e.Outbox().Promote(t.Context(), 0, 100)) })
		if s.RowsRead != 1 {
			t.Errorf("got %d rows read for one that is due, want 1", s.RowsRead)
		}
	})
}
