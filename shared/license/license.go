// Package license holds what a license is: its terms, its calendar, the ID of the server that it is bound to, and the key in
// which a customer gets it: how that is written and signed (Issuer), read (Read, Verify), judged for a server (Evaluate), and
// freed from what mails do to it (Unmangle). testdata/README.md describes the key to authors of other readers.
//
// It knows nothing of how licenses are stored (shared/store), when customers are reminded (shared/reminder) or how they
// are told (shared/mail).
package license

import (
	"time"
)

// Type is what a license may be used for.
type Type string

const (
	Evaluation Type = "EVALUATION"
	Production Type = "PRODUCTION"
	Staging    Type = "STAGING" // for a second server that mirrors a production one
)

// Types lists every type, in the order in which people are offered them.
var Types = []Type{Evaluation, Production, Staging}

// Valid reports whether t is one of Types.
func (t Type) Valid() bool { return t == Evaluation || t == Production || t == Staging }

// Name is the type as people are told it, such as "Evaluation"; the type itself where it is none of Types.
func (t Type) Name() string {
	switch t {
	case Evaluation:
		return "Evaluation"
	case Production:
		return "Production"
	case Staging:
		return "Staging"
	}
	return string(t)
}

// Edition is the key of an edition. The keys are compiled into the client (client-contract.md §1).
type Edition string

const (
	Community  Edition = "community"
	Developer  Edition = "developer"
	Enterprise Edition = "enterprise"
	DataCenter Edition = "datacenter"
)

// Editions lists every edition, from the smallest to the largest.
var Editions = []Edition{Community, Developer, Enterprise, DataCenter}

// Name is the edition as people are told it, such as "Data Center Edition"; the key itself where it is none of Editions.
func (e Edition) Name() string {
	switch e {
	case Community:
		return "Community Edition"
	case Developer:
		return "Developer Edition"
	case Enterprise:
		return "Enterprise Edition"
	case DataCenter:
		return "Data Center Edition"
	}
	return string(e)
}

// Valid reports whether e is one of Editions.
func (e Edition) Valid() bool { return e.Name() != string(e) }

// License is a license on record.
type License struct {
	ID           string    `json:"id"`
	Type         Type      `json:"type"`
	Organization string    `json:"organization"`
	Server       Server    `json:"server"`
	Edition      Edition   `json:"edition"`
	MaxLoc       int64     `json:"maxLoc"` // lines of code at the most; at least 1
	Support      bool      `json:"support"`
	Expiration   Date      `json:"expiration"` // the last day on which it is valid, through 23:59:59 UTC
	NotBefore    Date      `json:"notBefore"`  // the first day on which it is valid; zero: since ever
	Recorded     time.Time `json:"recorded"`   // when it came on record here, UTC
	Contacts     []Contact `json:"contacts"`   // whom to write to, first to last; at least one

	// Of a license that was issued here; zero for one that was imported.
	KeyText   string   `json:"keyText,omitempty"` // the license key, as the customer has it
	Issued    Date     `json:"issued,omitzero"`
	Plugins   []string `json:"plugins,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Features  []string `json:"features,omitempty"`
	Request   string   `json:"request,omitempty"`  // the ID of the request that it answers
	Packages  []string `json:"packages,omitempty"` // names of the packages that were tailored for it
	Mirrors   Server   `json:"mirrors,omitempty"`  // of a staging license: the ID of the production server that its server mirrors

	// Successor is the license of the same dataset that begins by the expiration of this one and outlives it; "" where
	// there is none.
	Successor string `json:"successor,omitempty"`
	// Muted is set by sales: no reminders.
	Muted bool `json:"muted,omitempty"`
	// Revoked is when the license was revoked or replaced; zero: it was not.
	Revoked       time.Time `json:"revoked,omitzero"`
	RevokedReason string    `json:"revokedReason,omitempty"`
	ReplacedBy    string    `json:"replacedBy,omitempty"` // the ID of the license that replaces it
}

// Contact is somebody at the customer's.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

// Succeeds reports whether l takes over from old without a gap: same dataset and type, begins by old's expiration and
// outlives it. A revoked license succeeds nothing.
func (l License) Succeeds(old License) bool {
	return l.ID != old.ID &&
		l.Type.follows(old.Type) &&
		l.Server.Dataset() == old.Server.Dataset() &&
		l.Revoked.IsZero() &&
		!l.NotBefore.After(old.Expiration.AddDays(1)) &&
		l.Expiration.After(old.Expiration)
}

// follows: an evaluation is followed by a further evaluation or by production; the others by their own type.
func (t Type) follows(old Type) bool {
	return t == old || old == Evaluation && t == Production
}
