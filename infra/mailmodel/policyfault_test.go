package mailmodel

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/reminders/daily"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
)

// policyFaults are faults of the policy. They are broken into the daily run, into what it reads, or into what the
// store writes, and the oracle has to find each.
var policyFaults = map[string]mutation{
	"a license that was renewed is named": {mailer: sentThough(func(e *notice.Expiring) { e.License.Successor = "" })},
	"a license that was revoked is named": {mailer: sentThough(func(e *notice.Expiring) {
		e.License.Revoked = time.Time{}
	})},
	"a retired instance is named": {mailer: sentThough(func(e *notice.Expiring) { e.License.Retired = false })},
	"a license is named whose reminders are paused": {mailer: sentThough(func(e *notice.Expiring) {
		e.License.Mute = license.Mute{}
	})},
	"who has unsubscribed since is reminded":        {mailer: sentThough(func(e *notice.Expiring) { e.Unsubscribed = nil })},
	"a license is named that is another customer's": {mailer: sentThough(func(e *notice.Expiring) { e.Customer = "" })},
	"a pause of the reminders never ends": {daily: misreading(func(_ *world, r *store.LicenseRecord) {
		r.License.Mute.Until = license.Date{}
	})},
	"evaluations have the stages of production": {daily: misreading(func(_ *world, r *store.LicenseRecord) {
		r.License.Type = license.Production
	})},
	"what was sent is forgotten": {write: func(row *table.Row) {
		if row.Type == "license" || row.Type == "due" {
			edit(row, "reminded", nil)
		}
	}},
	"a stage is sent after its window": {daily: misreading(func(w *world, r *store.LicenseRecord) {
		if today := license.DateOf(w.now); today.After(r.License.Expiration) && today.DaysUntil(r.License.Expiration) > -20 {
			r.License.Expiration = today
		}
	})},
	"an earlier stage is sent instead of the newest": {daily: func(_ *world, p *process) daily.Store {
		return misread{Store: p.store, stage: func(s reminder.Stage) reminder.Stage {
			if s == reminder.MonthsBefore(1) {
				return reminder.MonthsBefore(2)
			}
			return s
		}}
	}},
	"a stage after the last day is sent though the instance is covered": {after: true, daily: planning(nil, func(row *table.Row) {
		if row.Type == "instance" {
			edit(row, "licenses", nil)
		}
	})},
	"stages are sent that nobody switched on": {daily: func(w *world, p *process) daily.Store {
		policy, _ := reminder.ParsePolicy("7d 0d 7d-after")
		return misread{Store: p.store, planner: delivery.New(store.New(w.rows, store.Options{
			Now: p.clock, Reminders: policy})).NewPlanner}
	}},
	"who unsubscribed is reminded": {daily: planning(func(q table.Query) bool {
		return strings.HasPrefix(q.PK, "UNSUBSCRIBED#")
	}, nil)},
	"the next contact is asked in the place of who unsubscribed": {daily: func(w *world, p *process) daily.Store {
		return planning(nil, func(row *table.Row) {
			if row.Type == "customer" {
				w.dropUnsubscribed(row)
			}
		})(w, p)
	}},
	"one digest has the licenses of several customers": {daily: func(w *world, p *process) daily.Store {
		return misread{Store: p.store, customer: w.firstCustomer()}
	}},
	"months are counted beyond their ends": {write: func(row *table.Row) {
		if !strings.HasPrefix(row.PK, "DUE#") {
			return
		}
		on, id, _ := strings.Cut(row.SK, "#")
		d, _ := license.ParseDate(on)
		if next := d.AddDays(1); next.Day == 1 && d.Day < 31 { // 31 Aug less two months is 1 Jul
			row.PK, row.SK = "DUE#"+next.YearMonth(), next.String()+"#"+id
			edit(row, "nextReminder", next.String())
		}
	}},
	"a license is reminded of that has only just begun": {write: func(row *table.Row) {
		if row.Type != "license" && row.Type != "due" {
			return
		}
		var r map[string]json.RawMessage
		if json.Unmarshal(row.Data, &r) != nil {
			return
		}
		of := table.Row{Data: r["license"]}
		edit(&of, "notBefore", "0001-01-01")
		edit(row, "license", json.RawMessage(of.Data))
	}},
}

// sentThough lets the mailer read something else about the licenses of a digest.
func sentThough(f func(*notice.Expiring)) func(*world, *process, *dispatch.Options) {
	return func(_ *world, _ *process, o *dispatch.Options) { o.Records = otherwise{o.Records, f} }
}

type otherwise struct {
	suppressions
	change func(*notice.Expiring)
}

func (o otherwise) Records(ctx context.Context, n notice.Notice) (notice.Records, error) {
	r, err := o.suppressions.Records(ctx, n)
	for id, of := range r.Expiring {
		o.change(&of)
		r.Expiring[id] = of
	}
	return r, err
}

func init() { maps.Copy(mutations, policyFaults) }

// misread is what the daily run calls, some of which it misreads.
type misread struct {
	daily.Store
	record   func(*store.LicenseRecord)
	stage    func(reminder.Stage) reminder.Stage
	planner  func() *delivery.Planner
	customer string
	read     *sync.Map // the licenses that were found due as they were, by ID
}

// misreading lets the daily run misread the licenses that are due.
func misreading(f func(*world, *store.LicenseRecord)) func(*world, *process) daily.Store {
	return func(w *world, p *process) daily.Store {
		return misread{Store: p.store, read: new(sync.Map), record: func(r *store.LicenseRecord) { f(w, r) }}
	}
}

// planning lets the daily run plan with rows that are not found, or misread.
func planning(missing func(table.Query) bool, change func(*table.Row)) func(*world, *process) daily.Store {
	return func(w *world, p *process) daily.Store {
		return misread{Store: p.store, planner: delivery.New(store.New(misreadTable{w.rows, missing, change},
			store.Options{Now: p.clock, Reminders: w.policy})).NewPlanner}
	}
}

func (m misread) NewPlanner() *delivery.Planner {
	if m.planner != nil {
		return m.planner()
	}
	return m.Store.NewPlanner()
}

func (m misread) DueReminders(ctx context.Context, through license.Date, f func(store.Due) error) error {
	return m.Store.DueReminders(ctx, through, func(d store.Due) error {
		if m.record != nil {
			m.read.Store(d.License.ID, d)
			m.record(&d.LicenseRecord)
		}
		return f(d)
	})
}

func (m misread) RecordReminder(ctx context.Context, d store.Due, do store.Reminding) error {
	if m.record != nil {
		was, _ := m.read.Load(d.License.ID)
		d = was.(store.Due)
	}
	if m.stage != nil {
		do.Stage = m.stage(do.Stage)
	}
	return m.Store.RecordReminder(ctx, d, do)
}

func (m misread) NewDigest(customer string, day license.Date, to license.Contact, ready time.Time,
	turn int) *outbox.Digest {
	if m.customer != "" {
		customer = m.customer
	}
	return m.Store.NewDigest(customer, day, to, ready, turn)
}

// misreadTable is a table some of whose rows are not found, or misread.
type misreadTable struct {
	table.Table
	missing func(table.Query) bool
	change  func(*table.Row)
}

func (t misreadTable) Get(ctx context.Context, key table.Key) (table.Row, error) {
	row, err := t.Table.Get(ctx, key)
	if err == nil && t.change != nil {
		t.change(&row)
	}
	return row, err
}

func (t misreadTable) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if t.missing != nil && t.missing(q) {
		return table.Page{}, nil
	}
	page, err := t.Table.Query(ctx, q)
	for i := range page.Rows {
		if t.change != nil {
			t.change(&page.Rows[i])
		}
	}
	return page, err
}

// edit changes a field of what a row says.
func edit(row *table.Row, field string, value any) {
	fields := map[string]any{}
	if json.Unmarshal(row.Data, &fields) != nil {
		return
	}
	if fields[field] = value; value == nil {
		delete(fields, field)
	}
	row.Data, _ = json.Marshal(fields)
}

// dropUnsubscribed takes the contacts off a customer who unsubscribed from any license.
func (w *world) dropUnsubscribed(row *table.Row) {
	var c struct {
		Contacts []map[string]any `json:"contacts"`
	}
	if json.Unmarshal(row.Data, &c) != nil {
		return
	}
	edit(row, "contacts", slices.DeleteFunc(c.Contacts, func(of map[string]any) bool {
		return slices.ContainsFunc(w.licenses, func(l *licensed) bool { return l.unsubscribed[of["email"].(string)] })
	}))
}

func (w *world) firstCustomer() string {
	if len(w.licenses) == 0 {
		return ""
	}
	return w.licenses[0].buyer().id()
}
