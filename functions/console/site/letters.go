package site

import (
	"net/http"

	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/web"
)

type lettersView struct{ Letters []sample.Letter }

type letterView struct{ sample.Letter }

// samples writes the sample letters with the console's own addresses and catalog.
func (s *site) samples() ([]sample.Letter, error) {
	c, err := s.catalog()
	if err != nil {
		return nil, err
	}
	return sample.Letters(s.mail, c)
}

func (s *site) sample(r *http.Request) (sample.Letter, error) {
	letters, err := s.samples()
	if err != nil {
		return sample.Letter{}, err
	}
	return sample.Find(letters, r.PathValue("name"))
}

func (s *site) letters(w http.ResponseWriter, r *http.Request) error {
	letters, err := s.samples()
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "letters.html", inLetters, "Sample emails", lettersView{letters})
}

func (s *site) letter(w http.ResponseWriter, r *http.Request) error {
	l, err := s.sample(r)
	if err != nil {
		return err
	}
	web.AllowFrames(w.Header())
	return s.render(w, r, http.StatusOK, "letter.html", inLetters, l.Title, letterView{l})
}

// letterHTML serves the HTML of a letter for the frames of its page, in the color scheme that the address names.
func (s *site) letterHTML(w http.ResponseWriter, r *http.Request) error {
	l, err := s.sample(r)
	if err != nil {
		return err
	}
	return web.WriteFramed(w, l.HTML(sample.Scheme(r.URL.Query().Get("scheme"))))
}
