package catalog_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/catalog"
)

// sound is small metadata without a fault: three versions, two plugins, all editions.
func sound() map[string]string {
	return map[string]string{
		"update-center-source.properties": `
plugins=cpp,license
publicVersions=6.6,6.7,6.7.1,7.0
privateVersions=6.5
ltsVersion=6.7.1
devVersion=7.1-SNAPSHOT
defaults.description=a version
defaults.downloadUrl=https://example.com/product.zip
defaults.changelogUrl=https://example.com/changes
6.6.date=2017-10-20
6.7.date=2017-11-07
6.7.1.date=2017-12-21
7.0.date=2018-02-02
`,
		"cpp.properties": `
name=C family
publicVersions=5.1
archivedVersions=5.0
defaults.description=a release
5.1.sqVersions=[6.7,LATEST]
5.1.date=2018-02-05
5.1.downloadUrl=https://example.com/sonar-cfamily-plugin-5.1.0.10083.jar
5.0.sqVersions=[6.7,6.7.1]
5.0.date=2017-11-07
5.0.downloadUrl=https://example.com/sonar-cfamily-plugin-5.0.0.9359.jar
`,
		"license.properties": `
publicVersions=3.2,3.3
defaults.description=a release
3.2.sqVersions=[6.7,6.7*]
3.2.date=2017-11-07
3.2.downloadUrl=https://example.com/license-3.2.jar
3.3.sqVersions=[7.0,LATEST]
3.3.date=2017-12-04
3.3.downloadUrl=https://example.com/license-3.3.jar
`,
		"edition-templates.properties": `
editions=community,developer,enterprise,datacenter
community.name=Community Edition
community.textDescription=Free
community.homeUrl=https://example.com/community
community.requestLicenseUrl=
community.plugins=
developer.name=Developer Edition
developer.textDescription=More
developer.homeUrl=https://example.com/developer
developer.requestLicenseUrl=https://example.com/request/developer
developer.plugins=license
enterprise.name=Enterprise Edition
enterprise.textDescription=Much more
enterprise.homeUrl=https://example.com/enterprise
enterprise.requestLicenseUrl=https://example.com/request/enterprise
enterprise.plugins=license,cpp
datacenter.name=Data Center Edition
datacenter.textDescription=Most
datacenter.homeUrl=https://example.com/datacenter
datacenter.requestLicenseUrl=https://example.com/request/datacenter
datacenter.plugins=license,cpp
`,
	}
}

// options are those with which sound metadata gives a catalog.
func options() catalog.Options {
	return catalog.Options{BaseURL: "https://downloads.example.com/", Build: "717"}
}

// generate is Read and Catalog in one.
func generate(files map[string]string, o catalog.Options) (*catalog.Catalog, error) {
	m, err := catalog.Read(folder(files), time.Now())
	if err != nil {
		return nil, err
	}
	return m.Catalog(o)
}

func mustGenerate(t *testing.T, files map[string]string) *catalog.Catalog {
	t.Helper()
	c, err := generate(files, options())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// change is an edit of one file: old becomes new, or new is appended where old is "".
type change struct{ file, old, new string }

const (
	versions  = "update-center-source.properties"
	templates = "edition-templates.properties"
	cpp       = "cpp.properties"
	lic       = "license.properties"
)

func (c change) apply(t *testing.T, files map[string]string) {
	t.Helper()
	switch {
	case c.old == "":
		files[c.file] += c.new + "\n"
	case !strings.Contains(files[c.file], c.old):
		t.Fatalf("%s holds no %q", c.file, c.old)
	default:
		files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
	}
}

func TestSoundMetadataIsAccepted(t *testing.T) {
	mustGenerate(t, sound())
}

func TestFaultsAreRefusedByName(t *testing.T) {
	tests := []struct {
		name    string
		changes []change
		want    []string // all in one line of the error
	}{
		{"no date", []change{{cpp, "5.1.date=2018-02-05", ""}}, []string{"cpp.properties", "plugin cpp", "release 5.1", "date"}},
		{"blank date", []change{{cpp, "5.1.date=2018-02-05", "5.1.date= "}}, []string{"plugin cpp", "release 5.1", "no date"}},
		{"blank value hides the default", []change{{cpp, "", "5.1.description="}}, []string{"plugin cpp", "release 5.1", "no description"}},
		{"date that is none", []change{{cpp, "2018-02-05", "February"}}, []string{"plugin cpp", "release 5.1", `"February"`, "yyyy-mm-dd"}},
		{"no description", []change{{cpp, "defaults.description=a release", ""}}, []string{"plugin cpp", "release 5.1", "no description"}},
		{"no download URL", []change{{cpp, "5.1.downloadUrl", "5.1.url"}}, []string{"plugin cpp", "release 5.1", "no downloadUrl"}},
		{"broken download URL", []change{{cpp, "https://example.com/sonar-cfamily-plugin-5.1", "hhttps://example.com/sonar"}}, []string{"plugin cpp", "release 5.1", "downloadUrl", "http"}},
		{"download URL with a blank", []change{{cpp, "/sonar-cfamily-plugin-5.1", "/a plugin-5.1"}}, []string{"plugin cpp", "release 5.1", "not a valid URL"}},
		{"no compatible version", []change{{cpp, "5.1.sqVersions=[6.7,LATEST]", ""}}, []string{"plugin cpp", "release 5.1", "no sqVersions"}},
		{"range without a version", []change{{cpp, "[6.7,LATEST]", "[5.0,5.6]"}}, []string{"plugin cpp", "release 5.1", "[5.0,5.6]", "no public version"}},
		{"range the wrong way round", []change{{cpp, "[6.7,LATEST]", "[7.0,6.7]"}}, []string{"plugin cpp", "release 5.1", "[7.0,6.7]"}},
		{"range that means nothing", []change{{cpp, "[6.7,LATEST]", "[6.7,LATEST"}}, []string{"plugin cpp", "release 5.1", `"[6.7,LATEST"`, "not a version or a range"}},
		{"wildcard without a version", []change{{cpp, "[6.7,LATEST]", "[6.7,8.1*]"}}, []string{"plugin cpp", "release 5.1", "8.1*", "no public version"}},
		{"listed twice", []change{{cpp, "publicVersions=5.1", "publicVersions=5.1,5.1"}}, []string{"plugin cpp", "release 5.1", "listed twice"}},
		{"listed twice in two writings", []change{{cpp, "publicVersions=5.1", "publicVersions=5.1,5.1.0"}}, []string{"plugin cpp", "release 5.1.0", "listed twice"}},
		{"public and archived", []change{{cpp, "archivedVersions=5.0", "archivedVersions=5.0,5.1"}}, []string{"plugin cpp", "release 5.1", "both public and archived"}},
		{"two public releases for a version", []change{{lic, "[7.0,LATEST]", "[6.7.1,LATEST]"}}, []string{"plugin license", "release 3.3", "3.2", "version 6.7.1"}},
		{"LATEST on an older release", []change{{lic, "[6.7,6.7*]", "[6.7,LATEST]"}, {lic, "[7.0,LATEST]", "[7.0,7.0]"}}, []string{"plugin license", "release 3.2", "LATEST", "3.3"}},
		{"LATEST on an archived release below", []change{{cpp, "[6.7,6.7.1]", "[6.7,LATEST]"}}, []string{"plugin cpp", "release 5.0", "LATEST", "5.1"}},
		{"plugin file is missing", []change{{versions, "plugins=cpp,license", "plugins=cpp,license,abap"}}, []string{"abap.properties", "missing"}},
		{"plugin key that is a path", []change{{versions, "plugins=cpp", "plugins=../cpp,cpp"}}, []string{versions, `"../cpp"`}},
		{"edition asks for a plugin that nothing defines", []change{{templates, "developer.plugins=license", "developer.plugins=license,swift"}}, []string{templates, "edition developer", "plugin swift", "not defined"}},
		{"plugin has only private releases", []change{{cpp, "publicVersions=5.1", "privateVersions=5.1"}, {cpp, "archivedVersions=5.0", ""}}, []string{"plugin cpp", "not defined"}},
		{"template property is missing", []change{{templates, "developer.homeUrl", "developer.home"}}, []string{templates, "developer.homeUrl", "missing"}},
		{"list of editions is missing", []change{{templates, "editions=", "edition="}}, []string{templates, "editions", "missing"}},
		{"edition that clients do not know", []change{{templates, "editions=community", "editions=gold,community"}}, []string{templates, `"gold"`}},
		{"edition listed twice", []change{{templates, "editions=community", "editions=community,community"}}, []string{templates, "community is listed twice"}},
		{"the community edition is missing", []change{{templates, "editions=community,", "editions="}}, []string{templates, "the community edition is missing"}},
		{"a version would lose community", []change{{templates, "community.plugins=", "community.plugins=cpp"}, {cpp, "[6.7,6.7.1]", "[6.7,6.7]"}, {cpp, "[6.7,LATEST]", "[7.0,LATEST]"}}, []string{"version 6.7.1", "community"}},
		{"request URL with a question mark", []change{{templates, "/request/developer", "/request?edition=developer"}}, []string{templates, "developer.requestLicenseUrl", "?"}},
		{"request URL with a fragment", []change{{templates, "/request/developer", "/request#developer"}}, []string{templates, "developer.requestLicenseUrl", "#"}},
		{"request URL that is relative", []change{{templates, "https://example.com/request/developer", "/request/developer"}}, []string{templates, "developer.requestLicenseUrl", "absolute"}},
		{"request URL that runs a script", []change{{templates, "https://example.com/request/developer", "javascript:alert(1)"}}, []string{templates, "developer.requestLicenseUrl"}},
		{"site address is not given", []change{{templates, "https://example.com/developer", "${SITE_URL}/developer"}}, []string{templates, "developer.homeUrl", "site URL"}},
		{"version without date", []change{{versions, "7.0.date=2018-02-02", ""}}, []string{versions, "version 7.0", "no date"}},
		{"version without description", []change{{versions, "defaults.description=a version", ""}}, []string{versions, "version 7.0", "no description"}},
		{"version without download URL", []change{{versions, "defaults.downloadUrl", "downloadUrl"}}, []string{versions, "version 7.0", "no downloadUrl"}},
		{"version without change log", []change{{versions, "defaults.changelogUrl", "changelogUrl"}}, []string{versions, "version 7.0", "no changelogUrl"}},
		{"version listed twice", []change{{versions, "6.7.1,7.0", "6.7.1,7.0,7.0"}}, []string{versions, "version 7.0", "listed twice"}},
		{"version that no server can look up", []change{{versions, "6.7.1,7.0", "6.7.1,7.0,7.1-RC1"}, {versions, "", "7.1-RC1.date=2018-04-01"}}, []string{versions, `"7.1-RC1"`}},
		{"no versions", []change{{versions, "publicVersions", "versions"}}, []string{versions, "publicVersions"}},
		{"LTS is missing", []change{{versions, "ltsVersion", "lts"}}, []string{versions, "ltsVersion"}},
		{"LTS is not public", []change{{versions, "ltsVersion=6.7.1", "ltsVersion=6.5"}}, []string{versions, "ltsVersion 6.5"}},
		{"malformed escape", []change{{cpp, "name=C family", `name=\u00g0`}}, []string{"cpp.properties", "line 2"}},
		{"packaged archived release without a URL", []change{{cpp, "5.0.downloadUrl", "5.0.url"}, {cpp, "[6.7,LATEST]", "[7.0,LATEST]"}}, []string{"plugin cpp", "release 5.0", "the datacenter edition for version 6.7 needs it"}},
		{"package file is no jar", []change{{cpp, ".10083.jar", ".10083.zip"}}, []string{"plugin cpp", "release 5.1", "name of a jar"}},
		{"jar name that leaves the folder", []change{{cpp, "/sonar-cfamily-plugin-5.1.0.10083.jar", "/..%2f..%2fetc.jar"}}, []string{"plugin cpp", "release 5.1", "name of a jar"}},
		{"two plugins bring one jar", []change{{lic, "license-3.3.jar", "sonar-cfamily-plugin-5.1.0.10083.jar"}}, []string{"license", "cpp", "sonar-cfamily-plugin-5.1.0.10083.jar"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := sound()
			for _, c := range test.changes {
				c.apply(t, files)
			}
			c, err := generate(files, options())
			if err == nil {
				t.Fatal("accepted")
			}
			if c != nil {
				t.Error("a catalog beside the error")
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !slices.ContainsFunc(test.want, func(part string) bool { return !strings.Contains(line, part) }) {
					return
				}
			}
			t.Errorf("no line names %q:\n%v", test.want, err)
		})
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	files := sound()
	for _, c := range []change{
		{cpp, "5.1.date=2018-02-05", ""}, {lic, "3.3.date=2017-12-04", ""}, {templates, "developer.name", "x"}, {versions, "7.0.date=2018-02-02", ""},
	} {
		c.apply(t, files)
	}
	_, err := generate(files, options())
	for _, want := range []string{"plugin cpp: release 5.1", "plugin license: release 3.3", "developer.name",
		"version 7.0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	for name := range sound() {
		files := sound()
		delete(files, name)
		if _, err := generate(files, options()); err == nil ||
			!strings.Contains(err.Error(), name+": the file is missing") {
			t.Errorf("without %s: got %v", name, err)
		}
	}
}

func TestNoEditionHasItsOwnError(t *testing.T) {
	files := sound()
	for _, c := range []change{
		{versions, "publicVersions=6.6,6.7,6.7.1,7.0", "publicVersions=6.6"},
		{versions, "ltsVersion=6.7.1", "ltsVersion=6.6"},
		{cpp, "[6.7,LATEST]", "[6.6,LATEST]"}, {lic, "[6.7,6.7*]", "[6.5,6.5]"}, {lic, "[7.0,LATEST]", "[6.6,LATEST]"}, {lic, "publicVersions=3.2,3.3", "publicVersions=3.3"},
	} {
		c.apply(t, files)
	}
	if _, err := generate(files, options()); err != catalog.ErrNoEdition {
		t.Errorf("got %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]catalog.Options{
		"no build":              {BaseURL: "https://example.com"},
		"build is no number":    {BaseURL: "https://example.com", Build: "../7"},
		"no address":            {Build: "1"},
		"base URL is relative":  {BaseURL: "/downloads", Build: "1"},
		"base URL with a query": {BaseURL: "https://example.com/?a=", Build: "1"},
		"base URL with no host": {BaseURL: "https:///downloads", Build: "1"},
		"site URL is no URL":    {SiteURL: "example.com", Build: "1"},
		"site URL with a blank": {SiteURL: "https://exa mple.com", Build: "1"},
	} {
		if _, err := generate(sound(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestNotationDoesNotMatter holds the corners of the properties format against the plain form.
func TestNotationDoesNotMatter(t *testing.T) {
	want := string(mustGenerate(t, sound()).EditionsJSON())
	for name, rewrite := range map[string]func(string) string{
		"CR LF":              func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"colons":             func(s string) string { return strings.ReplaceAll(s, "=", ": ") },
		"blanks around =":    func(s string) string { return strings.ReplaceAll(s, "=", " = ") },
		"byte-order mark":    func(s string) string { return "\ufeff" + strings.TrimPrefix(s, "\n") },
		"blanks in lists":    func(s string) string { return strings.ReplaceAll(s, ",", " , ") },
		"continuation lines": func(s string) string { return strings.ReplaceAll(s, ",", ",\\\n    ") },
		"escapes":            func(s string) string { return strings.ReplaceAll(s, "e", `\u0065`) },
		"empty entries":      func(s string) string { return strings.ReplaceAll(s, "Versions=6.6", "Versions=,6.6,,") },
		"Latin-1":            func(s string) string { return strings.Replace(s, "C family", "famille C \xe9tendue", 1) },
		"indented, comments": func(s string) string { return "# c\n! c \\\n" + strings.ReplaceAll(s, "\n", "\n \t") },
	} {
		files := sound()
		for file := range maps.Clone(files) {
			files[file] = rewrite(files[file])
		}
		c, err := generate(files, options())
		if err != nil {
			t.Errorf("%s: got %v", name, err)
		} else if got := string(c.EditionsJSON()); got != want {
			t.Errorf("%s: the catalog differs:\n%s", name, got)
		}
	}
}

func TestTemplatesMustBeUTF8(t *testing.T) {
	files := sound()
	change{templates, "Free", "Libert\xe9"}.apply(t, files)
	if _, err := generate(files, options()); err == nil ||
		!strings.Contains(err.Error(), templates+": the file is not UTF-8") {
		t.Errorf("got %v", err)
	}
}

// TestFaultsOutsideTheEditionsAreIgnored: metadata of some years holds such entries in plugins that no edition has.
func TestFaultsOutsideTheEditionsAreIgnored(t *testing.T) {
	for _, c := range []change{
		{"", "sqVersions=[6.7,6.7.1]", "sqVersions=[6.6][6.7,7.0]"},
		{"", "sqVersions=[6.7,6.7.1]", "sqVersions=[6.7,6.7.1]]"},
		{"", "sqVersions=[6.7,6.7.1]", "sqVersions=7.6+"},
		{"", "date=2018-01-01", "date=2016-19-20"},
		{"", "date=2018-01-01", "date=08-06-2015"},
	} {
		files := sound()
		files["dirty.properties"] = "publicVersions=1.0\n1.0.description=d\n1.0.sqVersions=[6.7,6.7.1]\n1.0.date=2018-01-01\n1.0.downloadUrl=https://example.com/d.jar\n"
		change{versions, "plugins=", "plugins=dirty,"}.apply(t, files)
		c.file = "dirty.properties"
		c.apply(t, files)
		if _, err := generate(files, options()); err != nil {
			t.Errorf("%s: got %v", c.new, err)
		}
	}
}
