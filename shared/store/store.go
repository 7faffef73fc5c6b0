// Package store keeps requests, licenses, the outbox, the timeline and the console's ended sessions in a table.Table.
// It is written once for every engine. shared/store/rowkey lists every row.
//
// Each change is one transaction that carries the entity, its index rows, its counts, its timeline and the mails that
// it causes: a reader never sees one without the others. It is worked out on a changeset.
package store

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/officehours"
	"marketplace/shared/reminder"
	"marketplace/shared/retention"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Store keeps the entities in a table. It may be used from several goroutines at once.
type Store struct {
	table  *entity.Table
	now    func() time.Time // UTC
	newID  func() string
	random io.Reader
	outbox *outbox.Box
	policy reminder.Policy
	keep   retention.Policy
	hours  officehours.Hours
	silent bool
}

// What a timeline consists of.
type (
	Event  = entity.Event  // a line of the timeline of a request, a license or a customer
	Action = entity.Action // what was done
	Change = entity.Change // a field before and after
)

// Who acts if it is not an operator.
const (
	Customer = "customer"
	System   = "system"
)

// Actions on anything with a timeline.
const (
	NoteAdded       Action = "note added"
	PermissionNoted Action = "permission noted" // whose word it is
)

// Options are what a Store needs besides its table. Now is required.
type Options struct {
	Now   func() time.Time // the clock
	NewID func() string    // makes an ID; nil: a lower-case ULID of Now and crypto/rand
	// Reminders says when customers are reminded.
	Reminders reminder.Policy
	// Retention says how long personal data is kept.
	Retention retention.Policy
	// Hours says when a reply to a request is due.
	Hours officehours.Hours
	// Random is of what short references are drawn; nil: crypto/rand.
	Random io.Reader
}

// New makes a Store over a table.
func New(t table.Table, o Options) *Store {
	s := &Store{now: func() time.Time { return o.Now().UTC() }, newID: o.NewID, random: o.Random,
		policy: o.Reminders, keep: o.Retention, hours: o.Hours}
	if s.random == nil {
		s.random = rand.Reader
	}
	if s.newID == nil {
		s.newID = func() string { return NewID(s.now()) }
	}
	inOrder := &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}
	s.table = entity.Open(t, s.now, func() string { return lowerULID(s.now(), inOrder) })
	s.table.KeepAudit(s.keep.AuditExpires)
	s.outbox = outbox.New(s.table, s.now).Keeping(s.keep)
	return s
}

// Table is the table that the Store is over, for what else is kept in it.
func (s *Store) Table() *entity.Table { return s.table }

// Retention says how long personal data is kept.
func (s Store) Retention() retention.Policy { return s.keep }

// Now is the time of the clock, in UTC.
func (s *Store) Now() time.Time { return s.now() }

// Hours says when the office is open, and a reply is due.
func (s *Store) Hours() officehours.Hours { return s.hours }

// Outbox is the outbox in the same table.
func (s *Store) Outbox() *outbox.Box { return s.outbox }

// MailsAbout reads the mails about a request or a license with what the provider reported about them, in the order in
// which they were queued: the newest ones, at most limit.
func (s *Store) MailsAbout(ctx context.Context, id string, limit int) ([]outbox.Mail, error) {
	list, err := s.outbox.About(ctx, id)
	return list[max(0, len(list)-limit):], err
}

// Silent returns a Store over the same table whose changes send no mails: for sample data.
func (s *Store) Silent() *Store {
	silent := *s
	silent.silent = true
	return &silent
}

// NewID makes the ID of an entity: a ULID of the time and 80 random bits, in lower case.
func NewID(now time.Time) string { return lowerULID(now, rand.Reader) }

// timeOfID returns the beginning of the IDs that are made at a time: those made before sort before it.
func timeOfID(at time.Time) string {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(at)); err != nil {
		panic("store: the time of an ID: " + err.Error())
	}
	return strings.ToLower(id.String()[:10])
}

func lowerULID(now time.Time, entropy io.Reader) string {
	return strings.ToLower(ulid.MustNew(ulid.Timestamp(now), entropy).String())
}

// changeset is a change of the store while it is worked out. The files of the entities have its methods; whatever they
// change comes with its index rows, counts and timeline.
type changeset struct {
	*entity.Changeset
	store    *Store
	accounts map[string]*account    // those that it opened, by the ID of the customer
	datasets map[table.Key]*Dataset // those that it read
	joined   map[table.Key]bool     // the datasets that got another instance
}

func (s *Store) begin() *changeset {
	return &changeset{
		Changeset: s.table.Begin(), store: s, accounts: map[string]*account{}, datasets: map[table.Key]*Dataset{},
		joined: map[table.Key]bool{},
	}
}

// queue puts mails into the outbox.
func (c *changeset) queue(notices ...notice.Notice) {
	if !c.store.silent {
		c.store.outbox.Queue(c.Changeset, notices...)
	}
}

// hold puts a mail into the outbox that is not sent before a time, since what it tells may be undone.
func (c *changeset) hold(n notice.Notice, until time.Time) {
	if !c.store.silent {
		c.store.outbox.QueueHeld(c.Changeset, n, until)
	}
}

// Commit writes the instances that changed, and the datasets that were joined, along with the rest.
func (c *changeset) Commit(ctx context.Context) error {
	c.writeInstances()
	for key := range c.joined {
		d := c.datasets[key]
		c.Update(entity.Encode(key, rowkey.TypeDataset, d), d.Version)
	}
	c.joined = nil
	return c.Changeset.Commit(ctx)
}

// Referenced is what a short reference names.
type Referenced struct {
	Customer string `json:"customer,omitempty"` // of a customer or a contract
	Contract string `json:"contract,omitempty"`
	Request  string `json:"request,omitempty"`
	// Deleted is when the request that it named was deleted: a reference is never given twice.
	Deleted license.Date `json:"deleted,omitzero"`
}
