package site

import (
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/request"
)

func TestAdminErasesAPersonInTwoSteps(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	empty := w.get(ada, "/console/erase").WantStatus(200).Page().Find("main").Text()
	if !strings.Contains(empty, "Nobody has been erased") {
		t.Errorf("got page %s", empty)
	}
	w.get(sam, "/console/erase").WantStatus(403)

	shown := w.send(ada, "/console/erase", url.Values{"email": {" Jane.Doe@CUSTOMER.example "}}).WantStatus(200)
	for _, want := range []string{"Jane.Doe@CUSTOMER.example", "Requests1", string(r.Reference), "is withdrawn"} {
		if text := strings.Fields(shown.Page().Find("main").Text()); !strings.Contains(strings.Join(text, " "), want) {
			t.Errorf("got no %q on the page:\n%s", want, shown.Page().Find("main").Text())
		}
	}
	if kept, err := w.store.Request(t.Context(), r.ID); err != nil || kept.Name != r.Name {
		t.Fatalf("got %+v, %v: the preview changed the request", kept, err)
	}
	wrong := url.Values{"email": {"jane.doe@customer.example"}, "again": {"john@customer.example"}}
	w.send(ada, "/console/erase", wrong).WantStatus(422)
	w.send(ada, "/console/erase", url.Values{"email": {"jane"}}).WantStatus(422)

	form := url.Values{"email": {"jane.doe@customer.example"}, "again": {"JANE.DOE@customer.example"}}
	done := w.send(ada, "/console/erase", form).WantStatus(303)
	page := w.get(ada, done.Header.Get("Location")).WantStatus(200).Page().Find("main").Text()
	lower := strings.ToLower(page + done.Header.Get("Location"))
	if !strings.Contains(page, "Erased") || strings.Contains(lower, "jane") {
		t.Errorf("got page %s", page)
	}
	kept, err := w.store.Request(t.Context(), r.ID)
	if err != nil || kept.State != request.Withdrawn || kept.Name != "Erased person" {
		t.Errorf("got %+v, %v", kept, err)
	}
	if log := w.log.String(); strings.Contains(strings.ToLower(log), "jane.doe") {
		t.Errorf("got the address in the log: %s", log)
	}
	again := w.send(ada, "/console/erase", form).WantStatus(303)
	if again.Header.Get("Location") != done.Header.Get("Location") {
		t.Errorf("got %s, want the same report", again.Header.Get("Location"))
	}
}
