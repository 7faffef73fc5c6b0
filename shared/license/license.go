// Package license defines a license: its terms, its dates, the ID of the server that it is bound to, and the key that
// the customer receives. It signs keys (Issuer), reads them (Read, Verify), evaluates them for a server (Evaluate),
// and repairs what mail programs did to them (Unmangle). testdata/README.md describes the key to authors of other
// readers.
//
// shared/store stores licenses, shared/reminder decides when customers are reminded, and shared/mail/letter writes to
// them.
package license

import (
	"strings"
	"time"
	"unicode"
)

// Type is what a license may be used for.
type Type string

const (
	Evaluation Type = "EVALUATION"
	Production Type = "PRODUCTION"
	Staging    Type = "STAGING" // for a second server that mirrors a production server
)

// Types lists every type in the order of the forms.
var Types = []Type{Evaluation, Production, Staging}

// Valid reports whether t is one of Types.
func (t Type) Valid() bool { return t == Evaluation || t == Production || t == Staging }

// Name returns the type as people read it, such as "Evaluation"; for any other type, the type itself.
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

// Edition is the key of an edition. The client has the keys compiled in (client-contract.md §1).
type Edition string

const (
	Community  Edition = "community"
	Developer  Edition = "developer"
	Enterprise Edition = "enterprise"
	DataCenter Edition = "datacenter"
)

// Editions lists every edition, from the smallest to the largest.
var Editions = []Edition{Community, Developer, Enterprise, DataCenter}

// FirstVersion is the first product version that is sold in editions.
const FirstVersion = "6.7"

// Name returns the edition as people read it, such as "Data Center Edition"; for any other edition, the key itself.
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

// ParseEdition reads the key or the name of an edition in any spelling: developer, Developer Edition, data-center.
// Other text gives an edition that is not Valid.
func ParseEdition(s string) Edition {
	s = strings.ToLower(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '-' || r == '_'
	}), ""))
	return Edition(strings.TrimSuffix(s, "edition"))
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
	MaxLoc       int64     `json:"maxLoc"` // largest number of lines of code; at least 1
	Support      bool      `json:"support"`
	Expiration   Date      `json:"expiration"`         // the last day on which it is valid, through 23:59:59 UTC
	NotBefore    Date      `json:"notBefore"`          // the first day on which it is valid; zero: no start
	Recorded     time.Time `json:"recorded"`           // when it was recorded here, UTC
	Customer     string    `json:"customer,omitempty"` // the IDs of whom it was issued to, of the installation that it
	Instance     string    `json:"instance,omitempty"` // is for, and of what was bought ("" for an evaluation):
	Contract     string    `json:"contract,omitempty"` // see shared/customer

	// Fields of licenses that were issued here; zero for imported ones.
	KeyText   string   `json:"keyText,omitempty"` // the license key, as the customer has it
	Issued    Date     `json:"issued,omitzero"`
	Plugins   []string `json:"plugins,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Features  []string `json:"features,omitempty"`
	Request   string   `json:"request,omitempty"`  // the ID of the request that it answers
	Packages  []string `json:"packages,omitempty"` // names of its custom packages

	// Bridges is, of a bridge key, the ID of the license whose terms it has for some days on another server; "" of any
	// other license. Nobody is reminded of a bridge key, and it continues, covers and counts as nothing.
	Bridges string `json:"bridges,omitempty"`
	// Successor is the license of the same instance that begins at the latest on the day after this one ends, and
	// outlives it; "" if there is none.
	Successor string `json:"successor,omitempty"`
	// Retired is set while the instance is out of use.
	Retired bool `json:"retired,omitempty"`
	// Mute is set by sales to stop reminders.
	Mute Mute `json:"mute,omitzero"`
	// Revoked is when the license was revoked or replaced; zero: it was not.
	Revoked       time.Time `json:"revoked,omitzero"`
	RevokedReason string    `json:"revokedReason,omitempty"`
	ReplacedBy    string    `json:"replacedBy,omitempty"` // the ID of the license that replaces it
}

// Mute stops the reminders of a license. The zero Mute stops none.
type Mute struct {
	By     string    `json:"by"` // the operator's email address
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Until  Date      `json:"until,omitzero"` // the last day without reminders, UTC; zero: they do not come back
}

// On reports whether reminders are stopped on a day.
func (m Mute) On(day Date) bool { return m != Mute{} && (m.Until.IsZero() || !day.After(m.Until)) }

// Contact is a person to write to.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

// Follows reports whether a license of type t may succeed one of type old: the same type, or production after an
// evaluation.
func (t Type) Follows(old Type) bool {
	return t == old || old == Evaluation && t == Production
}
