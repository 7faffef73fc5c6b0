package site

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

func TestTimelinesNameWhatTheyLinkTo(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	issue := func(form string) license.License {
		t.Helper()
		review := w.press(w.get(sam, form).WantStatus(200), "Review", set("languages", "cobol"),
			set("tailored", "yes")).WantStatus(200)
		return w.issued(w.press(review, "Issue and send", confirm(review)))
	}
	first := issue(page + "/issue")
	w.advance(24 * time.Hour)
	renewal := issue("/console/licenses/" + first.ID + "/renew")
	lost := sampleDetails
	lost.Kind, lost.Replaces, lost.Environment, lost.OldServer = request.Replacement, string(lost.Server),
		request.ProductionUse, request.OldSame
	replacement := issue("/console/requests/" + w.file(lost).ID + "/issue")
	again := issue("/console/licenses/" + first.ID + "/renew") // confirmed: it was renewed before
	w.remind(again.ID, reminder.MonthsBefore(2), sampleContacts[0])
	texts := map[string]string{}
	for _, path := range []string{page, "/console/licenses/" + first.ID, "/console/licenses/" + renewal.ID,
		"/console/licenses/" + replacement.ID, "/console/licenses/" + again.ID} {
		doc := w.get(sam, path).WantStatus(200).Page()
		texts[path] = webtest.Text(doc.Find(".timeline"))
		doc.Find(".timeline, .facts, .tasks").Each(func(_ int, s *goquery.Selection) {
			for _, word := range strings.FieldsFunc(s.Text(), func(r rune) bool {
				return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
			}) {
				if len(word) >= 26 {
					t.Errorf("%s: the text has the ID %s", path, word)
				}
			}
			if strings.ContainsAny(s.Text(), `{}[]"`) {
				t.Errorf("%s: the text has JSON: %q", path, webtest.Text(s))
			}
		})
		doc.Find(".timeline a").Each(func(_ int, a *goquery.Selection) {
			w.get(sam, a.AttrOr("href", "")).WantStatus(200)
		})
	}
	production := "Production license for AWHW…9GQX, Customer & Sons"
	for path, want := range map[string][]string{
		page:                              {"issued: " + production},
		"/console/licenses/" + first.ID:   {"license issued: New request for AWHW…9GQX, Customer & Sons", "renewed by: " + production},
		"/console/licenses/" + renewal.ID: {"replaced by: " + production},
		"/console/licenses/" + again.ID:   {"In the email of ", "The license was already renewed, through 04 Mar 2020."},
	} {
		for _, text := range want {
			if !strings.Contains(texts[path], text) {
				t.Errorf("%s: got the timeline %q, want %q", path, texts[path], text)
			}
		}
	}
}

func TestTimelineOfLostRowsStillReads(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("l1", day("2018-08-31"))
	l.Request = "01hx0000000000000000000001"
	w.record(l)
	got := webtest.Text(w.get(sam, "/console/licenses/l1").WantStatus(200).Page().Find(".facts"))
	if !strings.Contains(got, "a request that is not on record") {
		t.Errorf("got %q", got)
	}
}

// TestEveryFieldHasWords holds the words of fields to the records: a new field is named, or kept from timelines.
func TestEveryFieldHasWords(t *testing.T) {
	hidden := []string{"id", "token", "secret", "link", "asked", "answers", "linkedBy", "keyText", "instance", "contract",
		"retired", "firstAnswer", "undo", "lateTold", "expires", "response", "corrections", "cancelled"}
	known := map[string]bool{}
	for _, record := range []any{request.Details{}, request.Request{}, license.License{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(record)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			known[name] = true
			if _, ok := fields[name]; ok == slices.Contains(hidden, name) {
				t.Errorf("%T.%s: the field %q has words: %v", record, f.Name, name, ok)
			}
		}
	}
	for name, f := range fields {
		if !known[name] || f.label == "" {
			t.Errorf("the field %q is no field of a request or a license, or has no label", name)
		}
	}
}

func TestChangesAreToldInWords(t *testing.T) {
	c, err := sampleCatalog()
	if err != nil {
		t.Fatal(err)
	}
	words := vocabulary{catalog: c, colleagues: colleagues{"sam@vendor.example": "Sam Okoye"}}
	for _, tt := range []struct{ field, value, want string }{
		{"state", `"in review"`, "In review"}, {"reviewer", `"sam@vendor.example"`, "Sam Okoye"},
		{"edition", `"datacenter"`, "Data Center Edition"}, {"type", `"STAGING"`, "staging"},
		{"mute", ``, "no"},
		{"mute", `{"by":"sam@vendor.example","reason":"Budget cut","until":"2018-04-01"}`, "Budget cut, through 01 Apr 2018"}, {"unconfirmed", ``, "no"}, {"maxLoc", `200000`, "200'000"},
		{"expiration", `"2018-08-31"`, "31 Aug 2018"}, {"revoked", `"2018-03-05T09:30:00Z"`, "05 Mar 2018, 09:30 UTC"},
		{"contacts", `[{"name":"Jane","email":"j@x.example"},{"email":"k@x.example"}]`, "Jane j@x.example|k@x.example"},
		{"packages", `["developer-edition-6.7.1-ABCDEFGHIJKLMNOPQRSTUVWXYZ.zip"]`, "Developer Edition, version 6.7.1"},
		{"languages", `["cobol","klingon"]`, "COBOL|klingon"}, {"successor", `"01hx0000000000000000000001"`, "a license"},
		{"question", ``, ""},
	} {
		var got []string
		for _, m := range fields[tt.field].inWords(tt.value, words) {
			got = append(got, m.Text)
		}
		if text := strings.Join(got, "|"); !strings.EqualFold(text, tt.want) {
			t.Errorf("%s %s: got %q, want %q", tt.field, tt.value, text, tt.want)
		}
	}
}

func TestPluginsLanguagesAndFeaturesAreShownByName(t *testing.T) {
	w := newTestEnv(t)
	c, err := sampleCatalog()
	if err != nil {
		t.Fatal(err)
	}
	l := sampleLicense("l1", day("2018-08-31"))
	l.Plugins, l.Features, l.Languages = nil, nil, []string{"cobol", "pli"}
	var want []string
	for _, p := range c.Plugins {
		l.Plugins, want = append(l.Plugins, p.Key), append(want, p.Name)
	}
	for _, f := range c.Features {
		l.Features, want = append(l.Features, f.Key), append(want, f.Name)
	}
	l.Plugins = append(l.Plugins, "withdrawn")
	w.record(l)
	doc := w.get(sam, "/console/licenses/l1").WantStatus(200).Page()
	got := webtest.Text(doc.Find("section[aria-labelledby=terms-title]"))
	for _, name := range append(want, "COBOL, PL/I", "withdrawn") {
		if !strings.Contains(got, name) {
			t.Errorf("got %q, want %s", got, name)
		}
	}
}
