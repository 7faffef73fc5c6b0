package request

import (
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

// RenewalForm is a renewal as the page behind a reminder's link requests it: only what may have changed. Every field is
// text, as typed.
type RenewalForm struct {
	Renewal   string // a Scope
	Loc       string // lines of code that the server counts now; "" for unknown
	WantedLoc string // lines of code to license, of OtherLines
	Message   string
}

// Scope is what a renewal renews a license as.
type Scope string

// Scopes of a renewal. There is no default: a mail scanner that submits the form as it is has chosen nothing.
const (
	SameLines  Scope = "same"
	OtherLines Scope = "other" // another number of lines of code
)

// Accept returns the details of the renewal of a license that a contact requests. Country and version are unknown. Its
// error is an Invalid fault with a sentence for each wrong field.
func (f RenewalForm) Accept(l license.License, by license.Contact) (Details, error) {
	var bad fault.Fields
	d := Details{
		Kind: Renewal, Edition: l.Edition, Server: l.Server, Replaces: l.ID, Name: by.Name, Email: by.Email,
		Company: l.Organization, Message: Form{Message: f.Message}.message(&bad),
	}
	if strings.TrimSpace(f.Loc) != "" {
		d.Loc = Form{Loc: f.Loc}.loc(&bad)
	}
	switch Scope(f.Renewal) {
	case SameLines:
		d.WantedLoc = l.MaxLoc
		if d.Loc > l.MaxLoc {
			bad.Add("renewal", "Your server has more than the %s lines of code that this license allows. "+
				"Choose another number of lines of code.", license.Lines(l.MaxLoc))
		}
	case OtherLines:
		if d.WantedLoc = (Form{WantedLoc: f.WantedLoc}).wantedLoc(d.Loc, &bad); d.WantedLoc == 0 {
			bad.Add("wantedLoc", "Select how many lines of code you need.")
		}
	default:
		bad.Add("renewal", "Choose how to renew the license.")
	}
	return d, bad.Err("The request was not saved. Correct the fields and send it again.")
}

// Counted returns the lines of code of the server as shown to people; "" if nobody said.
func (d Details) Counted() string {
	if d.Loc == 0 {
		return ""
	}
	return license.Lines(d.Loc)
}
