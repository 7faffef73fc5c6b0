package main

import (
	"net/http"

	"marketplace/catalog"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/web"
)

// previews serves a sample of every email that we send, without anything having been sent.
type previews struct {
	letters letter.Writer
	catalog func() (*catalog.Catalog, error)
	pages   *localPages
}

type (
	previewsView struct{ Letters []sample.Letter }
	previewView  struct{ sample.Letter }
)

func (p previews) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /_local/letters", Handle: p.list},
		{Pattern: "GET /_local/letters/{name}", Handle: p.letter},
		{Pattern: "GET /_local/letters/{name}/html", Handle: p.html},
	}
}

func (p previews) samples() ([]sample.Letter, error) {
	c, err := p.catalog()
	if err != nil {
		return nil, err
	}
	return sample.Letters(p.letters, c)
}

func (p previews) find(r *http.Request) (sample.Letter, error) {
	letters, err := p.samples()
	if err != nil {
		return sample.Letter{}, err
	}
	return sample.Find(letters, r.PathValue("name"))
}

func (p previews) list(w http.ResponseWriter, _ *http.Request) error {
	letters, err := p.samples()
	if err != nil {
		return err
	}
	return p.pages.render(w, "letters.html", "Sample emails", previewsView{letters})
}

func (p previews) letter(w http.ResponseWriter, r *http.Request) error {
	l, err := p.find(r)
	if err != nil {
		return err
	}
	return p.pages.render(w, "letter.html", l.Title, previewView{l})
}

// html serves the HTML of a letter for the frames of its page, in the color scheme that the address names.
func (p previews) html(w http.ResponseWriter, r *http.Request) error {
	l, err := p.find(r)
	if err != nil {
		return err
	}
	return web.WriteFramed(w, l.HTML(sample.Scheme(r.URL.Query().Get("scheme"))))
}
