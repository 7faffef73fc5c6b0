package site

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

// filesIt presses the button that files a barred draft as a request.
func (w *workshop) filesIt(review *webtest.Answer, change ...func(url.Values)) *webtest.Answer {
	w.t.Helper()
	form := review.Page().Find("main form.file")
	values := filledIn(form)
	values.Set("step", "file")
	for _, c := range change {
		c(values)
	}
	return w.send(sam, form.AttrOr("action", ""), values)
}

// TestBarredIssueIsFiledAsARequest: 3 clicks file it, one of the contact confirms it, 3 issue it.
func TestBarredIssueIsFiledAsARequest(t *testing.T) {
	w := newWorkshop(t)
	w.record(sampleLicense("l1", day("2018-04-30")))
	const moved = "BF41A1F2-AWHW8w9JtzBzSrmf9GQX"
	form := w.get(sam, "/console/licenses/l1/replace").WantStatus(200)
	review := w.press(form, "Review", set("serverId", moved)).WantStatus(200)
	w.wantBarred(review, "File it as a request first.")
	var to string
	for range 2 { // a double click files one
		to = w.filesIt(review).WantStatus(http.StatusSeeOther).Header.Get("Location")
	}
	id := strings.TrimSuffix(strings.TrimPrefix(to, "/console/requests/"), "?done=filed")
	list, _, err := w.store.RequestsOf(t.Context(), []string{w.license("l1").License.Customer}, 10)
	if err != nil || len(list) != 1 || list[0].ID != id {
		t.Fatalf("got requests %+v, %v, want one", list, err)
	}
	r, err := w.store.Request(t.Context(), id)
	l := w.license("l1").License
	if err != nil || r.Kind != request.Replacement || r.Server != moved || r.FiledBy != emails[sam] ||
		r.Email != "jane.doe@customer.example" || r.Customer != l.Customer || r.Instance != l.Instance ||
		r.Unconfirmed {
		t.Fatalf("got %+v, %v, want the replacement for the first contact", r, err)
	}
	page := webtest.Text(w.get(sam, to).WantStatus(200).Page().Find("main"))
	if !strings.Contains(page, "Filed as a request.") {
		t.Errorf("got page %q, want that it was filed", page)
	}
	barred := w.press(w.get(sam, "/console/requests/"+id+"/issue").WantStatus(200), "Review").WantStatus(200)
	w.wantBarred(barred, "No contact of Customer & Sons has said that this request is theirs.")
	if err := w.store.ConfirmRequests(t.Context(), id, r.Secret, id); err != nil {
		t.Fatal(err)
	}
	review = w.press(w.get(sam, "/console/requests/"+id+"/issue").WantStatus(200), "Review").WantStatus(200)
	if word := webtest.Text(review.Page().Find("#word")); word !=
		"jane.doe@customer.example confirmed this request on 05 Mar 2018." {
		t.Errorf("got %q, want whose word it is", word)
	}
	issued := w.issued(w.press(review, "Issue and send", confirm(review)))
	if old := w.license("l1").License; old.ReplacedBy != issued.ID || issued.Server != moved {
		t.Errorf("got %+v, want it replaced", old)
	}
	line := webtest.Text(w.get(sam, "/console/licenses/"+issued.ID).WantStatus(200).Page().Find("main"))
	if !strings.Contains(line, "jane.doe@customer.example confirmed this request on 05 Mar 2018.") {
		t.Errorf("got license page %q, want whose word it was", line)
	}
}

func TestWhoAskedByTelephoneIsTyped(t *testing.T) {
	w := newWorkshop(t)
	w.record(sampleLicense("l1", day("2018-04-30")))
	form := w.get(sam, "/console/licenses/l1/upgrade").WantStatus(200)
	review := w.press(form, "Review", set("maxLoc", "500000")).WantStatus(200)
	wrong := w.filesIt(review, set("asker", "other"), set("askerEmail", "bob@")).WantStatus(422)
	if got := webtest.Text(wrong.Page().Find("#barred")); !strings.Contains(got, "there is no such domain") {
		t.Errorf("got %q, want the wrong address", got)
	}
	w.filesIt(review, set("asker", "eve@evil.example")).WantStatus(422)
	to := w.filesIt(review, set("asker", "other"), set("askerEmail", "bob@customer.example"),
		set("askerName", "Bob")).WantStatus(http.StatusSeeOther).Header.Get("Location")
	id := strings.TrimSuffix(strings.TrimPrefix(to, "/console/requests/"), "?done=filed")
	r, err := w.store.Request(t.Context(), id)
	if err != nil || r.Kind != request.Upgrade || r.Email != "bob@customer.example" || r.Name != "Bob" ||
		r.WantedLoc != 500_000 {
		t.Errorf("got %+v, %v, want Bob's upgrade", r, err)
	}
	// What takes nothing from anybody is not filed.
	form = w.get(sam, "/console/licenses/l1/renew").WantStatus(200)
	free := w.press(form, "Review").WantStatus(200)
	if free.Page().Find("#barred, form.file").Length() != 0 {
		t.Error("got a renewal to a contact barred")
	}
	values := filledIn(free.Page().Find("main form.wizard"))
	values.Set("step", "file")
	w.send(sam, "/console/licenses/l1/renew", values).WantStatus(http.StatusConflict)
}
