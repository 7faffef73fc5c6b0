package site

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/spreadsheet"
	"marketplace/shared/web/webtest"
)

// exported checks the format of an export and returns its rows, the header first.
func exported(a *webtest.Answer) [][]string {
	a.T.Helper()
	a.WantStatus(200)
	body, marked := strings.CutPrefix(a.Body, spreadsheet.ByteOrderMark)
	if !marked || !strings.HasSuffix(body, "\r\n") || strings.Contains(strings.ReplaceAll(body, "\r\n", ""), "\n") {
		a.T.Errorf("no byte order mark, or lines that do not end with CRLF: %q", a.Body)
	}
	if a.Header.Get("Content-Type") != "text/csv; charset=utf-8" ||
		!strings.HasPrefix(a.Header.Get("Content-Disposition"), `attachment; filename="`) {
		a.T.Errorf("headers %v", a.Header)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		a.T.Fatal(err)
	}
	return rows
}

// at returns the index of a column.
func at(header []string, name string) int { return slices.Index(header, name) }

func TestRequestsAreExportedByMonthReceived(t *testing.T) {
	w := newTestEnv(t)
	times := []string{"2018-01-31T23:59:59Z", "2018-02-01T00:00:00Z", "2018-02-14T12:00:00Z", "2018-03-31T23:59:59Z",
		"2018-04-01T00:00:00Z"}
	for _, at := range times {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		*w.now = when
		w.file(sampleDetails)
	}
	for query, want := range map[string][]string{
		"from=2018-02&to=2018-03": times[1:4], "from=2018-01&to=2018-01": times[:1],
		"from=2018-04&to=2018-04": times[4:], "from=2010-01&to=2017-12": nil,
		"from=2017-12&to=2018-12": times,
	} {
		rows := exported(w.get(sam, "/console/export/requests.csv?"+query))
		var got []string
		for _, row := range rows[1:] {
			got = append(got, row[at(rows[0], "created")])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	rows := exported(w.get(sam, "/console/export/requests.csv?from=2018-04&to=2018-04"))
	if got := rows[1][at(rows[0], "company")]; got != sampleDetails.Company || len(rows[1]) != len(requestColumns) {
		t.Errorf("company %q in %q", got, rows[1])
	}
}

func TestLicensesAreExportedByMonthOfExpiry(t *testing.T) {
	w := newTestEnv(t)
	for i, expiration := range []string{"2018-03-31", "2018-04-01", "2018-04-30", "2018-05-01"} {
		l := sampleLicense(fmt.Sprintf("l%d", i), day(expiration))
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		w.record(l)
	}
	rows := exported(w.get(sam, "/console/export/licenses.csv?from=2018-04&to=2018-04"))
	if len(rows) != 3 || rows[1][0] != "l1" || rows[2][0] != "l2" || len(rows[1]) != len(licenseColumns) {
		t.Errorf("%q", rows)
	}
	if got := rows[1][at(rows[0], "contacts")]; got != "jane.doe@customer.example john@customer.example" {
		t.Errorf("contacts %q", got)
	}
	if strings.Contains(strings.Join(rows[1], " "), "Rm9ybWF0PTEK") {
		t.Error("the key is exported")
	}
}

func TestExportedCellsAreNotFormulas(t *testing.T) {
	w := newTestEnv(t)
	d := sampleDetails
	d.Company, d.Name, d.Message, d.Server, d.Phone = "=cmd|' /C calc'!A1", "@SUM(1)",
		"x\n=HYPERLINK(\"http://evil.example\")", "-WHW8w9JtzBzSrmf9GQX", "+41 22 555"
	w.file(d)
	rows := exported(w.get(sam, "/console/export/requests.csv?from=2018-03&to=2018-03"))
	for _, row := range rows[1:] {
		for _, cell := range row {
			if isFormula(cell) {
				t.Errorf("the cell %q", cell)
			}
		}
	}
}

// isFormula reports whether some program sees a formula in a cell, wherever it separates cells.
func isFormula(cell string) bool {
	separates := func(r rune) bool { return strings.ContainsRune(",;|\t\r\n", r) }
	return slices.ContainsFunc(strings.FieldsFunc(cell, separates), func(part string) bool {
		part = strings.TrimLeft(part, ` "`)
		return part != "" && strings.ContainsRune("=+-@", rune(part[0]))
	})
}

func TestExportRefusesInvalidMonths(t *testing.T) {
	w := newTestEnv(t)
	for _, query := range []string{"", "from=2018-01", "from=2018-1&to=2018-02", "from=2018-03&to=2018-02",
		"from=1900-01&to=2100-01", "from=%00&to=2018-01"} {
		for _, what := range []string{"requests", "licenses"} {
			a := w.get(sam, "/console/export/"+what+".csv?"+query).WantStatus(http.StatusUnprocessableEntity)
			form := a.Page().Find("main form[action$='/" + what + ".csv']")
			if webtest.Text(form.Find("[role=alert]")) == "" || a.Page().Find("[role=alert]").Length() != 1 ||
				a.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s: no error in the form: %s", query, a.Body)
			}
			if q, _ := url.ParseQuery(query); form.Find("[name=from]").AttrOr("value",
				"") != strings.ReplaceAll(q.Get("from"), "\x00", "\ufffd") {
				t.Errorf("%s: got form %q, want the submitted month", query, webtest.Text(form))
			}
		}
	}
}

func TestExportStreamsUnlessTheHostCannot(t *testing.T) {
	const n = 700
	limited := func(o *Options) { o.ExportLimit = 100 << 10 }
	for name, adjust := range map[string]func(*Options){"streamed": func(*Options) {}, "limited": limited} {
		w := newTestEnv(t, adjust)
		d := sampleDetails
		d.Message = strings.Repeat("A long message. ", 20)
		for range n {
			w.file(d)
		}
		server := httptest.NewServer(w.site)
		defer server.Close()
		req, err := http.NewRequest("GET", server.URL+"/console/export/requests.csv?from=2018-03&to=2018-03", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range w.gate.cookies[sam] {
			req.AddCookie(c)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if name == "limited" {
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %s", name, resp.Status)
			}
			page, err := goquery.NewDocumentFromReader(resp.Body)
			if err != nil || !strings.Contains(webtest.Text(page.Find("main [role=alert]")), "Choose fewer months") ||
				page.Find("[name=from][value='2018-03']").Length() != 1 {
				t.Errorf("%s: got no form with an error: %v", name, err)
			}
			continue
		}
		rows, err := csv.NewReader(resp.Body).ReadAll()
		if err != nil || len(rows) != n+1 || resp.ContentLength != -1 {
			t.Errorf("%s: %d rows, length %d, %v", name, len(rows), resp.ContentLength, err)
		}
	}
	w := newTestEnv(t, limited)
	w.file(sampleDetails)
	if rows := exported(w.get(sam, "/console/export/requests.csv?from=2018-03&to=2018-03")); len(rows) != 2 {
		t.Errorf("a small one has %d rows", len(rows))
	}
	if doc := w.get(sam, "/console/export").Page(); !strings.Contains(webtest.Text(doc.Find("main")),
		"choose fewer months") {
		t.Error("the page does not mention the limit")
	}
}

func TestExportAnswersHead(t *testing.T) {
	w := newTestEnv(t)
	w.file(sampleDetails)
	a := w.as(sam).Do("HEAD", "/console/export/requests.csv?from=2018-03&to=2018-03", "").WantStatus(200)
	if a.Body != "" || a.Header.Get("Content-Disposition") != `attachment; filename="requests-2018-03-2018-03.csv"` {
		t.Errorf("%q, %v", a.Body, a.Header)
	}
	if r := (request.Request{}); len(requestCells(r)) != len(requestColumns) {
		t.Error("columns and cells differ")
	}
}

func TestKeysAndExportsLeaveALineOfWhoTookThem(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-08-31")))
	w.get(sam, "/console/licenses/l1/key").WantStatus(200)
	w.get(sam, "/console/export/licenses.csv?from=2018-01&to=2018-12").WantStatus(200)
	w.get(vera, "/console/export/licenses.csv?from=2018-01&to=2018-12").WantStatus(403)
	by := strings.ReplaceAll(emails[sam], "@", " at ")
	for _, want := range []string{
		`"msg":"license key downloaded","by":"` + by + `","license":"l1"`,
		`"msg":"export","by":"` + by + `","table":"licenses","from":"2018-01","to":"2018-12"`,
	} {
		if strings.Count(w.log.String(), want) != 1 {
			t.Errorf("got the log\n%s\nwant one %s", w.log, want)
		}
	}
}
