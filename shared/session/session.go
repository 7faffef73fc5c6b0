package session

import "time"

// How long sessions last, in the console and in the customer's account.
const (
	Life         = 8 * time.Hour // from signing in, at the latest
	IdleLife     = time.Hour     // from the last request, give or take RenewAfter
	RenewAfter   = time.Minute   // a session that was last written this long ago is renewed
	ClocksDiffer = time.Minute   // the tolerated difference between two machines' clocks
)

// Times say when a session began and was last written: what its cookie has besides whose it is.
type Times struct {
	Begun int64 `json:"begun"` // Unix seconds
	Used  int64 `json:"used"`  // Unix seconds; when it was last written
}

// Begin returns the times of a session that begins now.
func Begin(now time.Time) Times { return Times{now.Unix(), now.Unix()} }

// Latest returns when the session ends at the latest, however it is used.
func (t Times) Latest() time.Time { return time.Unix(t.Begun, 0).Add(Life) }

// Remaining returns how long the session lasts if it is not used; zero or less if it has ended. A session from the
// future, on a clock that was set back, has ended too.
func (t Times) Remaining(now time.Time) time.Duration {
	used := time.Unix(t.Used, 0)
	if now.Before(used.Add(-ClocksDiffer)) {
		return 0
	}
	return min(t.Latest().Sub(now), used.Add(IdleLife).Sub(now))
}

// ToRenew reports whether the session was last written so long ago that it is written again.
func (t Times) ToRenew(now time.Time) bool { return now.Sub(time.Unix(t.Used, 0)) >= RenewAfter }
