package site

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// TestPagesAPIAndLetterWarnOnTheSameDay walks the days around the first reminder and the last day of each type.
func TestPagesAPIAndLetterWarnOnTheSameDay(t *testing.T) {
	last := license.Date{Year: 2018, Month: time.August, Day: 31}
	for of, first := range map[license.Type]license.Date{
		license.Production: {Year: 2018, Month: time.June, Day: 30},
		license.Staging:    {Year: 2018, Month: time.June, Day: 30},
		license.Evaluation: {Year: 2018, Month: time.August, Day: 24},
	} {
		t.Run(of.Name(), func(t *testing.T) {
			env := newTestEnv(t)
			r, page := env.fileForm()
			var k license.Key
			key := env.issue(func(terms *license.Key) {
				terms.Type, terms.Expiration, terms.Server = of, last, r.Server
				k = *terms
			})
			l := license.License{ID: k.ID, Type: k.Type, Server: k.Server, Edition: k.Edition, MaxLoc: k.MaxLoc,
				NotBefore: k.NotBefore, Expiration: k.Expiration, KeyText: key}
			env.answer(r, ada, l)
			days := []license.Date{first.AddDays(-31), first.AddDays(-1), first, first.AddDays(1), last.AddDays(-2),
				last.AddDays(-1), last, last.AddDays(1)}
			for _, today := range days {
				env.clock = today.End().Add(-time.Second)
				env.now = env.clock
				when := "" // counted by hand
				switch n := today.DaysUntil(last); {
				case today.Before(first), n < 0:
				case n == 0:
					when = "expires today"
				case n == 1:
					when = "expires tomorrow"
				default:
					when = fmt.Sprintf("expires in %d days", n)
				}
				notice := webtest.Text(env.get(page).WantStatus(200).Page().Find(".ends"))
				if today.After(last) {
					if !strings.Contains(notice, "This license expired yesterday.") {
						t.Errorf("on %s: got %q on the status page, want that it expired", today, notice)
					}
				} else if (notice != "") != (when != "") || !strings.Contains(notice, when) {
					t.Errorf("on %s: got %q on the status page, want %q", today, notice, when)
				}
				f := checkAnswer(env.apiCheck(map[string]any{"key": key}))
				said := ""
				for _, w := range f.Warnings {
					said += w.Code + ": " + w.Sentence
				}
				warning := "expires-soon: The key " + when + ":"
				if (said != "") != (when != "") || said != "" && !strings.Contains(said, warning) {
					t.Errorf("on %s: got %q from the API, want %q", today, said, when)
				}
				warned := webtest.Text(env.check(key).WantStatus(200).Page().Find("#warnings"))
				if (warned != "") != (when != "") || !strings.Contains(warned, when) {
					t.Errorf("on %s: got %q on the key check, want %q", today, warned, when)
				}
				stage := env.store.Policy().Newest(l, today)
				if (stage.IsZero() || today.After(last)) != (when == "") {
					t.Errorf("on %s: got the stage %q and the warning %q", today, stage, when)
				}
				if stage.IsZero() || stage.Day(last) != today {
					continue
				}
				m := env.digest(ada, l.ID)
				if letter := env.letter(m.ID); !strings.Contains(letter.Subject, when) {
					t.Errorf("on %s: got the subject %q, want %q", today, letter.Subject, when)
				}
				text := webtest.Text(env.get(stopLink(m)).WantStatus(200).Page().Find("table"))
				if !strings.Contains(text, when) {
					t.Errorf("on %s: got %q on the page that stops reminders, want %q", today, text, when)
				}
				if of != license.Evaluation {
					text = webtest.Text(env.get(env.renewLink(m.ID)).WantStatus(200).Page().Find(".lead"))
					if !strings.Contains(text, "Your license "+when+":") {
						t.Errorf("on %s: got %q on the page that renews, want %q", today, text, when)
					}
				}
			}
		})
	}
}

func TestLicenseThatNeedsNoRenewalDoesNotWarn(t *testing.T) {
	for name, change := range map[string]func(*testEnv, store.LicenseRecord) error{
		"renewed": func(env *testEnv, r store.LicenseRecord) error {
			l := r.License
			l.ID, l.NotBefore, l.KeyText = "01c7wnn8g0dddddddddddddddd", l.Expiration.AddDays(1), ""
			l.Expiration, l.Request = l.Expiration.AddMonths(12), ""
			storetest.Record(env.t, env.store.Store, l)
			return nil
		},
		"revoked": func(env *testEnv, r store.LicenseRecord) error {
			change := store.LicenseChange{ID: r.License.ID, Version: r.Version, By: storetest.By}
			return env.store.RevokeLicense(env.t.Context(), change, "unpaid")
		},
		"out of use": func(env *testEnv, r store.LicenseRecord) error {
			a, err := env.store.Account(env.t.Context(), r.License.Customer)
			if err != nil {
				return err
			}
			change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: storetest.By}
			return env.store.RetireInstance(env.t.Context(), change, r.License.Instance, true)
		},
	} {
		env := newTestEnv(t)
		r, page := env.fileForm()
		key := env.issue(func(k *license.Key) {
			k.Server, k.Expiration = r.Server, license.DateOf(start).AddMonths(1)
		})
		k, err := license.Read(key)
		if err != nil {
			t.Fatal(err)
		}
		env.answer(r, ada, license.License{ID: k.ID, Type: k.Type, Server: k.Server, Edition: k.Edition,
			MaxLoc: k.MaxLoc, NotBefore: k.NotBefore, Expiration: k.Expiration, KeyText: key})
		env.clock = start.AddDate(0, 0, 3)
		warns := func() bool {
			f := checkAnswer(env.apiCheck(map[string]any{"key": key}))
			notice := env.get(page).WantStatus(200).Page().Find(".ends").Length() > 0
			if notice != (len(f.Warnings) > 0) {
				t.Errorf("%s: the status page warns %v, the API with %+v", name, notice, f.Warnings)
			}
			return notice
		}
		if !warns() {
			t.Fatalf("%s: got no warning before", name)
		}
		recorded, err := env.store.License(t.Context(), k.ID)
		if err == nil {
			err = change(env, recorded)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if warns() {
			t.Errorf("%s: got a warning, want none", name)
		}
		env.clock = license.DateOf(start).AddMonths(3).Start()
		if warns() {
			t.Errorf("%s: got a warning after the last day, want none", name)
		}
	}
}
