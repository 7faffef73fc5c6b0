package customer

import (
	"time"

	"marketplace/shared/license"
	"marketplace/shared/reference"
)

// Contract is what a customer bought. Production on other terms has a contract of its own.
type Contract struct {
	ID        string              `json:"id"`
	Customer  string              `json:"customer"`  // the ID of the customer with whom it is kept
	Reference reference.Reference `json:"reference"` // K-…, for people
	Terms
	// Production and Staging are how many instances of each environment it covers.
	Production int          `json:"production"`
	Staging    int          `json:"staging"`
	First      license.Date `json:"first"`
	Last       license.Date `json:"last"`              // through 23:59:59 UTC, like a license
	Renews     string       `json:"renews,omitempty"`  // the ID of the contract that it renews
	Ended      time.Time    `json:"ended,omitzero"`    // when it was ended early, UTC
	EndedBy    string       `json:"endedBy,omitempty"` // a colleague's email address
	// EndedReason is why, such as "unpaid".
	EndedReason string    `json:"endedReason,omitempty"`
	Created     time.Time `json:"created"` // UTC
}

// Terms are what a contract gives to each instance.
type Terms struct {
	Edition   license.Edition `json:"edition"`
	MaxLoc    int64           `json:"maxLoc"`              // largest number of lines of code for each instance
	Languages []string        `json:"languages,omitempty"` // beyond those of the edition
	Support   bool            `json:"support"`
}

// StagingAllowed reports whether the terms allow staging: it needs the Enterprise or Data Center Edition, or support.
func (t Terms) StagingAllowed() bool {
	return t.Support || t.Edition == license.Enterprise || t.Edition == license.DataCenter
}

// Outlives reports whether the contract goes on after one of its licenses, so that the customer has paid for the next
// key.
func (c Contract) Outlives(l license.License) bool {
	return l.Contract == c.ID && c.ID != "" && c.Ended.IsZero() && c.Last.After(l.Expiration)
}

// Active reports whether licenses may be issued under the contract without a confirmation: it was not ended early, and
// its last day has not passed.
func (c Contract) Active(today license.Date) bool { return c.Ended.IsZero() && !today.After(c.Last) }
