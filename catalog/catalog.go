package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/lazyregexp"
)

// Format is the number of the shape of Catalog in JSON. New fields do not change it.
const Format = 1

// Catalog is everything on offer: the content of /catalog.json, which the sites read too. Lists are never null in JSON.
type Catalog struct {
	Format        int              `json:"format"`
	SiteURL       string           `json:"siteUrl"`            // without trailing slash, "" if not given
	TermsURL      string           `json:"termsUrl,omitempty"` // the terms and conditions of the packages
	Editions      []Edition        `json:"editions"`           // in key order
	Versions      []ProductVersion `json:"versions"`           // from license.FirstVersion, oldest first
	Plugins       []Plugin         `json:"plugins"`            // those of the editions, in key order
	Languages     []Language       `json:"languages"`
	Features      []Feature        `json:"features"`
	LOCThresholds []int64          `json:"locThresholds"` // lines of code that a license may allow, ascending
	Packages      []Package        `json:"packages"`      // by version and edition; then those withdrawn earlier

	// LeftOut lists the editions that a version does not have, for the operator; no document shows them.
	LeftOut []LeftOut `json:"-"`
}

// LeftOut is an edition that does not exist for a version of the product, because plugins have no compatible release.
type LeftOut struct {
	Version, Edition string
	Plugins          []string
}

// String returns a line that names all three.
func (l LeftOut) String() string {
	return fmt.Sprintf("version %s has no %s edition: no compatible release of %s",
		l.Version, l.Edition, strings.Join(l.Plugins, ", "))
}

// Edition is one edition of the product.
type Edition struct {
	Key               string   `json:"key"` // one of license.Editions
	Name              string   `json:"name"`
	TextDescription   string   `json:"textDescription"`   // plain text
	HomeURL           string   `json:"homeUrl"`           // may be ""
	LicenseRequestURL string   `json:"licenseRequestUrl"` // may be ""; without ? and #
	Plugins           []string `json:"plugins"`           // keys, for the license to list; empty: no package
	Languages         []string `json:"languages"`         // keys
	Features          []string `json:"features"`          // keys
}

// ProductVersion is a version of the product for which there are editions.
type ProductVersion struct {
	Version      string   `json:"version"` // "6.7.1"; without a zero patch
	Line         string   `json:"line"`    // "6.7"
	Date         string   `json:"date"`    // day of release, yyyy-mm-dd
	LTS          bool     `json:"lts"`     // its line is the one with long-term support
	Description  string   `json:"description"`
	ChangelogURL string   `json:"changelogUrl"`
	Editions     []string `json:"editions"` // keys of the editions that exist for it, in key order
}

// Plugin is a part of the product that an edition's package contains.
type Plugin struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Language is a programming language that the product analyses.
type Language struct {
	Key    string `json:"key"`
	Name   string `json:"name"`
	Plugin string `json:"plugin"` // the plugin with it; "": every edition has it
	// Words are what else people search for, such as "AS/400" for RPG.
	Words []string `json:"words,omitempty"`
}

// Feature is something by which editions differ.
type Feature struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Words are what else people search for, such as "pull request" for branch analysis.
	Words []string `json:"words,omitempty"`
}

// Package is the ZIP of an edition for one version of the product.
type Package struct {
	File      string `json:"file"` // "developer-edition-6.7.1.717.zip"
	Edition   string `json:"edition"`
	Version   string `json:"version"`
	URL       string `json:"url"`
	Size      int64  `json:"size,omitempty"`      // bytes; 0 if the package was not built
	SHA256    string `json:"sha256,omitempty"`    // lower-case hex
	Withdrawn string `json:"withdrawn,omitempty"` // why it is no longer offered
	Jars      []Jar  `json:"jars"`                // by file name
}

// Jar is a file of a package.
type Jar struct {
	File    string `json:"file"` // "sonar-cfamily-plugin-5.1.0.10083.jar"
	Plugin  string `json:"plugin"`
	Release string `json:"release"` // "5.1"
}

// Plain reports whether the file's name is valid on every file system and stays in its folder.
func (j Jar) Plain() bool { return jarName().MatchString(j.File) }

// Pattern returns the file's name with an asterisk for its version, which matches the jars of other releases.
func (j Jar) Pattern() string {
	if i := jarVersion().FindStringIndex(j.File); i != nil {
		return j.File[:i[0]] + "-*.jar"
	}
	return j.File
}

var jarVersion = lazyregexp.New(`-[0-9][0-9A-Za-z._+\-]*\.jar$`)

var jarName = lazyregexp.New(`^[0-9A-Za-z][0-9A-Za-z._+\-]*\.jar$`)

// Decode reads a catalog from the JSON of /catalog.json. One without a version of the product is an error.
func Decode(data []byte) (*Catalog, error) {
	c := &Catalog{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("catalog: reading catalog.json: %w", err)
	}
	if c.Format != Format {
		return nil, fmt.Errorf("catalog: catalog.json has format %d, want %d", c.Format, Format)
	}
	if len(c.Versions) == 0 {
		return nil, errors.New("catalog: catalog.json has no version of the product")
	}
	return c, nil
}

// LOCThreshold returns the smallest number of lines of code that a license may allow and that covers n; ok is false if
// none does.
func (c *Catalog) LOCThreshold(n int64) (threshold int64, ok bool) {
	i := slices.IndexFunc(c.LOCThresholds, func(t int64) bool { return t >= n })
	if i < 0 {
		return 0, false
	}
	return c.LOCThresholds[i], true
}

// Edition finds an edition by its key.
func (c *Catalog) Edition(key string) (Edition, bool) {
	return find(c.Editions, func(e Edition) bool { return e.Key == key })
}

// Language finds a language by its key.
func (c *Catalog) Language(key string) (Language, bool) {
	return find(c.Languages, func(l Language) bool { return l.Key == key })
}

// Feature finds a feature by its key.
func (c *Catalog) Feature(key string) (Feature, bool) {
	return find(c.Features, func(f Feature) bool { return f.Key == key })
}

// LicensePlugin is in every key: a client rejects a key without it (client-contract.md §5).
const LicensePlugin = "license"

// LicensePlugins returns the plugins that a license lists: those of the edition's package, and extra ones for the
// languages beyond it. The server removes commercial plugins that are not listed (client-contract.md §5).
func (c *Catalog) LicensePlugins(edition string, languages []string) (all, extra []string) {
	e, _ := c.Edition(edition)
	all = slices.Clone(e.Plugins)
	if !slices.Contains(all, LicensePlugin) {
		all = append([]string{LicensePlugin}, all...)
	}
	for _, key := range languages {
		if l, _ := c.Language(key); l.Plugin != "" && !slices.Contains(all, l.Plugin) {
			all, extra = append(all, l.Plugin), append(extra, l.Plugin)
		}
	}
	return all, extra
}

// Version finds a version of the product by its number, "6.7.1".
func (c *Catalog) Version(number string) (ProductVersion, bool) {
	return find(c.Versions, func(v ProductVersion) bool { return v.Version == number })
}

// Newest returns the newest version of the product.
func (c *Catalog) Newest() ProductVersion { return c.Versions[len(c.Versions)-1] }

// Package finds the package of an edition for a version of the product, withdrawn or not.
func (c *Catalog) Package(edition, version string) (Package, bool) {
	return find(c.Packages, func(p Package) bool {
		return p.Edition == edition && p.Version == version && len(p.Jars) > 0
	})
}

// Jars returns the jars of all packages, each once, by file name.
func (c *Catalog) Jars() []Jar {
	var jars []Jar
	for _, p := range c.Packages {
		jars = append(jars, p.Jars...)
	}
	slices.SortFunc(jars, compareJars)
	return slices.Compact(jars)
}

func find[T any](list []T, is func(T) bool) (found T, ok bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	return found, false
}

// Column is a column of an edition's matrix: a line of the product, represented by its newest patch.
type Column struct {
	ProductVersion
	Package *Package // nil: the edition has none for this version
	Offered bool     // the edition exists for this version
}

// Matrix returns the table of an edition's page: one column for each X.Y, newest first; none for an unknown edition.
func (c *Catalog) Matrix(edition string) []Column {
	var columns []Column
	if _, ok := c.Edition(edition); !ok {
		return nil
	}
	for _, v := range slices.Backward(c.Versions) {
		if len(columns) > 0 && columns[len(columns)-1].Line == v.Line {
			continue
		}
		column := Column{ProductVersion: v, Offered: slices.Contains(v.Editions, edition)}
		if p, ok := c.Package(edition, v.Version); ok {
			column.Package = &p
		}
		columns = append(columns, column)
	}
	return columns
}
