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
	before := *r
	r.state, r.unconfirmed, r.end = string(to), false, nil
	if !r.open() {
		w.endOf(r, before)
	}
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

// newLicense makes a license that expires soon, so that there is something to remind of: often on the day of another
// of the customer's, or at the end of a month.
func (w *world) newLicense(site *installation, email string) *licensed {
	days := one(w, []int{0, 1, 5, 7, 20, 29, 31, 33, 45, 59, 61, 63, 70, 100, 200}) + w.choose(3)
	l := &licensed{
		id: fmt.Sprintf("l%03d", len(w.licenses)+1), site: site, server: site.server, kind: license.Production,
		edition: one(w, []license.Edition{license.Developer, license.Enterprise}), unsubscribed: map[string]bool{},
		expiration: day(w.now).AddDate(0, 0, days),
	}
	switch {
	case site.staging:
		l.kind = license.Staging
	case w.chance(25):
		l.kind = license.Evaluation
	}
	var siblings []*licensed
	for _, o := range w.licenses {
		if o.buyer() == site.buyer && !o.expiration.Before(day(w.now)) {
			siblings = append(siblings, o)
		}
	}
	switch n := w.choose(100); {
	case n < 40 && len(siblings) > 0:
		l.expiration = one(w, siblings).expiration
	case n < 55:
		l.expiration = time.Date(l.expiration.Year(), l.expiration.Month()+1, 0, 0, 0, 0, 0, time.UTC)
	}
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

// renewal makes a license of an instance that has one: at times another server's, and at times with a gap after the
// one before it.
func (w *world) renewal(of *licensed, email string) *licensed {
	l := w.newLicense(of.site, email)
	if w.chance(35) {
		l.notBefore = walk(of.expiration, w.choose(9)-3)
		l.expiration = walk(l.notBefore, 3+w.choose(90))
	}
	return l
}

// newSite makes an instance of a customer, new or known.
func (w *world) newSite() *installation {
	of := &buyer{name: fmt.Sprintf("Company %d", len(w.licenses))}
	if len(w.buyers) > 0 && w.chance(70) {
		of = one(w, w.buyers)
	}
	return w.siteOf(of, fmt.Sprintf("server%d", len(w.licenses)), w.chance(20))
}

func (w *world) siteOf(of *buyer, server string, staging bool) *installation {
	l := license.License{Organization: of.name, Server: license.Server(server)}
	if staging {
		l.Type = license.Staging
	}
	return &installation{id: storetest.InstanceID(l), buyer: of, server: server, staging: staging}
}

// recorded notes that licenses are on record, and with them the contacts that came with them.
func (w *world) recorded(licenses ...*licensed) {
	for _, l := range licenses {
		w.licenses = append(w.licenses, l)
		if !slices.Contains(w.buyers, l.buyer()) {
			w.buyers = append(w.buyers, l.buyer())
		}
		for _, c := range l.added {
			known := func(r reader) bool { return r.email == c }
			if !slices.ContainsFunc(l.buyer().contacts, known) {
				l.buyer().contacts = append(l.buyer().contacts, reader{c, true, true})
			}
		}
	}
}

func (l *licensed) terms() license.License {
	t := license.License{
		ID: l.id, Type: l.kind, Organization: l.buyer().name, Instance: l.site.id, Server: license.Server(l.server),
		Edition: l.edition, MaxLoc: 1_000_000, Expiration: license.DateOf(l.expiration), KeyText: l.key,
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

const mostLicenses = 16

func (w *world) importLicense() {
	if len(w.licenses) >= mostLicenses {
		return
	}
	var l *licensed
	if len(w.licenses) > 0 && w.chance(30) { // a renewal, or an old one
		l = w.renewal(one(w, w.licenses), one(w, addresses))
	} else {
		l = w.newLicense(w.newSite(), one(w, addresses))
	}
	w.importOne(l)
}

// importOne records a license that was issued elsewhere.
func (w *world) importOne(l *licensed) {
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

// issue issues one or two licenses: for a request, or a renewal or an upgrade that may replace the license before it,
// at times for another server. The key may go to somebody who is no contact.
func (w *world) issue() {
	if len(w.licenses) >= mostLicenses {
		return
	}
	email := one(w, addresses)
	r := w.openRequest()
	if r != nil {
		email = r.email
	}
	var old, first *licensed
	if len(w.licenses) > 0 && w.chance(40) {
		old = one(w, w.licenses)
		first = w.renewal(old, email)
	} else {
		first = w.newLicense(w.newSite(), email)
	}
	known := slices.Contains(w.buyers, first.buyer())
	replaces := old != nil && !old.revoked && w.chance(40)
	if replaces && w.chance(40) {
		first.server += "x"
	}
	made := []*licensed{first}
	if w.chance(50) {
		second := w.newLicense(w.siteOf(first.buyer(), fmt.Sprintf("mirror%d", len(w.licenses)), true), email)
		second.id = fmt.Sprintf("l%03d", len(w.licenses)+2)
		made = append(made, second)
	}
	for _, l := range made {
		l.key = fmt.Sprintf("S0VZLW9m%s", l.id)
	}
	to := made[0].added[0]
	if w.chance(20) {
		to = one(w, addresses)
	}
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
	of := first.buyer()
	before := slices.Clone(of.contacts)
	w.recorded(made...)
	wants := []want{{"license-key", first.id, to}}
	if known {
		wants = append(wants, contactsTold(of, before, of.contacts)...)
	}
	if first.site.server = first.server; replaces && old.server != first.server {
		wants = append(wants, want{"license-replaced", first.id, ""})
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
		except := w.except(l.buyer())
		if w.do("license "+l.id+" is revoked", func() error {
			c := change()
			c.Except = except
			return w.people.store.RevokeLicense(context.Background(), c, "never paid")
		}) {
			l.revoked = true
			w.expect(want{"license-revoked", l.id, ""})
		}
	case n <= 2:
		w.mute(l, change)
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

// mute stops the reminders of a license, for good or through a day, or resumes them.
func (w *world) mute(l *licensed, change func() store.LicenseChange) {
	if l.mute != nil && w.chance(60) {
		if w.do("reminders of "+l.id+" are resumed", func() error {
			return w.people.store.UnmuteReminders(context.Background(), change())
		}) {
			l.mute = nil
			w.expect()
		}
		return
	}
	m, until := &mute{}, license.Date{}
	if w.chance(60) {
		m.through = walk(day(w.now), one(w, []int{0, 1, 3, 10, 30}))
		until = license.DateOf(m.through)
	}
	if w.do(fmt.Sprintf("reminders of %s are muted through %v", l.id, until), func() error {
		return w.people.store.MuteReminders(context.Background(), change(), "they pay later", until)
	}) {
		l.mute = m
		w.expect()
	}
}

// changeCustomer removes a contact, adds one, changes their order, or what one is for; or takes a server out of use, or
// back into use.
func (w *world) changeCustomer() {
	if len(w.licenses) == 0 {
		return
	}
	l := one(w, w.licenses)
	after := slices.Clone(l.buyer().contacts)
	what := ""
	switch n := w.choose(7); {
	case n == 0:
		w.retire(l)
		return
	case n == 6:
		w.move(l)
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
	except := w.except(l.buyer())
	if w.do(l.buyer().name+" "+what, func() error {
		change := w.accountChange(l.buyer())
		change.Except = except
		return w.people.store.SaveCustomer(context.Background(), change, change.Customer,
			func(c *customer.Customer) error { c.Contacts = contacts(after); return nil })
	}) {
		wants := contactsTold(l.buyer(), l.buyer().contacts, after)
		l.buyer().former = append(l.buyer().former, l.buyer().contacts...)
		l.buyer().contacts = after
		w.expect(wants...)
	}
}

// overtake does something that gives one of some reminders no point: it removes the contact to whom it goes, takes the
// server that it is about out of use, moves it to another customer, or renews a license; or its reader unsubscribes.
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
	l := w.license(one(w, e.Due).License)
	switch w.choose(5) {
	case 0:
		w.retire(l)
		return
	case 3:
		for _, o := range w.order {
			if o.To == e.To && o.state.Status == "sent" && o != e && o.Kind == e.Kind && o.holds(l.id) {
				w.unsubscribeWith(o)
				return
			}
		}
	case 1:
		w.move(l)
		return
	case 2:
		next := w.newLicense(l.site, e.To.Email)
		if next.notBefore, next.expiration = day(w.now), walk(day(w.now), 1+w.choose(60)); w.expired(l) {
			next.kind = l.kind
		}
		w.importOne(next)
		return
	}
	w.saveContacts(l, slices.DeleteFunc(slices.Clone(l.buyer().contacts), func(r reader) bool {
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

// accountChange is a change of a customer as it is on record.
func (w *world) accountChange(of *buyer) store.AccountChange {
	return store.AccountChange{Customer: of.id(), Version: w.version(rowkey.Guard(of.id())), By: operator}
}

// retire takes the instance of a license out of use, or back into use.
func (w *world) retire(l *licensed) {
	retired := !l.site.retired
	if w.do(fmt.Sprintf("%s is retired: %v", l.site.server, retired), func() error {
		return w.people.store.RetireInstance(context.Background(), w.accountChange(l.buyer()), l.site.id, retired)
	}) {
		l.site.retired = retired
		w.expect()
	}
}

// move moves the instance of a license to another customer.
func (w *world) move(l *licensed) {
	to := one(w, w.buyers)
	if to == l.buyer() {
		return
	}
	if w.do(fmt.Sprintf("the instance of %s is moved to %s", l.id, to.name), func() error {
		into := w.accountChange(to)
		return w.people.store.MoveInstances(context.Background(), store.Move{
			Instances: []string{l.site.id}, From: w.accountChange(l.buyer()), To: into.Customer, Version: into.Version})
	}) {
		l.site.buyer = to
		w.expect()
	}
}

// letterOf returns an email with reminders that was sent; nil for none.
func (w *world) letterOf() *email {
	sent := slices.DeleteFunc(slices.Clone(w.order), func(e *email) bool {
		return e.Kind != "license-expiring" || e.state.Status != "sent" || len(e.calls) == 0
	})
	if len(sent) == 0 {
		return nil
	}
	return sent[max(0, len(sent)-1-w.choose(4))]
}

// unsubscribe has the reader of an email unsubscribe from the reminders of the licenses that it names.
func (w *world) unsubscribe() {
	if e := w.letterOf(); e != nil {
		w.unsubscribeWith(e)
	}
}

func (w *world) unsubscribeWith(e *email) {
	if !w.do(e.To.Email+" unsubscribes with "+e.ID, func() error {
		m, err := w.eyes.store.Outbox().Read(context.Background(), e.ID)
		if err != nil {
			return err
		}
		return w.people.store.Unsubscribe(context.Background(), m)
	}) {
		return
	}
	var wants []want
	for _, d := range e.named() {
		if l := w.license(d.License); !l.unsubscribed[e.To.Email] {
			l.unsubscribed[e.To.Email] = true
			wants = []want{{"reminders-stopped", e.About, ""}}
		}
	}
	w.expect(wants...)
}

// resubscribe undoes that: the reader by the email's link, or sales for one license.
func (w *world) resubscribe() {
	e := w.letterOf()
	if e == nil {
		return
	}
	if w.chance(50) {
		d := one(w, e.Due)
		if w.do("reminders of "+d.License+" to "+e.To.Email+" are resumed", func() error {
			of := license.License{ID: d.License, Customer: w.license(d.License).buyer().id()}
			return w.people.store.ResubscribeContact(context.Background(), of, e.To.Email, operator)
		}) {
			delete(w.license(d.License).unsubscribed, e.To.Email)
			w.expect()
		}
		return
	}
	if w.do(e.To.Email+" resumes the reminders of "+e.ID, func() error {
		m, err := w.eyes.store.Outbox().Read(context.Background(), e.ID)
		if err != nil {
			return err
		}
		return w.people.store.Resubscribe(context.Background(), m)
	}) {
		for _, d := range e.named() {
			delete(w.license(d.License).unsubscribed, e.To.Email)
		}
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
	for _, c := range l.buyer().forRenewals() {
		if w.suppressed[c] != everything {
			return c
		}
	}
	return ""
}

// remind is the daily run, with what may go wrong.
func (w *world) remind() {
	pl := plan{down: w.habits.tableDown, lost: w.habits.tableLost}
	if w.chance(w.habits.cutOff) {
		pl.dieAt, pl.dieAfter = 1+w.choose(80), w.chance(50)
	}
	if w.chance(w.habits.stall) {
		pl.stallAt, pl.stall = 1+w.choose(60), w.meanwhile
	}
	if appeared := w.runDaily(pl); w.chance(25) {
		w.overtake(appeared)
	}
}

// keeping deletes nothing: what deletion does to emails is in the histories of shared/store.
type keeping struct{}

func (keeping) DeleteExpired(context.Context, int) (int, error) { return 0, nil }

// runDaily is the daily run. It returns the emails that it queued.
func (w *world) runDaily(pl plan) []*email {
	w.dailies++
	p := w.process(fmt.Sprint("daily", w.dailies), pl)
	today := as(w, p, func() string { return w.today().Format(time.DateOnly) })
	var reminded map[*licensed]reminding
	var unreached map[*licensed]bool
	as(w, p, func() error { reminded, unreached = w.wantedOf(); return nil })
	untold := slices.DeleteFunc(slices.Clone(w.requests), func(r *requested) bool { return !r.unconfirmed || r.told })
	wantTold := len(untold) > 0 && w.emails["request-unconfirmed--"+today] == nil
	now := w.now.Add(p.skew)
	old := func(r *requested) bool { return !now.Before(r.filed.AddDate(0, 0, 30)) }
	onlyOld := !slices.ContainsFunc(untold, func(r *requested) bool { return !old(r) })
	var kept daily.Store = p.store
	if m, ok := mutations[w.mutation]; ok && m.daily != nil {
		kept = m.daily(w, p)
	}
	w.logf("%s runs", p.name)
	err := daily.New(daily.Options{
		Store: kept, Deletion: keeping{}, Now: p.clock, Log: slog.New(slog.DiscardHandler), AtOnce: 1,
	}).Run(context.Background())
	w.logf("%s ends after %d steps: %v", p.name, p.steps, err)
	told := false
	for _, e := range p.appeared {
		switch {
		case e.Kind == "license-expiring":
			if err == nil && e.state.Gathering {
				w.failf("the daily run succeeded and left %s gathering", e.ID)
			}
		case e.Kind == "license-unreached" &&
			(unreached[w.license(e.About)] || w.aboutMidnight(w.license(e.About)) || p.lastStall > 0):
			delete(unreached, w.license(e.About))
		case e.Kind == "request-unconfirmed" && (wantTold || p.lastStall > 0):
			told = true
			for _, r := range untold {
				r.told = true
			}
		default:
			w.failf("the daily run queued %s for no reason", e.ID)
		}
	}
	if err != nil || p.lastStall > 0 {
		w.readReminded()
		return p.appeared
	}
	for _, l := range w.licenses {
		as(w, p, func() error { w.checkTold(l); return nil })
		if r := reminded[l]; r.to != "" && w.told[r] == "" {
			w.failf("the daily run succeeded and did not remind %s of %s, %s", r.to, l.id, r.Stage)
		}
		if unreached[l] {
			w.failf("the daily run succeeded and did not tell sales that nobody gets the reminders of %s", l.id)
		}
	}
	if wantTold && !told && !onlyOld { // those are closed in this run, before sales are told
		w.failf("the daily run succeeded and did not tell sales of unconfirmed requests")
	}
	w.readReminded()
	return p.appeared
}

// checkTold: after a daily run sales know of a license that is due and of which nobody is reminded.
func (w *world) checkTold(l *licensed) {
	s := w.dueNow(l)
	if s == "" || !begins(l.expiration, s).After(l.reminded) || w.aboutMidnight(l) {
		return
	}
	if turn := w.sendable(l); turn != "" && l.unsubscribed[turn] {
		w.checkStopped(l, turn)
	}
}

// readReminded reads up to which day the reminders of licenses were dealt with that need none: what covers a license,
// or a reminder by way of another contact, deals with a stage too.
func (w *world) readReminded() {
	for _, l := range w.licenses {
		r, err := w.eyes.store.License(context.Background(), l.id)
		if err != nil {
			w.failf("reading %s: %v", l.id, err)
			return
		}
		if at := r.Reminded.Start(); !r.Reminded.IsZero() && at.After(l.reminded) && w.dealtWith(l, at) {
			l.reminded = at
		}
	}
}

// dealtWith reports whether a stage of a day may be dealt with though the daily run reminded nobody of it.
func (w *world) dealtWith(l *licensed, at time.Time) bool {
	for _, s := range w.promised(l.kind) {
		if begins(l.expiration, s) != at {
			continue
		}
		if s == "7d-after" {
			return true
		}
		for r := range w.told {
			if r.License == l.id && r.Stage == s {
				return true
			}
		}
	}
	return false
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

// nextStage waits until the day of a stage, or the day after it ends, and has the daily run.
func (w *world) nextStage() {
	var days []time.Time
	for _, l := range w.licenses {
		for _, s := range w.promised(l.kind) {
			for _, d := range []time.Time{begins(l.expiration, s), walk(ends(l.expiration, s), w.choose(2))} {
				if d.After(w.now) && d.Before(w.now.AddDate(0, 0, 40)) {
					days = append(days, d)
				}
			}
		}
	}
	if len(days) == 0 {
		return
	}
	slices.SortFunc(days, time.Time.Compare)
	d := days[min(len(days)-1, w.choose(3))].Add(time.Duration(w.choose(20*3600)) * time.Second)
	w.logf("it is %v", d)
	w.advance(d.Sub(w.now))
	w.remind()
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
