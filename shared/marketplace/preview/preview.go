// Package preview is the page that shows what an administrator sees on the Marketplace page of the product, step by
// step: the public site shows it of the live catalog, the console of one before it is published.
//
// Package marketplace decides what the page shows. This package reads addresses, and has the words and the template.
package preview

import (
	"cmp"
	"embed"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/shared/license"
	"marketplace/shared/marketplace"
)

// Templates has the page marketplace.html, for web.Layers. Its data is a View.
//
//go:embed templates
var Templates embed.FS

// Source is a catalog, and the document that servers read of it.
type Source struct {
	Catalog  *catalog.Catalog
	Editions marketplace.Document
}

// Of returns the source of a catalog.
func Of(c *catalog.Catalog) (Source, error) {
	d, err := marketplace.Read(c.EditionsJSON())
	return Source{c, d}, err
}

// FromBundle returns the source of a bundle, with the document that is in it.
func FromBundle(b *bundle.Bundle) (Source, error) {
	if err := b.Complete(); err != nil {
		return Source{}, err
	}
	c, err := catalog.FromBundle(b)
	if err != nil {
		return Source{}, err
	}
	document, _ := b.Document(bundle.EditionsPath, "")
	d, err := marketplace.Read(document.Identity.Bytes)
	return Source{c, d}, err
}

// Options are what a page is shown with.
type Options struct {
	Path    string // of the page
	Product string // the product's name
	// Paste says that the dialog takes a key by POST to Path.
	Paste bool
}

// New returns what the page shows at an address.
func New(s Source, v url.Values, o Options) View {
	q := read(v)
	p := player{source: s, query: q, o: o}
	return p.view()
}

// player plays the page for one address.
type player struct {
	source Source
	query  query
	o      Options
	choice marketplace.Choice
	server marketplace.Server // before the dialog
	box    marketplace.Entry  // whose dialog is open
	text   string             // of a key that was pasted; "" for a sample
	after  *After
}

func (p *player) view() View {
	q := p.query
	if q.Version == "" {
		q.Version = p.source.Catalog.Newest().Version
	}
	v := View{
		Product: p.o.Product, Path: p.o.Path, Version: q.Version, Form: p.form(), Facts: p.facts(),
		Links: marketplace.EraOf(q.Version) == marketplace.Links, Query: p.serverQuery(),
	}
	v.Start = p.start().address(p.o.Path)
	if marketplace.EraOf(q.Version) == marketplace.Nothing {
		v.Empty = p.o.Product + " offers editions from 6.7 on. The Marketplace page of " + q.Version + " has none: " +
			"upgrade the server first."
		return v
	}
	var err error
	if p.choice, err = p.source.Editions.Choose(q.Version); err != nil {
		v.Empty = "The catalog has no usable entry for this version, so the server shows no editions."
		return v
	}
	p.server = q.server(p.plugins(q.Edition))
	if v.Links {
		v.Chosen = "From 7.2 on, each edition is a download of its own. The page reads no catalog, has no " +
			"buttons, and links to the larger editions only."
		v.Boxes = p.links()
		return v
	}
	v.Chosen = p.chosen(q.Version)
	p.open(&v)
	return v
}

// chosen says which entry of the catalog the server takes.
func (p *player) chosen(version string) string {
	switch {
	case p.choice.ReadOnly:
		return "The catalog does not have version " + version + ". The server shows the editions of the highest " +
			"version, " + p.choice.Key + ", and installs none of them."
	case version == p.choice.Key:
		return "The server uses the catalog's entry " + p.choice.Key + "."
	}
	return "The server reads “" + version + "” in its footer and uses the catalog's entry " + p.choice.Key + "."
}

// plugins returns the commercial plugins of an edition for the entry that the server takes.
func (p *player) plugins(e license.Edition) (keys []string) {
	if pkg, ok := p.source.Catalog.Package(string(e), p.choice.Key); ok {
		for _, jar := range pkg.Jars {
			keys = append(keys, jar.Plugin)
		}
		return keys
	}
	edition, _ := p.source.Catalog.Edition(string(e))
	return edition.Plugins
}

// rows describes plugins, with their releases in the package of an edition.
func (p *player) rows(keys []string, of license.Edition) (rows []Row) {
	pkg, _ := p.source.Catalog.Package(string(of), p.choice.Key)
	for _, key := range keys {
		row := Row{Key: key, Name: key}
		for _, plugin := range p.source.Catalog.Plugins {
			if plugin.Key == key && plugin.Name != "" {
				row.Name = plugin.Name
			}
		}
		for _, jar := range pkg.Jars {
			if jar.Plugin == key {
				row.Release = jar.Release
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// lost names the languages and features that go with plugins, from the installed edition to another.
func (p *player) lost(removed []string, to license.Edition) (names []string) {
	for _, l := range p.source.Catalog.Languages {
		if l.Plugin != "" && slices.Contains(removed, l.Plugin) {
			names = append(names, l.Name)
		}
	}
	from, _ := p.source.Catalog.Edition(string(p.query.Edition))
	next, _ := p.source.Catalog.Edition(string(to))
	for _, key := range from.Features {
		if f, ok := p.source.Catalog.Feature(key); ok && !slices.Contains(next.Features, key) {
			names = append(names, f.Name)
		}
	}
	return names
}

// open plays the step of the dialog, and shows the boxes as they are after it.
func (p *player) open(v *View) {
	server := p.server
	if box, ok := p.opened(); ok {
		p.box = box.Entry
		if box.Uninstalls {
			server = p.uninstall(v)
		} else {
			server = p.install(v, box)
		}
	} else {
		p.query.Box, p.query.Step, p.query.License = "", "", ""
		v.Alert = p.noButtons()
	}
	for _, b := range server.Boxes(p.choice) {
		shown := Box{Box: b}
		if b.Action != "" && !b.Disabled {
			next := p.start()
			next.Edition, next.Box = cmp.Or(server.Edition, license.Community), license.Edition(b.Key)
			shown.URL = next.address(p.o.Path) + "#dialog"
		}
		v.Boxes = append(v.Boxes, shown)
	}
}

// opens reports whether the box of an edition has a button.
func (p *player) opens(edition string) bool {
	return slices.ContainsFunc(p.server.Boxes(p.choice), func(b marketplace.Box) bool {
		return b.Key == edition && b.Action != ""
	})
}

// opened returns the box whose dialog is open, if its button is there.
func (p *player) opened() (marketplace.Box, bool) {
	boxes := p.server.Boxes(p.choice)
	i := slices.IndexFunc(boxes, func(b marketplace.Box) bool {
		return b.Key == string(p.query.Box) && b.Action != ""
	})
	if i < 0 {
		return marketplace.Box{}, false
	}
	return boxes[i], true
}

// start is the query of the server without a dialog.
func (p *player) start() query {
	q := p.query
	q.Box, q.Step, q.License = "", "", ""
	return q
}

// key returns the text that is pasted into the dialog.
func (p *player) key() string {
	if p.text != "" {
		return p.text
	}
	edition := license.Edition(p.box.Key)
	switch p.query.License {
	case damaged:
		return encode("Format=1\n")
	case other:
		for _, e := range slices.Backward(p.choice.Entries) {
			if e.DownloadURL != "" && e.Key != p.box.Key {
				edition = license.Edition(e.Key)
			}
		}
	}
	return encode("Edition=" + string(edition) + "\nPlugins=" + strings.Join(p.plugins(edition), ",") + "\n")
}

// encode writes what the server reads of a key (client-contract.md §5).
func encode(properties string) string { return base64.StdEncoding.EncodeToString([]byte(properties)) }

// links returns the boxes of the page from 7.2 on: those of the larger editions.
func (p *player) links() (boxes []Box) {
	installed := slices.Index(license.Editions, p.query.Edition)
	for _, e := range p.choice.Entries {
		if slices.Index(license.Editions, license.Edition(e.Key)) <= installed {
			continue
		}
		q := url.Values{"sourceEdition": {string(p.query.Edition)}}
		for name, value := range map[string]string{"serverId": p.query.Server, "ncloc": p.query.Loc} {
			if value != "" {
				q.Set(name, value)
			}
		}
		boxes = append(boxes, Box{Box: marketplace.Box{Entry: e}, Link: e.HomeURL + "?" + q.Encode()})
	}
	return boxes
}

// serverQuery keeps the server in links to other pages of the site; "" if nothing is known of it.
func (p *player) serverQuery() string {
	q := url.Values{}
	for name, value := range map[string]string{"serverId": p.query.Server, "ncloc": p.query.Loc} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if p.query.Edition != license.Community {
		q.Set("sourceEdition", string(p.query.Edition))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
