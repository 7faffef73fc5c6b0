package site

import (
	"net/url"
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
	About     aboutView
	ID, Token string
	Type      web.Field
	Server    web.Field
	Mirrors   web.Field
	Edition   web.Field
	MaxLoc    web.Field
	Languages web.Field
	Extra     bool // the languages are to be seen: one is ticked, or wrong
	Support   web.Field
	Term      []web.Field
	Customer  []web.Field
	Staging   web.Field // without Options: there is none to renew along
	Version   web.Field
	Tailored  web.Field // without Options: no packages are tailored here
	web.Marked
}

// newWizardView makes the wizard's form with what was typed.
func newWizardView(c *catalog.Catalog, staging []generator.Candidate, packages bool, f generator.Form) *wizardView {
	v := &wizardView{ID: f.ID, Token: f.Token}
	v.Type = web.Field{Name: "type", Label: "Type", Type: "radio", Value: f.Type, Required: true, Options: []web.Option{
		{Value: string(license.Evaluation), Label: "Evaluation", Hint: "to try the edition out"},
		{Value: string(license.Production), Label: "Production"},
		{Value: string(license.Staging), Label: "Staging", Hint: "a second server that mirrors production"},
	}}
	v.Server = web.Field{Name: "serverId", Label: "Server ID", Value: f.Server, Required: true, Class: "wide code", Hint: "The license works on no other server."}
	v.Mirrors = web.Field{Name: "mirrors", Label: "Production license or server", Value: f.Mirrors, Optional: true, Class: "wide code",
		Hint: "For a staging license: the ID of the production license that it stands beside, or of its server."}
	v.Edition = web.Field{Name: "edition", Label: "Edition", Type: "radio", Value: f.Edition, Required: true}
	for _, e := range license.Editions {
		v.Edition.Options = append(v.Edition.Options, web.Option{Value: string(e), Label: e.Name()})
	}
	v.MaxLoc = web.Field{Name: "maxLoc", Label: "Maximum lines of code", Type: "select", Value: f.MaxLoc, Required: true, Options: []web.Option{{Label: "Choose"}}}
	for _, n := range c.LOCThresholds {
		v.MaxLoc.Options = append(v.MaxLoc.Options, web.Option{Value: strconv.FormatInt(n, 10), Label: license.Lines(n)})
	}
	v.Languages, v.Extra = extraLanguages(c, f.Languages), len(f.Languages) > 0
	v.Support = web.Field{Name: "support", Label: "Support", Type: "boxes", Options: []web.Option{
		{Value: "yes", Label: "Support is included", Ticked: f.Support == "yes"},
	}}
	v.Term = []web.Field{
		{Name: "notBefore", Label: "First day", Type: "date", Value: f.NotBefore, Required: true, Hint: "From 00:00:00 UTC on."},
		{Name: "expiration", Label: "Last day", Type: "date", Value: f.Expiration, Required: true, Hint: "Through 23:59:59 UTC."},
	}
	v.Customer = []web.Field{
		{Name: "organization", Label: "Organization", Value: f.Organization, Required: true, Class: "wide", Hint: "As it stands in the key."},
		{Name: "name", Label: "Name", Value: f.Name, Optional: true},
		{Name: "email", Label: "E-mail", Value: f.Email, Type: "email", Required: true, Hint: "The key goes to this address."},
		{Name: "contacts", Label: "Further contacts", Value: f.Contacts, Optional: true, Type: "textarea", Rows: 2, Class: "wide",
			Hint: "Up to five e-mail addresses, one per line, for reminders that the first address cannot get."},
	}
	v.Staging = stagingChoices(staging, f.Staging)
	v.Version = web.Field{Name: "productVersion", Label: "Version of the product", Type: "select", Value: f.ProductVersion, Options: []web.Option{{Label: "Not known"}},
		Hint: "The mail links the package for it."}
	for _, version := range slices.Backward(c.Versions) {
		v.Version.Options = append(v.Version.Options, web.Option{Value: version.Version, Label: version.Version})
	}
	v.Tailored = web.Field{Name: "tailored", Label: "A package of its own", Type: "boxes"}
	if packages {
		v.Tailored.Options = []web.Option{{Value: "yes", Label: "Build one package with all plugins of this license",
			Hint: "for languages beyond the edition, which the edition's package lacks", Ticked: f.Tailored == "yes"}}
	}
	return v
}

// extraLanguages are those that a plugin brings, with the editions that have them anyway.
func extraLanguages(c *catalog.Catalog, chosen []string) web.Field {
	list := web.Field{Name: "languages", Type: "boxes", Optional: true, Class: "many", Label: "Which", Hint: "Those that the edition has are in it anyway."}
	for _, l := range c.Languages {
		if l.Plugin == "" {
			continue
		}
		var in []string
		for _, e := range license.Editions {
			if offered, ok := c.Edition(string(e)); ok && slices.Contains(offered.Languages, l.Key) {
				in = append(in, shortEdition(e))
			}
		}
		hint := ""
		if len(in) > 0 {
			hint = "in " + strings.Join(in, ", ")
		}
		list.Options = append(list.Options, web.Option{Value: l.Key, Label: l.Name, Hint: hint, Ticked: slices.Contains(chosen, l.Key)})
	}
	return list
}

// stagingChoices are the staging licenses that can be renewed along.
func stagingChoices(staging []generator.Candidate, chosen []string) web.Field {
	list := web.Field{Name: "staging", Type: "boxes", Optional: true, Label: "Renew staging licenses together", Hint: "They get the same terms, each for its own server, in the same mail."}
	for _, c := range staging {
		hint := "through " + c.License.Expiration.Long()
		if !c.Chosen {
			hint += "; nobody noted which server it mirrors"
		}
		list.Options = append(list.Options, web.Option{
			Value: c.License.ID, Label: string(c.License.Server), Hint: hint, Ticked: slices.Contains(chosen, c.License.ID),
		})
	}
	return list
}

// fields are those of the page, in its order.
func (v *wizardView) fields() []*web.Field {
	list := []*web.Field{&v.Type, &v.Server, &v.Mirrors, &v.Edition, &v.MaxLoc, &v.Languages}
	for i := range v.Term {
		list = append(list, &v.Term[i])
	}
	list = append(list, &v.Support)
	for i := range v.Customer {
		list = append(list, &v.Customer[i])
	}
	return append(list, &v.Staging, &v.Version, &v.Tailored)
}

// mark puts errors beside their fields.
func (v *wizardView) mark(bad []fault.Field) {
	v.Marked = web.Mark(bad, v.fields()...)
	v.Extra = v.Extra || v.Languages.Error != ""
}

// generatorForm reads the wizard's form.
func generatorForm(values url.Values) generator.Form {
	return generator.Form{
		ID: values.Get("id"), Token: values.Get("token"), Type: values.Get("type"), Server: values.Get("serverId"),
		Organization: values.Get("organization"), Edition: values.Get("edition"), MaxLoc: values.Get("maxLoc"),
		Languages: values["languages"], Support: values.Get("support"), NotBefore: values.Get("notBefore"),
		Expiration: values.Get("expiration"), Name: values.Get("name"), Email: values.Get("email"), Contacts: values.Get("contacts"),
		Mirrors: values.Get("mirrors"), Staging: values["staging"], ProductVersion: values.Get("productVersion"), Tailored: values.Get("tailored"),
	}
}

// hiddenField carries what was typed through a page that does not ask for it.
type hiddenField struct{ Name, Value string }

// hiddenFields are the whole form; generatorForm reads them back.
func hiddenFields(f generator.Form) (list []hiddenField) {
	for _, field := range []struct {
		name   string
		values []string
	}{
		{"id", []string{f.ID}}, {"token", []string{f.Token}}, {"type", []string{f.Type}}, {"serverId", []string{f.Server}},
		{"organization", []string{f.Organization}}, {"edition", []string{f.Edition}}, {"maxLoc", []string{f.MaxLoc}},
		{"languages", f.Languages}, {"support", []string{f.Support}}, {"notBefore", []string{f.NotBefore}},
		{"expiration", []string{f.Expiration}}, {"name", []string{f.Name}}, {"email", []string{f.Email}}, {"contacts", []string{f.Contacts}},
		{"mirrors", []string{f.Mirrors}}, {"staging", f.Staging}, {"productVersion", []string{f.ProductVersion}}, {"tailored", []string{f.Tailored}},
	} {
		for _, value := range field.values {
			list = append(list, hiddenField{field.name, value})
		}
	}
	return list
}
