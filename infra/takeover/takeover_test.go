package takeover

import (
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/store/erasure/erasuretest"
)

// steps of a history, each as often as it is likely.
var steps = []func(*world){
	(*world).file, (*world).file, (*world).file, (*world).confirm, (*world).confirm, (*world).confirm,
	(*world).issue, (*world).issue, (*world).issue, (*world).issue, (*world).link, (*world).ask, (*world).vouchFor,
	(*world).wait, (*world).wait, (*world).guess, (*world).resend, (*world).forward, (*world).addContact,
	(*world).removeContact, (*world).stop,
}

func play(seed uint64, alone bool, issuer license.Issuer) *world {
	w := newWorld(seed, alone, issuer)
	for range 20 + w.IntN(40) {
		one(w, steps)(w)
		if w.problem != nil {
			break
		}
	}
	return w
}

// TestNobodyTakesALicenseOver plays random histories; CI plays 2,000 (-rapid.checks). Nothing is taken from a customer
// for somebody unless one of its contacts says so, or two colleagues of ours stand for it; where sales are one person,
// unless that person confirmed it by name.
func TestNobodyTakesALicenseOver(t *testing.T) {
	issuer := licensetest.Issuer(t)
	histories, seen := 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := play(rapid.Uint64().Draw(rt, "history"), rapid.IntRange(0, 4).Draw(rt, "operators") == 0, issuer)
		if w.problem != nil {
			rt.Fatal(w.problem)
		}
		if people := erasuretest.Everybody(w.rows.Rows(), "vendor.example"); len(people) > 0 && w.IntN(5) == 0 {
			w.audited.Erasing = true
			err := erasuretest.Erase(rt.Context(), w.rows, w.store.Store, people[w.IntN(len(people))])
			if err != nil {
				rt.Fatal(err)
			}
		}
		histories++
		for what, n := range w.seen {
			seen[what] += n
		}
	})
	t.Logf("%d histories: %v", histories, seen)
	for _, what := range []string{"refused", "took nothing", "for a contact", "by two", "confirmed alone",
		"reminders stopped"} {
		if seen[what] == 0 && histories >= 1000 {
			t.Errorf("no history had what is %s", what)
		}
	}
}
