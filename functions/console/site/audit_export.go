package site

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/spreadsheet"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
)

var auditColumns = []string{
	"time", "change", "by", "action", "request", "license", "instance", "contract", "customer", "detail", "about",
}

// exportedMonths is how many months an export of the audit has that names no first day.
const exportedMonths = 12

// exportAudit exports what the filter selects, the newest first: a row for each line of a change.
func (s *site) exportAudit(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readAuditFilter(r)
	if err == nil {
		err = f.err()
	}
	if err != nil {
		return err
	}
	if f.To.IsZero() {
		f.To = s.today()
	}
	if f.From.IsZero() {
		f.From = f.To.AddMonths(-exportedMonths)
	}
	return s.writeExport(w, r, csvFile{
		name: "audit", file: "audit-" + f.From.String() + "-" + f.To.String() + ".csv", header: auditColumns,
		filter: f.words(),
		rows: func(ctx context.Context, t *spreadsheet.Writer) error {
			customers := referenced{store: s.store, known: map[string]string{}}
			return s.audit.Each(ctx, f.Query, func(e audit.Entry) error {
				for _, d := range e.Done {
					cells, err := customers.auditCells(ctx, e, d)
					if err == nil {
						err = t.Add(cells...)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
		refused: func(error) error {
			return fault.New(fault.TooLarge, "This export is too large to send at once. Choose fewer days.")
		},
	})
}

// referenced reads the references of customers once each.
type referenced struct {
	store Store
	known map[string]string
}

// of returns the references of customers; the IDs of those that are not on record.
func (c referenced) of(ctx context.Context, ids []string) (string, error) {
	var list []string
	for _, id := range ids {
		if _, ok := c.known[id]; !ok {
			read, err := c.store.CustomersByID(ctx, id)
			if err != nil {
				return "", err
			}
			c.known[id] = id
			if of, ok := read[id]; ok {
				c.known[id] = string(of.Reference)
			}
		}
		if !slices.Contains(list, c.known[id]) {
			list = append(list, c.known[id])
		}
	}
	return strings.Join(list, " "), nil
}

func (c referenced) auditCells(ctx context.Context, e audit.Entry, d audit.Done) ([]string, error) {
	by := e.By
	if d.By != "" {
		by = d.By
	}
	customers, err := c.of(ctx, d.Customers())
	of, _ := subjectsOfAudit(d)
	var instance, contract string
	if id, ok := strings.CutPrefix(d.Of, store.OfInstance("")); ok {
		instance = id
	}
	if id, ok := strings.CutPrefix(d.Of, store.OfContract("")); ok {
		contract = id
	}
	about := d.On
	if of != (store.Subject{}) {
		about = ""
	}
	return []string{
		stamp(e.At), e.ID, by, string(d.Action), of.Request, of.License, instance, contract, customers, d.Detail, about,
	}, err
}
