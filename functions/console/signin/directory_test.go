package signin

import (
	"strings"
	"testing"

	"marketplace/shared/store"
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

func TestSigningInDoesNotNeedTheDirectory(t *testing.T) {
	c := newConsole(t)
	c.table.Fault = func(call tabletest.Call) tabletest.Fault {
		for _, w := range call.Writes {
			if w.Row.Type == "colleague" {
				return tabletest.Down
			}
		}
		return tabletest.Fault{}
	}
	c.signedIn(t, "Lucía Marín")
	if log := c.log.String(); !strings.Contains(log, "sign-in not recorded") || strings.Contains(log, "lucia@") {
		t.Errorf("the log does not tell, or names the address: %s", log)
	}
}
