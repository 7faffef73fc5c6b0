package site

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// editionsView is the data of editions.html: the editions side by side.
type editionsView struct {
	Editions []comparedEdition
	Groups   []comparedGroup
	Newest   string // version of the product
	LTS      string
	Search   searchView
	Query    string // of links
	Sales    string
	Own      *ownEdition
}

// comparedEdition is the head of a column.
type comparedEdition struct {
	catalog.Edition
	Short    string // the name without the word Edition
	Own      bool   // the visitor's server runs it
	Adds     string // what it adds to the edition before it, in a few words
	Upgrade  bool   // it is larger than the visitor's
	Versions string // of the product that have it: "6.7 to 7.1"
	Query    string
}

// HasPackage reports whether the edition has a package and needs a license.
func (e comparedEdition) HasPackage() bool { return len(e.Plugins) > 0 }

// comparedGroup is a group of the table's rows.
type comparedGroup struct {
	ID, Name string
	Rows     []comparedRow
}

// comparedRow says of each edition whether it has something, or how much of it.
type comparedRow struct {
	Name  string
	Note  string
	Cells []comparedCell
}

// Texts reports whether a cell is a text instead of a mark.
func (r comparedRow) Texts() bool {
	return slices.ContainsFunc(r.Cells, func(c comparedCell) bool { return c.Text != "" })
}

type comparedCell struct {
	Edition string // short, for narrow screens, where the columns have no heads
	Own     bool
	Yes     bool
	Text    string // instead of yes or no
}

// ownEdition is the edition that the visitor's server runs.
type ownEdition struct {
	catalog.Edition
	Larger  []catalog.Edition
	Adds    string // what the next larger edition adds
	Largest bool
}

func (s *site) editions(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	query := r.URL.Query()
	q := linkQuery(query)
	own := sourceEdition(query)
	v := editionsView{
		Editions: comparedEditions(c, own, q), Newest: c.Newest().Version, LTS: newestLTS(c), Query: q,
		Sales: s.mail.Sales.Email, Own: newOwnEdition(c, own), Search: newSearchView(c, query),
	}
	v.Groups = comparedGroups(c, v.Editions)
	title := "Compare editions"
	if v.Search.Typed != "" {
		title = "Which edition has “" + v.Search.Typed + "”?"
	}
	return s.renderPublic(w, "editions.html", web.View{
		Title: title, Section: "editions", Query: q, Script: searchScript, Data: v,
		Private:     v.Search.Typed != "",
		Description: "The editions side by side: features, languages, plugins, versions, staging and support.",
	})
}

// newestLTS returns the newest version with long-term support, "" for none.
func newestLTS(c *catalog.Catalog) (version string) {
	for _, v := range c.Versions {
		if v.LTS {
			version = v.Version
		}
	}
	return version
}

func newOwnEdition(c *catalog.Catalog, key license.Edition) *ownEdition {
	e, ok := c.Edition(string(key))
	if !ok {
		return nil
	}
	own := &ownEdition{Edition: e, Largest: true}
	for _, other := range c.Ladder() {
		if larger(other.Key, e.Key) {
			own.Larger = append(own.Larger, other)
		}
	}
	if len(own.Larger) > 0 {
		own.Largest, own.Adds = false, additions(c.Beyond(own.Larger[0].Key, e.Key))
	}
	return own
}

// HasLicense reports whether the edition needs a license.
func (o ownEdition) HasLicense() bool { return len(o.Plugins) > 0 }

// Smaller reports whether the edition is smaller than another.
func (o ownEdition) Smaller(than string) bool { return larger(than, o.Key) }

// larger reports whether an edition is larger than another.
func larger(edition, than string) bool {
	return slices.Index(license.Editions, license.Edition(edition)) >
		slices.Index(license.Editions, license.Edition(than))
}

func comparedEditions(c *catalog.Catalog, own license.Edition, query string) (list []comparedEdition) {
	before := ""
	for _, e := range c.Ladder() {
		col := comparedEdition{
			Edition: e, Short: shortName(e), Own: e.Key == string(own), Versions: versionsOf(c, e.Key), Query: query,
			Upgrade: own.Valid() && larger(e.Key, string(own)),
		}
		if before != "" {
			col.Adds = "Adds " + additions(c.Beyond(e.Key, before)) + "."
		}
		list, before = append(list, col), e.Key
	}
	return list
}

func shortName(e catalog.Edition) string { return strings.TrimSuffix(e.Name, " Edition") }

// versionsOf names the first and the last version of the product that have an edition.
func versionsOf(c *catalog.Catalog, edition string) string {
	var lines []string
	for _, v := range c.Versions {
		if slices.Contains(v.Editions, edition) && !slices.Contains(lines, v.Line) {
			lines = append(lines, v.Line)
		}
	}
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return lines[0]
	}
	return lines[0] + " to " + lines[len(lines)-1]
}

// additions says in a few words what is in a difference: "branch analysis, smart notifications and 8 languages".
func additions(d catalog.Difference) string {
	var parts []string
	for _, f := range d.Features {
		parts = append(parts, uncapitalized(f.Name))
	}
	switch n := len(d.Languages); {
	case n == 1:
		parts = append(parts, d.Languages[0].Name)
	case n > 1:
		parts = append(parts, web.Number(int64(n))+" languages")
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}

// uncapitalized returns a name for the middle of a sentence; one in capitals stays.
func uncapitalized(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	if second, _ := utf8.DecodeRuneInString(name[size:]); !unicode.IsLower(second) {
		return name
	}
	return string(unicode.ToLower(first)) + name[size:]
}

func comparedGroups(c *catalog.Catalog, editions []comparedEdition) []comparedGroup {
	row := func(name, note string, cell func(comparedEdition) comparedCell) comparedRow {
		r := comparedRow{Name: name, Note: note}
		for _, e := range editions {
			made := cell(e)
			made.Edition, made.Own = e.Short, e.Own
			r.Cells = append(r.Cells, made)
		}
		return r
	}
	has := func(of func(comparedEdition) bool) func(comparedEdition) comparedCell {
		return func(e comparedEdition) comparedCell { return comparedCell{Yes: of(e)} }
	}

	features := comparedGroup{ID: "features", Name: "Features"}
	for _, f := range c.Features {
		features.Rows = append(features.Rows, row(f.Name, f.Description,
			has(func(e comparedEdition) bool { return slices.Contains(e.Features, f.Key) })))
	}

	languages := comparedGroup{ID: "languages", Name: "Languages"}
	var common []string
	for _, l := range c.Languages {
		in := func(e comparedEdition) bool { return slices.Contains(e.Languages, l.Key) }
		if l.Plugin == "" {
			common = append(common, l.Name)
			continue
		}
		languages.Rows = append(languages.Rows, row(l.Name, "", has(in)))
	}
	if len(common) > 0 {
		all := row(strings.Join(common, ", "), "", has(func(comparedEdition) bool { return true }))
		languages.Rows = slices.Insert(languages.Rows, 0, all)
	}

	plugins := comparedGroup{ID: "plugins", Name: "Plugins"}
	for _, p := range c.Plugins {
		plugins.Rows = append(plugins.Rows, row(p.Name, p.Description,
			has(func(e comparedEdition) bool { return slices.Contains(e.Plugins, p.Key) })))
	}

	versions := comparedGroup{ID: "versions", Name: "Availability"}
	for _, v := range newest(c, editions[0].Key) {
		name := v.Version
		if v.LTS {
			name += " (long-term support)"
		}
		versions.Rows = append(versions.Rows, row(name, "Released in "+v.Month, func(e comparedEdition) comparedCell {
			if p, ok := c.Package(e.Key, v.Version); ok && p.Withdrawn != "" {
				return comparedCell{Text: "Withdrawn"}
			}
			return comparedCell{Yes: slices.Contains(v.Editions, e.Key)}
		}))
	}
	versions.Rows = append(versions.Rows, row("Cluster", "Several nodes that act as one server",
		has(func(e comparedEdition) bool { return e.Key == string(license.DataCenter) })))

	return []comparedGroup{features, languages, plugins, versions, {ID: "terms", Name: "Licensing", Rows: []comparedRow{
		row("License key", "One for each server, up to its lines of code", func(e comparedEdition) comparedCell {
			return comparedCell{Text: either(e.HasPackage(), "Required", "Not needed")}
		}),
		row("Staging license", "A second key, for a server that mirrors production", stagingOf),
		row("Support", "From the vendor, as agreed in the contract", func(e comparedEdition) comparedCell {
			return comparedCell{Text: either(e.HasPackage(), "Optional", "Community forum")}
		}),
	}}}
}

// stagingOf says when an edition has staging licenses.
func stagingOf(e comparedEdition) comparedCell {
	allowed := func(support bool) bool {
		return customer.Terms{Edition: license.Edition(e.Key), Support: support}.StagingAllowed()
	}
	switch {
	case !e.HasPackage():
		return comparedCell{Text: "Not needed"}
	case !allowed(false) && allowed(true):
		return comparedCell{Text: "With support"}
	}
	return comparedCell{Yes: allowed(false)}
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
