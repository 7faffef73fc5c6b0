package customer

import (
	"slices"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Instance is one installation of the product.
type Instance struct {
	ID          string              `json:"id"`
	Customer    string              `json:"customer"` // the ID of the customer with whom it is kept
	Environment request.Environment `json:"environment"`
	// Servers are the server IDs that it was told to have, in the order of the telling. The current one is the last,
	// also if it is an old one again.
	Servers []ServerID `json:"servers"`
	// Production is the ID of the production instance that a staging one mirrors; "" if that is not known.
	Production     string    `json:"production,omitempty"`
	ProductVersion string    `json:"productVersion,omitempty"` // last told
	Loc            int64     `json:"loc,omitempty"`            // lines of code last told
	Told           time.Time `json:"told,omitzero"`            // when the two were told, UTC
	Retired        time.Time `json:"retired,omitzero"`         // UTC; zero: in use
	RetiredBy      string    `json:"retiredBy,omitempty"`      // a colleague's email address
	Moved          *Origin   `json:"moved,omitempty"`          // where it was moved from last; nil: nowhere
	// Licenses are its licenses, the oldest first.
	Licenses []License `json:"licenses,omitempty"`
	// Bridges are the bridge keys that were issued for it, the oldest first. They are no licenses of it: what looks for
	// its licenses does not meet them, and their server IDs are none that it was told to have.
	Bridges []Bridge  `json:"bridges,omitempty"`
	Created time.Time `json:"created"` // UTC
}

// Origin is where an instance was before it was moved.
type Origin struct {
	Customer  string            `json:"customer"`
	Contracts map[string]string `json:"contracts"` // of its licenses, by ID
}

// ServerID is a server ID that an instance was told to have.
type ServerID struct {
	Server license.Server `json:"server"`
	Told   time.Time      `json:"told"` // UTC
}

// License is what an instance has on record about one of its licenses. shared/store keeps it equal to the license.
type License struct {
	ID         string          `json:"id"`
	Type       license.Type    `json:"type"`
	Contract   string          `json:"contract,omitempty"`
	Server     license.Server  `json:"server"`
	Edition    license.Edition `json:"edition"`
	MaxLoc     int64           `json:"maxLoc"`
	Languages  []string        `json:"languages,omitempty"`
	Support    bool            `json:"support,omitempty"`
	NotBefore  license.Date    `json:"notBefore,omitzero"`
	Expiration license.Date    `json:"expiration"`
	Successor  string          `json:"successor,omitempty"`
	Revoked    time.Time       `json:"revoked,omitzero"`
	ReplacedBy string          `json:"replacedBy,omitempty"`
	HasKey     bool            `json:"hasKey,omitempty"` // the text of its key is on record
}

// LicenseOf returns what an instance has on record about a license.
func LicenseOf(l license.License) License {
	return License{
		ID: l.ID, Type: l.Type, Contract: l.Contract, Server: l.Server, Edition: l.Edition, MaxLoc: l.MaxLoc,
		Languages: l.Languages, Support: l.Support, NotBefore: l.NotBefore, Expiration: l.Expiration,
		Successor: l.Successor, Revoked: l.Revoked, ReplacedBy: l.ReplacedBy, HasKey: l.KeyText != "",
	}
}

// Server returns the current server ID; "" if none was told.
func (i Instance) Server() license.Server {
	if len(i.Servers) == 0 {
		return ""
	}
	return i.Servers[len(i.Servers)-1].Server
}

// Had reports whether the instance has or had a server ID.
func (i Instance) Had(s license.Server) bool {
	for _, known := range i.Servers {
		if known.Server == s {
			return true
		}
	}
	return false
}

// InUse reports whether the instance was not retired.
func (i Instance) InUse() bool { return i.Retired.IsZero() }

// Valid reports whether a license was not revoked and has not expired; it may begin later.
func (l License) Valid(today license.Date) bool {
	return l.Revoked.IsZero() && !today.After(l.Expiration)
}

// Current returns the license that is in force on a day, or else the one that was or will be: of the licenses that were
// not revoked, the last to begin by that day, else the first to begin. ok is false without any.
func (i Instance) Current(today license.Date) (current License, ok bool) {
	for _, l := range i.Licenses {
		if !l.Revoked.IsZero() {
			continue
		}
		begun := !l.NotBefore.After(today)
		had := ok && !current.NotBefore.After(today)
		if !ok || begun && !had || begun == had && laterTerm(l, current) == begun {
			current, ok = l, true
		}
	}
	return current, ok
}

// laterTerm reports whether a's term is later than b's: by the last day, then by the first one, then by ID.
func laterTerm(a, b License) bool {
	if a.Expiration != b.Expiration {
		return a.Expiration.After(b.Expiration)
	}
	if a.NotBefore != b.NotBefore {
		return a.NotBefore.After(b.NotBefore)
	}
	return a.ID > b.ID
}

// Covers reports whether on a day another license of the instance is valid in the place of one: of the same or a
// following type, and not revoked.
func (i Instance) Covers(old license.License, on license.Date) bool {
	return slices.ContainsFunc(i.Licenses, func(l License) bool {
		return l.ID != old.ID && l.Type.Follows(old.Type) && l.Revoked.IsZero() && !l.NotBefore.After(on) &&
			!on.After(l.Expiration)
	})
}

// Succeeds reports whether l continues another license of the same instance without a gap: a type that follows, from
// the day after it ends at the latest, and longer. A revoked license succeeds nothing.
func (l License) Succeeds(old License) bool {
	return l.ID != old.ID &&
		l.Type.Follows(old.Type) &&
		l.Revoked.IsZero() &&
		!l.NotBefore.After(old.Expiration.AddDays(1)) &&
		l.Expiration.After(old.Expiration)
}
