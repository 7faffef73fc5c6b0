package site

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"marketplace/catalog"
	"marketplace/functions/console/generator"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// wizardView is the data of the wizard's form.
type wizardView struct {
	About         aboutView
	ID, Token     string
	Type          web.Field
	Server        web.Field
	Mirrors       web.Field
	Edition       web.Field
	MaxLoc        web.Field
	Languages     web.Field
	Extra         bool // show the languages: one is selected or wrong
	Support       web.Field
	Term          []web.Field
	Customer      []web.Field
	Staging       web.Field // without Options: no staging license can be renewed together
	Version       web.Field
	CustomPackage web.Field // without Options: custom packages are not available
	web.Marked
}

// newWizardView returns the wizard's form with what was typed.
func newWizardView(d *generator.Draft, staging []generator.StagingLicense) *wizardView {
	f, c := d.Form, d.Catalog
	v := &wizardView{ID: f.ID, Token: f.Token}
	v.Type = web.Field{Name: "type", Label: "Type", Type: "radio", Value: f.Type, Required: true, Options: []web.Option{
		{Value: string(license.Evaluation), Label: "Evaluation", Hint: "to try out the edition"},
		{Value: string(license.Production), Label: "Production"},
		{Value: string(license.Staging), Label: "Staging", Hint: "for a second server that mirrors production"},
	}}
	v.Server = web.Field{Name: "serverId", Label: "Server ID", Value: f.Server, Required: true, Class: "wide code",
		Hint: "The license works only on this server."}
	v.Mirrors = web.Field{Name: "mirrors", Label: "Production server or license", Value: f.Mirrors, Optional: true,
		Class: "wide code", Hint: "For a staging license: the ID of its production license or production server."}
	v.Edition = web.Field{Name: "edition", Label: "Edition", Type: "radio", Value: f.Edition, Required: true}
	for _, e := range license.Editions {
		v.Edition.Options = append(v.Edition.Options, web.Option{Value: string(e), Label: e.Name()})
	}
	v.MaxLoc = web.Field{Name: "maxLoc", Label: "Maximum lines of code", Type: "select", Value: f.MaxLoc,
		Required: true, Options: []web.Option{{Label: "Select"}}}
	for _, n := range c.LOCThresholds {
		v.MaxLoc.Options = append(v.MaxLoc.Options,
			web.Option{Value: strconv.FormatInt(n, 10), Label: license.Lines(n)})
	}
	v.Languages, v.Extra = languageField(c, f.Languages), len(f.Languages) > 0
	v.Support = web.Field{Name: "support", Label: "Support", Type: "boxes", Options: []web.Option{
		{Value: "yes", Label: "Includes support", Ticked: f.Support == "yes"},
	}}
	v.Term = []web.Field{
		{Name: "notBefore", Label: "First day", Type: "date", Value: f.NotBefore, Required: true,
			Hint: "From 00:00:00 UTC."},
		{Name: "expiration", Label: "Last day", Type: "date", Value: f.Expiration, Required: true,
			Hint: "Through 23:59:59 UTC."},
	}
	v.Customer = []web.Field{
		{Name: "organization", Label: "Organization", Value: f.Organization, Required: true, Class: "wide",
			Hint: "As written in the key."},
		{Name: "name", Label: "Name", Value: f.Name, Optional: true, Hint: "Used in the email's greeting."},
		{Name: "email", Label: "Email", Value: f.Email, Type: "email", Required: true,
			Hint: "We send the key to this address."},
		{Name: "contacts", Label: "Further contacts", Value: f.Contacts, Optional: true, Type: "textarea", Rows: 2,
			Class: "wide",
			Hint: "Up to five addresses, one per line. " +
				"We send reminders to them if the address above cannot be reached."},
	}
	v.Staging = stagingField(staging, f.Staging)
	v.Version = web.Field{Name: "productVersion", Label: "Product version", Type: "select", Value: f.ProductVersion,
		Options: []web.Option{{Label: "Unknown"}}, Hint: "The email links to the package for this version."}
	for _, version := range slices.Backward(c.Versions) {
		v.Version.Options = append(v.Version.Options, web.Option{Value: version.Version, Label: version.Version})
	}
	v.CustomPackage = web.Field{Name: "tailored", Label: "Custom package", Type: "boxes"}
	if d.CustomPackages() {
		v.CustomPackage.Options = []web.Option{{
			Value: "yes", Label: "Build a package with all plugins of this license", Ticked: f.CustomPackage == "yes",
			Hint: "Needed for additional languages: the edition's own package lacks their plugins.",
		}}
	}
	return v
}

// languageField offers the languages that need a plugin, each with the editions that include it.
func languageField(c *catalog.Catalog, selected []string) web.Field {
	list := web.Field{Name: "languages", Type: "boxes", Optional: true, Class: "many", Label: "Languages",
		Hint: "Languages of the edition are always included."}
	for _, l := range c.Languages {
		if l.Plugin == "" {
			continue
		}
		var in []string
		for _, e := range license.Editions {
			if edition, ok := c.Edition(string(e)); ok && slices.Contains(edition.Languages, l.Key) {
				in = append(in, shortEdition(e))
			}
		}
		hint := ""
		if len(in) > 0 {
			hint = "in " + strings.Join(in, ", ")
		}
		list.Options = append(list.Options, web.Option{
			Value: l.Key, Label: l.Name, Hint: hint, Ticked: slices.Contains(selected, l.Key),
		})
	}
	return list
}

// stagingField offers the staging licenses that can be renewed together.
func stagingField(staging []generator.StagingLicense, selected []string) web.Field {
	list := web.Field{Name: "staging", Type: "boxes", Optional: true, Label: "Also renew these staging licenses",
		Hint: "Each gets the same terms for its own server. All keys go in one email."}
	for _, s := range staging {
		hint := "valid through " + s.License.Expiration.Long()
		if !s.Mirrored {
			hint += "; production server unknown"
		}
		list.Options = append(list.Options, web.Option{
			Value: s.License.ID, Label: string(s.License.Server), Hint: hint,
			Ticked: slices.Contains(selected, s.License.ID),
		})
	}
	return list
}

// fields returns the fields in the order of the page.
func (v *wizardView) fields() []*web.Field {
	list := []*web.Field{&v.Type, &v.Server, &v.Mirrors, &v.Edition, &v.MaxLoc, &v.Languages}
	for i := range v.Term {
		list = append(list, &v.Term[i])
	}
	list = append(list, &v.Support)
	for i := range v.Customer {
		list = append(list, &v.Customer[i])
	}
	return append(list, &v.Staging, &v.Version, &v.CustomPackage)
}

// mark shows errors beside their fields.
func (v *wizardView) mark(bad []fault.Field) {
	v.Marked = web.Mark(bad, v.fields()...)
	v.Extra = v.Extra || v.Languages.Error != ""
}

// readWizardForm reads the wizard's form: the step that its button asks for, what was typed, and what was confirmed.
func readWizardForm(r *http.Request) (step string, f generator.Form, c generator.Confirmation, err error) {
	values, err := web.ReadForm(r)
	if err != nil {
		return "", f, c, err
	}
	f = generator.Form{
		ID: values.Get("id"), Token: values.Get("token"), Type: values.Get("type"), Server: values.Get("serverId"),
		Organization: values.Get("organization"), Edition: values.Get("edition"), MaxLoc: values.Get("maxLoc"),
		Languages: values["languages"], Support: values.Get("support"),
		NotBefore: values.Get("notBefore"), Expiration: values.Get("expiration"),
		Name: values.Get("name"), Email: values.Get("email"), Contacts: values.Get("contacts"),
		Mirrors: values.Get("mirrors"), Staging: values["staging"],
		ProductVersion: values.Get("productVersion"), CustomPackage: values.Get("tailored"),
	}
	if len(f.Languages) == 0 && f.Edition != string(license.Community) {
		f.CustomPackage = "" // the page no longer shows what was ticked
	}
	c = generator.Confirmation{Digest: values.Get("digest"), By: operator(r)}
	for _, code := range values["confirm"] {
		c.Codes = append(c.Codes, generator.Code(code))
	}
	return values.Get("step"), f, c, nil
}

// hiddenField carries what was typed through a page that does not ask for it.
type hiddenField struct{ Name, Value string }

// hiddenFields returns the whole form; readWizardForm reads it back.
func hiddenFields(f generator.Form) (list []hiddenField) {
	for _, field := range []struct {
		name   string
		values []string
	}{
		{"id", []string{f.ID}}, {"token", []string{f.Token}}, {"type", []string{f.Type}},
		{"serverId", []string{f.Server}},
		{"organization", []string{f.Organization}}, {"edition", []string{f.Edition}}, {"maxLoc", []string{f.MaxLoc}},
		{"languages", f.Languages}, {"support", []string{f.Support}}, {"notBefore", []string{f.NotBefore}},
		{"expiration", []string{f.Expiration}}, {"name", []string{f.Name}}, {"email", []string{f.Email}},
		{"contacts", []string{f.Contacts}}, {"mirrors", []string{f.Mirrors}}, {"staging", f.Staging},
		{"productVersion", []string{f.ProductVersion}}, {"tailored", []string{f.CustomPackage}},
	} {
		for _, value := range field.values {
			list = append(list, hiddenField{field.name, value})
		}
	}
	return list
}
