package site

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// streams reports whether exports go out while they are written.
func (s *site) streams() bool { return s.exportLimit == 0 }

type exportView struct {
	Requests, Licenses exportForm
	Limited            bool // the host takes no more than so much at once
}

// exportForm asks for the months of an export, as their names in the form YYYY-MM.
type exportForm struct {
	From, To string
	Wrong    []string // why these were not exported
}

// months of an export, both with the months that their names say.
type months struct{ from, to license.Date }

// maxMonths is how many months an export can have.
const maxMonths = 240

func (s *site) exportForm(w http.ResponseWriter, r *http.Request) error {
	return s.showExports(w, r, http.StatusOK, s.exports())
}

// exports are what can be exported: at first the requests of the last year, and the licenses that expire from a year ago to
// three years ahead.
func (s *site) exports() exportView {
	today := s.today()
	return exportView{
		Requests: exportForm{From: today.AddMonths(-11).YearMonth(), To: today.YearMonth()},
		Licenses: exportForm{From: today.AddMonths(-12).YearMonth(), To: today.AddMonths(36).YearMonth()},
		Limited:  !s.streams(),
	}
}

func (s *site) showExports(w http.ResponseWriter, r *http.Request, status int, v exportView) error {
	title := "Export"
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.render(w, r, status, "export.html", inExport, title, v)
}

// exportAgain shows the form with the months that were refused, and why.
func (s *site) exportAgain(w http.ResponseWriter, r *http.Request, name string, refused error) error {
	problem := web.ProblemOf(refused)
	f := exportForm{From: r.URL.Query().Get("from"), To: r.URL.Query().Get("to"), Wrong: []string{problem.Detail}}
	if len(problem.Errors) > 0 {
		f.Wrong = nil
		for _, e := range problem.Errors {
			f.Wrong = append(f.Wrong, e.Msg)
		}
	}
	v := s.exports()
	if name == exportsRequests {
		v.Requests = f
	} else {
		v.Licenses = f
	}
	return s.showExports(w, r, problem.Status, v)
}

// readMonths reads the months of an export from its address.
func readMonths(q url.Values) (m months, err error) {
	var bad fault.Fields
	var ok bool
	if m.from, ok = parseMonth(q.Get("from")); !ok {
		bad.Add("from", "Name the first month in the form 2018-03.")
	}
	if m.to, ok = parseMonth(q.Get("to")); !ok {
		bad.Add("to", "Name the last month in the form 2018-03.")
	}
	if len(bad) == 0 && m.to.Before(m.from) {
		bad.Add("to", "The last month comes before the first.")
	}
	if len(bad) == 0 && m.from.AddMonths(maxMonths).Before(m.to) {
		bad.Add("to", "An export has at most %d months.", maxMonths)
	}
	return m, bad.Err("The export was not begun.")
}

// What is exported, as the files are named.
const (
	exportsRequests = "requests"
	exportsLicenses = "licenses"
)

// export answers with a table: its name, its header, and fill, which adds the rows of the months.
func (s *site) export(w http.ResponseWriter, r *http.Request, name string, header []string, fill func(context.Context, months, *sheet) error) error {
	m, err := readMonths(r.URL.Query())
	if err != nil {
		return s.exportAgain(w, r, name, err)
	}
	begin := func() {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+"-"+m.from.YearMonth()+"-"+m.to.YearMonth()+`.csv"`)
	}
	write := func(to io.Writer) error {
		t, err := newSheet(to, header...)
		if err != nil {
			return err
		}
		if err := fill(r.Context(), m, t); err != nil {
			return err
		}
		return t.end()
	}
	switch {
	case r.Method == http.MethodHead:
		begin()
		return nil
	case s.streams():
		begin()
		return write(w)
	}
	whole := &limited{left: s.exportLimit}
	if err := write(whole); fault.KindOf(err) == fault.TooLarge {
		return s.exportAgain(w, r, name, err)
	} else if err != nil {
		return err
	}
	begin()
	_, err = w.Write(whole.kept.Bytes())
	return err
}

var requestColumns = []string{
	"id", "state", "kind", "edition", "server_id", "dataset", "lines_of_code", "product_version", "company", "country", "name", "email",
	"phone", "contacts", "message", "replaces", "environment", "old_server", "created", "due", "closed", "reviewer", "question", "reason",
	"licenses",
}

// exportRequests answers with the requests that came in some months, oldest first.
func (s *site) exportRequests(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, exportsRequests, requestColumns, func(ctx context.Context, m months, t *sheet) error {
		end := license.Date{Year: m.to.Year, Month: m.to.Month, Day: 1}.AddMonths(1)
		for week := m.from; week.Before(end.AddDays(7)); week = week.AddDays(7) {
			err := s.store.RequestsFiledIn(ctx, week, func(r request.Request) error {
				if day := license.DateOf(r.Created); day.Before(m.from) || !day.Before(end) {
					return nil
				}
				return t.add(requestCells(r)...)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func requestCells(r request.Request) []string {
	return []string{
		r.ID, string(r.State), string(r.Kind), string(r.Edition), string(r.Server), r.Server.Dataset(), strconv.FormatInt(r.Loc, 10),
		r.ProductVersion, r.Company, r.Country, r.Name, r.Email, r.Phone, strings.Join(r.Contacts, " "), r.Message, r.Replaces,
		string(r.Environment), string(r.OldServer), stamp(r.Created), stamp(r.Due), stamp(r.Closed), r.Reviewer, r.Question, r.Reason,
		strings.Join(r.Licenses, " "),
	}
}

var licenseColumns = []string{
	"id", "type", "edition", "organization", "server_id", "dataset", "max_lines_of_code", "support", "not_before", "expiration", "contacts",
	"languages", "issued", "recorded", "request", "successor", "reminders_muted", "next_reminder", "revoked", "revoked_reason", "replaced_by",
}

// exportLicenses answers with the licenses that expire in some months, in the order of their expirations. Their keys stay
// here: an export goes from hand to hand.
func (s *site) exportLicenses(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, exportsLicenses, licenseColumns, func(ctx context.Context, m months, t *sheet) error {
		for month := m.from; !m.to.Before(month); month = month.AddMonths(1) {
			err := s.store.LicensesExpiring(ctx, month, func(st store.Summary) error {
				recorded, err := s.store.License(ctx, st.ID)
				if err != nil {
					return err
				}
				return t.add(licenseCells(recorded)...)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func licenseCells(r store.LicenseRecord) []string {
	l := r.License
	contacts := make([]string, len(l.Contacts))
	for i, c := range l.Contacts {
		contacts[i] = c.Email
	}
	return []string{
		l.ID, string(l.Type), string(l.Edition), l.Organization, string(l.Server), l.Server.Dataset(), strconv.FormatInt(l.MaxLoc, 10),
		strconv.FormatBool(l.Support), l.NotBefore.String(), l.Expiration.String(), strings.Join(contacts, " "), strings.Join(l.Languages, " "),
		l.Issued.String(), stamp(l.Recorded), l.Request, l.Successor, strconv.FormatBool(l.Muted), r.NextReminder.String(), stamp(l.Revoked),
		l.RevokedReason, l.ReplacedBy,
	}
}

// stamp is a time in a table: RFC 3339 in UTC, to the second; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
