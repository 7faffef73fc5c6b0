package site

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"marketplace/catalog"
	"marketplace/functions/console/generator"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// wizardView is the data of the wizard's form.
type wizardView struct {
	About            aboutView
	Record           recordView
	ID, Token, Shown string
	Fixed            string    // the customer, where there is no choice
	Customer         web.Field // without Options: there is no choice
	Reference        web.Field // of another customer than those of Customer
	Instance         web.Field
	Contract         web.Field
	ContractLast     web.Field
	Counts           []web.Field
	Follow           web.Field // without Options: no instance gets a license along with the first one
	Mute             web.Field // without Options: no evaluation is open
	Type             web.Field
	Server           web.Field
	Production       web.Field // without Options: there is no production instance
	Organization     web.Field
	Edition          web.Field
	MaxLoc           web.Field
	Languages        web.Field
	Extra            bool // show the languages: one is selected or wrong
	Support          web.Field
	Term             []web.Field
	To               web.Field // without Options: no address is known
	Other            []web.Field
	Contacts         web.Field // whom to add as contacts
	Domain           web.Field // without Options: there is no domain to add
	Version          web.Field
	CustomPackage    web.Field // without Options: custom packages are not available
	Refreshed        bool      // the form was filled in anew instead of reviewed
	web.Marked
}

// newWizardView returns the wizard's form with what was typed.
func newWizardView(d *generator.Draft, today license.Date) *wizardView {
	f, c := d.Form, d.Catalog
	v := &wizardView{ID: f.ID, Token: f.Token, Shown: f.Shown}
	v.chooseCustomer(d)
	v.Instance = instanceField(d, today)
	v.Contract = contractField(d, today)
	v.ContractLast = web.Field{Name: "contractLast", Label: "Contract ends", Type: "date", Value: f.ContractLast,
		Optional: true, Class: "for-contract"}
	v.Counts = []web.Field{
		{Name: "productionCount", Label: "Production instances", Value: f.ProductionCount, InputMode: "numeric",
			Class: "for-contract"},
		{Name: "stagingCount", Label: "Staging instances", Value: f.StagingCount, InputMode: "numeric",
			Class: "for-contract"},
	}
	v.Follow = followField(d, today)
	v.Mute = muteField(d)
	v.Type = web.Field{Name: "type", Label: "Type", Type: "radio", Value: f.Type, Required: true, Class: "half types",
		Options: []web.Option{
			{Value: string(license.Evaluation), Label: "Evaluation"},
			{Value: string(license.Production), Label: "Production"},
			{Value: string(license.Staging), Label: "Staging"},
		}}
	v.Server = web.Field{Name: "serverId", Label: "Server ID", Value: f.Server, Required: true, Class: "half code",
		Hint: "The license works only on this server."}
	v.Production = productionField(d)
	v.Organization = web.Field{Name: "organization", Label: "Organization", Value: f.Organization, Required: true,
		Class: "half", Hint: "As written in the key."}
	v.Edition = web.Field{Name: "edition", Label: "Edition", Type: "select", Value: f.Edition, Required: true}
	if f.Edition == "" {
		v.Edition.Options = []web.Option{{Label: "Select"}}
	}
	for _, e := range license.Editions {
		v.Edition.Options = append(v.Edition.Options, web.Option{Value: string(e), Label: shortEdition(e)})
	}
	v.MaxLoc = web.Field{Name: "maxLoc", Label: "Lines of code", Type: "select", Value: f.MaxLoc,
		Required: true, Options: []web.Option{{Label: "Select"}}}
	for _, n := range c.LOCThresholds {
		v.MaxLoc.Options = append(v.MaxLoc.Options,
			web.Option{Value: strconv.FormatInt(n, 10), Label: "up to " + license.Lines(n)})
	}
	v.Languages, v.Extra = languageField(c, f.Languages), len(f.Languages) > 0
	v.Support = web.Field{Name: "support", Label: "Support", Type: "boxes", Options: []web.Option{
		{Value: "yes", Label: "Included", Ticked: f.Support == "yes"},
	}}
	v.Term = []web.Field{
		{Name: "notBefore", Label: "First day", Type: "date", Value: f.NotBefore, Required: true},
		{Name: "expiration", Label: "Last day", Type: "date", Value: f.Expiration, Required: true},
	}
	v.addressTo(d)
	v.Version = web.Field{Name: "productVersion", Label: "Product version", Type: "select", Value: f.ProductVersion,
		Options: []web.Option{{Label: "Unknown"}}}
	for _, version := range slices.Backward(c.Versions) {
		v.Version.Options = append(v.Version.Options, web.Option{Value: version.Version, Label: version.Version})
	}
	v.CustomPackage = web.Field{Name: "tailored", Label: "Custom package", Type: "boxes", Class: "rest"}
	if d.CustomPackages() {
		v.CustomPackage.Options = []web.Option{{
			Value: "yes", Label: "Build a package with all plugins of this license", Ticked: f.CustomPackage == "yes",
			Hint: "Needed for additional languages.",
		}}
	}
	return v
}

// otherCustomer is the value of the choice of a customer who is named by reference.
const otherCustomer = "other"

// chooseCustomer offers the customers that the request may be about. A license or a customer in the address leaves no
// choice.
func (v *wizardView) chooseCustomer(d *generator.Draft) {
	f := d.Form
	if d.FixedCustomer() {
		v.Fixed = f.Customer
		return
	}
	v.Customer = web.Field{Name: "customer", Label: "Customer", Type: "radio", Value: f.Customer, Required: true,
		Class: "wide"}
	offered := false
	for _, c := range d.Candidates {
		offered = offered || c.Customer.ID == f.Customer
		v.Customer.Options = append(v.Customer.Options, web.Option{
			Value: c.Customer.ID, Label: c.Customer.Name,
			Hint: string(c.Customer.Reference) + " · " + reasons(c),
		})
	}
	switch a := d.Account; {
	case a != nil && !offered:
		v.Customer.Options = append(v.Customer.Options, web.Option{
			Value: a.Customer.ID, Label: a.Customer.Name, Hint: string(a.Customer.Reference),
		})
	case a == nil && f.Customer != "" && f.Customer != generator.NewCustomer:
		v.Reference.Value, v.Customer.Value = f.Customer, otherCustomer
	}
	v.Customer.Options = append(v.Customer.Options,
		web.Option{Value: generator.NewCustomer, Label: "New customer"},
		web.Option{Value: otherCustomer, Label: "Another customer"})
	v.Reference.Name, v.Reference.Label = "customerReference", "Customer reference"
	v.Reference.Class = "half for-other-customer"
	v.Reference.Hint = "For example C-7K3Q9F. A contract's reference works too."
}

// instanceField offers the customer's instances in use, and a new one.
func instanceField(d *generator.Draft, today license.Date) web.Field {
	list := web.Field{Name: "instance", Label: "Instance", Type: "select", Value: d.Form.Instance, Class: "half",
		Hint: matchHint(d), Options: []web.Option{{Label: "New instance"}}}
	if d.Account == nil {
		return list
	}
	asked := map[string]bool{}
	for _, id := range d.Match.Candidates {
		asked[id] = true
	}
	add := func(wanted bool) {
		for _, i := range d.Account.Instances {
			if asked[i.ID] == wanted && (i.InUse() || i.ID == d.Form.Instance) {
				list.Options = append(list.Options, web.Option{Value: i.ID, Label: instanceLabel(i, today)})
			}
		}
	}
	add(true)
	add(false)
	return list
}

// instanceLabel is an instance in a line.
func instanceLabel(i customer.Instance, today license.Date) string {
	label := environmentName(i.Environment) + " " + string(i.Server())
	switch l, ok := i.Current(today); {
	case !i.InUse():
		label += " (retired)"
	case ok:
		label += ", " + strings.ToLower(l.Type.Name()) + " through " + l.Expiration.Long()
	}
	return label
}

func environmentName(e request.Environment) string {
	if e == request.StagingUse {
		return "Staging"
	}
	return "Production"
}

// matchHint says which instance the request is about, and how that is known.
func matchHint(d *generator.Draft) string {
	if d.Request == nil || d.Account == nil {
		return ""
	}
	switch d.Match.How {
	case customer.ProductionID:
		return matchText(d.Match.How) + " Select the staging instance that was copied, or a new one."
	case customer.Undecided:
		return "It may be one of the first instances listed, or a new one. Ask the customer if you are not sure."
	}
	return matchText(d.Match.How)
}

// contractField offers the contracts that the license can be under, and what can be done about them.
func contractField(d *generator.Draft, today license.Date) web.Field {
	list := web.Field{Name: "contract", Label: "Contract", Type: "select", Value: d.Form.Contract, Class: "half"}
	add := func(value, format string, args ...any) {
		list.Options = append(list.Options, web.Option{Value: value, Label: fmt.Sprintf(format, args...)})
	}
	if d.Form.Contract == "" {
		add("", "None: an evaluation needs no contract")
	}
	add(generator.NewContract, "New contract")
	if d.Account == nil {
		return list
	}
	for _, k := range d.Account.Contracts {
		of := func(value string) bool { return strings.HasSuffix(value, ":"+k.ID) }
		relevant := k.Active(today) || of(d.Form.Contract) || d.Old != nil && d.Old.Contract == k.ID
		if !relevant {
			continue
		}
		s := summaryOfContract(d.Account, k, today)
		add(generator.UnderContract(k.ID), "%s: %s", k.Reference, s.Line())
		add(generator.RenewContract(k.ID), "Renew %s with these terms", k.Reference)
		add(generator.ChangeContract(k.ID), "Change %s to these terms", k.Reference)
	}
	return list
}

// followField offers the instances that get licenses along with the first one.
func followField(d *generator.Draft, today license.Date) web.Field {
	list := web.Field{Name: "follow", Type: "boxes", Label: "Issue along with it", Class: "wide ids",
		Hint: "Each gets the same terms for its own server. All keys go in one email."}
	for _, i := range d.Followers() {
		hint := environmentName(i.Environment) + ", no license"
		if l, ok := i.Current(today); ok {
			hint = environmentName(i.Environment) + ", " + shortEdition(l.Edition) + " through " + l.Expiration.Long()
		}
		list.Options = append(list.Options, web.Option{
			Value: i.ID, Label: string(i.Server()), Hint: hint,
			Ticked: slices.Contains(d.Form.Follow, i.ID),
		})
	}
	return list
}

// muteField offers to end the reminders of the customer's other evaluations.
func muteField(d *generator.Draft) web.Field {
	list := web.Field{Name: "mute", Type: "boxes", Label: "End the reminders of evaluations", Class: "wide ids"}
	if d.Form.Type == string(license.Evaluation) {
		return list
	}
	for _, l := range d.OpenEvaluations() {
		list.Options = append(list.Options, web.Option{
			Value: l.ID, Label: string(l.Server), Hint: "through " + l.Expiration.Long(),
			Ticked: slices.Contains(d.Form.Mute, l.ID),
		})
	}
	return list
}

// productionField offers the production instances that a staging instance can mirror.
func productionField(d *generator.Draft) web.Field {
	list := web.Field{Name: "production", Label: "Staging for", Type: "select", Value: d.Form.Production,
		Class: "half for-staging"}
	for _, i := range d.Productions() {
		list.Options = append(list.Options, web.Option{Value: i.ID, Label: "Production " + string(i.Server())})
	}
	if len(list.Options) > 0 {
		list.Options = append(list.Options, web.Option{Label: "Not known"})
	}
	return list
}

// addressTo offers who receives the key, and who becomes a contact.
func (v *wizardView) addressTo(d *generator.Draft) {
	f := d.Form
	v.To = web.Field{Name: "to", Label: "Recipient", Type: "select", Value: f.To, Class: "half",
		Hint: "Receives the key."}
	for _, c := range d.Recipients() {
		label := c.Email
		if c.Name != "" {
			label = c.Name + ", " + c.Email
		}
		v.To.Options = append(v.To.Options, web.Option{Value: c.Email, Label: label})
	}
	v.Other = []web.Field{
		{Name: "email", Label: "Email", Value: f.Email, Type: "email", Class: "for-other"},
		{Name: "name", Label: "Name", Value: f.Name, Class: "for-other"},
	}
	if len(v.To.Options) > 0 {
		v.To.Options = append(v.To.Options, web.Option{Value: generator.OtherAddress, Label: "Another address"})
	} else {
		v.Other[0].Required = true
	}
	v.Contacts = web.Field{Name: "addContacts", Type: "boxes", Label: "Add as contacts", Class: "half"}
	add := func(value, label, hint string) {
		v.Contacts.Options = append(v.Contacts.Options, web.Option{
			Value: value, Label: label, Hint: hint, Ticked: slices.Contains(f.AddContacts, value),
		})
	}
	list := d.Addresses()
	if d.Account == nil {
		v.Contacts.Hint = "The recipient becomes the first contact."
		list = slices.DeleteFunc(list, func(c license.Contact) bool { return c.Email == f.To })
	} else {
		add(generator.AddRecipient, "The recipient", "")
	}
	for _, c := range list {
		add(c.Email, c.Email, c.Name)
	}
	v.Domain = web.Field{Name: "addDomain", Type: "boxes", Label: "Add the recipient's mail domain", Class: "half"}
	if d.DomainToAdd() != "" {
		v.Domain.Options = []web.Option{{Value: "yes", Label: d.DomainToAdd(), Ticked: f.AddDomain == "yes"}}
	}
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

// fields returns the fields in the order of the page.
func (v *wizardView) fields() []*web.Field {
	list := []*web.Field{&v.Customer, &v.Reference, &v.Instance, &v.Contract}
	for i := range v.Counts {
		list = append(list, &v.Counts[i])
	}
	list = append(list, &v.ContractLast, &v.Follow, &v.Type, &v.Server, &v.Production, &v.Organization, &v.Edition,
		&v.MaxLoc)
	for i := range v.Term {
		list = append(list, &v.Term[i])
	}
	list = append(list, &v.Support, &v.Languages, &v.Mute, &v.To)
	for i := range v.Other {
		list = append(list, &v.Other[i])
	}
	return append(list, &v.Contacts, &v.Domain, &v.Version, &v.CustomPackage)
}

// mark shows errors beside their fields.
func (v *wizardView) mark(bad []fault.Field) {
	v.Marked = web.Mark(bad, v.fields()...)
	v.Extra = v.Extra || v.Languages.Error != ""
}

// readWizardForm reads the wizard's form: the step that its button asks for, what was typed, and what was confirmed.
// values are all fields.
func readWizardForm(r *http.Request) (
	step string, f generator.Form, c generator.Confirmation, values url.Values, err error,
) {
	if values, err = web.ReadForm(r); err != nil {
		return "", f, c, nil, err
	}
	for _, field := range formFields(&f) {
		switch {
		case field.list != nil:
			*field.list = values[field.name]
		default:
			*field.text = values.Get(field.name)
		}
	}
	if len(f.Languages) == 0 && f.Edition != string(license.Community) {
		f.CustomPackage = "" // the page does not show what was ticked
	}
	if f.Customer == otherCustomer {
		f.Customer = strings.TrimSpace(values.Get("customerReference"))
	}
	c = generator.Confirmation{Digest: values.Get("digest"), By: operator(r)}
	for _, code := range values["confirm"] {
		c.Codes = append(c.Codes, generator.Code(code))
	}
	return values.Get("step"), f, c, values, nil
}

// formField is a field of a generator.Form as pages name it: a text or a list.
type formField struct {
	name string
	text *string
	list *[]string
}

func formFields(f *generator.Form) []formField {
	text := func(name string, s *string) formField { return formField{name: name, text: s} }
	list := func(name string, l *[]string) formField { return formField{name: name, list: l} }
	return []formField{
		text("id", &f.ID), text("token", &f.Token), text("shown", &f.Shown), text("customer", &f.Customer),
		text("instance", &f.Instance), text("contract", &f.Contract), text("type", &f.Type),
		text("serverId", &f.Server), text("production", &f.Production), text("organization", &f.Organization),
		text("edition", &f.Edition), text("maxLoc", &f.MaxLoc), list("languages", &f.Languages),
		text("support", &f.Support), text("notBefore", &f.NotBefore), text("expiration", &f.Expiration),
		text("contractLast", &f.ContractLast), text("productionCount", &f.ProductionCount),
		text("stagingCount", &f.StagingCount), list("follow", &f.Follow), text("to", &f.To), text("name", &f.Name),
		text("email", &f.Email), list("addContacts", &f.AddContacts), text("addDomain", &f.AddDomain),
		list("mute", &f.Mute), text("productVersion", &f.ProductVersion), text("tailored", &f.CustomPackage),
	}
}

// hiddenField carries what was typed through a page that does not ask for it.
type hiddenField struct{ Name, Value string }

// hiddenFields returns the whole form; readWizardForm reads it back.
func hiddenFields(f generator.Form) (list []hiddenField) {
	for _, field := range formFields(&f) {
		if field.text != nil {
			list = append(list, hiddenField{field.name, *field.text})
			continue
		}
		for _, value := range *field.list {
			list = append(list, hiddenField{field.name, value})
		}
	}
	return list
}
