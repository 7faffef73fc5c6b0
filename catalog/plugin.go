package catalog

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"

	"marketplace/shared/lazyregexp"
)

// plugin is the content of <key>.properties: the public and the archived releases, oldest first.
type plugin struct {
	key         string
	name        string
	description string
	releases    []release
}

type release struct {
	compatibility
	version     Version
	public      bool // else archived
	downloadURL string
}

// jar returns the file of a release for a package. Its name does not follow from the plugin's key.
func (p *plugin) jar(r release) (Jar, error) {
	if r.downloadURL == "" {
		return Jar{}, fmt.Errorf("%s.properties: plugin %[1]s: release %s: no downloadUrl, so its jar has no name",
			p.key, r.version)
	}
	jar := Jar{Plugin: p.key, Release: r.version.String()}
	if address, err := url.Parse(r.downloadURL); err == nil {
		jar.File = path.Base(address.EscapedPath())
	}
	if !jar.Plain() {
		return Jar{}, fmt.Errorf("%s.properties: plugin %[1]s: release %s: "+
			"downloadUrl %s does not end in the name of a jar", p.key, r.version, r.downloadURL)
	}
	return jar, nil
}

// highest returns the highest release that runs on a product version.
func (p *plugin) highest(v Version) (release, bool) {
	for _, r := range slices.Backward(p.releases) {
		if r.supports(v) {
			return r, true
		}
	}
	return release{}, false
}

var pluginKey = lazyregexp.New(`^[0-9A-Za-z]+$`)

// readPlugins reads the file of each plugin in the list "plugins". A plugin without a public or archived release counts
// as not defined.
func readPlugins(dir fs.FS, s *source, versions products, templates []template) map[string]*plugin {
	plugins := make(map[string]*plugin)
	for _, key := range s.list("plugins") {
		if plugins[key] != nil {
			continue
		}
		if !pluginKey().MatchString(key) {
			s.fault("plugins: the plugin key %q has characters other than letters and digits", key)
			continue
		}
		needed := slices.ContainsFunc(templates, func(t template) bool { return slices.Contains(t.plugins, key) })
		file, ok := open(dir, key+".properties", needed, s.report)
		if !ok {
			continue
		}
		plugins[key] = readPlugin(file, key, versions)
	}
	return plugins
}

func readPlugin(s *source, key string, versions products) *plugin {
	p := &plugin{key: key, name: s.value("name"), description: s.value("description")}
	if p.name == "" {
		p.name = key
	}
	for _, listing := range []string{"publicVersions", "archivedVersions"} {
		for _, name := range s.list(listing) {
			p.add(s, name, listing, versions)
		}
	}
	slices.SortFunc(p.releases, func(a, b release) int { return a.version.Compare(b.version) })
	p.checkOverlap(s)
	p.checkLatest(s)
	return p
}

// entry returns the properties of a release in the plugin's file.
func (p *plugin) entry(s *source, release string) entry {
	return entry{source: s, name: release, subject: "plugin " + p.key + ": release " + release + ": "}
}

func (p *plugin) add(s *source, name, listing string, versions products) {
	e := p.entry(s, name)
	r := release{version: NewVersion(name), public: listing == "publicVersions"}
	for _, known := range p.releases {
		if known.version.Compare(r.version) == 0 {
			if known.public != r.public {
				e.fault("it is both public and archived")
			} else {
				e.fault("it is listed twice in %s", listing)
			}
			return
		}
	}
	e.date(r.public)
	r.downloadURL = e.url("downloadUrl", r.public)
	e.url("changelogUrl", false)
	text := e.value("sqVersions")
	if r.public {
		e.required("description")
		text = e.required("sqVersions")
	}
	var err error
	r.compatibility, err = versions.compatibility(text)
	if err != nil {
		e.fault("sqVersions: %w", err)
	} else if r.public && text != "" && len(r.versions) == 0 {
		e.fault("sqVersions %s: %w", text, errNoVersion)
	}
	p.releases = append(p.releases, r)
}

// checkOverlap refuses two public releases for one product version. Archived ones may overlap: the highest counts.
func (p *plugin) checkOverlap(s *source) {
	var public []release
	for _, r := range p.releases {
		if !r.public {
			continue
		}
		for _, other := range public {
			if v := slices.IndexFunc(r.versions, other.supports); v >= 0 {
				p.entry(s, r.version.String()).slip("it and release %s are both public for version %s of the product",
					other.version, r.versions[v])
			}
		}
		public = append(public, r)
	}
}

func (p *plugin) checkLatest(s *source) {
	for i, r := range p.releases {
		if r.latest && i < len(p.releases)-1 {
			newest := p.releases[len(p.releases)-1].version
			p.entry(s, r.version.String()).
				slip("only the newest release, %s, may be compatible with %s", newest, latest)
		}
	}
}
