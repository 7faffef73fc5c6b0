package site

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/spreadsheet"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/web"
)

// The forecast says which reminders come to whom in the next days if nothing changes until then, by the function of the
// daily run: delivery.Planner.

const (
	remindersPath = "/console/reminders"
	daysForecast  = 90
	// dueOfWeek is how many licenses of a week the forecast reads at most.
	dueOfWeek = 3000
)

// lastForecast returns the last day of the forecast.
func (s *site) lastForecast() license.Date { return s.today().AddDays(daysForecast - 1) }

// reminders shows the forecast: of the day, the customer or the license that the address names, or else the number of
// reminders of each day.
func (s *site) reminders(w http.ResponseWriter, r *http.Request) error {
	of, err := s.readForecast(r)
	if err != nil {
		return err
	}
	switch {
	case !of.day.IsZero():
		return s.remindersOfDay(w, r, of)
	case of.customer != "" || of.license != "":
		return s.remindersOf(w, r, of)
	}
	return s.remindersByDay(w, r)
}

// forecastOf is what a forecast is of; the zero value: of all licenses.
type forecastOf struct {
	day      license.Date
	customer string // as the address names it
	license  string // an ID
}

// readForecast reads what a forecast is of.
func (s *site) readForecast(r *http.Request) (of forecastOf, err error) {
	q := r.URL.Query()
	of = forecastOf{customer: q.Get("customer"), license: strings.ToLower(q.Get("license"))}
	if text := q.Get("day"); text != "" {
		of.day, err = license.ParseDate(text)
		if err != nil || of.day.Before(s.today()) || of.day.After(s.lastForecast()) {
			return of, fault.Wrap(fault.NotFound, err, "The forecast covers the days from %s through %s.",
				s.today().Long(), s.lastForecast().Long())
		}
	}
	if of.license != "" && !license.ValidID(of.license) {
		return of, fault.New(fault.NotFound, "There is no license %s.", of.license)
	}
	return of, nil
}

// query returns the query of the address of a forecast.
func (of forecastOf) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"day": of.day.String(), "customer": of.customer, "license": of.license} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// forecastHead is what all pages of the forecast show.
type forecastHead struct {
	AsOf   time.Time
	Last   license.Date
	Hour   int    // of the daily run
	Export string // the address of the same as CSV; "" for who may not export
}

func (s *site) forecastHead(r *http.Request, of forecastOf) forecastHead {
	h := forecastHead{AsOf: s.now(), Last: s.lastForecast(), Hour: delivery.RunHour}
	if canEdit(r) {
		h.Export = remindersPath + ".csv"
		if query := of.query().Encode(); query != "" {
			h.Export += "?" + query
		}
	}
	return h
}

// remindersView is the number of reminders of each day.
type remindersView struct {
	forecastHead
	Total    string
	Weekdays []string // the first is today's
	Weeks    []forecastWeek
	ByWeek   chart
	More     bool // some weeks have more than were read
	MaxWeek  string
}

// forecastWeek is seven days of the forecast.
type forecastWeek struct {
	First license.Date
	Days  []forecastDay // fewer at the end
	Total int
}

// Missing returns as many elements as the row has days too few.
func (w forecastWeek) Missing() []struct{} { return make([]struct{}, 7-len(w.Days)) }

// forecastDay is a day of the forecast.
type forecastDay struct {
	license.Date
	Count int
	To    string // the address of its forecast
}

// Name returns the day with its weekday.
func (d forecastDay) Name() string { return longDay(d.Date) }

func longDay(d license.Date) string { return d.Start().Format("Mon 02 Jan 2006") }

// remindersByDay shows how many licenses the daily run of each day comes to.
func (s *site) remindersByDay(w http.ResponseWriter, r *http.Request) error {
	today, planner := s.today(), s.store.NewPlanner()
	counts := make([]int, daysForecast)
	complete, err := s.store.UpcomingDue(r.Context(), today, s.lastForecast(), dueOfWeek, func(l store.LicenseRecord) {
		for _, f := range planner.Upcoming(l, today, s.lastForecast()) {
			counts[today.DaysUntil(f.Day)]++
		}
	})
	if err != nil {
		return err
	}
	v := remindersView{forecastHead: s.forecastHead(r, forecastOf{}), More: !complete, MaxWeek: web.Number(dueOfWeek)}
	total := 0
	for i, n := range counts {
		d := forecastDay{Date: today.AddDays(i), Count: n}
		d.To = remindersPath + "?" + forecastOf{day: d.Date}.query().Encode()
		if i%7 == 0 {
			v.Weeks = append(v.Weeks, forecastWeek{First: d.Date})
		}
		if i < 7 {
			v.Weekdays = append(v.Weekdays, d.Start().Format("Mon"))
		}
		week := &v.Weeks[len(v.Weeks)-1]
		week.Days, week.Total, total = append(week.Days, d), week.Total+n, total+n
	}
	for i, week := range v.Weeks {
		label := ""
		if i%2 == 0 { // there is no room for more
			label = week.First.Start().Format("02 Jan")
		}
		v.ByWeek.add(label, week.Total)
	}
	v.Total = quantity(total, "reminder", "reminders")
	if v.More {
		v.Total = "more than " + v.Total
	}
	return s.render(w, r, http.StatusOK, "reminders.html", inReminder, "Reminders", v)
}

// forecastRow is a license in a list of the forecast.
type forecastRow struct {
	delivery.Forecast
	Environment string // of the instance; "" if it is not known
}

// When says when the reminder is due, relative to the expiration.
func (f forecastRow) When() string { return f.Stage.Name() }

// DayName returns the day with its weekday.
func (f forecastRow) DayName() string { return longDay(f.Day) }

// forecastLetter is what one email has of a list, or a license of which nobody is reminded.
type forecastLetter struct {
	To   string // who is reminded; "" for nobody
	Rows []forecastRow
}

// forecastView lists the reminders of a day, a customer or a license.
type forecastView struct {
	forecastHead
	Title     string
	Heading   string       // what the title says before the customer or license
	Day       license.Date // of the list; zero: 90 days
	Previous  string       // addresses of the days around; "" for none
	Following string
	Of        mention // the customer or license
	Letters   []forecastLetter
	Count     string
	More      bool // some weeks have more than were read
	FirstPage string
	NextPage  string
}

// remindersOfDay shows whom the daily run of a day reminds of which licenses. Licenses of one email stand together.
func (s *site) remindersOfDay(w http.ResponseWriter, r *http.Request, of forecastOf) error {
	planner, today := s.store.NewPlanner(), s.today()
	var list []delivery.Forecast
	complete, err := s.store.UpcomingDue(r.Context(), today, of.day, dueOfWeek, func(l store.LicenseRecord) {
		for _, f := range planner.Upcoming(l, today, of.day) {
			if f.Day == of.day {
				list = append(list, f)
			}
		}
	})
	if err != nil {
		return err
	}
	slices.SortFunc(list, delivery.CompareLicenses)
	v := forecastView{
		forecastHead: s.forecastHead(r, of), Day: of.day, More: !complete,
		Title: "Reminders on " + longDay(of.day), Count: quantity(len(list), "license", "licenses"),
	}
	if before := of.day.AddDays(-1); !before.Before(today) {
		v.Previous = remindersPath + "?" + forecastOf{day: before}.query().Encode()
	}
	if after := of.day.AddDays(1); !after.After(s.lastForecast()) {
		v.Following = remindersPath + "?" + forecastOf{day: after}.query().Encode()
	}
	return s.showForecast(w, r, of, planner, list, v)
}

// remindersOf shows the reminders of a customer or a license in the days of the forecast, and why others will not come.
func (s *site) remindersOf(w http.ResponseWriter, r *http.Request, of forecastOf) error {
	planner := s.store.NewPlanner()
	records, named, err := s.licensesOf(r.Context(), of, planner)
	if err != nil {
		return err
	}
	var list []delivery.Forecast
	for _, l := range records {
		list = append(list, planner.UpcomingAndSilent(l, s.today(), s.lastForecast())...)
	}
	slices.SortFunc(list, func(a, b delivery.Forecast) int {
		return cmp.Or(a.Day.Start().Compare(b.Day.Start()), delivery.CompareLicenses(a, b))
	})
	heading := "Reminders for"
	if of.license != "" {
		heading = "Reminders about"
	}
	v := forecastView{
		forecastHead: s.forecastHead(r, of), Title: heading + " " + named.Text, Heading: heading, Of: named,
		Count: quantity(len(list), "reminder", "reminders"),
	}
	return s.showForecast(w, r, of, planner, list, v)
}

// licensesOf reads the license that a forecast is of, or those of its customer that have a reminder in its days. named
// is how to call it.
func (s *site) licensesOf(ctx context.Context, of forecastOf, planner *delivery.Planner) (
	list []store.LicenseRecord, named mention, err error) {
	if of.license != "" {
		l, err := s.store.License(ctx, of.license)
		if err != nil {
			return nil, named, err
		}
		named = linkTo(licenseOf(of.license))
		named.Text = l.License.Organization + ", " + shortServer(l.License.Server)
		return []store.LicenseRecord{l}, named, nil
	}
	id, _, err := s.customerNamed(ctx, of.customer)
	if err != nil {
		return nil, named, err
	}
	account, err := s.store.Account(ctx, id)
	if err != nil {
		return nil, named, err
	}
	planner.Know(account)
	list, err = s.store.Licenses(ctx, s.soonReminded(account)...)
	return list, mention{account.Customer.Name, customerPath(account.Customer.Reference)}, err
}

// soonReminded returns the licenses of an account that have a stage in the days of the forecast, whatever silences it.
func (s *site) soonReminded(a *customer.Account) (ids []string) {
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			as := license.License{Type: l.Type, NotBefore: l.NotBefore, Expiration: l.Expiration}
			if len(s.store.Policy().Upcoming(as, s.today(), s.lastForecast(), license.Date{})) > 0 {
				ids = append(ids, l.ID)
			}
		}
	}
	return ids
}

// showForecast shows the page of a list that the address names.
func (s *site) showForecast(w http.ResponseWriter, r *http.Request, of forecastOf, planner *delivery.Planner,
	list []delivery.Forecast, v forecastView) error {
	page := pageNumber(r)
	first := min((page-1)*pageSize, len(list))
	last := min(first+pageSize, len(list))
	rows, err := s.forecastRows(r.Context(), planner, list[first:last])
	if err != nil {
		return err
	}
	at := func(page int) string {
		q := of.query()
		if page > 1 {
			q.Set("page", strconv.Itoa(page))
		}
		return remindersPath + "?" + q.Encode()
	}
	if page > 1 {
		v.FirstPage = at(1)
	}
	if last < len(list) {
		v.NextPage = at(page + 1)
	}
	v.Letters = byLetter(rows)
	return s.render(w, r, http.StatusOK, "forecast.html", inReminder, v.Title, v)
}

// forecastRows plans the forecasts of a list, and reads where their licenses are used. All reads are made at once.
func (s *site) forecastRows(ctx context.Context, planner *delivery.Planner, list []delivery.Forecast) (
	rows []forecastRow, err error) {
	rows = make([]forecastRow, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return planner.PlanAll(ctx, list) })
	for i := range list {
		of := list[i].License // PlanAll writes the plans meanwhile
		g.Go(func() error {
			instance, err := s.store.InstanceOf(ctx, of)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
			rows[i].Environment = environmentName(cmp.Or(instance.Environment, environmentOf(of.Type)))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, f := range list {
		rows[i].Forecast = f
	}
	return rows, nil
}

// environmentOf returns what a license of a type is used for.
func environmentOf(t license.Type) request.Environment {
	if t == license.Staging {
		return request.StagingUse
	}
	return request.ProductionUse
}

// byLetter puts together what one email has of a list.
func byLetter(rows []forecastRow) (letters []forecastLetter) {
	for _, row := range rows {
		i := slices.IndexFunc(letters, func(l forecastLetter) bool {
			return l.Rows[0].Day == row.Day && l.Rows[0].Plan.SameLetter(row.Plan)
		})
		if i >= 0 {
			letters[i].Rows = append(letters[i].Rows, row)
			continue
		}
		l := forecastLetter{Rows: []forecastRow{row}}
		if row.Plan.To != nil {
			l.To = contactText(*row.Plan.To)
		}
		letters = append(letters, l)
	}
	return letters
}

var forecastColumns = []string{
	"day", "stage", "license", "type", "organization", "customer", "instance", "server_id", "expiration", "recipient",
	"not_sent_because", "next_key_due", "as_of",
}

// exportReminders exports the forecast that the address names. The licenses are in the order of their next reminders,
// each with all its reminders of the days.
func (s *site) exportReminders(w http.ResponseWriter, r *http.Request) error {
	of, err := s.readForecast(r)
	if err != nil {
		return err
	}
	cut := s.now()
	file, filter := "reminders", ""
	for _, part := range []string{of.day.String(), of.customer, of.license} {
		if part != "" {
			file, filter = file+"-"+part, strings.TrimPrefix(filter+", "+part, ", ")
		}
	}
	if file += "-as-of-" + cut.Format("2006-01-02T1504Z") + ".csv"; !isFileName(file) {
		return fault.New(fault.NotFound, "There is no customer with this reference.")
	}
	return s.writeExport(w, r, csvFile{name: "reminders", file: file, filter: filter, header: forecastColumns,
		rows: func(ctx context.Context, t *spreadsheet.Writer) error { return s.writeForecast(ctx, of, stamp(cut), t) },
		refused: func(err error) error {
			return fault.New(fault.TooLarge, "%s", "This forecast is too large to send at once. Export it day by day.")
		},
	})
}

// isFileName reports whether a text can be in a header as the name of a file.
func isFileName(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.')
	}) < 0
}

// writeForecast writes the rows of a forecast as of a time.
func (s *site) writeForecast(ctx context.Context, of forecastOf, asOf string, t *spreadsheet.Writer) error {
	batch := forecastBatch{planner: s.store.NewPlanner(), csv: t, asOf: asOf}
	today, last := s.today(), s.lastForecast()
	if of.customer != "" || of.license != "" {
		records, _, err := s.licensesOf(ctx, of, batch.planner)
		if err != nil {
			return err
		}
		for _, l := range records {
			if err := batch.add(ctx, batch.planner.UpcomingAndSilent(l, today, last)...); err != nil {
				return err
			}
		}
		return batch.write(ctx)
	}
	if !of.day.IsZero() {
		last = of.day
	}
	err := s.store.RemindersDue(ctx, s.store.Policy().Oldest(today), last, func(d store.Due) error {
		for _, f := range batch.planner.Upcoming(d.LicenseRecord, today, last) {
			if !of.day.IsZero() && f.Day != of.day {
				continue
			}
			if err := batch.add(ctx, f); err != nil {
				return err
			}
		}
		return nil
	})
	return cmp.Or(err, batch.write(ctx))
}

// forecastBatch plans several forecasts at once and writes them in order.
type forecastBatch struct {
	planner *delivery.Planner
	csv     *spreadsheet.Writer
	asOf    string // the time in every row
	list    []delivery.Forecast
}

// maxBatch is how many forecasts are planned before they are written.
const maxBatch = 200

func (b *forecastBatch) add(ctx context.Context, list ...delivery.Forecast) error {
	b.list = append(b.list, list...)
	if len(b.list) < maxBatch {
		return nil
	}
	return b.write(ctx)
}

func (b *forecastBatch) write(ctx context.Context) error {
	if err := b.planner.PlanAll(ctx, b.list); err != nil {
		return err
	}
	for _, f := range b.list {
		if err := b.csv.Add(forecastCells(f, b.asOf)...); err != nil {
			return err
		}
	}
	b.list = b.list[:0]
	return nil
}

func forecastCells(f delivery.Forecast, asOf string) []string {
	l, recipient := f.License, ""
	if f.Plan.To != nil {
		recipient = f.Plan.To.Email
	}
	return []string{
		f.Day.String(), f.Stage.String(), l.ID, string(l.Type), l.Organization, cmp.Or(f.Plan.Customer, l.Customer),
		l.Instance, string(l.Server), l.Expiration.String(), recipient, f.Plan.Why, strconv.FormatBool(f.Plan.NextKey),
		asOf,
	}
}
