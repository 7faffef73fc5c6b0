package mail

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
)

// Sender delivers messages to a provider. Its methods may be called concurrently.
type Sender interface {
	// Send hands a message to the provider and returns the provider's ID for it. It does not retry. Its errors say
	// whether the provider accepted the message:
	//
	//   - ErrThrottled, ErrDailyQuota and ErrSetup: no, and it accepts nothing for now. Stop, and keep all messages.
	//   - ErrRejected: no, and it will never accept this message. Do not retry.
	//   - ErrNotSent: no, this time. Retry later; the message cannot arrive twice.
	//   - Any other error: nobody knows (see InDoubt). The message may arrive, and a retry may make it arrive twice.
	//
	// FailureClass tells which failures are alike. An error may contain addresses: see logging.Error.
	Send(ctx context.Context, m Message) (id string, err error)

	// Quota asks the provider for its current limits.
	Quota(ctx context.Context) (Quota, error)
}

var (
	// ErrThrottled means that the provider accepts no more messages for now; a second later it may.
	ErrThrottled = errors.New("mail: the provider accepts no more mails for now")
	// ErrDailyQuota is the ErrThrottled of a provider whose daily quota is used up. The quota is one of a rolling day,
	// so it returns bit by bit.
	ErrDailyQuota = fmt.Errorf("%w: its daily quota is used up", ErrThrottled)
	ErrSetup      = errors.New("mail: the provider accepts no mails until its setup is fixed")
	ErrRejected   = errors.New("mail: the provider rejects this message")
	ErrNotSent    = errors.New("mail: the provider did not accept this message")
)

// InDoubt reports whether an error of Send leaves open whether the provider accepted the message.
func InDoubt(err error) bool {
	for _, certain := range []error{nil, ErrThrottled, ErrSetup, ErrRejected, ErrNotSent} {
		if errors.Is(err, certain) {
			return false
		}
	}
	return true
}

// Failure is an error of Send with its class.
type Failure struct {
	// Kind is ErrThrottled, ErrDailyQuota, ErrSetup, ErrRejected or ErrNotSent; nil if the outcome is in doubt.
	Kind  error
	Class string // see FailureClass
	Err   error  // what happened
}

func (f *Failure) Error() string {
	if f.Kind == nil {
		return f.Err.Error()
	}
	return f.Kind.Error() + ": " + f.Err.Error()
}

// Unwrap lets errors.Is find the kind and the cause.
func (f *Failure) Unwrap() []error {
	if f.Kind == nil {
		return []error{f.Err}
	}
	return []error{f.Kind, f.Err}
}

// Classes of failures that do not depend on the provider's own words.
const (
	ClassServer   = "http 5xx" // the provider answered with an error of its own, whichever: an outage mixes them
	ClassConnect  = "connect"  // no connection: name lookup, refusal, TLS, timeout
	ClassTimeout  = "timeout"  // no answer in time
	ClassLost     = "connection lost"
	ClassOther    = "other"
	classQuota    = "daily quota"
	classThrottle = "throttled"
	classSetup    = "setup"
	classRejected = "rejected"
)

// FailureClass returns a word for the cause of an error of Send, the same for failures that are alike: different
// messages that fail with the same class one after another mean an outage rather than a bad message. "" for nil.
func FailureClass(err error) string {
	var f *Failure
	if errors.As(err, &f) && f.Class != "" {
		return f.Class
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrDailyQuota):
		return classQuota
	case errors.Is(err, ErrThrottled):
		return classThrottle
	case errors.Is(err, ErrSetup):
		return classSetup
	case errors.Is(err, ErrRejected):
		return classRejected
	case errors.Is(err, context.DeadlineExceeded):
		return ClassTimeout
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return ClassTimeout
	}
	return ClassOther
}

// Quota holds the limits of a provider and what is used of them. The zero Quota has no limits.
type Quota struct {
	PerSecond   float64 // messages a second; 0: no limit
	PerDay      int     // messages in any 24 hours; 0: no limit
	SentLastDay int     // messages in the last 24 hours
}

// Exhausted reports whether the daily quota is used up.
func (q Quota) Exhausted() bool { return q.Left(1) == 0 }

// Left returns how many more messages may be sent until a share of the daily quota is used, at least 0. share is above
// 0 and at most 1. Without a daily quota it is math.MaxInt.
func (q Quota) Left(share float64) int {
	if q.PerDay <= 0 {
		return math.MaxInt
	}
	return max(0, int(share*float64(q.PerDay))-q.SentLastDay)
}
