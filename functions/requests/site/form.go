package site

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// formView is the data of request.html.
type formView struct {
	Edition        license.Edition
	IdempotencyKey string
	Kind           web.Field
	Related        []web.Field // of a replacement or a staging license
	Server         []web.Field
	Person         []web.Field
	More           []web.Field
	web.Marked
	FromServer bool // the link prefilled details of the server
	Others     []license.Edition
	Query      string // of links: what the visitor's address says about the server
	Link       privateLink
	Sales      string
	Office     officeView
}

// OtherQuery returns the query of links to the forms of other editions.
func (v formView) OtherQuery() string {
	if v.Link.Nonce == "" {
		return v.Query
	}
	return joinQuery(v.Query, v.Link.query())
}

// newFormView fills the form with what was typed and its errors.
func (s *site) newFormView(f request.Form, bad []fault.Field, thresholds []int64) formView {
	edition := license.Edition(f.Edition)
	v := formView{Edition: edition, IdempotencyKey: f.IdempotencyKey}
	for _, e := range license.Editions {
		if e != license.Community && e != edition {
			v.Others = append(v.Others, e)
		}
	}
	v.Kind = web.Field{Name: "kind", Label: "What do you need?", Type: "radio", Options: kindOptions(), Value: f.Kind,
		Required: true}
	v.Related = []web.Field{
		{Name: "replaces", Label: "Your current license", Value: f.Replaces, Class: "wide",
			Hint: "The license ID, the server ID that it was issued for, or the whole license key. For a staging " +
				"license, use those of the production server."},
		{Name: "environment", Label: "What is the server used for?", Type: "radio", Value: f.Environment,
			Class: "for-replacement", Options: []web.Option{
				{Value: string(request.ProductionUse), Label: "Production"},
				{Value: string(request.StagingUse), Label: "Staging", Hint: "A second server that mirrors production"},
			}},
		{Name: "oldServer", Label: "What happened to the old server?", Type: "radio", Value: f.OldServer,
			Class: "for-replacement", Options: []web.Option{
				{Value: string(request.OldStopped), Label: "It is switched off"},
				{Value: string(request.OldRunning), Label: "It is still running"},
				{Value: string(request.OldLost), Label: "It no longer exists"},
				{Value: string(request.OldSame), Label: "It is the same server: the key is lost"},
			}},
	}
	v.Related = slices.Insert(v.Related, 1, plannedFields(f)...)
	if f.Planned != "" { // the old server still runs
		v.Related = slices.DeleteFunc(v.Related, func(field web.Field) bool { return field.Name == "oldServer" })
	}
	v.Server = []web.Field{
		{Name: "serverId", Label: "Server ID", Value: f.Server, Required: true, Class: "wide code",
			Hint: "In " + s.brand.Product + ", under Administration > System. Copy all 14 to 29 characters."},
		{Name: "ncloc", Label: "Lines of code", Value: f.Loc, Required: true, InputMode: "numeric",
			Hint: "Total analysed by the server, for example 120000."},
		{Name: "wantedLoc", Label: "Lines of code to license", Type: "select", Value: f.WantedLoc,
			Options: wantedOptions(thresholds), Hint: "Leave room to grow: a license ends at its limit."},
		{Name: "productVersion", Label: s.brand.Product + " version", Value: f.ProductVersion, Required: true,
			Hint: "At the bottom of every " + s.brand.Product + " page, for example 6.7.1."},
	}
	if server, err := license.ParseServer(f.Server); err == nil && server.ReadsAsDate() {
		v.Server[0].Hint = "This ID is from an old version: " + s.brand.Product +
			" 6.7 and later makes a new one when it starts. " +
			"If your server shows another ID after the upgrade, enter that one."
	}
	v.Person = []web.Field{
		{Name: "name", Label: "Your name", Value: f.Name, Required: true, Autocomplete: "name",
			Hint: "First and last name."},
		{Name: "email", Label: "Work email", Value: f.Email, Required: true, Type: "email", Autocomplete: "email",
			Hint: "We email you a link to confirm the request."},
		{Name: "company", Label: "Company", Value: f.Company, Required: true, Autocomplete: "organization"},
		{Name: "country", Label: "Country", Type: "select", Value: countryName(f.Country), Required: true,
			Autocomplete: "country-name", Options: countryOptions()},
		{Name: "phone", Label: "Phone", Value: f.Phone, Optional: true, Type: "tel", Autocomplete: "tel"},
	}
	v.More = []web.Field{
		{Name: "contacts", Label: "Further contacts", Value: f.Contacts, Optional: true, Type: "textarea", Rows: 2,
			Class: "wide",
			Hint:  "Up to five email addresses, one per line. Our sales team can add them as contacts."},
		{Name: "message", Label: "Message", Value: f.Message, Optional: true, Type: "textarea", Rows: 4, Class: "wide"},
	}
	v.Marked = web.Mark(worded(bad), v.fields()...)
	return v
}

// worded replaces errors that name values of the API, where the choices of the form have other labels.
func worded(bad []fault.Field) []fault.Field {
	bad = slices.Clone(bad)
	for i, f := range bad {
		if f.Name == "oldServer" {
			bad[i].Msg = "Choose what happened to the old server."
		}
	}
	return bad
}

// fields lists the fields of the form in the order of the page.
func (v *formView) fields() []*web.Field {
	list := []*web.Field{&v.Kind}
	for _, group := range [][]web.Field{v.Related, v.Server, v.Person, v.More} {
		for i := range group {
			list = append(list, &group[i])
		}
	}
	return list
}

// wantedOptions lists the lines of code that a license can allow.
func wantedOptions(thresholds []int64) []web.Option {
	options := []web.Option{{Value: "", Label: "The smallest that fits"}}
	for _, n := range thresholds {
		options = append(options, web.Option{Value: strconv.FormatInt(n, 10), Label: license.Lines(n)})
	}
	return options
}

// smallestAbove returns the smallest threshold at or above the lines counted; "" if the lines are unknown or no
// threshold is large enough.
func smallestAbove(counted string, c *catalog.Catalog) string {
	n, err := request.ParseTypedLoc(counted)
	if err != nil {
		return ""
	}
	if t, ok := c.LOCThreshold(n); ok {
		return strconv.FormatInt(t, 10)
	}
	return ""
}

// countryOptions lists all countries by name after an empty choice.
var countryOptions = sync.OnceValue(func() []web.Option {
	options := []web.Option{{Value: "", Label: "Select a country"}}
	for _, c := range input.Countries() {
		options = append(options, web.Option{Value: c.Name, Label: c.Name})
	}
	return options
})

// countryName returns the name of a country that was typed as a code or otherwise.
func countryName(typed string) string {
	if c, err := input.ParseCountry(typed); err == nil {
		return c.Name
	}
	return typed
}

// kindOptions lists the kinds of request with an explanation.
func kindOptions() []web.Option {
	options := make([]web.Option, len(request.Kinds))
	for i, k := range request.Kinds {
		options[i] = web.Option{Value: string(k)}
		options[i].Label, options[i].Hint = kindTexts(k)
	}
	return options
}

func kindTexts(k request.Kind) (label, hint string) {
	switch k {
	case request.Evaluation:
		return "Evaluation", "Try the edition on your own server for 30 days."
	case request.New:
		return "New license", "A first license for this server."
	case request.Renewal:
		return "Renewal", "Extend a license that is about to expire."
	case request.Upgrade:
		return "Upgrade", "A larger edition, or more lines of code."
	case request.Replacement:
		return "Replacement", "The server ID changed or will change, or you lost the key."
	case request.Staging:
		return "Staging", "A second server that mirrors production."
	}
	return k.Name(), ""
}

// honeypot is a field that people do not see. Whoever fills it in is probably a bot: the name is none that autofill
// knows, but password managers have their own ideas, so the request is kept as unconfirmed.
const honeypot = "hp-7c31"

// zoneField is the hidden field into which timezone.js puts the browser's time zone. It is empty without JavaScript.
const (
	zoneField  = "timeZone"
	zoneScript = "timezone.js"
)

// parseForm reads a submitted form. Fields with several values, and an edition other than that of the address, are in
// bad.
func parseForm(values url.Values, edition license.Edition) (f request.Form, bad fault.Fields) {
	take := func(name string) string {
		sent := values[name]
		if len(sent) == 0 {
			return ""
		}
		for _, v := range sent[1:] {
			if v != sent[0] {
				bad.Add(name, "This field was sent more than once with different values. Send one value.")
			}
		}
		return sent[0]
	}
	f = request.Form{
		Kind: take("kind"), Edition: take("edition"), Server: take("serverId"), Loc: take("ncloc"),
		ProductVersion: take("productVersion"), Name: take("name"), Email: take("email"), Company: take("company"),
		Country: take("country"), Phone: take("phone"), Message: take("message"),
		WantedLoc: take("wantedLoc"), Contacts: strings.Join(values["contacts"], "\n"), Replaces: take("replaces"),
		Environment: take("environment"), OldServer: take("oldServer"), IdempotencyKey: take("idempotencyKey"),
		Change: take("change"), Planned: take("planned"),
		TimeZone: values.Get(zoneField),
	}
	if f.Edition != "" && f.Edition != string(edition) {
		bad.Add("edition",
			"The form was for another edition than its address. It now shows the %s: check it and send it again.",
			edition.Name())
	}
	f.Edition = string(edition)
	return f, bad
}
