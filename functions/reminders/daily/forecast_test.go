package daily

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// daysForecast is how far ahead the console forecasts reminders.
const daysForecast = 90

// TestForecastIsWhatTheDailyRunsDo compares the forecast of a day with the mails that the runs of the next 90 days
// queue: the same licenses and stages, to the same recipients, on the same days.
func TestForecastIsWhatTheDailyRunsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := rapid.SampledFrom(reminder.Switchable)
		extra := rapid.SliceOfDistinct(stages, rapid.ID[reminder.Stage]).Draw(t, "extra")
		w := &testEnv{t: t, faulty: &tabletest.Faulty{Table: &tabletest.Memory{}}, today: date("2018-03-05")}
		now := func() time.Time { return w.today.Start().Add(delivery.RunHour*time.Hour + w.later) }
		w.store = delivery.New(store.New(w.faulty, store.Options{Now: now, Reminders: reminder.With(extra...)}))
		w.job = New(Options{
			Store: w.store, Deletion: deletion.New(w.store.Store), Now: now, Log: logging.New(&w.log, "reminders"),
		})
		history{w, t}.fill(rapid.IntRange(1, 12).Draw(t, "licenses"))

		want := w.forecast()
		for range daysForecast {
			if err := w.job.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			w.today = w.today.AddDays(1)
		}
		if got := w.reminded(); !maps.Equal(got, want) {
			t.Fatalf("the runs reminded of\n%v\nthe forecast said\n%v", slices.Sorted(maps.Keys(got)),
				slices.Sorted(maps.Keys(want)))
		}
	})
}

// history puts licenses on record, with what keeps reminders from being sent.
type history struct {
	*testEnv
	rapid *rapid.T
}

func (h history) fill(n int) {
	people := []license.Contact{{Name: "Ada", Email: "ada@example.org"}, {Email: "Bob@example.org"},
		{Email: "cy@example.net"}, {Email: "not an address"}}
	begin := h.today
	for i := range n {
		h.today = begin.AddDays(-h.int(0, 40, "issued"))
		l := license.License{
			ID: fmt.Sprintf("license%02d", i), Organization: fmt.Sprintf("Company %d", h.int(0, 2, "company")),
			Server: server(i), Edition: license.Developer, MaxLoc: 100_000,
			Type:       rapid.SampledFrom([]license.Type{license.Production, license.Evaluation}).Draw(h.rapid, "type"),
			Expiration: begin.AddDays(h.int(-10, 200, "expires")),
		}
		if h.is("just begun") {
			l.NotBefore = h.today
		}
		if l.Expiration.Before(l.NotBefore) {
			l.NotBefore = license.Date{}
		}
		contacts := people[h.int(0, len(people)-1, "contact"):]
		storetest.Record(h.t, h.store.Store, l, contacts...)
		h.silence(l.ID, contacts)
	}
	for _, p := range people {
		if h.is("suppressed") {
			h.put(entity.Encode(rowkey.Suppression(p.Email), rowkey.TypeSuppression,
				delivery.Suppression{Outcome: outbox.Bounced, At: h.store.Now()}))
		}
	}
	h.today = begin
}

// silence does to a license what keeps some of its reminders from being sent.
func (h history) silence(id string, contacts []license.Contact) {
	ctx := context.Background()
	r, err := h.store.License(ctx, id)
	change := store.LicenseChange{ID: id, Version: r.Version, By: storetest.By}
	switch {
	case err != nil:
	case h.is("paused"):
		var until license.Date
		if h.is("for some days") {
			until = h.today.AddDays(h.int(1, 150, "days"))
		}
		err = h.store.MuteReminders(ctx, change, "budget", until)
	case h.is("revoked"):
		err = h.store.RevokeLicense(ctx, change, "unpaid")
	case h.is("renewed"):
		next := r.License
		next.ID, next.NotBefore = id+"next", r.License.Expiration.AddDays(1)
		next.Expiration = r.License.Expiration.AddDays(h.int(30, 120, "longer"))
		storetest.Record(h.t, h.store.Store, next)
	case h.is("retired"):
		a, failed := h.store.Account(ctx, r.License.Customer)
		if err = failed; err == nil {
			err = h.store.RetireInstance(ctx, store.AccountChange{Customer: a.Customer.ID, Version: a.Version,
				By: storetest.By}, r.License.Instance, true)
		}
	}
	if err != nil {
		h.rapid.Fatal(err)
	}
	for _, c := range contacts {
		if h.is("unsubscribed") {
			h.put(entity.Encode(rowkey.Unsubscribed(id, c.Email), rowkey.TypeUnsubscribed,
				store.Unsubscription{License: id, Email: c.Email, At: h.store.Now()}))
		}
	}
}

func (h history) int(from, to int, what string) int {
	return rapid.IntRange(from, to).Draw(h.rapid, what)
}

// is is seldom true.
func (h history) is(what string) bool { return h.int(0, 5, what) == 0 }

func (h history) put(row table.Row) {
	if err := h.faulty.Transact(context.Background(), table.Set(row)); err != nil {
		h.rapid.Fatal(err)
	}
}

// forecast returns what the console says of the next days: whom the run of each day will remind of which license.
func (w *testEnv) forecast() map[string]bool {
	ctx, last := context.Background(), w.today.AddDays(daysForecast-1)
	planner := w.store.NewPlanner()
	var list []delivery.Forecast
	_, err := w.store.UpcomingDue(ctx, w.today, last, 1000, func(r store.LicenseRecord) {
		list = append(list, planner.Upcoming(r, w.today, last)...)
	})
	if err == nil {
		err = planner.PlanAll(ctx, list)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	said := map[string]bool{}
	for _, f := range list {
		if f.Plan.To != nil {
			said[fmt.Sprintf("%s: %s of %s to %s", f.Day, f.Stage, f.License.ID, f.Plan.To.Email)] = true
		}
	}
	return said
}

// reminded returns whom the runs reminded of which license.
func (w *testEnv) reminded() map[string]bool {
	did := map[string]bool{}
	for _, m := range w.ready() {
		for _, due := range m.Due {
			did[fmt.Sprintf("%s: %s of %s to %s", license.DateOf(m.Created), due.Stage, due.License, m.To.Email)] = true
		}
	}
	return did
}
