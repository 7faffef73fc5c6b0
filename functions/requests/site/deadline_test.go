package site

import (
	"net/url"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"marketplace/shared/officehours"
	"marketplace/shared/web/webtest"
)

// zurichEnv is the site of an office in Zurich with holidays at Christmas, at a local time.
func zurichEnv(t *testing.T, week, now string) *testEnv {
	t.Helper()
	hours, err := officehours.Hours{}.In("Europe/Zurich")
	if err == nil {
		hours, err = hours.On(week)
	}
	if err == nil {
		hours, err = hours.Except("12-25, 12-26")
	}
	if err != nil {
		t.Fatal(err)
	}
	env := newTestEnv(t)
	if env.now, err = time.ParseInLocation("2006-01-02 15:04", now, hours.Zone()); err != nil {
		t.Fatal(err)
	}
	env.clock = env.now
	env.open(hours)
	return env
}

func (env *testEnv) main(page string) string {
	env.t.Helper()
	return webtest.Text(env.get(page).WantStatus(200).Page().Find("main"))
}

func (env *testEnv) wantText(page, want string) {
	env.t.Helper()
	if got := env.main(page); !strings.Contains(got, want) {
		env.t.Errorf("got %q, want %q", got, want)
	}
}

func TestDeadlineIsInOfficeHoursAndInTheZoneOfBoth(t *testing.T) {
	for _, tt := range []struct{ week, zone, want string }{
		{"Mon-Fri 09:00-18:00", "", "by Monday 28 Dec 2026, 17:30 (Zurich time)."},
		{"Mon-Fri 09:00-17:00", "", "by Monday 28 Dec 2026, 17:00 (Zurich time)."},
		{"Mon-Fri 09:00-18:00", "Europe/Paris", "by Monday 28 Dec 2026, 17:30 (Zurich time)."},
		{"Mon-Fri 09:00-18:00", "America/New_York",
			"by Monday 28 Dec 2026, 17:30 (Zurich time), which is 11:30 in New York."},
		{"Mon-Fri 09:00-18:00", "Asia/Tokyo",
			"by Monday 28 Dec 2026, 17:30 (Zurich time), which is Tuesday 29 Dec 2026, 01:30 in Tokyo."},
	} {
		env := zurichEnv(t, tt.week, "2026-12-24 17:30")
		r, page := env.fileUnconfirmed("timeZone", tt.zone)
		env.wantText(confirmPath(r), "If you confirm now, we will reply "+tt.want)
		env.confirmed(r)
		env.wantText(page, "We will email you at jane.doe@customer.example "+tt.want)
	}
}

func TestDeadlineOfAResumedRequestIsANewOne(t *testing.T) {
	env := zurichEnv(t, "Mon-Fri 09:00-18:00", "2026-12-01 10:00")
	r, page := env.fileForm()
	r = env.review(r, "in review", "")
	r = env.review(r, "waiting for customer", "Which server?")
	env.now = env.now.AddDate(0, 0, 20)
	env.clock = env.now
	env.review(r, "in review", "")
	env.wantText(page, "We will email you at jane.doe@customer.example by Tuesday 22 Dec 2026, 10:00 (Zurich time).")
}

func TestUnknownBrowserZoneIsIgnored(t *testing.T) {
	for _, zone := range []string{"Etc/Unknown", "Local", "../../etc/passwd", "<script>", strings.Repeat("Z", 1000)} {
		env := zurichEnv(t, "Mon-Fri 09:00-18:00", "2026-12-24 17:30")
		r, page := env.fileForm("timeZone", zone)
		if r.Zone != "" {
			t.Errorf("%.20s: got zone %q, want none", zone, r.Zone)
		}
		env.wantText(page, "by Monday 28 Dec 2026, 17:30 (Zurich time).")
		created := jsonObject(env.api(validJSON("timeZone", zone)).WantStatus(201))
		if got := env.request(created["id"].(string)); got.Zone != "" {
			t.Errorf("API, %.20s: got zone %q, want none", zone, got.Zone)
		}
	}
}

// The field is never filled in by us: the browser says it again, and nobody can put words into the page with it.
func TestBrowserZoneIsNotEchoed(t *testing.T) {
	env := newTestEnv(t)
	form := withValues(validForm(), "timeZone", "Asia/Tokyo", "email", "nobody")
	form.Add("timeZone", "Europe/Paris")
	a := env.send("/request/developer", form).WantStatus(422)
	if strings.Contains(a.Body, "Tokyo") || strings.Contains(a.Body, "Paris") ||
		a.Page().Find("input[name=timeZone]").AttrOr("value", "none") != "" {
		t.Error("the form echoes the browser's time zone")
	}
}

func TestBrowserZoneIsNoPartOfTheRequestsIdentity(t *testing.T) {
	env := newTestEnv(t)
	first, page := env.fileUnconfirmed("timeZone", "Asia/Tokyo")
	again, same := env.fileUnconfirmed("timeZone", "America/New_York")
	if first.Zone != "Asia/Tokyo" || again.ID != first.ID || same != page {
		t.Errorf("got %s in %q at %s, then %s at %s; want the same", first.ID, first.Zone, page, again.ID, same)
	}
	header := []string{"Idempotency-Key", "a-key"}
	env.api(validJSON("timeZone", "Asia/Tokyo"), header...).WantStatus(201)
	env.api(validJSON(), header...).WantStatus(200)
}

func TestAPITakesTheZoneOfTheCustomer(t *testing.T) {
	env := zurichEnv(t, "Mon-Fri 09:00-18:00", "2026-12-24 17:30")
	created := jsonObject(env.api(validJSON("timeZone", "America/New_York")).WantStatus(201))
	r := env.confirmed(env.request(created["id"].(string)))
	link, _ := url.Parse(created["statusUrl"].(string))
	env.wantText(link.RequestURI(), "17:30 (Zurich time), which is 11:30 in New York.")
	got := jsonObject(env.get("/api/license-requests/" + r.ID).WantStatus(200))
	if got["due"] != "2026-12-28T16:30:00Z" {
		t.Errorf("got due %v, want 2026-12-28T16:30:00Z", got["due"])
	}
}

func TestFormAndHomeSayWhenTheOfficeIsOpen(t *testing.T) {
	const open = "Our office hours are Monday to Friday, 09:00–17:00 (Zurich time)."
	for _, tt := range []struct{ now, back string }{
		{"2026-12-23 10:00", ""},
		{"2026-12-23 20:00", ""},
		{"2026-12-25 10:00", " We are closed now and will be back on Monday 28 Dec 2026, 09:00."},
		{"2026-12-27 23:59", " We are closed now and will be back on Monday 28 Dec 2026, 09:00."},
	} {
		env := zurichEnv(t, "Mon-Fri 09:00-17:00", tt.now)
		_, unconfirmed := env.fileUnconfirmed()
		for _, page := range []string{"/", "/request/developer", unconfirmed} {
			got := env.main(page)
			if !strings.Contains(got, open+tt.back) || tt.back == "" && strings.Contains(got, "closed now") {
				t.Errorf("%s: %s: got %q, want %q", tt.now, page, got, open+tt.back)
			}
		}
		lasting := strings.Contains(env.get("/").Header.Get("Cache-Control"), "stale-while-revalidate")
		if lasting == (tt.back != "") {
			t.Errorf("%s: caches keep the home page for a day: %v", tt.now, lasting)
		}
	}
}

// Pages run the site's own scripts alone: one on every page, and one of their own on those with the form, a search or
// packages, which may also read from the site.
func TestPagesRunTheSitesOwnScripts(t *testing.T) {
	env := newTestEnv(t)
	for path, own := range map[string]bool{"/": false, "/licenses/check": false, "/editions/community": false,
		"/request/developer": true, "/editions": true, "/editions/developer": true,
		"/editions/developer/install": true} {
		a := env.get(path).WantStatus(200)
		policy := a.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "; script-src 'self'") ||
			strings.Contains(policy, "; connect-src 'self'") != own {
			t.Errorf("%s: got the policy %q", path, policy)
		}
		scripts := a.Page().Find("script")
		if (scripts.Length() == 2) != own || !strings.HasPrefix(scripts.AttrOr("src", ""), "/static/page.") {
			t.Errorf("%s: got %d scripts", path, scripts.Length())
		}
		for _, script := range scripts.EachIter() {
			got := env.get(script.AttrOr("src", "")).WantStatus(200)
			if got.Header.Get("Content-Type") != "text/javascript; charset=utf-8" ||
				!strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("got the script with headers %v", got.Header)
			}
		}
	}
}
