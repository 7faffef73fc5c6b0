package mailmodel

import (
	"context"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"marketplace/infra/replan"
)

// setBack says whether somebody sets the clock back by days, as only the local server lets people do, and whether its
// reminders are then planned anew.
type setBack int

const (
	never setBack = iota
	alone
	replanned
)

// back sets the clock back by days. What is on record stays, with times that have not come yet.
func (w *world) back() {
	from, days := w.now, 1+w.choose(30)
	w.setNow(w.now.AddDate(0, 0, -days))
	w.wentBack += days
	w.logf("the clock is set back by %d days", days)
	if w.setBack == replanned {
		if err := replan.Reminders(context.Background(), w.eyes.store.Store, from, w.now); err != nil {
			w.failf("planning anew: %v", err)
		}
	}
}

// TestWhatAClockSetBackByDaysDoes plays histories in which the clock goes back by days, and logs what goes wrong first:
// reminders are missing, but none is once they are planned anew. It is no part of the model: see doc.go.
func TestWhatAClockSetBackByDaysDoes(t *testing.T) {
	for name, how := range map[string]setBack{"alone": alone, "planned anew": replanned} {
		t.Run(name, func(t *testing.T) {
			history := rapid.Custom(func(rt *rapid.T) error {
				w := newWorld(rapid.Uint64().Draw(rt, "history"), "")
				w.setBack, w.skewed = how, 0
				_, err := playOn(rt, w)
				return err
			})
			const most = 60
			missing, others := 0, 0
			for n := range most {
				err := history.Example(n)
				if err == nil {
					continue
				}
				what, _, _ := strings.Cut(err.Error(), "\n")
				t.Logf("history %d: %s", n+1, what)
				if others++; strings.Contains(what, "did not remind") {
					missing, others = missing+1, others-1
				}
			}
			t.Logf("%d of %d histories lack a reminder, %d go wrong otherwise", missing, most, others)
			if (missing > 0) != (how == alone) || others > most/6 {
				t.Error("doc.go says otherwise")
			}
		})
	}
}
