// Package request defines license requests: their kinds and states, the fields that each kind needs, and which values
// are accepted. It knows neither the form (functions/requests/site) nor the storage (shared/store).
package request

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/reference"
)

// Kind is what a customer asks for.
type Kind string

const (
	Evaluation  Kind = "evaluation"
	New         Kind = "new"
	Renewal     Kind = "renewal"
	Upgrade     Kind = "upgrade"     // to a larger edition or more lines of code
	Replacement Kind = "replacement" // the server ID changed or the key is lost
	Staging     Kind = "staging"     // a second key, for a server that mirrors the production one
	// Bridge is a key for a few days until a replacement is issued (Request.Bridges). No form offers it.
	Bridge Kind = "bridge"
)

// Kinds lists every kind that the form offers, in its order.
var Kinds = []Kind{Evaluation, New, Renewal, Upgrade, Replacement, Staging}

// Name returns the kind as shown to people.
func (k Kind) Name() string {
	switch k {
	case Evaluation:
		return "Evaluation license"
	case New:
		return "New license"
	case Renewal:
		return "Renewal"
	case Upgrade:
		return "Upgrade to a larger edition or more lines of code"
	case Replacement:
		return "Replacement, because the server ID changed or the key is lost"
	case Staging:
		return "Staging license"
	case Bridge:
		return "Bridge key until the replacement is issued"
	}
	return string(k)
}

// Valid reports whether k is one of Kinds, so that a form may ask for it.
func (k Kind) Valid() bool { return slices.Contains(Kinds, k) }

// NeedsReplaces reports whether a request of the kind must name the related license or server.
func (k Kind) NeedsReplaces() bool { return k == Replacement }

// UsesReplaces reports whether a request of the kind may name the related license or server.
func (k Kind) UsesReplaces() bool { return k == Replacement || k == Staging }

// Environment is the use of a server.
type Environment string

const (
	ProductionUse Environment = "production"
	StagingUse    Environment = "staging"
)

// OldServer is the state of the server whose license is replaced.
type OldServer string

const (
	OldStopped OldServer = "stopped"
	OldRunning OldServer = "running"
	OldLost    OldServer = "lost"
	OldSame    OldServer = "same" // there is no other server: the key is lost
)

// Name returns the state as shown to people.
func (o OldServer) Name() string {
	switch o {
	case OldStopped:
		return "switched off"
	case OldRunning:
		return "still running"
	case OldLost:
		return "no longer exists"
	case OldSame:
		return "the same server; the key is lost"
	}
	return string(o)
}

// Details are the accepted fields of a request: trimmed, within their limits, and free of control characters (except
// line breaks in Message).
type Details struct {
	Kind           Kind            `json:"kind"`
	Edition        license.Edition `json:"edition"`
	Server         license.Server  `json:"serverId"`
	Loc            int64           `json:"ncloc"`          // lines of code, 0 or more
	ProductVersion string          `json:"productVersion"` // X.Y or X.Y.Z, without a zero patch
	Name           string          `json:"name"`
	Email          string          `json:"email"`
	Company        string          `json:"company"`
	Country        string          `json:"country"`
	Phone          string          `json:"phone,omitempty"`
	Message        string          `json:"message,omitempty"`
	Contacts       []string        `json:"contacts,omitempty"` // further email addresses for reminders
	// Replaces names the license or the server that a replacement is for; of a staging request, the production license
	// or server that it mirrors. It is as somebody typed it: license.ReadReference reads it.
	Replaces    string      `json:"replaces,omitempty"`
	Environment Environment `json:"environment,omitempty"` // of a replacement
	OldServer   OldServer   `json:"oldServer,omitempty"`   // of a replacement

	WantedLoc int64 `json:"wantedLoc,omitempty"` // lines of code to license; 0 leaves the choice to sales

	Change  Change       `json:"change,omitempty"` // of a replacement; "" if the customer did not say
	Planned license.Date `json:"planned,omitzero"` // the day of the change, if the request was filed before it
	// Before is the server ID until a planned change. Server is the same until the customer tells the new one.
	Before license.Server `json:"before,omitempty"`
}

// Wanted returns the lines of code to license as shown to people; "" if the customer did not choose.
func (d Details) Wanted() string {
	if d.WantedLoc == 0 {
		return ""
	}
	return license.Lines(d.WantedLoc)
}

// Fingerprint identifies the details: equal ones have the same, in hexadecimal.
func (d Details) Fingerprint() string {
	data, err := json.Marshal(d)
	if err != nil {
		panic("request: encoding the details: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Request is a recorded license request.
type Request struct {
	ID string `json:"id"`
	// Reference names the request to people. It opens pages of the console only.
	Reference reference.Reference `json:"reference"`
	Token     string              `json:"token"` // opens the customer's status page; secret
	State     State               `json:"state"`
	Created   time.Time           `json:"created"` // UTC
	// Due is when the reply is due, in UTC: one business day (officehours.Hours) after the request was filed,
	// confirmed, first looked at while it was unconfirmed, or resumed after the customer's answer, whichever came last.
	Due time.Time `json:"due"`
	// Zone is the time zone of the customer's browser, an IANA name; "" if unknown. Deadlines are named in it too.
	Zone string `json:"zone,omitempty"`
	Details

	// Unconfirmed marks a request of which nobody has said that the person behind the address sent it, and which no
	// operator has looked at. While it is open, it waits beside the queue; if it is closed for that, it keeps the mark.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Suspicious marks a request that a program may have sent: its form came with the hidden field filled in. It sends
	// no email by itself.
	Suspicious bool `json:"suspicious,omitempty"`
	// Secret confirms the request; only the email to its address has it.
	Secret    string    `json:"secret"`
	Confirmed time.Time `json:"confirmed,omitzero"` // UTC; when the person behind the address said: I sent it
	Link      *Link     `json:"link,omitempty"`     // through which it came; nil: none
	Bound     bool      `json:"bound,omitempty"`    // it asked for no more than Link allows (Link.Binds)
	FiledBy   string    `json:"filedBy,omitempty"`  // the colleague who filed it for the customer; "": the customer
	// Bridges is, of a request for a bridge key, the ID of the replacement request that the key is issued ahead of.
	Bridges string `json:"ahead,omitempty"`
	// Asked is when contacts of the customer were asked whether the request is theirs, and AskedOf their addresses.
	Asked   time.Time `json:"asked,omitzero"` // UTC
	AskedOf []string  `json:"askedOf,omitempty"`
	Answers []Answer  `json:"answers,omitempty"` // of the contacts, the oldest first
	Vouch   *Vouch    `json:"vouch,omitempty"`   // the newest; nil: none

	// Customer and Instance are the IDs of those that the request was linked to, and LinkedBy who did it: an operator's
	// email address, or store.System. All are empty until then; Instance may stay so.
	Customer string `json:"customer,omitempty"`
	Instance string `json:"instance,omitempty"`
	LinkedBy string `json:"linkedBy,omitempty"`

	Reviewer string    `json:"reviewer,omitempty"` // the operator who works on it
	Question string    `json:"question,omitempty"` // what the customer was asked last
	Response *Response `json:"response,omitempty"` // the customer's answer to Question; nil: none
	// Corrections is how often the customer corrected the details.
	Corrections int       `json:"corrections,omitempty"`
	Reason      string    `json:"reason,omitempty"`    // why it was rejected or withdrawn
	Cancelled   bool      `json:"cancelled,omitempty"` // the customer withdrew it
	Licenses    []string  `json:"licenses,omitempty"`  // the IDs of the licenses that were issued for it
	Closed      time.Time `json:"closed,omitzero"`     // UTC; when it was issued, answered, rejected or withdrawn
	// Expires is when a request that ended without a license is deleted (shared/retention); else zero. UTC.
	Expires time.Time `json:"expires,omitzero"`
	// Undo is of the newest rejection or withdrawal by sales; nil if there is none, or it was undone.
	Undo *Undo `json:"undo,omitempty"`

	// FirstAnswer is the first answer as it was given: see Answer.
	FirstAnswer *FirstAnswer `json:"firstAnswer,omitempty"`
	// LateTold is who was told last that it is late, maybe for an earlier deadline: see Summary.ToTell.
	LateTold LateTold `json:"lateTold,omitzero"`

	// Version is the version of the request as it was read. A change names the version that it is based on.
	Version int64 `json:"-"`
}

// AddressConfirmed reports whether the person behind the address is known to have sent the request: they confirmed it,
// or it asked for no more than a link allows that we emailed to that address. Until then anybody may have typed it, and
// our emails name nothing that was typed.
func (r Request) AddressConfirmed() bool {
	return !r.Confirmed.IsZero() || r.Bound
}

// FiledSignedIn reports whether a contact who was signed in filed the request: nobody had to confirm it.
func (r Request) FiledSignedIn() bool { return r.Link != nil && r.Confirmed.Equal(r.Created) }

// AwaitsConfirmation reports whether the request is open and nobody has said yet that the person behind its address
// sent it.
func (r Request) AwaitsConfirmation() bool { return r.State.Open() && !r.AddressConfirmed() }

// EndedWithoutLicense reports whether the request is closed and no license was issued for it.
func (r Request) EndedWithoutLicense() bool {
	return !r.State.Open() && r.State != Issued && len(r.Licenses) == 0
}

// Expired reports whether the request has expired: then it counts as deleted, also while its rows are still there.
func (r Request) Expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// ConfirmDays is how long a request waits for its confirmation before it is closed.
const ConfirmDays = 30

// Late is Summary.Late.
func (r Request) Late(now time.Time) bool { return r.Summary().Late(now) }

// Summary is a request in a list.
type Summary struct {
	ID        string              `json:"id"`
	Reference reference.Reference `json:"reference"`
	Kind      Kind                `json:"kind"`
	State     State               `json:"state"`
	Edition   license.Edition     `json:"edition"`
	Company   string              `json:"company"`
	Server    license.Server      `json:"server"`
	Loc       int64               `json:"loc"`
	Created   time.Time           `json:"created"`
	Due       time.Time           `json:"due"`
	Reviewer  string              `json:"reviewer,omitempty"`

	Unconfirmed bool `json:"unconfirmed,omitempty"` // Request.Unconfirmed, of an open one
	Suspicious  bool `json:"suspicious,omitempty"`  // Request.Suspicious, of one that is Unconfirmed

	LateTold LateTold `json:"lateTold,omitzero"` // of an open one

	Planned license.Date `json:"planned,omitzero"` // Details.Planned, of an open one whose new server ID is not known
}

// Summary returns what a list shows of a request.
func (r Request) Summary() Summary {
	s := Summary{ID: r.ID, Reference: r.Reference, Kind: r.Kind, State: r.State, Edition: r.Edition, Company: r.Company,
		Server: r.Server, Loc: r.Loc, Created: r.Created, Due: r.Due, Reviewer: r.Reviewer}
	if r.State.Open() {
		s.Unconfirmed, s.Suspicious = r.Unconfirmed, r.Suspicious && r.Unconfirmed
		s.LateTold = r.LateTold
		if r.AwaitsServer() {
			s.Planned = r.Planned
		}
	}
	return s
}

// Late reports whether the answer is overdue. A request that waits for its customer is never late, nor is an
// unconfirmed one, for which nothing was promised.
func (s Summary) Late(now time.Time) bool {
	return s.AwaitsReply() && now.After(s.Due)
}

// AwaitsReply reports whether we promised a reply that is still to come.
func (s Summary) AwaitsReply() bool { return s.State.Open() && s.State != Waiting && !s.Unconfirmed }
