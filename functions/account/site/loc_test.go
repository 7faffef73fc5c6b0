package site

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/web/webtest"
)

func TestContactTellsTheLinesOfCode(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	path := "/account/instances/" + i.ID + "/loc"
	page := open(e.as(ana, e.acme), path).WantStatus(200).Page()
	webtest.CheckPage(t, page)
	if got := webtest.Text(page.Find(".gauge")); !strings.HasPrefix(got, "Up to 500'000 lines of code We do not know") {
		t.Errorf("not told: got %q", got)
	}
	e.now = e.now.Add(time.Hour)
	e.as(ana, e.acme).Send(path, url.Values{"ncloc": {" 420,000 "}}).WantRedirect("/account#i-" + i.ID)
	e.reload()
	if i = e.instance(e.acme, license.Production); i.Loc != 420_000 || !i.Told.Equal(e.now) {
		t.Errorf("got %d lines, told on %v; want 420000, now", i.Loc, i.Told)
	}
	page = open(e.as(ana, e.acme), path).WantStatus(200).Page()
	got := webtest.Text(page.Find(".gauge.warn"))
	for _, want := range []string{"420'000 of 500'000", "Close to the limit", "Request more lines of code"} {
		if !strings.Contains(got, want) {
			t.Errorf("told: got %q, want %q in it", got, want)
		}
	}
	if to := page.Find(".gauge a").AttrOr("href", ""); to != "/account/instances/"+i.ID+"/upgrade" {
		t.Errorf("got the upgrade at %q", to)
	}
}

func TestLinesOfCodeAreANumber(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	for _, typed := range []string{"", "many", "-1", "1e6", "99999999999999999999"} {
		page := e.as(ana, e.acme).Send("/account/instances/"+i.ID+"/loc", url.Values{"ncloc": {typed}}).
			WantStatus(422).Page()
		if page.Find("#ncloc-error").Length() != 1 || page.Find("#ncloc").AttrOr("value", "") != typed {
			t.Errorf("%q: got no error beside the field, or another text in it", typed)
		}
	}
	e.reload()
	if i := e.instance(e.acme, license.Production); !i.Told.IsZero() {
		t.Errorf("got %d lines from what is no number", i.Loc)
	}
}

func TestLinesOfCodeAreToldForOnesOwnInstallationsAlone(t *testing.T) {
	e := newTestEnv(t)
	for name, of := range map[string]struct {
		email string
		at    *customer.Account
		i     customer.Instance
	}{
		"another customer's":        {ana, e.acme, e.instance(e.borealis, license.Production)},
		"one the person is not for": {sven, e.acme, e.instance(e.acme, license.Production)},
	} {
		path := "/account/instances/" + of.i.ID + "/loc"
		open(e.as(of.email, of.at), path).WantStatus(404)
		answer := e.as(of.email, of.at).Send(path, url.Values{"ncloc": {"1"}}).WantStatus(404)
		if strings.Contains(answer.Body, string(of.i.Server())) {
			t.Errorf("%s: the answer names the server", name)
		}
	}
	e.reload()
	for _, a := range []*customer.Account{e.acme, e.borealis} {
		for _, i := range a.Instances {
			if !i.Told.IsZero() {
				t.Errorf("got %d lines of %s", i.Loc, i.Server())
			}
		}
	}
}
