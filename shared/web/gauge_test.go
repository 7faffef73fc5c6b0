package web

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/brand"
)

func TestGaugeSaysHowMuchOfTheLicenseIsUsed(t *testing.T) {
	told := time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)
	limits := []int64{100_000, 500_000, 1_000_000}
	for name, tt := range map[string]struct {
		gauge Gauge
		tone  string
		width string
		words []string
		not   string
	}{
		"room": {NewGauge(120_000, told, 500_000, limits), "good", "24",
			[]string{"120'000 of 500'000 lines of code used (24 %)", "As of 05 Mar 2018, 09:30 UTC.",
				"The next larger limit is 1'000'000."}, "limit:"},
		"close": {NewGauge(400_000, told, 500_000, limits), "warn", "80",
			[]string{"Close to the limit: 100'000 lines are left."}, "above"},
		"at the limit": {NewGauge(500_000, told, 500_000, limits), "warn", "100",
			[]string{"(100 %)", "0 lines are left"}, "above"},
		"one above": {NewGauge(500_001, told, 500_000, limits), "bad", "100",
			[]string{"(100 %)", "1 line above the limit."}, "Close"},
		"above the next limit too": {NewGauge(600_000, told, 100_000, limits), "bad", "100",
			[]string{"(600 %)", "The next larger limit is 1'000'000."}, "Close"},
		"at the largest limit": {NewGauge(10, told, 1_000_000, limits), "good", "0", []string{"(0 %)"}, "next larger"},
		"none": {NewGauge(0, told, 500_000, limits), "good", "0",
			[]string{"0 of 500'000"}, "do not know"},
		"not told": {NewGauge(0, time.Time{}, 500_000, limits), "", "",
			[]string{"Up to 500'000 lines of code", "We do not know how many the server has."}, "%"},
	} {
		doc := gaugePage(t, tt.gauge)
		if got := doc.Find(".gauge").AttrOr("class", ""); strings.TrimSpace("gauge "+tt.tone) != got {
			t.Errorf("%s: got the class %q, want the tone %q", name, got, tt.tone)
		}
		if got := doc.Find(".gauge .used").AttrOr("width", ""); got != tt.width {
			t.Errorf("%s: got %q of the bar filled, want %q", name, got, tt.width)
		}
		text := strings.ReplaceAll(strings.Join(strings.Fields(doc.Find(".gauge").Text()), " "), "\u00a0", " ")
		for _, want := range tt.words {
			if !strings.Contains(text, want) {
				t.Errorf("%s: got %q, want %q in it", name, text, want)
			}
		}
		if strings.Contains(text, tt.not) {
			t.Errorf("%s: got %q, want it without %q", name, text, tt.not)
		}
	}
	if gaugePage(t, Gauge{}).Find(".gauge").Length() != 0 {
		t.Error("got a gauge of no license")
	}
}

func gaugePage(t *testing.T, g Gauge) *goquery.Document {
	t.Helper()
	pages := NewPages(fstest.MapFS{
		"templates/site.html": {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
		"templates/page.html": {Data: []byte(`{{define "main"}}{{template "gauge" .}}{{end}}`)},
	}, brand.Brand{})
	rec := httptest.NewRecorder()
	if err := pages.Render(rec, 200, "page.html", View{Data: g}); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
