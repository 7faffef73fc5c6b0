package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/table"
)

// Recorded is a license with what is kept beside it. Each change of one is a transaction that takes its reminder along
// (dueWrites), so that the row of the reminder never tells of an older license.
type Recorded struct {
	License license.License `json:"license"`
	// Reminded is the newest reminder that was queued for License.Expiration; 0: none.
	Reminded reminder.Stage `json:"reminded,omitempty"`
	// NextReminder is the day of the row that waits among the reminders; zero: none waits.
	NextReminder license.Date `json:"nextReminder,omitzero"`

	version int64
}

// attempts is how often a change that somebody else's change got in the way of is decided anew.
const attempts = 20

// AddLicense puts a license on record, with its index rows and its next reminder. A license of the same dataset that it
// succeeds is told so and reminds no more (license.Succeeds); a license that succeeds it likewise stops its own.
//
// The ID decides: where a license with that ID is on record already, nothing changes and added is false; where that one
// has other terms, it is a Conflict fault.
func (s *Store) AddLicense(ctx context.Context, l license.License, by string) (added bool, err error) {
	for range attempts {
		added, err = s.tryAddLicense(ctx, l, by)
		if !errors.Is(err, table.ErrConflict) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("store: adding license %s: %w", l.ID, err)
	}
	return added, nil
}

func (s *Store) tryAddLicense(ctx context.Context, l license.License, by string) (added bool, err error) {
	switch known, err := s.License(ctx, l.ID); {
	case err == nil:
		return false, sameTerms(known.License, l)
	case fault.KindOf(err) != fault.NotFound:
		return false, err
	}
	// The guard makes two licenses that come on record for one dataset at once see each other.
	guard, err := s.table.Get(ctx, datasetGuardKey(l.Server))
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return false, err
	}
	kin, err := s.LicensesOfDataset(ctx, l.Server)
	if err != nil {
		return false, err
	}

	l.Recorded = s.now()
	writes := []table.Write{
		table.Update(at(encode(datasetGuardKey(l.Server), rowDataset, struct{}{}), guard.Version)),
	}
	for _, other := range kin {
		switch {
		case l.Succeeds(other.License):
			writes = append(writes, s.successorWrites(other, l.ID)...)
		case other.License.Succeeds(l):
			l.Successor = other.License.ID
		}
	}
	writes = append(writes, s.eventWrite(licenseKey(l.ID), by, LicenseRecorded, ""))
	writes = append(writes, s.licenseWrites(Recorded{License: l})...)
	writes = append(writes, licenseIndexWrites(l)...)
	return true, s.table.Transact(ctx, writes...)
}

// sameTerms is a Conflict fault where a license that came on record earlier is not the one that is to be.
func sameTerms(known, l license.License) error {
	// These are what happened to the license since, not what it is.
	l.Recorded, l.Successor, l.Muted, l.Revoked = known.Recorded, known.Successor, known.Muted, known.Revoked
	if !reflect.DeepEqual(known, l) {
		return fault.New(fault.Conflict, "The license %s is on record already, with other terms.", l.ID)
	}
	return nil
}

// successorWrites note on a license which one follows it; with that it reminds no more.
func (s *Store) successorWrites(old Recorded, successor string) []table.Write {
	old.License.Successor = successor
	return append(s.licenseWrites(old),
		s.eventWrite(licenseKey(old.License.ID), System, LicenseFollowed, successor))
}

// licenseWrites write a license and move its reminder to where the policy now wants it.
func (s *Store) licenseWrites(r Recorded) []table.Write {
	was := r.NextReminder
	r.NextReminder, _ = reminder.Default.Next(r.License, license.DateOf(s.now()), r.Reminded)
	writes := []table.Write{table.Update(at(encode(licenseKey(r.License.ID), rowLicense, r), r.version))}
	r.version++
	return append(writes, dueWrites(was, r)...)
}

func licenseIndexWrites(l license.License) []table.Write {
	keys := []table.Key{
		expiryKey(l),
		{PK: datasetPK(l.Server), SK: licensePrefix + l.ID},
		{PK: companyPK(l.Organization), SK: licensePrefix + l.ID},
	}
	seen := map[string]bool{}
	for _, c := range l.Contacts {
		if pk := emailPK(c.Email); !seen[pk] {
			seen[pk] = true
			keys = append(keys, table.Key{PK: pk, SK: licensePrefix + l.ID})
		}
	}
	writes := make([]table.Write, len(keys))
	for i, key := range keys {
		writes[i] = table.Set(encode(key, rowIndex, licenseIndex{ID: l.ID}))
	}
	return writes
}

// licenseIndex is what the index rows of a license say of it.
type licenseIndex struct {
	ID string `json:"id"`
}

// License reads a license; a NotFound fault where there is none.
func (s *Store) License(ctx context.Context, id string) (Recorded, error) {
	var r Recorded
	version, err := s.get(ctx, licenseKey(id), &r)
	if err != nil {
		return Recorded{}, missing(err, "There is no license %s.", id)
	}
	r.version = version
	return r, nil
}

// LicensesOfDataset reads every license of the server's dataset, in the order of their IDs.
func (s *Store) LicensesOfDataset(ctx context.Context, server license.Server) (found []Recorded, err error) {
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
