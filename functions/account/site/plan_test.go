package site

import (
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/web/webtest"
)

func TestContactPlansANewServerID(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	at := path(i, planPath)
	page := open(e.as(ana, e.acme), at+"?change=moved&planned=2018-05-03").WantStatus(200).Page()
	webtest.CheckPage(t, page)
	if page.Find("#change-moved[checked]").Length() != 1 || page.Find("#planned").AttrOr("value", "") != "2018-05-03" {
		t.Error("the form does not have the plan of its link")
	}
	r := e.filed(sendForm(e.as(ana, e.acme), at, "change", "moved", "planned", "2018-05-03"))
	if !r.AwaitsServer() || r.Server != i.Server() || r.Planned.String() != "2018-05-03" || r.Instance != i.ID {
		t.Errorf("got %+v", r.Details)
	}
	if want := e.kept.Hours().Due(r.Planned.End()); !r.Due.Equal(want) {
		t.Errorf("got due on %v, want one business day after the change: %v", r.Due, want)
	}
}

func TestPlanOfANewServerIDNeedsWhatAndWhen(t *testing.T) {
	e := newTestEnv(t)
	at := path(e.instance(e.acme, license.Production), planPath)
	for planned, want := range map[string]string{
		"":           "Enter the day on which you plan it.",
		"2018-03-04": "This day has passed.",
		"2030-01-01": "Choose a day within the next 12 months.",
	} {
		page := e.as(ana, e.acme).Send(at, url.Values{"planned": {planned}}).WantStatus(422).Page()
		if got := webtest.Text(page.Find("#planned-error")); !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", planned, got, want)
		}
		if got := webtest.Text(page.Find("#change-error")); !strings.Contains(got, "Choose what you plan.") {
			t.Errorf("%q: got %q about the change", planned, got)
		}
	}
}

func TestOverviewLeadsToThePlanOfANewServerID(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	page := open(e.as(ana, e.acme), "/account").WantStatus(200).Page()
	link := page.Find(`.do a[href="/server-id?instance=` + i.ID + `"]`)
	if got := webtest.Text(link); got != "My server ID will change" {
		t.Errorf("got the link %q", got)
	}
}
