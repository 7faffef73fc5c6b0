package site

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

func TestLinkPrefillsTheForm(t *testing.T) {
	env := newTestEnv(t)
	for _, tt := range []struct{ query, server, loc, kind string }{
		{"", "", "", ""},
		{"?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000", "AWHW8w9JtzBzSrmf9GQX", "120000", ""},
		{"?ncloc=0", "", "0", ""},
		{"?ncloc=" + strings.Repeat("0", 2000) + "120000", "", "120000", ""},
		{"?serverId=20180305093000", "20180305093000", "", ""},
		{"?serverId=BF41A1F2-AWHW8w9JtzBzSrmf9GQX", "BF41A1F2-AWHW8w9JtzBzSrmf9GQX", "", ""},
		{"?ncloc=9223372036854775807", "", "9223372036854775807", ""},
		{"?ncloc=9223372036854775808&serverId=AWHW8w9JtzBzSrmf", "", "", ""},
		{"?ncloc=-1&serverId=", "", "", ""},
		{"?ncloc=abc&ncloc=7&serverId=no&serverId=AWHW8w9JtzBzSrmf9GQX", "AWHW8w9JtzBzSrmf9GQX", "7", ""},
		{"?ncloc=%ff&serverId=%00&%zz=%&;;", "", "", ""},
		{"?serverId=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "", "", ""},
		{"?sourceEdition=community", "", "", ""},
		{"?sourceEdition=Developer+Edition", "", "", "upgrade"},
		{"?sourceEdition=enterprise", "", "", "renewal"},
		{"?sourceEdition=Data%20Center", "", "", ""},
		{"?sourceEdition=developer&kind=staging", "", "", "staging"},
		{"?kind=party&kind=renewal", "", "", "renewal"},
	} {
		doc := env.get("/request/enterprise" + tt.query).WantStatus(200).Page()
		if got := fieldValue(doc, "serverId"); got != tt.server {
			t.Errorf("%q: got server ID %q, want %q", tt.query, got, tt.server)
		}
		if got := fieldValue(doc, "ncloc"); got != tt.loc {
			t.Errorf("%q: got lines of code %q, want %q", tt.query, got, tt.loc)
		}
		if got := fieldValue(doc, "kind"); got != tt.kind {
			t.Errorf("%q: got kind %q, want %q", tt.query, got, tt.kind)
		}
		if said := doc.Find(".sheet .notice").Length() == 1; said != (tt.server+tt.loc != "") {
			t.Errorf("%q: got prefill notice %v, want %v", tt.query, said, !said)
		}
		if doc.Find(webtest.ForeignScript+", .error").Length() > 0 {
			t.Errorf("%q: got a script or an error, want a fresh form", tt.query)
		}
	}
}

func TestLinkNamesTheReplacedLicense(t *testing.T) {
	env := newTestEnv(t)
	for query, want := range map[string]string{
		"?kind=replacement&replaces=01c6x2m4vj8q0n5r7t9w3y1z2b":     "01c6x2m4vj8q0n5r7t9w3y1z2b",
		"?kind=replacement&replaces=%22%3E&replaces=20180305093000": "20180305093000",
		"?kind=replacement&replaces=buy+this":                       "",
		"?kind=replacement&replaces=01c6x2m4vj8q0n5r7t9w3y1z2b.%22": "01c6x2m4vj8q0n5r7t9w3y1z2b",
		"?kind=replacement&replaces=%E2%80%9Cl1%E2%80%9D":           "l1",
	} {
		if got := fieldValue(env.get("/request/enterprise"+query).WantStatus(200).Page(), "replaces"); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

// A foreign key names no edition, so the replacement link leads to the choice of an edition.
func TestChoiceOfEditionKeepsTheQuery(t *testing.T) {
	env := newTestEnv(t)
	found := env.send("/licenses/check",
		url.Values{"key": {"hello"}, "serverId": {"AWHW8w9JtzBzSrmf9GQX"}}).WantStatus(200).Page()
	choice := found.Find("main a[href^='/request?']").AttrOr("href", "")
	for link, want := range map[string]string{
		choice: "?kind=replacement&serverId=AWHW8w9JtzBzSrmf9GQX",
		"/request?kind=renewal&replaces=l1&sourceEdition=Enterprise&serverId=x": "" +
			"?kind=renewal&replaces=l1&sourceEdition=enterprise",
		"/request?kind=buy&replaces=buy+this": "",
	} {
		cards := env.get(link).WantStatus(200).Page().Find(".card a").Map(func(_ int, s *goquery.Selection) string {
			return s.AttrOr("href", "")
		})
		if got := []string{"/request/developer" + want, "/request/enterprise" + want,
			"/request/datacenter" + want}; !slices.Equal(cards, got) {
			t.Errorf("%s: got links %q, want %q", link, cards, got)
		}
	}
}

func FuzzPrefill(f *testing.F) {
	f.Add("serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000&sourceEdition=Developer+Edition&kind=new")
	f.Add("ncloc=-1&ncloc=7&serverId=%00&;%zz=")
	f.Fuzz(func(t *testing.T, query string) {
		q, _ := url.ParseQuery(query)
		form := prefill(q, "enterprise")
		if form.Server != "" && len(form.Server) < 14 || form.Kind != "" && !request.Kind(form.Kind).Valid() {
			t.Errorf("%q: got invalid form %+v", query, form)
		}
		again, err := url.ParseQuery(strings.TrimPrefix(linkQuery(q), "?"))
		if err != nil {
			t.Fatal(err)
		}
		if kept := prefill(again, "enterprise"); kept.Server != form.Server || kept.Loc != form.Loc {
			t.Errorf("%q: got %+v after the links, want %+v", query, kept, form)
		}
	})
}
