package site

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"marketplace/shared/license"
)

type licensesView struct {
	Month          string // "March 2027"
	Value          string // "2027-03"
	Before, Behind string // the addresses of the months around it
	Licenses       []licenseRow
	Begin, Next    string // the addresses of the first and the next page; "" where they are not needed
	Acts           bool   // who looks may issue a license
}

// licenses shows the licenses that expire in a month: that of the query, else the current one.
func (s *site) licenses(w http.ResponseWriter, r *http.Request) error {
	month, ok := parseMonth(r.URL.Query().Get("expires"))
	if !ok {
		month = s.today()
	}
	after := r.URL.Query().Get("after")
	if !isPlace(after) {
		after = ""
	}
	page, err := s.store.LicensesOfMonth(r.Context(), month, pageSize, after)
	if err != nil {
		return err
	}
	v := licensesView{
		Month: month.Start().Format("January 2006"), Value: month.YearMonth(), Licenses: s.licenseRows(page.Licenses),
		Before: monthAddress(month.AddMonths(-1), ""), Behind: monthAddress(month.AddMonths(1), ""),
		Acts: acts(r),
	}
	if after != "" {
		v.Begin = monthAddress(month, "")
	}
	if page.Next != "" {
		v.Next = monthAddress(month, page.Next)
	}
	return s.render(w, r, http.StatusOK, "licenses.html", inLicenses, "Licenses that expire in "+v.Month, v)
}

// parseMonth takes a month in the form YYYY-MM, and gives its first day.
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

// isPlace reports whether s can be a place in the licenses of a month: a day and the ID of a license.
func isPlace(s string) bool {
	day, id, ok := strings.Cut(s, "#")
	_, err := license.ParseDate(day)
	return ok && err == nil && license.ValidID(id)
}
