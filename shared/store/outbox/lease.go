package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// ErrHeld means that another mailer is sending.
var ErrHeld = errors.New("store: another mailer is sending")

// Lease is the right to send the outbox's mails, until a time. Its fence is greater than that of every lease before it:
// a call that another fence began, and whose mail is not closed, was cut off.
//
// The lease also carries what one mailer tells the next: see Provider.
type Lease struct {
	Fence    int64
	Until    time.Time
	Provider Provider

	box     *Box
	holder  string // tells this lease from another one that was acquired at the same time
	version int64
}

// Provider is what the mailers have learned about the provider.
type Provider struct {
	Outage Outage `json:"outage,omitzero"`
	// Sent counts the mails sent in each quarter of an hour of the last day, by its beginning in Unix seconds.
	Sent map[int64]int `json:"sent,omitempty"`
	// PerDay is how many mails the provider accepts in any 24 hours, as it last said; 0 if unlimited or unknown.
	PerDay int `json:"perDay,omitempty"`
}

// Clone returns a copy that shares nothing with p.
func (p Provider) Clone() Provider {
	p.Outage.Mails, p.Sent = slices.Clone(p.Outage.Mails), maps.Clone(p.Sent)
	return p
}

// Outage is a time in which the provider accepts nothing. It begins when several mails in a row fail alike.
type Outage struct {
	Class string `json:"class,omitempty"` // how the mails failed: mail.FailureClass
	// Mails are the IDs of those that failed so since a mail was last accepted, the newest last, each once.
	Mails []string  `json:"mails,omitempty"`
	Since time.Time `json:"since,omitzero"` // when the first of them failed
	// Probes counts the mails that were tried since the outage began, and NextProbe is when the next one is.
	Probes    int       `json:"probes,omitempty"`
	NextProbe time.Time `json:"nextProbe,omitzero"`
}

// outageAfter is how many different mails in a row fail alike in an outage.
const outageAfter = 3

// On reports whether there is an outage.
func (o Outage) On() bool { return len(o.Mails) >= outageAfter }

type storedLease struct {
	Fence    int64     `json:"fence"`
	Holder   string    `json:"holder"`
	Until    time.Time `json:"until"`
	Provider Provider  `json:"provider"`
}

// Acquire begins to send, for a time; ErrHeld if another mailer is sending.
func (b *Box) Acquire(ctx context.Context, length time.Duration) (*Lease, error) {
	var s storedLease
	version, err := b.table.Get(ctx, rowkey.Lease(), &s)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	// A lease that ends later than any can was taken before somebody moved the clock back.
	if now := b.now(); now.Before(s.Until) && !s.Until.After(now.Add(length)) {
		return nil, ErrHeld
	}
	l := &Lease{Fence: s.Fence + 1, Provider: s.Provider, box: b, holder: rand.Text(), version: version}
	if err := l.Renew(ctx, length); err != nil {
		return nil, err
	}
	return l, nil
}

// Renew extends the lease and keeps what was learned about the provider; ErrHeld if the lease ran out and another
// mailer has it.
func (l *Lease) Renew(ctx context.Context, length time.Duration) error {
	return l.save(ctx, l.box.now().Add(length))
}

// Release ends the lease.
func (l *Lease) Release(ctx context.Context) error { return l.save(ctx, time.Time{}) }

func (l *Lease) save(ctx context.Context, until time.Time) error {
	c := l.box.table.Begin()
	stored := storedLease{l.Fence, l.holder, until, l.Provider}
	c.Update(entity.Encode(rowkey.Lease(), rowkey.TypeLease, stored), l.version)
	err := c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return l.reread(ctx, until, err)
	}
	if err != nil {
		return fmt.Errorf("store: lease of the mailer: %w", err)
	}
	l.Until, l.version = until, l.version+1
	return nil
}

// reread finds out whether a conflict was our own write, whose answer was lost.
func (l *Lease) reread(ctx context.Context, until time.Time, conflict error) error {
	var s storedLease
	version, err := l.box.table.Get(ctx, rowkey.Lease(), &s)
	if err != nil {
		return err
	}
	if s.Holder != l.holder {
		return fmt.Errorf("%w: %w", ErrHeld, conflict)
	}
	l.Until, l.version = s.Until, version
	if s.Until.Equal(until) {
		return nil
	}
	return l.save(ctx, until)
}

// EndLease ends the lease of a mailer whose process is known to be dead, so that nobody waits for it.
func (b *Box) EndLease(ctx context.Context) error {
	var s storedLease
	version, err := b.table.Get(ctx, rowkey.Lease(), &s)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	l := &Lease{Fence: s.Fence, Provider: s.Provider, box: b, holder: s.Holder, version: version}
	return l.Release(ctx)
}

// Provider reads what the mailers have learned about the provider.
func (b *Box) Provider(ctx context.Context) (Provider, error) {
	var s storedLease
	_, err := b.table.Get(ctx, rowkey.Lease(), &s)
	if fault.KindOf(err) == fault.NotFound {
		return Provider{}, nil
	}
	return s.Provider, err
}

// quarter is the length of the periods in which sent mails are counted.
const quarter = 15 * time.Minute

// CountSent counts mails as sent at a time.
func (p *Provider) CountSent(at time.Time, n int) {
	if p.Sent == nil {
		p.Sent = map[int64]int{}
	}
	p.Sent[at.Truncate(quarter).Unix()] += n
	for begin := range p.Sent {
		if at.Sub(time.Unix(begin, 0)) >= 24*time.Hour+quarter {
			delete(p.Sent, begin)
		}
	}
}

// SentLastDay returns how many mails were sent in the 24 hours before a time, with those of the quarter of an hour in
// which these began.
func (p Provider) SentLastDay(at time.Time) (n int) {
	for begin, sent := range p.Sent {
		if age := at.Sub(time.Unix(begin, 0)); age >= 0 && age < 24*time.Hour+quarter {
			n += sent
		}
	}
	return n
}
