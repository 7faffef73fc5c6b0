package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// A digest is a mail that several transactions fill before it is sent: each adds a license, with the row that keeps the
// contact from being reminded of it twice. It waits among the paused mails until it is released, or, if whoever fills
// it is cut off, until its pause is over. Once it is ready it takes no license any more.

const (
	// gatheredFor is how long a digest that nobody releases takes licenses.
	gatheredFor = 30 * time.Minute
	// maxDue is how many licenses a digest takes.
	maxDue = 200
	// maxDigests is how many digests a contact of a customer gets a day.
	maxDigests = 99
)

// Digest fills the digests of a day for a contact of a customer: one, and a further one when that is full or was
// released. It is not safe for concurrent use.
type Digest struct {
	box      *Box
	customer string
	day      license.Date // on which the licenses are due
	to       license.Contact
	ready    time.Time
	turn     int

	open  bool // mail takes licenses, as far as anybody knows
	mail  Mail
	n     int             // the number of mail
	isNew bool            // its rows are not on record yet
	with  map[string]Mail // the mails with licenses added here, by their IDs; zero: as it is on record
}

// NewDigest returns the digest of a day for a contact of a customer. ready and turn are those of QueueTurn.
func (b *Box) NewDigest(customer string, day license.Date, to license.Contact, ready time.Time, turn int) *Digest {
	return &Digest{
		box: b, customer: customer, day: day, to: to, ready: ready.UTC().Truncate(time.Millisecond), turn: turn,
		with: map[string]Mail{},
	}
}

// To is who is reminded.
func (d *Digest) To() license.Contact { return d.to }

// find opens the mail on record that takes licenses, or a new one.
func (d *Digest) find(ctx context.Context) error {
	next := notice.LicensesExpiring(d.customer, d.day, d.to, 1)
	list, err := d.box.read(ctx, rowkey.DigestsOf(next.ID[:len(next.ID)-2]))
	if err != nil {
		return fmt.Errorf("store: digests of customer %s: %w", d.customer, err)
	}
	n := 1
	for _, m := range list {
		switch {
		case m.Repeats != "" || m.IsAgain():
		case m.State.Gathering && len(m.Due) < maxDue:
			d.mail, d.n, d.isNew, d.open = m, n, false, true
			return nil
		default:
			n++
		}
	}
	if n > maxDigests {
		return fault.New(fault.Unavailable, "A contact has %d emails with reminders today.", maxDigests)
	}
	d.start(n)
	return nil
}

// start opens the n-th mail, as a new one.
func (d *Digest) start(n int) {
	until := d.box.now().Truncate(time.Millisecond).Add(gatheredFor)
	d.mail = Mail{
		Notice: notice.LicensesExpiring(d.customer, d.day, d.to, n),
		State:  State{Status: Waiting, Gathering: true, NotBefore: until},
		rank:   notice.RankReminder, ready: d.ready, turn: d.turn,
	}
	d.n, d.isNew, d.open = n, true, true
}

// AddIn adds a license, as a part of a change, and returns the ID of the mail that takes it. The change conflicts with
// rowkey.Reminded if the contact was reminded of the license before. The caller then tells whether the change is on
// record: Added or Lost.
func (d *Digest) AddIn(ctx context.Context, c *entity.Changeset, due notice.Due) (id string, err error) {
	switch {
	case d.open && len(d.mail.Due) < maxDue:
	case d.open && d.n < maxDigests: // the next one, unless somebody else began it
		d.start(d.n + 1)
	default:
		if err := d.find(ctx); err != nil {
			return "", err
		}
	}
	m := d.mail
	if d.isNew {
		c.Create(m.row(d.box.now()))
		c.Set(m.waitingRow(m.laterKey()))
	}
	c.Update(m.stateRow(), m.version) // so that whoever releases it waits for this license
	c.Create(entity.Encode(rowkey.DigestDue(m.ID, due.License), rowkey.TypeDigestDue, due))
	c.Create(entity.Encode(rowkey.Reminded(due.Guard(m.To)), rowkey.TypeReminded, reminded{m.ID}))
	return m.ID, nil
}

// Added notes that the change with a license is on record.
func (d *Digest) Added(due notice.Due) {
	d.mail.Due = append(d.mail.Due, due)
	d.mail.version++
	d.isNew = false
	d.with[d.mail.ID] = d.mail
}

// Lost notes that a change with a license is not on record, as far as anybody knows: somebody else may have filled or
// released the mail.
func (d *Digest) Lost() {
	if d.open {
		d.with[d.mail.ID] = Mail{}
	}
	d.open = false
}

// Release makes the mails with the licenses added here ready. They take no license any more. It reads those alone that
// somebody else has changed.
func (d *Digest) Release(ctx context.Context) error {
	for id, m := range d.with {
		err := table.ErrConflict
		if m.ID != "" {
			err = d.box.releaseAs(ctx, m)
		}
		if errors.Is(err, table.ErrConflict) {
			err = d.box.release(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("store: releasing mail %s: %w", id, err)
		}
	}
	d.open = false
	clear(d.with)
	return nil
}

func (b *Box) release(ctx context.Context, id string) error {
	return entity.Retry(func() error {
		m, err := b.Read(ctx, id)
		if fault.KindOf(err) == fault.NotFound || err == nil && !m.State.Gathering {
			return nil
		}
		if err != nil {
			return err
		}
		return b.releaseAs(ctx, m)
	})
}

// releaseAs makes a digest ready if it is as it was read.
func (b *Box) releaseAs(ctx context.Context, m Mail) error {
	c := b.table.Begin()
	c.Delete(m.laterKey(), table.Any)
	m.endPause(c)
	return c.Commit(ctx)
}

// reminded says in which digest a contact is reminded of a license.
type reminded struct {
	In string `json:"in"`
}

// Reminded reports whether a contact was reminded of a license, or will be by a digest on record.
func (b *Box) Reminded(ctx context.Context, due notice.Due, to license.Contact) (bool, error) {
	version, err := b.table.Version(ctx, rowkey.Reminded(due.Guard(to)))
	return version > 0, err
}

// Named returns the licenses of a digest that its last letter named; before the first, all.
func (m Mail) Named() (list []notice.Due) {
	for _, due := range m.Due {
		if m.State.Omitted[due.License] == "" {
			list = append(list, due)
		}
	}
	return list
}
