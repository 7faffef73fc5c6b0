package request

import (
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
)

// Form is a license request as typed or sent: every field is text. The tags name the fields of the form and the members
// of the JSON.
type Form struct {
	Kind           string `json:"kind"`
	Edition        string `json:"edition"`
	Server         string `json:"serverId"`
	Loc            string `json:"ncloc"`
	WantedLoc      string `json:"wantedLoc"`
	ProductVersion string `json:"productVersion"`
	Name           string `json:"name"`
	Email          string `json:"email"`
	Company        string `json:"company"`
	Country        string `json:"country"`
	Phone          string `json:"phone"`
	Message        string `json:"message"`
	Contacts       string `json:"contacts"`
	Replaces       string `json:"replaces"`
	Environment    string `json:"environment"`
	OldServer      string `json:"oldServer"`
	Change         string `json:"change"`
	Planned        string `json:"planned"` // YYYY-MM-DD
	IdempotencyKey string `json:"idempotencyKey"`
	TimeZone       string `json:"timeZone"` // of the browser; not a part of Details
}

// Limits of the fields, in characters.
const (
	MaxName     = 100
	MaxCompany  = 200
	MaxMessage  = 4000
	MaxContacts = 5 // addresses
	MaxReplaces = 64
	MaxKey      = 200
)

// maxPasted is how much of a text a license is looked for in, in bytes: a key as mail programs mangle it.
const maxPasted = 2 * license.MaxText

// Accept checks every field and returns the details of the request. Its error is an Invalid fault with a sentence for
// each wrong field.
func (f Form) Accept() (Details, error) {
	var bad fault.Fields
	d := Details{
		Kind:           f.kind(&bad),
		Edition:        f.edition(&bad),
		Loc:            f.loc(&bad),
		ProductVersion: f.productVersion(&bad),
		Name:           line(&bad, "name", "name", f.Name, MaxName, required),
		Email:          f.email(&bad),
		Company:        line(&bad, "company", "company", f.Company, MaxCompany, required),
		Country:        f.country(&bad),
		Phone:          f.phone(&bad),
		Message:        f.message(&bad),
		Contacts:       f.contacts(&bad),
	}
	server, err := license.ParseServer(f.Server)
	bad.Refuse("serverId", err)
	d.Server = server
	d.WantedLoc = f.wantedLoc(d.Loc, &bad)
	f.related(&d, &bad)
	line(&bad, "idempotencyKey", "idempotency key", f.IdempotencyKey, MaxKey, optional)
	return d, bad.Err("The request was not saved. Correct the fields and send it again.")
}

func (f Form) kind(bad *fault.Fields) Kind {
	k := Kind(strings.TrimSpace(f.Kind))
	if !k.Valid() {
		names := make([]string, len(Kinds))
		for i, k := range Kinds {
			names[i] = string(k)
		}
		last := len(names) - 1
		bad.Add("kind", "Select what you need: %s or %s.", strings.Join(names[:last], ", "), names[last])
	}
	return k
}

func (f Form) edition(bad *fault.Fields) license.Edition {
	e := license.Edition(strings.TrimSpace(f.Edition))
	switch {
	case e == license.Community:
		bad.Add("edition", "The Community Edition needs no license. Choose developer, enterprise or datacenter.")
	case !e.Valid():
		bad.Add("edition", "Choose developer, enterprise or datacenter.")
	}
	return e
}

func (f Form) country(bad *fault.Fields) string {
	c, err := input.ParseCountry(f.Country)
	bad.Refuse("country", err)
	return c.Name
}

// maxGrouped is more than a grouped number needs, in bytes.
const maxGrouped = 100

// grouped matches a number with thousands separators, as people copy it from pages: 120,000 or 120'000 or 120 000.
var grouped = lazyregexp.New(`^\d{1,3}([ ,'’.\x{a0}\x{2009}\x{202f}]\d{3})+$`)

var notDigit = lazyregexp.New(`\D`)

func (f Form) loc(bad *fault.Fields) int64 {
	n, err := ParseTypedLoc(f.Loc)
	bad.Refuse("ncloc", err)
	return n
}

// wantedLoc reads the lines of code to license, which are optional.
func (f Form) wantedLoc(counted int64, bad *fault.Fields) int64 {
	if strings.TrimSpace(input.StripInvisible(f.WantedLoc)) == "" {
		return 0
	}
	n, err := ParseTypedLoc(f.WantedLoc)
	bad.Refuse("wantedLoc", err)
	if err == nil && n != 0 && n < counted {
		bad.Add("wantedLoc", "Choose at least the %s lines of code that your server has.", license.Lines(counted))
	}
	return n
}

// ParseTypedLoc is ParseLoc for typed text: it allows surrounding spaces and thousands separators.
func ParseTypedLoc(s string) (int64, error) {
	s = strings.TrimSpace(input.StripInvisible(s))
	if len(s) < maxGrouped && grouped().MatchString(s) {
		s = notDigit().ReplaceAllString(s, "")
	}
	return ParseLoc(s)
}

// ParseLoc reads a number of lines of code as the client writes it: a decimal 64-bit integer, not negative
// (client-contract.md §3). Its errors are Invalid faults with a sentence.
func ParseLoc(s string) (int64, error) {
	if s == "" {
		return 0, fault.New(fault.Invalid, "Enter the lines of code, for example 120000.")
	}
	if notDigit().MatchString(s) {
		return 0, fault.New(fault.Invalid, "Enter the lines of code as a whole number, for example 120000.")
	}
	n, err := strconv.ParseInt("0"+strings.TrimLeft(s, "0"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid,
			"The number of lines of code is too large. Enter the number that your server shows.")
	}
	return n, nil
}

// version finds the first X.Y or X.Y.Z in what people copy from a page, such as "Version 6.7.1 (build 35068) - LGPL
// v3". A third number of more than three digits is a build.
var version = lazyregexp.New(`(?:^|[^0-9.])([0-9]{1,3})\.([0-9]{1,3})(?:\.([0-9]+))?(?:[^0-9]|$)`)

// maxVersion is how much of a text a version is looked for in, in bytes.
const maxVersion = 200

func (f Form) productVersion(bad *fault.Fields) string {
	v, err := ParseVersion(f.ProductVersion)
	bad.Refuse("productVersion", err)
	return v
}

// ParseVersion finds the version of the product in what was typed or pasted, and returns it as X.Y or X.Y.Z, a zero
// patch left out. What it refuses is an Invalid fault.
func ParseVersion(s string) (string, error) {
	s = strings.TrimSpace(input.StripInvisible(s))
	if s == "" {
		return "", fault.New(fault.Invalid, "Enter the version that your server runs, for example 6.7.1.")
	}
	n := numbers(s)
	if n == nil || len(s) > maxVersion {
		return "", fault.New(fault.Invalid, "Enter a version such as 6.7.1.")
	}
	if slices.Compare(n, numbers(license.FirstVersion)) < 0 {
		return "", fault.New(fault.Invalid, "Licenses need version %s or later. Upgrade the server first.",
			license.FirstVersion)
	}
	v := strconv.Itoa(n[0]) + "." + strconv.Itoa(n[1])
	if n[2] != 0 {
		v += "." + strconv.Itoa(n[2])
	}
	return v, nil
}

// numbers returns the three numbers of a product version; nil if it is not one.
func numbers(s string) []int {
	m := version().FindStringSubmatch(s)
	if m == nil {
		return nil
	}
	n := make([]int, 3)
	for i := range n {
		if len(m[i+1]) <= 3 { // a longer one is the build
			n[i], _ = strconv.Atoi(m[i+1]) // a missing patch is 0
		}
	}
	return n
}

func (f Form) phone(bad *fault.Fields) string {
	s, err := input.Phone(f.Phone)
	bad.Refuse("phone", err)
	return s
}

func (f Form) email(bad *fault.Fields) string {
	address, err := input.Email(f.Email)
	bad.Refuse("email", err)
	return address
}

func (f Form) message(bad *fault.Fields) string {
	s, err := input.Block("message", "Your message", f.Message, MaxMessage)
	bad.Refuse("message", err)
	return s
}

func (f Form) contacts(bad *fault.Fields) (list []string) {
	typed := input.Emails(f.Contacts)
	if len(typed) > 2*MaxContacts {
		bad.Add("contacts", "Enter at most %d further contacts.", MaxContacts)
		return nil
	}
	known := map[string]bool{}
	for _, s := range typed {
		address, err := input.Email(s)
		if err != nil {
			bad.Refuse("contacts", err)
			continue
		}
		if mailbox := input.Mailbox(address); !known[mailbox] {
			known[mailbox] = true
			list = append(list, address)
		}
	}
	if len(list) > MaxContacts {
		bad.Add("contacts", "Enter at most %d further contacts.", MaxContacts)
	}
	return list
}

// related reads the fields about the related license or server.
func (f Form) related(d *Details, bad *fault.Fields) {
	replaces, err := ParseReplaces(f.Replaces)
	d.Replaces = replaces
	if d.Kind.UsesReplaces() {
		bad.Refuse("replaces", err)
	}
	d.Environment = Environment(strings.TrimSpace(f.Environment))
	d.OldServer = OldServer(strings.TrimSpace(f.OldServer))
	if d.Environment != "" && d.Environment != ProductionUse && d.Environment != StagingUse {
		bad.Add("environment", "Choose production or staging.")
	}
	if d.OldServer != "" && d.OldServer != OldStopped && d.OldServer != OldRunning && d.OldServer != OldLost &&
		d.OldServer != OldSame {
		bad.Add("oldServer", "Choose stopped, running, lost or same.")
	}
	f.plan(d, bad)
	switch d.Kind {
	case Replacement:
		if d.Replaces == "" {
			bad.Add("replaces", "Enter the ID of the license to replace, or the old server ID.")
		}
		if d.Environment == "" {
			bad.Add("environment", "Choose what the server is used for: production or staging.")
		}
		if d.OldServer == "" {
			bad.Add("oldServer", "Choose what happened to the old server: stopped, running, lost, or same if only the "+
				"key is lost.")
		}
	case Staging:
		if d.Edition == license.Developer && d.Replaces == "" {
			bad.Add("replaces",
				"For the Developer Edition, a staging license needs a production license with support. "+
					"Enter the ID of that license or of its server.")
		}
	default:
		d.Environment, d.OldServer = "", ""
	}
}

// ParseReplaces reads what a request is related to: the ID of a license or of a server with whatever is around it, or a
// pasted key. A short line stays as it was typed. Of any other text only what it names stays, as license.ReadReference
// reads it; an Invalid fault if it names nothing.
func ParseReplaces(s string) (string, error) {
	typed, err := input.Line("replaces", "The license or server ID", s, MaxReplaces)
	if err == nil {
		return typed, nil
	}
	if len(s) <= maxPasted {
		if named := license.ReadReference(s).Text(); named != "" {
			return named, nil
		}
	}
	return "", fault.New(fault.Invalid, "This text names no license or server that we can read. "+
		"Enter only the license ID or the server ID, for example AWHW8w9JtzBzSrmf9GQX.")
}

type need bool

const (
	required need = true
	optional need = false
)

// line reads one line of text; its errors call it "your" noun.
func line(bad *fault.Fields, field, noun, s string, limit int, n need) string {
	s, err := input.Line(field, "Your "+noun, s, limit)
	switch {
	case err != nil:
		bad.Refuse(field, err)
	case s == "" && n == required:
		bad.Add(field, "Enter your %s.", noun)
	}
	return s
}
