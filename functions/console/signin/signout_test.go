package signin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"pgregory.net/rapid"

	"marketplace/shared/session"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// heading returns the heading of an answer's page.
func heading(t *testing.T, a *http.Response) string {
	t.Helper()
	page, err := goquery.NewDocumentFromReader(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(page.Find("h1").First().Text()), " ")
}

// refused expects that a cookie opens nothing, changes nothing, and is taken away.
func (c *console) refused(t *testing.T, what string, with *http.Cookie) {
	t.Helper()
	changes := c.changes
	for _, method := range []string{"GET", "HEAD", "POST"} {
		a := c.asks(method, with)
		if cleared := a.Cookies(); len(cleared) != 1 || cleared[0].MaxAge != -1 {
			t.Errorf("%s: %s leaves the cookies %v", what, method, cleared)
		}
		if method != "POST" {
			if to := a.Header.Get("Location"); a.StatusCode != 303 ||
				to != SignInPath+"?return=%2Fconsole%2Frequests%2Fr1" {
				t.Errorf("%s: %s gives %d, to %q", what, method, a.StatusCode, to)
			}
		} else if h := heading(t, a); a.StatusCode != 403 || h != "You are no longer signed in" {
			t.Errorf("%s: %s gives %d %q", what, method, a.StatusCode, h)
		}
	}
	if c.changes != changes {
		t.Errorf("%s: %d changes", what, c.changes-changes)
	}
}

// letIn expects that a cookie opens the console.
func (c *console) letIn(t *testing.T, what string, with *http.Cookie) {
	t.Helper()
	for _, method := range []string{"GET", "POST"} {
		if a := c.asks(method, with); a.StatusCode != 200 {
			t.Errorf("%s: %s gives %d", what, method, a.StatusCode)
		}
	}
}

func TestSigningOutEndsEveryCopyOfTheCookie(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(t, "Sam Okoye")
	copies := map[string]*http.Cookie{"the first": b.session(c)}
	c.move(10 * time.Minute)
	b.do("GET", c.URL+"/console")
	copies["renewed once"] = b.session(c)
	c.move(10 * time.Minute)
	renewed := c.asks("GET", copies["the first"]).Cookies() // by whoever has a copy
	if len(renewed) != 1 || copies["renewed once"].Value == copies["the first"].Value {
		t.Fatalf("not renewed: %v", renewed)
	}
	copies["a copy that was renewed"] = renewed[0]
	for what, copied := range copies {
		c.letIn(t, what, copied)
	}
	if out := b.do("POST", c.URL+SignOutPath); out.text("h1") != "You are signed out" {
		t.Fatalf("signing out: %d %s", out.StatusCode, out.body)
	}
	for what, copied := range copies {
		c.refused(t, what, copied)
	}
}

func TestSigningOutKeepsOtherSessions(t *testing.T) {
	c := newConsole(t)
	here, elsewhere, other := c.signedIn(t, "Sam Okoye"), c.signedIn(t, "Sam Okoye"), c.signedIn(t, "Ada Brandt")
	was := here.session(c)
	here.do("POST", c.URL+SignOutPath)
	c.refused(t, "signed out", was)
	c.letIn(t, "the same person elsewhere", elsewhere.session(c))
	c.letIn(t, "another person", other.session(c))
	here.choose(here.do("GET", c.URL+"/console"), "Sam Okoye")
	c.letIn(t, "signed in again", here.session(c))
	c.refused(t, "the session of before", was)
}

func TestSigningInAgainEndsThePreviousSession(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(t, "Sam Okoye")
	was := b.session(c)
	b.choose(b.do("GET", c.URL+SignInPath), "Ada Brandt")
	c.letIn(t, "the new session", b.session(c))
	c.refused(t, "the session of before", was)
}

func TestSigningOutTwiceSucceeds(t *testing.T) {
	c := newConsole(t)
	session := c.signedIn(t, "Sam Okoye").session(c)
	for range 2 {
		a := c.sends("POST", SignOutPath, session)
		if h := heading(t, a); a.StatusCode != 200 || h != "Signing out" {
			t.Errorf("%d %s", a.StatusCode, h)
		}
		c.refused(t, "signed out", session)
	}
}

func TestSigningOutWithAnEndedSessionSucceeds(t *testing.T) {
	c := newConsole(t)
	first := c.signedIn(t, "Sam Okoye").session(c)
	last := first
	c.move(50 * time.Minute)
	if renewed := c.asks("GET", first).Cookies(); len(renewed) == 1 {
		last = renewed[0]
	}
	c.move(30 * time.Minute)
	c.refused(t, "idle for an hour", first)
	c.letIn(t, "used since", last)
	c.sends("POST", SignOutPath, first)
	c.refused(t, "used since, signed out by the idle one", last)
}

func TestSigningOutWithoutSessionReadsNothing(t *testing.T) {
	c := newConsole(t)
	old := c.signedIn(t, "Sam Okoye").session(c)
	c.move(session.Life)
	live := c.signedIn(t, "Sam Okoye").session(c)
	other := "x"
	if live.Value[9:10] == other {
		other = "y"
	}
	value := func(s string) *http.Cookie { return &http.Cookie{Name: live.Name, Value: s} }
	for what, with := range map[string]*http.Cookie{
		"none": nil, "eight hours old": old, "empty": value(""),
		"tampered with": value(live.Value[:9] + other + live.Value[10:]), "garbage": value("hello"),
		"of a form without an ID": value(c.keys(t).Seal("sales console, cookie console, form 1",
			[]byte(`{"begun":1519902000}`))),
	} {
		c.table.Reset()
		a := c.sends("POST", SignOutPath, with)
		if h := heading(t, a); a.StatusCode != 200 || h != "Signing out" {
			t.Errorf("%s: %d %s", what, a.StatusCode, h)
		}
		if cleared := a.Cookies(); with != nil && (len(cleared) != 1 || cleared[0].MaxAge != -1) {
			t.Errorf("%s: leaves the cookies %v", what, cleared)
		}
		if with != nil {
			c.refused(t, what, with)
		}
		if got := c.table.Counts(); got != (tabletest.Counts{}) {
			t.Errorf("%s: the table was asked: %+v", what, got)
		}
	}
	c.letIn(t, "the other session", live)
}

func TestStoreKeepsOnlyThatASessionEnded(t *testing.T) {
	c := newConsole(t)
	var rows, audit []table.Row
	c.table.Fault = func(call tabletest.Call) tabletest.Fault {
		for _, w := range call.Writes {
			switch w.Row.Type {
			case string(rowkey.TypeColleague): // the directory has its own test
			case string(rowkey.TypeAudit):
				audit = append(audit, w.Row)
			default:
				rows = append(rows, w.Row)
			}
		}
		return tabletest.Fault{}
	}
	begun := c.Now()
	b := c.signedIn(t, "Lucía Marín")
	for range 3 {
		c.move(50 * time.Minute)
		b.do("GET", c.URL+"/console")
	}
	if len(rows) != 0 || len(audit) != 1 {
		t.Errorf("signing in and renewing write %+v and in the audit %+v, want the sign-in there", rows, audit)
	}
	b.do("POST", c.URL+SignOutPath)
	if len(rows) != 1 {
		t.Fatalf("signing out writes %d rows", len(rows))
	}
	if got, want := rows[0].Expires, begun.Add(8*time.Hour); !got.Equal(want) {
		t.Errorf("the row may go at %v, want %v", got, want)
	}
	all := fmt.Sprint(rows[0].Key, rows[0].Type, string(rows[0].Data))
	for _, personal := range []string{"lucia", "lucía", "marín", "@", "vendor", "sales"} {
		if strings.Contains(strings.ToLower(all), personal) {
			t.Errorf("the row says %q: %s", personal, all)
		}
	}
	if id := strings.TrimPrefix(rows[0].PK, "SESSION#"); len(id) < 26 || string(rows[0].Data) != "{}" {
		t.Errorf("the row is %+v", rows[0])
	} else if told := fmt.Sprint(audit); len(audit) != 2 || strings.Contains(told, id) {
		t.Errorf("got audit %s, want the sign-in and the sign-out, and not of which session", told)
	}
}

func TestPageCostsOneReadAndNoneWithoutSession(t *testing.T) {
	c := newConsole(t)
	sam, vera := c.signedIn(t, "Sam Okoye").session(c), c.signedIn(t, "Vera Vogel").session(c)
	for _, tt := range []struct {
		method, path string
		with         *http.Cookie
		status, gets int
	}{
		{"GET", "/console", sam, 200, 1},
		{"HEAD", "/console", sam, 200, 1},
		{"POST", "/console/requests/r1", sam, 200, 1},
		{"POST", "/console/requests/r1", vera, 403, 1},
		{"GET", "/console/nothing", sam, 404, 0},
		{"GET", "/favicon.ico", sam, 200, 0},
		{"GET", SignInPath, sam, 303, 0},
		{"GET", SignedOutPath, sam, 200, 0},
		{"GET", "/console", nil, 303, 0},
		{"POST", "/console/requests/r1", nil, 403, 0},
	} {
		c.table.Reset()
		a := c.sends(tt.method, tt.path, tt.with)
		if got := c.table.Counts(); a.StatusCode != tt.status || got.Gets != tt.gets || got.Queries+got.Transacts != 0 {
			t.Errorf("%s %s: got %d, want %d; it took %+v, want %d looks", tt.method, tt.path, a.StatusCode, tt.status,
				got, tt.gets)
		}
	}
}

func TestNobodyIsAdmittedWhileTheTableIsDown(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  tabletest.Fault
		status int
	}{
		{"away", tabletest.Down, 503},
		{"denied", tabletest.Fault{Before: errors.New("AccessDenied for arn:aws")}, 500},
	} {
		c := newConsole(t)
		b := c.signedIn(t, "Sam Okoye")
		session := b.session(c)
		c.table.Fault = func(tabletest.Call) tabletest.Fault { return tt.fault }
		for _, method := range []string{"GET", "POST"} {
			a := b.do(method, c.URL+"/console/requests/r1")
			if a.StatusCode != tt.status || len(a.Cookies()) != 0 || strings.Contains(a.body, "arn:") {
				t.Errorf("%s: %s gives %d with %v: %s", tt.name, method, a.StatusCode, a.Cookies(), a.body)
			}
		}
		if a := newBrowser(t).do("GET", c.URL+"/console"); a.text("h1") != "Sign in as…" {
			t.Errorf("%s: a stranger cannot sign in: %d", tt.name, a.StatusCode)
		}
		if c.changes != 0 {
			t.Errorf("%s: %d changes", tt.name, c.changes)
		}
		c.table.Fault = nil
		c.letIn(t, tt.name+", over", session)
	}
}

func TestSigningOutThatIsNotRecordedCanBeRetried(t *testing.T) {
	for name, fault := range map[string]tabletest.Fault{"not recorded": tabletest.Down,
		"recorded, the answer lost": tabletest.Lost} {
		c := newConsole(t)
		b := c.signedIn(t, "Sam Okoye")
		session := b.session(c)
		c.table.Fault = func(tabletest.Call) tabletest.Fault { return fault }
		a := b.do("POST", c.URL+SignOutPath)
		if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || a.text("h1") != "You may still be signed in" ||
			len(a.Cookies()) != 0 {
			t.Errorf("%s: %d %v %s", name, a.StatusCode, a.Cookies(), a.body)
		}
		form := a.page.Find("main form[method=post]")
		if action, _ := form.Attr("action"); action != SignOutPath || strings.TrimSpace(form.Text()) != "Sign out" {
			t.Errorf("%s: signing out again is not offered: %s", name, a.body)
		}
		if log := c.log.String(); !strings.Contains(log, "level=WARN") || strings.Contains(log, "sam@") {
			t.Errorf("%s: log %s", name, log)
		}
		c.table.Fault = nil
		if a := b.do("POST", c.URL+SignOutPath); a.text("h1") != "You are signed out" {
			t.Errorf("%s: again: %d %s", name, a.StatusCode, a.body)
		}
		c.refused(t, name, session)
	}
}

// TestHistoriesOfSessions: whatever people do with cookies and their copies, a cookie admits exactly as long as it was
// used within the hour, its session is younger than eight hours, and nobody signed out of it.
func TestHistoriesOfSessions(t *testing.T) {
	c := newConsole(t)
	type life struct {
		begun time.Time
		ended bool
	}
	type copied struct {
		*life
		used   time.Time
		cookie *http.Cookie
	}
	rapid.Check(t, func(rt *rapid.T) {
		var copies []copied
		begin := func(*rapid.T) {
			s := newSession(Person{Email: "sam@vendor.example", Name: "Sam", Role: Sales}, c.Now())
			copies = append(copies, copied{&life{begun: c.Now()}, c.Now(), c.sealed(t, sessionCookie, s)[0]})
		}
		begin(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"begin": begin,
			"wait": func(rt *rapid.T) {
				c.move(time.Duration(rapid.IntRange(0, 59).Draw(rt,
					"minutes")) * time.Minute)
			},
			"use": func(rt *rapid.T) {
				i := rapid.IntRange(0, len(copies)-1).Draw(rt, "copy")
				have, now := copies[i], c.Now()
				a := c.asks("POST", have.cookie)
				in := !have.ended && now.Before(have.used.Add(time.Hour)) && now.Before(have.begun.Add(8*time.Hour))
				if (a.StatusCode == 200) != in {
					rt.Fatalf("copy %d of the session of %v, used at %v, ended: %v: at %v it gives %d", i, have.begun,
						have.used, have.ended, now, a.StatusCode)
				}
				if set := a.Cookies(); in && len(set) == 1 {
					copies = append(copies, copied{have.life, now, set[0]})
				}
			},
			"sign out": func(rt *rapid.T) {
				have := copies[rapid.IntRange(0, len(copies)-1).Draw(rt, "copy")]
				if a := c.sends("POST", SignOutPath, have.cookie); a.StatusCode != 200 {
					rt.Fatalf("signing out: %d", a.StatusCode)
				}
				have.ended = true
			},
		})
	})
}
