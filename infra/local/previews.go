package main

import (
	"net/http"

	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/web"
)

// previews serves a sample of every email that we send, without anything having been sent.
type previews struct {
	sample.Source
	pages *localPages
}

type previewsView struct{ Letters []sample.Letter }

func (p previews) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /_local/letters", Handle: p.list},
		{Pattern: "GET /_local/letters/{name}", Handle: p.letter},
		{Pattern: "GET /_local/letters/{name}/html", Handle: p.html},
	}
}

func (p previews) list(w http.ResponseWriter, _ *http.Request) error {
	letters, err := p.All()
	if err != nil {
		return err
	}
	return p.pages.render(w, "letters.html", "Sample emails", previewsView{letters})
}

func (p previews) letter(w http.ResponseWriter, r *http.Request) error {
	l, err := p.Named(r.PathValue("name"))
	if err != nil {
		return err
	}
	return p.pages.render(w, "letter.html", l.Title, sample.Page{Letter: l, List: "/_local/letters", Class: "hero"})
}

// html serves the HTML of a letter for the frames of its page, in the color scheme that the address names.
func (p previews) html(w http.ResponseWriter, r *http.Request) error {
	l, err := p.Named(r.PathValue("name"))
	if err != nil {
		return err
	}
	return web.WriteFramed(w, l.HTML(sample.Scheme(r.URL.Query().Get("scheme"))))
}
