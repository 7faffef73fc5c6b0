package mailmodel

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/reminders/daily"
	"marketplace/infra/racing"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// mutation is a fault that is broken in on purpose.
type mutation struct {
	mailer func(*world, *process, *dispatch.Options)
	daily  func(*world, *process) daily.Store
	write  func(*table.Row) // a row before it is written or deleted
	after  bool             // it shows with stages after the last day
}

// mutations are faults that are broken into a mailer on purpose, and that the model has to find.
var mutations = map[string]mutation{
	"what has no point is sent": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		o.Records = always{o.Records}
	}},
	"who was a contact once is reminded": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		o.Records = former{o.Records}
	}},
	"letters are written when they are queued": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		write := o.Write
		o.Write = func(n notice.Notice, r notice.Records, c letter.Call) (mail.Message, error) {
			r.Today = license.DateOf(w.emails[n.ID].queued)
			return write(n, r, c)
		}
	}},
	"what is in doubt is sent again at once": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, doubt: func(ctx context.Context, m outbox.Mail, cause string, _ time.Time) error {
			return inner.Doubt(ctx, m, cause, w.now)
		}}
	}},
	"what is in doubt is sent again for ever": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, doubt: func(ctx context.Context, m outbox.Mail, cause string,
			until time.Time) error {
			m.State.Doubts = min(m.State.Doubts, 1)
			return inner.Doubt(ctx, m, cause, until)
		}}
	}},
	"a repetition does not say so": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		write := o.Write
		o.Write = func(n notice.Notice, r notice.Records, c letter.Call) (mail.Message, error) {
			c.MaybeTwice = false
			return write(n, r, c)
		}
	}},
	"failures count in an outage": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, release: func(ctx context.Context, m outbox.Mail) error {
			return inner.Pause(ctx, m, "an outage", w.now.Add(5*time.Hour), true)
		}}
	}},
	"a sent email stays ready": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, sent: func(ctx context.Context, m outbox.Mail, id string) error {
			ready := w.rowOf("OUTBOX#", m.ID)
			err := inner.RecordSent(ctx, m, id)
			if err == nil {
				err = w.rows.Transact(ctx, table.Set(ready))
			}
			return err
		}}
	}},
	"an email is closed before its call": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, begin: func(ctx context.Context, m outbox.Mail, fence int64, l mail.Message) (
			outbox.Mail, error) {
			begun, err := inner.Begin(ctx, m, fence, l)
			if err == nil {
				err = inner.RecordSent(ctx, begun, "early")
			}
			return begun, err
		}}
	}},
	"a contact is not told": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		o.Expander = changed{o.Expander, func(n notice.Notice) notice.Notice { return n },
			func(into []notice.Notice) []notice.Notice {
				if len(into) > 1 && into[0].Kind.ToContacts() {
					return into[1:]
				}
				return into
			}}
	}},
	"who asked for it is told all the same": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		o.Expander = changed{o.Expander, func(n notice.Notice) notice.Notice { n.Except = nil; return n },
			func(into []notice.Notice) []notice.Notice { return into }}
	}},
	"what was expanded stays ready": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, expand: func(ctx context.Context, m outbox.Mail, into []notice.Notice) error {
			ready := w.rowOf("OUTBOX#", m.ID)
			err := inner.Expand(ctx, m, into)
			if err == nil {
				err = w.rows.Transact(ctx, table.Set(ready))
			}
			return err
		}}
	}},
	"a failed email is not listed": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, fail: func(ctx context.Context, m outbox.Mail, cause string) error {
			err := inner.Fail(ctx, m, cause)
			if err == nil {
				err = w.rows.Transact(ctx, table.Delete(w.rowOf("FAILEDMAIL", m.ID).Key, table.Any))
			}
			return err
		}}
	}},
	"the order of ranks is reversed": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, ready: func(ctx context.Context, rank, shard, limit int) ([]outbox.Entry, error) {
			return inner.Ready(ctx, 4-rank, shard, limit)
		}}
	}},
	"shares of the quota are ignored": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		o.Sender = noShares{o.Sender}
	}},
	"the lease is ignored": {mailer: func(_ *world, _ *process, o *dispatch.Options) {
		inner := o.Outbox
		o.Outbox = box{Outbox: inner, acquire: func(ctx context.Context, length time.Duration) (*outbox.Lease, error) {
			l, err := inner.Acquire(ctx, length)
			if errors.Is(err, outbox.ErrHeld) {
				return inner.Acquire(ctx, time.Millisecond) // as if the clock had gone back
			}
			return l, err
		}}
	}},
	"paused emails are sent early": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		later := func() time.Time { return w.now.Add(50 * time.Minute) }
		hurried := delivery.New(store.New(w.rows, store.Options{Now: later, Reminders: w.policy}))
		o.Outbox = box{Outbox: o.Outbox, promote: hurried.Outbox().Promote}
	}},
	"emails of a newer version are dropped": {mailer: func(w *world, _ *process, o *dispatch.Options) {
		o.Outbox = box{Outbox: o.Outbox, park: func(ctx context.Context, e outbox.Entry, _ time.Time) error {
			return w.rows.Transact(ctx, table.Delete(w.rowOf("OUTBOX#", e.ID).Key, table.Any))
		}}
	}},
	// This one is broken into the receiver of events: see world.record.
	"events of accepted emails are ignored": {},
}

// always are records with which everything has a point.
type always struct{ suppressions }

// suppressions are records under a name that leaves the method's free.
type suppressions = dispatch.Records

func (a always) Records(ctx context.Context, n notice.Notice) (notice.Records, error) {
	r, err := a.suppressions.Records(ctx, n)
	for i := range r.Licenses {
		l := &r.Licenses[i]
		l.Mute, l.Retired, l.Successor, l.Revoked = license.Mute{}, false, "", time.Time{}
	}
	for id, of := range r.Expiring {
		of.License.Mute, of.License.Retired = license.Mute{}, false
		of.License.Successor, of.License.Revoked = "", time.Time{}
		r.Expiring[id] = of
	}
	if n.Kind == mail.RequestQuestion {
		r.Request.State, r.Request.Question = request.Waiting, n.Text
	}
	return r, err
}

// former are records in which whoever is written to is a contact.
type former struct{ suppressions }

func (f former) Records(ctx context.Context, n notice.Notice) (notice.Records, error) {
	r, err := f.suppressions.Records(ctx, n)
	r.Contacts = append(r.Contacts, n.To)
	for id, of := range r.Expiring {
		of.Contacts = append(of.Contacts, n.To)
		r.Expiring[id] = of
	}
	return r, err
}

// noShares is a provider without a known quota.
type noShares struct{ mail.Sender }

func (s noShares) Quota(ctx context.Context) (mail.Quota, error) {
	q, err := s.Sender.Quota(ctx)
	q.PerDay = 0
	return q, err
}

// box is an outbox some of whose operations are others.
type box struct {
	dispatch.Outbox
	acquire func(context.Context, time.Duration) (*outbox.Lease, error)
	ready   func(ctx context.Context, rank, shard, limit int) ([]outbox.Entry, error)
	promote func(ctx context.Context, shard, limit int) (int, error)
	begin   func(context.Context, outbox.Mail, int64, mail.Message) (outbox.Mail, error)
	sent    func(context.Context, outbox.Mail, string) error
	doubt   func(context.Context, outbox.Mail, string, time.Time) error
	release func(context.Context, outbox.Mail) error
	fail    func(context.Context, outbox.Mail, string) error
	park    func(context.Context, outbox.Entry, time.Time) error
	expand  func(context.Context, outbox.Mail, []notice.Notice) error
}

// changed is an Expander that is given, and gives, something else.
type changed struct {
	dispatch.Expander
	before func(notice.Notice) notice.Notice
	after  func([]notice.Notice) []notice.Notice
}

func (c changed) Expand(ctx context.Context, n notice.Notice) ([]notice.Notice, error) {
	into, err := c.Expander.Expand(ctx, c.before(n))
	return c.after(into), err
}

func (b box) Expand(ctx context.Context, m outbox.Mail, into []notice.Notice) error {
	if b.expand != nil {
		return b.expand(ctx, m, into)
	}
	return b.Outbox.Expand(ctx, m, into)
}

func (b box) Acquire(ctx context.Context, length time.Duration) (*outbox.Lease, error) {
	if b.acquire != nil {
		return b.acquire(ctx, length)
	}
	return b.Outbox.Acquire(ctx, length)
}

func (b box) Ready(ctx context.Context, rank, shard, limit int) ([]outbox.Entry, error) {
	if b.ready != nil {
		return b.ready(ctx, rank, shard, limit)
	}
	return b.Outbox.Ready(ctx, rank, shard, limit)
}

func (b box) Promote(ctx context.Context, shard, limit int) (int, error) {
	if b.promote != nil {
		return b.promote(ctx, shard, limit)
	}
	return b.Outbox.Promote(ctx, shard, limit)
}

func (b box) Begin(ctx context.Context, m outbox.Mail, fence int64, l mail.Message) (outbox.Mail, error) {
	if b.begin != nil {
		return b.begin(ctx, m, fence, l)
	}
	return b.Outbox.Begin(ctx, m, fence, l)
}

func (b box) RecordSent(ctx context.Context, m outbox.Mail, providerID string) error {
	if b.sent != nil {
		return b.sent(ctx, m, providerID)
	}
	return b.Outbox.RecordSent(ctx, m, providerID)
}

func (b box) Doubt(ctx context.Context, m outbox.Mail, cause string, until time.Time) error {
	if b.doubt != nil {
		return b.doubt(ctx, m, cause, until)
	}
	return b.Outbox.Doubt(ctx, m, cause, until)
}

func (b box) Release(ctx context.Context, m outbox.Mail) error {
	if b.release != nil {
		return b.release(ctx, m)
	}
	return b.Outbox.Release(ctx, m)
}

func (b box) Fail(ctx context.Context, m outbox.Mail, cause string) error {
	if b.fail != nil {
		return b.fail(ctx, m, cause)
	}
	return b.Outbox.Fail(ctx, m, cause)
}

func (b box) Park(ctx context.Context, e outbox.Entry, until time.Time) error {
	if b.park != nil {
		return b.park(ctx, e, until)
	}
	return b.Outbox.Park(ctx, e, until)
}

// rowOf returns the row of an email in the partitions with a prefix; one of no email if there is none.
func (w *world) rowOf(prefix, id string) table.Row {
	for _, row := range w.with(prefix) {
		if strings.HasSuffix(row.SK, "#"+id) {
			return row
		}
	}
	return table.Row{Key: rowkey.Failed(w.now, "none")}
}

// mostHistories is in how many histories each fault is found at the latest.
const mostHistories = 1000

// TestModelFindsEveryFault breaks one fault after another in on purpose; with the race detector, which has nothing to
// find in their histories that it does not find in the others, one in eight.
func TestModelFindsEveryFault(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(mutations)) {
		if racing.Enabled && i%8 > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			history := rapid.Custom(func(rt *rapid.T) error {
				_, err := play(rt, name)
				return err
			})
			for n := range mostHistories {
				if err := history.Example(n); err != nil {
					what, _, _ := strings.Cut(err.Error(), "\n")
					t.Logf("found in history %d: %s", n+1, what)
					return
				}
			}
			t.Errorf("not found in %d histories", mostHistories)
		})
	}
}
