package site

import (
	"net/http"
	"slices"
	"time"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

type editionView struct {
	catalog.Edition
	Features  []catalog.Feature
	Languages []string // names of those that the edition adds
	Everyone  int      // languages that every edition has
	Columns   []column
	Plugins   []pluginRow
	Newest    *column // the newest version with a package; nil where there is none
	Query     string
	TermsURL  string
	Others    []editionCard
	Sales     string
}

// column is a line of the product, X.Y, in an edition's matrix.
type column struct {
	catalog.Column
	Month string // of the release: "May 2018"
}

// pluginRow is a plugin with its release in each column; "" where it is in none.
type pluginRow struct {
	catalog.Plugin
	Releases []string
}

// HasPackage reports whether the edition is installed by a package and runs with a license.
func (v editionView) HasPackage() bool { return len(v.Edition.Plugins) > 0 }

func (s *site) edition(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	e, ok := c.Edition(r.PathValue("key"))
	if !ok {
		return noEdition()
	}
	q := linkQuery(r.URL.Query())
	if q == "" {
		w.Header().Set("Cache-Control", cachePublic)
	}
	view := editionView{
		Edition: e, Columns: columns(c, e.Key), Query: q, TermsURL: c.TermsURL, Sales: s.mail.Sales.Email,
		Others: slices.DeleteFunc(cards(c, q), func(card editionCard) bool { return card.Key == e.Key }),
	}
	if view.TermsURL == "" {
		view.TermsURL = "/terms"
	}
	for _, f := range c.Features {
		if slices.Contains(e.Features, f.Key) {
			view.Features = append(view.Features, f)
		}
	}
	for _, l := range c.Languages {
		if l.Plugin == "" {
			view.Everyone++
		} else if slices.Contains(e.Languages, l.Key) {
			view.Languages = append(view.Languages, l.Name)
		}
	}
	view.Plugins = pluginRows(c, e, view.Columns)
	if i := slices.IndexFunc(view.Columns, func(c column) bool { return c.Package != nil && c.Package.Withdrawn == "" }); i >= 0 {
		view.Newest = &view.Columns[i]
	}
	return s.pages.Render(w, http.StatusOK, "edition.html", web.View{
		Title: e.Name + " of SonarQube", Description: e.TextDescription, Private: q != "", Data: view,
	})
}

func columns(c *catalog.Catalog, edition string) (list []column) {
	for _, col := range c.Matrix(edition) {
		month := col.Date
		if day, err := time.Parse(time.DateOnly, col.Date); err == nil {
			month = day.Format("January 2006")
		}
		list = append(list, column{col, month})
	}
	return list
}

func pluginRows(c *catalog.Catalog, e catalog.Edition, columns []column) (rows []pluginRow) {
	for _, p := range c.Plugins {
		if !slices.Contains(e.Plugins, p.Key) {
			continue
		}
		row := pluginRow{Plugin: p, Releases: make([]string, len(columns))}
		for i, col := range columns {
			if col.Package == nil {
				continue
			}
			for _, jar := range col.Package.Jars {
				if jar.Plugin == p.Key {
					row.Releases[i] = jar.Release
				}
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// noEdition is the fault of an edition that there is not. It repeats nothing of the address.
func noEdition() error {
	names := ""
	for i, e := range license.Editions {
		if i > 0 {
			names += ", "
		}
		names += string(e)
	}
	return fault.New(fault.NotFound, "There is no such edition. The editions are %s.", names)
}
