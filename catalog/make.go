package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
)

// Options has what the metadata leaves open.
type Options struct {
	SiteURL string // replaces ${SITE_URL}; may be "" if the metadata does not contain that
	BaseURL string // the folder of the packages; "" is SiteURL + "/downloads"
	Build   string // the build number in the names of the packages, digits
}

// ErrNoEdition means that no version has an edition, so that there is nothing to publish.
var ErrNoEdition = errors.New("catalog: no edition for any public version of the product from " + license.FirstVersion)

// Catalog makes the catalog. For each public version from license.FirstVersion and each edition it takes the highest
// compatible release of every plugin; an edition with a plugin that has none does not exist for that version. The error
// joins one error per fault, or is ErrNoEdition.
func (m *Metadata) Catalog(o Options) (*Catalog, error) {
	b := builder{Metadata: m, build: o.Build, named: map[string]bool{}, made: &Catalog{
		Format:        Format,
		SiteURL:       strings.TrimSuffix(o.SiteURL, "/"),
		Editions:      []Edition{},
		Versions:      []ProductVersion{},
		Plugins:       []Plugin{},
		Languages:     append([]Language{}, m.facts.languages...),
		Features:      []Feature{},
		LOCThresholds: append([]int64{}, m.facts.locThresholds...),
		Packages:      []Package{},
	}}
	b.addresses(o)
	b.editions()
	first := NewVersion(license.FirstVersion)
	for _, p := range m.products {
		if p.version.Compare(first) >= 0 {
			b.version(p)
		}
	}
	b.withdrawnEarlier()
	if err := errors.Join(b.faults...); err != nil {
		return nil, err
	}
	if len(b.made.Versions) == 0 {
		return nil, ErrNoEdition
	}
	return b.made, nil
}

// builder collects the catalog and its faults.
type builder struct {
	*Metadata
	made    *Catalog
	baseURL string
	build   string
	faults  []error
	named   map[string]bool // faults of jars, to report each once instead of once a version
}

// fault adds a fault, once: a fault of a plugin is found again for every version.
func (b *builder) fault(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if !slices.ContainsFunc(b.faults, func(known error) bool { return known.Error() == err.Error() }) {
		b.faults = append(b.faults, err)
	}
}

func (b *builder) addresses(o Options) {
	if !isNumber(o.Build) {
		b.fault("the build number %q is not a number", o.Build)
	}
	b.baseURL = strings.TrimSuffix(o.BaseURL, "/")
	if o.BaseURL == "" && o.SiteURL != "" {
		b.baseURL = b.made.SiteURL + "/downloads"
	}
	if b.baseURL == "" {
		b.fault("give a base URL or a site URL: the packages need an address")
	}
	for name, address := range map[string]string{"base": o.BaseURL, "site": o.SiteURL} {
		if address == "" {
			continue
		}
		parsed, err := url.Parse(address)
		if err == nil {
			err = checkURL(address)
		}
		if err != nil || parsed.Host == "" || strings.ContainsAny(address, "?#") || parsed.Scheme == "ftp" {
			b.fault("the %s URL %q is not an absolute http or https URL without ? and #", name, address)
		}
	}
	b.made.TermsURL = b.address(factsFile, "termsUrl", b.facts.termsURL)
}

// address replaces the marker of the site's address.
func (b *builder) address(file, property, text string) string {
	if strings.Contains(text, siteMarker) && b.made.SiteURL == "" {
		b.fault("%s: property %s contains %s, but no site URL is given", file, property, siteMarker)
	}
	return strings.ReplaceAll(text, siteMarker, b.made.SiteURL)
}

func (b *builder) editions() {
	used := make(map[string]bool)
	for _, t := range b.templates {
		e := Edition{
			Key:               t.key,
			Name:              t.name,
			TextDescription:   t.textDescription,
			HomeURL:           b.address(templatesFile, t.key+".homeUrl", t.homeURL),
			LicenseRequestURL: b.address(templatesFile, t.key+".requestLicenseUrl", t.requestLicenseURL),
			Plugins:           append([]string{}, t.plugins...),
			Languages:         []string{},
			Features:          []string{},
		}
		for _, l := range b.facts.languages {
			if l.Plugin == "" || slices.Contains(t.plugins, l.Plugin) {
				e.Languages = append(e.Languages, l.Key)
			}
		}
		for _, f := range b.facts.features {
			if slices.Contains(f.editions, t.key) {
				e.Features = append(e.Features, f.Key)
			}
		}
		b.made.Editions = append(b.made.Editions, e)
		for _, key := range t.plugins {
			used[key] = true
			if p := b.plugins[key]; p == nil {
				b.fault("%s: edition %s: plugin %s is not defined: plugins in %s does not list it",
					templatesFile, t.key, key, versionsFile)
			} else if len(p.releases) == 0 {
				b.fault("%s: edition %s: plugin %s is not defined: %[3]s.properties has no public or archived release",
					templatesFile, t.key, key)
			}
		}
	}
	for _, f := range b.facts.features {
		b.made.Features = append(b.made.Features, f.Feature)
	}
	for _, key := range slices.Sorted(maps.Keys(used)) {
		if p := b.plugins[key]; p != nil {
			b.checkRanges(p)
			b.made.Plugins = append(b.made.Plugins, Plugin{Key: key, Name: p.name, Description: p.description})
		}
	}
}

// checkRanges refuses malformed entries of sqVersions, in the plugins that packages contain.
func (b *builder) checkRanges(p *plugin) {
	for _, r := range p.releases {
		if r.malformed != "" {
			b.fault("%s.properties: plugin %[1]s: release %s: sqVersions: %q is not a version or a range [first,last]",
				p.key, r.version, r.malformed)
		}
	}
}

// version adds a version of the product with its editions and packages, unless it has no edition.
func (b *builder) version(p product) {
	key, err := p.version.key()
	if err != nil {
		b.fault("%s: publicVersions: %w", versionsFile, err)
		return
	}
	v := ProductVersion{
		Version:      key,
		Line:         p.version.line(),
		Date:         p.date.Format(time.DateOnly),
		LTS:          p.version.line() == b.lts.line(),
		Description:  p.description,
		ChangelogURL: p.changelogURL,
		Editions:     []string{},
	}
	for _, t := range b.templates {
		jars, ok := b.jars(t, p.version)
		if !ok {
			continue
		}
		v.Editions = append(v.Editions, t.key)
		if len(jars) > 0 {
			b.pack(t, p.version, key, jars)
		}
	}
	if len(v.Editions) == 0 {
		return
	}
	if !slices.Contains(v.Editions, community) {
		b.fault("%s: version %s would have no %s edition, without which the client's page breaks: "+
			"one of its plugins has no compatible release", templatesFile, key, community)
	}
	b.made.Versions = append(b.made.Versions, v)
}

// jars returns the files of an edition for a version of the product, by name; ok is false if a plugin has no compatible
// release.
func (b *builder) jars(t template, v Version) (jars []Jar, ok bool) {
	if keys := b.incompatible(t, v); len(keys) > 0 {
		b.made.LeftOut = append(b.made.LeftOut, LeftOut{v.String(), t.key, keys})
		return nil, false
	}
	for _, key := range t.plugins {
		p := b.plugins[key]
		r, _ := p.highest(v)
		jar, err := p.jar(r)
		if err != nil {
			if !b.named[err.Error()] {
				b.named[err.Error()] = true
				b.fault("%w (the %s edition for version %s needs it)", err, t.key, v)
			}
			continue
		}
		if other, ok := find(jars, func(j Jar) bool { return j.File == jar.File }); ok {
			b.fault("%s: edition %s: plugins %s and %s both contain %s",
				templatesFile, t.key, other.Plugin, key, jar.File)
			continue
		}
		jars = append(jars, jar)
	}
	slices.SortFunc(jars, compareJars)
	return jars, true
}

// incompatible returns the plugins of an edition that have no release for a version of the product.
func (b *builder) incompatible(t template, v Version) (keys []string) {
	for _, key := range t.plugins {
		p := b.plugins[key]
		if p != nil {
			if _, ok := p.highest(v); ok {
				continue
			}
		}
		keys = append(keys, key)
	}
	return keys
}

func compareJars(a, b Jar) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Plugin, b.Plugin), cmp.Compare(a.Release, b.Release))
}

func (b *builder) pack(t template, v Version, key string, jars []Jar) {
	file := fmt.Sprintf("%s-edition-%s.%s.%s.%s.zip", t.key, v.part(0), v.part(1), v.part(2), b.build)
	if other, ok := find(b.made.Packages, func(p Package) bool { return p.File == file }); ok {
		b.fault("%s: versions %s and %s would share the package %s", versionsFile, other.Version, key, file)
		return
	}
	b.made.Packages = append(b.made.Packages, Package{
		File:      file,
		Edition:   t.key,
		Version:   key,
		URL:       b.baseURL + "/" + file,
		Withdrawn: b.withdrawn[file],
		Jars:      jars,
	})
}

// withdrawnEarlier adds the withdrawn packages of earlier builds, without jars.
func (b *builder) withdrawnEarlier() {
	for _, file := range slices.Sorted(maps.Keys(b.withdrawn)) {
		if slices.ContainsFunc(b.made.Packages, func(p Package) bool { return p.File == file }) {
			continue
		}
		part := packageName().FindStringSubmatch(file)
		version := part[2] + "." + part[3]
		if part[4] != "0" {
			version += "." + part[4]
		}
		b.made.Packages = append(b.made.Packages, Package{
			File: file, Edition: part[1], Version: version, URL: b.baseURL + "/" + file,
			Withdrawn: b.withdrawn[file], Jars: []Jar{},
		})
	}
}
