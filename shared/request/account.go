package request

import (
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

// Held is what a contact who is signed in asks about: a license on record, and who asks.
type Held struct {
	License        string // its ID
	Edition        license.Edition
	Server         license.Server // the current one
	MaxLoc         int64
	Environment    Environment
	ProductVersion string // last told; "" if unknown
	Name           string // of the contact; "" if unknown
	Email          string // of the contact
	Company        string
	Today          license.Date
}

// HeldForm is a request about a license on record, as a contact who is signed in types it: what is on record need not
// be typed again.
type HeldForm struct {
	Kind      Kind   // Renewal, Upgrade, Replacement or Staging
	Edition   string // of an upgrade
	Server    string // the new one of a replacement; that of the staging server
	OldServer string // of a replacement
	Loc       string // lines of code that the server counts now; "" for unknown
	WantedLoc string // lines of code to license, of a renewal or an upgrade
	Message   string
	// Plans is set for a replacement that is asked for before the server ID changes: Change and Planned take the place
	// of Server and OldServer.
	Plans           bool
	Change, Planned string
}

// Accept returns the details of the request. Its error is an Invalid fault with a sentence for each wrong field.
func (f HeldForm) Accept(h Held) (Details, error) {
	var bad fault.Fields
	d := Details{
		Kind: f.Kind, Edition: h.Edition, Server: h.Server, Replaces: h.License, ProductVersion: h.ProductVersion,
		Name: h.Name, Email: h.Email, Company: h.Company, Message: Form{Message: f.Message}.message(&bad),
	}
	if strings.TrimSpace(f.Loc) != "" {
		d.Loc = Form{Loc: f.Loc}.loc(&bad)
	}
	if f.Plans {
		f.plan(&d, h, &bad)
		return d, bad.Err("The request was not sent. Correct the fields and send it again.")
	}
	switch f.Kind {
	case Renewal, Upgrade:
		d.WantedLoc = f.wanted(d.Loc, &bad)
	case Replacement, Staging:
		server, err := license.ParseServer(f.Server)
		bad.Refuse("serverId", err)
		if d.Server = server; err == nil && server == h.Server && f.Kind == Replacement {
			bad.Add("serverId", "This is the server ID that we have on record. Enter the new one.")
		}
	}
	switch f.Kind {
	case Upgrade:
		f.upgrade(&d, h, &bad)
	case Replacement:
		d.Environment, d.OldServer = h.Environment, OldServer(strings.TrimSpace(f.OldServer))
		if d.OldServer != OldStopped && d.OldServer != OldRunning && d.OldServer != OldLost {
			bad.Add("oldServer", "Choose what happened to the old server.")
		}
	}
	return d, bad.Err("The request was not sent. Correct the fields and send it again.")
}

// plan reads what changes the server ID, and when.
func (f HeldForm) plan(d *Details, h Held, bad *fault.Fields) {
	day, err := ParsePlanned(f.Planned, h.Today)
	bad.Refuse("planned", err)
	if err == nil && day.IsZero() {
		bad.Add("planned", "Enter the day on which you plan it.")
	}
	if d.Change = Change(strings.TrimSpace(f.Change)); !d.Change.Valid() {
		bad.Add("change", "Choose what you plan.")
	}
	d.Planned, d.Before, d.Environment, d.OldServer = day, h.Server, h.Environment, OldRunning
}

// wanted reads the lines of code to license, which have to be chosen.
func (f HeldForm) wanted(counted int64, bad *fault.Fields) int64 {
	n := Form{WantedLoc: f.WantedLoc}.wantedLoc(counted, bad)
	if n == 0 && len(*bad) == 0 {
		bad.Add("wantedLoc", "Select how many lines of code you need.")
	}
	return n
}

// upgrade reads the edition, which has to be larger if the lines of code are not.
func (f HeldForm) upgrade(d *Details, h Held, bad *fault.Fields) {
	d.Edition = license.Edition(strings.TrimSpace(f.Edition))
	size := func(e license.Edition) int { return slices.Index(license.Editions, e) }
	switch {
	case !d.Edition.Valid() || size(d.Edition) < size(h.Edition):
		bad.Add("edition", "Choose the edition that you have, or a larger one.")
	case d.WantedLoc != 0 && d.WantedLoc < h.MaxLoc:
		bad.Add("wantedLoc", "Choose at least the %s lines of code that you have.", license.Lines(h.MaxLoc))
	case d.Edition == h.Edition && d.WantedLoc == h.MaxLoc:
		bad.Add("wantedLoc", "Choose more lines of code, or a larger edition.")
	}
}
