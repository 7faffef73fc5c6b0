package site

import (
	"strings"
	"testing"
	"time"

	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/web/webtest"
)

func TestAdminsSeeWhatIsDeleted(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	_, err := w.store.Review(t.Context(), store.Review{ID: r.ID, Version: r.Version, By: sam, To: request.Rejected,
		Text: "no"})
	if err != nil {
		t.Fatal(err)
	}
	page := func() string {
		doc := w.get(ada, "/console/retention").WantStatus(200).Page()
		webtest.CheckPage(t, doc)
		return webtest.Text(doc.Find("main"))
	}
	if got := page(); !strings.Contains(got, "Nothing is due in the next 30 days") ||
		!strings.Contains(got, "Nothing was deleted yet") {
		t.Errorf("got %q, want an empty page", got)
	}
	*w.now = w.now.Add(160 * 24 * time.Hour)
	if got := page(); strings.Contains(got, "Nothing is due") {
		t.Errorf("got %q, want a request that is due", got)
	}
	*w.now = w.now.Add(22 * 24 * time.Hour)
	if n, err := deletion.New(w.store.Store).DeleteExpired(t.Context(), 10); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if got := page(); strings.Contains(got, "Nothing was deleted yet") || !strings.Contains(got, "Nothing is due") {
		t.Errorf("got %q, want a report", got)
	}
	got := webtest.Text(w.get(ada, "/console/requests/"+r.ID).WantStatus(404).Page().Find("main"))
	if !strings.Contains(got, "180 days after it is closed") {
		t.Errorf("got %q, want why the request is gone", got)
	}
	w.get(sam, "/console/retention").WantStatus(403)
}
