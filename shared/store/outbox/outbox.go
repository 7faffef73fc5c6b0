// Package outbox keeps the mails to send, and how far sending each is. functions/mailer sends them; shared/store queues
// them in the transactions of what they tell.
//
// A mail is a notice (shared/mail/notice): what to tell whom. Its letter is written when it is sent. A small row of its
// own says how far sending is, so that a claim costs two write units. Mails that are ready are in partitions by rank
// and shard, in the order in which they are to be sent; paused ones are elsewhere, by the time at which they get ready,
// so that nobody reads a mail that is not due.
//
// One mailer sends at a time: see Lease. A call to the provider is marked just before it (Begin). A mail that a mailer
// marked and died is in doubt, and so is one whose call ended without a clear answer: it waits for the provider's event
// (Settle) before it is sent again, since silence proves nothing.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/retention"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Box is the outbox in a table. It may be used from several goroutines at once.
type Box struct {
	table *entity.Table
	now   func() time.Time // UTC
	keep  retention.Policy
}

// New makes a Box over a table. Its letters are kept by the default policy.
func New(t *entity.Table, now func() time.Time) *Box { return &Box{table: t, now: now} }

// Keeping returns a Box over the same table whose letters are kept by a policy.
func (b *Box) Keeping(p retention.Policy) *Box { return &Box{b.table, b.now, p} }

// Status is how far sending a mail is.
type Status string

// Every Status.
const (
	Waiting   Status = "waiting"   // ready to be sent, or paused
	Sending   Status = "sending"   // its call to the provider has begun
	InDoubt   Status = "in-doubt"  // a call has ended without an answer; an event of the provider may still tell
	Sent      Status = "sent"      // the provider accepted it
	Failed    Status = "failed"    // given up; for people to look at
	Pointless Status = "pointless" // what it says was no longer true or needed before it was sent
	Expanded  Status = "expanded"  // it became other mails: see notice.Notice.Expands
)

// Open reports whether the mail may still be sent.
func (s Status) Open() bool { return s == Waiting || s == Sending || s == InDoubt }

// State is how far sending a mail is.
type State struct {
	Status    Status    `json:"status"`
	NotBefore time.Time `json:"notBefore,omitzero"`  // when the pause of a paused mail ends
	Gathering bool      `json:"gathering,omitempty"` // licenses may still be added: see Digest
	Held      bool      `json:"held,omitempty"`      // until NotBefore, what it tells can be undone: see QueueHeld
	Attempts  int       `json:"attempts,omitempty"`  // calls to the provider that began
	Failures  int       `json:"failures,omitempty"`  // calls that failed for certain and count against the mail
	Doubts    int       `json:"doubts,omitempty"`    // calls whose outcome nobody knows: it may have been sent before
	Call      *Call     `json:"call,omitempty"`      // the last call; of Sending and InDoubt
	// SentTo is the address of the last letter, if it is not the notice's: the customer corrected it meanwhile.
	SentTo string `json:"sentTo,omitempty"`
	// MaybeSent says that a call before TryAgainIn ended in doubt.
	MaybeSent bool `json:"maybeSent,omitempty"`
	// ProviderID is the provider's ID of the mail as it accepted it, and Attempt the attempt that it accepted.
	ProviderID string    `json:"carrierId,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Closed     time.Time `json:"closed,omitzero"` // when it was sent, given up, found pointless, or expanded
	Cause      string    `json:"cause,omitempty"` // why it is paused, failed or pointless
	// Omitted are the licenses of a digest that its last letter does not name, by their IDs, and why.
	Omitted map[string]string `json:"omitted,omitempty"`
}

// Call is a call to the provider that has begun.
type Call struct {
	Attempt int       `json:"attempt"`
	Fence   int64     `json:"fence"` // of the mailer's lease
	At      time.Time `json:"at"`
}

// Mail is a mail of the outbox.
type Mail struct {
	notice.Notice
	Created time.Time // when it was queued
	State   State
	Reports []Report // what the provider reported about it, in no order

	rank    int // and with ready and turn, its place among the ready mails
	ready   time.Time
	turn    int
	schema  int
	version int64 // of the row of its state; 0: there is none yet
	listed  bool  // among those in doubt
	// gathered are the licenses of a digest that have rows of their own.
	gathered []notice.Due
}

// stored is the row of a mail: what never changes.
type stored struct {
	notice.Notice
	Created time.Time `json:"created"`
	Rank    int       `json:"rank"`
	Ready   time.Time `json:"ready"`
	Turn    int       `json:"turn,omitempty"`
}

// Known reports whether this version of the program knows the notice's kind and shape.
func (m Mail) Known() bool { return m.schema <= notice.Schema && m.Notice.Known() }

// MaybeTwice reports whether the mail may have been sent before without our knowing.
func (m Mail) MaybeTwice() bool { return m.State.Doubts > 0 || m.State.MaybeSent }

// Recipient is the customer's address that the last letter was sent to; before the first, the one that it is meant for.
// "" for mails to sales.
func (m Mail) Recipient() string { return cmp.Or(m.State.SentTo, m.To.Email) }

// ReadySince is since when the mail has been ready, pauses included.
func (m Mail) ReadySince() time.Time { return m.ready }

// LogValue implements slog.LogValuer: logs name neither the recipient nor what the mail says.
func (m Mail) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID), slog.String("kind", string(m.Kind)),
		slog.String("about", m.About), slog.String("status", string(m.State.Status)),
		slog.Int("attempts", m.State.Attempts))
}

func (m Mail) readyKey() table.Key {
	return rowkey.Ready(m.rank, rowkey.Shard(m.Customer), m.ready, m.turn, m.ID)
}

func (m Mail) laterKey() table.Key {
	return rowkey.Later(rowkey.Shard(m.Customer), m.State.NotBefore, m.rank, m.ID)
}

// waiting is what the rows of ready and paused mails say.
type waiting struct {
	Customer string `json:"customer"`
	Expands  bool   `json:"expands,omitempty"`
	Held     bool   `json:"held,omitempty"` // State.Held
}

func (m Mail) waitingRow(key table.Key) table.Row {
	return entity.Encode(key, rowkey.TypePending, waiting{m.Customer, m.Expands(), m.State.Held})
}

// Untouched reports whether nobody has tried to send the mail.
func (m Mail) Untouched() bool { return m.State.Status == Waiting && m.State.Attempts == 0 }

// Queue adds mails to a change, ready at once. The change conflicts with the row of a mail (rowkey.Mail) whose ID was
// queued before: one cause, one mail.
func (b *Box) Queue(c *entity.Changeset, notices ...notice.Notice) {
	for _, n := range notices {
		b.QueueTurn(c, n, b.now(), 0)
	}
}

// QueueTurn adds a mail to a change that is one of many: ready is when they all got ready, and turn is its place among
// those of its customer. The first of every customer are sent before the second of any.
func (b *Box) QueueTurn(c *entity.Changeset, n notice.Notice, ready time.Time, turn int) {
	m := b.create(c, n, ready, turn)
	c.Set(m.waitingRow(m.readyKey()))
}

// QueueLater adds a mail to a change that is not sent before a time.
func (b *Box) QueueLater(c *entity.Changeset, n notice.Notice, notBefore time.Time) {
	b.queueLater(c, b.create(c, n, notBefore, 0))
}

// QueueHeld is QueueLater for a mail about something that can be undone until then: DropIn takes the mail back.
func (b *Box) QueueHeld(c *entity.Changeset, n notice.Notice, until time.Time) {
	m := b.create(c, n, until, 0)
	m.State.Held = true
	b.queueLater(c, m)
}

func (b *Box) queueLater(c *entity.Changeset, m Mail) {
	m.State.NotBefore = m.ready
	c.Set(m.waitingRow(m.laterKey()))
	c.Create(m.stateRow())
}

func (b *Box) create(c *entity.Changeset, n notice.Notice, ready time.Time, turn int) Mail {
	ready = ready.UTC().Truncate(time.Millisecond)
	m := Mail{Notice: n, State: State{Status: Waiting}, rank: n.Rank(), ready: ready, turn: turn}
	c.Create(m.row(b.now()))
	return m
}

// row is the row of a mail itself, created at a time.
func (m Mail) row(created time.Time) table.Row {
	s := stored{m.Notice, created, m.rank, m.ready, m.turn}
	row := entity.Encode(rowkey.Mail(m.ID), rowkey.TypeMail, s)
	row.Schema, row.Expires = notice.Schema, m.Expires()
	return row
}

func (m Mail) stateRow() table.Row {
	row := entity.Encode(rowkey.MailState(m.ID), rowkey.TypeMailState, m.State)
	row.Expires = m.Expires()
	return row
}

// briefly is how long mails are on record of which nothing is kept (mail.Kind.AboutSignIn).
const briefly = 24 * time.Hour

// Expires returns when the rows of the mail expire; zero for never.
func (m Mail) Expires() time.Time {
	if !m.Kind.AboutSignIn() {
		return time.Time{}
	}
	return m.ready.Add(briefly).Truncate(time.Second)
}

// Wakes reports whether a write makes a mail ready for which the mailer is woken at once: one of the first two ranks.
// The table's stream does the same by the partition's name.
func Wakes(w table.Write) bool {
	return !w.Delete && (strings.HasPrefix(w.Row.PK, rowkey.ReadyPrefix(notice.RankUrgent)) ||
		strings.HasPrefix(w.Row.PK, rowkey.ReadyPrefix(notice.RankSoon)))
}

// Waits reports whether a write makes a mail ready or pauses it.
func Waits(w table.Write) bool { return !w.Delete && w.Row.Type == string(rowkey.TypePending) }

// ErrChanged means that the mail is not as it was read, or was not open then: somebody else has dealt with it. Nothing
// was written.
var ErrChanged = errors.New("store: the mail has changed since it was read")

// Read reads a mail; a NotFound fault if there is none.
func (b *Box) Read(ctx context.Context, id string) (Mail, error) {
	list, err := b.read(ctx, rowkey.MailRows(id))
	if err != nil {
		return Mail{}, fmt.Errorf("store: mail %s: %w", id, err)
	}
	if len(list) == 0 {
		return Mail{}, fault.New(fault.NotFound, "There is no email %s.", id)
	}
	return list[0], nil
}

// Exists reports whether a mail with the ID was queued.
func (b *Box) Exists(ctx context.Context, id string) (bool, error) {
	version, err := b.table.Version(ctx, rowkey.Mail(id))
	return version > 0, err
}

// About reads the mails about a request, a license or a customer with their reports, in the order in which they were
// queued. Those about a license include the digests that it is in, with all their licenses.
func (b *Box) About(ctx context.Context, about string) ([]Mail, error) {
	list, digests, err := b.readAll(ctx, table.Query{PK: rowkey.MailsPK(about)})
	if err == nil {
		var found []Mail
		found, err = b.digests(ctx, digests)
		list = append(list, found...)
	}
	if err != nil {
		return nil, fmt.Errorf("store: mails about %s: %w", about, err)
	}
	slices.SortStableFunc(list, func(a, b Mail) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// digestsAtOnce is how many digests are read at once.
const digestsAtOnce = 16

// digests reads digests with their repetitions, several at once.
func (b *Box) digests(ctx context.Context, ids []string) (list []Mail, err error) {
	found := make([][]Mail, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(digestsAtOnce)
	for i, id := range ids {
		g.Go(func() (err error) {
			found[i], err = b.read(ctx, rowkey.DigestsOf(id))
			return err
		})
	}
	err = g.Wait()
	return slices.Concat(found...), err
}

// read reads mails from their rows, in the order of their IDs.
func (b *Box) read(ctx context.Context, q table.Query) (list []Mail, err error) {
	list, _, err = b.readAll(ctx, q)
	return list, err
}

// readAll also returns the IDs of the digests that the partition's license is in, each once.
func (b *Box) readAll(ctx context.Context, q table.Query) (list []Mail, digests []string, err error) {
	mails := map[string]*Mail{}
	var order []string
	err = b.table.Each(ctx, q, func(row table.Row) error {
		if strings.HasSuffix(row.SK, rowkey.InSuffix) {
			r, err := entity.Decode[reminded](row)
			if !slices.Contains(digests, r.In) {
				digests = append(digests, r.In)
			}
			return err
		}
		id, rest, _ := strings.Cut(row.SK, "#")
		m := mails[id]
		if m == nil {
			m = &Mail{State: State{Status: Waiting}}
			mails[id] = m
			order = append(order, id)
		}
		return m.decode(row, "#"+rest)
	})
	for _, id := range order {
		if m := mails[id]; m.schema > 0 {
			m.Due = append(m.Due, m.gathered...)
			list = append(list, *m)
		}
	}
	return list, digests, err
}

// decode reads one of the rows of a mail; part is the end of its sort key, "#" of the mail itself.
func (m *Mail) decode(row table.Row, part string) (err error) {
	switch {
	case part == rowkey.StateSuffix:
		m.State, err = entity.Decode[State](row)
		m.version, m.listed = row.Version, m.State.Status == InDoubt
	case strings.HasPrefix(part, rowkey.ReportPart):
		var r Report
		r, err = entity.Decode[Report](row)
		m.Reports = append(m.Reports, r)
	case strings.HasPrefix(part, rowkey.DuePart):
		var d notice.Due
		d, err = entity.Decode[notice.Due](row)
		m.gathered = append(m.gathered, d)
	case part == "#":
		var s stored
		if s, err = entity.Decode[stored](row); row.Schema > notice.Schema {
			s, err = decodeNewer(row)
		}
		m.Notice, m.Created, m.schema = s.Notice, s.Created, row.Schema
		m.rank, m.ready, m.turn = s.Rank, s.Ready, s.Turn
	}
	return err
}

// newer is what every version of a mail has.
type newer struct {
	ID       string    `json:"id"`
	Kind     mail.Kind `json:"kind"`
	About    string    `json:"about"`
	Customer string    `json:"customer"`
	Created  time.Time `json:"created"`
	Rank     int       `json:"rank"`
	Ready    time.Time `json:"ready"`
	Turn     int       `json:"turn"`
}

// decodeNewer reads what it needs of a mail of a newer version to list and to pause it.
func decodeNewer(row table.Row) (stored, error) {
	n, err := entity.Decode[newer](row)
	known := notice.Notice{ID: n.ID, Kind: n.Kind, About: n.About, Customer: n.Customer}
	return stored{known, n.Created, n.Rank, n.Ready, n.Turn}, err
}
