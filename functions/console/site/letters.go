package site

import (
	"net/http"

	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/web"
)

type lettersView struct{ Letters []sample.Letter }

// samples writes the sample letters with the console's own addresses and catalog.
func (s *site) samples() sample.Source { return sample.Source{Writer: s.mail, Catalog: s.catalog} }

func (s *site) letters(w http.ResponseWriter, r *http.Request) error {
	letters, err := s.samples().All()
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "letters.html", inLetters, "Sample emails", lettersView{letters})
}

func (s *site) letter(w http.ResponseWriter, r *http.Request) error {
	l, err := s.samples().Named(r.PathValue("name"))
	if err != nil {
		return err
	}
	web.AllowFrames(w.Header())
	page := sample.Page{Letter: l, List: "/console/letters", Class: "head"}
	return s.render(w, r, http.StatusOK, "letter.html", inLetters, l.Title, page)
}

// letterHTML serves the HTML of a letter for the frames of its page, in the color scheme that the address names.
func (s *site) letterHTML(w http.ResponseWriter, r *http.Request) error {
	l, err := s.samples().Named(r.PathValue("name"))
	if err != nil {
		return err
	}
	return web.WriteFramed(w, l.HTML(sample.Scheme(r.URL.Query().Get("scheme"))))
}
