package site

import (
	"net/http"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// locView is the data of loc.html.
type locView struct {
	customer.Instance
	Gauge web.Gauge
	Loc   web.Field
	web.Marked
}

// locPath is the page on which a contact tells the lines of code of an installation.
func locPath(i customer.Instance) string { return instancePath(i) + "/loc" }

// gauge shows how much of its license an installation uses; nothing without a license in force.
func (s *site) gauge(i customer.Instance, c *catalog.Catalog) web.Gauge {
	l, ok := i.Current(s.today())
	if !ok || !l.Valid(s.today()) || !i.InUse() {
		return web.Gauge{}
	}
	g := web.NewGauge(i.Loc, i.Told, l.MaxLoc, c.LOCThresholds)
	g.Tell = locPath(i)
	if g.Next > 0 {
		g.More = instancePath(i) + "/upgrade"
	}
	return g
}

func (s *site) loc(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	return s.renderLoc(w, r, http.StatusOK, i, "", nil)
}

// tellLoc notes the lines of code that a contact tells.
func (s *site) tellLoc(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	typed := strings.Join(form["ncloc"], " ")
	loc, err := request.ParseTypedLoc(typed)
	if err != nil {
		var bad fault.Fields
		bad.Refuse("ncloc", err)
		return s.renderLoc(w, r, http.StatusUnprocessableEntity, i, typed, bad)
	}
	if err := s.store.TellLoc(r.Context(), seen(r).Customer.ID, i.ID, person(r), loc); err != nil {
		return err
	}
	http.Redirect(w, r, "/account#i-"+i.ID, http.StatusSeeOther)
	return nil
}

func (s *site) renderLoc(w http.ResponseWriter, r *http.Request, status int, i customer.Instance, typed string,
	bad fault.Fields) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	v := locView{Instance: i, Gauge: s.gauge(i, c), Loc: web.Field{
		Name: "ncloc", Label: "Lines of code", Value: typed, Required: true, InputMode: "numeric",
		Hint: "Total analysed by the server, for example 120000. It is under Administration > Configuration > " +
			"License Manager.",
	}}
	v.Gauge.Tell = ""
	v.Marked = web.Mark(bad, &v.Loc)
	title := "Lines of code"
	if len(bad) > 0 {
		title = "Error: " + title
	}
	return s.render(w, r, status, "loc.html", web.View{Title: title, Section: inOverview, Data: v})
}
