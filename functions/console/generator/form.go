package generator

import (
	"slices"
	"strconv"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Form is what an operator typed and chose: every field a text. The page's fields bear the names in the comments.
type Form struct {
	ID             string   // id: of the license that will be; the same ID is the same issue
	Token          string   // token: of the package that will be tailored
	Type           string   // type
	Server         string   // serverId
	Organization   string   // organization
	Edition        string   // edition
	MaxLoc         string   // maxLoc
	Languages      []string // languages: keys of those beyond the edition
	Support        string   // support: "yes" or ""
	NotBefore      string   // notBefore: YYYY-MM-DD
	Expiration     string   // expiration: YYYY-MM-DD
	Name           string   // name, of who gets the key
	Email          string   // email, of who gets the key
	Contacts       string   // contacts: further e-mail addresses
	Mirrors        string   // mirrors: of a staging license, the license ID or the server ID of production
	Staging        []string // staging: IDs of staging licenses that are renewed together with a production license
	ProductVersion string   // productVersion; "" is not known
	Tailored       string   // tailored: "yes" for a package of its own
}

// accepted is a form in which nothing is wrong by itself.
type accepted struct {
	license.License // without its ID, plugins, languages and features; the others are as they will be
	languages       []string
	staging         []string
	version         string
	tailored        bool
}

// accept checks every field against the catalog. What is wrong is an Invalid fault with a sentence for each field, all at
// once.
func (f Form) accept(c *catalog.Catalog) (a accepted, bad fault.Fields) {
	a.Type = license.Type(strings.TrimSpace(f.Type))
	if !a.Type.Valid() {
		bad.Add("type", "Choose Evaluation, Production or Staging.")
	}
	var err error
	a.Server, err = license.ParseServer(f.Server)
	bad.Refuse("serverId", err)
	a.Organization = f.line(&bad, "organization", "The organization", f.Organization, license.MaxOrganization)
	if a.Organization == "" {
		bad.Add("organization", "The organization is missing.")
	}
	a.Edition = license.Edition(strings.TrimSpace(f.Edition))
	if _, ok := c.Edition(string(a.Edition)); !ok || !a.Edition.Valid() {
		bad.Add("edition", "Choose an edition.")
	}
	if a.MaxLoc, err = strconv.ParseInt(strings.TrimSpace(f.MaxLoc), 10, 64); err != nil || !slices.Contains(c.LOCThresholds, a.MaxLoc) {
		bad.Add("maxLoc", "Choose how many lines of code the license allows.")
	}
	a.languages = f.chosenLanguages(&bad, c, a.Edition)
	a.Support = chosen(&bad, "support", f.Support)
	f.term(&bad, &a.License)
	a.License.Contacts = f.people(&bad)
	a.staging = f.Staging
	a.version = strings.TrimSpace(f.ProductVersion)
	if _, ok := c.Version(a.version); a.version != "" && !ok {
		bad.Add("productVersion", "There are no packages for this version. Choose one of the list.")
	}
	a.tailored = chosen(&bad, "tailored", f.Tailored)
	if !validID(f.ID) {
		bad.Add("id", "The form has lost its number. Begin again from the request or the license.")
	}
	if !validToken(f.Token) {
		bad.Add("token", "The form has lost the name of its package. Begin again from the request or the license.")
	}
	return a, bad
}

// chosenLanguages are the languages beyond the edition, in the order of the catalog. One that the edition has anyway is left out.
func (f Form) chosenLanguages(bad *fault.Fields, c *catalog.Catalog, edition license.Edition) (keys []string) {
	for _, key := range f.Languages {
		if _, ok := c.Language(key); !ok {
			bad.Add("languages", "There is no language %s.", input.Quote(key))
		}
	}
	e, _ := c.Edition(string(edition))
	for _, l := range c.Languages {
		if slices.Contains(f.Languages, l.Key) && l.Plugin != "" && !slices.Contains(e.Languages, l.Key) {
			keys = append(keys, l.Key)
		}
	}
	return keys
}

// term takes the first and the last day.
func (f Form) term(bad *fault.Fields, l *license.License) {
	var err error
	if f.NotBefore = strings.TrimSpace(f.NotBefore); f.NotBefore == "" {
		bad.Add("notBefore", "The first day is missing.")
	} else {
		l.NotBefore, err = parseDay(f.NotBefore)
		bad.Refuse("notBefore", err)
	}
	if f.Expiration = strings.TrimSpace(f.Expiration); f.Expiration == "" {
		bad.Add("expiration", "The last day is missing.")
	} else {
		l.Expiration, err = parseDay(f.Expiration)
		bad.Refuse("expiration", err)
	}
	if !l.NotBefore.IsZero() && !l.Expiration.IsZero() && l.NotBefore.After(l.Expiration) {
		bad.Add("expiration", "The last day is before the first: the license would never be valid.")
	}
}

// parseDay takes a day of this product's life; a year of three digits is a slip of the hand.
func parseDay(s string) (license.Date, error) {
	d, err := license.ParseDate(s)
	switch {
	case err != nil:
		return d, fault.New(fault.Invalid, "%s is not a day. One looks like 2018-03-31.", input.Quote(s))
	case d.Year < 2000 || d.Year > 2199:
		return license.Date{}, fault.New(fault.Invalid, "The year %d is none that a license can have.", d.Year)
	}
	return d, nil
}

// people are whom to write to: first who gets the key.
func (f Form) people(bad *fault.Fields) []license.Contact {
	email, err := input.Email(f.Email)
	bad.Refuse("email", err)
	list := []license.Contact{{Name: f.line(bad, "name", "The name", f.Name, request.MaxName), Email: email}}
	for _, s := range input.Fields(f.Contacts) {
		email, err := input.Email(s)
		if err != nil {
			bad.Refuse("contacts", err)
			continue
		}
		if !slices.ContainsFunc(list, func(have license.Contact) bool { return strings.EqualFold(have.Email, email) }) {
			list = append(list, license.Contact{Email: email})
		}
	}
	if len(list) > 1+request.MaxContacts {
		bad.Add("contacts", "At most %d further contacts.", request.MaxContacts)
	}
	return list
}

func (f Form) line(bad *fault.Fields, field, what, s string, limit int) string {
	s, err := input.Line(s, what, limit)
	bad.Refuse(field, err)
	return s
}

func chosen(bad *fault.Fields, field, s string) bool {
	if s != "" && s != "yes" {
		bad.Add(field, "Choose yes, or leave it.")
	}
	return s == "yes"
}
