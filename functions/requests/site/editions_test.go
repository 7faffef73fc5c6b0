package site

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/catalog"
	"marketplace/shared/web/webtest"
)

// marks returns the cells of a row of the comparison: "yes", "no" or a text.
func marks(doc *goquery.Document, row string) string {
	var list []string
	doc.Find(".compare tbody tr").Each(func(_ int, tr *goquery.Selection) {
		th := tr.Find("th[scope=row]").Clone()
		th.Find("small").Remove()
		if webtest.Text(th) != row {
			return
		}
		tr.Find("td").Each(func(_ int, td *goquery.Selection) {
			list = append(list, strings.ToLower(webtest.Text(td)))
		})
	})
	return strings.Join(list, ", ")
}

func TestComparisonShowsTheEditionsSideBySide(t *testing.T) {
	doc := newTestEnv(t).get("/editions").WantStatus(200).Page()
	heads := doc.Find(".compare thead th a").Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("href", "")
	})
	if want := []string{"/editions/community", "/editions/developer", "/editions/enterprise",
		"/editions/datacenter"}; !slices.Equal(heads, want) {
		t.Errorf("got columns %q, want %q", heads, want)
	}
	for row, want := range map[string]string{
		"Branch analysis":   "no, yes, yes, yes",
		"High availability": "no, no, no, yes",
		"C#, Flex, HTML, Java, JavaScript, PHP, Python, TypeScript, XML": "yes, yes, yes, yes",
		"COBOL":                     "no, no, yes, yes",
		"SonarCFamily":              "no, yes, yes, yes",
		"7.1":                       "yes, yes, yes, yes",
		"7.0":                       "yes, yes, withdrawn, yes",
		"6.7.4 (long-term support)": "yes, yes, yes, yes",
		"Cluster":                   "no, no, no, yes",
		"License key":               "not needed, required, required, required",
		"Staging license":           "not needed, with support, yes, yes",
		"Support":                   "community forum, optional, optional, optional",
		"What it adds": "free: analyses nine languages, highlights new issues, supports plugins., " +
			"adds branch analysis, smart notifications and 8 languages., " +
			"adds portfolios, executive reports, parallel processing and 4 languages., adds high availability.",
	} {
		if got := marks(doc, row); got != want {
			t.Errorf("%s: got %q, want %q", row, got, want)
		}
	}
	c, _ := sample()
	if got, want := doc.Find("#plugins tr").Length(), 1+len(c.Plugins); got != want {
		t.Errorf("got %d rows of plugins, want %d", got, want)
	}
}

func TestComparisonMarksTheVisitorsEdition(t *testing.T) {
	env := newTestEnv(t)
	doc := env.get("/editions?sourceEdition=Developer+Edition&serverId=AWHW8w9JtzBzSrmf9GQX").WantStatus(200).Page()
	const server = "?serverId=AWHW8w9JtzBzSrmf9GQX&sourceEdition=developer"
	own := doc.Find("#own")
	if got := webtest.Text(own); !strings.HasPrefix(got, "Already on the Developer Edition? "+
		"The Enterprise Edition adds portfolios, executive reports, parallel processing and 4 languages.") {
		t.Errorf("got %q", got)
	}
	links := own.Find("a").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("href", "") })
	if want := []string{"/request/enterprise" + server, "/request/datacenter" + server,
		"/request/developer" + server}; !slices.Equal(links, want) {
		t.Errorf("got links %q, want %q", links, want)
	}
	if got := webtest.Text(doc.Find(".compare thead th.own")); got != "Developer Your edition" {
		t.Errorf("got own column %q", got)
	}
	for edition, want := range map[string]string{
		"community":  "Request the Developer Edition",
		"datacenter": "It is the largest edition",
	} {
		doc := env.get("/editions?sourceEdition=" + edition).WantStatus(200).Page()
		if got := webtest.Text(doc.Find("#own")); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", edition, got, want)
		}
	}
	ask := env.get("/editions?sourceEdition=gold&ncloc=7").WantStatus(200).Page().Find("form#own")
	if ask.Find("option").Length() != 4 || ask.Find("input[type=hidden][name=ncloc][value='7']").Length() != 1 {
		t.Error("without a known edition the page does not ask for it, or forgets the server")
	}
}

func TestSearchNamesTheEditionThatBringsIt(t *testing.T) {
	env := newTestEnv(t)
	for typed, want := range map[string]string{
		"COBOL": "COBOL Available only with the Enterprise Edition or the Data Center Edition; " +
			"it cannot be installed separately.",
		"rpg": "RPG Available only with the Enterprise Edition or the Data Center Edition; " +
			"it cannot be installed separately.",
		"branch": "Branch analysis Available only with the Developer Edition, the Enterprise Edition or " +
			"the Data Center Edition; it cannot be installed separately.",
		"java": "Java Included in every edition.",
	} {
		doc := env.get("/editions?q=" + url.QueryEscape(typed)).WantStatus(200).Page()
		if got := webtest.Text(doc.Find("#found li").First()); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", typed, got, want)
		}
		if got := doc.Find("#q").AttrOr("value", ""); got != typed {
			t.Errorf("%s: the field has %q", typed, got)
		}
	}
	first := env.get("/editions?q=cobol&ncloc=7").Page().Find("#found li").First()
	if got := first.Find("a[href='/request/enterprise?ncloc=7']").Length(); got != 1 {
		t.Errorf("COBOL: got %d links to the request, want one that keeps the server", got)
	}
	for source, want := range map[string]string{
		"developer":  "Your edition, the Developer Edition, does not include it.",
		"enterprise": "Your edition, the Enterprise Edition, includes it.",
	} {
		got := webtest.Text(env.get("/editions?q=cobol&sourceEdition=" + source).Page().Find("#found"))
		if !strings.Contains(got, want) || strings.Contains(got, "Request a license") == (source == "enterprise") {
			t.Errorf("%s: got %q, want %q and a request only if it is missing", source, got, want)
		}
	}
	near := env.get("/editions?q=cobal").Page().Find("#found a")
	if near.AttrOr("href", "") != "/editions?q=COBOL#search" || webtest.Text(near) != "COBOL" {
		t.Errorf("misspelt: got a link %q to %s", webtest.Text(near), near.AttrOr("href", ""))
	}
	if got := webtest.Text(env.get("/editions?q=checkstyle").Page().Find("#found")); !strings.Contains(got,
		"“checkstyle”") || !strings.Contains(got, "Marketplace page of your server") {
		t.Errorf("free plugin: got %q, want where to find it", got)
	}
}

func TestSearchShowsHostileTextAsText(t *testing.T) {
	env := newTestEnv(t)
	for _, typed := range []string{`"><script>alert(1)</script>`, strings.Repeat("x", 5000), "\x00\xff", "{{.}}",
		"%s%n"} {
		a := env.get("/editions?q=" + url.QueryEscape(typed)).WantStatus(200)
		webtest.CheckPage(t, a.Page())
		if len([]rune(a.Page().Find("#q").AttrOr("value", ""))) > maxTyped {
			t.Errorf("%.20q: got it whole", typed)
		}
		if a.Page().Find("meta[name=robots][content=noindex]").Length() != 1 {
			t.Errorf("%.20q: search engines may list it", typed)
		}
	}
}

func TestEditionShowsWhatChangedBetweenVersions(t *testing.T) {
	env := newTestEnv(t)
	changes := env.get("/editions/enterprise").WantStatus(200).Page().Find("#changes dl > div")
	if changes.Length() != 7 {
		t.Fatalf("got %d versions, want 7", changes.Length())
	}
	const want = "7.1 17 Apr 2018 Improvements and corrections · Release notes Since 7.0: " +
		"Branch Analysis 7.0 → 7.1, Developer Pack 7.0 → 7.1, Governance 7.0 → 7.1. " +
		"The other 11 plugins are the same."
	if got := webtest.Text(changes.First()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := webtest.Text(changes.Last()); strings.Contains(got, "Since") {
		t.Errorf("first version: got %q", got)
	}
	if got := env.get("/editions/community").Page().Find("#changes dl > div").Length(); got != 7 {
		t.Errorf("community: got %d versions, want 7", got)
	}
}

func TestEditionSaysWhatItAddsToTheVisitors(t *testing.T) {
	env := newTestEnv(t)
	for path, want := range map[string]string{
		"/editions/enterprise?sourceEdition=community": "Already on the Community Edition? The Enterprise Edition " +
			"adds branch analysis, smart notifications, portfolios, executive reports, parallel processing and " +
			"12 languages.",
		"/editions/enterprise?sourceEdition=developer": "Already on the Developer Edition? The Enterprise Edition " +
			"adds portfolios, executive reports, parallel processing and 4 languages.",
		"/editions/enterprise?sourceEdition=enterprise": "Already on the Enterprise Edition? Renew your license " +
			"or check your key.",
		"/editions/developer?sourceEdition=enterprise": "Already on the Enterprise Edition? It includes everything " +
			"in the Developer Edition.",
		"/editions/developer": "",
	} {
		doc := env.get(path).WantStatus(200).Page()
		if got := webtest.Text(doc.Find("#own")); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
		button := webtest.Text(doc.Find(".hero a.button").First())
		upgrade := strings.HasSuffix(path, "enterprise?sourceEdition=developer")
		if (button == "Request an upgrade") != upgrade {
			t.Errorf("%s: got button %q", path, button)
		}
	}
}

func TestInstructionsFitTheServer(t *testing.T) {
	env := newTestEnv(t)
	const sum = "0123456789abcdef"
	for path, want := range map[string][]string{
		"/editions/developer/install?version=6.7.1": {
			"bin/linux-x86-64/sonar.sh stop", "(cd extensions/plugins && rm -f \\", " sonar-cfamily-plugin-*.jar",
			"sha256sum -c", sum,
			"unzip -j /path/to/developer-edition-6.7.1.1042.zip -d extensions/plugins", "9 jars", "Stop the server",
		},
		"/editions/developer/install?version=6.7.1+(build+35068)&os=macos": {
			"bin/macosx-universal-64/sonar.sh start", "shasum -a 256 -c", "developer-edition-6.7.1.1042.zip",
		},
		"/editions/enterprise/install?version=7.1&os=windows": {
			`StopNTService.bat`, `extensions\plugins\sonar-cobol-plugin-*.jar`, strings.ToUpper(sum), "Expand-Archive",
		},
		"/editions/datacenter/install?version=7.1":            {"every application node", "once for the whole cluster"},
		"/editions/datacenter/install?version=7.1&cluster=no": {"Stop the server"},
		"/editions/developer/install?version=9.9": {
			"There is no package of the Developer Edition for SonarQube 9.9.", "instructions for 7.1"},
		"/editions/developer/install?version=%00&os=beos": {"SonarQube 7.1", "sonar.sh"},
		"/editions/enterprise/install?version=7.0":        {"This package was withdrawn. One of its plugins"},
		"/editions/developer/install?version=7.1&sourceEdition=enterprise": {
			"the plugins that only your present edition has: SonarCOBOL, Governance, SonarPLI, SonarRPG, SonarVB6",
			"sonar-cobol-plugin-*.jar"},
	} {
		a := env.get(path).WantStatus(200)
		got := webtest.Text(a.Page().Find("main"))
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: got %q, want %q in it", path, got, part)
			}
		}
		if strings.Contains(path, "developer/install?version=6.7.1") && strings.Contains(got, "cobol") {
			t.Errorf("%s: got a plugin of another edition", path)
		}
	}
	env.get("/editions/gold/install").WantStatus(404)
	env.get("/editions/community/install?ncloc=7").WantRedirect("/editions/community?ncloc=7")
	doc := env.get("/editions/datacenter/install?serverId=AWHW8w9JtzBzSrmf9GQX&version=7.0&os=windows&cluster=no").
		Page()
	for name, want := range map[string]string{"version": "7.0", "os": "windows", "cluster": "no"} {
		if got := doc.Find("select[name="+name+"] option[selected]").AttrOr("value", ""); got != want {
			t.Errorf("%s: got %q chosen, want %q", name, got, want)
		}
	}
	if fieldValue(doc, "serverId") != "AWHW8w9JtzBzSrmf9GQX" {
		t.Error("the choice of instructions forgets the server")
	}
}

func TestPagesWithPackagesMayReadThem(t *testing.T) {
	env := newTestEnv(t)
	for _, path := range []string{"/editions/developer", "/editions/developer/install"} {
		a := env.get(path).WantStatus(200)
		if got := a.Header.Get("Content-Security-Policy"); !strings.HasSuffix(got,
			"; script-src 'self'; connect-src 'self' "+packagesURL+" "+siteURL) {
			t.Errorf("%s: got policy %s", path, got)
		}
		link := a.Page().Find("a.download[data-sha256]").First()
		if link.AttrOr("data-size", "") != "89400000" || !strings.HasSuffix(link.AttrOr("href", ""),
			"/"+link.AttrOr("data-file", "?")) {
			t.Errorf("%s: got a link without size or file", path)
		}
	}
	elsewhere := &catalog.Catalog{Packages: []catalog.Package{{URL: "https://a.example/x.zip"}, {URL: "/y.zip"},
		{URL: "https://a.example/z.zip"}, {URL: "javascript:alert(1)"}, {URL: "%zz"}}}
	if got := new(site).packageOrigins(elsewhere); !slices.Equal(got, []string{"https://a.example"}) {
		t.Errorf("got origins %q", got)
	}
}
