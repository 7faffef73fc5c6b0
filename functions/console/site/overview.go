package site

import (
	"net/http"
	"slices"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/store"
)

type overviewView struct {
	Late        []requestRow // the first few
	LateCount   string
	LateTo      string // the address of the list of all
	Open        string
	Waiting     string
	Pending     string // emails to be sent
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
	v := overviewView{
		MonthsAhead: monthsAhead, CanEdit: canEdit(r), Done: doneToMail(r.URL.Query().Get("done")),
	}
	for _, add := range []func(*http.Request, *overviewView) error{
		s.addQueue, s.addMails, s.addReports, s.addLicenses, s.addWeeks,
	} {
		if err := add(r, &v); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, "overview.html", inOverview, "Overview", v)
}

func (s *site) addQueue(r *http.Request, v *overviewView) (err error) {
	all := filter{tab: openTab, late: true}
	late := all.query(r, s.now())
	late.Limit, v.LateTo = maxLate, all.address("")
	page, err := s.store.Queue(r.Context(), late)
	if err != nil {
		return err
	}
	v.Late = s.requestRows(r, page.Requests)
	if v.LateCount, err = s.length(r, late); err != nil {
		return err
	}
	if v.Open, err = s.length(r, store.QueueQuery{States: openTab.states}); err != nil {
		return err
	}
	v.Waiting, err = s.length(r, store.QueueQuery{States: waitingTab.states})
	return err
}

func (s *site) addLicenses(r *http.Request, v *overviewView) error {
	months, rest, err := s.store.Expiring(r.Context(), s.today(), monthsAhead)
	if err != nil {
		return err
	}
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
	return nil
}

func addCounts(a, b store.Count) store.Count {
	return store.Count{Licenses: a.Licenses + b.Licenses, MaxLoc: a.MaxLoc + b.MaxLoc}
}

func (s *site) addWeeks(r *http.Request, v *overviewView) error {
	weeks, err := s.store.Weeks(r.Context(), s.today(), weeksBack)
	for _, week := range weeks {
		row := weekRow{Begins: week.Begins.Long(), Filed: week.Filed, Issued: len(week.TimeToIssue)}
		if row.Issued > 0 {
			row.Median = span(median(week.TimeToIssue))
		}
		v.Weeks = append(v.Weeks, row)
		v.Filed.add(week.Begins.Start().Format("2 Jan"), week.Filed)
	}
	return err
}

// median returns the middle value, or the mean of the two in the middle.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}
