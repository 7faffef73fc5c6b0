package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"time"

	"marketplace/catalog"
	"marketplace/shared/web"
)

const styleFile = "editions.css"

var (
	//go:embed publish_page.css
	style []byte
	//go:embed publish_page.html
	pageText string
)

// page is the data of an edition's page.
type page struct {
	catalog.Edition
	TermsURL  string
	Languages []string // names
	Features  []catalog.Feature
	Columns   []column
	Packages  bool // at least one can be downloaded
	Measured  bool // size and sum of at least one are known
}

type column struct {
	catalog.Column
	Month string // "November 2017"
	Size  string // "12.3 MB", as the site writes it; "" if unknown
}

// editionPage returns an edition's page, which needs only the style sheet beside it and has no scripts.
func editionPage(c *catalog.Catalog, e catalog.Edition) ([]byte, error) {
	p := page{Edition: e, TermsURL: c.TermsURL}
	for _, l := range c.Languages {
		for _, key := range e.Languages {
			if l.Key == key {
				p.Languages = append(p.Languages, l.Name)
			}
		}
	}
	for _, f := range c.Features {
		for _, key := range e.Features {
			if f.Key == key {
				p.Features = append(p.Features, f)
			}
		}
	}
	for _, from := range c.Matrix(e.Key) {
		next := column{Column: from}
		date, err := time.Parse(time.DateOnly, from.Date)
		if err != nil {
			return nil, fmt.Errorf("page of %s: version %s: %w", e.Key, from.Version, err)
		}
		next.Month = date.Format("January 2006")
		if from.Package != nil && from.Package.Size > 0 {
			next.Size, p.Measured = web.Size(from.Package.Size), true
		}
		p.Packages = p.Packages || from.Package != nil && from.Package.Withdrawn == ""
		p.Columns = append(p.Columns, next)
	}
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("page of %s: %w", e.Key, err)
	}
	return out.Bytes(), nil
}
