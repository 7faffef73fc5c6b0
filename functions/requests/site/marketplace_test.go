package site

import (
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/web/webtest"
)

const previewed = "/marketplace?version=6.7.1&edition=developer&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000"

// boxTexts returns the button or the badge of each box of the Marketplace page, "Upgrade off" if it does not work.
func boxTexts(doc *goquery.Document) map[string]string {
	m := make(map[string]string)
	doc.Find(".box").Each(func(_ int, box *goquery.Selection) {
		action := box.Find(".actions > .button, .actions > .badge").Clone()
		action.Find(".unseen").Remove()
		text := webtest.Text(action)
		if box.Find("button[disabled]").Length() > 0 {
			text += " off"
		}
		m[box.AttrOr("data-edition", "")] = text
	})
	return m
}

func TestMarketplaceShowsTheBoxesOfTheServer(t *testing.T) {
	env := newTestEnv(t)
	for query, want := range map[string]map[string]string{
		"": {"community": "Installed", "developer": "Upgrade", "enterprise": "Upgrade", "datacenter": "Upgrade"},
		"?version=6.7.1+(build+35068)&edition=enterprise": {"community": "Downgrade", "developer": "Downgrade",
			"enterprise": "Installed", "datacenter": "Upgrade"},
		"?edition=datacenter&with=cluster": {"community": "", "developer": "", "enterprise": "",
			"datacenter": "Installed"},
		"?version=6.9": {"community": "Installed", "developer": "", "enterprise": "", "datacenter": ""},
		"?edition=developer&box=enterprise&step=downloading": {"community": "Downgrade off",
			"developer": "Downgrade off", "enterprise": "Installing", "datacenter": "Upgrade off"},
		"?version=7.9&edition=enterprise": {"datacenter": ""},
		"?version=5.6":                    {},
	} {
		doc := env.get("/marketplace" + query).WantStatus(200).Page()
		webtest.CheckPage(t, doc)
		got := boxTexts(doc)
		for edition, text := range want {
			if got[edition] != text {
				t.Errorf("%s: %s: got %q, want %q", query, edition, got[edition], text)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got the boxes %v", query, got)
		}
	}
}

// TestMarketplaceAsksForALicense: yes leads to what would be installed, no to the form with the server filled in.
func TestMarketplaceAsksForALicense(t *testing.T) {
	env := newTestEnv(t)
	doc := env.get(previewed + "&box=enterprise").WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#dialog .question")); got != "Do you already have a license?" {
		t.Errorf("got %q", got)
	}
	form, err := url.Parse(doc.Find("#request").AttrOr("href", ""))
	if err != nil || form.Path != "/request/enterprise" {
		t.Fatalf("no leads to %v, %v", form, err)
	}
	fields := env.get(form.RequestURI()).WantStatus(200).Page()
	for name, want := range map[string]string{"serverId": "AWHW8w9JtzBzSrmf9GQX", "ncloc": "120000"} {
		if got := fields.Find("#"+name).AttrOr("value", ""); got != want {
			t.Errorf("the form has %s %q, want %q", name, got, want)
		}
	}
	yes := env.get(previewed + "&box=enterprise&step=key").WantStatus(200).Page()
	for _, plugin := range []string{"cobol", "rpg", "pli", "vb", "governance"} {
		if yes.Find("#verdict [data-plugin="+plugin+"]").Length() != 1 {
			t.Errorf("%s is not among what would be installed", plugin)
		}
	}
	failed := env.get(previewed + "&box=enterprise&step=failed").WantStatus(200).Page()
	download := siteURL + "/downloads/enterprise-edition-6.7.1.1042.zip"
	if got := failed.Find("#package").AttrOr("href", ""); got != download {
		t.Errorf("got the package %q, want %q", got, download)
	}
	guide, err := url.Parse(failed.Find("#guide").AttrOr("href", ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := webtest.Text(env.get(guide.RequestURI()).WantStatus(200).Page().Find("main")); !strings.Contains(got,
		"enterprise-edition-6.7.1.1042.zip") {
		t.Errorf("the instructions at %s do not name the package", guide)
	}
	withdrawn := env.get("/marketplace?version=7.0&box=enterprise&step=failed").WantStatus(200).Page()
	if got := webtest.Text(withdrawn.Find("#alert")); !strings.Contains(got, "One of its plugins was broken") {
		t.Errorf("a withdrawn package: got %q, want the reason", got)
	}
}

func TestMarketplaceJudgesAPastedKey(t *testing.T) {
	env := newTestEnv(t)
	c, _ := sample()
	developer, _ := c.Edition("developer")
	key := env.issue(func(k *license.Key) { k.Plugins = developer.Plugins })
	form := url.Values{
		"version": {"6.7.1"}, "box": {"developer"}, "serverId": {"4A6F8E2B-BWHW8w9JtzBzSrmf9GQX"}, "key": {key},
	}
	a := env.send("/marketplace", form).WantStatus(200)
	doc := a.Page()
	webtest.CheckPage(t, doc)
	if got := webtest.Text(doc.Find("#verdict h4")); got != "Install downloads 9 plugins" {
		t.Errorf("the dialog says %q", got)
	}
	if got := codes(doc.Find("#after")); len(got) != 1 || got[0] != string(license.WrongServer) {
		t.Errorf("the license plugin gives %v, want %s", got, license.WrongServer)
	}
	if got := facts(doc); len(got) > 0 {
		t.Errorf("a rejected key is not set, but the License Manager shows %v", got)
	}
	if strings.Contains(a.Body, key) || strings.Contains(env.log.String(), key) {
		t.Error("the page or the log has the key")
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q", got)
	}
	form.Set("serverId", string(terms().Server))
	doc = env.send("/marketplace", form).WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#after")); !strings.Contains(got, "accepts") {
		t.Errorf("on its own server: got %q", got)
	}
	if got := facts(doc); got["Lines of code"] != "up to 5'000'000" || got["Server ID"] != string(terms().Server) {
		t.Errorf("on its own server: the License Manager shows %v", got)
	}
	form.Set("key", " ")
	doc = env.send("/marketplace", form).WantStatus(422).Page()
	if got := webtest.Text(doc.Find("#key-error")); !strings.Contains(got, "Paste the license key") {
		t.Errorf("without a key: got %q", got)
	}
}

// TestMarketplaceIsCachedOnlyWithoutAServer: what depends on a server is nobody else's.
func TestMarketplaceIsCachedOnlyWithoutAServer(t *testing.T) {
	env := newTestEnv(t)
	plain, private := env.get("/marketplace"), env.get(previewed)
	if got := plain.Header.Get("Cache-Control"); got != cachePublic {
		t.Errorf("got %q", got)
	}
	if got := private.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("with a server: got %q", got)
	}
	if private.Header.Get("X-Robots-Tag") != "noindex" {
		t.Error("search engines may list the page of a server")
	}
	if got := private.Page().Find("#problems a[href^='/licenses/check?']").Length(); got != 1 {
		t.Errorf("got %d links to the check of the server's key, want 1", got)
	}
}

func TestMarketplaceEscapesWhatStrangersType(t *testing.T) {
	version := url.QueryEscape(`6.7"><script>alert(1)</script>`)
	doc := newTestEnv(t).get("/marketplace?version=" + version).WantStatus(200).Page()
	if doc.Find(webtest.ForeignScript).Length() > 0 {
		t.Error("a script of the address is on the page")
	}
	if got := webtest.Text(doc.Find("#chosen")); !strings.Contains(got, "uses the catalog's entry 6.7.") {
		t.Errorf("got %q", got)
	}
}
