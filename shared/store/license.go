package store

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions on licenses.
const (
	LicenseRecorded Action = "license recorded"
	LicenseIssued   Action = "license issued"
	BridgeIssued    Action = "bridge key issued"
	LicenseReplaced Action = "license replaced"
	LicenseRevoked  Action = "license revoked"
	PackageTailored Action = "package tailored" // a custom package was made
	KeySentAgain    Action = "key sent again"
	RemindersMuted  Action = "reminders muted"
	RemindersOn     Action = "reminders resumed"
)

// OfLicense names a license that a line of a customer's timeline is about (Event.Of).
func OfLicense(id string) string { return "license/" + id }

// LicenseRecord is a license with what is kept beside it. The row of its next reminder carries all of it, and changes
// with it.
type LicenseRecord struct {
	License license.License `json:"license"`
	// Reminded is the day of the newest stage that was dealt with for License.Expiration; zero: none.
	Reminded license.Date `json:"reminded,omitzero"`
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
	Customer     string          `json:"customer"`
	Instance     string          `json:"instance"`
	Contract     string          `json:"contract,omitempty"`
	Organization string          `json:"organization"`
	Server       license.Server  `json:"server"`
	Edition      license.Edition `json:"edition"`
	MaxLoc       int64           `json:"maxLoc"`
	Support      bool            `json:"support"`
	NotBefore    license.Date    `json:"notBefore,omitzero"`
	Expiration   license.Date    `json:"expiration"`
	Successor    string          `json:"successor,omitempty"`
	Revoked      time.Time       `json:"revoked,omitzero"`
	ReplacedBy   string          `json:"replacedBy,omitempty"`
	Retired      bool            `json:"retired,omitempty"`
	Bridges      string          `json:"bridges,omitempty"`
}

func SummaryOf(l license.License) Summary {
	return Summary{
		ID: l.ID, Type: l.Type, Customer: l.Customer, Instance: l.Instance, Contract: l.Contract,
		Organization: l.Organization, Server: l.Server, Edition: l.Edition, MaxLoc: l.MaxLoc, Support: l.Support,
		NotBefore: l.NotBefore, Expiration: l.Expiration, Successor: l.Successor, Revoked: l.Revoked,
		ReplacedBy: l.ReplacedBy, Retired: l.Retired, Bridges: l.Bridges,
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

func (e licenseEntity) Key() table.Key      { return rowkey.License(e.License.ID) }
func (e licenseEntity) Timeline() table.Key { return rowkey.CustomerTimeline(e.License.Customer) }
func (e licenseEntity) Of() string          { return OfLicense(e.License.ID) }
func (e licenseEntity) Row() table.Row {
	return entity.Encode(e.Key(), rowkey.TypeLicense, e.LicenseRecord)
}
func (e licenseEntity) Facts() any { return e.License }

// Counted leaves out bridge keys, which are no licenses that anybody has.
func (e licenseEntity) Counted() []entity.Addend {
	if e.License.Bridges != "" {
		return nil
	}
	return counted(e.License)
}

// Index has the license in the month of its expiration, in a row that never changes, and its next reminder. A bridge
// key has neither.
func (e licenseEntity) Index(version int64) (rows []table.Row) {
	if e.License.Bridges != "" {
		return nil
	}
	rows = append(rows, entity.Encode(rowkey.Expiry(e.License), rowkey.TypeIndex, expiring{e.License.ID}))
	if !e.NextReminder.IsZero() {
		rows = append(rows, dueRow(e.LicenseRecord, version))
	}
	return rows
}

// expiring names a license in the month of its expiration.
type expiring struct {
	ID string `json:"id"`
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
	row.Expires = r.License.Expiration.AddMonths(1).End() // it is too late for all stages by then
	return row
}

// schedule moves a license's next reminder to the day that the policy wants now.
func (c *changeset) schedule(r *LicenseRecord) {
	if r.License.Bridges != "" {
		return
	}
	r.NextReminder, _ = c.store.policy.Next(r.License, license.DateOf(c.store.now()), r.Reminded)
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

// Licenses reads licenses, several at once, in the order of the IDs, without those that are not on record.
func (s *Store) Licenses(ctx context.Context, ids ...string) ([]LicenseRecord, error) {
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = rowkey.License(id)
	}
	list, versions, err := entity.GetAll[LicenseRecord](ctx, s.table, keys)
	if err != nil {
		return nil, fmt.Errorf("store: licenses: %w", err)
	}
	for i := range list {
		list[i].Version = versions[i]
	}
	return list, nil
}

// expiringAtOnce is how many licenses LicensesExpiring reads before it passes them on.
const expiringAtOnce = 500

// LicensesExpiring passes the licenses that expire in the month of the day to f, in the order of their days, until f
// fails.
func (s *Store) LicensesExpiring(ctx context.Context, in license.Date, f func(LicenseRecord) error) error {
	after := ""
	for {
		list, next, err := s.expiring(ctx, in, expiringAtOnce, after)
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := f(r); err != nil {
				return err
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

// expiring reads a page of the licenses that expire in the month of the day.
func (s *Store) expiring(ctx context.Context, in license.Date, limit int, after string) (
	list []LicenseRecord, next string, err error) {
	rows, next, err := s.table.First(ctx, table.Query{PK: rowkey.ExpiryPK(in), After: after}, limit)
	if err != nil {
		return nil, "", fmt.Errorf("store: licenses that expire in %s: %w", in.YearMonth(), err)
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		e, err := entity.Decode[expiring](row)
		if err != nil {
			return nil, "", err
		}
		ids[i] = e.ID
	}
	list, err = s.Licenses(ctx, ids...)
	return list, next, err
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
	list, next, err := s.expiring(ctx, in, limit, after)
	for _, r := range list {
		page.Licenses = append(page.Licenses, SummaryOf(r.License))
	}
	page.Next = next
	return page, err
}

// LicenseChange is what an operator does to a license that is on record.
type LicenseChange struct {
	ID      string
	Version int64  // of the license as the operator saw it
	By      string // the operator's email address
	// Except are addresses of contacts who are not told that it was revoked: they asked for it.
	Except []string
}

// RevokeLicense revokes a license, with the reason; the key in the customer's server does not change. It is a Conflict
// fault if somebody changed the license since it was seen, or revoked it.
func (s *Store) RevokeLicense(ctx context.Context, change LicenseChange, reason string) error {
	return entity.Retry(func() error {
		r, err := s.unchangedLicense(ctx, change)
		if err != nil {
			return err
		}
		c := s.begin()
		a, err := c.account(ctx, r.License.Customer)
		if err != nil {
			return err
		}
		i, err := a.instance(ctx, r.License.Instance)
		if err != nil {
			return err
		}
		i.licenses[change.ID] = &r
		err = c.changeLicense(ctx, i, change.ID, entity.Line{By: change.By, Action: LicenseRevoked, Note: reason},
			func(l *license.License) error {
				if !l.Revoked.IsZero() {
					return fault.New(fault.Conflict, "License %s is already revoked.", l.ID)
				}
				l.Revoked, l.RevokedReason = s.now(), reason
				return nil
			})
		if err == nil {
			err = c.release(ctx, i, change.ID)
		}
		if err == nil {
			err = c.revokeBridges(ctx, i, change.ID, entity.Line{By: change.By, Action: LicenseRevoked, Note: reason})
		}
		if err != nil {
			return err
		}
		c.queue(notice.LicenseRevoked(r.License, reason, change.By, change.Except...))
		return s.committed(c.Commit(ctx), change.ID)
	})
}

// MuteReminders stops the reminders of a license for a reason, through a day (UTC) or for good if that is zero.
func (s *Store) MuteReminders(ctx context.Context, change LicenseChange, reason string, until license.Date) error {
	m := license.Mute{By: change.By, At: s.now(), Reason: reason, Until: until}
	note := reason
	if !until.IsZero() {
		note = "until " + until.String() + ": " + reason
	}
	return s.changeLicenseAlone(ctx, change, RemindersMuted, note, func(l *license.License) { l.Mute = m })
}

// UnmuteReminders resumes the reminders of a license.
func (s *Store) UnmuteReminders(ctx context.Context, change LicenseChange) error {
	return s.changeLicenseAlone(ctx, change, RemindersOn, "", func(l *license.License) { l.Mute = license.Mute{} })
}

// AddPackage lists a custom package on a license. One that is listed already is not listed again, whatever the version.
// It is a Conflict fault if somebody changed the license since it was seen.
func (s *Store) AddPackage(ctx context.Context, change LicenseChange, file string) error {
	switch r, err := s.License(ctx, change.ID); {
	case err != nil:
		return err
	case slices.Contains(r.License.Packages, file):
		return nil
	}
	return s.changeLicenseAlone(ctx, change, PackageTailored, file, func(l *license.License) {
		l.Packages = append(slices.Clone(l.Packages), file)
	})
}

// changeLicenseAlone changes what only the license itself has on record, and says so on its own timeline.
func (s *Store) changeLicenseAlone(ctx context.Context, change LicenseChange, action Action, note string,
	f func(*license.License)) error {
	return entity.Retry(func() error {
		before, err := s.unchangedLicense(ctx, change)
		if err != nil {
			return err
		}
		c, after := s.begin(), before
		f(&after.License)
		c.schedule(&after)
		c.UpdateUnlogged(licenseEntity{before}, licenseEntity{after}, before.Version)
		c.Log(rowkey.License(change.ID), entity.Line{By: change.By, Action: action, Note: note,
			Customer: before.License.Customer})
		return s.committed(c.Commit(ctx), change.ID)
	})
}

// ReplaceLicense changes what a license says of a person who is erased, without a line on a timeline. It reads the
// license again while others change it.
func (s *Store) ReplaceLicense(ctx context.Context, id string, edit func(*LicenseRecord) error) error {
	return entity.Retry(func() error {
		before, err := s.License(ctx, id)
		if err != nil {
			return err
		}
		c, after := s.begin(), before
		if err := edit(&after); err != nil {
			return err
		}
		c.UpdateUnlogged(licenseEntity{before}, licenseEntity{after}, before.Version)
		return s.committed(c.Commit(ctx), id)
	})
}

// unchangedLicense reads a license that must have the version that an operator saw.
func (s *Store) unchangedLicense(ctx context.Context, change LicenseChange) (LicenseRecord, error) {
	r, err := s.License(ctx, change.ID)
	if err == nil && r.Version != change.Version {
		err = fault.New(fault.Conflict, "Someone else changed license %s first, "+
			"so your change was not saved. Reload the page and try again.", change.ID)
	}
	return r, err
}

func (s *Store) committed(err error, licenseID string) error {
	if err != nil {
		return fmt.Errorf("store: license %s: %w", licenseID, err)
	}
	return nil
}

// SendKeyAgain mails the license's key to a contact again; the timeline says to whom. nonce tells one sending
// from another: what was queued with the same one is not queued again. What a contact asks for is not on the license's
// own timeline, which the account's function may not write: LicenseTimeline reads both.
func (s *Store) SendKeyAgain(ctx context.Context, id, by string, to license.Contact, nonce string) error {
	r, err := s.License(ctx, id)
	if err != nil {
		return err
	}
	c := s.begin()
	n := notice.LicenseKeyAgain(r.License, to, nonce)
	c.queue(n)
	timeline := rowkey.License(id)
	if by == Customer {
		timeline = rowkey.Unsubscribed(id, to.Email)
	}
	c.Log(timeline, entity.Line{By: by, Action: KeySentAgain, Note: to.Email, Customer: r.License.Customer})
	c.Names(rowkey.License(id), "", to.Email) // it need not be a contact
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
		return fmt.Errorf("store: sending the key of license %s again: %w", id, err)
	}
	return nil
}
