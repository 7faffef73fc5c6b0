package site

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

const servedBy = "AWHW8w9JtzBzSrmf9GQX"

func TestPageListsTheSixChangesOfAServerID(t *testing.T) {
	env := newTestEnv(t)
	page := env.get("/server-id").WantStatus(200).Page()
	webtest.CheckPage(t, page)
	if got := page.Find("ol.changes-id li").Length(); got != 6 {
		t.Errorf("got %d changes, want six", got)
	}
	choices := page.Find("input[name=change]")
	if choices.Length() != 6 || choices.Filter(":checked").Length() != 0 {
		t.Errorf("got %d choices, want six and none chosen", choices.Length())
	}
	staging := webtest.Text(page.Find("#staging"))
	if !strings.Contains(staging, "enter the staging key again after each copy") {
		t.Errorf("got %q about staging", staging)
	}
	page = env.get("/server-id?serverId=" + servedBy + "&ncloc=120000&sourceEdition=enterprise").Page()
	if page.Find("#serverId").AttrOr("value", "") != servedBy ||
		page.Find("#edition option[selected]").AttrOr("value", "") != "enterprise" ||
		page.Find("form#plan input[name=ncloc]").AttrOr("value", "") != "120000" {
		t.Error("the page does not know the server of its link")
	}
}

// TestChangeIsPlannedBeforehand follows a customer from the page to the request, its emails and its status page.
func TestChangeIsPlannedBeforehand(t *testing.T) {
	env := newTestEnv(t)
	leads := env.get("/server-id?plan=yes&change=moved&planned=2018-05-03&edition=developer&ncloc=120000&serverId=" +
		servedBy)
	to := leads.WantStatus(303).Header.Get("Location")
	page := env.get(to).WantStatus(200).Page()
	for name, want := range map[string]string{
		"input[name=kind]:checked": "replacement", "#change option[selected]": "moved", "#planned": "2018-05-03",
		"#replaces": servedBy, "#serverId": servedBy, "#ncloc": "120000",
	} {
		if got := page.Find(name).AttrOr("value", ""); got != want {
			t.Errorf("form: %s: got %q, want %q", name, got, want)
		}
	}

	r, at := env.fileUnconfirmed("kind", "replacement", "serverId", servedBy, "replaces", servedBy,
		"environment", "production", "change", "moved", "planned", "2018-05-03")
	if !r.AwaitsServer() || r.Planned.String() != "2018-05-03" {
		t.Fatalf("got %+v", r.Details)
	}
	if want := env.store.Hours().Due(r.Planned.End()); !r.Due.Equal(want) {
		t.Errorf("got due on %v, want one business day after the change: %v", r.Due, want)
	}
	letter := env.letter(r.ID + "--received").TextBody()
	for _, want := range []string{"Planned for:", "03 May 2018", "What to do on 03 May 2018"} {
		if !strings.Contains(letter, want) {
			t.Errorf("got a letter without %q:\n%s", want, letter)
		}
	}
	if r = env.confirmed(r); r.Due.Before(r.Planned.Start()) {
		t.Errorf("confirmed: got due on %v, before the change", r.Due)
	}
	if got := webtest.Text(env.get(at).Page().Find("#planned")); !strings.HasPrefix(got,
		"You plan this for 03 May 2018: Move the database to another host.") {
		t.Errorf("status page: got %q", got)
	}
	form := env.get(at).Page().Find("#planned a").First().AttrOr("href", "")
	env.pass(59 * 24 * time.Hour)
	fields := webtest.Untouched(env.get(form).WantStatus(200).Page().Find("form.sheet"))
	env.send("/requests/"+r.ID+"/correct", withValues(fields, "serverId", "4A6F8E2B-"+servedBy)).WantStatus(303)
	if r = env.request(r.ID); r.AwaitsServer() || r.Change != request.DatabaseMoved ||
		!r.Due.Equal(env.store.Hours().Due(env.now)) {
		t.Errorf("the new ID: got due on %v of %+v", r.Due, r.Details)
	}
}

func TestPlanOfAnAccountLeadsBackToIt(t *testing.T) {
	env := newTestEnv(t)
	const instance = "01c6x2m4vj8q0n5r7t9w3y1z2a"
	page := env.get("/server-id?instance=" + instance + "&serverId=" + servedBy).WantStatus(200).Page()
	if page.Find("#serverId").Length() != 0 || page.Find("input[name=instance]").AttrOr("value", "") != instance {
		t.Error("the page asks for a server that the account knows")
	}
	got := env.get("/server-id?plan=yes&change=copied&planned=2018-05-03&instance=" + instance).WantStatus(303)
	want := "/account/instances/" + instance + "/plan?change=copied&planned=2018-05-03"
	if got.Header.Get("Location") != want {
		t.Errorf("got %s, want %s", got.Header.Get("Location"), want)
	}
	for _, strange := range []string{"//evil.example", "../../x", "01c6x2m4vj8q0n5r7t9w3y1z2A"} {
		at := "/server-id?plan=yes&change=copied&planned=2018-05-03&edition=developer&serverId=" + servedBy +
			"&instance=" + url.QueryEscape(strange)
		if to := env.get(at).WantStatus(303).Header.Get("Location"); !strings.HasPrefix(to, "/request/developer?") {
			t.Errorf("instance %q: got %s", strange, to)
		}
	}
}

func TestIncompletePlanSaysWhatIsMissing(t *testing.T) {
	env := newTestEnv(t)
	for query, fields := range map[string][]string{
		"":                                 {"change-moved", "planned", "serverId", "edition"},
		"&change=moved&planned=2018-03-04": {"planned", "serverId", "edition"},
		"&change=x&planned=2018-05-03&edition=community&serverId=" + servedBy: {"change-moved", "edition"},
	} {
		page := env.get("/server-id?plan=yes" + query).WantStatus(422).Page()
		var got []string
		for _, a := range page.Find("#errors a").EachIter() {
			got = append(got, strings.TrimPrefix(a.AttrOr("href", ""), "#"))
		}
		if strings.Join(got, " ") != strings.Join(fields, " ") {
			t.Errorf("%q: got errors at %v, want %v", query, got, fields)
		}
	}
}

func TestPlannedDayIsNotOver(t *testing.T) {
	env := newTestEnv(t)
	form := withValues(validForm(), "kind", "replacement", "replaces", servedBy, "environment", "production",
		"change", "moved", "planned", "2018-03-04")
	page := env.send("/request/developer", form).WantStatus(422).Page()
	if got := webtest.Text(page.Find("#planned-error")); !strings.Contains(got, "This day has passed.") {
		t.Errorf("got %q", got)
	}
	var none fault.Fields
	s := &site{now: env.store.Now}
	if s.checkPlanned(request.Form{Kind: "renewal", Planned: "2018-03-04"}, &none); len(none) != 0 {
		t.Errorf("a renewal is refused for a day that it does not use: %v", none)
	}
}
