package sample

import (
	"embed"

	"marketplace/catalog"
	"marketplace/shared/mail/letter"
)

// Templates has templates/letter.html, the page of a letter, which shows a Page.
//
//go:embed templates
var Templates embed.FS

// Page is a letter as its page shows it.
type Page struct {
	Letter
	List  string // the path of the list of letters; the HTML of a letter is at List/Name/html?scheme=
	Class string // of what begins a page of the site
}

// Source writes the sample letters with a site's own addresses and catalog.
type Source struct {
	Writer  letter.Writer
	Catalog func() (*catalog.Catalog, error)
}

// All writes all letters, those to customers first.
func (s Source) All() ([]Letter, error) {
	c, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	return Letters(s.Writer, c)
}

// Named writes the letter of a name; of an unknown one, fault.NotFound.
func (s Source) Named(name string) (Letter, error) {
	letters, err := s.All()
	if err != nil {
		return Letter{}, err
	}
	return Find(letters, name)
}
