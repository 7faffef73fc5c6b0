package mail

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"testing"
)

func TestErrorsTellWhetherAMessageWasAccepted(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		err     error
		inDoubt bool
		class   string
	}{
		{nil, false, ""},
		{ErrThrottled, false, "throttled"},
		{fmt.Errorf("sending: %w", ErrDailyQuota), false, "daily quota"},
		{&Failure{Kind: ErrSetup, Err: cause}, false, "setup"},
		{ErrRejected, false, "rejected"},
		{&Failure{Kind: ErrNotSent, Class: ClassServer, Err: cause}, false, "http 5xx"},
		{fmt.Errorf("sending: %w", &Failure{Kind: ErrNotSent, Class: ClassConnect, Err: cause}), false, "connect"},
		{&Failure{Class: ClassLost, Err: cause}, true, "connection lost"},
		{context.DeadlineExceeded, true, "timeout"},
		{os.ErrDeadlineExceeded, true, "timeout"},
		{cause, true, "other"},
	} {
		if got := InDoubt(tt.err); got != tt.inDoubt {
			t.Errorf("%v: got in doubt %v, want %v", tt.err, got, tt.inDoubt)
		}
		if got := FailureClass(tt.err); got != tt.class {
			t.Errorf("%v: got the class %q, want %q", tt.err, got, tt.class)
		}
	}
	if f := (&Failure{Kind: ErrNotSent, Err: cause}); !errors.Is(f, cause) || !errors.Is(f, ErrNotSent) {
		t.Errorf("got %v, want its kind and its cause", f)
	}
	if !errors.Is(ErrDailyQuota, ErrThrottled) {
		t.Error("got a used up quota that is not throttling, want one that is")
	}
}

func TestQuotaCountsWhatIsLeft(t *testing.T) {
	for _, tt := range []struct {
		quota Quota
		share float64
		left  int
	}{
		{Quota{}, 1, math.MaxInt},
		{Quota{PerSecond: 14, SentLastDay: 9}, 0.7, math.MaxInt},
		{Quota{PerDay: 200, SentLastDay: 199}, 1, 1},
		{Quota{PerDay: 200, SentLastDay: 200}, 1, 0},
		{Quota{PerDay: 200, SentLastDay: 210}, 1, 0},
		{Quota{PerDay: 200, SentLastDay: 139}, 0.7, 1},
		{Quota{PerDay: 200, SentLastDay: 140}, 0.7, 0},
		{Quota{PerDay: 200, SentLastDay: 140}, 0.8, 20},
		{Quota{PerDay: 1}, 0.7, 0},
	} {
		if got := tt.quota.Left(tt.share); got != tt.left {
			t.Errorf("%+v, share %v: got %d left, want %d", tt.quota, tt.share, got, tt.left)
		}
		if got, want := tt.quota.Exhausted(), tt.quota.Left(1) == 0; got != want {
			t.Errorf("%+v: got exhausted %v, want %v", tt.quota, got, want)
		}
	}
}
