package site

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

func TestOverviewChartsExpiringLicenses(t *testing.T) {
	w := newTestEnv(t)
	for i, l := range []struct {
		edition    license.Edition
		kind       license.Type
		expiration string
	}{
		{license.Developer, license.Production, "2018-03-31"}, {license.Developer, license.Evaluation, "2018-03-20"},
		{license.Enterprise, license.Production, "2018-03-05"},
		{license.Enterprise, license.Production, "2019-02-28"}, {license.Enterprise, license.Staging, "2019-03-01"},
		{license.Developer, license.Production, "2018-02-28"},
	} {
		g := sampleLicense(fmt.Sprintf("l%d", i), day(l.expiration))
		g.Edition, g.Type, g.Server = l.edition, l.kind, license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		w.record(g)
	}
	doc := w.get(vera, "/console/overview").WantStatus(200).Page()
	section := doc.Find("section[aria-labelledby=expiring-title]")
	var rows []string
	section.Find("tbody tr").Each(func(_ int, s *goquery.Selection) {
		var cells []string
		s.Find("th, td").Each(func(_ int, c *goquery.Selection) { cells = append(cells, webtest.Text(c)) })
		rows = append(rows, strings.Join(cells, " "))
	})
	if len(rows) != 12 || rows[0] != "Mar 2018 1 2 3" || rows[1] != "Apr 2018 0 0 0" || rows[11] != "Feb 2019 1 0 1" {
		t.Errorf("got table %q", rows)
	}
	if head := webtest.Text(section.Find("thead")); head != "MonthEnterpriseDeveloperTotal" {
		t.Errorf("got header %q", head)
	}
	if n := section.Find("svg rect").Length(); n != 3 {
		t.Errorf("%d bars", n)
	}
	if first := section.Find("tbody a").First().AttrOr("href", ""); first != "/console/licenses?expires=2018-03" {
		t.Errorf("got link of the first month %s", first)
	}
	if got := webtest.Text(section); !strings.Contains(got, "1 more expires later.") {
		t.Errorf("got %q, want the number of later expirations", got)
	}
	var lines []string
	doc.Find("section[aria-labelledby=lines-title] tbody tr").Each(func(_ int,
		s *goquery.Selection) {
		lines = append(lines, webtest.Text(s))
	})
	if want := []string{"Enterprise Edition400'000 in 2 licenses200'000 in 1 license0",
		"Developer Edition200'000 in 1 license0200'000 in 1 license"}; !slices.Equal(lines, want) {
		t.Errorf("lines of code %q, want %q", lines, want)
	}
}

func TestOverviewShowsTheShareAnsweredInTime(t *testing.T) {
	w := newTestEnv(t)
	section := func() *goquery.Selection {
		return w.get(vera, "/console/overview").WantStatus(200).Page().Find("section[aria-labelledby=on-time-title]")
	}
	w.review(w.file(sampleDetails), request.Waiting)
	if got := section(); got.Find("svg, table").Length() > 0 ||
		!strings.Contains(webtest.Text(got), "No answer has been due yet.") ||
		!strings.Contains(webtest.Text(got), "1 more request is still within the deadline.") {
		t.Errorf("before any deadline: got %q", webtest.Text(got))
	}
	w.file(sampleDetails)
	w.file(sampleDetails)
	w.advance(7 * 24 * time.Hour)
	late := w.file(sampleDetails)
	w.advance(7 * 24 * time.Hour)
	w.review(late, request.Rejected)
	w.file(sampleDetails)
	w.file(sampleDetails)

	got := section()
	rows := got.Find("tbody tr")
	var last []string
	for i := rows.Length() - 4; i < rows.Length(); i++ {
		last = append(last, webtest.Text(rows.Eq(i)))
	}
	want := []string{"26 Feb 201800–", "05 Mar 20183133 %", "12 Mar 2018100 %", "19 Mar 201800–"}
	if !slices.Equal(last, want) {
		t.Errorf("got weeks %q, want %q", last, want)
	}
	var sums []string
	got.Find("svg .sum").Each(func(_ int, s *goquery.Selection) { sums = append(sums, s.Text()) })
	if want := []string{"33%", "0%"}; !slices.Equal(sums, want) {
		t.Errorf("got %q on the columns, want %q", sums, want)
	}
	if !strings.Contains(webtest.Text(got), "2 more requests are still within the deadline.") {
		t.Errorf("got %q", webtest.Text(got))
	}
}

func TestPercentIsAllOnlyForAll(t *testing.T) {
	for _, tt := range []struct{ part, all, want int }{
		{0, 7, 0}, {7, 7, 100}, {1, 3, 33}, {2, 3, 67}, {1, 2, 50}, {999, 1000, 99}, {1, 1000, 1},
	} {
		if got := percent(tt.part, tt.all); got != tt.want {
			t.Errorf("%d of %d: got %d %%, want %d %%", tt.part, tt.all, got, tt.want)
		}
	}
}

func TestChartBarsMatchTheirNumbers(t *testing.T) {
	for _, columns := range [][][]int{{{1, 2}, {0, 0}, {3, 0}}, {{1000, 1}, {1, 1}}, {{7}}, {{0}}, {}} {
		var c chart
		c.Legend = []legend{{"a", "A"}, {"b", "B"}}
		for _, parts := range columns {
			c.add("x", parts...)
		}
		height := float64(chartBase-chartTop) / float64(c.top())
		bars := c.Bars()
		for i, parts := range columns {
			at := chartBase
			for _, n := range parts {
				if n == 0 {
					continue
				}
				b := bars[0]
				bars = bars[1:]
				if diff := float64(b.Height) - height*float64(n); diff < -1 || diff > 1 || b.Y+b.Height != at ||
					b.Y < chartTop || b.X < chartLeft || b.X+b.Width > chartWidth {
					t.Errorf("%v: column %d has the bar %+v on %d", columns, i, b, at)
				}
				at = b.Y
			}
		}
		if scale := c.Scale(); len(scale) < 2 || len(scale) > 6 || scale[0].Y != chartBase {
			t.Errorf("%v: scale %+v", columns, scale)
		}
	}
}

func TestOverviewCountsRequestsAndEmails(t *testing.T) {
	w := newTestEnv(t)
	for i, hours := range []int{1, 3, 30, 0} {
		d := sampleDetails
		d.Company = fmt.Sprintf("Company %d", i)
		r := w.file(d)
		if hours == 0 {
			continue
		}
		w.advance(time.Duration(hours) * time.Hour)
		l := sampleLicense(fmt.Sprintf("l%d", i), day("2018-05-10"))
		w.issue(l, func(i *store.Issue) { i.Request, i.RequestVersion = r.ID, r.Version })
	}
	w.review(w.file(sampleDetails), request.Waiting)
	late := sampleDetails
	late.Company = "Late Company"
	w.advance(-7 * 24 * time.Hour)
	overdue := w.file(late)
	w.advance(7 * 24 * time.Hour)
	m := w.failMail(overdue.ID+"--received", "no such mailbox")

	doc := w.get(vera, "/console/overview").WantStatus(200).Page()
	figures := map[string]string{}
	doc.Find(".figures div").Each(func(_ int,
		s *goquery.Selection) {
		figures[webtest.Text(s.Find("dt"))] = webtest.Text(s.Find("dd"))
	})
	for name, want := range map[string]string{
		"Late requests": "1", "Open requests": "2", "Waiting for customers": "1", "Emails waiting to be sent": "15",
		"Failed emails": "1", "Reminders in the next 30 days": "3",
	} {
		if figures[name] != want {
			t.Errorf("%s: got %q, want %s", name, figures[name], want)
		}
	}
	if got := listed(doc); !slices.Contains(got, "Late Company") {
		t.Errorf("got late requests %q", got)
	}
	weeks := doc.Find("section[aria-labelledby=weeks-title] tbody tr")
	if got := webtest.Text(weeks.Last()); weeks.Length() != 12 || got != "05 Mar 2018533 h" {
		t.Errorf("%d weeks, the last %q", weeks.Length(), got)
	}
	dead := doc.Find("section[aria-labelledby=failed-title] tbody tr")
	if got := webtest.Text(dead); dead.Length() != 1 || !strings.Contains(got, "Request confirmation") ||
		!strings.Contains(got, "no such mailbox") {
		t.Errorf("got failed emails %q", got)
	}
	about := dead.Find("a").AttrOr("href", "")
	w.get(vera, about).WantRedirect("/console/requests/" + m.About)
	if m.Kind != mail.RequestReceived {
		t.Errorf("got kind %s", m.Kind)
	}
}

func TestEmptyConsoleHasAnOverview(t *testing.T) {
	doc := newTestEnv(t).get(vera, "/console/overview").WantStatus(200).Page()
	if got := webtest.Text(doc.Find("section[aria-labelledby=expiring-title] .empty")); got != "None." {
		t.Errorf("got expiring licenses %q, want none", got)
	}
}

func TestMedian(t *testing.T) {
	h := time.Hour
	for _, tt := range []struct {
		all  []time.Duration
		want time.Duration
	}{{[]time.Duration{3 * h, h, 2 * h}, 2 * h}, {[]time.Duration{4 * h, h}, 150 * time.Minute},
		{[]time.Duration{h}, h}} {
		if got := median(tt.all); got != tt.want {
			t.Errorf("median of %v: %v", tt.all, got)
		}
	}
}
