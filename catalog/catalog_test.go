package catalog_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/catalog"
	"marketplace/catalog/data"
)

const vendorData = "../../shared/data"

// vendorCatalog makes the catalog of the vendor's metadata beside the checkout.
func vendorCatalog(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	if _, err := os.Stat(vendorData); err != nil {
		tb.Skip("../shared/data is not beside this checkout")
	}
	m, err := catalog.Read(os.DirFS(vendorData+"/release-metadata-2018-02-26"), time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{BaseURL: "https://downloads.example.com/editions", Build: "717"})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestVendorMetadataGivesTheVendorsBytes(t *testing.T) {
	want, err := os.ReadFile(vendorData + "/editions-2018-02-26.json")
	if err != nil {
		t.Skip("../shared/data is not beside this checkout")
	}
	if got := vendorCatalog(t).EditionsJSON(); string(got) != string(want) {
		t.Errorf("editions.json differs from the vendor's:\n%s", got)
	}
}

func TestVendorMetadataGivesTheVendorsPackages(t *testing.T) {
	list, err := os.ReadFile(vendorData + "/packages-2018-02-26.txt")
	if err != nil {
		t.Skip("../shared/data is not beside this checkout")
	}
	lines := strings.Split(strings.TrimSpace(string(list)), "\n")
	want := make(map[string]string)
	for i := 0; i+1 < len(lines); i += 2 {
		want[strings.TrimSpace(lines[i])] = strings.TrimSpace(lines[i+1])
	}
	got := make(map[string]string)
	for _, p := range vendorCatalog(t).Packages {
		var jars []string
		for _, jar := range p.Jars {
			jars = append(jars, jar.File)
		}
		got[p.File] = strings.Join(jars, " ")
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// offers are the editions of each version, "6.7 community", with the jars of their packages.
func offers(c *catalog.Catalog) map[string]string {
	all := make(map[string]string)
	for _, v := range c.Versions {
		for _, e := range v.Editions {
			var jars []string
			if p, ok := c.Package(e, v.Version); ok {
				for _, jar := range p.Jars {
					jars = append(jars, jar.File)
				}
			}
			all[v.Version+" "+e] = strings.Join(jars, " ")
		}
	}
	return all
}

func TestEditionTakesHighestCompatibleReleaseOfEachPlugin(t *testing.T) {
	got := offers(mustGenerate(t, sound()))
	const family, old, new = "sonar-cfamily-plugin-5.1.0.10083.jar", "license-3.2.jar", "license-3.3.jar"
	want := map[string]string{
		"6.7 community": "", "6.7 developer": old, "6.7 enterprise": old + " " + family, "6.7 datacenter": old + " " + family,
		"6.7.1 community": "", "6.7.1 developer": old, "6.7.1 enterprise": old + " " + family, "6.7.1 datacenter": old + " " + family,
		"7.0 community": "", "7.0 developer": new, "7.0 enterprise": new + " " + family, "7.0 datacenter": new + " " + family,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestEditionIsLeftOutIfOnePluginHasNoRelease(t *testing.T) {
	files := sound()
	change{cpp, "[6.7,LATEST]", "[7.0,LATEST]"}.apply(t, files)
	change{cpp, "[6.7,6.7.1]", "[6.7.1,6.7.1]"}.apply(t, files)
	c := mustGenerate(t, files)
	for version, want := range map[string][]string{
		"6.7":   {"community", "developer"},
		"6.7.1": {"community", "datacenter", "developer", "enterprise"},
	} {
		if v, _ := c.Version(version); !slices.Equal(v.Editions, want) {
			t.Errorf("%s: got %q, want %q", version, v.Editions, want)
		}
	}
	if p, _ := c.Package("enterprise", "6.7.1"); p.Jars[1].Release != "5.0" {
		t.Errorf("6.7.1: got release %s of cpp, want the archived 5.0", p.Jars[1].Release)
	}
}

func TestPrivateReleasesAndVersionsAreIgnored(t *testing.T) {
	files := sound()
	change{
		cpp,
		"",
		"privateVersions=6.0\n6.0.sqVersions=[6.7,LATEST]\n6.0.date=2019-01-01\n6.0.downloadUrl=https://example.com/six.jar",
	}.apply(
		t,
		files,
	)
	change{versions, "privateVersions=6.5", "privateVersions=6.5,9.9"}.apply(t, files)
	c := mustGenerate(t, files)
	if p, _ := c.Package("enterprise", "7.0"); p.Jars[1].Release != "5.1" {
		t.Errorf("7.0: got release %s of cpp", p.Jars[1].Release)
	}
	if _, ok := c.Version("9.9"); ok {
		t.Error("9.9 is in the catalog")
	}
}

func TestZeroPatchIsLeftOut(t *testing.T) {
	files := sound()
	for _, c := range []change{{versions, "6.7.1,7.0", "6.7.1,7.0.0"}, {versions, "7.0.date", "7.0.0.date"}} {
		c.apply(t, files)
	}
	c := mustGenerate(t, files)
	if c.Newest().Version != "7.0" {
		t.Errorf("the newest version is %s", c.Newest().Version)
	}
	if p, _ := c.Package("developer", "7.0"); p.URL != "https://downloads.example.com/developer-edition-7.0.0.717.zip" {
		t.Errorf("its package is %s", p.URL)
	}
}

// TestRandomMetadataKeepsTheRules checks the rule of client-contract.md §2 against a plain restatement of it, on random
// ranges.
func TestRandomMetadataKeepsTheRules(t *testing.T) {
	product := []string{"6.6", "6.7", "6.7.1", "6.7.2", "7.0", "7.1"}
	rapid.Check(t, func(t *rapid.T) {
		files := sound()
		files[versions] = "plugins=cpp,license\npublicVersions=" + strings.Join(product, ",") + "\nltsVersion=6.7\n" +
			"defaults.date=2018-01-01\ndefaults.description=d\ndefaults.downloadUrl=https://example.com/p\ndefaults.changelogUrl=https://example.com/c\n"
		runs := make(map[string]map[string]int) // plugin → version → highest release
		for _, plugin := range []string{"cpp", "license"} {
			runs[plugin] = make(map[string]int)
			text := "defaults.date=2018-01-01\ndefaults.description=d\n"
			var archived []string
			for release := 1; release <= rapid.IntRange(1, 4).Draw(t, "releases"); release++ {
				low := rapid.IntRange(0, len(product)-1).Draw(t, "low")
				high := rapid.IntRange(low, len(product)-1).Draw(t, "high")
				archived = append(archived, fmt.Sprintf("%d.0", release))
				text += fmt.Sprintf(
					"%d.0.sqVersions=[%s,%s]\n%[1]d.0.downloadUrl=https://example.com/%[4]s-%[1]d.jar\n",
					release,
					product[low],
					product[high],
					plugin,
				)
				for _, v := range product[low : high+1] {
					runs[plugin][v] = release
				}
			}
			order := rapid.Permutation(archived).Draw(t, "order")
			files[plugin+".properties"] = text + "archivedVersions=" + strings.Join(order, ",") + "\n"
		}
		c, err := generate(files, options())
		if err != nil {
			t.Fatal(err)
		}
		got := offers(c)
		for _, v := range product[1:] {
			want := make(map[string]string)
			want["community"] = ""
			if l := runs["license"][v]; l > 0 {
				want["developer"] = fmt.Sprintf("license-%d.jar", l)
				if f := runs["cpp"][v]; f > 0 {
					want["enterprise"] = fmt.Sprintf("cpp-%d.jar license-%d.jar", f, l)
				}
			}
			for _, e := range []string{"community", "developer", "enterprise"} {
				jars, offered := got[v+" "+e]
				wantJars, wantOffered := want[e]
				if jars != wantJars || offered != wantOffered {
					t.Fatalf("%s %s: got %q %v, want %q %v", v, e, jars, offered, wantJars, wantOffered)
				}
			}
		}
	})
}

func TestSiteAddressesComeFromTheOptions(t *testing.T) {
	files := sound()
	change{templates, "https://example.com/developer", "${SITE_URL}/editions/developer"}.apply(t, files)
	change{templates, "https://example.com/request/developer", "${SITE_URL}/request/developer"}.apply(t, files)
	c, err := generate(files, catalog.Options{SiteURL: "https://site.example.com/", Build: "717"})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := c.Edition("developer")
	p, _ := c.Package("developer", "6.7")
	for got, want := range map[string]string{
		e.HomeURL:           "https://site.example.com/editions/developer",
		e.LicenseRequestURL: "https://site.example.com/request/developer",
		p.URL:               "https://site.example.com/downloads/developer-edition-6.7.0.717.zip",
		c.SiteURL:           "https://site.example.com",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestMatrixHasOneColumnForEachLine(t *testing.T) {
	files := sound()
	change{cpp, "[6.7,LATEST]", "[7.0,LATEST]"}.apply(t, files)
	change{cpp, "[6.7,6.7.1]", "[6.7,6.7]"}.apply(t, files)
	change{versions, "ltsVersion=6.7.1", "ltsVersion=6.7"}.apply(t, files) // the whole line is the LTS, its patches too
	c := mustGenerate(t, files)
	columns := c.Matrix("enterprise")
	if len(columns) != 2 {
		t.Fatalf("%d columns", len(columns))
	}
	newest, lts := columns[0], columns[1]
	if newest.Line != "7.0" || newest.LTS || newest.Date != "2018-02-02" || newest.Package == nil ||
		newest.Package.File != "enterprise-edition-7.0.0.717.zip" {
		t.Errorf("first column: got %+v", newest)
	}
	if lts.Line != "6.7" || lts.Version != "6.7.1" || !lts.LTS || lts.Offered || lts.Package != nil {
		t.Errorf("second column: got %+v", lts)
	}
	if community := c.Matrix("community"); !community[0].Offered || community[0].Package != nil {
		t.Errorf("community: got %+v", community[0])
	}
	if c.Matrix("gold") != nil {
		t.Error("an edition that does not exist has columns")
	}
}

func TestWithdrawnPackages(t *testing.T) {
	files := sound()
	files["withdrawn.properties"] = "developer-edition-6.7.1.717.zip=It held a wrong jar.\ndeveloper-edition-6.7.0.716.zip=An earlier build.\n"
	c := mustGenerate(t, files)
	if p, _ := c.Package("developer", "6.7.1"); p.Withdrawn != "It held a wrong jar." {
		t.Errorf("got %q", p.Withdrawn)
	}
	if p, ok := c.Package("developer", "6.7"); !ok || p.Withdrawn != "" || p.File != "developer-edition-6.7.0.717.zip" {
		t.Errorf("the current package of 6.7 is %+v", p)
	}
	last := c.Packages[len(c.Packages)-1]
	if last.File != "developer-edition-6.7.0.716.zip" || last.Version != "6.7" || last.Edition != "developer" ||
		last.Withdrawn == "" {
		t.Errorf("the earlier build is %+v", last)
	}
	for _, bad := range []string{"../etc.zip=no", "developer-edition-6.7.0.717.zip=", "gold-edition-6.7.0.717.zip=no"} {
		files["withdrawn.properties"] = bad
		if _, err := generate(files, options()); err == nil || !strings.Contains(err.Error(), "withdrawn.properties") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestFactsAreChecked(t *testing.T) {
	for facts, want := range map[string]string{
		"languages=abap": "language.abap.name",
		"features=a":     "feature.a.name",
		"features=a\nfeature.a.name=A\nfeature.a.editions=gold": "gold",
		"locThresholds=100,100":                                 `"100"`,
		"locThresholds=1e6":                                     `"1e6"`,
		"locThresholds=9223372036854775808":                     `"9223372036854775808"`,
		"locThresholds=-1":                                      `"-1"`,
	} {
		files := sound()
		files["product.properties"] = facts
		if _, err := generate(files, options()); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "product.properties") {
			t.Errorf("%s: got %v", facts, err)
		}
	}
}

func TestSampleMetadata(t *testing.T) {
	m, err := catalog.Read(data.Files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: data.Build})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Versions {
		if !slices.Equal(v.Editions, []string{"community", "datacenter", "developer", "enterprise"}) {
			t.Errorf("%s has %q", v.Version, v.Editions)
		}
	}
	if len(c.Versions) != 7 || len(c.Plugins) != 15 || len(c.Packages) != 21 {
		t.Errorf("%d versions, %d plugins, %d packages", len(c.Versions), len(c.Plugins), len(c.Packages))
	}
	for _, l := range c.Languages {
		if l.Plugin != "" && !slices.ContainsFunc(c.Plugins, func(p catalog.Plugin) bool { return p.Key == l.Plugin }) {
			t.Errorf("language %s comes from plugin %s, which no edition has", l.Key, l.Plugin)
		}
	}
	for key, want := range map[string]int{"community": 9, "developer": 17, "enterprise": 21, "datacenter": 21} {
		if e, _ := c.Edition(key); len(e.Languages) != want {
			t.Errorf("%s has %d languages, want %d", key, len(e.Languages), want)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	dir := os.DirFS(vendorData + "/release-metadata-2018-02-26")
	if _, err := os.Stat(vendorData); err != nil {
		dir = data.Files
	}
	b.ReportAllocs()
	for b.Loop() {
		m, err := catalog.Read(dir, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: "717"})
		if err != nil {
			b.Fatal(err)
		}
		c.EditionsJSON()
	}
}
