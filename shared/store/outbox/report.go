package outbox

import (
	"time"

	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Outcome is what the provider reports about a mail.
type Outcome string

// Every Outcome.
const (
	Accepted   Outcome = "accepted"   // the provider has accepted it
	Delivered  Outcome = "delivered"  // the recipient's server took it
	Delayed    Outcome = "delayed"    // the provider is still trying
	Returned   Outcome = "returned"   // it came back for now: it did not arrive, or the recipient is absent
	Bounced    Outcome = "bounced"    // the address does not exist or accepts no mail, and never will
	Complained Outcome = "complained" // the recipient does not want it
	Refused    Outcome = "refused"    // the provider accepted it and did not send it after all
)

// Report is what the provider reported about a mail. The same report may come several times, and reports in any order:
// Mail, ProviderID, Outcome, Status and Recipient tell them apart. Recorded is when we first got it.
type Report struct {
	Mail       string    `json:"mail"`                // the ID of the mail
	Attempt    int       `json:"attempt,omitempty"`   // which of our calls it is about; 0 if unknown
	ProviderID string    `json:"carrierId"`           // the provider's ID of it, another one for each call
	Recipient  string    `json:"recipient,omitempty"` // as the provider knows it: behind an alias, not the mail's
	Outcome    Outcome   `json:"outcome"`
	Status     string    `json:"status,omitempty"` // the status code (RFC 3463), such as 4.4.7; "" if unknown
	Detail     string    `json:"detail,omitempty"` // in the words of the provider or of a server, on one line
	At         time.Time `json:"at,omitzero"`      // when it happened, UTC
	Recorded   time.Time `json:"recorded,omitzero"`
}

// Key is the row of the report. An automatic reply and a bounce after it differ only in their status.
func (r Report) Key() table.Key {
	return rowkey.Report(r.Mail, r.ProviderID, string(r.Outcome)+r.Status, r.Recipient)
}
