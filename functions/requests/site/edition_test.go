package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/web/webtest"
)

func TestEditionShowsItsPackages(t *testing.T) {
	doc := newTestEnv(t).get("/editions/enterprise").WantStatus(200).Page()
	c, _ := sample()
	rows := doc.Find("#packages .gate > table tbody tr")
	if want := len(c.Matrix("enterprise")); rows.Length() != want {
		t.Fatalf("got %d versions, want %d, one for each X.Y", rows.Length(), want)
	}

	newest := rows.First()
	if got := webtest.Text(newest.Find("th")); got != "7.1" {
		t.Errorf("first version: got %q, want 7.1", got)
	}
	if got := webtest.Text(newest.Find("time")); got != "April 2018" {
		t.Errorf("month: got %q, want April 2018", got)
	}
	if got := newest.Find("a.download").AttrOr("href",
		""); got != siteURL+"/downloads/enterprise-edition-7.1.0.1042.zip" {
		t.Errorf("download link: got %q", got)
	}
	if got := webtest.Text(newest); !strings.Contains(got, "89.4 MB") ||
		!strings.Contains(got, strings.Repeat("0123456789abcdef", 4)) {
		t.Errorf("got %q, want size and SHA-256", got)
	}

	withdrawn := rows.Eq(1)
	if !strings.Contains(webtest.Text(withdrawn), "One of its plugins was broken; take 7.1.") ||
		withdrawn.Find("a").Length() != 0 {
		t.Errorf("withdrawn package: got %q, want the reason and no link", webtest.Text(withdrawn))
	}
	if lts := rows.Last(); webtest.Text(lts.Find("th")) != "6.7.4 LTS" {
		t.Errorf("last version: got %q, want the LTS version", webtest.Text(lts.Find("th")))
	}
	var patches []string
	doc.Find("#packages details tbody th").Each(func(_ int, s *goquery.Selection) {
		patches = append(patches, webtest.Text(s))
	})
	if got := strings.Join(patches, ", "); got != "6.7.3 LTS, 6.7.2 LTS, 6.7.1 LTS, 6.7 LTS" {
		t.Errorf("got earlier patches %s", got)
	}
}

func TestDownloadsRequireTheTerms(t *testing.T) {
	doc := newTestEnv(t).get("/editions/developer").WantStatus(200).Page()
	if doc.Find("#packages .gate > input#terms:not([checked]) ~ table a.download").Length() == 0 {
		t.Error("the style sheet needs downloads after an unchecked box; got none")
	}
	if got := doc.Find(".gate label[for=terms] a").AttrOr("href", ""); !strings.HasSuffix(got, "/terms") {
		t.Errorf("terms link: got %q, want /terms", got)
	}
	all := doc.Find("a[href*='/downloads/']").Length()
	if gated := doc.Find(".gate a.download[href*='/downloads/']").Length(); all != gated {
		t.Errorf("got %d downloads, of which %d require the terms; want all", all, gated)
	}
}

func TestEditionShowsPluginsOfEachVersion(t *testing.T) {
	doc := newTestEnv(t).get("/editions/developer").WantStatus(200).Page()
	row := doc.Find(".matrix tbody tr").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return strings.HasPrefix(webtest.Text(s.Find("th")), "SonarCFamily")
	})
	var cells []string
	row.Find("td").Each(func(_ int, s *goquery.Selection) { cells = append(cells, webtest.Text(s)) })
	if got := strings.Join(cells, " "); got != "5.1 5.1 5.1" {
		t.Errorf("got releases %q, want 5.1 three times", got)
	}
}

func TestEditionLinksKeepTheServer(t *testing.T) {
	env := newTestEnv(t)
	for _, tt := range []struct{ query, want string }{
		{"", ""},
		{"?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000", "?ncloc=120000&serverId=AWHW8w9JtzBzSrmf9GQX"},
		{"?ncloc=0", "?ncloc=0"},
		{"?sourceEdition=Developer+Edition&ncloc=7", "?ncloc=7&sourceEdition=developer"},
		{"?sourceEdition=gold", ""},
		{"?serverId=%22%3E%3Cscript%3E&ncloc=-1", ""},
		{"?serverId=%zz;&ncloc=99999999999999999999", ""},
	} {
		a := env.get("/editions/developer" + tt.query).WantStatus(200)
		doc := a.Page()
		if got := doc.Find(".hero a.button").First().AttrOr("href", ""); got != "/request/developer"+tt.want {
			t.Errorf("%q: got request link %q, want the query %q", tt.query, got, tt.want)
		}
		if got := doc.Find(".cards a").First().AttrOr("href", ""); got != "/editions/community"+tt.want {
			t.Errorf("%q: got edition link %q, want the query %q", tt.query, got, tt.want)
		}
		if cache := a.Header.Get("Cache-Control"); strings.Contains(cache, "public") != (tt.want == "") {
			t.Errorf("%q: got Cache-Control %q, want public only without a server", tt.query, cache)
		}
	}
}

func TestEveryPageKeepsTheServer(t *testing.T) {
	const server = "?ncloc=120000&serverId=AWHW8w9JtzBzSrmf9GQX&sourceEdition=developer"
	env := newTestEnv(t)
	for _, path := range []string{
		"/", "/editions", "/editions/enterprise/install", "/request", "/request/community",
		"/request/enterprise", "/editions/community", "/editions/enterprise",
		"/licenses/check", "/terms",
		"/request/gold", "/nothing",
	} {
		a := env.get(path + server)
		if cache := a.Header.Get("Cache-Control"); strings.Contains(cache, "public") {
			t.Errorf("%s: got Cache-Control %q, want a private one", path, cache)
		}
		header := a.Page().Find("header a").Map(func(_ int, s *goquery.Selection) string {
			return s.AttrOr("href", "")
		})
		if want := []string{"/" + server, "/editions" + server, "/request" + server,
			"/licenses/check" + server, "/account"}; !slices.Equal(header, want) {
			t.Errorf("%s: got header links %q, want %q", path, header, want)
		}
		links := a.Page().Find("a[href^='/request'], a[href^='/editions'], a[href='/'], a[href^='/#'], a[href^='/?']")
		links.Each(func(_ int, s *goquery.Selection) {
			if href := s.AttrOr("href", ""); !strings.Contains(href, server) {
				t.Errorf("%s: got link %s, want it to keep the server", path, href)
			}
		})
	}
	if kind := env.get("/request/enterprise"+server).Page().Find("input[name=kind][checked]").AttrOr("value",
		""); kind != "upgrade" {
		t.Errorf("from Developer to Enterprise: got kind %q, want upgrade", kind)
	}
}

func TestPagesAboutAServerKeepIt(t *testing.T) {
	const server = "?ncloc=120000&serverId=AWHW8w9JtzBzSrmf9GQX"
	env := newTestEnv(t)
	_, status := env.fileForm()
	broken := validForm()
	broken.Del("email")
	for name, a := range map[string]*webtest.Answer{
		"the page of a request":    env.get(status).WantStatus(200),
		"the form that comes back": env.send("/request/developer", broken).WantStatus(422),
		"the check of a key": env.send("/licenses/check",
			url.Values{"key": {"?"}, "serverId": {"AWHW8w9JtzBzSrmf9GQX"}, "ncloc": {"120000"}}).WantStatus(200),
		"the check of no key at a link": env.get("/licenses/check" + server).WantStatus(200),
	} {
		if got := a.Page().Find("header nav a").Eq(1).AttrOr("href", ""); got != "/request"+server {
			t.Errorf("%s: got header link %s, want it to keep the server", name, got)
		}
	}
}

func TestCommunityNeedsNeitherPackageNorLicense(t *testing.T) {
	env := newTestEnv(t)
	doc := env.get("/editions/community").WantStatus(200).Page()
	if said := webtest.Text(doc.Find(".notice")); !strings.Contains(said, "no package") ||
		!strings.Contains(said, "no license") {
		t.Errorf("got notice %q, want no package and no license", said)
	}
	if doc.Find("#packages, #install, a[href^='/request/']").Length() != 0 {
		t.Error("got a package or a request link, want neither")
	}
	form := env.get("/request/community?serverId=AWHW8w9JtzBzSrmf9GQX").WantStatus(200).Page()
	if form.Find("form").Length() != 0 || !strings.Contains(webtest.Text(form.Find("h1")), "needs no license") {
		t.Error("got a form, want a page that says that no license is needed")
	}
}

func TestUnknownEditionListsTheEditions(t *testing.T) {
	env := newTestEnv(t)
	for _, path := range []string{"/editions/professional", "/request/professional", "/editions/Developer%00",
		"/editions/%3Cscript%3E"} {
		a := env.get(path).WantStatus(404)
		for _, key := range []string{"community", "developer", "enterprise", "datacenter"} {
			if a.Page().Find("a[href='/editions/"+key+"']").Length() == 0 {
				t.Errorf("%s: got no link to %s, want one", path, key)
			}
		}
	}
}

func TestOtherSpellingsOfAnEditionKeepTheirParameters(t *testing.T) {
	env := newTestEnv(t)
	const query = "?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000&sourceEdition=Developer+Edition"
	for path, want := range map[string]string{
		"/request/data-center" + query:           "/request/datacenter" + query,
		"/request/Data%20Center%20Edition":       "/request/datacenter",
		"/request/DEVELOPER" + query:             "/request/developer" + query,
		"/editions/data-center" + query:          "/editions/datacenter" + query,
		"/editions/data_center?utm_source=a%26b": "/editions/datacenter?utm_source=a%26b",
	} {
		a := env.get(path).WantStatus(http.StatusMovedPermanently)
		if got := a.Header.Get("Location"); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
		env.get(want).WantStatus(200)
	}
	doc := env.get("/request/datacenter" + query).Page()
	if fieldValue(doc, "serverId") != "AWHW8w9JtzBzSrmf9GQX" {
		t.Error("the form lost the server ID")
	}
	for _, path := range []string{"/request/professional", "/editions/professional", "/request/-"} {
		env.get(path).WantStatus(http.StatusNotFound)
	}
}

func TestInstallationFollowsTheProduct(t *testing.T) {
	env := newTestEnv(t)
	for path, want := range map[string]string{
		"/editions/developer#install":  "the button Upgrade at the Developer Edition",
		"/editions/datacenter#install": "manually on every application node",
		"/editions/community#custom":   "It comes with a custom package",
	} {
		page, id, _ := strings.Cut(path, "#")
		if got := webtest.Text(env.get(page).WantStatus(200).Page().Find("#" + id)); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", path, got, want)
		}
	}
}
