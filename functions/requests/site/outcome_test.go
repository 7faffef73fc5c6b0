package site

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"marketplace/shared/license"
	"marketplace/shared/web/webtest"
)

// standardKey is a key with exactly the plugins of its edition.
func (env *testEnv) standardKey(edition license.Edition) string {
	env.t.Helper()
	c, err := sample()
	if err != nil {
		env.t.Fatal(err)
	}
	e, _ := c.Edition(string(edition))
	return env.issue(func(k *license.Key) {
		k.Edition, k.Plugins, k.Languages, k.Features = edition, e.Plugins, nil, nil
	})
}

func TestEveryOutcomeHasANextStep(t *testing.T) {
	env := newTestEnv(t)
	community := env.issue(func(k *license.Key) { k.Edition = license.Community })
	for name, tt := range map[string]struct {
		key, server   string
		summary, next string
		path          string
	}{
		"without server data": {env.issue(nil), "",
			"The key itself is fine; we could not compare it with your server", "Enter your server ID", ""},
		"custom": {env.issue(nil), serverID, "This key is valid", "Install your custom package manually",
			"/editions/developer#install"},
		"standard": {env.standardKey(license.Developer), serverID, "This key is valid", "choose Upgrade",
			"/editions/developer#install"},
		"cluster": {env.standardKey(license.DataCenter), serverID, "This key is valid", "on every application node",
			"/editions/datacenter#install"},
		"community": {community, serverID, "This key is valid", "custom package", "/editions/community#custom"},
		"not valid": {env.issue(nil), otherServer, "This key is not valid", "sales@vendor.example", ""},
		"no key":    {"hello", serverID, "This key is not valid", "sales@vendor.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := env.in(t)
			body := map[string]any{"key": tt.key}
			if tt.server != "" {
				body["serverId"] = tt.server
			}
			f := checkAnswer(env.apiCheck(body))
			if f.Summary != tt.summary || !strings.Contains(f.Next.Sentence, tt.next) ||
				f.Compared != (tt.server != "") {
				t.Errorf("API: got %q, next %q, compared %t", f.Summary, f.Next.Sentence, f.Compared)
			}
			if tt.path != "" && f.Next.URL != siteURL+tt.path {
				t.Errorf("API: got next URL %q, want %s", f.Next.URL, siteURL+tt.path)
			}
			doc := env.check(tt.key, "serverId", tt.server).WantStatus(200).Page()
			if got := webtest.Text(doc.Find("#result h2")); got != tt.summary {
				t.Errorf("page: got %q, want %q", got, tt.summary)
			}
			next := doc.Find("#result #next")
			if !strings.Contains(webtest.Text(next), tt.next) {
				t.Errorf("page: got next step %q, want %q in it", webtest.Text(next), tt.next)
			}
			if path, anchor, _ := strings.Cut(next.Find("a").AttrOr("href", ""), "#"); path == "" && anchor != "" {
				if doc.Find("#"+anchor).Length() != 1 {
					t.Errorf("got no element #%s on the page", anchor)
				}
			} else if tt.path != "" && env.get(path).WantStatus(200).Page().Find("#"+anchor).Length() != 1 {
				t.Errorf("got no element #%s on %s", anchor, path)
			}
		})
	}
}

func TestStandardKeyNamesThePackageOfItsEdition(t *testing.T) {
	env := newTestEnv(t)
	key := env.standardKey(license.Developer)
	doc := env.check(key, "serverId", serverID, "productVersion", "6.7.1").WantStatus(200).Page()
	if got := facts(doc)["Package for SonarQube 6.7.1"]; got != "developer-edition-6.7.1.1042.zip" {
		t.Errorf("got package %q", got)
	}
	f := checkAnswer(env.apiCheck(map[string]any{"key": key, "productVersion": "6.7.1"}))
	if p, ok := f.Key["package"].(map[string]any); !ok || p["file"] != "developer-edition-6.7.1.1042.zip" ||
		f.Key["custom"] != nil {
		t.Errorf("got key %v, want the package of the edition", f.Key)
	}
}

func TestTailoredLicenseNamesItsOwnPackage(t *testing.T) {
	env := newTestEnv(t)
	const file = "developer-edition-6.7.1-01c7wnn8g0cccccccccccccccc.zip"
	// Even with the plugins of the edition, a license whose record has a custom package is installed from that.
	key := env.standardKey(license.Developer)
	change := env.addLicense(terms())
	if err := env.store.AddPackage(t.Context(), change, file); err != nil {
		t.Fatal(err)
	}
	doc := env.check(key, "serverId", serverID, "productVersion", "6.7.1").WantStatus(200).Page()
	link := doc.Find("dl.facts a[href='" + packagesURL + "/tailored/" + file + "']")
	if link.Length() != 1 || strings.Contains(webtest.Text(doc.Find("main")), "developer-edition-6.7.1.1042.zip") {
		t.Errorf("got facts %v, want the custom package alone", facts(doc))
	}
	f := checkAnswer(env.apiCheck(map[string]any{"key": key, "productVersion": "6.7.1"}))
	want := fmt.Sprint([]any{map[string]any{"file": file, "url": packagesURL + "/tailored/" + file}})
	if fmt.Sprint(f.Key["customPackages"]) != want || f.Key["custom"] != true || f.Key["package"] != nil {
		t.Errorf("got key %v, want the custom package", f.Key)
	}

	// Without the package, the remedy is the custom one too.
	f = checkAnswer(env.apiCheck(map[string]any{"key": key, "edition": "community"}))
	if len(f.Reasons) != 1 || !strings.HasPrefix(f.Reasons[0].Remedy, "Install your custom package manually") {
		t.Errorf("got reasons %+v", f.Reasons)
	}

	// Who made up a key does not learn of the package.
	forged := newTestEnv(t).standardKey(license.Developer)
	if a := env.apiCheck(map[string]any{"key": forged}); strings.Contains(a.Body, file) {
		t.Error("a forged key shows the custom package")
	}
}

func TestPluginsAreCalledByTheirNames(t *testing.T) {
	f := checkAnswer(newTestEnv(t).in(t).apiCheck(map[string]any{"key": newTestEnv(t).issue(nil)}))
	if f.Key != nil && f.Key["pluginNames"] == nil {
		t.Errorf("got key %v, want the names of its plugins", f.Key)
	}
	env := newTestEnv(t)
	f = checkAnswer(env.apiCheck(map[string]any{"key": env.issue(nil), "plugins": "swift sonar-pli-plugin-1.2.jar"}))
	if len(f.Reasons) != 1 ||
		f.Reasons[0].Sentence != "The key does not cover these installed plugins: SonarSwift, SonarPLI." {
		t.Errorf("got reasons %+v, want the names of the plugins", f.Reasons)
	}
}

func TestPastedKeysAreUnderstood(t *testing.T) {
	env := newTestEnv(t)
	key := env.issue(nil)
	wrapped := func(mark string) string {
		var b strings.Builder
		for i := 0; i < len(key); i += 60 {
			b.WriteString(key[i:min(i+60, len(key))] + mark)
		}
		return b.String()
	}
	saved := "From: licenses@vendor.example\r\nTo: ana@customer.example\r\nSubject: Your key\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte("Hello,\r\n\r\n"+key+"\r\n")) + "\r\n"
	for name, tt := range map[string]struct{ pasted, undone string }{
		"hyphen at a line's end":      {key[:120] + "-\n" + key[120:], "line-marks"},
		"dash at a line's end":        {key[:120] + "\u2013\n" + key[120:], "line-marks"},
		"exclamation mark at the end": {wrapped("!\r\n"), "line-marks"},
		"line breaks as \\n":          {wrapped(`\n`), "line-marks"},
		"bullets":                     {"• " + wrapped("\n• "), "line-marks"},
		"base64 of the key":           {base64.StdEncoding.EncodeToString([]byte(key)), "packed"},
		"saved mail":                  {saved, "packed"},
	} {
		f := checkAnswer(env.apiCheck(map[string]any{"key": tt.pasted}))
		if !f.Valid || f.Text != key {
			t.Errorf("%s: got %q %+v, want the key", name, f.Summary, f.Reasons)
		}
		if !slices.ContainsFunc(f.Undone, func(m license.Mangling) bool { return m.Code == tt.undone }) {
			t.Errorf("%s: got undone %v, want %s", name, f.Undone, tt.undone)
		}
	}
	for name, pasted := range map[string]string{
		"cut above a signature": key[:400] + "\n\nBest regards,\nAna",
		"cut above a footer":    key[:200] + "\n--\nCustomer & Sons, Geneva",
	} {
		f := checkAnswer(env.apiCheck(map[string]any{"key": pasted}))
		if len(f.Reasons) != 1 || f.Reasons[0].Code != string(license.Truncated) ||
			f.Reasons[0].Sentence != "The end of the key is missing." {
			t.Errorf("%s: got %+v, want truncated", name, f.Reasons)
		}
	}
	f := checkAnswer(env.apiCheck(map[string]any{"key": "Please send me a key."}))
	if len(f.Reasons) != 1 || !strings.HasPrefix(f.Reasons[0].Sentence, "This is not a license key") {
		t.Errorf("words: got %+v, want that this is no key", f.Reasons)
	}
}

// A damaged or made-up key says what its author wants; the answer shows no control and no invisible character of it.
func TestDamagedKeyShowsNoRawBytes(t *testing.T) {
	env := newTestEnv(t)
	raw, err := base64.StdEncoding.DecodeString(env.issue(nil))
	if err != nil {
		t.Fatal(err)
	}
	made := strings.Replace(string(raw), "Customer & Sons",
		`\u202EelpmaxE \u200BLtd\u0007\u000A\u0000`+strings.Repeat("x", 300), 1)
	pasted := []string{base64.StdEncoding.EncodeToString([]byte(made))}
	if f := checkAnswer(env.apiCheck(map[string]any{"key": pasted[0]})); f.Key == nil {
		t.Fatalf("got %+v, want what the key says", f)
	}
	for i := range raw { // one damaged byte, everywhere
		for _, b := range []byte{0, 0x1b, 0x80, 0xff} {
			damaged := slices.Clone(raw)
			damaged[i] = b
			pasted = append(pasted, base64.StdEncoding.EncodeToString(damaged))
		}
	}
	for _, key := range pasted {
		a := env.apiCheck(map[string]any{"key": key})
		f := checkAnswer(a)
		if f.Valid {
			t.Fatal("a damaged key is valid")
		}
		texts := []string{fmt.Sprint(f.Key)}
		for _, r := range f.Reasons {
			texts = append(texts, r.Sentence, r.Remedy)
		}
		for _, text := range texts {
			if i := strings.IndexFunc(text, func(r rune) bool {
				return !unicode.IsPrint(r) || r == unicode.ReplacementChar || r > '~' && r != '…'
			}); i >= 0 || strings.Contains(text, `\x`) || len(text) > 1500 {
				t.Fatalf("got %q, want printable text", text)
			}
		}
	}
}
