package site

import (
	"net/http"
	"net/url"
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
	Example         *catalog.Package
	Query           string
	TermsURL        string
	Others          []editionCard
	Sales           string
	Versions        string // of the product that have it: "6.7 to 7.1"
	Before          string // name of the edition before it; "" for the smallest
	Adds            catalog.Difference
	Own             *ownEdition // the visitor's edition; nil if it is not known
	Changes         []change
	Install         []web.Field // the choice of instructions
	Keep            []parameter // of the visitor's server, for a form
}

// change is what a version of the product changed in the edition.
type change struct {
	catalog.Change
	Day string // of the release: "17 Apr 2018"
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

// Upgrades reports whether the visitor's server runs a smaller edition with a license.
func (v editionView) Upgrades() bool {
	return v.Own != nil && v.Own.HasLicense() && v.Own.Smaller(v.Edition.Key)
}

// Added says in a few words what the edition adds to the visitor's, or else to the one before it.
func (v editionView) Added() string { return additions(v.Adds) }

// Preview returns the query of the link to the preview of the product's own page.
func (v editionView) Preview() string {
	if v.Example == nil {
		return v.Query
	}
	return joinQuery(v.Query, url.Values{"version": {v.Example.Version}})
}

// Guide is the choice of the instructions for an installation.
func (v editionView) Guide() installView {
	return installView{Edition: v.Edition, Form: v.Install, Keep: v.Keep}
}

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
		Edition: e, Newest: newest(c, e.Key), Query: q, TermsURL: s.termsURL(c), Sales: s.mail.Sales.Email,
		Others:   slices.DeleteFunc(cards(c, q), func(card editionCard) bool { return card.Key == e.Key }),
		Versions: versionsOf(c, e.Key), Own: newOwnEdition(c, sourceEdition(r.URL.Query())),
		Keep: serverFields(r.URL.Query()), Changes: changes(c, e.Key),
	}
	for _, other := range c.Ladder() {
		if larger(e.Key, other.Key) {
			view.Before, view.Adds = other.Name, c.Beyond(e.Key, other.Key)
		}
	}
	if view.Own != nil && view.Own.Smaller(e.Key) {
		view.Before, view.Adds = view.Own.Name, c.Beyond(e.Key, view.Own.Key)
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
	around := web.View{
		Title: s.brand.Product + " " + e.Name, Description: e.TextDescription, Section: "editions", Query: q,
		Data: view,
	}
	if view.HasPackage() {
		guide := newInstallView(c, e, r.URL.Query())
		view.Install, view.Example = guide.Form, guide.Column.Package
		around.Script, around.Connect, around.Data = downloadScript, s.packageOrigins(c), view
	}
	return s.renderPublic(w, "edition.html", around)
}

// downloadScript shows the progress of a download, resumes it, and checks its SHA-256.
const downloadScript = "download.js"

// changes returns what changed in an edition, newest first.
func changes(c *catalog.Catalog, edition string) (list []change) {
	for _, next := range c.Changes(edition) {
		day := next.Date
		if parsed, err := time.Parse(time.DateOnly, next.Date); err == nil {
			day = parsed.Format("2 Jan 2006")
		}
		list = append(list, change{next, day})
	}
	return list
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
