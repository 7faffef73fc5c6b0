package site

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/request"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

// sendTo posts a form of the page of a request.
func (env *testEnv) sendTo(r request.Request, what string, pairs ...string) *webtest.Answer {
	env.t.Helper()
	form := withValues(url.Values{"token": {r.Token}}, pairs...)
	return env.send("/requests/"+r.ID+"/"+what, form)
}

func TestCustomerAnswersOnTheStatusPage(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	r = env.review(r, request.Waiting, "Which <b>version</b>?")
	form := env.get(page).WantStatus(200).Page().Find("form#answer")
	sent := url.Values{"response": {""}}
	for _, name := range []string{"token", "question"} {
		sent.Set(name, form.Find("input[name="+name+"]").AttrOr("value", ""))
	}
	empty := env.send(form.AttrOr("action", ""), sent).WantStatus(422).Page()
	if got := webtest.Text(empty.Find("#response-error")); !strings.Contains(got, "Enter your answer.") {
		t.Errorf("got the error %q beside the field", got)
	}
	sent.Set("response", "6.7.5, on <two> servers")
	for range 2 { // a double click
		env.send(form.AttrOr("action", ""), sent).WantStatus(303).WantRedirect(page)
	}
	doc := env.get(page).WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#response")); got != "6.7.5, on <two> servers" {
		t.Errorf("got the answer %q", got)
	}
	if doc.Find("form#answer").Length() != 0 || env.request(r.ID).State != request.InReview {
		t.Error("the question is still open")
	}
	if !slices.ContainsFunc(historyLines(doc), func(s string) bool {
		return strings.HasSuffix(s, "You answered our question.")
	}) {
		t.Errorf("got history %q", historyLines(doc))
	}
}

func TestAnswerToAnOldQuestionIsNotLost(t *testing.T) {
	env := newTestEnv(t)
	r, _ := env.fileForm()
	r = env.review(r, request.Waiting, "Which version?")
	doc := env.sendTo(r, "answer", "question", "Which edition?", "response", "Enterprise").WantStatus(409).Page()
	if note := webtest.Text(doc.Find("#note")); !strings.Contains(note, "no longer open") {
		t.Errorf("got the note %q", note)
	}
}

func TestCustomerCancelsOnTheStatusPage(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	doc := env.sendTo(r, "cancel").WantStatus(422).Page()
	if got := webtest.Text(doc.Find("details[open] #cancel-error")); !strings.Contains(got, "Tick the box") {
		t.Errorf("got the error %q in an open form", got)
	}
	env.sendTo(r, "cancel", "cancel", "yes").WantStatus(303).WantRedirect(page)
	doc = env.get(page).WantStatus(200).Page()
	if got := webtest.Text(doc.Find("h1")); got != "The request was cancelled" {
		t.Errorf("got the heading %q", got)
	}
	if doc.Find("#cancel-request, #reason, a[href*='/correct']").Length() != 0 {
		t.Error("a cancelled request can be changed, or has a reason of sales")
	}
	env.get("/requests/" + r.ID + "/correct?token=" + r.Token).WantStatus(303).WantRedirect(page)
}

func TestCorrectionByTheStatusPageAsksTheAddressAgain(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	link := env.get(page).WantStatus(200).Page().Find("a[href*='/correct']").AttrOr("href", "")
	answer := env.get(link).WantStatus(200)
	if answer.Header.Get("Referrer-Policy") != "strict-origin" {
		t.Error("a referrer may pass the private link on")
	}
	doc := answer.Page()
	webtest.CheckPage(t, doc)
	form := webtest.Untouched(doc.Find("form.sheet"))
	bad := env.send("/requests/"+r.ID+"/correct", withValues(form, "serverId", "AW")).WantStatus(422).Page()
	if bad.Find("#serverId[aria-invalid=true]").AttrOr("value", "") != "AW" {
		t.Error("the wrong server ID is not marked, or not as it was typed")
	}
	form.Set("serverId", "AWHW8w9JtzBzSrmf9GQY")
	env.send("/requests/"+r.ID+"/correct", form).WantStatus(303).WantRedirect(page)
	after := env.request(r.ID)
	if after.Server != "AWHW8w9JtzBzSrmf9GQY" || !after.Confirmed.IsZero() || !after.Unconfirmed {
		t.Errorf("got %+v, want it corrected and unconfirmed", after)
	}
	if got := webtest.Text(env.get(page).Page().Find("h1")); got != "Confirm your request" {
		t.Errorf("got the heading %q", got)
	}
}

func TestCorrectionOfAnOlderStateIsRefused(t *testing.T) {
	env := newTestEnv(t)
	r, _ := env.fileForm()
	env.sendTo(r, "correct", "seen", "another", "serverId", "AWHW8w9JtzBzSrmf9GQY", "ncloc", "1",
		"productVersion", "6.7").WantStatus(409)
	if env.request(r.ID).Server != r.Server {
		t.Error("the request was corrected")
	}
}

// TestScannerChangesNoRequestByItsLink follows every link and submits every form of the pages of requests.
func TestScannerChangesNoRequestByItsLink(t *testing.T) {
	memory := &tabletest.Memory{}
	env := newTestEnvOver(t, memory)
	asked, askedPage := env.fileForm()
	env.review(asked, request.Waiting, "Which version?")
	_, unconfirmedPage := env.fileUnconfirmed("ncloc", "77")
	before := memory.Rows()
	s := webtest.Scanner{Client: webtest.Client{T: t, Site: env.site}, SiteURL: siteURL}
	s.Open(askedPage)
	s.Open(unconfirmedPage)
	for _, path := range []string{"/answer", "/cancel", "/correct"} {
		if !slices.ContainsFunc(s.Submitted, func(at string) bool { return strings.HasSuffix(at, path) }) {
			t.Errorf("the scanner did not submit %s: %q", path, s.Submitted)
		}
	}
	if !reflect.DeepEqual(memory.Rows(), before) {
		t.Error("the scanner changed a request")
	}
}

func TestWrongTokenChangesNoRequest(t *testing.T) {
	env := newTestEnv(t)
	r, _ := env.fileForm()
	r = env.review(r, request.Waiting, "Which version?")
	other, _ := env.fileForm("ncloc", "77")
	r.Token = other.Token
	env.sendTo(r, "answer", "question", r.Question, "response", "x").WantStatus(404)
	env.sendTo(r, "cancel", "cancel", "yes").WantStatus(404)
	env.sendTo(r, "correct", "serverId", "AWHW8w9JtzBzSrmf9GQY").WantStatus(404)
	if got := env.request(r.ID); got.State != request.Waiting {
		t.Errorf("got %+v, want it as it was", got)
	}
}
