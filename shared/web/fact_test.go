package web

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"marketplace/shared/brand"
	"marketplace/shared/license"
)

func TestFactsEscapeTextAndLeaveOutEmptyLines(t *testing.T) {
	type version struct{ Name string }
	type view struct {
		Typed, Empty, Path string
		Day, NoDay         license.Date
		At, Never          time.Time
		Names              []string
		Versions           []version
	}
	pages := NewPages(fstest.MapFS{
		"templates/site.html": {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
		"templates/page.html": {Data: []byte(`{{define "main"}}{{template "facts" facts (fact "A&B" .Typed) (fact "Empty" .Empty ", alone")
			(fact "Code" (code .Typed)) (fact "No code" (code .Empty)) (fact "No day" (day .NoDay)) (fact "Never" (moment .Never))
			(fact "Day" (day .Day) ", " (moment .At)) (fact "Typed" (typed .Typed)) (fact "Link" (link .Path .Typed))
			(fact "Names" (names .Names)) (fact "No names" (names .Versions)) (fact "Versions" "of " 7)}}{{end}}`)},
	}, brand.Brand{})
	v := view{
		Typed: `<b>"x"`, Path: `/a?b="c&d`, Day: license.Date{Year: 2018, Month: 11, Day: 30},
		At: time.Date(2018, 3, 5, 14, 30, 0, 0, time.UTC), Names: []string{"a", "b<c"},
	}
	rec := httptest.NewRecorder()
	if err := pages.Render(rec, 200, "page.html", View{Data: v}); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(rec.Body.String(), "<dl")
	got, _, _ = strings.Cut(got, "</dl>")
	const want = ` class="facts">
<div><dt>A&amp;B</dt><dd>&lt;b&gt;&#34;x&#34;</dd></div>
<div><dt>Code</dt><dd><code>&lt;b&gt;&#34;x&#34;</code></dd></div>
<div><dt>Day</dt><dd><time datetime="2018-11-30">30 Nov 2018</time>, <time datetime="2018-03-05T14:30:00Z">05 Mar 2018, 14:30 UTC</time></dd></div>
<div><dt>Typed</dt><dd><span class="typed">&lt;b&gt;&#34;x&#34;</span></dd></div>
<div><dt>Link</dt><dd><a href="/a?b=&#34;c&amp;d">&lt;b&gt;&#34;x&#34;</a></dd></div>
<div><dt>Names</dt><dd>a, b&lt;c</dd></div>
<div><dt>Versions</dt><dd>of 7</dd></div>
`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	v.Path = "javascript:alert(1)"
	if err := pages.Render(httptest.NewRecorder(), 200, "page.html", View{Data: v}); err == nil {
		t.Error("a link to javascript: got no error")
	}
}
