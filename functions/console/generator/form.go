package generator

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/token"
)

// Form is what an operator typed and selected, every field as text. The comments name the page's fields.
type Form struct {
	ID              string   // id: of the license to issue; the same ID is the same issue
	Token           string   // token: the secret part of the custom package's name
	Shown           string   // shown: what the page was filled in for; see Form.Moved
	Customer        string   // customer: an ID, a reference such as C-7K3Q9F, or NewCustomer
	Instance        string   // instance: an ID; "" for a new one
	Contract        string   // contract: UnderContract, RenewContract, ChangeContract, NewContract, or ""
	Type            string   // type
	Server          string   // serverId
	Production      string   // production: of a staging instance, the ID of the production instance that it mirrors
	Organization    string   // organization
	Edition         string   // edition
	MaxLoc          string   // maxLoc
	Languages       []string // languages: keys of those beyond the edition
	Support         string   // support: "yes" or ""
	NotBefore       string   // notBefore: YYYY-MM-DD
	Expiration      string   // expiration: YYYY-MM-DD
	ContractLast    string   // contractLast: last day of a contract that is made or changed; "": that of the license
	ProductionCount string   // productionCount: instances that a contract that is made or changed covers
	StagingCount    string   // stagingCount
	Follow          []string // follow: IDs of the instances that get licenses along with the first one
	To              string   // to: the email address of one of Draft.Recipients, or OtherAddress
	Name            string   // name: of the recipient of the key, with OtherAddress
	Email           string   // email: of the recipient of the key, with OtherAddress
	AddContacts     []string // addContacts: email addresses of Draft.Addresses to make contacts, or AddRecipient
	AddDomain       string   // addDomain: "yes" adds the recipient's mail domain to the customer
	Mute            []string // mute: IDs of evaluations whose reminders end
	ProductVersion  string   // productVersion; "" if unknown
	CustomPackage   string   // tailored: "yes" or ""
}

// Values of Form.To and Form.AddContacts.
const (
	OtherAddress = "other"     // the key goes to Form.Email
	AddRecipient = "recipient" // the recipient becomes a contact
)

// shownFor is what a page with the form is filled in for: the customer, the instance and the contract decide its
// defaults.
func (f Form) shownFor() string {
	return strings.Join([]string{f.Customer, f.Instance, f.Contract}, " ")
}

// Moved reports whether the operator chose another customer, instance or contract than the page was filled in for.
// Then Refresh fills it in anew before it is reviewed.
func (f Form) Moved() bool { return f.Shown != "" && f.Shown != f.shownFor() }

// parse checks every field of the form against the catalog, and reports all wrong fields at once. The license lacks
// what depends on records: see fill. It also sets the draft's product version and the contents of its custom package.
func (d *Draft) parse() (l license.License, bad fault.Fields) {
	f := d.Form
	l.ID, l.Issued = f.ID, d.today
	l.Type = license.Type(strings.TrimSpace(f.Type))
	if !l.Type.Valid() {
		bad.Add("type", "Select Evaluation, Production or Staging.")
	}
	var err error
	l.Server, err = license.ParseServer(f.Server)
	bad.Refuse("serverId", err)
	l.Organization = parseLine(&bad, "organization", "The organization", f.Organization, license.MaxOrganization)
	if l.Organization == "" {
		bad.Add("organization", "Enter the organization.")
	}
	l.Edition = license.Edition(strings.TrimSpace(f.Edition))
	edition, ok := d.Catalog.Edition(string(l.Edition))
	if !ok || !l.Edition.Valid() {
		bad.Add("edition", "Select an edition.")
	}
	l.Features = edition.Features
	l.MaxLoc, err = strconv.ParseInt(strings.TrimSpace(f.MaxLoc), 10, 64)
	if err != nil || !slices.Contains(d.Catalog.LOCThresholds, l.MaxLoc) {
		bad.Add("maxLoc", "Select the maximum lines of code.")
	}
	l.Languages = f.extraLanguages(&bad, d.Catalog, edition)
	l.Support = parseYes(&bad, "support", f.Support)
	f.parseTerm(&bad, &l)
	d.parseRecipient(&bad)
	d.productVersion = strings.TrimSpace(f.ProductVersion)
	if _, ok := d.Catalog.Version(d.productVersion); d.productVersion != "" && !ok {
		bad.Add("productVersion", "No packages exist for this version. Select one from the list.")
	}
	// Without a custom package, a server with the Community Edition has no page for the key (client-contract.md §6).
	community := l.Edition == license.Community && d.CustomPackages() && d.productVersion != ""
	custom := parseYes(&bad, "tailored", f.CustomPackage) || community
	if !validID(f.ID) {
		bad.Add("id", "Part of this form is missing. Start again from the request or the license.")
	}
	if !validToken(f.Token) {
		bad.Add("token", "Part of this form is missing. Start again from the request or the license.")
	}
	l.Plugins, d.extraPlugins = d.Catalog.LicensePlugins(string(l.Edition), l.Languages)
	if custom && len(bad) == 0 {
		l.Packages, d.jars, err = d.customPackage(l)
		bad.Refuse("productVersion", err)
	}
	return l, bad
}

// extraLanguages returns the selected languages that the edition does not include, in the order of the catalog.
func (f Form) extraLanguages(bad *fault.Fields, c *catalog.Catalog, edition catalog.Edition) (keys []string) {
	for _, key := range f.Languages {
		if _, ok := c.Language(key); !ok {
			bad.Add("languages", "Unknown language %s.", input.Quote(key))
		}
	}
	for _, l := range c.Languages {
		if slices.Contains(f.Languages, l.Key) && l.Plugin != "" && !slices.Contains(edition.Languages, l.Key) {
			keys = append(keys, l.Key)
		}
	}
	return keys
}

// parseTerm reads the first and the last day.
func (f Form) parseTerm(bad *fault.Fields, l *license.License) {
	l.NotBefore = parseDay(bad, "notBefore", "Enter the first day.", f.NotBefore)
	l.Expiration = parseDay(bad, "expiration", "Enter the last day.", f.Expiration)
	if !l.NotBefore.IsZero() && !l.Expiration.IsZero() && l.NotBefore.After(l.Expiration) {
		bad.Add("expiration", "The last day is before the first day. Enter a later one.")
	}
}

// parseDay reads a day of the product's lifetime: a year such as 0218 is a slip.
func parseDay(bad *fault.Fields, field, missing, s string) license.Date {
	s = strings.TrimSpace(s)
	if s == "" {
		bad.Add(field, "%s", missing)
		return license.Date{}
	}
	day, err := license.ParseDate(s)
	switch {
	case err != nil:
		bad.Add(field, "%s is not a date. Enter one like 2018-03-31.", input.Quote(s))
		return license.Date{}
	case day.Year < 2000 || day.Year > 2199:
		bad.Add(field, "Enter a year from 2000 to 2199.")
		return license.Date{}
	}
	return day
}

// parseRecipient reads who receives the key.
func (d *Draft) parseRecipient(bad *fault.Fields) {
	if to := d.Form.To; to != OtherAddress && to != "" {
		list := d.Recipients()
		i := slices.IndexFunc(list, func(c license.Contact) bool { return input.SameMailbox(c.Email, to) })
		if i < 0 {
			bad.Add("to", "Select who receives the key.")
			return
		}
		d.To = list[i]
		return
	}
	email, err := input.Email(d.Form.Email)
	bad.Refuse("email", err)
	d.To = license.Contact{Name: parseLine(bad, "name", "The name", d.Form.Name, request.MaxName), Email: email}
}

// maxCount is the largest number of instances that a contract covers.
const maxCount = 10_000

// parseCount reads a number of instances.
func parseCount(bad *fault.Fields, field, s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > maxCount {
		bad.Add(field, "Enter a whole number from 0 to %d.", maxCount)
	}
	return n
}

func parseLine(bad *fault.Fields, field, what, s string, limit int) string {
	s, err := input.Line(field, what, s, limit)
	bad.Refuse(field, err)
	return s
}

func parseYes(bad *fault.Fields, field, s string) bool {
	if s != "" && s != "yes" {
		bad.Add(field, "Part of this form is damaged. Reload the page and try again.")
	}
	return s == "yes"
}

// newID returns a new license ID.
func newID(now time.Time) string { return store.NewID(now) }

// validID reports whether s can be an ID from newID.
func validID(s string) bool {
	_, err := ulid.ParseStrict(s)
	return err == nil && s == strings.ToLower(s)
}

// newToken returns the part of a custom package's name that nobody can guess.
func newToken() string { return strings.ToLower(token.Package.New()) }

var tokenPattern = lazyregexp.New(`^[a-z2-7]{26}$`)

// validToken reports whether s can be a token from newToken.
func validToken(s string) bool { return tokenPattern().MatchString(s) }
