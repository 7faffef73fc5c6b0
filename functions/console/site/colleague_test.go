package site

import (
	"strings"
	"testing"

	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

func TestColleaguesAreShownByName(t *testing.T) {
	w := newTestEnv(t)
	for _, name := range []string{sam, lucia} {
		if err := w.store.RecordSignIn(t.Context(), emails[name], name, "sales"); err != nil {
			t.Fatal(err)
		}
	}
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	w.send(sam, page+"/take", w.snapshot(page)).WantStatus(303)
	w.send(sam, page+"/note", with(w.snapshot(page), "note", "Sam's note")).WantStatus(303)
	doc := w.get(lucia, page).WantStatus(200).Page()
	for selector, want := range map[string]string{
		".head": "reviewer: Sam Okoye", ".tasks": "Take over from Sam Okoye", ".timeline": "Note added · Sam Okoye,",
		".timeline .changes": "Reviewer: Sam Okoye",
	} {
		if got := webtest.Text(doc.Find(selector)); !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("%s: got %q, want %q", selector, got, want)
		}
	}
	for _, path := range []string{"/console", "/console?show=open", searchFor("customer"), page} {
		text := webtest.Text(w.get(lucia, path).WantStatus(200).Page().Find("main"))
		if !strings.Contains(text, "Sam Okoye") || strings.Contains(text, emails[sam]) {
			t.Errorf("%s: got %q, want Sam by name", path, text)
		}
	}
	// Whoever never signed in is shown by address.
	other := w.review(w.file(sampleDetails), request.InReview)
	if got := webtest.Text(w.get(sam, "/console/requests/"+other.ID).Page().Find(".head")); !strings.Contains(got,
		"reviewer: robin@vendor.example") {
		t.Errorf("got %q, want the address", got)
	}
	// A form that failed names colleagues too.
	refused := w.send(lucia, page+"/take", w.snapshot(page)).WantStatus(409).Page()
	if got := webtest.Text(refused.Find(".timeline")); !strings.Contains(got, "Sam Okoye") {
		t.Errorf("got the timeline %q after a conflict", got)
	}
}

func TestNamesakesAreToldApart(t *testing.T) {
	names := nameColleagues([]store.Colleague{
		{Email: "sam@vendor.example", Name: "Sam"}, {Email: "sam2@vendor.example", Name: "Sam"},
		{Email: "ada@vendor.example", Name: "Ada"},
	})
	for email, want := range map[string]string{
		"sam@vendor.example": "Sam (sam@vendor.example)", "sam2@vendor.example": "Sam (sam2@vendor.example)",
		"ada@vendor.example": "Ada", "eve@vendor.example": "eve@vendor.example", "": "",
	} {
		if got := names.name(email); got != want {
			t.Errorf("%s: got %q, want %q", email, got, want)
		}
	}
}
