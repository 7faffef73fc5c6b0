package mailmodel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"marketplace/shared/mail"
)

// provider is a mail.Sender's other end. What it accepted is the truth.
type provider struct {
	world     *world
	mode      mode
	perSecond int       // 0: no limit
	perDay    int       // 0: no limit
	rejects   int       // in a hundred emails, which it will never accept
	changed   time.Time // when the limits changed last, or could be read again
	quotaDown bool
	accepted  []*call
	calls     []*call
}

// mode is how the provider answers.
type mode int

const (
	works mode = iota
	answers5xx
	refusesConnections
	losesAnswers // whether it accepted the email or not
	timesOut     // likewise
	throttles
	isUnset // its setup is wrong
	isFlaky // any of these
	modes
)

// result is what became of a call.
type result string

const (
	accepted  result = "accepted"
	notSent   result = "not sent" // for certain, this time
	rejected  result = "rejected" // for ever
	throttled result = "throttled"
	unclear   result = "unclear" // the caller cannot know
	cutOff    result = "cut off" // the caller does not exist any more
)

// call is a call of the provider.
type call struct {
	email    *email
	process  *process
	message  mail.Message
	attempt  int
	begun    time.Time // when it was marked
	at       time.Time
	ended    time.Time
	accepted bool
	result   result // as the caller knows it
	class    string // how it failed
	named    []due  // the licenses that a reminder names
	says     bool   // the letter says that it may be a repetition
	recorded bool   // the email's state tells of it
	faults   int    // of the process before the call
	halted   bool   // the process stalled before it had recorded the outcome
	stalled  bool   // the process stalled after it had made sure that it may begin the call
}

// unreadable reports whether nobody can learn the limits.
func (p *provider) unreadable() bool { return p.quotaDown || p.mode == refusesConnections }

// limits is what the provider tells of its limits.
func (p *provider) limits() (mail.Quota, error) {
	if p.unreadable() {
		return mail.Quota{}, errors.New("the provider does not answer")
	}
	return mail.Quota{PerSecond: float64(p.perSecond), PerDay: p.perDay,
		SentLastDay: p.acceptedSince(p.world.now.Add(-24 * time.Hour))}, nil
}

// acceptedSince counts what was accepted after a time.
func (p *provider) acceptedSince(t time.Time) (n int) {
	for _, c := range p.accepted {
		if c.at.After(t) {
			n++
		}
	}
	return n
}

func (p *provider) send(ctx context.Context, c *call) (string, error) {
	p.calls = append(p.calls, c)
	m := p.mode
	if m == isFlaky {
		m = works
		if p.world.chance(60) {
			m = mode(p.world.choose(int(isFlaky)))
		}
	}
	fail := func(r result, kind error, class string) (string, error) {
		c.result, c.class = r, class
		return "", &mail.Failure{Kind: kind, Class: class, Err: errors.New("made so by a test")}
	}
	maybe := func() {
		if p.world.chance(50) && !p.full() && !p.willReject(c) {
			p.accept(c)
		}
	}
	switch {
	case ctx.Err() != nil:
		maybe()
		c.result, c.class = unclear, "ended"
		return "", ctx.Err()
	case m == answers5xx:
		return fail(notSent, mail.ErrNotSent, mail.ClassServer)
	case m == refusesConnections:
		return fail(notSent, mail.ErrNotSent, mail.ClassConnect)
	case m == losesAnswers:
		maybe()
		return fail(unclear, nil, mail.ClassLost)
	case m == timesOut:
		maybe()
		p.world.advance(15 * time.Second)
		return fail(unclear, nil, mail.ClassTimeout)
	case m == isUnset:
		return fail(throttled, mail.ErrSetup, "setup")
	case p.perDay > 0 && p.acceptedSince(p.world.now.Add(-24*time.Hour)) >= p.perDay:
		return fail(throttled, mail.ErrDailyQuota, "daily quota")
	case m == throttles, p.full():
		return fail(throttled, mail.ErrThrottled, "throttled")
	case p.willReject(c):
		return fail(rejected, mail.ErrRejected, "rejected")
	}
	p.accept(c)
	c.result = accepted
	return fmt.Sprintf("ses-%d", len(p.accepted)), nil
}

func (p *provider) willReject(c *call) bool {
	return p.world.hash("reject"+c.email.ID)%100 < p.rejects
}

// full reports whether the provider's limits do not allow another email.
func (p *provider) full() bool {
	return p.perDay > 0 && p.acceptedSince(p.world.now.Add(-24*time.Hour)) >= p.perDay ||
		p.perSecond > 0 && p.acceptedSince(p.world.now.Add(-time.Second)) >= p.perSecond
}

func (p *provider) accept(c *call) {
	c.accepted = true
	p.accepted = append(p.accepted, c)
	as(p.world, c.process, func() error { p.world.checkAccepted(c); return nil })
	p.world.report(c, fmt.Sprintf("ses-%d", len(p.accepted)))
}
