package site

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// installView is the data of install.html: how to install the package for one version, system and kind of server.
type installView struct {
	catalog.Edition
	Column    column // the version with its package
	Packages  []column
	System    string   // linux, windows or macos
	Cluster   bool     // the server is a cluster
	Old       []string // patterns of the jars to delete
	Surplus   []string // names of plugins that the visitor's edition has and this one has not
	Asked     string   // the version that was asked for and is not in the catalog
	Form      []web.Field
	Keep      []parameter
	Query     string
	TermsURL  string
	Sales     string
	Available bool // there is a package to install
}

const (
	linux   = "linux"
	windows = "windows"
	macOS   = "macos"
)

func (s *site) install(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	e, ok := c.Edition(r.PathValue("key"))
	if !ok {
		return unknownEdition()
	}
	query := r.URL.Query()
	q := linkQuery(query)
	if len(e.Plugins) == 0 {
		http.Redirect(w, r, "/editions/"+e.Key+q, http.StatusSeeOther)
		return nil
	}
	v := newInstallView(c, e, query)
	v.TermsURL, v.Sales = s.termsURL(c), s.mail.Sales.Email
	return s.renderPublic(w, "install.html", web.View{
		Title: "Install the " + e.Name + " on " + s.brand.Product + " " + v.Column.Version, Section: "editions",
		Query: q, Script: downloadScript, Connect: s.packageOrigins(c), Data: v,
	})
}

func newInstallView(c *catalog.Catalog, e catalog.Edition, query url.Values) installView {
	v := installView{
		Edition: e, System: linux, Keep: serverFields(query), Query: linkQuery(query),
		Cluster: e.Key == string(license.DataCenter) && query.Get("cluster") != "no",
	}
	if asked := query.Get("os"); asked == windows || asked == macOS {
		v.System = asked
	}
	versions := withPackage(c, e.Key)
	v.Column = chosen(versions, query.Get("version"))
	if asked, err := request.ParseVersion(query.Get("version")); err == nil && v.Column.Version != asked {
		v.Asked = asked
	}
	v.Packages = []column{v.Column}
	v.Available = v.Column.Package != nil && v.Column.Package.Withdrawn == ""
	from := sourceEdition(query)
	surplus := c.Beyond(string(from), e.Key).Plugins
	for _, p := range surplus {
		v.Surplus = append(v.Surplus, p.Name)
	}
	v.Old = oldJars(c, e.Plugins, surplus)
	v.Form = installForm(e, versions, v)
	return v
}

// withPackage returns the versions for which an edition has a package, newest first.
func withPackage(c *catalog.Catalog, edition string) (list []column) {
	for _, v := range slices.Backward(c.Versions) {
		if p, ok := c.Package(edition, v.Version); ok {
			list = append(list, newColumn(catalog.Column{ProductVersion: v, Package: &p, Offered: true}))
		}
	}
	return list
}

// chosen returns the version that was asked for, or the newest one whose package is not withdrawn.
func chosen(versions []column, asked string) (col column) {
	version, err := request.ParseVersion(asked)
	for _, v := range versions {
		switch {
		case err == nil && v.Version == version:
			return v
		case col.Package == nil || col.Package.Withdrawn != "" && v.Package.Withdrawn == "":
			col = v
		}
	}
	return col
}

// oldJars returns the patterns of all jars that packages have of an edition's plugins and some others.
func oldJars(c *catalog.Catalog, plugins []string, others []catalog.Plugin) (patterns []string) {
	for _, jar := range c.Jars() {
		of := func(p catalog.Plugin) bool { return p.Key == jar.Plugin }
		if slices.Contains(plugins, jar.Plugin) || slices.ContainsFunc(others, of) {
			patterns = append(patterns, jar.Pattern())
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

func installForm(e catalog.Edition, versions []column, v installView) []web.Field {
	version := web.Field{Name: "version", Label: "Version of your server", Type: "select", Value: v.Column.Version}
	for _, col := range versions {
		label := col.Version
		if col.LTS {
			label += " LTS"
		}
		version.Options = append(version.Options, web.Option{Value: col.Version, Label: label})
	}
	fields := []web.Field{version, {
		Name: "os", Label: "Operating system", Type: "select", Value: v.System, Options: []web.Option{
			{Value: linux, Label: "Linux"}, {Value: windows, Label: "Windows"}, {Value: macOS, Label: "macOS"},
		},
	}}
	if e.Key == string(license.DataCenter) {
		fields = append(fields, web.Field{
			Name: "cluster", Label: "Kind of server", Type: "select", Value: either(v.Cluster, "yes", "no"),
			Options: []web.Option{{Value: "yes", Label: "Cluster"}, {Value: "no", Label: "Single server"}},
		})
	}
	return fields
}

// Sum is the SHA-256 of the package in capitals, as Windows shows it.
func (v installView) Sum() string { return strings.ToUpper(v.Column.Package.SHA256) }

// OldPaths joins the patterns of old jars in the plugins' folder, for a command.
func (v installView) OldPaths(separator, folder string) string {
	paths := make([]string, len(v.Old))
	for i, pattern := range v.Old {
		paths[i] = folder + pattern
	}
	return strings.Join(paths, separator)
}

// termsURL returns the address of the terms and conditions of the packages.
func (s *site) termsURL(c *catalog.Catalog) string {
	return cmp.Or(s.brand.TermsURL, c.TermsURL, termsPath)
}

// packageOrigins returns the origins of the packages, from which the script of a page loads them.
func (s *site) packageOrigins(c *catalog.Catalog) (list []string) {
	addresses := []string{s.mail.Packages}
	for _, p := range c.Packages {
		addresses = append(addresses, p.URL)
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(list, origin) {
			list = append(list, origin)
		}
	}
	return list
}
