package site

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"marketplace/shared/license"
)

type licensesView struct {
	Month                    string // "March 2027"
	Value                    string // "2027-03"
	PreviousMonth, NextMonth string // addresses
	Licenses                 []licenseRow
	FirstPage, NextPage      string // addresses of the first and the next page; "" if not needed
	CanEdit                  bool   // the viewer may issue a license
}

// licenses shows the licenses that expire in the month of the query, by default the current one.
func (s *site) licenses(w http.ResponseWriter, r *http.Request) error {
	month, ok := parseMonth(r.URL.Query().Get("expires"))
	if !ok {
		month = s.today()
	}
	after := r.URL.Query().Get("after")
	if !isCursorOfMonth(after) {
		after = ""
	}
	page, err := s.store.LicensesOfMonth(r.Context(), month, pageSize, after)
	if err != nil {
		return err
	}
	v := licensesView{
		Month: month.Start().Format("January 2006"), Value: month.YearMonth(), Licenses: s.licenseRows(page.Licenses),
		PreviousMonth: monthAddress(month.AddMonths(-1), ""), NextMonth: monthAddress(month.AddMonths(1), ""),
		CanEdit: canEdit(r),
	}
	if after != "" {
		v.FirstPage = monthAddress(month, "")
	}
	if page.Next != "" {
		v.NextPage = monthAddress(month, page.Next)
	}
	return s.render(w, r, http.StatusOK, "licenses.html", inLicenses, "Licenses expiring in "+v.Month, v)
}

// parseMonth reads a month in the form YYYY-MM and returns its first day.
func parseMonth(s string) (license.Date, bool) {
	t, err := time.Parse("2006-01", s)
	return license.DateOf(t), err == nil
}

func monthAddress(d license.Date, after string) string {
	q := url.Values{"expires": {d.YearMonth()}}
	if after != "" {
		q.Set("after", after)
	}
	return "/console/licenses?" + q.Encode()
}

// isCursorOfMonth reports whether s has the form of a cursor in a month: a day and the ID of a license.
func isCursorOfMonth(s string) bool {
	day, id, ok := strings.Cut(s, "#")
	_, err := license.ParseDate(day)
	return ok && err == nil && license.ValidID(id)
}
