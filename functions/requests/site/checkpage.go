package site

import (
	"errors"
	"net/http"
	"net/url"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// checkView is the data of check.html.
type checkView struct {
	Found  *checkResult // nil before a check
	Key    web.Field
	Server []web.Field
	web.Marked
	Sales string
}

// checkPage shows the empty form. A link may prefill the details of the server, but never the key.
func (s *site) checkPage(w http.ResponseWriter, r *http.Request) error {
	known := prefill(r.URL.Query(), "")
	f := checkForm{Server: known.Server, Loc: known.Loc, Edition: string(sourceEdition(r.URL.Query()))}
	if f == (checkForm{}) {
		w.Header().Set("Cache-Control", cachePublic)
	}
	return s.renderCheck(w, http.StatusOK, f, nil, nil)
}

// submitCheck checks the key of the form and shows the result above the form.
func (s *site) submitCheck(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	f := checkForm{
		Key: values.Get("key"), Server: values.Get("serverId"), Loc: values.Get("ncloc"),
		Version: values.Get("productVersion"), Edition: values.Get("edition"), Plugins: values.Get("plugins"),
	}
	found, err := s.check(r.Context(), f)
	var invalid *fault.Error
	switch {
	case err == nil:
		return s.renderCheck(w, http.StatusOK, f, &found, nil)
	case errors.As(err, &invalid) && len(invalid.Fields) > 0:
		return s.renderCheck(w, http.StatusUnprocessableEntity, f, nil, invalid.Fields)
	}
	return err
}

func (s *site) renderCheck(w http.ResponseWriter, status int, f checkForm, found *checkResult,
	bad []fault.Field) error {
	v := s.newCheckView(f, bad)
	v.Found, v.Sales = found, s.mail.Sales.Email
	title := "Check a license key"
	switch {
	case found != nil && found.Valid:
		title = "Valid: " + title
	case found != nil:
		title = "Not valid: " + title
	case status != http.StatusOK:
		title = "Error: " + title
	}
	query := linkQuery(url.Values{"serverId": {f.Server}, "ncloc": {f.Loc}, "sourceEdition": {f.Edition}})
	return s.pages.Render(w, status, "check.html", web.View{
		Title: title,
		Description: "Paste a license key for " + s.brand.Product +
			" to see what it covers, and why a server rejects it.",
		Private: found != nil || status != http.StatusOK || query != "", Query: query, Data: v,
	})
}

// newCheckView fills the form with what was typed and its errors.
func (s *site) newCheckView(f checkForm, bad []fault.Field) checkView {
	v := checkView{
		Key: web.Field{Name: "key", Label: "License key", Value: f.Key, Required: true, Class: "wide code",
			Hint: "One long line that begins with Rm9ybWF0P. Paste it as it is in the email: we remove line breaks " +
				"and quote marks."},
		Server: []web.Field{
			{Name: "serverId", Label: "Server ID", Value: f.Server, Optional: true, Class: "code",
				Hint: "In " + s.brand.Product + ", under Administration > System."},
			{Name: "edition", Label: "Installed edition", Type: "select",
				Value: string(license.ParseEdition(f.Edition)), Optional: true,
				Hint: "The edition whose package is installed.", Options: editionOptions()},
			{Name: "ncloc", Label: "Lines of code", Value: f.Loc, Optional: true, InputMode: "numeric",
				Hint: "Total analysed by the server, for example 120000."},
			{Name: "productVersion", Label: s.brand.Product + " version", Value: f.Version, Optional: true,
				Hint: "At the bottom of every " + s.brand.Product + " page, for example 6.7.1."},
			{Name: "plugins", Label: "Installed plugins", Value: f.Plugins, Optional: true, Type: "textarea", Rows: 3,
				Class: "wide code",
				Hint: "Plugin keys such as cpp, or the file names of the jars in extensions/plugins. " +
					"Free plugins can be listed too."},
		},
	}
	fields := []*web.Field{&v.Key}
	for i := range v.Server {
		fields = append(fields, &v.Server[i])
	}
	v.Marked = web.Mark(bad, fields...)
	return v
}

// editionOptions lists the editions after an empty choice.
func editionOptions() []web.Option {
	options := []web.Option{{Value: "", Label: "Not checked"}}
	for _, e := range license.Editions {
		options = append(options, web.Option{Value: string(e), Label: e.Name()})
	}
	return options
}

// apiCheck checks a key sent as JSON. It answers 200 whether or not the key is valid.
func (s *site) apiCheck(w http.ResponseWriter, r *http.Request) error {
	body, err := web.ReadJSON(r)
	if err != nil {
		return err
	}
	var f checkForm
	bad, err := decodeObject(body, func(m jsonMember) {
		switch m.name {
		case "key":
			m.text(&f.Key)
		case "serverId":
			m.text(&f.Server)
		case "ncloc":
			m.number(&f.Loc)
		case "productVersion":
			m.text(&f.Version)
		case "edition":
			m.text(&f.Edition)
		case "plugins":
			m.list(&f.Plugins)
		default:
			m.text(nil)
		}
	})
	if err != nil {
		return err
	}
	found, err := s.check(r.Context(), f)
	var invalid *fault.Error
	if errors.As(err, &invalid) {
		for _, field := range invalid.Fields {
			bad.Add(field.Name, "%s", field.Msg)
		}
	}
	if wrong := bad.Err("We could not check the key."); wrong != nil {
		return wrong
	}
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, found)
}
