package preview

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// form is the form that describes the server.
func (p *player) form() Form {
	q := p.query
	var f Form
	if q.Catalog != "" {
		f.Hidden = []parameter{{"catalog", q.Catalog}}
	}
	versions := p.source.Catalog.Versions
	f.Fields = []web.Field{
		{Name: "version", Label: p.o.Product + " version", Value: q.Version, Optional: true,
			Hint: "As at the bottom of every page, for example " + versions[len(versions)-1].Version + "."},
		{Name: "edition", Label: "Installed edition", Type: "select", Value: string(q.Edition)},
		{Name: "serverId", Label: "Server ID", Value: q.Server, Optional: true, Class: "code",
			Hint: "Under Administration > System."},
		{Name: "ncloc", Label: "Lines of code", Value: q.Loc, Optional: true, InputMode: "numeric",
			Hint: "Total analysed by the server, for example 120000."},
		{Name: "with", Label: "The server", Type: "boxes", Class: "wide", Options: []web.Option{
			{Value: "cluster", Label: "is a cluster", Hint: "Data Center Edition on several nodes", Ticked: q.Cluster},
			{Value: "offline", Label: "has no internet access", Hint: "It cannot download plugins", Ticked: q.Offline},
		}},
	}
	for _, e := range license.Editions {
		f.Fields[1].Options = append(f.Fields[1].Options, web.Option{Value: string(e), Label: e.Name()})
	}
	return f
}

// Key is a key that was pasted into the dialog of a box.
type Key struct {
	Text string
	Keys license.KeySet
	Now  time.Time
}

// WithKey returns what the page shows after a key was pasted at an address. Neither the page nor its links have the
// key: the steps after the dialog go on with a sample. The error is an Invalid fault beside the view of the dialog.
func WithKey(s Source, v url.Values, o Options, k Key) (View, error) {
	p := player{source: s, query: read(v), o: o}
	p.query.Step, p.query.License = pasted, matching
	var bad fault.Fields
	if strings.TrimSpace(k.Text) == "" {
		bad.Add("key", "Paste the license key from our email.")
		p.query.Step = question
	} else {
		p.text = k.Text
		p.after = p.judge(k)
	}
	view := p.view()
	err := bad.Err("We could not read the key.")
	if err != nil && view.Dialog != nil {
		view.Dialog.Key.Error = "Paste the license key from our email."
	}
	return view, err
}

// judge asks what the license plugin says of a key after the restart, when the plugins of the key are installed.
func (p *player) judge(k Key) *After {
	at := license.Instance{Edition: p.query.Box, Now: k.Now}
	if id, err := license.ParseServer(p.query.Server); err == nil {
		at.Server = id
	}
	if loc, err := strconv.ParseInt(p.query.Loc, 10, 64); err == nil {
		at.Loc = loc
	}
	found := license.Evaluate(k.Text, at, k.Keys)
	reasons := slices.DeleteFunc(found.Reasons, func(r license.Reason) bool {
		return r.Code == license.WrongEdition // the dialog says so
	})
	after := &After{Accepted: len(reasons) == 0, Reasons: reasons, Warnings: found.Warnings}
	if found.Authentic() {
		after.Key = found.Key
	}
	if p.query.Loc != "" {
		after.Loc = lines(p.query.Loc)
	}
	return after
}

// keyField is the field of the dialog that takes a key.
func keyField() web.Field {
	return web.Field{Name: "key", Label: "License key", Type: "textarea", Rows: 5, Required: true, Class: "wide code",
		Hint: "We neither store nor log it."}
}

// lines formats lines of code as a query has them.
func lines(loc string) string {
	n, err := strconv.ParseInt(loc, 10, 64)
	if err != nil {
		return loc
	}
	return web.Number(n)
}
