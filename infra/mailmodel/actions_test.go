package mailmodel

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"marketplace/functions/reminders/daily"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
)

// addresses are of three companies and a public provider.
var addresses = []string{"ada@acme.example", "bob@acme.example", "it@acme.example", "eve@wonka.example",
	"sam@wonka.example", "joe@initech.example", "zoe@gmail.com", "max@gmail.com"}

const operator = "sam@vendor.example"

// do does what people do, again while the table fails, and reports whether it was done. Each attempt is at most one
// transaction.
func (w *world) do(what string, f func() error) bool {
	w.people.appeared = nil
	for range 100 {
		applied := w.people.applied
		err := f()
		switch {
		case err == nil, w.people.applied > applied:
			w.logf("%s", what)
			return true
		case fault.KindOf(err) != fault.Unavailable:
			w.failf("%s: %v", what, err)
			return false
		}
	}
	return false
}

// want is an email that has to be queued.
type want struct{ kind, about, to string }

// expect checks that people caused these emails and no others.
func (w *world) expect(wants ...want) {
	var got []want
	for _, e := range w.people.appeared {
		got = append(got, want{e.Kind, e.About, e.To.Email})
	}
	if !sameWants(got, wants) {
		w.failf("queued %v, want %v", got, wants)
	}
}

func sameWants(a, b []want) bool {
	byText := func(a, b want) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byText), slices.SortedFunc(slices.Values(b), byText))
}

func (w *world) version(key table.Key) int64 {
	row, err := w.rows.Get(context.Background(), key)
	if err != nil {
		w.failf("there is no %s", key)
	}
	return row.Version
}

func (w *world) file() {
	details := request.Details{
		Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
		ProductVersion: "6.7", Name: "Ada Lovelace", Email: one(w, addresses), Company: "Acme AG", Country: "England",
	}
	suspicious, token := w.chance(20), ""
	if w.chance(50) {
		token = fmt.Sprintf("token-%d", w.ids)
	}
	filing := store.Filing{Details: details, Key: token, Suspicious: suspicious}
	if !suspicious && w.chance(40) { // by telephone
		filing.By = operator
	}
	var r request.Request
	if !w.do("a customer files a request", func() (err error) {
		r, _, err = w.people.store.FileRequest(context.Background(), filing)
		return err
	}) {
		return
	}
	if r.ID == "" { // the answer was lost
		r.ID = fmt.Sprintf("r%03d", w.ids)
	}
	filed := &requested{id: r.ID, email: details.Email, state: "received", suspicious: suspicious,
		unconfirmed: filing.By == "", filed: w.now}
	w.requests = append(w.requests, filed)
	switch {
	case suspicious:
		w.expect()
	case filing.By != "":
		w.expect(want{"request-received", r.ID, details.Email}, want{"request-confirmed", r.ID, ""})
	default:
		w.expect(w.toConfirm(filed)...)
	}
	if token != "" && w.chance(50) {
		w.do("the customer files it again", func() error {
			again, created, err := w.people.store.FileRequest(context.Background(), filing)
			if err == nil && (created || again.ID != r.ID) {
				w.failf("the token of %s made %s", r.ID, again.ID)
			}
			return err
		})
		w.expect()
	}
}

func (w *world) openRequest() *requested {
	open := slices.DeleteFunc(slices.Clone(w.requests), func(r *requested) bool { return !r.open() })
	if len(open) == 0 {
		return nil
	}
	return one(w, open)
}

func (w *world) correct() {
	r := w.openRequest()
	if r == nil || r.confirmed {
		return
	}
	to := one(w, addresses)
	if to == r.email || !w.do("the customer corrects the address of "+r.id, func() error {
		return w.people.store.CorrectEmail(context.Background(), r.id, r.email, to)
	}) {
		return
	}
	r.email, r.corrected = to, true
	if r.suspicious {
		w.expect()
	} else {
		w.expect(w.toConfirm(r)...)
	}
}

func (w *world) review() {
	r := w.openRequest()
	if r == nil {
		return
	}
	to := one(w, []request.State{request.InReview, request.Waiting, request.Waiting, request.Rejected,
		request.Withdrawn})
	if string(to) == r.state {
		return
	}
	text := fmt.Sprintf("Text %d for you", len(w.order))
	if !w.do(fmt.Sprintf("%s is brought to %s", r.id, to), func() error {
		_, err := w.people.store.Review(context.Background(), store.Review{
			ID: r.id, Version: w.version(rowkey.Request(r.id)), By: operator, To: to, Text: text})
		return err
	}) {
		return
	}
	r.state, r.unconfirmed = string(to), false
	switch to {
	case request.Waiting:
		r.question = text
		w.expect(want{"request-question", r.id, r.email})
	case request.Rejected:
		w.expect(want{"request-rejected", r.id, r.email})
	case request.Withdrawn:
		w.expect(want{"request-withdrawn", r.id, r.email})
	default:
		w.expect()
	}
}

// newLicense makes a license that expires soon, so that there is something to remind of.
func (w *world) newLicense(of *buyer, server, email string) *licensed {
	id := fmt.Sprintf("l%03d", len(w.licenses)+1)
	days := one(w, []int{0, 1, 5, 20, 29, 31, 33, 45, 59, 61, 63, 70, 100, 200}) + w.choose(3)
	l := &licensed{id: id, server: server, expiration: day(w.now).AddDate(0, 0, days), buyer: of}
	if w.chance(20) {
		l.notBefore = day(w.now).AddDate(0, 0, -w.choose(30))
	}
	l.added = append(l.added, email)
	for _, c := range addresses {
		if c != email && len(l.added) < 3 && w.chance(15) {
			l.added = append(l.added, c)
		}
	}
	return l
}

// recorded notes that licenses are on record, and with them the contacts that came with them.
func (w *world) recorded(licenses ...*licensed) {
	for _, l := range licenses {
		w.licenses = append(w.licenses, l)
		for _, c := range l.added {
			known := func(r reader) bool { return r.email == c }
			if !slices.ContainsFunc(l.buyer.contacts, known) {
				l.buyer.contacts = append(l.buyer.contacts, reader{c, true, true})
			}
		}
	}
}

func (l *licensed) terms() license.License {
	t := license.License{
		ID: l.id, Type: license.Production, Organization: l.buyer.name, Server: license.Server(l.server),
		Edition: license.Developer, MaxLoc: 1_000_000, Expiration: license.DateOf(l.expiration), KeyText: l.key,
	}
	if !l.notBefore.IsZero() {
		t.NotBefore = license.DateOf(l.notBefore)
	}
	return t
}

// draft is the issuing of licenses of one customer, with the contacts that come with them.
func (w *world) draft(licenses ...*licensed) (i store.Issue, err error) {
	for _, l := range licenses {
		var contacts []license.Contact
		for _, c := range l.added {
			contacts = append(contacts, license.Contact{Name: "A Person", Email: c})
		}
		one, err := storetest.Draft(context.Background(), w.people.store.Store, l.terms(), contacts...)
		if err != nil {
			return store.Issue{}, err
		}
		i = storetest.Join(i, one)
	}
	return i, nil
}

const mostLicenses = 12

func (w *world) importLicense() {
	if len(w.licenses) >= mostLicenses {
		return
	}
	of, server := w.newBuyer(), fmt.Sprintf("server%d", len(w.licenses))
	if len(w.licenses) > 0 && w.chance(30) { // a renewal, or an old one
		old := one(w, w.licenses)
		of, server = old.buyer, old.server
	}
	l := w.newLicense(of, server, one(w, addresses))
	if w.do("license "+l.id+" is imported", func() error {
		i, err := w.draft(l)
		if err != nil {
			return err
		}
		i.Imported = true
		return w.people.store.IssueLicenses(context.Background(), i)
	}) {
		w.recorded(l)
		w.expect()
	}
}

func (w *world) newBuyer() *buyer { return &buyer{name: fmt.Sprintf("Company %d", len(w.licenses))} }

// issue issues one or two licenses: for a request, or a renewal that may revoke the license before it. The key
// may go to somebody who is no contact.
func (w *world) issue() {
	if len(w.licenses) >= mostLicenses {
		return
	}
	var old *licensed
	of, server, email := w.newBuyer(), fmt.Sprintf("server%d", len(w.licenses)), one(w, addresses)
	r := w.openRequest()
	if r != nil {
		email = r.email
	}
	if len(w.licenses) > 0 && w.chance(40) {
		old = one(w, w.licenses)
		of, server = old.buyer, old.server
	}
	var made []*licensed
	for n := range 1 + w.choose(2) {
		l := w.newLicense(of, server, email)
		l.id = fmt.Sprintf("l%03d", len(w.licenses)+1+n)
		l.key = fmt.Sprintf("S0VZLW9m%s", l.id)
		if n > 0 {
			l.server += "staging"
		}
		made = append(made, l)
	}
	to := made[0].added[0]
	if w.chance(20) {
		to = one(w, addresses)
	}
	replaces := old != nil && !old.revoked && w.chance(30)
	if !w.do("license "+made[0].id+" is issued", func() error {
		i, err := w.draft(made...)
		if err != nil {
			return err
		}
		i.To = license.Contact{Name: "A Person", Email: to}
		if r != nil {
			i.Request, i.RequestVersion = r.id, w.version(rowkey.Request(r.id))
		}
		if replaces {
			i.Replaces = []string{old.id}
		}
		return w.people.store.IssueLicenses(context.Background(), i)
	}) {
		return
	}
	before := slices.Clone(of.contacts)
	w.recorded(made...)
	wants := []want{{"license-key", made[0].id, to}}
	if old != nil {
		wants = append(wants, contactsTold(of, before, of.contacts)...)
	}
	if replaces {
		old.revoked = true
	}
	if r != nil {
		r.state, r.unconfirmed = "issued", false
	}
	w.expect(wants...)
}

func (w *world) changeLicense() {
	if len(w.licenses) == 0 {
		return
	}
	l := one(w, w.licenses)
	change := func() store.LicenseChange {
		return store.LicenseChange{ID: l.id, Version: w.version(rowkey.License(l.id)), By: operator}
	}
	switch n := w.choose(5); {
	case n == 0 && !l.revoked:
		except := w.except(l.buyer)
		if w.do("license "+l.id+" is revoked", func() error {
			c := change()
			c.Except = except
			return w.people.store.RevokeLicense(context.Background(), c, "never paid")
		}) {
			l.revoked = true
			w.expect(want{"license-revoked", l.id, ""})
		}
	case n <= 2:
		muted := !l.muted
		if w.do(fmt.Sprintf("reminders of %s are muted: %v", l.id, muted), func() error {
			return w.people.store.MuteReminders(context.Background(), change(), muted)
		}) {
			l.muted = muted
			w.expect()
		}
	case l.key != "":
		to, nonce := one(w, addresses), fmt.Sprintf("n%d", len(w.order))
		if w.do("the key of "+l.id+" is sent again", func() error {
			return w.people.store.SendKeyAgain(context.Background(), l.id, operator,
				license.Contact{Name: "A Person", Email: to}, nonce)
		}) {
			w.expect(want{"license-key", l.id, to})
		}
	}
}

// changeCustomer removes a contact, adds one, changes their order, or what one is for; or takes a server out of use, or
// back into use.
func (w *world) changeCustomer() {
	if len(w.licenses) == 0 {
		return
	}
	l := one(w, w.licenses)
	after := slices.Clone(l.buyer.contacts)
	what := ""
	switch n := w.choose(6); {
	case n == 0:
		w.retire(l)
		return
	case n == 1 && len(after) > 0:
		i := w.choose(len(after))
		what = "loses the contact " + after[i].email
		after = slices.Delete(after, i, i+1)
	case n == 2:
		email := one(w, addresses)
		if slices.ContainsFunc(after, func(r reader) bool { return r.email == email }) {
			return
		}
		what, after = "gets the contact "+email, append(after, reader{email, true, true})
	case n == 3:
		what = "has its contacts in the opposite order"
		slices.Reverse(after)
	case len(after) > 0:
		i := w.choose(len(after))
		after[i].keys, after[i].renewals = w.chance(70), true
		if after[i].keys {
			after[i].renewals = w.chance(70)
		}
		what = fmt.Sprintf("has %s for keys: %v, for renewals: %v", after[i].email, after[i].keys, after[i].renewals)
	}
	if what != "" {
		w.saveContacts(l, after, what)
	}
}

func (w *world) saveContacts(l *licensed, after []reader, what string) {
	except := w.except(l.buyer)
	if w.do(l.buyer.name+" "+what, func() error {
		change := w.accountChange(l)
		change.Except = except
		return w.people.store.SaveCustomer(context.Background(), change, change.Customer,
			func(c *customer.Customer) error { c.Contacts = contacts(after); return nil })
	}) {
		wants := contactsTold(l.buyer, l.buyer.contacts, after)
		l.buyer.contacts = after
		w.expect(wants...)
	}
}

// overtake removes the contact to whom one of some reminders goes, or takes the server that it is about out of use.
func (w *world) overtake(of []*email) {
	var reminders []*email
	for _, e := range of {
		if e.Kind == "license-expiring" {
			reminders = append(reminders, e)
		}
	}
	if len(reminders) == 0 {
		return
	}
	e := one(w, reminders)
	l := w.license(e.About)
	if w.chance(40) {
		w.retire(l)
		return
	}
	w.saveContacts(l, slices.DeleteFunc(slices.Clone(l.buyer.contacts), func(r reader) bool {
		return r.email == e.To.Email
	}), "loses the contact "+e.To.Email)
}

// contacts are the model's contacts as the store has them.
func contacts(readers []reader) (list []customer.Contact) {
	for _, r := range readers {
		c := customer.Contact{Name: "A Person", Email: r.email}
		switch {
		case r.keys && !r.renewals:
			c.For = []customer.Purpose{customer.Keys}
		case r.renewals && !r.keys:
			c.For = []customer.Purpose{customer.Renewals}
		}
		list = append(list, c)
	}
	return list
}

// accountChange is a change of the customer of a license as it is on record.
func (w *world) accountChange(l *licensed) store.AccountChange {
	id := storetest.CustomerID(l.buyer.name)
	return store.AccountChange{Customer: id, Version: w.version(rowkey.Guard(id)), By: operator}
}

// retire takes the server of a license out of use, or back into use.
func (w *world) retire(l *licensed) {
	retired := !w.retired[l.server]
	if w.do(fmt.Sprintf("%s is retired: %v", l.server, retired), func() error {
		return w.people.store.RetireInstance(context.Background(), w.accountChange(l), storetest.InstanceID(l.terms()),
			retired)
	}) {
		w.retired[l.server] = retired
		w.expect()
	}
}

func (w *world) tryAgain() {
	for _, e := range w.order {
		if e.state.Status != "failed" || w.chance(30) {
			continue
		}
		applied := w.people.applied
		if w.do(e.ID+" is tried again", func() error {
			return w.people.store.TryMailAgain(context.Background(), e.ID, operator)
		}) && w.people.applied > applied {
			e.since, e.marksThen, e.notSent, e.rejected, e.letterFailed = len(e.calls), e.marks, 0, false, false
			e.paused = time.Time{}
			w.expect()
		}
	}
}

// sendAgain sends an email again that was sent.
func (w *world) sendAgain() {
	var sent []*email
	for _, e := range w.order {
		if e.state.Status == "sent" && w.point(e) == yes && !w.stopped(w.recipient(e), e.Kind) &&
			w.suppressed[w.recipient(e)] == "" {
			sent = append(sent, e)
		}
	}
	if len(sent) == 0 {
		return
	}
	e, nonce := one(w, sent), fmt.Sprintf("n%d", len(w.order))
	if w.do(e.ID+" is sent again", func() error {
		return w.people.store.SendMailAgain(context.Background(), e.ID, operator, nonce)
	}) {
		w.expect(want{e.Kind, e.About, e.To.Email})
	}
}

// lift lets emails be sent to an address again.
func (w *world) lift() {
	if len(w.suppressed) == 0 || len(w.licenses) == 0 {
		return
	}
	address := one(w, slices.Sorted(maps.Keys(w.suppressed)))
	on := store.Subject{License: one(w, w.licenses).id}
	if w.do("emails to "+address+" are allowed again", func() error {
		_, err := w.people.store.LiftSuppression(context.Background(), on, address, operator, "they called")
		return err
	}) {
		delete(w.suppressed, address)
	}
}

// sendable returns the first contact whose address is not suppressed; "" for none.
func (w *world) sendable(l *licensed) string {
	for _, c := range l.buyer.forRenewals() {
		if w.suppressed[c] != everything {
			return c
		}
	}
	return ""
}

// remind is the daily run.
func (w *world) remind() {
	habits := w.habits
	p := w.process(fmt.Sprint("daily", w.now), plan{down: habits.tableDown, lost: habits.tableLost, concurrent: true})
	wants := map[want]*licensed{}
	for _, l := range w.licenses {
		stage := w.stage(l)
		if stage == 0 || l.reminded != 0 && l.reminded <= stage {
			continue
		}
		to := w.sendable(l)
		switch {
		case to != "":
			wants[want{"license-expiring", l.id, to}] = l
		case !l.unreached:
			wants[want{"license-unreached", l.id, ""}] = l
		}
	}
	today := w.now.Format(time.DateOnly)
	untold := slices.DeleteFunc(slices.Clone(w.requests), func(r *requested) bool { return !r.unconfirmed || r.told })
	if len(untold) > 0 && w.emails["request-unconfirmed--"+today] == nil {
		wants[want{"request-unconfirmed", "request-unconfirmed", ""}] = nil
	}
	old := func(r *requested) bool { return !w.now.Before(r.filed.AddDate(0, 0, 30)) }
	onlyOld := !slices.ContainsFunc(untold, func(r *requested) bool { return !old(r) })
	err := daily.New(daily.Options{Store: p.store, Now: w.clock, Log: slog.New(slog.DiscardHandler)}).
		Run(context.Background())
	w.logf("daily run: %v", err)
	w.closeOld()
	for _, e := range p.appeared {
		key := want{e.Kind, e.About, e.To.Email}
		l, wanted := wants[key]
		if !wanted {
			w.failf("the daily run queued %s for no reason", e.ID)
			return
		}
		delete(wants, key)
		switch e.Kind {
		case "license-expiring":
			if e.Stage != w.stage(l) {
				w.failf("the daily run queued %s, want stage %d", e.ID, w.stage(l))
			}
			l.reminded = e.Stage
		case "request-unconfirmed":
			for _, r := range untold {
				r.told = true
			}
		}
	}
	if onlyOld { // they are closed in this run, before sales are told
		delete(wants, want{"request-unconfirmed", "request-unconfirmed", ""})
	}
	if err == nil && len(wants) > 0 {
		w.failf("the daily run succeeded and did not queue %v", wants)
	}
	if w.chance(15) {
		w.overtake(p.appeared)
	}
}

// unknownRow writes an email that only a newer version of the program knows.
func (w *world) unknownRow() {
	id := fmt.Sprintf("new%d--invoice", len(w.order))
	kind, schema, to := "invoice", 1, `{"email":"ada@acme.example"}`
	switch w.choose(3) {
	case 1:
		kind, schema = "license-expiring", 99
	case 2:
		schema, to = 99, `["ada@acme.example"]`
	}
	rank, customer := 1+w.choose(3), one(w, []string{"acme.example", "zoe@gmail.com"})
	data := fmt.Sprintf(`{"id":%q,"kind":%q,"about":%q,"to":%s,"customer":%q,"created":%q,"rank":%d,"ready":%q}`,
		id, kind, strings.TrimSuffix(id, "--invoice"), to, customer, w.now.Format(time.RFC3339), rank,
		w.now.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano))
	ready := rowkey.Ready(rank, rowkey.Shard(customer), w.now, 0, id)
	e := &email{ID: id, unknown: true, queued: w.now}
	w.emails[id], w.order = e, append(w.order, e)
	w.ready[ready.String()] = w.commits
	w.logf("a newer version queues %s of rank %d, schema %d, to %s", id, rank, schema, to)
	if err := w.rows.Transact(context.Background(),
		table.Create(table.Row{Key: rowkey.Mail(id), Type: "mail", Schema: schema, Data: []byte(data)}),
		table.Create(table.Row{Key: ready, Type: "pending", Schema: 1,
			Data: fmt.Appendf(nil, `{"customer":%q}`, customer)}),
	); err != nil {
		w.failf("%v", err)
	}
}

// change changes how the provider answers.
func (w *world) change() {
	p := w.provider
	before := p.unreadable()
	switch n := w.choose(100); {
	case n < 35:
		p.mode = works
	case n < 70:
		p.mode = w.usual
	default:
		p.mode = mode(w.choose(int(modes)))
	}
	p.quotaDown = w.chance(10)
	if before {
		p.changed = w.now
	}
	if w.chance(30) {
		w.setLimits()
	}
	w.logf("the provider: mode %d, %d a second, %d a day, limits unknown: %v", p.mode, p.perSecond, p.perDay,
		p.quotaDown)
}

// midnight lets emails wait for their turns while a day ends.
func (w *world) midnight() {
	w.remind()
	w.provider.changed, w.provider.perSecond, w.provider.perDay = w.now, 1, 0
	w.provider.mode = works
	w.advance(day(w.now).AddDate(0, 0, 1).Sub(w.now) - time.Duration(500+w.choose(4000))*time.Millisecond)
	w.send()
}

func (w *world) setLimits() {
	p := w.provider
	p.changed = w.now
	p.perSecond, p.perDay = one(w, []int{0, 1, 2, 10}), one(w, []int{0, 5, 10, 20})
}

func (w *world) wait() {
	d := one(w, []time.Duration{time.Second, 10 * time.Second, time.Minute, time.Minute, 5 * time.Minute,
		10 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
		21 * 24 * time.Hour})
	if w.chance(10) { // until just before midnight
		d = day(w.now).AddDate(0, 0, 1).Sub(w.now) - 2*time.Second
	}
	w.logf("%v pass", d)
	w.advance(d + time.Duration(w.choose(1000))*time.Millisecond)
}
