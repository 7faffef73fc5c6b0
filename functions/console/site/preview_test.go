package site

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web/webtest"
)

// replies are the steps that email a text, with its field and the kind of state that they lead to.
var replies = []step{askCustomer, reject, withdraw}

func TestReplyIsSentAsItWasPreviewed(t *testing.T) {
	for _, st := range replies {
		w := newTestEnv(t)
		r := w.file(sampleDetails)
		page := "/console/requests/" + r.ID
		const text = "Not with <b>this</b>\nserver."
		before := w.pendingMails()
		a := w.send(sam, page+"/"+st.path, with(w.snapshot(page), st.input.name, text)).WantStatus(200)
		if got := w.request(r.ID); got.Version != r.Version || len(w.pendingMails()) != len(before) {
			t.Fatalf("%s: the preview changed the request: %+v", st.path, got)
		}
		doc := a.Page()
		if h1 := webtest.Text(doc.Find("h1")); h1 != st.question {
			t.Errorf("%s: got title %q", st.path, h1)
		}
		buttons := doc.Find("form.reply button")
		if got := webtest.Text(buttons.First()); got != st.send || webtest.Text(buttons.Last()) != "Edit" ||
			doc.Find("form.reply a[href='"+page+"']").Length() != 1 {
			t.Errorf("%s: got buttons %q", st.path, webtest.Text(buttons))
		}
		w.send(sam, page+"/"+st.path, hiddenIn(doc.Find("form.reply"))).WantRedirect(page + "?done=" + st.path)
		mails := w.mailsAbout(r)
		m := mails[slices.IndexFunc(mails, func(m outbox.Mail) bool { return m.Kind.ToRequester() })]
		records, err := w.store.Records(t.Context(), m.Notice)
		if err != nil {
			t.Fatal(err)
		}
		writer := letter.Writer{URL: siteURL, Sales: mail.Address{Name: "Sales", Email: "sales@vendor.example"}}
		sent, err := writer.With(sampleCatalog)(m.Notice, records, letter.Call{Attempt: 1})
		if err != nil {
			t.Fatal(err)
		}
		sent = sent.WithoutSecrets()
		if got := doc.Find("iframe").AttrOr("srcdoc", ""); got != sent.HTMLBody() {
			t.Errorf("%s: got preview\n%s\nand sent\n%s", st.path, got, sent.HTMLBody())
		}
		if got := doc.Find("pre.mail").Text(); strings.TrimPrefix(got, "\n") != sent.TextBody() {
			t.Errorf("%s: got preview\n%s\nand sent\n%s", st.path, got, sent.TextBody())
		}
		if facts := webtest.Text(doc.Find(".facts")); !strings.Contains(facts, sent.Subject) ||
			!strings.Contains(facts, sampleDetails.Email) {
			t.Errorf("%s: got headers %q", st.path, facts)
		}
	}
}

// TestChangedRequestIsShownInsteadOfSent: what was shown is what is sent, or nothing is.
func TestChangedRequestIsShownInsteadOfSent(t *testing.T) {
	for name, change := range map[string]func(*testEnv, request.Request) string{
		"a colleague takes it": func(w *testEnv, r request.Request) string {
			w.review(r, request.InReview)
			return "taken into review"
		},
		"the address is corrected": func(w *testEnv, r request.Request) string {
			if err := w.store.CorrectEmail(w.t.Context(), r.ID, r.Email, "eve@customer.example"); err != nil {
				w.t.Fatal(err)
			}
			return "eve@customer.example"
		},
	} {
		w := newTestEnv(t)
		r := w.fileUnconfirmed(sampleDetails)
		page := "/console/requests/" + r.ID
		form := with(w.snapshot(page), "rejection", "No.")
		doc := w.send(sam, page+"/reject", form).WantStatus(200).Page()
		if doc.Find("#unconfirmed").Length() != 1 {
			t.Errorf("%s: got no word that the address is not confirmed", name)
		}
		said := change(w, r)
		after := w.request(r.ID)
		doc = w.send(sam, page+"/reject", hiddenIn(doc.Find("form.reply"))).WantStatus(http.StatusConflict).Page()
		if got := w.request(r.ID); got.Version != after.Version {
			t.Errorf("%s: the reply was sent: %+v", name, got)
		}
		if told := webtest.Text(doc.Find("main")); !strings.Contains(told, "Something changed since your preview") ||
			!strings.Contains(told, said) {
			t.Errorf("%s: got\n%s", name, told)
		}
		w.send(sam, page+"/reject", hiddenIn(doc.Find("form.reply"))).WantRedirect(page + "?done=reject")
		if got := w.request(r.ID); got.State != request.Rejected || got.Reason != "No." {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// TestPreviewSendsNothingElse: a text that was changed after the preview is shown first.
func TestPreviewSendsNothingElse(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	doc := w.send(sam, page+"/ask", with(w.snapshot(page), "question", "Which version?")).WantStatus(200).Page()
	form := with(hiddenIn(doc.Find("form.reply")), "question", "Which one?")
	doc = w.send(sam, page+"/ask", form).WantStatus(http.StatusConflict).Page()
	if !strings.Contains(doc.Find("pre.mail").Text(), "> Which one?") || w.request(r.ID).Version != r.Version {
		t.Error("the changed text was sent, or is not shown")
	}
	// Edit leads back with the text, and changes nothing.
	doc = w.send(sam, page+"/ask", with(form, "do", "edit")).WantStatus(200).Page()
	if got := strings.TrimPrefix(doc.Find("details[open] #question").Text(), "\n"); got != "Which one?" {
		t.Errorf("got text %q to edit", got)
	}
}

func TestPreviewSaysThatTheAddressIsSuppressed(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	w.bounce(r.ID+"--received", outbox.Bounced, "")
	doc := w.send(sam, page+"/reject", with(w.snapshot(page), "rejection", "No.")).WantStatus(200).Page()
	if doc.Find("#suppressed").Length() != 1 {
		t.Error("the preview does not say that the email will not be sent")
	}
}

// TestPreviewSaysThatTheAddressTakesNoEmail: the reply is recorded, and nobody expects an email of it.
func TestPreviewSaysThatTheAddressTakesNoEmail(t *testing.T) {
	w := newTestEnv(t)
	d := sampleDetails
	d.Email = `"<script>"@evil.example`
	r := w.file(d)
	page := "/console/requests/" + r.ID
	doc := w.send(sam, page+"/ask", with(w.snapshot(page), "question", "Which version?")).WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#unsendable")); !strings.Contains(got, d.Email) ||
		doc.Find("iframe, pre.mail").Length() != 0 {
		t.Errorf("got %q, and an email", got)
	}
	w.send(sam, page+"/ask", hiddenIn(doc.Find("form.reply"))).WantRedirect(page + "?done=ask")
	if got := w.request(r.ID); got.State != request.Waiting {
		t.Errorf("got %+v", got)
	}
}

func TestRejectionIsUndoneForAMinute(t *testing.T) {
	for _, st := range []step{reject, withdraw} {
		w := newTestEnv(t)
		r := w.review(w.file(sampleDetails), request.InReview)
		page := "/console/requests/" + r.ID
		w.reply(lucia, page+"/"+st.path, with(w.snapshot(page), st.input.name, "No.")).WantStatus(303)
		if w.get(vera, page).Page().Find("#undo button").Length() != 0 ||
			w.get(vera, page).Page().Find("#undo").Length() != 1 {
			t.Error("a viewer can undo, or is not told")
		}
		doc := w.get(sam, page).Page()
		offer := doc.Find("form#undo")
		if got := webtest.Text(offer); !strings.Contains(got, "until 09:31:00 UTC") {
			t.Errorf("got offer %q", got)
		}
		if mails := webtest.Text(doc.Find("table.mails")); !strings.Contains(mails, "Scheduled") {
			t.Errorf("got emails %q", mails)
		}
		form := hiddenIn(offer)
		w.send(vera, page+"/undo", form).WantStatus(http.StatusForbidden)
		w.advance(request.UndoFor - time.Millisecond)
		for range 2 { // a double click
			w.send(sam, page+"/undo", form).WantRedirect(page + "?done=undo")
		}
		doc = w.get(sam, page+"?done=undo").Page()
		if got := w.request(r.ID); got.State != request.InReview || got.Reviewer != r.Reviewer || got.Reason != "" ||
			doc.Find("#undo").Length() != 0 {
			t.Errorf("got %+v", got)
		}
		if main := webtest.Text(doc.Find("main")); !strings.Contains(main, "no email was sent") ||
			!strings.Contains(main, "No longer needed: the "+newUndoOffer(request.Request{State: st.to,
				Undo: &request.Undo{Until: w.now.Add(time.Hour)}}, *w.now).What+" was undone.") {
			t.Errorf("got\n%s", main)
		}
		// Somebody else is told.
		told := webtest.Text(w.send(lucia, page+"/undo", form).WantStatus(http.StatusConflict).Page().Find("#trouble"))
		if !strings.Contains(told, "undone · "+emails[sam]) {
			t.Errorf("got %q", told)
		}
	}
}

func TestUndoIsRefusedAfterAMinute(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	w.reply(lucia, page+"/reject", with(w.snapshot(page), "rejection", "No.")).WantStatus(303)
	form := hiddenIn(w.get(sam, page).Page().Find("form#undo"))
	w.advance(request.UndoFor)
	told := webtest.Text(w.send(sam, page+"/undo", form).WantStatus(http.StatusConflict).Page().Find("#trouble"))
	if !strings.Contains(told, "is over") || !strings.Contains(told, "file a new request") {
		t.Errorf("got %q, want why not and what to do instead", told)
	}
	if doc := w.get(sam, page).Page(); doc.Find("#undo").Length() != 0 || w.request(r.ID).State != request.Rejected {
		t.Error("the request is open, or the page still offers to undo")
	}
}
