package site

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/table"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

const (
	serverID    = "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX"
	otherServer = "4A6F8E2B-BWHW8w9JtzBzSrmf9GQX"
)

// terms are the terms of a key that is valid at start.
func terms() license.Key {
	return license.Key{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: "Customer & Sons", Server: serverID,
		Edition: license.Developer, Plugins: []string{"abap", "branch", "cpp", "license", "cobol"},
		Languages: []string{"cobol"}, Features: []string{"branch"},
		MaxLoc: 5_000_000, Support: true, Issued: license.Date{Year: 2018, Month: 2, Day: 26},
		NotBefore: license.Date{Year: 2018, Month: 3, Day: 1}, Expiration: license.Date{Year: 2019, Month: 2, Day: 28},
	}
}

// issue signs a key with changed terms.
func (env *testEnv) issue(change func(*license.Key)) string {
	env.t.Helper()
	k := terms()
	if change != nil {
		change(&k)
	}
	text, err := env.keys.Issue(k)
	if err != nil {
		env.t.Fatal(err)
	}
	return text
}

// check sends the form with the key and pairs of names and values.
func (env *testEnv) check(key string, pairs ...string) *webtest.Answer {
	env.t.Helper()
	return env.send("/licenses/check", withValues(url.Values{"key": {key}}, pairs...))
}

// facts returns the facts lists of a page.
func facts(doc *goquery.Document) map[string]string {
	m := make(map[string]string)
	doc.Find("dl.facts div").Each(func(_ int, s *goquery.Selection) {
		m[webtest.Text(s.Find("dt"))] = webtest.Text(s.Find("dd"))
	})
	return m
}

// codes returns the codes shown by a page, in order.
func codes(s *goquery.Selection) (list []string) {
	s.Find("li[data-code]").Each(func(_ int, li *goquery.Selection) { list = append(list, li.AttrOr("data-code", "")) })
	return list
}

func TestValidKeyIsShownWithItsTerms(t *testing.T) {
	env := newTestEnv(t)
	doc := env.check(env.issue(nil), "serverId", serverID, "ncloc", "1'200'000", "productVersion",
		"6.7.1 (build 35068)", "edition", "developer",
		"plugins", "cpp, abap\r\nsonar-cobol-plugin-3.4.0.1932.jar, java git").WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#result.good")); !strings.Contains(got, "This key is valid") ||
		!strings.Contains(got, serverID) || strings.Contains(got, "Not checked") {
		t.Errorf("result: got %q, want the valid key for %s", got, serverID)
	}
	got := facts(doc)
	for what, want := range map[string]string{
		"License": "01c6x2m4vj8q0n5r7t9w3y1z2b", "Organization": "Customer & Sons", "License type": "Production",
		"Edition": "Developer Edition", "Custom package": "linked in the email with the key", "Server ID": serverID,
		"Lines of code": "up to 5'000'000",
		"Plugins":       "SonarABAP, Branch Analysis, SonarCFamily, License Manager, SonarCOBOL", "Support": "included", "Valid from": "01 Mar 2018",
		"Valid through": "28 Feb 2019, 23:59:59 UTC", "Issued": "26 Feb 2018, signed with prod-1",
	} {
		if got[what] != want {
			t.Errorf("%s: got %q, want %q", what, got[what], want)
		}
	}
	for what, part := range map[string]string{"Languages": "COBOL", "Features": "Branch"} {
		if !strings.Contains(strings.ToLower(got[what]), strings.ToLower(part)) {
			t.Errorf("%s: got %q, want %s in it", what, got[what], part)
		}
	}
	if got := webtest.Text(doc.Find("#ignored")); !strings.HasSuffix(got, "java, git.") {
		t.Errorf("ignored plugins: got %q, want java and git", got)
	}
	if doc.Find("#warnings").Length() > 0 || doc.Find("#text").Length() > 0 {
		t.Error("got warnings or a cleaned-up key, want neither")
	}
}

func TestEmptyDetailsAreNotChecked(t *testing.T) {
	env := newTestEnv(t)
	doc := env.check(env.issue(nil)).WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#result.good")); !strings.Contains(got,
		"Not checked (left empty): the server ID, the lines of code, the installed edition, the installed plugins.") {
		t.Errorf("result: got %q, want a list of what was not checked", got)
	}
	doc = env.check(env.issue(nil), "serverId", serverID, "ncloc", "0", "edition", "developer", "plugins",
		"java").WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#result.good")); strings.Contains(got, "Not checked") {
		t.Errorf("result with all details: got %q, want nothing unchecked", got)
	}
}

// badKeys are keys with the details of the server, the expected codes, and the first link; "" for none.
func badKeys(env *testEnv) map[string]struct {
	key   string
	said  []string
	codes []string
	link  string
} {
	valid := env.issue(nil)
	return map[string]struct {
		key   string
		said  []string
		codes []string
		link  string
	}{
		"words": {"this is not a key", nil, []string{"not-base64"}, ""},
		"cut":   {valid[:len(valid)/2], nil, []string{"truncated"}, ""},
		"two keys": {valid + "\n" + env.issue(func(k *license.Key) { k.ID = "other" }), nil,
			[]string{"several-keys"}, ""},
		"something else": {"Rm9ybWF0PTIKCg==", nil, []string{"unknown-format"}, ""},
		"another server": {valid, []string{"serverId", otherServer}, []string{"wrong-server"},
			"/request/developer?kind=replacement&ncloc=5000000&replaces=01c6x2m4vj8q0n5r7t9w3y1z2b&serverId=" +
				otherServer},
		"another address": {valid, []string{"serverId", "00000000-AWHW8w9JtzBzSrmf9GQX", "ncloc", "7"},
			[]string{"new-address"},
			"/request/developer?kind=replacement&ncloc=7&replaces=01c6x2m4vj8q0n5r7t9w3y1z2b" +
				"&serverId=00000000-AWHW8w9JtzBzSrmf9GQX"},
		"too early": {env.issue(func(k *license.Key) {
			k.NotBefore = license.Date{Year: 2018, Month: 3, Day: 6}
		}), nil, []string{"not-yet-valid"}, ""},
		"expired": {env.issue(func(k *license.Key) {
			k.Expiration = license.Date{Year: 2018, Month: 3, Day: 4}
		}), nil, []string{"expired"}, "/request/developer?kind=renewal&ncloc=5000000&serverId=" + serverID},
		"evaluation over": {env.issue(func(k *license.Key) {
			k.Type, k.Expiration = license.Evaluation, license.Date{Year: 2018, Month: 3, Day: 4}
		}), nil, []string{"expired"}, "/request/developer?kind=new&ncloc=5000000&serverId=" + serverID},
		"too many lines": {valid, []string{"ncloc", "5000001"}, []string{"loc-exceeded"},
			"/request/developer?kind=upgrade&ncloc=5000001&serverId=" + serverID},
		"a plugin more": {valid, []string{"plugins", "sonar-pli-plugin-1.2.jar cpp"},
			[]string{"plugin-not-covered"}, "/request/enterprise?kind=upgrade&ncloc=5000000&serverId=" + serverID},
		"a plugin that its edition has": {valid, []string{"plugins", "swift cobol"}, []string{"plugin-not-covered"},
			"/request/developer?kind=upgrade&ncloc=5000000&serverId=" + serverID},
		"another edition": {valid, []string{"edition", "Data Center Edition"}, []string{"wrong-edition"},
			"/request/datacenter?kind=upgrade&ncloc=5000000&serverId=" + serverID},
		"of community": {valid, []string{"edition", "community"}, []string{"wrong-edition"},
			"/editions/developer#install"},
		"all at once": {env.issue(func(k *license.Key) { k.Expiration = license.Date{Year: 2018, Month: 3, Day: 4} }),
			[]string{"serverId", otherServer, "ncloc", "9000000", "edition", "enterprise", "plugins", "pli"},
			[]string{"wrong-server", "expired", "loc-exceeded", "plugin-not-covered", "wrong-edition"},
			"/request/developer?kind=replacement&ncloc=9000000&replaces=01c6x2m4vj8q0n5r7t9w3y1z2b&serverId=" +
				otherServer},
	}
}

func TestEveryReasonHasARemedy(t *testing.T) {
	env := newTestEnv(t)
	for name, tt := range badKeys(env) {
		t.Run(name, func(t *testing.T) {
			env := env.in(t)
			doc := env.check(tt.key, tt.said...).WantStatus(200).Page()
			result := doc.Find("#result.bad")
			if got := codes(result); !slices.Equal(got, tt.codes) {
				t.Fatalf("got reasons %v, want %v", got, tt.codes)
			}
			result.Find("li[data-code]").Each(func(_ int, li *goquery.Selection) {
				if sentence := webtest.Text(li.Find("b")); sentence == "" || webtest.Text(li) == sentence {
					t.Errorf("got %q, want a sentence and a remedy", webtest.Text(li))
				}
			})
			href := result.Find("li a").First().AttrOr("href", "")
			if href != tt.link {
				t.Errorf("got link %q, want %q", href, tt.link)
			}
			if href == "" {
				return
			}
			u, err := url.Parse(href)
			if err != nil {
				t.Fatal(err)
			}
			form := env.get(u.RequestURI()).WantStatus(200).Page()
			if u.Fragment != "" && form.Find("#"+u.Fragment).Length() != 1 {
				t.Errorf("got no element #%s, want one", u.Fragment)
			}
			for name, values := range u.Query() {
				if got := fieldValue(form, name); got != values[0] {
					t.Errorf("form field %s: got %q, want %q", name, got, values[0])
				}
			}
		})
	}
}

func TestForeignKeyIsNotTrusted(t *testing.T) {
	env := newTestEnv(t)
	for name, tt := range map[string]struct{ key, code string }{
		"signed by a stranger":       {newTestEnv(t).issue(nil), "bad-signature"},
		"with a Kid nobody knows of": {(&testEnv{t: t, keys: unknownKid(t)}).issue(nil), "unknown-kid"},
	} {
		doc := env.check(tt.key + "\n> quoted").WantStatus(200).Page()
		if got := codes(doc.Find("#result.bad")); !slices.Equal(got, []string{tt.code}) {
			t.Errorf("%s: got reasons %v, want %s", name, got, tt.code)
		}
		if !strings.Contains(webtest.Text(doc.Find("main")), "Do not rely on this") || doc.Find("#text").Length() > 0 {
			t.Errorf("%s: got no caution, or a cleaned-up key", name)
		}
	}
}

func unknownKid(t *testing.T) license.Issuer {
	issuer := licensetest.Issuer(t)
	for i := range issuer.Keys {
		issuer.Signers["new-"+issuer.Keys[i].Kid] = issuer.Signers[issuer.Keys[i].Kid]
		issuer.Keys[i].Kid = "new-" + issuer.Keys[i].Kid
	}
	return issuer
}

func TestWarningsKeepAKeyValid(t *testing.T) {
	env := newTestEnv(t)
	key := env.issue(func(k *license.Key) {
		k.Server, k.Expiration = "AWHW8w9JtzBzSrmf9GQX", license.Date{Year: 2018, Month: 4, Day: 4}
	})
	doc := env.check(key, "serverId", serverID, "ncloc", "4600000").WantStatus(200).Page()
	if doc.Find("#result.good").Length() != 1 {
		t.Error("got an invalid key, want a valid one")
	}
	if got := codes(doc.Find("#warnings")); !slices.Equal(got,
		[]string{"server-upgraded", "expires-soon", "loc-nearly-reached"}) {
		t.Errorf("got warnings %v", got)
	}
}

func TestKeyMangledByEmailIsCleanedUp(t *testing.T) {
	env := newTestEnv(t)
	key := env.issue(nil)
	var lines []string
	for rest := key; rest != ""; rest = rest[min(76, len(rest)):] {
		lines = append(lines, rest[:min(76, len(rest))])
	}
	for name, pasted := range map[string]string{
		"wrapped": strings.Join(lines, "\r\n"), "quoted": "> " + strings.Join(lines, "\n> "),
		"with a label":     "Here it is:\n\n" + key + "\n\nRegards",
		"quoted-printable": strings.ReplaceAll(strings.Join(lines, "=\n"), "==", "=3D=3D"),
		"HTML":             "<p>" + strings.Join(lines, "<br>\n") + "</p>",
	} {
		doc := env.check(pasted).WantStatus(200).Page()
		if doc.Find("#result.good").Length() != 1 {
			t.Errorf("%s: got %q, want a valid key", name, webtest.Text(doc.Find("#result")))
		}
		if doc.Find("#undone li").Length() == 0 {
			t.Errorf("%s: got nothing cleaned up, want a list", name)
		}
		if got := doc.Find("#text").Text(); got != key {
			t.Errorf("%s: got cleaned-up key %q, want the original", name, got)
		}
	}
	if doc := env.check("  " + key + "\r\n").WantStatus(200).Page(); doc.Find("#undone").Length() > 0 {
		t.Errorf("got %q cleaned up, want nothing", webtest.Text(doc.Find("#undone")))
	}
}

func TestCheckFormShowsErrors(t *testing.T) {
	env := newTestEnv(t)
	doc := env.check(" ", "serverId", "abc", "ncloc", "many", "productVersion", "latest", "edition", "professional",
		"plugins", `"><script>alert(1)</script>`).
		WantStatus(422).Page()
	var fields []string
	doc.Find(".invalid").Each(func(_ int, s *goquery.Selection) {
		fields = append(fields, s.Find("input, textarea, select").First().AttrOr("name", ""))
	})
	if want := []string{"key", "serverId", "edition", "ncloc", "productVersion"}; !slices.Equal(fields, want) {
		t.Errorf("got errors at %v, want %v", fields, want)
	}
	if fieldValue(doc, "serverId") != "abc" || doc.Find("textarea#plugins").Text() != `"><script>alert(1)</script>` ||
		doc.Find(webtest.ForeignScript).Length() > 0 {
		t.Error("the typed text was changed or not escaped")
	}
	if doc.Find("#result").Length() > 0 {
		t.Error("got a result, want none")
	}
}

func TestKeyInAnAddressIsIgnored(t *testing.T) {
	env := newTestEnv(t)
	key := env.issue(nil)
	a := env.get("/licenses/check?key=" + url.QueryEscape(key) + "&serverId=" + serverID).WantStatus(200)
	doc := a.Page()
	if strings.Contains(a.Body, key[:60]) || doc.Find("#result").Length() > 0 ||
		fieldValue(doc, "serverId") != serverID {
		t.Error("the page uses the key of the address, or ignores the server ID")
	}
	if form := doc.Find("form"); form.AttrOr("method", "") != "post" || form.AttrOr("action", "") != "/licenses/check" {
		t.Error("the form sends the key in the address")
	}
	if a := env.do("POST", "/licenses/check?key="+url.QueryEscape(key), "", "Content-Type",
		"application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"); a.StatusCode != 422 {
		t.Errorf("key in the address: got status %d, want 422", a.StatusCode)
	}
	if cc := env.check(key).Header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control: got %q, want no-store", cc)
	}
}

func TestKeyIsNeitherLoggedNorStored(t *testing.T) {
	// A check may read the record of the license; this table fails every write.
	env := newTestEnvOver(t, failingTable{err: table.ErrNotFound})
	broken := newTestEnvOver(t, failingTable{err: errors.New("touched")})
	key := env.issue(nil)
	mangled := "> " + key[:70] + "\n> " + key[70:]
	tampered := key[:200] + "A" + key[201:]
	for _, pasted := range []string{key, mangled, tampered, key[:300], key + key, "Customer & Sons " + key} {
		env.check(pasted, "serverId", otherServer).WantStatus(200)
		env.apiCheck(map[string]any{"key": pasted}).WantStatus(200)
		env.apiCheck(map[string]any{"key": pasted, "serverId": "x"}).WantStatus(422)
		env.apiCheck(map[string]any{"key": 7, pasted: 7})
		env.do("POST", "/licenses/check", pasted, "Content-Type", "text/plain", "Sec-Fetch-Site",
			"same-origin").WantStatus(415)
		env.do("POST", "/licenses/check", "key="+url.QueryEscape(pasted), "Content-Type",
			"application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site").WantStatus(403)
		env.check(pasted + strings.Repeat(" ", web.MaxBody)).WantStatus(413)
		broken.keys.Keys = license.KeySet{{Kid: "bad"}} // cannot be written
		broken.get("/.well-known/license-keys.json").WantStatus(500)
		broken.keys.Keys = nil
		broken.check(pasted).WantStatus(503)
	}
	for _, log := range []string{env.log.String(), broken.log.String()} {
		if log == "" {
			t.Fatal("got an empty log")
		}
		for i := range len(key) - 20 {
			if strings.Contains(log, key[i:i+20]) {
				t.Fatalf("the log contains a part of the key:\n%s", log)
			}
		}
		for _, secret := range []string{"Customer", "AWHW8w9Jtz", "BWHW8w9Jtz", "01c6x2m4vj8q0n5r7t9w3y1z2b",
			"touched"} {
			if strings.Contains(log, secret) {
				t.Errorf("the log contains %q:\n%s", secret, log)
			}
		}
	}
}

func TestCheckIsUnavailableWithoutPublicKeys(t *testing.T) {
	env := newTestEnv(t)
	key := env.issue(nil)
	env.keys.Keys = nil
	env.check(key).WantStatus(http.StatusServiceUnavailable)
	env.apiCheck(map[string]any{"key": key}).WantStatus(http.StatusServiceUnavailable)
}

func FuzzCheck(f *testing.F) {
	issuer := licensetest.Issuer(f)
	key, err := issuer.Issue(terms())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key, serverID, "120000", "6.7.1", "developer", "cpp java")
	f.Add("> "+key[:80]+"=\n> "+key[80:], "", "", "", "", "")
	f.Add(key+key, "AWHW8w9JtzBzSrmf9GQX", "0", "7.0-SNAPSHOT", "Data Center Edition", "a,b;c\n<script>")
	var env *testEnv
	f.Fuzz(func(t *testing.T, key, server, loc, version, edition, plugins string) {
		if env == nil {
			env = newTestEnvOver(t, failingTable{err: errors.New("touched")})
			env.keys = issuer
		}
		a := env.in(t).check(key, "serverId", server, "ncloc", loc, "productVersion", version, "edition", edition,
			"plugins", plugins)
		switch a.StatusCode {
		case 200, 422:
			doc := a.Page()
			if doc.Find(webtest.ForeignScript+", style, img").Length() > 0 || doc.Find("h1").Length() != 1 {
				t.Errorf("the page contains foreign markup:\n%s", a.Body)
			}
		case 400, 413: // not UTF-8, too large
		default:
			t.Errorf("got status %d, want 200, 400, 413 or 422", a.StatusCode)
		}
	})
}
