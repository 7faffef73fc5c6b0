package site

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

func TestLicenseHasOneStatusOnEveryPage(t *testing.T) {
	w := newTestEnv(t)
	followed := sampleLicense("followed", day("2018-02-28"))
	lost := sampleLicense("lost", day("2018-02-27"))
	lost.Server = "AWHW8w9JtzBzSrmf9G00"
	active := sampleLicense("active", day("2018-08-31"))
	renewed := sampleLicense("renewed", day("2018-07-31"))
	renewed.Server, active.NotBefore = "AWHW8w9JtzBzSrmf9G01", day("2018-02-01")
	next := sampleLicense("next", day("2019-07-31"))
	next.Server, next.NotBefore = renewed.Server, day("2018-08-01")
	revoked := sampleLicense("revoked", day("2018-09-30"))
	revoked.Server = "AWHW8w9JtzBzSrmf9G02"
	for _, l := range []license.License{followed, lost, active, renewed, next, revoked} {
		w.record(l)
	}
	recorded, err := w.store.License(t.Context(), revoked.ID)
	if err != nil {
		t.Fatal(err)
	}
	change := store.LicenseChange{ID: revoked.ID, Version: recorded.Version, By: "sam"}
	if err := w.store.RevokeLicense(t.Context(), change, "unpaid"); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"followed": "Expired, renewed", "lost": "Expired", "active": "Active", "renewed": "Active, renewed",
		"next": "Not yet valid", "revoked": "Revoked",
	} {
		l, err := w.store.License(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		page := "/console/licenses/" + id
		for _, list := range []string{searchFor(string(l.License.Server)), monthAddress(l.License.Expiration, "")} {
			row := w.get(sam, list).WantStatus(200).Page().Find("tr").Has("a[href='" + page + "']")
			if row.Length() == 0 && list[:len("/console/search")] == "/console/search" {
				continue // the search shows the license in force of each instance
			}
			if got := webtest.Text(row.Find(".state")); got != want {
				t.Errorf("%s in %s: got %q, want %q", id, list, got, want)
			}
		}
		for _, path := range []string{page, page + "/revoke"} {
			if got := webtest.Text(w.get(sam, path).WantStatus(200).Page().Find(".head .state")); got != want {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
	}
}

func TestTermsHaveOneShape(t *testing.T) {
	w := newWorkshop(t)
	d := sampleDetails
	form := w.get(sam, "/console/requests/"+w.file(d).ID+"/issue").WantStatus(200)
	review := w.press(form, "Review", set("languages", "cobol"), set("tailored", "yes")).WantStatus(200)
	l := w.issued(w.press(review, "Issue and send", confirm(review)))
	terms := func(doc *goquery.Document, section string) (all []string) {
		doc.Find("section[aria-labelledby=" + section + "] .facts > div").Each(func(_ int, s *goquery.Selection) {
			if label := webtest.Text(s.Find("dt")); !slices.Contains([]string{"Organization", "Customer", "Contract"}, label) {
				all = append(all, label+": "+webtest.Text(s.Find("dd")))
			}
		})
		return all
	}
	before := terms(review.Page(), "license-0")
	after := terms(w.get(sam, "/console/licenses/"+l.ID).WantStatus(200).Page(), "terms-title")
	if got, want := fmt.Sprint(after), fmt.Sprint(before); got != want || len(before) < 9 {
		t.Errorf("got the terms %s, want those of the review: %s", got, want)
	}
}

func TestCustomPackagesAreOfferedWhereTheyDiffer(t *testing.T) {
	w := newWorkshop(t)
	c, err := sampleCatalog()
	if err != nil {
		t.Fatal(err)
	}
	developer, _ := c.Edition("developer")
	for i, tt := range []struct {
		name  string
		set   func(*license.License)
		offer bool
	}{
		{"imported", func(l *license.License) { l.Plugins = nil }, false},
		{"the edition's plugins", func(l *license.License) { l.Plugins = developer.Plugins }, false},
		{"one more", func(l *license.License) { l.Plugins = append([]string{"cobol"}, developer.Plugins...) }, true},
		{"community", func(l *license.License) { l.Edition, l.Plugins = license.Community, nil }, true},
		{"one on record", func(l *license.License) { l.Packages = []string{"x.zip"} }, true},
	} {
		l := sampleLicense(fmt.Sprintf("l%d", i), day("2018-08-31"))
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		tt.set(&l)
		w.record(l)
		doc := w.get(sam, "/console/licenses/"+l.ID).WantStatus(200).Page()
		if got := doc.Find("a[href$='/packages']").Length() == 1; got != tt.offer {
			t.Errorf("%s: offers custom packages: %v, want %v", tt.name, got, tt.offer)
		}
	}
}

// TestFormWithoutChoiceMakesNoPackage: the page hides the box where there is nothing to choose, even if it is ticked.
func TestFormWithoutChoiceMakesNoPackage(t *testing.T) {
	w := newWorkshop(t)
	w.advance(time.Minute)
	form := w.get(sam, "/console/requests/"+w.file(sampleDetails).ID+"/issue").WantStatus(200)
	if form.Page().Find(".for-package #tailored-yes").Length() != 1 {
		t.Fatal("the form lacks the box, or hides it never")
	}
	for languages, want := range map[string]int{"": 0, "cobol": 1} {
		review := w.press(form, "Review", set("tailored", "yes"), func(v url.Values) {
			if languages != "" {
				v.Set("languages", languages)
			}
		}).WantStatus(200)
		text := webtest.Text(review.Page().Find("section[aria-labelledby=license-0] .facts"))
		if got := strings.Count(text, "Custom packages"); got != want {
			t.Errorf("languages %q: got %q", languages, text)
		}
	}
}
