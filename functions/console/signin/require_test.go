package signin

import (
	"context"
	"strings"
	"testing"
	"time"

	"marketplace/shared/web/webtest"
)

func TestRequireEnforcesRoles(t *testing.T) {
	c := newConsole(t)
	for _, tt := range []struct {
		name                string
		reads, sells, rules bool
	}{
		{"", false, false, false},
		{"Vera Vogel", true, false, false},
		{"Sam Okoye", true, true, false},
		{"Ada Brandt", true, true, true},
	} {
		b := newBrowser(t)
		if tt.name != "" {
			b = c.signedIn(t, tt.name)
		}
		b.stay = true
		for _, call := range []struct {
			method, path string
			may, changes bool
		}{
			{"GET", "/console", tt.reads, false},
			{"HEAD", "/console", tt.reads, false},
			{"GET", "/console/requests/r1", tt.reads, false},
			{"POST", "/console/requests/r1", tt.sells, true},
			{"POST", "/console/keys", tt.rules, true},
		} {
			before := c.changes
			a := b.do(call.method, c.URL+call.path)
			want := 200
			if !call.may {
				want = 403
				if tt.name == "" && !call.changes {
					want = 303
				}
			}
			if a.StatusCode != want {
				t.Errorf("%q: %s %s got %d, want %d", tt.name, call.method, call.path, a.StatusCode, want)
			}
			if changed := c.changes != before; changed != (call.may && call.changes) {
				t.Errorf("%q: %s %s changes: %v", tt.name, call.method, call.path, changed)
			}
		}
	}
}

func TestRoleTooLowIsExplained(t *testing.T) {
	c := newConsole(t)
	a := c.signedIn(t, "Vera Vogel").do("POST", c.URL+"/console/requests/r1")
	if a.StatusCode != 403 || a.text("h1") != "Your role does not allow this" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	for _, part := range []string{"sales", "Vera Vogel", "viewer", "Nothing was changed"} {
		if !strings.Contains(a.text(".lead"), part) {
			t.Errorf("%q is not in %q", part, a.text(".lead"))
		}
	}
	if href, _ := a.page.Find("main a.button").Attr("href"); href != Home {
		t.Errorf("leads to %q", href)
	}
}

func TestFormAfterSessionChangesNothingAndCanBeResent(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(t, "Sam Okoye")
	c.move(2 * time.Hour)
	a := b.do("POST", c.URL+"/console/requests/r1")
	link := a.page.Find("main a.button")
	if target, _ := link.Attr("target"); a.StatusCode != 403 || c.changes != 0 || target != "_blank" ||
		!strings.HasPrefix(a.text(".lead"), "Your change was not saved.") {
		t.Errorf("%d, %d changes, %s", a.StatusCode, c.changes, a.body)
	}
	b.choose(b.choose(a, link.Text()), "Sam Okoye")
	if a := b.do("POST", c.URL+"/console/requests/r1"); a.StatusCode != 200 || c.changes != 1 {
		t.Errorf("sent again: %d, %d changes", a.StatusCode, c.changes)
	}
}

func TestReturnPathStaysInTheConsole(t *testing.T) {
	for _, tt := range []struct{ to, want string }{
		{"/console", "/console"},
		{"/console/", "/console/"},
		{"/console?state=issued", "/console?state=issued"},
		{"/console/requests/r1?tab=a%26b&q=%2F%2Fevil", "/console/requests/r1?tab=a%26b&q=%2F%2Fevil"},
		{"/console/a%2Fb", "/console/a%2Fb"},
		{"/console/requests/r1#notes", "/console/requests/r1"},

		{"", Home},
		{"/", Home},
		{"console", Home},
		{"/consolex", Home},
		{"/requests/r1", Home},
		{"//evil.example", Home},
		{"//evil.example/console/x", Home},
		{"///evil.example/console", Home},
		{`/\evil.example`, Home},
		{`\\evil.example/console`, Home},
		{`/console/\evil.example`, Home},
		{"/console/%5Cevil.example", Home},
		{"https://evil.example/console/x", Home},
		{"https:/console/x", Home},
		{"http:console/x", Home},
		{"javascript:alert(1)//console", Home},
		{"//user@/console/x", Home},
		{"/console/..//evil.example", Home},
		{"/console/%2e%2e/%2fevil.example", Home},
		{"/console/./x", Home},
		{"/console//evil.example", Home},
		{"/console/\r\nSet-Cookie: a=b", Home},
		{"\t//evil.example", Home},
		{" /console", Home},
		{"/console/%zz", Home},
		{SignInPath, Home},
		{SignInPath + "?return=/console", Home},
		{CallbackPath + "?code=x", Home},
		{SignOutPath, Home},
		{SignedOutPath, Home},
		{"/console/?q=" + strings.Repeat("a", maxReturn), Home},
		{"/console/" + strings.Repeat("^", maxReturn/2), Home}, // written %5E where it leads
	} {
		if got := returnPath(tt.to); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.to, got, tt.want)
		}
	}
	c := newConsole(t)
	b := newBrowser(t)
	a := b.choose(b.do("GET", c.URL+SignInPath+"?return=//evil.example/console"), "Vera Vogel")
	if a.Request.URL.String() != c.URL+"/console" {
		t.Errorf("led to %s", a.Request.URL)
	}
}

func FuzzReturnPath(f *testing.F) {
	f.Add("/console/requests/r1?a=b")
	f.Add(`/\evil`)
	f.Add(`/console?q=\`)
	f.Fuzz(func(t *testing.T, to string) {
		got := returnPath(to)
		page, _, _ := strings.Cut(got, "?")
		if page != Home && !strings.HasPrefix(page, Home+"/") || strings.Contains(page, `\`) ||
			strings.ContainsAny(got, "\r\n\t ") {
			t.Errorf("%q leads to %q", to, got)
		}
		if again := returnPath(got); again != got {
			t.Errorf("%q leads to %q, which leads to %q", to, got, again)
		}
	})
}

func TestZeroPersonHasNoRole(t *testing.T) {
	if p := PersonOf(context.Background()); p != (Person{}) || p.Role >= Viewer {
		t.Errorf("%+v", p)
	}
	if r := Role(77); r.String() != "" || roleNamed("root") != NoRole {
		t.Errorf("%q", r)
	}
}

func TestTemplatesMatchTheirData(t *testing.T) {
	webtest.CheckPages(t, templates, map[string]any{"notice.html": notice{}})
}
