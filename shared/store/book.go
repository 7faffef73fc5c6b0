package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/table"
)

// book is a change of licenses while it is worked out: what it touches is read once, changed in memory, and written in
// one transaction. Licenses of one dataset know of each other, so that every dataset that is touched is guarded by a row
// of its own: of two changes that did not see each other, one fails with a conflict.
type book struct {
	store    *Store
	ctx      context.Context
	datasets map[string]*dataset // by partition key
	order    []string            // of the datasets, as they came
	events   []table.Write
}

// dataset is what is known of the licenses of one dataset.
type dataset struct {
	server   license.Server
	guard    int64 // the version of the guard's row; 0: there is none
	licenses []*entry
}

// entry is a license in a book.
type entry struct {
	now     LicenseRecord
	was     *LicenseRecord // as it was read; nil where it is new
	changed bool
}

func (s *Store) newBook(ctx context.Context) *book {
	return &book{store: s, ctx: ctx, datasets: map[string]*dataset{}}
}

// open reads the dataset of a server.
func (b *book) open(server license.Server) (*dataset, error) {
	pk := datasetPK(server)
	if d, ok := b.datasets[pk]; ok {
		return d, nil
	}
	guard, err := b.store.table.Get(b.ctx, datasetGuardKey(server))
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return nil, err
	}
	known, err := b.store.LicensesOfDataset(b.ctx, server)
	if err != nil {
		return nil, err
	}
	d := &dataset{server: server, guard: guard.Version}
	for _, r := range known {
		d.licenses = append(d.licenses, &entry{now: r, was: &r})
	}
	b.datasets[pk] = d
	b.order = append(b.order, pk)
	return d, nil
}

// add puts a new license into the book, and settles which licenses it follows and which follows it.
func (b *book) add(l license.License, by string, action Action, note string) error {
	d, err := b.open(l.Server)
	if err != nil {
		return err
	}
	if l.Mirrors != "" { // so that the other dataset's version tells that it has one more staging license
		if _, err := b.open(l.Mirrors); err != nil {
			return err
		}
	}
	l.Recorded = b.store.now()
	for _, other := range d.licenses {
		switch {
		case l.Succeeds(other.now.License):
			// One that is followed already stays so: a dataset with a long history is not written anew with each license.
			if other.now.License.Successor == "" {
				b.follow(other, l.ID)
			}
		case other.now.License.Succeeds(l):
			l.Successor = other.now.License.ID
		}
	}
	d.licenses = append(d.licenses, &entry{now: LicenseRecord{License: l}, changed: true})
	b.tell(l.ID, by, action, note, nil)
	return nil
}

// follow notes on a license which one follows it; with that it reminds no more. "" is none, and it reminds again.
func (b *book) follow(e *entry, successor string) {
	before := e.now.License
	e.now.License.Successor = successor
	e.changed = true
	action := LicenseFollowed
	if successor == "" {
		action = LicenseAlone
	}
	b.tell(before.ID, System, action, successor, changes(before, e.now.License))
}

// release frees the licenses that a license follows once it is revoked: nothing follows them any more, unless another does.
func (b *book) release(revoked *entry) {
	if revoked.now.License.Revoked.IsZero() {
		return
	}
	d := b.datasets[datasetPK(revoked.now.License.Server)]
	for _, e := range d.licenses {
		if e.now.License.Successor != revoked.now.License.ID {
			continue
		}
		successor := ""
		for _, other := range d.licenses {
			if other.now.License.Succeeds(e.now.License) {
				successor = other.now.License.ID
			}
		}
		b.follow(e, successor)
	}
}

// change changes a license of the book, by whoever did it.
func (b *book) change(e *entry, by string, action Action, note string, f func(*license.License)) {
	before := e.now.License
	f(&e.now.License)
	e.changed = true
	b.tell(before.ID, by, action, note, changes(before, e.now.License))
}

// find gives a license of the book's datasets, as it was read with the version. A license that changed since is a Conflict
// fault.
func (b *book) find(id string, version int64) (*entry, error) {
	r, err := b.store.License(b.ctx, id)
	if err != nil {
		return nil, err
	}
	d, err := b.open(r.License.Server)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.licenses, func(e *entry) bool { return e.now.License.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("store: license %s is not among those of its dataset", id)
	}
	if d.licenses[i].was.Version != version {
		return nil, fault.New(fault.Conflict, "Somebody changed the license %s while you looked at it. Load it again, and repeat your change.", id)
	}
	return d.licenses[i], nil
}

func (b *book) tell(id, by string, action Action, note string, changed []Change) {
	b.events = append(b.events, b.store.eventWrite(licenseKey(id), by, action, note, changed))
}

// writes are everything that the book changes.
func (b *book) writes() ([]table.Write, error) {
	writes := slices.Clone(b.events)
	counts := b.store.newCounts(b.ctx)
	for _, pk := range b.order {
		d := b.datasets[pk]
		writes = append(writes, table.Update(at(encode(datasetGuardKey(d.server), rowDataset, struct{}{}), d.guard)))
		for _, e := range d.licenses {
			if !e.changed {
				continue
			}
			writes = append(writes, b.store.licenseWrites(e.now)...)
			writes = append(writes, licenseIndexWrites(e.now.License)...)
			if e.was != nil {
				counts.take(e.was.License)
			}
			counts.put(e.now.License)
		}
	}
	counted, err := counts.writes()
	return append(writes, counted...), err
}

// licenseWrites write a license and move its reminder to where the policy now wants it.
func (s *Store) licenseWrites(r LicenseRecord) []table.Write {
	was := r.NextReminder
	r.NextReminder, _ = reminder.Default.Next(r.License, license.DateOf(s.now()), r.Reminded)
	writes := []table.Write{table.Update(at(encode(licenseKey(r.License.ID), rowLicense, r), r.Version))}
	r.Version++
	return append(writes, dueWrites(was, r)...)
}

// licenseIndexWrites write the rows by which a license is found, with its summary.
func licenseIndexWrites(l license.License) []table.Write {
	entity := licensePrefix + l.ID
	keys := []table.Key{expiryKey(l), {PK: datasetPK(l.Server), SK: entity}}
	if l.Mirrors != "" {
		keys = append(keys, table.Key{PK: datasetPK(l.Mirrors), SK: stagingPrefix + entity})
	}
	for _, w := range words(l.Organization) {
		keys = append(keys, wordKey(w, entity))
	}
	for _, c := range l.Contacts {
		if key := (table.Key{PK: emailPK(c.Email), SK: entity}); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	writes := make([]table.Write, len(keys))
	for i, key := range keys {
		writes[i] = table.Set(encode(key, rowIndex, summaryOf(l)))
	}
	return writes
}
