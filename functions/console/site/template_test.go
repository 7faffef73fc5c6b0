package site

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

// addTemplate adds a template by its form, and returns the address of its page.
func (w *testEnv) addTemplate(name string, state request.State, text string) string {
	w.t.Helper()
	form := with(hiddenIn(w.get(ada, templatesPath+"/new").Page().Find("form#template")),
		"name", name, "for", string(state), "text", text)
	for range 2 { // a double click
		w.send(ada, templatesPath+"/new", form).WantRedirect(templatesPath + "?done=saved")
	}
	return templatesPath + "/" + form.Get("id")
}

func TestTemplateFillsTheReply(t *testing.T) {
	w := newTestEnv(t)
	w.addTemplate("No contract", request.Rejected, "We have no contract with {company} for {edition}.\n\n{reference}")
	w.addTemplate("Which server?", request.Waiting, "Which server?")
	r := w.fileUnconfirmed(sampleDetails)
	page := "/console/requests/" + r.ID
	use := func(r request.Request) *webtest.Answer {
		doc := w.get(sam, "/console/requests/"+r.ID).Page()
		choice := doc.Find("#template-reject option")
		if webtest.Text(choice) != "No contract" {
			t.Fatalf("got choice %q", webtest.Text(choice))
		}
		form := with(w.snapshot("/console/requests/"+r.ID), "template", choice.AttrOr("value", ""), "do", "use")
		return w.send(sam, "/console/requests/"+r.ID+"/reject", form).WantStatus(200)
	}
	doc := use(r).Page()
	text := strings.TrimPrefix(doc.Find("details[open] #rejection").Text(), "\n")
	if want := "We have no contract with  for Developer Edition.\n\n" + string(r.Reference); text != want {
		t.Errorf("unconfirmed: got text %q, want %q", text, want)
	}
	if left := webtest.Text(doc.Find("#left-out")); !strings.Contains(left, "company") {
		t.Errorf("unconfirmed: got %q, want what was left out", left)
	}
	if got := w.request(r.ID); got.Version != r.Version {
		t.Errorf("the request changed: %+v", got)
	}
	confirmed := w.file(sampleDetails)
	doc = use(confirmed).Page()
	if got := doc.Find("#rejection").Text(); !strings.Contains(got, "with "+sampleDetails.Company+" for") ||
		doc.Find("#left-out").Length() != 0 {
		t.Errorf("got text %q", got)
	}
	gone := with(w.snapshot(page), "template", "01arz3ndektsv4rrffq69g5fav", "do", "use")
	w.send(sam, page+"/reject", gone).WantStatus(http.StatusNotFound)
}

func TestOnlyAdminsEditTemplates(t *testing.T) {
	w := newTestEnv(t)
	page := w.addTemplate("No contract", request.Rejected, "There is no contract.")
	for _, who := range []string{vera, sam} {
		for _, path := range []string{settingsPath, templatesPath, templatesPath + "/new", page} {
			w.get(who, path).WantStatus(http.StatusForbidden)
		}
		for _, path := range []string{templatesPath + "/new", page, page + "/delete"} {
			w.send(who, path, url.Values{"version": {"1"}, "sure": {"yes"}}).WantStatus(http.StatusForbidden)
		}
		if nav := webtest.Text(w.get(who, "/console").Page().Find("header nav")); strings.Contains(nav, "Settings") ||
			strings.Contains(nav, "Audit") {
			t.Errorf("%s: got navigation %q", who, nav)
		}
	}
	if nav := webtest.Text(w.get(ada, "/console").Page().Find("header nav")); !strings.Contains(nav, "Audit") ||
		!strings.Contains(nav, "Settings") {
		t.Errorf("an admin: got navigation %q", nav)
	}
}

func TestWrongTemplateIsShownAgain(t *testing.T) {
	for name, tt := range map[string]struct{ field, value, wrong string }{
		"no name":             {"name", " ", "Enter a name."},
		"long name":           {"name", strings.Repeat("x", maxTemplateName+1), "too long"},
		"no text":             {"text", "\r\n", "Enter the text."},
		"long text":           {"text", strings.Repeat("x", maxText+1), "too long"},
		"unknown placeholder": {"text", "Hello {phone}", "There is no placeholder {phone}. Use {reference}"},
		"unclosed":            {"text", "Hello {name", "Close the brace"},
		"unknown step":        {"for", "issued", "Choose what the template is for."},
	} {
		w := newTestEnv(t)
		form := with(hiddenIn(w.get(ada, templatesPath+"/new").Page().Find("form#template")),
			"name", "Name", "for", string(request.Waiting), "text", "Text")
		form = with(form, tt.field, tt.value)
		doc := w.send(ada, templatesPath+"/new", form).WantStatus(http.StatusUnprocessableEntity).Page()
		if got := webtest.Text(doc.Find("#" + tt.field + "-error")); !strings.Contains(got, tt.wrong) {
			t.Errorf("%s: got error %q", name, got)
		}
		if list, err := w.replies().Replies(t.Context()); err != nil || len(list) > 0 {
			t.Errorf("%s: got templates %+v, %v", name, list, err)
		}
	}
}

func TestTemplateIsChangedAndDeletedByWhoSawIt(t *testing.T) {
	w := newTestEnv(t)
	page := w.addTemplate("No contract", request.Rejected, "There is no contract.")
	seen := with(hiddenIn(w.get(ada, page).Page().Find("form#template")), "name", "Mine",
		"for", string(request.Rejected), "text", "Mine")
	now, err := w.replies().Replies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now[0].Text = "Theirs"
	if err := w.replies().SaveReply(t.Context(), now[0], emails[lucia]); err != nil {
		t.Fatal(err)
	}
	doc := w.send(ada, page, seen).WantStatus(http.StatusConflict).Page()
	if kept := strings.TrimPrefix(doc.Find("#text").Text(), "\n"); kept != "Mine" ||
		!strings.Contains(webtest.Text(doc.Find("#trouble")), "Theirs") {
		t.Errorf("got text %q and message %q", kept, webtest.Text(doc.Find("#trouble")))
	}
	old := hiddenIn(w.get(ada, page).Page().Find("form#delete"))
	w.send(ada, page+"/delete", old).WantStatus(http.StatusUnprocessableEntity) // not confirmed
	form := with(hiddenIn(doc.Find("form#template")), "name", "Mine", "for", string(request.Rejected), "text", "Mine")
	w.send(ada, page, form).WantRedirect(templatesPath + "?done=saved")
	w.send(ada, page+"/delete", with(old, "sure", "yes")).WantStatus(http.StatusConflict)
	fresh := with(hiddenIn(w.get(ada, page).Page().Find("form#delete")), "sure", "yes")
	for range 2 { // a double click
		w.send(ada, page+"/delete", fresh).WantRedirect(templatesPath + "?done=deleted")
	}
	w.get(ada, page).WantStatus(http.StatusNotFound)
}

func TestSettingsShowTheConfiguration(t *testing.T) {
	w := newTestEnv(t)
	main := webtest.Text(w.get(ada, settingsPath).WantStatus(200).Page().Find("main"))
	for _, want := range []string{"Monday to Friday, 09:00–17:00 (UTC)", "2 months before", "on the last day", "On:"} {
		if !strings.Contains(main, want) {
			t.Errorf("got no %q in\n%s", want, main)
		}
	}
}
