package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/table"
)

// LicenseRecord is a license with what is kept beside it. Each change of one is a transaction that takes its reminder along
// (dueWrites), so that the row of the reminder never tells of an older license.
type LicenseRecord struct {
	License license.License `json:"license"`
	// Reminded is the newest reminder that was queued for License.Expiration; 0: none.
	Reminded reminder.Stage `json:"reminded,omitempty"`
	// NextReminder is the day of the row that waits among the reminders; zero: none waits.
	NextReminder license.Date `json:"nextReminder,omitzero"`

	// Version is the version of the license as it was read; a change of it says which version it is a change of.
	Version int64 `json:"-"`
}

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

func summaryOf(l license.License) Summary {
	return Summary{
		l.ID, l.Type, l.Organization, l.Server, l.Edition, l.MaxLoc, l.Support, l.NotBefore, l.Expiration, l.Successor, l.Revoked,
	}
}

// attempts is how often a change that somebody else's change got in the way of is decided anew.
const attempts = 20

// retryOnConflict makes a change by reading, deciding and writing, and does all of it anew as long as somebody else's change gets in
// the way.
func retryOnConflict(change func() error) (err error) {
	for range attempts {
		if err = change(); !errors.Is(err, table.ErrConflict) {
			return err
		}
	}
	return err
}

// AddLicense puts a license that was issued elsewhere on record, with its index rows and its next reminder. A license of
// the same dataset that it succeeds is told so and reminds no more (license.Succeeds); a license that succeeds it likewise
// stops its own.
//
// The ID decides: where a license with that ID is on record already, nothing changes and added is false; where that one
// has other terms, it is a Conflict fault.
func (s *Store) AddLicense(ctx context.Context, l license.License, by string) (added bool, err error) {
	err = retryOnConflict(func() (err error) {
		added, err = s.tryAddLicense(ctx, l, by)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: adding license %s: %w", l.ID, err)
	}
	return added, nil
}

func (s *Store) tryAddLicense(ctx context.Context, l license.License, by string) (added bool, err error) {
	if known, err := s.OnRecord(ctx, l); known || err != nil {
		return false, err
	}
	b := s.newBook(ctx)
	if err := b.add(l, by, LicenseRecorded, ""); err != nil {
		return false, err
	}
	writes, err := b.writes()
	if err != nil {
		return false, err
	}
	return true, s.table.Transact(ctx, writes...)
}

// OnRecord tells whether a license with the ID of l is on record; where that one has other terms, it is a Conflict fault.
func (s *Store) OnRecord(ctx context.Context, l license.License) (bool, error) {
	switch known, err := s.License(ctx, l.ID); {
	case err == nil:
		return true, sameTerms(known.License, l)
	case fault.KindOf(err) == fault.NotFound:
		return false, nil
	default:
		return false, err
	}
}

// sameTerms is a Conflict fault where a license that came on record earlier is not the one that is to be.
func sameTerms(known, l license.License) error {
	if known.Server != l.Server || known.Edition != l.Edition || known.Type != l.Type || known.Expiration != l.Expiration ||
		known.Organization != l.Organization || known.MaxLoc != l.MaxLoc || known.Support != l.Support ||
		!slices.Equal(known.Contacts, l.Contacts) {
		return fault.New(fault.Conflict, "The license %s is on record already, with other terms.", l.ID)
	}
	return nil
}

// License reads a license; a NotFound fault where there is none.
func (s *Store) License(ctx context.Context, id string) (LicenseRecord, error) {
	var r LicenseRecord
	version, err := s.get(ctx, licenseKey(id), &r)
	if err != nil {
		return LicenseRecord{}, notFound(err, "There is no license %s.", id)
	}
	r.Version = version
	return r, nil
}

// LicensesOfDataset reads every license of the server's dataset, in the order of their IDs.
func (s *Store) LicensesOfDataset(ctx context.Context, server license.Server) (found []LicenseRecord, err error) {
	q := table.Prefix(datasetPK(server), licensePrefix)
	err = table.All(ctx, s.table, q, func(row table.Row) error {
		r, err := s.License(ctx, row.SK[len(licensePrefix):])
		found = append(found, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: licenses of dataset %s: %w", server.Dataset(), err)
	}
	return found, nil
}
