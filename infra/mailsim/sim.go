// Package mailsim simulates days of the outbox on a clock of its own: the real outbox and the real mailer, over a table
// in memory, with a provider that behaves as told. `make bench` prints its tables (infra/docs/mail.md). They are the
// same each time.
package mailsim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// sim is an outbox with its mailer and its provider.
type sim struct {
	now      time.Time
	arrivals []arrival // to come, in order
	table    *entity.Table
	box      *outbox.Box
	mailer   *dispatch.Dispatcher
	provider provider
	random   *rand.Rand
	mails    map[string]*simulated
	made     int         // mails, for their IDs
	woken    atomic.Bool // a mail was queued for which the stream wakes the mailer
	settled  []settled
	err      error // of an arrival or an event
}

// arrival is the moment at which mails are queued.
type arrival struct {
	at      time.Time
	mails   []notice.Notice
	digests []due
}

// due is a contact of a customer, with how many licenses the contact is reminded of.
type due struct {
	customer string
	to       license.Contact
	licenses int
}

// simulated is what became of a mail.
type simulated struct {
	id       string
	rank     int
	licenses int // of a reminder
	queued   time.Time
	accepted []time.Time
	calls    int
}

// settled is an event of the provider, which says that it accepted a mail.
type settled struct {
	at      time.Time
	id      string
	attempt int
}

// sweep is how often the schedule runs the mailer, and eventAfter how late the provider's events come (template.yaml).
const (
	sweep      = time.Minute
	eventAfter = time.Minute
)

// newSim begins a simulation at a time. Of what is random, the same comes each time.
func newSim(begin time.Time, p provider) *sim {
	s := &sim{now: begin, provider: p, random: rand.New(rand.NewPCG(1, 2)), mails: map[string]*simulated{}}
	events := 0
	now := func() time.Time { return s.now }
	s.table = entity.Open(&wakingTable{Table: &tabletest.Memory{}, sim: s}, now, func() string {
		events++
		return fmt.Sprintf("%09d", events)
	})
	s.box = outbox.New(s.table, now)
	s.mailer = dispatch.New(dispatch.Options{
		Outbox: narrow{s.box}, Records: s, Write: write, Sender: s, Now: now, Log: slog.New(slog.DiscardHandler),
		AtOnce: 1, // two would make the simulation differ from one time to the next
		Sleep:  func(_ context.Context, d time.Duration) { s.advance(s.now.Add(d)) },
	})
	return s
}

// narrow shows the mailer fewer ready mails at a time than the outbox does, still more than it sends until it looks
// again: where tens of thousands wait, reading them takes most of the time.
type narrow struct{ *outbox.Box }

func (n narrow) Ready(ctx context.Context, rank, shard, limit int) ([]outbox.Entry, error) {
	return n.Box.Ready(ctx, rank, shard, min(limit, 100))
}

// run simulates until a time.
func (s *sim) run(ctx context.Context, end time.Time) error {
	slices.SortStableFunc(s.arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
	for s.now.Before(end) && s.err == nil {
		next := s.now.Truncate(sweep).Add(sweep)
		if len(s.arrivals) > 0 && s.arrivals[0].at.Before(next) {
			next = s.arrivals[0].at
		}
		if !s.woken.Load() { // else a mail was queued when the last run had stopped looking
			s.advance(next)
		}
		if woken := s.woken.Swap(false); !woken && s.now.Truncate(sweep) != s.now {
			continue
		}
		if err := s.mailer.Run(ctx); err != nil {
			return fmt.Errorf("mailsim: %w", err)
		}
	}
	return s.err
}

// advance moves the clock, and lets happen what happens meanwhile: mails are queued and events arrive.
func (s *sim) advance(to time.Time) {
	for len(s.arrivals) > 0 && !s.arrivals[0].at.After(to) {
		a := s.arrivals[0]
		s.arrivals = s.arrivals[1:]
		s.now = later(s.now, a.at)
		s.queue(a.mails)
		s.remind(a.digests)
	}
	s.now = later(s.now, to)
	for len(s.settled) > 0 && !s.settled[0].at.After(s.now) {
		e := s.settled[0]
		s.settled = s.settled[1:]
		s.err = errors.Join(s.err, s.box.Settle(context.Background(), e.id, e.attempt, "event", s.now))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// queue queues mails: each as many turns behind the first as it has mails of its customer before it.
func (s *sim) queue(mails []notice.Notice) {
	turns := map[string]int{}
	for part := range slices.Chunk(mails, table.MaxWrites/2) {
		c := s.table.Begin()
		for _, n := range part {
			s.box.QueueTurn(c, n, s.now, turns[n.Customer])
			turns[n.Customer]++
			s.mails[n.ID] = &simulated{id: n.ID, rank: n.Rank(), queued: s.now}
		}
		s.err = errors.Join(s.err, c.Commit(context.Background()))
	}
}

// stage is that of all reminders.
var stage = reminder.MonthsBefore(1)

// remind queues digests as the daily run does: each license joins its own in a transaction, and at the end of the run
// all become ready.
func (s *sim) remind(list []due) {
	ctx := context.Background()
	turns := map[string]int{}
	today := license.DateOf(s.now)
	digests := make([]*outbox.Digest, len(list))
	for i, of := range list {
		d := s.box.NewDigest(of.customer, today, of.to, s.now, turns[of.customer])
		turns[of.customer]++
		for range of.licenses {
			s.made++
			one := notice.Due{
				License: fmt.Sprintf("s%06d", s.made), Expiration: today.AddMonths(1), Stage: stage,
			}
			c := s.table.Begin()
			id, err := d.AddIn(ctx, c, one)
			if err == nil {
				err = c.Commit(ctx)
			}
			if err != nil {
				s.err = errors.Join(s.err, err)
				return
			}
			d.Added(one)
			if s.mails[id] == nil {
				s.mails[id] = &simulated{rank: notice.RankReminder, id: id, queued: s.now}
			}
			s.mails[id].licenses++
		}
		digests[i] = d
	}
	for _, d := range digests {
		s.err = errors.Join(s.err, d.Release(ctx))
	}
}

// wakingTable tells when the stream wakes the mailer.
type wakingTable struct {
	table.Table
	sim *sim
}

func (t *wakingTable) Transact(ctx context.Context, writes ...table.Write) error {
	if slices.ContainsFunc(writes, outbox.Wakes) {
		t.sim.woken.Store(true)
	}
	return t.Table.Transact(ctx, writes...)
}

// provider is how the provider behaves.
type provider struct {
	perSecond float64
	perDay    int
	// behave says how a call ends, and how long it takes; nil accepts everything in 60 ms.
	behave func(s *sim) (accepted bool, took time.Duration, err error)
	events bool // it tells of every mail that it accepted

	sent []time.Time // of the last day
}

// errServer is the answer of a provider in trouble: it did not accept the mail.
var errServer = &mail.Failure{Kind: mail.ErrNotSent, Class: mail.ClassServer, Err: errors.New("503 Unavailable")}

const answerTime = 60 * time.Millisecond

// Send implements mail.Sender.
func (s *sim) Send(_ context.Context, m mail.Message) (string, error) {
	accepted, took, err := true, answerTime, error(nil)
	if s.provider.behave != nil {
		accepted, took, err = s.provider.behave(s)
	}
	one := s.mails[m.ID]
	one.calls++
	if accepted {
		one.accepted = append(one.accepted, s.now)
		s.provider.sent = append(s.provider.sent, s.now)
		if s.provider.events {
			s.settled = append(s.settled, settled{s.now.Add(eventAfter), m.ID, m.Attempt})
		}
	}
	s.advance(s.now.Add(took))
	return m.ID, err
}

// Quota implements mail.Sender.
func (s *sim) Quota(context.Context) (mail.Quota, error) {
	day := s.now.Add(-24 * time.Hour)
	for len(s.provider.sent) > 0 && s.provider.sent[0].Before(day) {
		s.provider.sent = s.provider.sent[1:]
	}
	return mail.Quota{
		PerSecond: s.provider.perSecond, PerDay: s.provider.perDay, SentLastDay: len(s.provider.sent),
	}, nil
}

// Records implements dispatch.Records: every mail keeps its point.
func (s *sim) Records(_ context.Context, n notice.Notice) (notice.Records, error) {
	r := notice.Records{
		Request: request.Request{
			State: map[mail.Kind]request.State{
				mail.RequestQuestion: request.Waiting, mail.RequestReceived: request.Received,
			}[n.Kind],
			Question: n.Text, Details: request.Details{Email: n.To.Email},
		},
		Expiring: map[string]notice.Expiring{},
		Today:    license.DateOf(s.now),
	}
	for _, due := range n.Due {
		r.Expiring[due.License] = notice.Expiring{
			License: license.License{ID: due.License, Expiration: due.Expiration}, Contacts: []license.Contact{n.To},
		}
	}
	return r, nil
}

// Suppressed implements dispatch.Records.
func (s *sim) Suppressed(context.Context, string) (*delivery.Suppression, error) { return nil, nil }

// FailSuppressed implements dispatch.Records.
func (s *sim) FailSuppressed(context.Context, outbox.Mail, delivery.Suppression) error {
	return errors.New("mailsim: no address is suppressed")
}

// PassOmitted implements dispatch.Records.
func (s *sim) PassOmitted(context.Context, outbox.Mail, notice.Records) error { return nil }

func write(n notice.Notice, _ notice.Records, call letter.Call) (mail.Message, error) {
	return mail.Message{
		ID: n.ID, Kind: n.Kind, About: n.About, To: mail.Address{Email: n.To.Email}, Attempt: call.Attempt,
		Subject: "Subject", Text: "Text\n",
	}, nil
}

// newMail makes a mail of one of the first two ranks to a customer.
func (s *sim) newMail(rank, customer int) notice.Notice {
	s.made++
	about := fmt.Sprintf("s%06d", s.made)
	host := fmt.Sprintf("host%d.example", customer)
	n := notice.Notice{About: about, Customer: host, To: license.Contact{Email: "ada@" + host}}
	switch rank {
	case notice.RankUrgent:
		n.ID, n.Kind, n.Text = about+"--question", mail.RequestQuestion, "Which edition?"
	default:
		n.ID, n.Kind = about+"--received", mail.RequestReceived
	}
	return n
}

// newReminder makes a reminder of licenses to another contact of a customer each time.
func (s *sim) newReminder(customer, licenses int) due {
	s.made++
	return due{
		customer: fmt.Sprintf("host%d", customer), licenses: licenses,
		to: license.Contact{Email: fmt.Sprintf("ada%d@host%d.example", s.made, customer)},
	}
}
