package letter

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/spreadsheet"
)

// many are n licenses of one customer and day.
func many(n int) (list []notice.Expiring) {
	for i := range n {
		list = append(list, expiring(another(testLicense(), i)))
	}
	return list
}

// TestReminderSaysTheSameDaysEverywhere compares what the parts of a letter say about the last day, at every stage.
func TestReminderSaysTheSameDaysEverywhere(t *testing.T) {
	for last := (license.Date{Year: 2020, Month: time.January, Day: 15}); last.Year == 2020; last = last.AddDays(13) {
		for _, typ := range []license.Type{license.Production, license.Evaluation} {
			l := testLicense()
			l.Type, l.Expiration = typ, last
			for _, stage := range switched.Stages(l) {
				for _, n := range []int{1, 3} {
					list := []notice.Expiring{expiring(l)}
					for i := range n - 1 {
						list = append(list, expiring(another(l, i)))
					}
					sameDays(t, last, stage, reminderTo(zoe, stage.Day(last), list...).message(), n)
				}
			}
		}
	}
}

func sameDays(t *testing.T, last license.Date, stage reminder.Stage, m mail.Message, n int) {
	t.Helper()
	when, day := reminder.When(last, stage.Day(last)), last.Long()
	said := plural(n, "expires ", "expire ") + when
	if stage.After() {
		said = "expired " + when
	}
	text := strings.Join(strings.Fields(m.TextBody()), " ")
	doc := parseHTML(t, m.HTMLBody())
	for part, s := range map[string]string{"subject": m.Subject, "title": doc.Find("h1").Text(), "text": text,
		"HTML": doc.Find("p, h2").Text()} {
		if !strings.Contains(s, said) {
			t.Errorf("%s, %d licenses: the %s does not say %q: %q", stage, n, part, said, s)
		}
	}
	preview := doc.Find("[aria-hidden]").Text()
	for part, s := range map[string]string{"subject": m.Subject, "preview": preview, "text": text} {
		if !strings.Contains(s, day) {
			t.Errorf("%s, %d licenses: the %s does not name %s: %q", stage, n, part, day, s)
		}
	}
	for _, other := range regexp.MustCompile(`\d\d [A-Z][a-z]{2} \d{4}`).FindAllString(m.Subject+preview+text, -1) {
		if other != day && other != stage.Day(last).Long() { // the subject of an email that stops it names today
			t.Errorf("%s, %d licenses: got the day %s beside %s", stage, n, other, day)
		}
	}
	want := n
	if stage.After() {
		want = 0
	}
	if len(m.Attachments) != want {
		t.Errorf("%s, %d licenses: got %d files, want %d", stage, n, len(m.Attachments), want)
	}
	for _, a := range m.Attachments {
		if !bytes.Contains(a.Data, []byte("DTSTART;VALUE=DATE:"+last.Start().Format("20060102"))) {
			t.Errorf("%s: the calendar has another day than %s:\n%s", stage, day, a.Data)
		}
	}
}

func TestSubjectNamesCompanyEnvironmentAndLicenseOrHowMany(t *testing.T) {
	l := testLicense()
	today := l.Expiration.AddDays(-7)
	over, later := another(l, 1), another(l, 2)
	over.Expiration, later.Expiration = today.AddDays(-7), l.Expiration.AddDays(24)
	staging := expiring(l)
	staging.License.Type, staging.Environment = license.Staging, request.StagingUse
	of := func(list ...notice.Expiring) []notice.Expiring { return list }
	for want, list := range map[string][]notice.Expiring{
		"SonarQube license expires in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH, production, Developer Edition)": of(
			expiring(l)),
		"SonarQube license expires in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH, staging, Developer Edition)": of(staging),
		"SonarQube evaluation license expires in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH, evaluation, Developer Edition)": of(
			expiring(evaluation(l))),
		"SonarQube license expires in 7 days, on 31 Aug 2018: we will send the next key (Müller & Söhne GmbH, production, " +
			"Developer Edition)": of(goingOn(l)),
		"25 SonarQube licenses expire in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH)": many(25),
		"2 SonarQube licenses expire, the first in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH)": of(expiring(later),
			expiring(l)),
		"2 SonarQube licenses expire in 7 days, on 31 Aug 2018: we will send the next keys (Müller & Söhne GmbH)": of(
			goingOn(l), goingOn(another(l, 3))),
		"2 SonarQube licenses expire in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH)": of(goingOn(l),
			expiring(another(l, 3))),
		"1 SonarQube license has expired and 1 expires in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH)": of(expiring(l),
			expiring(over)),
		"1 SonarQube license has expired and 2 expire, the first in 7 days, on 31 Aug 2018 (Müller & Söhne GmbH)": of(
			expiring(l), expiring(over), expiring(later)),
	} {
		if got := reminderTo(zoe, today, list...).message().Subject; got != want {
			t.Errorf("got the subject\n%s, want\n%s", got, want)
		}
	}
}

// TestSubjectKeepsWhatMattersOfLongNames holds that a long name of a company takes nothing else out of the subject.
func TestSubjectKeepsWhatMattersOfLongNames(t *testing.T) {
	l := testLicense()
	l.Organization, l.Edition = strings.Repeat("Donaudampfschifffahrt ", 12), license.DataCenter
	got := coming(l, zoe, l.Expiration.AddDays(-62)).Subject
	if !strings.HasSuffix(got, ", production, Data Center Edition)") || !strings.Contains(got, "Donaudampf") ||
		len([]rune(got)) > maxSubject {
		t.Errorf("got %q", got)
	}
}

func TestEveryLicenseOfADigestHasItsOwnLink(t *testing.T) {
	tt := severalExpiring()
	m := tt.message()
	links := map[string]int{}
	parseHTML(t, m.HTML).Find("a.link").Each(func(_ int, a *goquery.Selection) { links[a.AttrOr("href", "")]++ })
	for id, of := range tt.on.Expiring {
		l := of.License
		renew := letters.RenewURL(tt.Notice, id)
		form := letters.requestURL(l.Edition, l.Server, l.MaxLoc, nextKind(l.Type))
		want := renew
		switch {
		case goesOn(of):
			want = ""
		case l.Type == license.Evaluation, tt.on.Today.After(l.Expiration):
			want = form
		}
		for _, link := range []string{renew, form} {
			got, inText := links[link], strings.Count(m.Text, link+"\n")
			if got != inText || (got == 1) != (link == want) {
				t.Errorf("%s: got the link %s %d times, in the text %d times; want %q", id, link, got, inText, want)
			}
		}
		if !strings.Contains(m.Text, "Server ID "+string(l.Server)+"\n") {
			t.Errorf("the letter does not name the server %s", l.Server)
		}
	}
	if strings.Contains(m.WithoutSecrets().Text+m.WithoutSecrets().HTML+m.WithoutSecrets().UnsubscribeURL, tt.Nonce) {
		t.Error("the letter without its secrets has the nonce")
	}
	u, err := url.Parse(letters.RenewURL(tt.Repeated(), "l1"))
	if err != nil || u.Query().Get("mail") != tt.ID {
		t.Errorf("got %v, %v, want the link of a repeated email to name the first", u, err)
	}
}

func TestOmittedLicensesAreNotNamed(t *testing.T) {
	tt := reminderTo(zoe, testLicense().Expiration.AddDays(-31), many(3)...)
	var gone license.License
	for id, of := range tt.on.Expiring {
		if gone = of.License; gone.ID == tt.Due[1].License {
			of.License.Successor = "renewed"
			tt.on.Expiring[id] = of
			break
		}
	}
	m := tt.message()
	if strings.Contains(fmt.Sprint(m), gone.ID) || strings.Contains(fmt.Sprint(m), string(gone.Server)) ||
		!strings.HasPrefix(m.Subject, "2 ") || len(m.Attachments) != 2 ||
		!strings.Contains(m.Text, "affects only the 2") {
		t.Errorf("got a renewed license, %d files, in\n%s", len(m.Attachments), m.Text)
	}
}

func TestLicensesWhoseContractGoesOnAreSoldNothing(t *testing.T) {
	l := testLicense()
	today := l.Expiration.AddDays(-62)
	both := reminderTo(zoe, today, goingOn(l), expiring(another(l, 1))).message()
	for _, want := range []string{
		"You do not need to do anything for the 1 license at the end of this email",
		"1 license: we will send the next key", "Contract K-2M4XWT runs through 31 Aug 2020",
	} {
		if !strings.Contains(strings.Join(strings.Fields(both.Text), " "), want) {
			t.Errorf("got no %q in\n%s", want, both.Text)
		}
	}
	if len(both.Attachments) != 1 {
		t.Errorf("got %d calendar files, want that of the license to renew", len(both.Attachments))
	}
	all := reminderTo(zoe, today, goingOn(l), goingOn(another(l, 1))).message()
	if strings.Contains(all.Text, "/renew/") || strings.Contains(all.Text, "/request") ||
		strings.Contains(all.Text, "renew each") || len(all.Attachments) != 0 {
		t.Errorf("got a renewal sold to who has paid:\n%s", all.Text)
	}
}

func TestNextKeyIsPromisedWithoutDaysThatHavePassed(t *testing.T) {
	l := testLicense()
	for days, want := range map[int]string{
		62: "3 days before this license expires, reply", 7: "3 days before this license expires, reply",
		0: "If you have not received it yet, reply", -7: "If you have not received it yet, reply",
	} {
		text := strings.Join(strings.Fields(coming(l, zoe, l.Expiration.AddDays(-days)).Text), " ")
		if !strings.Contains(text, want) || strings.Contains(text, "before this one expires") != (days >= 0) {
			t.Errorf("%d days left: want %q in\n%s", days, want, text)
		}
	}
}

func TestMoreThanTenLicensesHaveOneList(t *testing.T) {
	day := testLicense().Expiration.AddDays(-31)
	for n, files := range map[int]int{1: 1, 2: 2, 10: 10, 11: 1, 25: 1} {
		m := reminderTo(zoe, day, many(n)...).message()
		if len(m.Attachments) != files {
			t.Errorf("%d licenses: got %d files, want %d", n, len(m.Attachments), files)
		}
		list := n > 10
		for _, a := range m.Attachments {
			if strings.HasSuffix(a.Name, ".csv") != list {
				t.Errorf("%d licenses: got the file %s", n, a.Name)
			}
			if strings.Contains(string(a.Data), "token=") || strings.Contains(string(a.Data), "QX4C7D2WJ5") {
				t.Errorf("%d licenses: the file %s has a private link", n, a.Name)
			}
		}
	}
}

func TestListHasEveryLicenseAndNoFormula(t *testing.T) {
	list := many(12)
	list[3].License.Organization = "=cmd|' /C calc'!A1"
	list[4] = goingOn(list[4].License)
	list[5].License = evaluation(list[5].License)
	tt := reminderTo(zoe, testLicense().Expiration.AddDays(-7), list...)
	data := tt.message().Attachments[0].Data
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), spreadsheet.ByteOrderMark))).ReadAll()
	if err != nil || len(rows) != 13 {
		t.Fatalf("got %d rows, %v, want a header and 12", len(rows), err)
	}
	next := map[string]string{}
	for _, row := range rows[1:] {
		if slices.ContainsFunc(row, func(cell string) bool { return strings.HasPrefix(cell, "=") }) {
			t.Errorf("got a formula in %q", row)
		}
		if row[0] != "2018-08-31" || row[5] != "2000000" {
			t.Errorf("got %q, want the last day and the lines of code as a spreadsheet reads them", row)
		}
		next[row[8]] = row[9]
	}
	for i, want := range map[int]string{0: "Renew", 4: "None: we will send the next key", 5: "Request a license"} {
		if got := next[list[i].License.ID]; got != want {
			t.Errorf("license %d: got the next step %q, want %q", i, got, want)
		}
	}
}

// TestLetterOf200LicensesIsReadToItsEnd holds the largest digest to what mail programs and SES take.
func TestLetterOf200LicensesIsReadToItsEnd(t *testing.T) {
	const (
		gmailClips = 102 << 10 // of HTML; the rest is behind a link, with the way to stop the reminders
		sesTakes   = 10 << 20
	)
	list := many(200)
	for i := range list {
		list[i].License.Expiration = list[i].License.Expiration.AddDays(i % 4)
	}
	m := reminderTo(zoe, testLicense().Expiration.AddDays(-31), list...).message()
	raw, err := eml.Format(m, mail.Address{Email: "licenses@example.com"}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.HTML) > gmailClips || len(raw) > sesTakes {
		t.Errorf("got %d bytes of HTML and %d in all, want at most %d and %d", len(m.HTML), len(raw), gmailClips,
			sesTakes)
	}
	t.Logf("%d bytes of HTML, %d of text, %d in all", len(m.HTML), len(m.Text), len(raw))
	doc := parseHTML(t, m.HTML)
	if links := doc.Find("a.link").Length(); links != 200 || doc.Find("h2").Length() != 4+3 {
		t.Errorf("got %d links under %d headings, want 200 under 4, and 3 notes", links, doc.Find("h2").Length())
	}
}

func TestReminderSaysHowToStopIt(t *testing.T) {
	l := testLicense()
	today := l.Expiration.AddDays(-31)
	for subject, tt := range map[string]told{
		"Stop reminders for license 01c6x2m4vj8q0n5r7t9w3y1z2b":           reminderTo(zoe, today, expiring(l)),
		"Stop reminders for 3 licenses of C-7K3Q9F, email of 31 Jul 2018": reminderTo(zoe, today, many(3)...),
	} {
		m := tt.message()
		byMail := "mailto:sales@example.com?subject=" + url.PathEscape(subject)
		byMail = strings.ReplaceAll(byMail, ",", "%2C")
		web := "https://licenses.example.com/reminders/stop?mail=" + tt.ID + "&token=" + tt.Nonce
		if m.Unsubscribe != byMail || m.UnsubscribeURL != web {
			t.Errorf("got %s and %s, want %s and %s", m.Unsubscribe, m.UnsubscribeURL, byMail, web)
		}
		text := strings.Join(strings.Fields(m.Text), " ")
		for _, want := range []string{"affects only the", "We will still send you license keys", "“" + subject + "”",
			"Stop these reminders: " + web, "Stop them by email: " + byMail} {
			if !strings.Contains(text, want) {
				t.Errorf("got no %q in\n%s", want, m.Text)
			}
		}
		for _, href := range []string{byMail, web} {
			if n := parseHTML(t, m.HTML).Find(`a[href="` + href + `"]`).Length(); n != 1 {
				t.Errorf("got the link %s %d times in the HTML, want 1", href, n)
			}
		}
		tt.Nonce = ""
		if m = tt.message(); m.UnsubscribeURL != "" || m.Unsubscribe != byMail ||
			strings.Contains(m.Text, "/reminders/stop") || !strings.Contains(m.Text, "To stop reminders for the") {
			t.Errorf("without a nonce: got %s and\n%s", m.UnsubscribeURL, m.Text)
		}
	}
	for name, m := range messages() {
		stops := m.Kind == mail.LicenseExpiring
		if (m.Unsubscribe != "") != stops || (m.UnsubscribeURL != "") != stops ||
			strings.Contains(m.Text, "/reminders/stop") != stops {
			t.Errorf("%s: got %q and %q, want ways to unsubscribe of reminders alone", name, m.Unsubscribe,
				m.UnsubscribeURL)
		}
	}
}

func TestSalesReadOfWhatNobodyIsRemindedOf(t *testing.T) {
	l := testLicense()
	list := many(5)
	list[1].License.Successor = "renewed"
	list[2].License.Retired = true
	list[3].License.Expiration = l.Expiration.AddDays(-100)
	tt := stoppedBy(zoe, l.Expiration.AddDays(-31), list...)
	other := tt.on.Expiring[list[4].License.ID]
	other.Reminded = &it
	tt.on.Expiring[list[4].License.ID] = other
	m := tt.message()
	for i, of := range list {
		link := "https://licenses.example.com/console/licenses/" + of.License.ID + "\n"
		if named := strings.Contains(m.Text, string(of.License.Server)); named != (i == 0) ||
			strings.Contains(m.Text, link) != named {
			t.Errorf("license %d: named %v, want only the one that needs somebody\n%s", i, named, m.Text)
		}
	}
	for _, want := range []string{"Zoë Müller-O’Neill, zoe@example.org", "Expires in 31 days, on Fri 31 Aug 2018",
		"https://licenses.example.com/console/customers/C-7K3Q9F", "still receives license keys"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("got no %q in\n%s", want, m.Text)
		}
	}
	if want := "Zoë Müller-O’Neill unsubscribed from reminders for 1 license (Müller & Söhne GmbH)"; m.Subject != want {
		t.Errorf("got the subject %q, want %q", m.Subject, want)
	}
}
