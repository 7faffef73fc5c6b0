package signin

import (
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestSigningInRecordsTheColleague(t *testing.T) {
	c := newConsole(t)
	kept := store.New(c.table, store.Options{Now: c.Now})
	if list, err := kept.Colleagues(t.Context()); len(list) > 0 || err != nil {
		t.Fatalf("got %+v, %v before anybody signed in", list, err)
	}
	b := c.signedIn(t, "Lucía Marín")
	list, err := kept.Colleagues(t.Context())
	if err != nil || len(list) != 1 || list[0].Email != "lucia@vendor.example" || list[0].Name != "Lucía Marín" ||
		list[0].Role != "sales" || list[0].LastSignIn.String() != "2018-03-01" {
		t.Errorf("got %+v, %v, want Lucía with her role and the day", list, err)
	}
	// Pages of somebody who is signed in write nothing.
	writes := c.table.Counts().Transacts
	b.do("GET", c.URL+"/console")
	if got := c.table.Counts().Transacts; got != writes {
		t.Errorf("got %d writes by a page", got-writes)
	}
}

func TestNobodyGetsInWhoseSignInIsNotRecorded(t *testing.T) {
	c := newConsole(t)
	c.table.Fault = func(call tabletest.Call) tabletest.Fault {
		for _, w := range call.Writes {
			if w.Row.Type == "audit" {
				return tabletest.Down
			}
		}
		return tabletest.Fault{}
	}
	b := newBrowser(t)
	a := b.do("GET", c.answered(t, b).String())
	if a.StatusCode != 503 || a.text("h1") != "Sign-in is unavailable" {
		t.Errorf("got %d %s, want a page that says to try again", a.StatusCode, a.text("h1"))
	}
	log := c.log.String()
	if !strings.Contains(log, "the sign-in cannot be recorded") || strings.Contains(log, "sam@") {
		t.Errorf("the log does not tell, or names the address: %s", log)
	}
	if in := b.do("GET", c.URL+"/console"); in.text("h1") != "Sign in as…" {
		t.Errorf("got %d at %s, want to be asked to sign in", in.StatusCode, in.Request.URL)
	}
	c.table.Fault = nil
	c.signedIn(t, "Lucía Marín")
}

func TestRefusedSignInIsInTheAudit(t *testing.T) {
	c := newConsole(t)
	b := newBrowser(t)
	for _, who := range []string{"Nico Neumann", "Una Unverified", "Nico Neumann"} { // nobody knows who Una is
		if a := b.choose(b.do("GET", c.URL+"/console"), who); a.StatusCode != 403 {
			t.Fatalf("got %d %s, want 403", a.StatusCode, a.body)
		}
	}
	ofColleagues := rowkey.AuditPK(license.DateOf(c.Now()), "nico@vendor.example")
	page, err := c.table.Query(t.Context(), table.Query{PK: ofColleagues})
	if err != nil || len(page.Rows) != 2 ||
		!strings.Contains(string(page.Rows[0].Data), string(store.SignInRefused)) ||
		!strings.Contains(string(page.Rows[1].Data), "nico@vendor.example") {
		t.Errorf("got %+v, %v, want both attempts", page.Rows, err)
	}
}
