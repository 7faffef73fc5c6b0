package site

import (
	"net/http"
	"net/url"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// serverIDPath is the page about the day on which a server ID changes.
const serverIDPath = "/server-id"

// planButton is the name of the page's button: with it the address plans a change, and leads on.
const planButton = "plan"

// instanceID matches the ID of an instance, which the page passes on to the account.
var instanceID = lazyregexp.New(`^[0-9a-z]{26}$`)

// serverIDView is the data of serverid.html.
type serverIDView struct {
	Change  web.Field
	Fields  []web.Field
	Changes []request.Change
	Hidden  []parameter // what the link to the page said about the server
	Query   string      // of links
	Changed string      // the form for a server that has its new ID already
	web.Marked
}

// serverID lists what changes a server ID, asks what is planned and when, and leads to the form of a replacement that
// has all of that filled in: of the account if the page was opened from there, else of an edition. It files nothing.
func (s *site) serverID(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	today := license.DateOf(s.now())
	plan := readPlan(q)
	var bad fault.Fields
	if q.Has(planButton) {
		if bad = plan.check(today); len(bad) == 0 {
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, plan.form(), http.StatusSeeOther)
			return nil
		}
	}
	v := plan.view(today, s.brand.Product)
	v.Query = linkQuery(q)
	var fields []*web.Field
	for i := range v.Fields {
		fields = append(fields, &v.Fields[i])
	}
	v.Marked = web.Mark(bad, append([]*web.Field{&v.Change}, fields...)...)
	view := web.View{
		Title:       "When your server ID changes",
		Description: "What changes a server ID, and how to get the new license key without a break.",
		Query:       v.Query, Data: v,
	}
	if len(bad) > 0 {
		view.Title, view.Private = "Error: "+view.Title, true
		return s.pages.Render(w, http.StatusUnprocessableEntity, "serverid.html", view)
	}
	w.Header().Set("Cache-Control", cacheBriefly) // it says from which day on a change can be planned
	return s.renderPublic(w, "serverid.html", view)
}

// serverPlan is what the page's form says.
type serverPlan struct {
	change, planned, server, instance string
	edition                           license.Edition
	link                              url.Values // of the page
}

func readPlan(q url.Values) serverPlan {
	p := serverPlan{
		change: strings.TrimSpace(q.Get("change")), planned: strings.TrimSpace(q.Get("planned")),
		server: strings.TrimSpace(q.Get("serverId")), link: q,
		instance: firstValid(q["instance"], instanceID().MatchString),
	}
	if p.edition = license.ParseEdition(q.Get("edition")); !p.edition.Valid() {
		p.edition = sourceEdition(q)
	}
	return p
}

// check names what is missing for the form of a replacement.
func (p serverPlan) check(today license.Date) (bad fault.Fields) {
	if !request.Change(p.change).Valid() {
		bad.Add("change", "Choose what you plan.")
	}
	day, err := request.ParsePlanned(p.planned, today)
	bad.Refuse("planned", err)
	if err == nil && day.IsZero() {
		bad.Add("planned", "Enter the day on which you plan it.")
	}
	if p.instance != "" {
		return bad
	}
	if _, err := license.ParseServer(p.server); err != nil {
		bad.Refuse("serverId", err)
	}
	if p.edition == "" || p.edition == license.Community {
		bad.Add("edition", "Choose the edition that the server's license is for.")
	}
	return bad
}

// form returns the address of the form that has the plan filled in.
func (p serverPlan) form() string {
	if p.instance != "" {
		return "/account/instances/" + p.instance + "/plan" +
			encodeQuery(map[string]string{"change": p.change, "planned": p.planned})
	}
	keep := serverParameters(p.link)
	keep["kind"], keep["replaces"] = string(request.Replacement), p.server
	keep["change"], keep["planned"] = p.change, p.planned
	return "/request/" + string(p.edition) + encodeQuery(keep)
}

func (p serverPlan) view(today license.Date, product string) serverIDView {
	v := serverIDView{
		Changes: request.Changes,
		Change: web.Field{Name: "change", Label: "What do you plan?", Type: "radio", Value: p.change, Required: true,
			Options: changeOptions()},
		Fields: []web.Field{
			{Name: "planned", Label: "On which day?", Type: "date", Value: p.planned, Required: true,
				Hint: "The day on which the server will start with its new ID, from " + today.Long() + " on."},
		},
	}
	if p.instance != "" {
		v.Changed = "/account/instances/" + p.instance + "/replace"
		v.Hidden = append(v.Hidden, parameter{"instance", p.instance})
		return v
	}
	f := prefill(p.link, p.edition)
	f.Kind = string(request.Replacement)
	v.Changed = formPath(f)
	if server, err := license.ParseServer(p.server); err == nil {
		p.server = string(server)
	}
	v.Fields = append(v.Fields,
		web.Field{Name: "serverId", Label: "Server ID today", Value: p.server, Required: true, Class: "code",
			Hint: "In " + product + ", under Administration > System."},
		web.Field{Name: "edition", Label: "Edition", Type: "select", Value: string(p.edition), Required: true,
			Options: licensedEditions()})
	if loc := serverParameters(p.link)["ncloc"]; loc != "" {
		v.Hidden = append(v.Hidden, parameter{"ncloc", loc})
	}
	return v
}

func changeOptions() (list []web.Option) {
	for _, c := range request.Changes {
		list = append(list, web.Option{Value: string(c), Label: c.Name()})
	}
	return list
}

// licensedEditions are the choices of an edition that needs a license.
func licensedEditions() []web.Option {
	list := []web.Option{{Label: "Choose an edition"}}
	for _, e := range license.Editions {
		if e != license.Community {
			list = append(list, web.Option{Value: string(e), Label: e.Name()})
		}
	}
	return list
}

// plannedFields are the fields of the request form about a change of the server ID.
func plannedFields(f request.Form) []web.Field {
	return []web.Field{
		{Name: "change", Label: "What changes the server ID?", Type: "select", Value: f.Change, Optional: true,
			Class:   "for-replacement",
			Options: append([]web.Option{{Label: "Nothing: the key is lost, or I don't know"}}, changeOptions()...)},
		{Name: "planned", Label: "Planned for", Type: "date", Value: f.Planned, Optional: true,
			Class: "for-replacement",
			Hint: "If the ID has not changed yet: the day on which it will. Enter the server " +
				"ID of today below. On the day, you tell us the new one on the request's page."},
	}
}

// planParameters returns the planned change that a link to the form names.
func planParameters(q url.Values) (change, planned string) {
	change = firstValid(q["change"], func(s string) bool { return request.Change(s).Valid() })
	return change, firstValid(q["planned"], func(s string) bool { _, err := license.ParseDate(s); return err == nil })
}

// checkPlanned refuses a day that cannot be planned for.
func (s *site) checkPlanned(f request.Form, bad *fault.Fields) {
	if f.Kind != string(request.Replacement) {
		return
	}
	if _, err := request.ParsePlanned(f.Planned, license.DateOf(s.now())); err != nil {
		bad.Refuse("planned", err)
	}
}
