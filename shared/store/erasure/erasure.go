// Package erasure erases a person from what the store keeps, as the person asked (decision 24): it finds all that names
// an address, replaces the address and the names that belong to it, and reports what it did, what people have to look
// at, and what stays. shared/store keeps the entities, and shared/store/outbox the emails.
package erasure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/secret"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// PersonErased is an action in the audit, about the hash of a person.
const PersonErased store.Action = "person erased"

// Eraser erases people from a store.
type Eraser struct {
	store *store.Store
	table *entity.Table
	box   *outbox.Box
	keys  secret.Value[Keys]
	skip  func(table.Row) bool // for tests of the scan: rows that are left as they are
}

// New returns an Eraser of a store.
func New(kept *store.Store, keys secret.Value[Keys]) *Eraser {
	all := func(table.Row) bool { return false }
	return &Eraser{store: kept, table: kept.Table(), box: kept.Outbox(), keys: keys, skip: all}
}

// Request is an open request of the person, which is withdrawn.
type Request struct {
	ID        string
	Reference reference.Reference
	Company   string
}

// Contact is a customer that has the person as a contact.
type Contact struct {
	Reference reference.Reference
	Name      string
	Last      bool // it has no other: its licenses cannot be reminded of
}

// Report is what is to be erased, or was.
type Report struct {
	Hash  string    `json:"hash"`  // of the mailbox
	By    string    `json:"by"`    // the colleague
	Began time.Time `json:"began"` // UTC, of the newest run
	Done  bool      `json:"done"`  // nothing is left but what stays
	// Rows are how many rows were changed by all runs, by their types; of a preview, how many would be.
	Rows  map[string]int `json:"rows"`
	Texts []Text         `json:"texts,omitempty"` // that people typed, and that stay
	Roots []string       `json:"roots,omitempty"` // what was found by the address

	// What a preview tells besides.
	Before    bool      `json:"-"` // the address was erased before
	Open      []Request `json:"-"` // are withdrawn
	Contacts  []Contact `json:"-"` // are removed
	Waiting   int       `json:"-"` // emails to the person, which are not sent
	Remaining int       `json:"-"` // partitions that the run did not get to
}

// Address is what takes the place of the person's.
func (r Report) Address() string { return Address(r.Hash) }

// Total is the number of rows.
func (r Report) Total() (n int) {
	for _, count := range r.Rows {
		n += count
	}
	return n
}

// Options are what an erasure needs to know.
type Options struct {
	By    string    // the colleague's email address
	Clear []string  // the IDs of texts to clear
	Until time.Time // by Now: what is not done by then is left to the next run; zero: no limit
	Now   func() time.Time
}

func (o Options) over() bool { return !o.Until.IsZero() && o.Now().After(o.Until) }

func (o Options) clears(id string) bool { return slices.Contains(o.Clear, id) }

// Preview says what an erasure would do, and changes nothing. It is an Invalid fault if the text is no address, took
// the place of one, or is a colleague's.
func (e *Eraser) Preview(ctx context.Context, email string) (Report, error) {
	p, r, _, err := e.begin(ctx, email)
	if err != nil {
		return Report{}, err
	}
	f, err := e.find(ctx, p, r.Roots)
	if err != nil {
		return Report{}, fmt.Errorf("erasure: %w", err)
	}
	r.Rows, r.Texts = map[string]int{}, nil
	_, err = f.work(Options{}, &r)
	if err == nil {
		err = f.consequences(&r)
	}
	return r, err
}

// begin reads what is known of an address: the report of the runs before, with the version of its row.
func (e *Eraser) begin(ctx context.Context, email string) (p *person, r Report, version int64, err error) {
	address, err := input.Email(email)
	if err != nil {
		return nil, r, 0, err
	}
	keys, err := e.keys(ctx)
	if err != nil {
		return nil, r, 0, fault.Wrap(fault.Unavailable, err, "Nobody can be erased at the moment, since the key of "+
			"the hashes cannot be read. Try again in a minute.")
	}
	hashes := keys.Hashes(address)
	r = Report{Hash: hashes[0], Rows: map[string]int{}}
	for _, hash := range hashes {
		var known Report
		version, err = e.table.Get(ctx, rowkey.ErasedPerson(hash), &known)
		if err == nil {
			r, r.Before = known, true
			break
		}
		if fault.KindOf(err) != fault.NotFound {
			return nil, r, 0, fmt.Errorf("erasure: %w", err)
		}
	}
	p = newPerson(address, r, keys)
	switch is, err := e.colleague(ctx, p); {
	case err != nil:
		return nil, r, 0, fmt.Errorf("erasure: %w", err)
	case is:
		return nil, r, 0, fault.New(fault.Invalid,
			"This is the address of a colleague. Their name is on everything that they did, and cannot be erased here.")
	}
	return p, r, version, nil
}

// Erased reads the report about an address; ok is false if it was never erased.
func (e *Eraser) Erased(ctx context.Context, email string) (r Report, ok bool, err error) {
	_, r, _, err = e.begin(ctx, email)
	return r, r.Before, err
}

// Reports lists the reports of all erasures, the newest first.
func (e *Eraser) Reports(ctx context.Context) (list []Report, err error) {
	rows, _, err := e.table.First(ctx, rowkey.AllErased(), reportsShown)
	for _, row := range rows {
		r, err := entity.Decode[Report](row)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Report) int { return b.Began.Compare(a.Began) })
	return list, err
}

// reportsShown is how many reports are listed.
const reportsShown = 1000

// consequences says what an erasure means for the business.
func (f *found) consequences(r *Report) error {
	open, err := f.open()
	for _, of := range open {
		r.Open = append(r.Open, Request{of.ID, of.Reference, of.Company})
	}
	mails := map[string]outbox.Status{}
	to := map[string]bool{}
	for _, row := range f.rows {
		switch rowkey.Type(row.Type) {
		case rowkey.TypeCustomer:
			c, err := entity.Decode[customer.Customer](row)
			if err != nil {
				return err
			}
			if _, is := c.Contact(f.mailbox); is {
				r.Contacts = append(r.Contacts, Contact{c.Reference, c.Name, len(c.Contacts) == 1})
			}
		case rowkey.TypeMail:
			m, err := entity.Decode[struct {
				To struct{ Email string }
			}](row)
			if err != nil {
				return err
			}
			to[row.SK] = f.is(m.To.Email)
		case rowkey.TypeMailState:
			s, err := entity.Decode[outbox.State](row)
			if err != nil {
				return err
			}
			mails[row.SK[:len(row.SK)-len(rowkey.StateSuffix)]] = s.Status
		}
	}
	for id, is := range to {
		if status, known := mails[id]; is && (!known || status.Open()) {
			r.Waiting++
		}
	}
	slices.SortFunc(r.Contacts, func(a, b Contact) int { return cmp.Compare(a.Name, b.Name) })
	return err
}

// Erase erases a person, or goes on where a run before ended, and reports what all runs did. A run that finds nothing
// changes nothing. It is a Conflict fault if another run is under way.
func (e *Eraser) Erase(ctx context.Context, email string, o Options) (Report, error) {
	p, r, version, err := e.begin(ctx, email)
	if err != nil {
		return Report{}, err
	}
	r.Done = false
	for range passes {
		f, err := e.find(ctx, p, r.Roots)
		if err != nil {
			return r, fmt.Errorf("erasure: %w", err)
		}
		todo := Report{Rows: map[string]int{}}
		units, err := f.work(o, &todo)
		open, failed := f.open()
		if err = cmp.Or(err, failed); err != nil {
			return r, err
		}
		r.Texts = todo.Texts
		if len(units) == 0 && len(open) == 0 {
			if r.Done = true; version == 0 {
				return r, nil // nothing was ever on record
			}
			return r, e.record(ctx, r, &version, "")
		}
		r.By, r.Began, r.Roots = o.By, e.store.Now(), f.roots
		if err := e.record(ctx, r, &version, o.By); err != nil {
			return r, err
		}
		for _, of := range open {
			if err := e.withdraw(ctx, of.ID, o.By); err != nil {
				return r, err
			}
		}
		for i, u := range units {
			if o.over() {
				r.Remaining = len(units) - i
				return r, e.record(ctx, r, &version, "")
			}
			changed, err := u(ctx, e)
			if err != nil {
				return r, err
			}
			for kind, n := range changed {
				r.Rows[kind] += n
			}
		}
	}
	r.Remaining = 1
	return r, e.record(ctx, r, &version, "")
}

// passes is how often a run looks again for what was written meanwhile.
const passes = 5

// record keeps the report. by is who erases, for the audit; "" tells nothing.
func (e *Eraser) record(ctx context.Context, r Report, version *int64, by string) error {
	key := rowkey.ErasedPerson(r.Hash)
	kept := r
	kept.Rows = maps.Clone(r.Rows)
	row := entity.Encode(key, rowkey.TypeErased, kept)
	if known, err := e.row(ctx, key); err != nil || known != nil && string(known.Data) == string(row.Data) {
		return err
	}
	c := e.table.Begin()
	c.Update(row, *version)
	if by != "" {
		c.Audit(key.PK+"#"+r.Hash, entity.Line{By: by, Action: PersonErased})
	}
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("erasure: keeping the report: %w", err)
	}
	*version++
	return nil
}

// withdrawn is why an open request of an erased person is closed.
const withdrawn = "The person asked us to erase their data."

// withdraw closes an open request of the person, of which nobody is told.
func (e *Eraser) withdraw(ctx context.Context, id, by string) error {
	return entity.Retry(func() error {
		r, err := e.store.Request(ctx, id)
		if err != nil || !r.State.Open() {
			return err
		}
		_, err = e.store.Silent().Review(ctx, store.Review{
			ID: id, Version: r.Version, By: by, To: request.Withdrawn, Text: withdrawn,
		})
		return err
	})
}
