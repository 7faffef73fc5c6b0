package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/table"
)

// recount is all that is on record, from a scan of the whole table. It reads what entities say of themselves, and
// reckons from them alone, without the store, which other rows there have to be.
type recount struct {
	rows      map[table.Key]table.Row
	customers map[string]customer.Customer
	guards    map[string]int64 // versions by customer
	datasets  map[string]int64 // versions by dataset
	contracts map[string]customer.Contract
	instances map[string]customer.Instance
	licenses  map[string]store.LicenseRecord
	requests  map[string]request.Request
	audit     map[string]entity.Audit // by ID
	events    map[string][]entity.Done
	mails     []string
	outbox    []string
	toldOf    map[string]bool // unconfirmed requests that an email to sales lists
	limits    map[table.Key]bool
	reminded  reminded
	gone      map[string]*goneRequest // requests that have expired

	want map[table.Key]any // rows of indexes and sums
	err  error
}

func (r *recount) failf(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// recounted reads all rows. Entities whose rows did not change are taken from an earlier recount.
func recounted(rows []table.Row, before *recount) *recount {
	r := &recount{
		rows: map[table.Key]table.Row{}, customers: map[string]customer.Customer{}, guards: map[string]int64{},
		datasets: map[string]int64{}, contracts: map[string]customer.Contract{},
		instances: map[string]customer.Instance{}, licenses: map[string]store.LicenseRecord{},
		requests: map[string]request.Request{}, audit: map[string]entity.Audit{}, events: map[string][]entity.Done{},
		toldOf: map[string]bool{}, limits: map[table.Key]bool{}, reminded: noneReminded(),
		want: map[table.Key]any{},
	}
	for _, row := range rows {
		r.rows[row.Key] = row
		r.read(row, before)
	}
	return r
}

// read reads the row of an entity.
func (r *recount) read(row table.Row, before *recount) {
	known := before != nil && before.rows[row.Key].Version == row.Version
	kind, id, _ := strings.Cut(row.PK, "#")
	switch {
	case kind == "CUSTOMER" && row.SK == "CUSTOMER":
		readInto(r, row, r.customers, id, known, before.all().customers)
	case kind == "CUSTOMER" && row.SK == "ACCOUNT":
		r.guards[id] = row.Version
	case kind == "CUSTOMER" && strings.HasPrefix(row.SK, "CONTRACT#"):
		contract := readInto(r, row, r.contracts, row.SK[len("CONTRACT#"):], known, before.all().contracts)
		r.home(row, contract.Customer)
	case kind == "CUSTOMER" && strings.HasPrefix(row.SK, "INSTANCE#"):
		instance := readInto(r, row, r.instances, row.SK[len("INSTANCE#"):], known, before.all().instances)
		r.home(row, instance.Customer)
	case kind == "LICENSE" && row.SK == "LICENSE":
		l := readInto(r, row, r.licenses, id, known, before.all().licenses)
		l.Version = row.Version
		r.licenses[id] = l
	case kind == "REQUEST" && row.SK == "REQUEST":
		q := readInto(r, row, r.requests, id, known, before.all().requests)
		q.Version = row.Version
		r.requests[id] = q
	case kind == "DATASET":
		r.datasets[id] = row.Version
	case kind == "AUDIT":
		a := readInto(r, row, r.audit, row.SK, known, before.all().audit)
		by := a.By
		if by != "customer" && by != "system" {
			by = "colleague"
		}
		if want := "AUDIT#" + a.At.Format(time.DateOnly) + "#" + by; row.PK != want {
			r.failf("got audit row %v, want it in %s", row.Key, want)
		}
	case strings.HasPrefix(row.SK, "EVENT#"):
		r.readEvent(row)
	case kind == "UNSUBSCRIBED":
		r.reminded.unsubscribed[id+" "+row.SK] = true
	case kind == "MAILS" && strings.Contains(row.SK, "#"):
		r.readReminded(row)
	case kind == "MAILS":
		r.mails = append(r.mails, row.SK)
		r.readMail(row)
	case kind == "CONFIRMATIONS" && row.SK != "CONFIRMED", kind == "DOMAIN-REQUESTS", kind == "ASKED":
		r.limits[row.Key] = true
	case kind == "LATER":
		r.reminded.paused = append(r.reminded.paused, row.SK[strings.LastIndexByte(row.SK, '#')+1:])
	case kind == "OUTBOX":
		r.outbox = append(r.outbox, row.SK[strings.LastIndexByte(row.SK, '#')+1:])
	}
}

// all is the recount, or an empty one in the place of none.
func (r *recount) all() *recount {
	if r == nil {
		return &recount{}
	}
	return r
}

// readInto decodes an entity, unless it is known, and files it by its ID, which must be its only one.
func readInto[T any](r *recount, row table.Row, into map[string]T, id string, known bool, before map[string]T) (v T) {
	if _, twice := into[id]; twice {
		r.failf("%v is on record twice", row.Key)
	}
	if known {
		v = before[id]
	} else if err := json.Unmarshal(row.Data, &v); err != nil {
		r.failf("%v: %v", row.Key, err)
	}
	into[id] = v
	return v
}

func (r *recount) home(row table.Row, of string) {
	if row.PK != "CUSTOMER#"+of {
		r.failf("%v is of customer %s", row.Key, of)
	}
}

func (r *recount) readMail(row table.Row) {
	var m struct {
		About, Kind string
		Requests    []string
	}
	if err := json.Unmarshal(row.Data, &m); err != nil || row.PK != "MAILS#"+m.About {
		r.failf("%v: got mail %+v, %v", row.Key, m, err)
	}
	for _, id := range m.Requests {
		r.toldOf[id] = true
	}
}

func (r *recount) readEvent(row table.Row) {
	var event struct {
		ID    string
		Lines []entity.Told
	}
	if err := json.Unmarshal(row.Data, &event); err != nil || row.SK != "EVENT#"+event.ID || len(event.Lines) == 0 {
		r.failf("%v: got event %+v, %v", row.Key, event, err)
	}
	for _, l := range event.Lines {
		r.events[event.ID] = append(r.events[event.ID], entity.Done{On: row.PK, Of: l.Of, Action: l.Action})
	}
}

// survivor is the end of the chain of a merged customer.
func (r *recount) survivor(id string) string {
	for range customer.MaxMerged + 1 {
		into := r.customers[id].MergedInto
		if into == "" {
			return id
		}
		id = into
	}
	r.failf("customer %s was merged in a circle", id)
	return id
}

// check reckons which rows there have to be, and returns the first difference.
func (r *recount) check(today license.Date, policy reminder.Policy) error {
	for _, c := range r.customers {
		r.checkCustomer(c)
	}
	for _, k := range r.contracts {
		r.wantReference(string(k.Reference), map[string]any{"customer": k.Customer, "contract": k.ID})
	}
	datasets := map[string][]store.InstanceName{}
	for _, i := range r.instances {
		r.checkInstance(i)
		for _, s := range i.Servers {
			name := store.InstanceName{Customer: i.Customer, Instance: i.ID}
			if d := s.Server.Dataset(); !slices.Contains(datasets[d], name) {
				datasets[d] = append(datasets[d], name)
			}
		}
	}
	r.checkDatasets(datasets)
	counts := map[table.Key]map[string]map[string]int64{}
	for _, l := range r.licenses {
		r.checkLicense(l, today, policy)
		count(counts, l.License)
	}
	for key, sums := range counts {
		r.want[key] = sums
	}
	for _, q := range r.requests {
		r.checkRequest(q)
	}
	for _, q := range r.gone {
		r.checkGone(q)
	}
	r.checkConfirmed()
	r.checkAudit()
	slices.Sort(r.mails)
	ready := slices.DeleteFunc(slices.Clone(r.mails), func(id string) bool {
		return r.reminded.gathering[id] || r.reminded.held[id] || r.reminded.undone[id]
	})
	if slices.Sort(r.outbox); !slices.Equal(ready, r.outbox) {
		r.failf("got mails %v and in the outbox %v", ready, r.outbox)
	}
	slices.Sort(r.reminded.paused)
	waiting := slices.AppendSeq(slices.Collect(maps.Keys(r.reminded.gathering)), maps.Keys(r.reminded.held))
	if slices.Sort(waiting); !slices.Equal(waiting, r.reminded.paused) {
		r.failf("got mails %v that licenses are added to or that can be undone, and paused ones %v", waiting,
			r.reminded.paused)
	}
	r.checkUndone()
	r.checkRows()
	return r.err
}

func (r *recount) index(pk, sk string, data any) { r.want[table.Key{PK: pk, SK: sk}] = data }

func (r *recount) wantReference(reference string, names map[string]any) {
	if _, taken := r.want[table.Key{PK: "REFERENCE#" + reference, SK: "REFERENCE"}]; taken || len(reference) != 8 {
		r.failf("reference %q names two, or is none", reference)
	}
	r.index("REFERENCE#"+reference, "REFERENCE", names)
}

type named struct {
	ID    string   `json:"id"`
	Names []string `json:"names,omitempty"`
}

func (r *recount) checkCustomer(c customer.Customer) {
	survivor := r.survivor(c.ID)
	if survivor == c.ID {
		survivor = ""
	}
	if c.Survivor != survivor {
		r.failf("customer %s: got survivor %q, want %q", c.ID, c.Survivor, survivor)
	}
	if survivor != "" {
		r.index("CUSTOMER#"+survivor, "MERGED#"+c.ID, named{ID: c.ID})
	}
	r.wantReference(string(c.Reference), map[string]any{"customer": c.ID})
	summary := map[string]any{"id": c.ID, "reference": c.Reference, "name": c.Name}
	if survivor != "" {
		summary["survivor"] = survivor
	}
	r.index("CUSTOMERS", customer.Fold(c.Name)+"#"+c.ID, summary)
	for _, d := range c.Domains {
		r.index("DOMAIN#"+d, c.ID, named{ID: c.ID})
	}
	word := func(w, name string) {
		key := table.Key{PK: "WORD#" + string([]rune(w)[:2]), SK: w + "#" + c.ID}
		known, _ := r.want[key].(named)
		if !slices.Contains(known.Names, name) {
			r.want[key] = named{c.ID, append(slices.Clone(known.Names), name)}
		}
	}
	for _, name := range append([]string{c.Name}, c.FormerNames...) {
		for _, w := range customer.Words(name) {
			word(w, name)
		}
	}
	for _, contact := range c.Contacts {
		r.index("CONTACT#"+input.Mailbox(contact.Email), c.ID, named{ID: c.ID})
		for _, w := range customer.PersonWords(contact.Name) {
			word(w, contact.Name)
		}
	}
	if r.guards[c.ID] == 0 {
		r.failf("customer %s has no guard", c.ID)
	}
}

// checkInstance compares what the instance has on record about its licenses with their rows.
func (r *recount) checkInstance(i customer.Instance) {
	for _, s := range i.Servers {
		r.index("SERVER#"+string(s.Server)[:4], string(s.Server)+"#"+i.ID,
			store.InstanceName{Customer: i.Customer, Instance: i.ID})
	}
	var have, want []string
	for _, l := range i.Licenses {
		have = append(have, l.ID)
		if of := r.licenses[l.ID].License; !reflect.DeepEqual(l, customer.LicenseOf(of)) {
			r.failf("instance %s has on record %+v, want %+v", i.ID, l, customer.LicenseOf(of))
		}
	}
	for id, l := range r.licenses {
		if l.License.Instance == i.ID {
			want = append(want, id)
		}
	}
	slices.Sort(have)
	if slices.Sort(want); !slices.Equal(have, want) {
		r.failf("instance %s has licenses %v on record, want %v", i.ID, have, want)
	}
}

func (r *recount) checkDatasets(want map[string][]store.InstanceName) {
	for dataset, names := range want {
		var got store.Dataset
		row := r.rows[table.Key{PK: "DATASET#" + dataset, SK: "DATASET"}]
		if err := json.Unmarshal(row.Data, &got); err != nil {
			r.failf("dataset %s: %v", dataset, err)
		}
		byID := func(a, b store.InstanceName) int { return strings.Compare(a.Instance, b.Instance) }
		slices.SortFunc(got.Instances, byID)
		slices.SortFunc(names, byID)
		if !slices.Equal(got.Instances, names) {
			r.failf("dataset %s: got instances %v, want %v", dataset, got.Instances, names)
		}
	}
	for dataset := range r.datasets {
		if want[dataset] == nil {
			r.failf("dataset %s has a row and no instance", dataset)
		}
	}
}

func (r *recount) checkLicense(l store.LicenseRecord, today license.Date, policy reminder.Policy) {
	at := l.License
	i, ok := r.instances[at.Instance]
	if !ok || i.Customer != at.Customer {
		r.failf("license %s is of instance %s and customer %s, and the instance of %q", at.ID, at.Instance, at.Customer,
			i.Customer)
	}
	r.index("EXPIRY#"+at.Expiration.YearMonth(), at.Expiration.String()+"#"+at.ID, named{ID: at.ID})
	if !l.NextReminder.IsZero() {
		data := struct {
			store.LicenseRecord
			LicenseVersion int64 `json:"licenseVersion"`
		}{l, l.Version}
		r.index("DUE#"+l.NextReminder.YearMonth(), l.NextReminder.String()+"#"+at.ID, data)
	}
	next, _ := policy.Next(at, today, l.Reminded)
	late := l.NextReminder
	if late.Before(today) && !late.IsZero() {
		late = today
		if _, due := policy.Due(at, today, l.Reminded); !due { // it is too late, and the next run puts it off
			late = next
		}
	}
	if late != next && !policy.Over(at, today) {
		r.failf("license %s: got reminder on %q, want %q", at.ID, l.NextReminder, next)
	}
	r.checkSuccessor(at)
}

// checkSuccessor: what ends the reminders of a license is another one of its instance that goes on where it ends.
func (r *recount) checkSuccessor(l license.License) {
	var may []string
	for id, other := range r.licenses {
		o := other.License
		follows := o.Type == l.Type || l.Type == license.Evaluation && o.Type == license.Production
		if o.Instance == l.Instance && o.Customer == l.Customer && follows && o.Revoked.IsZero() &&
			o.Expiration.After(l.Expiration) && !o.NotBefore.After(l.Expiration.AddDays(1)) {
			may = append(may, id)
		}
	}
	if l.Successor == "" && len(may) > 0 || l.Successor != "" && !slices.Contains(may, l.Successor) {
		r.failf("license %s: got successor %q, want one of %v", l.ID, l.Successor, may)
	}
}

// count adds a license to the counts, unless it was revoked or is followed or out of use.
func count(counts map[table.Key]map[string]map[string]int64, l license.License) {
	key := table.Key{PK: "STATS", SK: l.Expiration.YearMonth() + "#" + fmt.Sprintf("%02d", store.Shard(l.Customer))}
	if counts[key] == nil {
		counts[key] = map[string]map[string]int64{}
	}
	if l.Successor != "" || !l.Revoked.IsZero() || l.Retired {
		return
	}
	class := string(l.Edition) + "/" + string(l.Type)
	if counts[key][class] == nil {
		counts[key][class] = map[string]int64{}
	}
	counts[key][class]["licenses"]++
	counts[key][class]["maxLoc"] += l.MaxLoc
}

// checkWeeks expects what the weeks of a request say: when it was due and when it was answered first, unless that was
// with the license.
func (r *recount) checkWeeks(q request.Request) {
	filed, first := map[string]any{"due": q.Due}, q.FirstAnswer
	switch {
	case first != nil && first.Due.IsZero(), first == nil && q.State == request.Withdrawn:
		delete(filed, "due")
	case first != nil:
		filed["due"] = first.Due
	}
	if first != nil && first.By != request.Issued {
		filed["answered"] = first.At
	}
	if !q.Unconfirmed {
		r.index("WEEK#"+week(q.Created), "FILED#"+q.ID, filed)
	}
	if q.State == request.Issued {
		issued := map[string]any{"seconds": int64(q.Closed.Sub(q.Created).Seconds())}
		if first.By == request.Issued {
			issued["answered"] = first.At
		}
		r.index("WEEK#"+week(q.Closed), "ISSUED#"+q.ID, issued)
	}
}

// checkGone: of a request that has expired, its short reference stays taken, and people still count it.
func (r *recount) checkGone(q *goneRequest) {
	if named := map[string]any{"request": q.ID}; q.deleted.IsZero() {
		r.wantReference(string(q.Reference), named)
	} else {
		r.wantReference(string(q.Reference), map[string]any{"deleted": q.deleted.String()})
	}
	r.checkWeeks(q.Request)
}

func (r *recount) checkRequest(q request.Request) {
	r.wantReference(string(q.Reference), map[string]any{"request": q.ID})
	r.index("DATASET-REQUESTS#"+q.Server.Dataset(), q.ID, struct{}{})
	r.index("EMAIL-REQUESTS#"+input.Mailbox(q.Email), q.ID, struct{}{})
	r.checkWeeks(q)
	named := slices.Concat(q.Contacts, q.AskedOf)
	if q.Link != nil {
		named = append(named, q.Link.Contact)
	}
	if q.Vouch != nil && q.Vouch.Email != "" {
		named = append(named, q.Vouch.Email)
	}
	for _, email := range named {
		if !input.SameMailbox(email, q.Email) {
			r.index("NAMED#"+input.Mailbox(email), "REQUEST#"+q.ID, struct{}{})
		}
	}
	if q.Customer == "" {
		words := customer.Words(q.Company)
		for _, w := range words[:min(3, len(words))] {
			r.index("WORD-REQUESTS#"+string([]rune(w)[:2]), w+"#"+q.ID, q.Summary())
		}
	} else {
		r.index("CUSTOMER-REQUESTS#"+q.Customer, q.ID, q.Summary())
	}
	if e := expiresOf(q); !e.IsZero() {
		listed := map[string]any{"reference": q.Reference, "email": q.Email}
		if len(named) > 0 {
			listed["named"] = named
		}
		r.index("REQUESTS-TO-DELETE", e.Format(time.DateOnly)+"#"+q.ID, listed)
	}
	queue := func(kind, edition, reviewer string) {
		state := string(q.State)
		if q.Unconfirmed && q.State.Open() {
			state = "unconfirmed"
		}
		r.index("QUEUE#"+state+"#"+kind+"#"+edition+"#"+reviewer, q.Due.Format(time.RFC3339)+"#"+q.ID, q.Summary())
	}
	queue("", "", "")
	switch {
	case q.State == request.InReview:
		queue("", "", q.Reviewer)
	case !q.State.Open():
		queue(string(q.Kind), "", "")
		queue("", string(q.Edition), "")
		queue(string(q.Kind), string(q.Edition), "")
	}
	if q.Unconfirmed && q.State.Open() && !r.toldOf[q.ID] {
		r.index("UNTOLD", q.ID, q.Summary())
	}
}

// checkConfirmed: of each inbox behind which somebody confirmed a request, one row says when that was last.
func (r *recount) checkConfirmed() {
	last := map[string]time.Time{}
	confirmed := func(q request.Request) {
		if inbox := inboxes[q.Email]; q.Confirmed.After(last[inbox]) {
			last[inbox] = q.Confirmed
		}
	}
	for _, q := range r.requests {
		confirmed(q)
	}
	for _, q := range r.gone {
		confirmed(q.Request)
	}
	for inbox, at := range last {
		r.index("CONFIRMATIONS#"+inbox, "CONFIRMED", map[string]any{"at": at})
	}
}

func week(t time.Time) string {
	year, n := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, n)
}

// checkAudit: every change told is in the audit, once, as its timelines tell it.
func (r *recount) checkAudit() {
	key := func(d entity.Done) string { return d.On + " " + d.Of + " " + string(d.Action) }
	ofGone := 0 // changes that only requests tell whose timelines are gone, or are going
	for id, a := range r.audit {
		var done, told []string
		for _, d := range a.Done {
			if id, ok := strings.CutPrefix(d.On, "REQUEST#"); !ok || r.gone[id] == nil {
				done = append(done, key(d))
			}
		}
		if len(done) == 0 && len(a.Done) > 0 {
			ofGone++
			continue
		}
		for _, d := range r.events[id] {
			told = append(told, key(d))
		}
		slices.Sort(done)
		if slices.Sort(told); !slices.Equal(done, told) || len(done) == 0 {
			r.failf("audit %s: got %q, want what timelines tell: %q", id, done, told)
		}
	}
	if len(r.audit)-ofGone != len(r.events) {
		r.failf("got %d changes in the audit, want %d", len(r.audit), len(r.events))
	}
}

// derived are the partitions of the rows that follow from entities, all of which check reckons.
var derived = []string{"EXPIRY", "DUE", "SERVER", "WORD", "CONTACT", "DOMAIN", "CUSTOMERS", "REFERENCE", "STATS",
	"QUEUE", "CUSTOMER-REQUESTS", "DATASET-REQUESTS", "EMAIL-REQUESTS", "WORD-REQUESTS", "WEEK", "UNTOLD",
	"CONFIRMATIONS", "REQUESTS-TO-DELETE"}

// entities are the partitions of the rows that other checks look at.
var entities = []string{"CUSTOMER", "LICENSE", "REQUEST", "DATASET", "TIMELINE", "AUDIT", "MAILS", "OUTBOX", "LATER",
	"UNSUBSCRIBED", "NAMED",
	"IDEMPOTENCY", "DOMAIN-REQUESTS", "ASKED"}

// checkRows compares the rows that have to be with those that are.
func (r *recount) checkRows() {
	for _, key := range slices.SortedFunc(maps.Keys(r.want), compareKeys) {
		row, ok := r.rows[key]
		want, err := json.Marshal(r.want[key])
		if err != nil {
			panic(err)
		}
		if !ok && key.PK == "STATS" && string(want) == "{}" {
			continue // nothing was ever counted
		}
		if !ok || !bytes.Equal(row.Data, want) && !sameJSON(row.Data, want) {
			r.failf("row %v: got %s, want %s", key, row.Data, want)
		}
	}
	for key := range r.rows {
		kind, _, _ := strings.Cut(key.PK, "#")
		_, wanted := r.want[key]
		merged := kind == "CUSTOMER" && strings.HasPrefix(key.SK, "MERGED#")
		if kind == "STATS" && string(r.rows[key].Data) == "{}" {
			continue // what was counted there is gone
		}
		switch {
		case !wanted && (slices.Contains(derived, kind) && !r.limits[key] || merged):
			r.failf("row %v is left over: %s", key, r.rows[key].Data)
		case !slices.Contains(derived, kind) && !slices.Contains(entities, kind):
			r.failf("row %v is of no known kind", key)
		}
	}
}

func compareKeys(a, b table.Key) int { return strings.Compare(a.String(), b.String()) }

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// guarded is what is on record about a customer, and those merged into it, that its guard has to change with.
func (r *recount) guarded(survivor string) string {
	var all []string
	for key, row := range r.rows {
		kind, of, _ := strings.Cut(key.PK, "#")
		if kind == "CUSTOMER" && key.SK != "ACCOUNT" && r.survivor(of) == survivor {
			all = append(all, key.String()+" "+strconv.FormatInt(row.Version, 10))
		}
	}
	for id, l := range r.licenses {
		if of := l.License; r.survivor(of.Customer) == survivor {
			all = append(all, fmt.Sprint(id, of.Revoked.IsZero(), of.Successor, of.Contract, of.Retired, of.Instance))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
