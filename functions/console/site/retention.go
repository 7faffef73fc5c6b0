package site

import (
	"net/http"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/retention"
	"marketplace/shared/store/deletion"
)

const (
	upcomingDays    = 30   // how far ahead the page about deletions looks
	upcomingShown   = 1000 // requests that it counts
	deletionsListed = 400  // newest reports, of more than a year
)

type retentionView struct {
	Policy   retention.Policy
	Upcoming []deletion.Upcoming
	More     bool // of Upcoming
	Days     int
	Reports  []deletionRow
	Total    deletionRow
}

// deletionRow is what was deleted on a day.
type deletionRow struct {
	Day, By                          string
	Requests, Emails, Letters, Lines int
}

// retention shows what was deleted, by day, and what goes next: numbers, no persons.
func (s *site) retention(w http.ResponseWriter, r *http.Request) error {
	v := retentionView{Policy: s.store.Retention(), Days: upcomingDays}
	var reports []deletion.Report
	through := license.DateOf(s.now()).AddDays(upcomingDays)
	g, ctx := errgroup.WithContext(r.Context())
	g.Go(func() (err error) {
		v.Upcoming, v.More, err = s.deletion.Upcoming(ctx, through, upcomingShown)
		return err
	})
	g.Go(func() (err error) { reports, err = s.deletion.Reports(ctx, deletionsListed); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	for _, d := range reports {
		row := deletionRow{d.Day.Long(), d.By, d.Counts[deletion.Requests], d.Counts[deletion.Emails],
			d.Counts[deletion.Letters], d.Counts[deletion.Lines]}
		v.Total.Requests += row.Requests
		v.Total.Emails += row.Emails
		v.Total.Letters += row.Letters
		v.Total.Lines += row.Lines
		v.Reports = append(v.Reports, row)
	}
	return s.render(w, r, http.StatusOK, "retention.html", inSettings, "Deleted data", v)
}
