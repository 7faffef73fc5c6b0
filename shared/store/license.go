package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// LicenseRecord is a license with what is kept beside it. The row of its next reminder carries all of it, and changes
// with it.
type LicenseRecord struct {
	License license.License `json:"license"`
	// Reminded is the newest reminder that was queued for License.Expiration; 0: none.
	Reminded reminder.Stage `json:"reminded,omitempty"`
	// NextReminder is the day of the next reminder; zero: none is due any more.
	NextReminder license.Date `json:"nextReminder,omitzero"`

	// Version is the version of the license as it was read; a change of it says which version it is a change of.
	Version int64 `json:"-"`
}

// LogValue implements slog.LogValuer.
func (r LicenseRecord) LogValue() slog.Value { return r.License.LogValue() }

// Summary is a license in a list.
type Summary struct {
	ID           string          `json:"id"`
	Type         license.Type    `json:"type"`
	Organization string          `json:"organization"`
	Server       license.Server  `json:"server"`
	Edition      license.Edition `json:"edition"`
	MaxLoc       int64           `json:"maxLoc"`
	Support      bool            `json:"support"`
	NotBefore    license.Date    `json:"notBefore,omitzero"`
	Expiration   license.Date    `json:"expiration"`
	Successor    string          `json:"successor,omitempty"`
	Revoked      time.Time       `json:"revoked,omitzero"`
}

func SummaryOf(l license.License) Summary {
	return Summary{
		l.ID, l.Type, l.Organization, l.Server, l.Edition, l.MaxLoc, l.Support, l.NotBefore, l.Expiration, l.Successor,
		l.Revoked,
	}
}

// LogValue implements slog.LogValuer.
func (s Summary) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("type", string(s.Type)),
		slog.String("edition", string(s.Edition)), slog.String("server", string(s.Server)),
		slog.String("expiration", s.Expiration.String()), slog.Bool("revoked", !s.Revoked.IsZero()))
}

// licenseEntity is a license as a changeset writes it.
type licenseEntity struct{ LicenseRecord }

func (e licenseEntity) Key() table.Key { return rowkey.License(e.License.ID) }
func (e licenseEntity) Row() table.Row {
	return entity.Encode(e.Key(), rowkey.TypeLicense, e.LicenseRecord)
}
func (e licenseEntity) Facts() any               { return e.License }
func (e licenseEntity) Counted() []entity.Addend { return counted(e.License) }

func (e licenseEntity) Index(version int64) (rows []table.Row) {
	l, name := e.License, rowkey.LicensePrefix+e.License.ID
	keys := []table.Key{rowkey.Expiry(l), {PK: rowkey.DatasetPK(l.Server), SK: name}}
	if l.Mirrors != "" {
		keys = append(keys, table.Key{PK: rowkey.DatasetPK(l.Mirrors), SK: rowkey.StagingPrefix + l.ID})
	}
	for _, w := range words(l.Organization) {
		keys = append(keys, rowkey.Word(w, name))
	}
	for _, contact := range l.Contacts {
		keys = append(keys, table.Key{PK: rowkey.EmailPK(contact.Email), SK: name})
	}
	summary := SummaryOf(l)
	for _, key := range keys {
		rows = append(rows, entity.Encode(key, rowkey.TypeIndex, summary))
	}
	if !e.NextReminder.IsZero() {
		rows = append(rows, dueRow(e.LicenseRecord, version))
	}
	return rows
}

// storedDue is a Due as it is stored.
type storedDue struct {
	LicenseRecord
	LicenseVersion int64 `json:"licenseVersion"` // of the license's own row
}

// dueRow is the row of the next reminder of a license whose own row has the version.
func dueRow(r LicenseRecord, version int64) table.Row {
	key := rowkey.Due(r.NextReminder, r.License.ID)
	row := entity.Encode(key, rowkey.TypeDue, storedDue{LicenseRecord: r, LicenseVersion: version})
	// Nobody looks at a reminder that a run missed by more than the policy's longest stage: see DueReminders.
	row.Expires = r.License.Expiration.AddMonths(1).End()
	return row
}

// schedule moves a license's next reminder to the day that the policy wants now.
func (c *changeset) schedule(r *LicenseRecord) {
	r.NextReminder, _ = reminder.Default.Next(r.License, license.DateOf(c.store.now()), r.Reminded)
}

// License reads a license; a NotFound fault if there is none.
func (s *Store) License(ctx context.Context, id string) (LicenseRecord, error) {
	var r LicenseRecord
	version, err := s.table.Get(ctx, rowkey.License(id), &r)
	if err != nil {
		return LicenseRecord{}, entity.Missing(err, "There is no license %s.", id)
	}
	r.Version = version
	return r, nil
}

// LicensesExpiring passes the licenses that expire in the month of the day to f, in the order of their days, until f
// fails.
func (s *Store) LicensesExpiring(ctx context.Context, in license.Date, f func(Summary) error) error {
	err := s.table.Each(ctx, table.Query{PK: rowkey.ExpiryPK(in), Limit: 1000}, func(row table.Row) error {
		l, err := entity.Decode[Summary](row)
		if err != nil {
			return err
		}
		return f(l)
	})
	if err != nil {
		return fmt.Errorf("store: licenses that expire in %s: %w", in.YearMonth(), err)
	}
	return nil
}

// LicensesPage is a page of the licenses of a month.
type LicensesPage struct {
	Licenses []Summary
	Next     string // where the next page begins; "" at the end
}

// LicensesOfMonth reads at most limit of the licenses that expire in the month of the day, in the order of their days,
// including those that were revoked or have a successor. after is LicensesPage.Next of the page before; "" begins.
func (s *Store) LicensesOfMonth(ctx context.Context, in license.Date, limit int, after string) (
	page LicensesPage, err error) {
	rows, next, err := s.table.First(ctx, table.Query{PK: rowkey.ExpiryPK(in), After: after}, limit)
	if err != nil {
		return LicensesPage{}, fmt.Errorf("store: licenses that expire in %s: %w", in.YearMonth(), err)
	}
	page.Next = next
	for _, row := range rows {
		l, err := entity.Decode[Summary](row)
		if err != nil {
			return LicensesPage{}, err
		}
		page.Licenses = append(page.Licenses, l)
	}
	return page, nil
}
