package site

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// editionView is the data of edition.html.
type editionView struct {
	catalog.Edition
	Features        []catalog.Feature
	Languages       []string    // names of those that the edition adds
	CommonLanguages int         // number of languages in every edition
	Newest          []column    // the newest patch of each X.Y, newest first
	Earlier         []column    // earlier patches with packages
	Plugins         []pluginRow // with a release for each column of Newest
	Example         string      // the file name of a package
	Query           string
	TermsURL        string
	Others          []editionCard
	Sales           string
}

// column is a product version in an edition's matrix.
type column struct {
	catalog.Column
	Month string // of the release: "May 2018"
}

// pluginRow is a plugin with its release in each column; "" if a column does not contain it.
type pluginRow struct {
	catalog.Plugin
	Releases []string
}

// HasPackage reports whether the edition has a package and needs a license.
func (v editionView) HasPackage() bool { return len(v.Edition.Plugins) > 0 }

// Cluster reports whether the edition runs on a cluster. Its Marketplace page has no buttons (client-contract.md §6).
func (v editionView) Cluster() bool { return v.Edition.Key == string(license.DataCenter) }

func (s *site) edition(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	e, ok := c.Edition(r.PathValue("key"))
	if !ok {
		return redirectToEdition(w, r, "/editions/", r.PathValue("key"))
	}
	q := linkQuery(r.URL.Query())
	view := editionView{
		Edition: e, Newest: newest(c, e.Key), Query: q, Sales: s.mail.Sales.Email,
		TermsURL: cmp.Or(s.brand.TermsURL, c.TermsURL, termsPath),
		Others:   slices.DeleteFunc(cards(c, q), func(card editionCard) bool { return card.Key == e.Key }),
	}
	for _, f := range c.Features {
		if slices.Contains(e.Features, f.Key) {
			view.Features = append(view.Features, f)
		}
	}
	for _, l := range c.Languages {
		if l.Plugin == "" {
			view.CommonLanguages++
		} else if slices.Contains(e.Languages, l.Key) {
			view.Languages = append(view.Languages, l.Name)
		}
	}
	view.Earlier = earlier(c, e.Key, view.Newest)
	view.Plugins = pluginRows(c, e, view.Newest)
	view.Example = "package.zip"
	for _, col := range slices.Backward(view.Newest) {
		if col.Package != nil && col.Package.Withdrawn == "" {
			view.Example = col.Package.File
		}
	}
	return s.renderPublic(w, "edition.html", web.View{
		Title: s.brand.Product + " " + e.Name, Description: e.TextDescription, Query: q, Data: view,
	})
}

// newest returns the columns of an edition's matrix.
func newest(c *catalog.Catalog, edition string) (list []column) {
	for _, col := range c.Matrix(edition) {
		list = append(list, newColumn(col))
	}
	return list
}

// earlier returns the versions with a package of the edition that are not in newest, newest first.
func earlier(c *catalog.Catalog, edition string, newest []column) (list []column) {
	for _, v := range slices.Backward(c.Versions) {
		if slices.ContainsFunc(newest, func(n column) bool { return n.Version == v.Version }) {
			continue
		}
		if p, ok := c.Package(edition, v.Version); ok {
			list = append(list, newColumn(catalog.Column{ProductVersion: v, Package: &p, Offered: true}))
		}
	}
	return list
}

func newColumn(col catalog.Column) column {
	month := col.Date
	if day, err := time.Parse(time.DateOnly, col.Date); err == nil {
		month = day.Format("January 2006")
	}
	return column{col, month}
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

// redirectToEdition leads from another spelling of an edition, such as data-center, to the same page and keeps the
// query. The error is that of an unknown edition.
func redirectToEdition(w http.ResponseWriter, r *http.Request, folder, spelling string) error {
	edition := license.ParseEdition(spelling)
	if !edition.Valid() || string(edition) == spelling {
		return unknownEdition()
	}
	to := folder + string(edition)
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, to, http.StatusMovedPermanently)
	return nil
}

// unknownEdition is the error for an unknown edition. It does not repeat the address; its page lists the editions.
func unknownEdition() error { return fault.New(fault.NotFound, "There is no such edition.") }
