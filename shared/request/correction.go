package request

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

// What the customer of an open request can do to it: answer our question, correct it, cancel it.

// Response is what a customer answered to our question.
type Response struct {
	By   string    `json:"by"` // the address that the answer is known to come from; "" for the request's link
	At   time.Time `json:"at"` // UTC
	Text string    `json:"text"`
}

// ParseResponse reads the answer to a question as it was typed. What it refuses is an Invalid fault for the field
// "response".
func ParseResponse(typed string) (string, error) {
	var bad fault.Fields
	text := Form{Message: typed}.message(&bad)
	for i := range bad {
		bad[i].Name = "response"
	}
	if strings.TrimSpace(text) == "" && len(bad) == 0 {
		bad.Add("response", "Enter your answer.")
	}
	return text, bad.Err("The answer was not sent. Correct it and send it again.")
}

// MaxCorrections is how often a customer can correct a request: each correction may be an email to sales.
const MaxCorrections = 10

// CorrectionForm is what a customer can correct in a request, as typed. Another kind or edition is another request.
type CorrectionForm struct {
	Server         string // not read unless Request.ServerCorrectable
	Loc            string
	WantedLoc      string
	ProductVersion string
	Phone          string
	Message        string
}

// CorrectionOf returns the form of a request as it is.
func CorrectionOf(r Request) CorrectionForm {
	f := CorrectionForm{Server: string(r.Server), ProductVersion: r.ProductVersion, Phone: r.Phone, Message: r.Message}
	if r.Loc != 0 || r.ProductVersion != "" { // a renewal may have neither
		f.Loc = strconv.FormatInt(r.Loc, 10)
	}
	if r.WantedLoc != 0 {
		f.WantedLoc = strconv.FormatInt(r.WantedLoc, 10)
	}
	return f
}

// ServerCorrectable reports whether the customer can correct the server ID: it was typed, and is not that of the
// license that the request continues.
func (r Request) ServerCorrectable() bool {
	return !r.Bound && (r.Link == nil || r.Kind != Renewal && r.Kind != Upgrade)
}

// Accept returns the details of a request with the corrections. What the request did not say may stay blank. Its error
// is an Invalid fault with a sentence for each wrong field.
func (f CorrectionForm) Accept(r Request) (Details, error) {
	var bad fault.Fields
	d, was := r.Details, CorrectionOf(r)
	d.Contacts = slices.Clone(d.Contacts)
	if r.ServerCorrectable() && f.Server != was.Server {
		server, err := license.ParseServer(f.Server)
		bad.Refuse("serverId", err)
		d.Server = server
	}
	typed := Form{Loc: f.Loc, WantedLoc: f.WantedLoc, ProductVersion: f.ProductVersion, Phone: f.Phone,
		Message: f.Message}
	if f.Loc != "" || was.Loc != "" {
		d.Loc = typed.loc(&bad)
	}
	if f.ProductVersion != "" || was.ProductVersion != "" {
		d.ProductVersion = typed.productVersion(&bad)
	}
	d.WantedLoc = typed.wantedLoc(d.Loc, &bad)
	if d.WantedLoc == 0 && r.WantedLoc != 0 && r.Link != nil && len(bad) == 0 {
		bad.Add("wantedLoc", "Select how many lines of code you need.")
	}
	d.Phone, d.Message = typed.phone(&bad), typed.message(&bad)
	return d, bad.Err("The corrections were not saved. Correct the fields and send them again.")
}
