package site

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"marketplace/functions/console/signin"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
)

// state returns everything that the pages could change about a request and a license.
func (w *testEnv) state(request, licenseID string) []any {
	w.t.Helper()
	r, err := w.store.Request(w.t.Context(), request)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := w.store.License(w.t.Context(), licenseID)
	if err != nil {
		w.t.Fatal(err)
	}
	ofRequest, err := w.store.RequestTimeline(w.t.Context(), request)
	if err != nil {
		w.t.Fatal(err)
	}
	ofLicense, _, err := w.store.LicenseTimeline(w.t.Context(), l.License)
	if err != nil {
		w.t.Fatal(err)
	}
	acme, err := w.store.Account(w.t.Context(), "01acmec")
	if err != nil {
		w.t.Fatal(err)
	}
	ofAcme, _, err := w.store.CustomerTimeline(w.t.Context(), []string{"01acmec"}, "", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return []any{r, l, ofRequest, ofLicense, w.pendingMails(), acme, ofAcme}
}

// idsInAddresses fills in an address of the console for the tests, of which acme has the customer. id is that of a
// request or license.
func idsInAddresses(pattern, id string) string {
	return strings.NewReplacer("{id}", id, "{ref}", "C-ACME00", "{contact}", mail.RecipientID("ana@acme.example"),
		"{contract}", "K-111111", "{instance}", "01acmei1").Replace(pattern)
}

// filled returns a form that every address of the console accepts.
func (w *testEnv) filled(page string) url.Values {
	form := w.snapshot(page)
	for name, value := range map[string]string{
		"question": "Why?", "rejection": "No.", "withdrawal": "No more.", "note": "Call them.", "reason": "Unpaid.",
		"sure": "yes",
		"to":   "jane.doe@customer.example",
	} {
		form.Set(name, value)
	}
	return form
}

func TestEveryAddressRequiresItsRole(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31}))
	w.acme()
	before := w.state(r.ID, "l1")
	d := &site{}
	people := map[string]signin.Role{"": signin.NoRole, vera: signin.Viewer, sam: signin.Sales}
	for _, route := range d.routes() {
		method, pattern, _ := strings.Cut(route.pattern, " ")
		id, page := r.ID, "/console/requests/"+r.ID
		if strings.Contains(pattern, "/licenses/") {
			id, page = "l1", "/console/licenses/l1"
		}
		if strings.Contains(pattern, "/customers/") {
			page = acmeRef
		}
		target := idsInAddresses(pattern, id)
		if strings.HasSuffix(target, ".csv") {
			target += "?from=2018-01&to=2018-12"
		}
		if route.least < signin.Viewer || method != "GET" && route.least < signin.Sales {
			t.Errorf("%s needs only the role %q", route.pattern, route.least)
		}
		for who, role := range people {
			if role >= route.least && role > signin.Viewer {
				continue // what sales may do is done below, and by other tests
			}
			a := w.as(who).Do(method, target, w.filled(page).Encode(), "Content-Type",
				"application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
			want := http.StatusOK
			switch {
			case role == signin.NoRole && method == "GET":
				want = http.StatusSeeOther
			case role < route.least:
				want = http.StatusForbidden
			}
			if a.StatusCode != want {
				t.Errorf("%s by %q: got %d, want %d", route.pattern, who, a.StatusCode, want)
			}
			if to := a.Header.Get("Location"); want == http.StatusSeeOther &&
				!strings.HasPrefix(to, signin.SignInPath) {
				t.Errorf("%s by nobody: got redirect to %s", route.pattern, to)
			}
		}
	}
	if after := w.state(r.ID, "l1"); !reflect.DeepEqual(before, after) {
		t.Errorf("something changed:\n%+v\n%+v", before, after)
	}
	for _, who := range []string{sam, ada} {
		w.send(who, "/console/requests/"+r.ID+"/note",
			w.filled("/console/requests/"+r.ID)).WantStatus(http.StatusSeeOther)
	}
}

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31}))
	w.acme()
	before := w.state(r.ID, "l1")
	for _, route := range (&site{}).routes() {
		method, pattern, _ := strings.Cut(route.pattern, " ")
		if method == "GET" {
			continue
		}
		id := r.ID
		if strings.Contains(pattern, "/licenses/") {
			id = "l1"
		}
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			a := w.as(ada).Do(method, idsInAddresses(pattern, id),
				w.filled("/console/requests/"+r.ID).Encode(),
				"Content-Type", "application/x-www-form-urlencoded", name, value)
			if a.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s: %d", route.pattern, name, a.StatusCode)
			}
		}
	}
	if after := w.state(r.ID, "l1"); !reflect.DeepEqual(before, after) {
		t.Errorf("something changed:\n%+v\n%+v", before, after)
	}
}

func TestViewersSeeNoActions(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31}))
	for _, path := range []string{"/console", "/console/requests/" + r.ID, "/console/licenses/l1",
		"/console/licenses", "/console/overview"} {
		doc := w.get(vera, path).WantStatus(200).Page()
		actions := "main form[method=post], main .tasks, a[href*='/issue'], a[href*='/renew'], a[href*='/revoke'], " +
			"a[href='/console/licenses/new'], a[href^='/console/export']"
		if n := doc.Find(actions).Length(); n > 0 {
			t.Errorf("%s: a viewer sees %d actions", path, n)
		}
	}
	doc := w.get(sam, "/console/requests/"+r.ID).Page()
	if doc.Find("main form[method=post]").Length() != 8 || doc.Find("a[href$='/issue']").Length() != 1 {
		t.Error("sales lack actions")
	}
}

func TestEveryChangeRecordsWhoMadeIt(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	filed := len(w.timeline(r)) // by the customer
	l := w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31})).License
	page := "/console/requests/" + r.ID
	for _, path := range []string{"take", "ask", "resume", "note", "reject"} {
		w.reply(lucia, page+"/"+path, w.filled(page)).WantStatus(http.StatusSeeOther)
	}
	for _, path := range []string{"send-key", "mute", "unmute", "revoke"} {
		w.send(lucia, "/console/licenses/l1/"+path, w.filled("/console/licenses/l1")).WantStatus(http.StatusSeeOther)
	}
	ofLicense, _, err := w.store.LicenseTimeline(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, events := range [][]store.Event{w.timeline(r)[filed:], ofLicense[1:]} {
		for _, e := range events {
			if e.By != emails[lucia] {
				t.Errorf("%s by %s", e.Action, e.By)
			}
			told = append(told, string(e.Action))
		}
	}
	want := "taken into review,customer asked,review resumed,note added,rejected," +
		"key sent again,reminders muted,reminders resumed,license revoked"
	if got := strings.Join(told, ","); got != want {
		t.Errorf("got actions %s, want %s", got, want)
	}
}
