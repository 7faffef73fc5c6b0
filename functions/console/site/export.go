package site

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/spreadsheet"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// streams reports whether exports are sent while they are written.
func (s *site) streams() bool { return s.exportLimit == 0 }

type exportView struct {
	Requests, Licenses exportForm
	Limited            bool // the host limits the size of an export
}

// exportForm asks for the first and last month of an export, in the form YYYY-MM.
type exportForm struct {
	From, To string
	Errors   []string // why the export was refused
}

// months are the months of an export, both included.
type months struct{ from, to license.Date }

// maxMonths is the largest number of months in an export.
const maxMonths = 240

func (s *site) exportForm(w http.ResponseWriter, r *http.Request) error {
	return s.showExports(w, r, http.StatusOK, s.exports())
}

// exports returns the forms with their defaults: the requests of the last year, and the licenses that expire from a
// year ago to three years ahead.
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

// showExportError shows the form with the months that were refused, and why.
func (s *site) showExportError(w http.ResponseWriter, r *http.Request, name string, refused error) error {
	problem := web.ProblemOf(refused)
	f := exportForm{From: r.URL.Query().Get("from"), To: r.URL.Query().Get("to"), Errors: []string{problem.Detail}}
	if len(problem.Errors) > 0 {
		f.Errors = nil
		for _, e := range problem.Errors {
			f.Errors = append(f.Errors, e.Msg)
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
		bad.Add("from", "Enter the month to start from, for example 2018-03.")
	}
	if m.to, ok = parseMonth(q.Get("to")); !ok {
		bad.Add("to", "Enter the month to end with, for example 2018-03.")
	}
	if len(bad) == 0 && m.to.Before(m.from) {
		bad.Add("to", "“Through” must be the same month as “From” or later.")
	}
	if len(bad) == 0 && m.from.AddMonths(maxMonths).Before(m.to) {
		bad.Add("to", "Choose at most %d months.", maxMonths)
	}
	return m, bad.Err("Nothing was exported. Correct the months and try again.")
}

// Names of the exports and of their files.
const (
	exportsRequests = "requests"
	exportsLicenses = "licenses"
)

// rowWriter writes the rows of the months of an export.
type rowWriter func(context.Context, months, *spreadsheet.Writer) error

// export answers with a table of a name and a header.
func (s *site) export(w http.ResponseWriter, r *http.Request, name string, header []string, rows rowWriter) error {
	m, err := readMonths(r.URL.Query())
	if err != nil {
		return s.showExportError(w, r, name, err)
	}
	return s.writeExport(w, r, csvFile{
		name: name, file: name + "-" + m.from.YearMonth() + "-" + m.to.YearMonth() + ".csv", header: header,
		rows:    func(ctx context.Context, t *spreadsheet.Writer) error { return rows(ctx, m, t) },
		filter:  m.from.YearMonth() + " to " + m.to.YearMonth(),
		about:   []slog.Attr{slog.String("from", m.from.YearMonth()), slog.String("to", m.to.YearMonth())},
		refused: func(err error) error { return s.showExportError(w, r, name, err) },
	})
}

// csvFile is a table that somebody exports.
type csvFile struct {
	name   string // as the log and the audit name it
	filter string // as the audit has it; it names nobody but colleagues
	file   string
	header []string
	rows   func(context.Context, *spreadsheet.Writer) error
	about  []slog.Attr // of the log
	// refused answers, or returns the fault, where the table is too large to send at once.
	refused func(error) error
}

// writeExport answers with a table, once the audit has who exports it.
func (s *site) writeExport(w http.ResponseWriter, r *http.Request, e csvFile) error {
	begin := func() {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+e.file+`"`)
	}
	record := func() error {
		s.logBy(r, "export", append([]slog.Attr{slog.String("table", e.name)}, e.about...)...)
		return s.audit.RecordExport(r.Context(), operator(r), e.name, e.filter)
	}
	write := func(to io.Writer) error {
		t := spreadsheet.NewWriter(to, e.header...)
		if err := e.rows(r.Context(), t); err != nil {
			return err
		}
		return t.Flush()
	}
	switch {
	case r.Method == http.MethodHead:
		begin()
		return nil
	case s.streams():
		if err := record(); err != nil {
			return err
		}
		begin()
		return write(w)
	}
	whole := &limitedBuffer{left: s.exportLimit}
	if err := write(whole); fault.KindOf(err) == fault.TooLarge {
		return e.refused(err)
	} else if err != nil {
		return err
	}
	if err := record(); err != nil {
		return err
	}
	begin()
	_, err := w.Write(whole.kept.Bytes())
	return err
}

var requestColumns = []string{
	"id", "state", "kind", "edition", "server_id", "dataset", "lines_of_code", "product_version", "company", "country",
	"name", "email",
	"phone", "contacts", "message", "replaces", "environment", "old_server", "created", "due", "closed", "reviewer",
	"question", "reason",
	"licenses", "customer", "instance",
}

// exportRequests exports the requests that we received in some months, oldest first.
func (s *site) exportRequests(w http.ResponseWriter, r *http.Request) error {
	write := func(ctx context.Context, m months, t *spreadsheet.Writer) error {
		end := license.Date{Year: m.to.Year, Month: m.to.Month, Day: 1}.AddMonths(1)
		for week := m.from; week.Before(end.AddDays(7)); week = week.AddDays(7) {
			err := s.store.RequestsFiledIn(ctx, week, func(r request.Request) error {
				if day := license.DateOf(r.Created); day.Before(m.from) || !day.Before(end) {
					return nil
				}
				return t.Add(requestCells(r)...)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return s.export(w, r, exportsRequests, requestColumns, write)
}

// linesCell writes lines of code as a number; "" if they are unknown.
func linesCell(lines int64) string {
	if lines == 0 {
		return ""
	}
	return strconv.FormatInt(lines, 10)
}

func requestCells(r request.Request) []string {
	return []string{
		r.ID, string(r.State), string(r.Kind), string(r.Edition), string(r.Server), r.Server.Dataset(),
		linesCell(r.Loc),
		r.ProductVersion, r.Company, r.Country, r.Name, r.Email, r.Phone, strings.Join(r.Contacts, " "), r.Message,
		r.Replaces,
		string(r.Environment), string(r.OldServer), stamp(r.Created), stamp(r.Due), stamp(r.Closed), r.Reviewer,
		r.Question, r.Reason,
		strings.Join(r.Licenses, " "), r.Customer, r.Instance,
	}
}

var licenseColumns = []string{
	"id", "type", "edition", "organization", "server_id", "dataset", "max_lines_of_code", "support", "not_before",
	"expiration", "contacts",
	"languages", "issued", "recorded", "request", "successor", "reminders_muted", "next_reminder", "revoked",
	"revoked_reason", "replaced_by", "customer", "customer_name", "contract", "instance", "environment",
	"mute_reason", "muted_until",
}

// exportLicenses exports the licenses that expire in some months, in the order of expiration. It leaves the keys out,
// because exports get passed around.
func (s *site) exportLicenses(w http.ResponseWriter, r *http.Request) error {
	write := func(ctx context.Context, m months, t *spreadsheet.Writer) error {
		customers := holders{store: s.store, now: s.now(), known: map[string]*customer.Account{}}
		for month := m.from; !m.to.Before(month); month = month.AddMonths(1) {
			err := s.store.LicensesExpiring(ctx, month, func(l store.LicenseRecord) error {
				of, err := customers.of(ctx, l.License)
				if err != nil {
					return err
				}
				return t.Add(licenseCells(l, of, s.now())...)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return s.export(w, r, exportsLicenses, licenseColumns, write)
}

// holders reads customers once each.
type holders struct {
	store Store
	now   time.Time
	known map[string]*customer.Account
}

// holder is what an export says of the customer of a license.
type holder struct {
	customer, name, contract, environment string
	contacts                              []string
}

func (h holders) of(ctx context.Context, l license.License) (of holder, err error) {
	a := h.known[l.Customer]
	if a == nil {
		if a, err = h.store.Account(ctx, l.Customer); err != nil {
			return of, err
		}
		h.known[l.Customer] = a
	}
	of.customer, of.name = string(a.Customer.Reference), a.Customer.Name
	if k := a.Contract(l.Contract); k != nil {
		of.contract = string(k.Reference)
	}
	if i := a.Instance(l.Instance); i != nil {
		of.environment = string(i.Environment)
	}
	for _, c := range customer.Readers(a.Keepers(l.Customer), customer.Renewals, l.Instance, h.now) {
		of.contacts = append(of.contacts, c.Email)
	}
	return of, nil
}

func licenseCells(r store.LicenseRecord, of holder, now time.Time) []string {
	l := r.License
	return []string{
		l.ID, string(l.Type), string(l.Edition), l.Organization, string(l.Server), l.Server.Dataset(),
		strconv.FormatInt(l.MaxLoc, 10),
		strconv.FormatBool(l.Support), l.NotBefore.String(), l.Expiration.String(), strings.Join(of.contacts, " "),
		strings.Join(l.Languages, " "),
		l.Issued.String(), stamp(l.Recorded), l.Request, l.Successor,
		strconv.FormatBool(l.Mute.On(license.DateOf(now))),
		r.NextReminder.String(), stamp(l.Revoked),
		l.RevokedReason, l.ReplacedBy, of.customer, of.name, of.contract, l.Instance, of.environment,
		l.Mute.Reason, l.Mute.Until.String(),
	}
}

// stamp writes a time: RFC 3339 in UTC, to the second; "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
