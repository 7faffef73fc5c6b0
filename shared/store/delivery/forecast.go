package delivery

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
)

// RunHour is the hour of the daily run, UTC.
const RunHour = 6

// Forecast is what the daily run of a day will do about a license, if nothing changes until then.
type Forecast struct {
	store.LicenseRecord // as it is now
	reminder.Coming
	Plan Plan
}

// Upcoming returns what the daily run will come to about a license, from a day through another, without planning it. It
// comes to no license without a day for its next reminder.
func (p *Planner) Upcoming(r store.LicenseRecord, from, through license.Date) []Forecast {
	return forecasts(r, p.store.Upcoming(r, from, through))
}

// UpcomingAndSilent also returns the stages of which nobody is reminded because the license is silenced, in the order
// of days.
func (p *Planner) UpcomingAndSilent(r store.LicenseRecord, from, through license.Date) []Forecast {
	all := slices.Concat(p.store.Upcoming(r, from, through),
		p.store.Policy().Silent(r.License, from, through, r.Reminded))
	slices.SortStableFunc(all, func(a, b reminder.Coming) int { return a.Day.Start().Compare(b.Day.Start()) })
	return forecasts(r, all)
}

func forecasts(r store.LicenseRecord, coming []reminder.Coming) (list []Forecast) {
	for _, c := range coming {
		list = append(list, Forecast{LicenseRecord: r, Coming: c})
	}
	return list
}

// forecastsAtOnce is how many forecasts are planned at once.
const forecastsAtOnce = 64

// PlanAll works out the plans of forecasts, by the function of the daily run, several at once.
func (p *Planner) PlanAll(ctx context.Context, list []Forecast) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(forecastsAtOnce)
	for i := range list {
		f := &list[i]
		g.Go(func() (err error) {
			// Stages before change nothing: the newest one is due.
			at := f.Day.Start().Add(RunHour * time.Hour)
			f.Plan, err = p.planAfter(ctx, f.LicenseRecord, at, f.Reminded)
			f.Plan.Stage = f.Stage // also of a license that is silenced
			return err
		})
	}
	return g.Wait()
}

// Know keeps the customers and contracts of an account, so that Plan does not read them.
func (p *Planner) Know(a *customer.Account) {
	for _, c := range a.Customers() {
		p.customers.keep(c.ID, c)
	}
	for _, c := range a.Contracts {
		p.contracts.keep(c.ID, c)
	}
}

// SameLetter reports whether two plans put licenses into the same email.
func (p Plan) SameLetter(other Plan) bool {
	return p.To != nil && other.To != nil && p.Customer == other.Customer && p.To.Email == other.To.Email
}

// CompareLicenses orders forecasts by organization, then by server.
func CompareLicenses(a, b Forecast) int {
	return cmp.Or(cmp.Compare(a.License.Organization, b.License.Organization),
		cmp.Compare(a.License.Customer, b.License.Customer), cmp.Compare(a.License.Server, b.License.Server),
		cmp.Compare(a.License.ID, b.License.ID))
}
