package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// reminders are what a history has to have on record about reminders.
type reminders struct {
	digests      []*modelDigest
	guards       map[string]string       // the digest of each license, expiration, stage and contact
	reminded     map[string]license.Date // of licenses, the day of the newest stage dealt with
	unsubscribed map[string]bool         // license and mailbox
	stopped      int                     // mails to sales that somebody unsubscribed
}

// modelDigest is a mail that reminds a contact.
type modelDigest struct {
	id, of    string // of: without its number
	to        string
	licenses  []string
	gathering bool
	until     time.Time
}

func noReminders() reminders {
	return reminders{guards: map[string]string{}, reminded: map[string]license.Date{}, unsubscribed: map[string]bool{}}
}

// reminded is what a table has on record about reminders.
type reminded struct {
	guards       map[string]string
	due          map[string][]string // licenses by digest
	gathering    map[string]bool
	held         map[string]bool // waiting while what they tell can be undone
	undone       map[string]bool // not sent, since what they tell was undone
	paused       []string
	unsubscribed map[string]bool
}

func noneReminded() reminded {
	return reminded{guards: map[string]string{}, due: map[string][]string{}, gathering: map[string]bool{},
		held: map[string]bool{}, undone: map[string]bool{}, unsubscribed: map[string]bool{}}
}

// readReminded reads a row beside a mail.
func (r *recount) readReminded(row table.Row) {
	id, part, _ := strings.Cut(row.SK, "#")
	var said struct {
		In, License, Status, Cause string
		Gathering, Held            bool
	}
	if err := json.Unmarshal(row.Data, &said); err != nil {
		r.failf("%v: %v", row.Key, err)
	}
	switch {
	case part == "in" && strings.HasPrefix(id, row.PK[len("MAILS#"):]+"--"):
		r.reminded.guards[id] = said.In
	case part == "due#"+said.License:
		r.reminded.due[id] = append(r.reminded.due[id], said.License)
	case part == "STATE":
		switch {
		case said.Gathering:
			r.reminded.gathering[id] = true
		case said.Status == "pointless" && strings.HasSuffix(said.Cause, " was undone"):
			r.reminded.undone[id] = true
		case said.Held:
			r.reminded.held[id] = true
		}
	default:
		r.failf("row %v is of no known kind: %s", row.Key, row.Data)
	}
}

// readers are contacts who are reminded.
var readers = []license.Contact{ada, {Name: "Bo", Email: "bo@acme.example"}}

// digest returns the mail that takes a license on a day, and whether it is a new one.
func (h *history) digest(customer string, day license.Date, to license.Contact) (d *modelDigest, isNew bool) {
	of := fmt.Sprintf("%s--%s-%s-", customer, day, mail.RecipientID(to.Email))
	n := 1
	for _, known := range h.digests {
		if known.of != of {
			continue
		}
		if known.gathering {
			return known, false
		}
		n++
	}
	id := fmt.Sprintf("%s%02d", of, n)
	return &modelDigest{id: id, of: of, to: to.Email, gathering: true, until: h.now.Add(30 * time.Minute)}, true
}

// add notes that a license is in a digest.
func (h *history) add(d *modelDigest, isNew bool, guard, id string) {
	if isNew {
		h.digests = append(h.digests, d)
		h.mails = append(h.mails, d.id)
	}
	d.licenses = append(d.licenses, id)
	h.guards[guard] = d.id
}

// release ends the run that filled a digest, unless it was cut off.
func (h *history) release(rt *rapid.T, run *outbox.Digest, d *modelDigest) {
	if pick(rt, "the run ends", true, true, false) {
		if err := run.Release(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		d.gathering = false
	}
}

func guard(l license.License, stage reminder.Stage, to license.Contact) string {
	return fmt.Sprintf("%s--%s-%s-%s", l.ID, l.Expiration, stage, mail.RecipientID(to.Email))
}

// remind lets a daily run that looked when a person did record the next reminder of a license.
func (h *history) remind(rt *rapid.T) {
	who := h.person(rt)
	due := maps.Clone(h.seen[who].licenses)
	maps.DeleteFunc(due, func(_ string, r store.LicenseRecord) bool {
		return r.NextReminder.IsZero() || r.NextReminder.After(h.today())
	})
	id, r := one(rt, due, "license that is due")
	found := store.Due{LicenseRecord: r, Day: r.NextReminder}
	may := r.Version == h.record.licenses[id].Version
	stage, isDue := h.Policy().Due(r.License, h.today(), r.Reminded)
	if !isDue {
		h.putOff(rt, found, may)
		return
	}
	to := pick(rt, "to", readers...)
	d, isNew := h.digest(r.License.Customer, h.today(), to)
	run := h.NewDigest(r.License.Customer, h.today(), to, h.now, 0)
	change := func() error {
		return h.RecordReminder(rt.Context(), found, store.Reminding{Stage: stage, Digest: run})
	}
	h.act(rt, may, touched{license: id, alone: true}, change, func() {
		h.add(d, isNew, guard(r.License, stage, to), id)
		h.reminded[id] = stage.Day(r.License.Expiration)
	})
	h.release(rt, run, d)
}

// putOff lets a daily run move a license that needs no reminder to the day of its next one.
func (h *history) putOff(rt *rapid.T, d store.Due, may bool) {
	done := h.attempt(rt, func() error { return h.RecordReminder(rt.Context(), d, store.Reminding{}) })
	if done.made != may || !may && !done.refused() || may && done.err != nil {
		rt.Fatalf("moved a license that needs no reminder: got made %v, %v, want %v", done.made, done.err, may)
	}
}

// readdress adds a license in a digest to one of another contact, as when the first bounced.
func (h *history) readdress(rt *rapid.T) {
	if len(h.digests) == 0 {
		panic(nothing("there is no digest"))
	}
	from := pick(rt, "digest", h.digests...)
	m := h.mail(rt, from.id)
	due, to := pick(rt, "license", m.Due...), pick(rt, "to", readers...)
	l := h.licenses[due.License]
	d, isNew := h.digest(l.Customer, h.today(), to)
	run := h.NewDigest(l.Customer, h.today(), to, h.now, 0)
	add := func() error {
		line := entity.Line{By: store.System, Action: store.ReminderQueued, Note: to.Email}
		return h.AddDue(rt.Context(), run, due, line)
	}
	key := guard(l, due.Stage, to)
	if _, known := h.guards[key]; known {
		if done := h.attempt(rt, add); done.made || done.err != nil {
			rt.Fatalf("reminded once more: got made %v, %v", done.made, done.err)
		}
	} else {
		h.act(rt, true, touched{license: l.ID, again: true}, add, func() { h.add(d, isNew, key, l.ID) })
	}
	h.release(rt, run, d)
}

func (h *history) mail(rt *rapid.T, id string) outbox.Mail {
	m, err := h.aside.Outbox().Read(rt.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	return m
}

// promote ends the pauses that are over.
func (h *history) promote(rt *rapid.T) {
	for shard := range rowkey.Shards {
		if _, err := h.Outbox().Promote(rt.Context(), shard, 1000); err != nil {
			rt.Fatal(err)
		}
	}
	for _, d := range h.digests {
		d.gathering = d.gathering && d.until.After(h.now)
	}
}

// subscription draws a digest, and finds those of its licenses that its reader unsubscribed from, or has not.
func (h *history) subscription(rt *rapid.T, unsubscribed bool) (m outbox.Mail, keys []string) {
	if len(h.digests) == 0 {
		panic(nothing("there is no digest"))
	}
	m = h.mail(rt, pick(rt, "digest", h.digests...).id)
	for _, due := range m.Due {
		if key := due.License + " " + m.To.Email; h.unsubscribed[key] == unsubscribed {
			keys = append(keys, key)
		}
	}
	return m, keys
}

// once makes a change that, made again, does nothing.
func (h *history) once(rt *rapid.T, may bool, change func() error, apply func()) {
	if may {
		h.act(rt, true, touched{again: true}, change, apply)
		return
	}
	if done := h.attempt(rt, change); done.made || done.err != nil {
		rt.Fatalf("nothing to do: got made %v, %v", done.made, done.err)
	}
}

func (h *history) unsubscribe(rt *rapid.T) {
	m, keys := h.subscription(rt, false)
	h.once(rt, len(keys) > 0, func() error { return h.Unsubscribe(rt.Context(), m) }, func() {
		for _, key := range keys {
			h.unsubscribed[key] = true
		}
		h.stopped++
	})
}

func (h *history) resubscribe(rt *rapid.T) {
	m, keys := h.subscription(rt, true)
	h.once(rt, len(keys) > 0, func() error { return h.Resubscribe(rt.Context(), m) }, func() {
		for _, key := range keys {
			delete(h.unsubscribed, key)
		}
	})
}

func (h *history) resubscribeOne(rt *rapid.T) {
	m, _ := h.subscription(rt, true)
	id := pick(rt, "license", m.Due...).License
	key := id + " " + m.To.Email
	of := license.License{ID: id, Customer: h.licenses[id].Customer}
	change := func() error { return h.ResubscribeContact(rt.Context(), of, m.To.Email, people[0]) }
	h.once(rt, h.unsubscribed[key], change, func() { delete(h.unsubscribed, key) })
}

// checkReminders: each license was added to the digest that its guard names, and to no other of that contact.
func (h *history) checkReminders(rt *rapid.T) {
	got := h.record.reminded
	if !maps.Equal(got.guards, h.guards) {
		rt.Fatalf("got guards %v, want %v", got.guards, h.guards)
	}
	if !maps.Equal(got.unsubscribed, h.unsubscribed) {
		rt.Fatalf("got unsubscribed %v, want %v", got.unsubscribed, h.unsubscribed)
	}
	digestsOf := map[string][]string{}
	for _, d := range h.digests {
		in, want := slices.Sorted(slices.Values(got.due[d.id])), slices.Sorted(slices.Values(d.licenses))
		if !slices.Equal(in, want) {
			rt.Fatalf("digest %s: got licenses %v, want %v", d.id, in, d.licenses)
		}
		if got.gathering[d.id] != d.gathering {
			rt.Fatalf("digest %s: got that it takes licenses %v, want %v", d.id, got.gathering[d.id], d.gathering)
		}
		for _, id := range d.licenses {
			if !slices.Contains(digestsOf[id], d.id) {
				digestsOf[id] = append(digestsOf[id], d.id)
			}
		}
	}
	for id, want := range digestsOf {
		h.checkAbout(rt, id, want)
	}
	for id, r := range h.record.licenses {
		if r.Reminded != h.reminded[id] {
			rt.Fatalf("license %s: got reminded of %v, want %v", id, r.Reminded, h.reminded[id])
		}
	}
}

// checkAbout: whoever reads the mails about a license reads its digests.
func (h *history) checkAbout(rt *rapid.T, id string, want []string) {
	list, err := h.aside.Outbox().About(rt.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	var found []string
	for _, m := range list {
		if m.Kind == mail.LicenseExpiring {
			found = append(found, m.ID)
			if !slices.ContainsFunc(m.Due, func(d notice.Due) bool { return d.License == id }) {
				rt.Fatalf("license %s: got digest %s without it", id, m.ID)
			}
			if !slices.Contains(readers, m.To) {
				rt.Fatalf("digest %s: got the reader %v", m.ID, m.To)
			}
		}
	}
	slices.Sort(found)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(found, want) {
		rt.Fatalf("license %s: got digests %v, want %v", id, found, want)
	}
}
