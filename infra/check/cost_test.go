package check

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
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
	"marketplace/shared/store/delivery"
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
	lines  map[string]string // the measured lines of the table of costs, by operation
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
	meter := &tabletest.Meter{Table: &tabletest.Memory{}}
	return &costEnv{
		Store: delivery.New(store.New(meter, store.Options{Now: time.Now})), t: t, meter: meter, issuer: issuer,
		lines: map[string]string{},
	}
}

// mailer returns a Dispatcher with the real letters.
func (e *costEnv) mailer(perSecond float64) *dispatch.Dispatcher {
	letters := letter.Writer{
		URL: "https://licenses.example.com", Packages: "https://cdn.example.com/packages",
		Sales: mail.Address{Name: "Licensing", Email: "licensing@example.com"},
	}
	return dispatch.New(dispatch.Options{
		Outbox: e.Outbox(), Records: e, Write: letters.With(sampleCatalog), Sender: sent{perSecond}, Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
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
	e.line(operation, s.Use, hot(s))
	return s
}

// shared are the partitions that changes of many customers write: the first parts of their keys.
var shared = []string{"AUDIT", "QUEUE", "UNTOLD", "WEEK", "WORD-REQUESTS", "STATS", "EXPIRY", "DUE", "CUSTOMERS", "WORD",
	"SERVER", "DOMAIN", "OUTBOX", "LATER", "FAILEDMAIL", "REPORTED", "UNREACHED", "COLLEAGUE"}

// hot lists the shared partitions that were written, without what is named after the word, the server or the domain.
func hot(s tabletest.Spent) string {
	var found []string
	for pk, use := range s.Partitions {
		kind, rest, _ := strings.Cut(pk, "#")
		if use.RowsWritten == 0 || !slices.Contains(shared, kind) {
			continue
		}
		switch kind {
		case "AUDIT": // of a day
			rest = "#*" + rest[len("2006-01-02"):]
		case "QUEUE": // of a state
			state, _, _ := strings.Cut(rest, "#")
			rest = "#" + state
		case "OUTBOX": // of a rank
			rank, _, _ := strings.Cut(rest, "#")
			rest = "#" + rank + "#*"
		case "STATS", "CUSTOMERS", "UNTOLD", "FAILEDMAIL", "REPORTED", "UNREACHED", "COLLEAGUE":
			rest = ""
		default:
			rest = "#*"
		}
		found = append(found, "`"+kind+rest+"`")
	}
	slices.Sort(found)
	if found = slices.Compact(found); len(found) == 0 {
		return "none"
	}
	return strings.Join(found, ", ")
}

// line notes a line of the table of costs.
func (e *costEnv) line(operation string, use tabletest.Use, hot string) {
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
		use.ReadUnits, use.RowsWritten, use.WriteUnits, hot)
}

// details are those of a usual request.
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

// license makes the license that answers a request, with its key.
func (e *costEnv) license(r request.Request, expiration license.Date) license.License {
	e.t.Helper()
	l := license.License{
		ID: store.NewID(time.Now()), Type: license.Production, Organization: r.Company, Server: r.Server,
		Edition: r.Edition, MaxLoc: 2_000_000, Support: true, NotBefore: expiration.AddMonths(-12),
		Expiration: expiration,
	}
	key := license.Key{
		ID: l.ID, Type: l.Type, Organization: l.Organization, Server: l.Server, Edition: l.Edition,
		Plugins: []string{"license", "governance", "abap", "cobol", "cpp", "objc", "pli", "plsql", "rpg", "swift", "tsql",
			"vb", "vbnet"},
		MaxLoc: l.MaxLoc, Support: true, NotBefore: l.NotBefore, Expiration: l.Expiration,
		Issued: license.DateOf(time.Now()),
	}
	text, err := e.issuer.Issue(key)
	e.must(err)
	l.KeyText = text
	return l
}

// measureRequests measures what is done about requests and licenses, with the mails that this sends.
func (e *costEnv) measureRequests() {
	ctx := e.t.Context()
	var r request.Request
	file := func() (err error) {
		r, _, err = e.FileRequest(ctx, details(1), "0f8fad5b-d9cb-469f-a165-70867728950e")
		return err
	}
	filed := e.measure("file a request, with two emails", file)
	if filed.WriteUnits > 45 || filed.RowsWritten > 16 {
		e.t.Errorf("got %d rows and %d write units for an accepted request, want at most 16 and 45: %v",
			filed.RowsWritten, filed.WriteUnits, filed.Largest)
	}
	e.measure("file it again with the same token and details", file)
	both := e.measureSending("send its two emails", 2)
	if n := filed.WriteUnits + both.WriteUnits; n > 90 {
		e.t.Errorf("got %d write units for an accepted request with both emails sent, want at most 90", n)
	}
	e.measure("take a request into review", func() (err error) {
		r, err = e.Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: operator, To: request.InReview})
		return err
	})
	e.measure("find the customers that a request may be about", func() error {
		return last(e.Candidates(ctx, r.Details))
	})
	i := e.draft(r, license.DateOf(time.Now()).AddMonths(2))
	i.Request, i.RequestVersion = r.ID, r.Version
	e.measure("issue a first license for a request, with its email", func() error { return e.IssueLicenses(ctx, i) })
	e.measureSending("send a license key", 1)
	l := i.Licenses[0]
	e.measureCustomer(l)
	e.measureLicense(l)
}

// contacts are those of the customer of a request.
func contacts(r request.Details) []license.Contact {
	return []license.Contact{{Name: r.Name, Email: r.Email}, {Email: r.Contacts[0]}}
}

// draft is the issue of a license to a request's server, with what is not on record yet.
func (e *costEnv) draft(r request.Request, expiration license.Date) store.Issue {
	e.t.Helper()
	i, err := storetest.Draft(e.t.Context(), e.Store.Store, e.license(r, expiration), contacts(r.Details)...)
	e.must(err)
	i.By = operator
	return i
}

// measureCustomer measures what is done about the customer of a license, and undoes it.
func (e *costEnv) measureCustomer(l license.License) {
	ctx := e.t.Context()
	seen := func(id string) store.AccountChange {
		a, err := e.Account(ctx, id)
		e.must(err)
		return store.AccountChange{Customer: id, Version: a.Version, By: operator}
	}
	of := l.Customer
	eve := license.Contact{Email: "eve@southwind.example"}
	other := storetest.Customer(e.t, e.Store.Store, "Southwind Traders", eve).ID
	e.measure("read a customer with all that is on record", func() error { return last(e.Account(ctx, of)) })
	now, there := seen(of), seen(other)
	e.measure("add a contact", func() error {
		return e.SaveCustomer(ctx, now, of, func(c *customer.Customer) error {
			c.Contacts = append(c.Contacts, customer.Contact{Name: "Lena Vogt", Email: "lena.vogt@customer1.example"})
			return nil
		})
	})
	now = seen(of)
	e.measure("end a contract", func() error { return e.EndContract(ctx, now, l.Contract, "unpaid") })
	e.must(e.ReopenContract(ctx, seen(of), l.Contract))
	now = seen(of)
	e.measure("retire an instance", func() error { return e.RetireInstance(ctx, now, l.Instance, true) })
	e.must(e.RetireInstance(ctx, seen(of), l.Instance, false))
	now = seen(of)
	e.measure("move an instance to another customer", func() error {
		return e.MoveInstances(ctx, store.Move{Instances: []string{l.Instance}, From: now, To: other,
			Version: there.Version})
	})
	e.must(e.MoveInstances(ctx, store.Move{Instances: []string{l.Instance}, From: seen(other), To: of,
		Version: seen(of).Version, Undo: true}))
	now, there = seen(of), seen(other)
	e.measure("merge two customers", func() error {
		return e.MergeCustomers(ctx, store.Merge{From: of, Into: other, FromVersion: now.Version,
			IntoVersion: there.Version, By: operator})
	})
	e.must(e.UnmergeCustomer(ctx, seen(other), of))
	e.measureContract()
}

// measureContract measures what is issued under a contract of one production and one staging license.
func (e *costEnv) measureContract() {
	ctx := e.t.Context()
	var r request.Request
	r.Details = details(3)
	first := e.draft(r, license.DateOf(time.Now()).AddMonths(14))
	e.must(e.IssueLicenses(ctx, first))
	production := first.Licenses[0]
	staging := e.license(r, production.Expiration)
	staging.Type, staging.Customer, staging.Contract = license.Staging, production.Customer, production.Contract
	second, err := storetest.Draft(ctx, e.Store.Store, staging)
	e.must(err)
	e.must(e.IssueLicenses(ctx, second))
	staging = second.Licenses[0]

	// next are licenses that follow others, or take their place.
	next := func(k customer.Contract, like ...license.License) (list []license.License) {
		for _, l := range like {
			made := e.license(r, k.Last)
			made.Type, made.Customer, made.Instance, made.Contract = l.Type, l.Customer, l.Instance, k.ID
			made.Server, made.MaxLoc = l.Server, k.MaxLoc
			list = append(list, made)
		}
		return list
	}
	a, err := e.Account(ctx, production.Customer)
	e.must(err)
	k := *a.Contract(production.Contract)
	renewal := k
	renewal.ID, renewal.Renews, renewal.First = store.NewID(time.Now()), k.ID, k.Last.AddDays(1)
	renewal.Reference, renewal.Last = "", k.Last.AddMonths(12)
	ahead := store.Issue{Contracts: []customer.Contract{renewal}, Licenses: next(renewal, production, staging),
		By: operator, To: contacts(r.Details)[0]}
	e.measure("renew one production and one staging license", func() error { return e.IssueLicenses(ctx, ahead) })
	k.MaxLoc *= 2
	renewal.MaxLoc *= 2
	upgrade := store.Issue{Contracts: []customer.Contract{k, renewal}, By: operator, To: contacts(r.Details)[0],
		Licenses: append(next(k, production, staging), next(renewal, production, staging)...),
		Replaces: []string{production.ID, staging.ID, ahead.Licenses[0].ID, ahead.Licenses[1].ID}}
	e.measure("upgrade both, which were renewed ahead", func() error { return e.IssueLicenses(ctx, upgrade) })
	replaced := next(k, upgrade.Licenses[0])
	a, err = e.Account(ctx, production.Customer)
	e.must(err)
	instance := *a.Instance(production.Instance)
	replaced[0].Server = "BF41A1F2-AWHW8w9JtzBzSrmfMOVE"
	instance.Servers = append(slices.Clone(instance.Servers), customer.ServerID{Server: replaced[0].Server,
		Told: time.Now().UTC()})
	e.measure("replace a server ID", func() error {
		return e.IssueLicenses(ctx, store.Issue{Licenses: replaced, Instances: []customer.Instance{instance}, By: operator,
			Replaces: []string{upgrade.Licenses[0].ID}, To: contacts(r.Details)[0]})
	})
	e.must(e.mailer(0).Run(ctx))
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
	e.line(operation, use, hot(s))
	claims := 2 * mails
	records := s.In("MAILS#").WriteUnits - claims + ready.WriteUnits
	letters := s.In("LETTER#").WriteUnits
	if claims+records+letters != use.WriteUnits || records > 4*mails || letters > 10*mails {
		e.t.Errorf("%s: got %d write units to record %d emails and %d for the letters of %d in all, want at most 4 and "+
			"10 each: %v", operation, records, mails, letters, use.WriteUnits, s.Largest)
	}
	return use
}

func (e *costEnv) measureLicense(l license.License) {
	ctx := e.t.Context()
	i := e.draft(request.Request{Details: details(2)}, license.DateOf(time.Now()).AddMonths(14))
	i.Imported = true
	e.measure("import a license of a new customer", func() error { return e.IssueLicenses(ctx, i) })
	imported := i.Licenses[0]
	change := func() store.LicenseChange {
		recorded, err := e.License(ctx, imported.ID)
		e.must(err)
		return store.LicenseChange{ID: imported.ID, Version: recorded.Version, By: operator}
	}
	seen := change()
	e.measure("mute or unmute reminders", func() error { return e.MuteReminders(ctx, seen, true) })
	seen = change()
	e.measure("revoke a license", func() error { return e.RevokeLicense(ctx, seen, "not paid") })

	e.measure("record a reminder, with its email", func() error {
		return daily.New(daily.Options{Store: e, Now: time.Now, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	})
	e.measureSending("send a reminder", 1)
	reminded := notice.LicenseExpiring(l, 2, contacts(details(1))[0])
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
}

// measureRest measures what the console and the jobs do besides.
func (e *costEnv) measureRest() {
	ctx := e.t.Context()
	e.measure("sign in, the first time of a day", func() error {
		return e.RecordSignIn(ctx, operator, "Robin", "sales")
	})
	e.measure("read the names of colleagues", func() error { return last(e.Colleagues(ctx)) })
	e.measure("sign out", func() error { return e.EndSession(ctx, "s1", time.Now().Add(time.Hour)) })
	e.measure("a page of the queue", func() error {
		return last(e.Queue(ctx, store.QueueQuery{States: []request.State{request.Received}, Limit: 50}))
	})
	e.must(e.mailer(0).Run(ctx))
	e.measure("a daily run with nothing due", func() error {
		return daily.New(daily.Options{Store: e, Now: time.Now, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	})
	idle := e.measure("a sweep of the mailer with nothing ready", func() error { return e.mailer(0).Run(ctx) })
	if idle.Queries > 4*rowkey.Shards || idle.RowsRead > 1 || idle.WriteUnits > 4 {
		e.t.Errorf("got an idle sweep of %d queries and %d rows, want at most %d queries and the lease alone: %+v",
			idle.Queries, idle.RowsRead, 4*rowkey.Shards, idle)
	}
}

// TestStorageStatesTheCosts measures every line of the table of costs.
func TestStorageStatesTheCosts(t *testing.T) {
	issuer := licensetest.Issuer(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2018, 6, 4, 9, 0, 0, 0, time.UTC)))
		e := newCostEnv(t, issuer)
		e.measureRequests()
		e.measureRest()
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
