package site

import (
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// planPath is the last part of the address at which a contact asks for a replacement before the server ID changes. The
// public page about server IDs leads there.
const planPath = "plan"

func (a asking) change() web.Field {
	f := web.Field{Name: "change", Label: "What do you plan?", Type: "radio", Value: a.form.Change, Required: true,
		Class: "wide"}
	for _, c := range request.Changes {
		f.Options = append(f.Options, web.Option{Value: string(c), Label: c.Name()})
	}
	return f
}

func (a asking) planned() web.Field {
	return web.Field{Name: "planned", Label: "On which day?", Type: "date", Value: a.form.Planned, Required: true,
		Hint: "The day on which the server will start with its new ID."}
}
