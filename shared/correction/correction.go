// Package correction is the form with which a customer corrects a request (request.CorrectionForm), as the public site
// and the account show it.
package correction

import (
	"net/url"
	"slices"
	"strconv"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// Fields returns the fields of the form for a request, with what was typed. product is the name of the product;
// thresholds are the lines of code that licenses can allow.
func Fields(product string, r request.Request, f request.CorrectionForm, thresholds []int64) (list []web.Field) {
	if r.ServerCorrectable() {
		list = append(list, web.Field{Name: "serverId", Label: "Server ID", Value: f.Server, Required: true,
			Class: "wide code",
			Hint:  "In " + product + ", under Administration > System. Copy all 14 to 29 characters."})
	}
	said := request.CorrectionOf(r)
	return append(list,
		web.Field{Name: "ncloc", Label: "Lines of code", Value: f.Loc, Required: said.Loc != "",
			Optional: said.Loc == "", InputMode: "numeric", Hint: "Total analysed by the server, for example 120000."},
		web.Field{Name: "wantedLoc", Label: "Lines of code to license", Type: "select", Value: f.WantedLoc,
			Options: wanted(r, thresholds), Hint: "Leave room to grow: a license ends at its limit."},
		web.Field{Name: "productVersion", Label: product + " version", Value: f.ProductVersion,
			Required: said.ProductVersion != "", Optional: said.ProductVersion == "",
			Hint: "At the bottom of every " + product + " page, for example 6.7.1."},
		web.Field{Name: "phone", Label: "Phone", Value: f.Phone, Optional: true, Type: "tel", Autocomplete: "tel"},
		web.Field{Name: "message", Label: "Message", Value: f.Message, Optional: true, Type: "textarea", Rows: 4,
			Class: "wide"},
	)
}

// wanted lists the lines of code that a license can allow, with what the request asks for.
func wanted(r request.Request, thresholds []int64) []web.Option {
	var options []web.Option
	if r.WantedLoc == 0 || r.Link == nil {
		options = append(options, web.Option{Label: "The smallest that fits"})
	}
	all := slices.Clone(thresholds)
	if r.WantedLoc != 0 && !slices.Contains(all, r.WantedLoc) {
		all = append(all, r.WantedLoc)
		slices.Sort(all)
	}
	for _, n := range all {
		options = append(options, web.Option{Value: strconv.FormatInt(n, 10), Label: license.Lines(n)})
	}
	return options
}

// Read reads the form as it was sent.
func Read(values url.Values) request.CorrectionForm {
	return request.CorrectionForm{
		Server: values.Get("serverId"), Loc: values.Get("ncloc"), WantedLoc: values.Get("wantedLoc"),
		ProductVersion: values.Get("productVersion"), Phone: values.Get("phone"), Message: values.Get("message"),
	}
}

// ResponseField is the field with the answer to a question.
func ResponseField(typed string) web.Field {
	return web.Field{Name: "response", Label: "Your answer", Value: typed, Type: "textarea", Rows: 4, Class: "wide",
		Required: true}
}

// CancelField is the box that has to be ticked to cancel a request: a scanner that sends the form as it came cancels
// nothing.
func CancelField() web.Field {
	return web.Field{Name: "cancel", Label: "Do you want to cancel it?", Type: "boxes", Class: "rows",
		Options: []web.Option{{Value: "yes", Label: "Yes, cancel this request"}}}
}
