package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// changeGroup is what one transaction did to a customer.
type changeGroup struct {
	ID    string
	At    time.Time
	By    string // a colleague's name; "" for the system
	Lines []lineView
	More  []lineView // lines beyond the first few
}

// lineView is one line of a changeGroup.
type lineView struct {
	Action  string
	Of      mention // what was changed; empty for the customer itself
	About   mention // what else the line names
	Note    string
	Changes []changeView
}

// linesShown is how many lines of one change a timeline shows at once.
const linesShown = 12

// accountTimeline returns what the page read of the timeline, newest first.
func (s *site) accountTimeline(r *http.Request, p *accountPage) (list []changeGroup) {
	w := s.accountWords(r, p)
	for _, e := range p.events {
		if n := len(list); n == 0 || list[n-1].ID != e.ID {
			list = append(list, changeGroup{ID: e.ID, At: e.At})
		}
		g := &list[len(list)-1]
		if g.By == "" && e.By != store.System {
			g.By = w.colleagues.name(e.By)
		}
		line := w.line(e)
		switch {
		case e.Action == store.CustomerMerged && w.merges(p.events, e):
			continue // told by the survivor's own line
		case len(g.Lines) < linesShown:
			g.Lines = append(g.Lines, line)
		default:
			g.More = append(g.More, line)
		}
	}
	list = slices.DeleteFunc(list, func(g changeGroup) bool { return len(g.Lines) == 0 })
	slices.Reverse(list)
	return list
}

// eventsOf returns a timeline as a form's conflict shows it.
func eventsOf(groups []changeGroup) (list []eventView) {
	for _, g := range groups {
		for _, l := range slices.Concat(g.Lines, g.More) {
			list = append(list, eventView{
				ID: g.ID, At: g.At, By: g.By, Action: strings.TrimSpace(l.Of.Text + " " + l.Action), Note: l.Note,
				About: l.About, Changes: l.Changes,
			})
		}
	}
	return list
}

// accountWords is how a customer's pages name what the timeline has the IDs of.
type accountWords struct {
	vocabulary
	path      string
	customers map[string]store.CustomerSummary
	contracts map[string]*customer.Contract
	instances map[string]*customer.Instance
	licenses  map[string]customer.License
	requests  map[string]request.Summary
}

func (s *site) accountWords(r *http.Request, p *accountPage) accountWords {
	w := accountWords{
		vocabulary: vocabulary{colleagues: colleaguesOf(r), catalog: s.catalogNames(r.Context())}, path: p.Path(),
		customers: map[string]store.CustomerSummary{}, contracts: map[string]*customer.Contract{},
		instances: map[string]*customer.Instance{}, licenses: map[string]customer.License{},
		requests: map[string]request.Summary{},
	}
	for _, r := range p.requests {
		w.requests[r.ID] = r
	}
	for id, c := range p.known {
		w.customers[id] = c
	}
	for _, c := range p.Customers() {
		w.customers[c.ID] = summaryOf(c)
	}
	for i := range p.Contracts {
		w.contracts[p.Contracts[i].ID] = &p.Contracts[i]
	}
	named := licensesNamed(p.events)
	for n := range p.Instances {
		i := &p.Instances[n]
		w.instances[i.ID] = i
		for l := range i.Licenses {
			if id := i.Licenses[l].ID; named[id] {
				w.licenses[id] = i.Licenses[l]
			}
		}
	}
	return w
}

// licensesNamed lists the licenses that lines of a timeline are about.
func licensesNamed(events []store.Event) map[string]bool {
	named := map[string]bool{}
	for _, e := range events {
		named[strings.TrimPrefix(e.Of, store.OfLicense(""))] = true
		named[e.Note] = true
	}
	return named
}

// merges reports whether the line of a merged customer has one of the survivor beside it.
func (w accountWords) merges(events []store.Event, e store.Event) bool {
	return slices.ContainsFunc(events, func(other store.Event) bool {
		return other.ID == e.ID && other.Action == store.CustomerMergedIn
	})
}

func (w accountWords) line(e store.Event) lineView {
	l := lineView{Action: accountAction(e.Action), Of: w.subject(e.Of), Note: e.Note}
	switch e.Action {
	case store.CustomerMerged, store.CustomerMergedIn, store.CustomerUnmerged, store.InstanceMovedAway:
		l.Note, l.About = "", w.ofCustomer(e.Note)
	case store.InstanceMoved:
		l.Note = ""
		if e.Note != "" {
			l.Action, l.About = "moved to", w.contract(e.Note)
		}
	case store.LicenseReplaced, store.LicenseSuccessorSet:
		l.Note, l.About = "", w.license(e.Note)
	case store.LicenseIssued, store.LicenseRecorded, store.BridgeIssued:
		if l.Note = ""; e.Note != "" {
			l.Action, l.About = l.Action+" for", w.request(e.Note)
		}
	case store.WarningsConfirmed:
		l.Note = w.withoutIDs(e.Note)
	}
	for _, c := range e.Changes {
		field, ok := accountFields[c.Field]
		if !ok || e.Action == store.LicenseReplaced || strings.HasPrefix(e.Of, store.OfLicense("")) {
			continue
		}
		before, after := field.show(w, c.Before), field.show(w, c.After)
		if field.difference { // of lists, only what is new or gone
			before, after = without(before, after), without(after, before)
		}
		if len(before)+len(after) > 0 {
			l.Changes = append(l.Changes, changeView{field.label, mentions(before), mentions(after)})
		} else if field.otherwise != "" {
			l.Changes = append(l.Changes, changeView{field.label, nil, mentions([]string{field.otherwise})})
		}
	}
	return l
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

func mentions(list []string) (all []mention) {
	for _, text := range list {
		all = append(all, mention{Text: text})
	}
	return all
}

// accountAction returns an action as a customer's timeline shows it, before what it was done to.
func accountAction(a store.Action) string {
	if text, ok := map[store.Action]string{
		store.CustomerMerged: "merged into", store.CustomerMergedIn: "merged with",
		store.CustomerUnmerged: "undid the merge with", store.InstanceMovedAway: "moved to",
		store.InstanceMoved: "moved here", store.InstanceMovedBack: "moved back",
		store.InstanceRetired: "retired", store.InstanceResumed: "put back into use",
		store.InstanceAdded: "added", store.InstanceChanged: "changed", store.InstanceTold: "lines of code told",
		store.ContractMade: "added", store.ContractChanged: "changed", store.ContractEnded: "ended early",
		store.ContractReopened: "reopened",
		store.LicenseIssued:    "issued", store.LicenseRecorded: "recorded", store.LicenseRevoked: "revoked",
		store.LicenseReplaced: "replaced by", store.BridgeIssued: "issued as a bridge key",
	}[a]; ok {
		return text
	}
	return actionText(a)
}

// subject names what a line is about.
func (w accountWords) subject(of string) mention {
	kind, id, _ := strings.Cut(of, "/")
	switch kind {
	case "customer":
		return w.ofCustomer(id)
	case "contract":
		return w.contract(id)
	case "instance":
		return w.instance(id)
	case "license":
		return w.license(id)
	}
	return mention{}
}

func (w accountWords) ofCustomer(id string) mention {
	if c, ok := w.customers[id]; ok {
		return mention{c.Name + " (" + string(c.Reference) + ")", customerPath(c.Reference)}
	}
	return mention{"another customer", customersPath + "/" + id}
}

func (w accountWords) contract(id string) mention {
	if k := w.contracts[id]; k != nil {
		to := w.path + "?" + url.Values{"contract": {string(k.Reference)}}.Encode() + "#" + string(k.Reference)
		return mention{"Contract " + string(k.Reference), to}
	}
	return mention{Text: "A contract of another customer"}
}

func (w accountWords) instance(id string) mention {
	if i := w.instances[id]; i != nil {
		return mention{environmentName(i.Environment) + " " + shortServer(i.Server()), w.path + "/instances/" + id}
	}
	return mention{Text: "An instance that is now with another customer"}
}

func (w accountWords) request(id string) mention {
	m := linkTo(requestOf(id))
	if r, ok := w.requests[id]; ok {
		m.Text = "request " + string(r.Reference)
	}
	return m
}

func (w accountWords) license(id string) mention {
	if l, ok := w.licenses[id]; ok {
		return mention{
			l.Type.Name() + " license for " + shortServer(l.Server) + " through " + l.Expiration.Long(),
			"/console/licenses/" + id,
		}
	}
	return linkTo(licenseOf(id))
}

// accountField is how a customer's timeline shows a field of the customer, a contract or an instance.
type accountField struct {
	label      string
	show       func(w accountWords, value string) []string
	difference bool   // show only the members of the list that are new or gone
	otherwise  string // what the line says where these are none
}

var accountFields = map[string]accountField{
	"name":        {label: "Name", show: plainly},
	"formerNames": {label: "Former names", show: plainly, difference: true},
	"domains":     {label: "Domains", show: plainly, difference: true},
	"owner": {label: "Owner", show: func(w accountWords, value string) (list []string) {
		return eachOf(plainly(w, value), w.colleagues.name)
	}},
	"outside":  {label: "Outside references", show: outsideReferences, difference: true},
	"notes":    {label: "Notes", show: plainly},
	"contacts": {label: "Contacts", show: contactsInWords, difference: true, otherwise: "order changed"},

	"edition":    {label: "Edition", show: func(w accountWords, v string) []string { return edition(plainly(w, v)) }},
	"maxLoc":     {label: "Lines of code", show: plainly},
	"languages":  {label: "Languages", show: func(w accountWords, v string) []string { return languages(w, v) }},
	"support":    {label: "Support", show: plainly},
	"production": {label: "Production", show: production},
	"staging":    {label: "Staging instances", show: plainly},
	"first":      {label: "First day", show: plainly},
	"last":       {label: "Last day", show: plainly},
	"renews": {label: "Renews", show: func(w accountWords, value string) (list []string) {
		return eachOf(plainly(w, value), func(id string) string { return w.contract(id).Text })
	}},
	"endedReason": {label: "Reason", show: nothingShown}, // the note says it

	"environment": {label: "Environment", show: func(w accountWords, value string) (list []string) {
		return eachOf(plainly(w, value), func(e string) string { return environmentName(request.Environment(e)) })
	}},
	"servers":        {label: "Server ID", show: lastServer},
	"productVersion": {label: "Product version", show: plainly},
	"loc":            {label: "Lines of code", show: plainly},
}

func nothingShown(accountWords, string) []string { return nil }

func plainly(_ accountWords, value string) (list []string) {
	return slices.DeleteFunc(texts(decode(value)), func(s string) bool { return s == "" })
}

func eachOf(list []string, f func(string) string) (out []string) {
	for _, s := range list {
		out = append(out, f(s))
	}
	return out
}

func edition(keys []string) []string {
	return eachOf(keys, func(key string) string { return license.Edition(key).Name() })
}

func languages(w accountWords, value string) []string { return eachOf(plainly(w, value), w.language) }

// production is the number of a contract's production instances, or the production instance that staging mirrors.
func production(w accountWords, value string) []string {
	if id, ok := decode(value).(string); ok {
		if id == "" {
			return nil
		}
		return []string{w.instance(id).Text}
	}
	return plainly(w, value)
}

// objects returns the objects in a JSON list.
func objects(value string) (list []map[string]any) {
	all, _ := decode(value).([]any)
	for _, one := range all {
		if object, ok := one.(map[string]any); ok {
			list = append(list, object)
		}
	}
	return list
}

func textIn(object map[string]any, field string) string {
	s, _ := object[field].(string)
	return s
}

func outsideReferences(_ accountWords, value string) (list []string) {
	for _, o := range objects(value) {
		list = append(list, textIn(o, "system")+": "+textIn(o, "id"))
	}
	return list
}

// lastServer is the server ID that was told last.
func lastServer(_ accountWords, value string) []string {
	all := objects(value)
	if len(all) == 0 {
		return nil
	}
	return []string{textIn(all[len(all)-1], "server")}
}

// contactsInWords is each contact with all that is said of it but since when.
func contactsInWords(w accountWords, value string) (list []string) {
	for _, c := range objects(value) {
		text := strings.TrimSpace(textIn(c, "name") + " " + textIn(c, "email"))
		var said []string
		if purposes, ok := c["for"].([]any); ok && len(purposes) == 1 {
			purpose, _ := purposes[0].(string)
			said = append(said, purposeName(customer.Purpose(purpose)))
		}
		if partner := textIn(c, "partner"); partner != "" {
			said = append(said, partner)
		}
		if some, ok := c["instances"].([]any); ok && len(some) > 0 {
			said = append(said, quantity(len(some), "instance", "instances"))
		}
		if len(said) > 0 {
			text += " (" + strings.Join(said, ", ") + ")"
		}
		list = append(list, input.OneLine(text, 500))
	}
	return list
}

type customerTimelineView struct {
	Name      string
	Path      string
	Timeline  []changeGroup
	FirstPage string // the address of the newest changes; "" if these are
	NextPage  string // the address of earlier ones; "" if there are none
}

// customerTimeline shows a page of a customer's timeline.
func (s *site) customerTimeline(w http.ResponseWriter, r *http.Request) error {
	before := r.URL.Query().Get("before")
	if before != "" && !license.ValidID(before) {
		before = ""
	}
	p, err := s.readAccount(r, reading{events: changesOnTimeline, before: before, requests: requestsNamed})
	if err != nil || redirectToAccount(w, r, p) {
		return err
	}
	v := customerTimelineView{Name: p.Customer.Name, Path: p.Path(), Timeline: s.accountTimeline(r, p)}
	if before != "" {
		v.FirstPage = v.Path + "/timeline"
	}
	if p.earlier != "" {
		v.NextPage = v.Path + "/timeline?" + url.Values{"before": {p.earlier}}.Encode()
	}
	return s.render(w, r, http.StatusOK, "customer-timeline.html", inCustomers, p.Customer.Name+": timeline", v)
}
