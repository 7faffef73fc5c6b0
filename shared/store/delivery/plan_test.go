package delivery_test

import (
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

// planned is a license whose last day is 31 Aug 2018, as of 1 March.
func planned(t *testing.T, contacts ...license.Contact) (b *testEnv, r store.LicenseRecord) {
	b = newTestEnv(t)
	l := license.License{ID: "l1", Type: license.Production, Organization: "Acme AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.Date{Year: 2018, Month: 8, Day: 31}}
	return b, storetest.Record(t, b.Store.Store, l, contacts...)
}

func on(month time.Month, day int) time.Time {
	return time.Date(2018, month, day, 6, 0, 0, 0, time.UTC)
}

// TestPlanOfADayToComeReckonsWithTheRemindersBefore: nothing else changes until then.
func TestPlanOfADayToComeReckonsWithTheRemindersBefore(t *testing.T) {
	b, r := planned(t, ada)
	for at, want := range map[time.Time]reminder.Stage{
		on(6, 29): {}, on(6, 30): reminder.MonthsBefore(2), on(7, 1): {}, on(7, 30): {},
		on(7, 31): reminder.MonthsBefore(1), on(8, 1): {}, on(8, 31): {}, on(9, 1): {},
	} {
		plan, err := b.NewPlanner().Plan(ctx, r, at)
		due := !want.IsZero()
		if err != nil || plan.Stage != want || (plan.To != nil) != due || (plan.Why == "") != due {
			t.Errorf("%s: got %+v, %v, want stage %q", at.Format(time.DateOnly), plan, err, want)
		}
	}
	// A stage whose day was missed is due today, and then no more.
	b.now = on(7, 10)
	for at, want := range map[time.Time]reminder.Stage{
		on(7, 10): reminder.MonthsBefore(2), on(7, 11): {}, on(7, 31): reminder.MonthsBefore(1),
	} {
		if plan, err := b.NewPlanner().Plan(ctx, r, at); err != nil || plan.Stage != want {
			t.Errorf("missed: %s: got %+v, %v, want stage %q", at.Format(time.DateOnly), plan, err, want)
		}
	}
	// A mute with an end puts it off.
	b.now = on(6, 1)
	r.License.Mute = license.Mute{By: "sam", Until: license.Date{Year: 2018, Month: 7, Day: 4}}
	for at, want := range map[time.Time]reminder.Stage{
		on(6, 30): {}, on(7, 4): {}, on(7, 5): reminder.MonthsBefore(2), on(7, 6): {},
	} {
		if plan, err := b.NewPlanner().Plan(ctx, r, at); err != nil || plan.Stage != want {
			t.Errorf("muted: %s: got %+v, %v, want stage %q", at.Format(time.DateOnly), plan, err, want)
		}
	}
}

func TestPlanSaysWhyNobodyIsReminded(t *testing.T) {
	hostile := license.Contact{Email: "nobody"}
	b, r := planned(t, hostile)
	plan, err := b.NewPlanner().Plan(ctx, r, on(6, 30))
	if err != nil || !plan.Unreached || plan.To != nil || plan.Why != "no contact can be reached" {
		t.Errorf("got %+v, %v, want nobody in reach", plan, err)
	}
	for name, c := range map[string]struct {
		change func(*license.License)
		want   string
	}{
		"revoked": {func(l *license.License) { l.Revoked = on(3, 1) }, "the license was revoked"},
		"renewed": {func(l *license.License) { l.Successor = "l2" }, "the license has been renewed"},
		"retired": {func(l *license.License) { l.Retired = true }, "the instance was retired"},
		"muted":   {func(l *license.License) { l.Mute = license.Mute{By: "sam"} }, "the reminders are paused"},
	} {
		silenced := r
		c.change(&silenced.License)
		if plan, err := b.NewPlanner().Plan(ctx, silenced, on(6, 30)); err != nil || plan.Why != c.want ||
			!plan.Stage.IsZero() || plan.Unreached {
			t.Errorf("%s: got %+v, %v, want %q", name, plan, err, c.want)
		}
	}
}

func TestPlanNamesTheSurvivorAndTheNextKey(t *testing.T) {
	b, r := planned(t, ada)
	into := storetest.Customer(t, b.Store.Store, "Acme International", bob)
	from, err := b.Account(ctx, r.License.Customer)
	if err != nil {
		t.Fatal(err)
	}
	contract := from.Contracts[0]
	contract.Last = license.Date{Year: 2020, Month: 8, Day: 31}
	err = b.IssueLicenses(ctx, store.Issue{Contracts: []customer.Contract{contract}, By: storetest.By})
	if err != nil {
		t.Fatal(err)
	}
	if from, err = b.Account(ctx, r.License.Customer); err != nil {
		t.Fatal(err)
	}
	survivor, err := b.Account(ctx, into.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = b.MergeCustomers(ctx, store.Merge{From: from.Customer.ID, FromVersion: from.Version, Into: into.ID,
		IntoVersion: survivor.Version, By: storetest.By})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = b.License(ctx, "l1"); err != nil {
		t.Fatal(err)
	}
	plan, err := b.NewPlanner().Plan(ctx, r, on(6, 30))
	if err != nil || plan.Customer != into.ID || plan.To == nil || *plan.To != ada || !plan.NextKey {
		t.Errorf("got %+v, %v, want Ada reminded under the survivor, and the next key for sales", plan, err)
	}
}
