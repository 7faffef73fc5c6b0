package license

import (
	"fmt"

	"marketplace/shared/lazyregexp"
)

// A bridge key has the type and the terms of a license on record, for another server and for a few days, until the
// license is replaced. A key of its own signs it, whose Kid is the mark and whose MaxDays every verifier holds it to:
// whoever could sign with that key could make nothing that lasts.

// BridgeDays is on how many days a bridge key is valid at most, the first and the last included.
const BridgeDays = 14

// bridgeKid matches the Kids of bridge keys: bridge, or with a number, or with a stage before it, as in
// production-bridge-1.
var bridgeKid = lazyregexp.New(`^([A-Za-z0-9._-]+-)?bridge(-[0-9]+)?$`)

// BridgeKid reports whether a Kid is one of bridge keys.
func BridgeKid(kid string) bool { return bridgeKid().MatchString(kid) }

// MaxDaysOf returns the MaxDays of a new key with a Kid: BridgeDays of one of bridge keys, and none of any other.
func MaxDaysOf(kid string) int {
	if BridgeKid(kid) {
		return BridgeDays
	}
	return 0
}

// bridgeDays returns MaxDays of a key in a key set: a Kid of bridge keys has it, and no other.
func bridgeDays(kid string, maxDays *int) (int, error) {
	switch {
	case !BridgeKid(kid) && maxDays != nil:
		return 0, fmt.Errorf("max_days is only for bridge keys, whose Kid is like bridge-1")
	case !BridgeKid(kid):
		return 0, nil
	case maxDays == nil || *maxDays < 1 || *maxDays > BridgeDays:
		return 0, fmt.Errorf("max_days of a bridge key must be from 1 to %d", BridgeDays)
	}
	return *maxDays, nil
}

// Bridge reports whether p signs bridge keys, and nothing else.
func (p PublicKey) Bridge() bool { return p.MaxDays > 0 }

// MayLast reports whether p may sign a license with the days of k. A bridge key names both of its days: without
// NotBefore it would be valid since ever, whatever day it says that it was issued on.
func (p PublicKey) MayLast(k Key) bool {
	return !p.Bridge() || !k.NotBefore.IsZero() && k.Days() <= p.MaxDays
}

// Days returns on how many days a key with a NotBefore is valid, the first and the last included.
func (k Key) Days() int { return k.NotBefore.DaysUntil(k.Expiration) + 1 }
