package site

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

// remindersOn returns the numbers that the forecast has for days, by the days' names.
func remindersOn(doc *goquery.Document) map[string]string {
	of := map[string]string{}
	doc.Find(".days tbody a").Each(func(_ int, link *goquery.Selection) {
		name, count, _ := strings.Cut(webtest.Text(link), ": ")
		of[name] = count
	})
	return of
}

func TestForecastCountsRemindersByDay(t *testing.T) {
	w := newTestEnv(t)
	w.record(w.numbered(1, day("2018-05-04"))) // since yesterday, and in a month
	w.record(w.numbered(2, day("2018-05-06"))) // tomorrow, and in a month
	w.record(w.numbered(3, day("2018-08-02"))) // on the last day of the forecast
	w.record(w.numbered(4, day("2018-08-03"))) // a day later
	evaluation := w.numbered(5, day("2018-03-13"))
	evaluation.Type = license.Evaluation
	w.record(evaluation)
	muted := w.record(w.numbered(6, day("2018-05-06")))
	w.must(w.store.MuteReminders(t.Context(), store.LicenseChange{ID: "l6", Version: muted.Version, By: emails[sam]},
		"Budget cut.", license.Date{}))
	doc := w.get(vera, remindersPath).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	got := remindersOn(doc)
	want := map[string]string{"Mon 05 Mar 2018": "1", "Tue 06 Mar 2018": "2", "Wed 04 Apr 2018": "1", "Fri 06 Apr 2018": "1",
		"Sat 02 Jun 2018": "1", "Tue 13 Mar 2018": "1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if days := doc.Find(".days tbody td").Length(); days != 13*8 {
		t.Errorf("got %d cells, want 13 weeks", days)
	}
	first := doc.Find(".days thead th").Eq(1)
	const begins = "7 reminders due through 02 Jun 2018. As of 05 Mar 2018, 09:30 UTC"
	if total := webtest.Text(doc.Find(".head p")); !strings.HasPrefix(total, begins) ||
		webtest.Text(first) != "Mon" {
		t.Errorf("got %q, beginning on %s", total, webtest.Text(first))
	}
}

// listedReminders returns the rows of a list of the forecast.
func listedReminders(doc *goquery.Document) (list []string) {
	doc.Find(".forecast tbody tr").Each(func(_ int, row *goquery.Selection) {
		list = append(list, webtest.Text(row))
	})
	return list
}

func TestForecastOfADayPutsTheLicensesOfAnEmailTogether(t *testing.T) {
	w := newTestEnv(t)
	for n := range 3 {
		l := w.numbered(n, day("2018-05-06"))
		w.record(l)
	}
	other := w.numbered(3, day("2018-04-06"))
	other.Organization = "Another AG"
	w.record(other, license.Contact{Email: "ann@another.example"})
	gone := w.numbered(4, day("2018-05-06"))
	gone.Organization = "Gone GmbH"
	w.record(gone, license.Contact{Email: "not an address"})
	w.record(w.numbered(5, day("2018-05-07")))
	doc := w.get(vera, remindersPath+"?day=2018-03-06").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	want := []string{
		"Another AG Production AWHW8w9JtzBzSrmf9003 1 month before 06 Apr 2018 ann@another.example",
		"One email about 3 licenses, to Jane Doe jane.doe@customer.example",
		"Customer & Sons Production AWHW8w9JtzBzSrmf9000 2 months before 06 May 2018 Jane Doe jane.doe@customer.example",
		"Customer & Sons Production AWHW8w9JtzBzSrmf9001 2 months before 06 May 2018 Jane Doe jane.doe@customer.example",
		"Customer & Sons Production AWHW8w9JtzBzSrmf9002 2 months before 06 May 2018 Jane Doe jane.doe@customer.example",
		"Gone GmbH Production AWHW8w9JtzBzSrmf9004 2 months before 06 May 2018 Not sent no contact can be reached",
	}
	if got := listedReminders(doc); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, outside := range []string{"2018-03-04", "2018-06-03", "tomorrow", "2018-02-30"} {
		w.get(vera, remindersPath+"?day="+outside).WantStatus(http.StatusNotFound)
	}
}

func TestForecastOfADayIsPaged(t *testing.T) {
	w := newTestEnv(t)
	for n := range pageSize + 10 {
		w.record(w.numbered(n, day("2018-05-06")))
	}
	var licenses []string
	for next := remindersPath + "?day=2018-03-06"; next != ""; {
		doc := w.get(vera, next).WantStatus(200).Page()
		doc.Find(".forecast tbody a").Each(func(_ int, a *goquery.Selection) {
			licenses = append(licenses, a.AttrOr("href", ""))
		})
		next = doc.Find("a[rel=next]").AttrOr("href", "")
	}
	slices.Sort(licenses)
	if n := len(slices.Compact(licenses)); n != pageSize+10 || len(licenses) != n {
		t.Errorf("got %d licenses, %d of them once, want each of %d once", len(licenses), n, pageSize+10)
	}
}

func TestForecastOfACustomerAndALicenseSaysWhyNot(t *testing.T) {
	w := newTestEnv(t)
	silenced := map[int]func(*license.License){
		1: func(*license.License) {},
		2: func(l *license.License) {
			l.Mute = license.Mute{By: emails[sam], At: start, Reason: "Budget", Until: day("2018-04-10")}
		},
		3: func(l *license.License) { l.Successor = "l9" },
		4: func(l *license.License) { l.Revoked = start },
	}
	for n := range len(silenced) {
		l := w.numbered(n+1, day("2018-05-06"))
		silenced[n+1](&l)
		w.record(l)
	}
	longer := w.numbered(5, day("2018-05-07"))
	longer.Edition, longer.MaxLoc = license.Enterprise, 5_000_000
	w.underLongerContract(longer, day("2019-05-06"))
	digest := w.remind("l1", reminder.MonthsBefore(2), sampleContacts[0])
	w.must(w.store.Unsubscribe(t.Context(), w.mail(digest)))
	of := w.customerOf("l1")
	doc := w.get(vera, remindersPath+"?customer="+string(of.Reference)).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	got := strings.Join(listedReminders(doc), "\n")
	for _, want := range []string{
		"06 Apr 2018 Customer & Sons Production AWHW8w9JtzBzSrmf9001 1 month before 06 May 2018 Not sent " +
			"jane.doe@customer.example unsubscribed on 05 Mar 2018; nobody else is reminded",
		"Tue 06 Mar 2018 Customer & Sons Production AWHW8w9JtzBzSrmf9002 2 months before 06 May 2018 Not sent " +
			"the reminders are paused through 10 Apr 2018",
		"Wed 11 Apr 2018 Customer & Sons Production AWHW8w9JtzBzSrmf9002 1 month before 06 May 2018 Jane Doe",
		"AWHW8w9JtzBzSrmf9003 2 months before 06 May 2018 Not sent the license has been renewed",
		"AWHW8w9JtzBzSrmf9004 1 month before 06 May 2018 Not sent the license was revoked",
		"AWHW8w9JtzBzSrmf9005 2 months before Next key due: a task for sales 07 May 2018 Jane Doe",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
	own := strings.Join(listedReminders(w.get(vera, remindersPath+"?license=L2").WantStatus(200).Page()), "\n")
	if strings.Count(own, "AWHW8w9JtzBzSrmf9002") != 3 || strings.Contains(own, "9003") ||
		!strings.Contains(got, own[:40]) {
		t.Errorf("got of the license\n%s\nwant its three lines alone", own)
	}
	w.get(vera, remindersPath+"?license=none").WantStatus(404)
	w.get(vera, remindersPath+"?customer=C-000000").WantStatus(404)
	w.get(vera, remindersPath+"?customer=%0d%0ax").WantStatus(404)
	for _, page := range []string{customerPath(of.Reference), "/console/licenses/l1"} {
		if n := w.get(vera, page).Page().Find("main a[href^='/console/reminders?']").Length(); n != 1 {
			t.Errorf("%s: got %d links to the forecast, want one", page, n)
		}
	}
}

func TestForecastIsExportedWithTheTimeWhenItWasCut(t *testing.T) {
	w := newTestEnv(t)
	l := w.numbered(1, day("2018-05-06"))
	l.Organization = "=cmd|' /C calc'!A1"
	w.record(l)
	w.record(w.numbered(2, day("2018-05-07")))
	w.get(vera, remindersPath+".csv").WantStatus(403)
	if n := w.get(vera, remindersPath).Page().Find("a[href*='.csv']").Length(); n != 0 {
		t.Error("a viewer sees the export")
	}
	for query, want := range map[string][]string{
		"": {"2018-03-06 2m l1", "2018-04-06 1m l1", "2018-03-07 2m l2", "2018-04-07 1m l2"}, "?day=2018-04-06": {"2018-04-06 1m l1"},
		"?license=l2": {"2018-03-07 2m l2", "2018-04-07 1m l2"}, "?day=2018-03-05": nil,
		"?customer=" + w.customerOf("l2").ID: {"2018-03-07 2m l2", "2018-04-07 1m l2"},
	} {
		answer := w.get(sam, remindersPath+".csv"+query)
		rows := exported(answer)
		var got []string
		for _, row := range rows[1:] {
			got = append(got, strings.Join(row[:3], " "))
			if strings.HasPrefix(row[at(rows[0], "organization")], "=") ||
				row[at(rows[0], "recipient")] != sampleContacts[0].Email ||
				row[at(rows[0], "as_of")] != "2018-03-05T09:30:00Z" {
				t.Errorf("%s: got %q", query, row)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
		name := answer.Header.Get("Content-Disposition")
		if rows[0][len(rows[0])-1] != "as_of" || !strings.Contains(name, "-as-of-2018-03-05T0930Z.csv") {
			t.Errorf("%s: got columns %q and %s, want as_of and the time", query, rows[0], name)
		}
	}
}
