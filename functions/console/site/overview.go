package site

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/alarm"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
)

type overviewView struct {
	Late        []requestRow // the first few
	LateCount   string
	LateTo      string // the address of the list of all
	Open        string
	Waiting     string
	Pending     string // emails to be sent
	Gauges      []gaugeRow
	Alarms      []gaugeRow // those that breach their limits
	Outbox      outboxView
	CanEdit     bool   // the viewer may try failed emails again
	Done        string // the outcome of the action before; "" for none
	Reminders   string // licenses whose next reminder is due in the next 30 days
	Failed      []failedRow
	FailedCount string
	Reported    string // bounces and complaints of the last DaysBack days
	Reports     []reportRow
	DaysBack    int
	Suppressed  []suppressedRow
	Unreached   []licenseRow // licenses with no contact that can be reached
	Months      []monthRow
	Rest        int // number of licenses that expire later
	Expiring    chart
	Lines       []linesRow
	LinesOf     []license.Type
	Weeks       []weekRow
	Filed       chart
	OnTime      chart // percent of the requests of each week
	DueLater    int   // requests of all weeks whose answer is not due yet
	MonthsAhead int
}

// monthRow is a month with the number of licenses that expire in it.
type monthRow struct {
	Month string
	To    string
	Of    []int // by edition, in the order of the legend of overviewView.Expiring
	Total int
}

// linesRow sums the licensed lines of code of an edition.
type linesRow struct {
	Edition license.Edition
	Of      []store.Count // by type, in the order of overviewView.LinesOf
}

// weekRow is a week of requests.
type weekRow struct {
	Begins        string
	Filed, Issued int
	Median        string // time to issue; "" if nothing was issued
	OnTime, Due   int    // requests whose first answer was due: those that got it by then, and all
	Share         string // of OnTime, in percent; "" if nothing was due
}

const (
	monthsAhead = 12
	weeksBack   = 12
	daysAhead   = 30
	maxLate     = 5
	maxFailed   = 20
	manyMails   = 1000 // limit up to which emails and reminders are counted
)

// overview shows what expires, how many requests arrive and how fast they are answered, and what went wrong.
func (s *site) overview(w http.ResponseWriter, r *http.Request) error {
	late := filter{tab: openTab, late: true}
	o, err := s.readOverview(r.Context(), late.query(r, s.now()))
	if err != nil {
		return err
	}
	v := overviewView{
		MonthsAhead: monthsAhead, CanEdit: canEdit(r), Done: doneToMail(r.URL.Query().Get("done")),
		Late: s.requestRows(r, o.late.Requests), LateTo: late.address(""), LateCount: upTo(o.lateCount, counted),
		Open: upTo(o.open, counted), Waiting: upTo(o.waiting, counted),
	}
	v.addGauges(o, s.now())
	s.addMails(&v, o)
	s.addReports(&v, o)
	v.addLicenses(o)
	v.addWeeks(o.weeks)
	return s.render(w, r, http.StatusOK, "overview.html", inOverview, "Overview", v)
}

// overviewRecords is what the overview reads.
type overviewRecords struct {
	late                     store.QueuePage
	lateCount, open, waiting int // requests, up to counted
	queued                   outbox.Queued
	provider                 outbox.Provider
	watched                  alarm.Readings // without the ready emails, which queued has
	reminders                int
	failed                   []outbox.FailedMail
	reports                  []delivery.RecentReport
	suppressed               []suppressedRow // among the addresses of the reports
	unreached                []store.Summary
	expiring                 expiring
	weeks                    []store.Week
}

// expiring counts the licenses that expire month by month, and after that.
type expiring struct {
	months []store.ExpiringMonth
	rest   map[store.Class]store.Count
}

// readOverview reads all of the overview at once. late asks for the requests that are late.
func (s *site) readOverview(ctx context.Context, late store.QueueQuery) (o overviewRecords, err error) {
	today := s.today()
	first := late
	first.Limit = maxLate
	g, ctx := errgroup.WithContext(ctx)
	read(g, &o.late, func() (store.QueuePage, error) { return s.store.Queue(ctx, first) })
	read(g, &o.lateCount, func() (int, error) { return s.length(ctx, late) })
	read(g, &o.open, func() (int, error) { return s.length(ctx, store.QueueQuery{States: openTab.states}) })
	read(g, &o.waiting, func() (int, error) { return s.length(ctx, store.QueueQuery{States: waitingTab.states}) })
	read(g, &o.queued, func() (outbox.Queued, error) { return s.store.QueuedMails(ctx, manyMails+1) })
	read(g, &o.watched, func() (alarm.Readings, error) { return s.store.Watched(ctx) })
	read(g, &o.provider, func() (outbox.Provider, error) { return s.store.MailProvider(ctx) })
	read(g, &o.reminders, func() (int, error) {
		return s.store.RemindersToCome(ctx, today, today.AddDays(daysAhead), manyMails+1)
	})
	read(g, &o.failed, func() ([]outbox.FailedMail, error) { return s.store.FailedMails(ctx, maxFailed+1) })
	read(g, &o.suppressed, func() (_ []suppressedRow, err error) {
		o.reports, err = s.store.RecentReports(ctx, s.now().AddDate(0, 0, -daysReported), maxReported+1)
		if err != nil {
			return nil, err
		}
		return s.suppressedAmong(ctx, shown(o.reports))
	})
	read(g, &o.unreached, func() ([]store.Summary, error) { return s.store.Unreached(ctx, maxUnreached) })
	read(g, &o.expiring, func() (e expiring, err error) {
		e.months, e.rest, err = s.store.Expiring(ctx, today, monthsAhead)
		return e, err
	})
	read(g, &o.weeks, func() ([]store.Week, error) { return s.store.Weeks(ctx, today, weeksBack) })
	return o, g.Wait()
}

// addLicenses adds what expires month by month, and the lines of code of all licenses.
func (v *overviewView) addLicenses(o overviewRecords) {
	months, rest := o.expiring.months, o.expiring.rest
	v.LinesOf = []license.Type{license.Production, license.Staging, license.Evaluation}
	all := append(slices.Clone(months), store.ExpiringMonth{Counts: rest})
	var editions []license.Edition
	for _, e := range slices.Backward(license.Editions) {
		lines := linesRow{e, make([]store.Count, len(v.LinesOf))}
		for _, m := range all {
			for class, n := range m.Counts {
				if i := slices.Index(v.LinesOf, class.Type); i >= 0 && class.Edition == e {
					lines.Of[i] = addCounts(lines.Of[i], n)
				}
			}
		}
		if slices.ContainsFunc(lines.Of, func(n store.Count) bool { return n.Licenses > 0 }) {
			editions = append(editions, e)
			v.Lines = append(v.Lines, lines)
			v.Expiring.Legend = append(v.Expiring.Legend, legend{string(e), shortEdition(e)})
		}
	}
	for _, n := range rest {
		v.Rest += n.Licenses
	}
	for _, m := range months {
		row := monthRow{
			Month: m.Month.Start().Format("Jan 2006"), To: monthAddress(m.Month, ""), Of: make([]int, len(editions)),
		}
		for class, n := range m.Counts {
			if i := slices.Index(editions, class.Edition); i >= 0 {
				row.Of[i] += n.Licenses
				row.Total += n.Licenses
			}
		}
		v.Months = append(v.Months, row)
		v.Expiring.add(m.Month.Start().Format("Jan"), row.Of...)
	}
}

func addCounts(a, b store.Count) store.Count {
	return store.Count{Licenses: a.Licenses + b.Licenses, MaxLoc: a.MaxLoc + b.MaxLoc}
}

func (v *overviewView) addWeeks(weeks []store.Week) {
	v.OnTime.Percent = true
	for _, week := range weeks {
		row := weekRow{Begins: week.Begins.Long(), Filed: week.Filed, Issued: len(week.TimeToIssue)}
		if row.Issued > 0 {
			row.Median = span(median(week.TimeToIssue))
		}
		label := week.Begins.Start().Format("2 Jan")
		v.Filed.add(label, week.Filed)
		row.OnTime, row.Due = week.OnTime, week.OnTime+week.Late
		v.DueLater += week.DueLater
		if row.Due > 0 {
			n := percent(row.OnTime, row.Due)
			row.Share = strconv.Itoa(n) + " %"
			v.OnTime.add(label, n)
		} else {
			v.OnTime.add(label)
		}
		v.Weeks = append(v.Weeks, row)
	}
}

// percent returns a share in percent, rounded, but never as all or nothing unless it is.
func percent(part, all int) int {
	switch part {
	case 0, all:
		return 100 * part / all
	}
	return min(max((200*part+all)/(2*all), 1), 99)
}

// median returns the middle value, or the mean of the two in the middle.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}
