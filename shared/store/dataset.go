package store

import (
	"context"
	"fmt"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Dataset is what is on record about the data of a server, whichever IDs the server had.
type Dataset struct {
	Licenses []LicenseRecord // in the order of their IDs
	Staging  []LicenseRecord // staging licenses of servers that mirror this one, in the order of their IDs
	// Version changes with each change of Licenses and each addition to Staging; for Issue.Datasets.
	Version int64
}

// Dataset reads what is on record about a server's dataset. What changes while it reads makes its Version an old one.
func (s *Store) Dataset(ctx context.Context, server license.Server) (d Dataset, err error) {
	if d.Version, err = s.table.Version(ctx, rowkey.DatasetGuard(server)); err != nil {
		return Dataset{}, fmt.Errorf("store: dataset %s: %w", server.Dataset(), err)
	}
	if d.Licenses, err = s.LicensesOfDataset(ctx, server); err != nil {
		return Dataset{}, err
	}
	if d.Staging, err = s.licensesIn(ctx, server, rowkey.StagingPrefix); err != nil {
		return Dataset{}, fmt.Errorf("store: staging licenses of dataset %s: %w", server.Dataset(), err)
	}
	return d, nil
}

// LicensesOfDataset reads every license of the server's dataset, in the order of their IDs.
func (s *Store) LicensesOfDataset(ctx context.Context, server license.Server) ([]LicenseRecord, error) {
	found, err := s.licensesIn(ctx, server, rowkey.LicensePrefix)
	if err != nil {
		return nil, fmt.Errorf("store: licenses of dataset %s: %w", server.Dataset(), err)
	}
	return found, nil
}

// licensesIn reads the licenses that the index rows of a dataset name whose sort keys begin with the prefix.
func (s *Store) licensesIn(ctx context.Context, of license.Server, prefix string) (found []LicenseRecord, err error) {
	err = s.table.Each(ctx, table.Prefix(rowkey.DatasetPK(of), prefix), func(row table.Row) error {
		r, err := s.License(ctx, row.SK[len(prefix):])
		found = append(found, r)
		return err
	})
	return found, err
}

// dataset is what a changeset knows of the licenses of one dataset: what it read, and changed since. Licenses of a
// dataset depend on each other, so a row guards each dataset that is read: of two changes that did not see each other,
// one fails with a conflict.
type dataset struct {
	version  int64 // of the guard
	licenses []*LicenseRecord
}

// open reads the dataset of a server, once.
func (c *changeset) open(ctx context.Context, server license.Server) (*dataset, error) {
	pk := rowkey.DatasetPK(server)
	if d := c.datasets[pk]; d != nil {
		return d, nil
	}
	guard := rowkey.DatasetGuard(server)
	version, err := c.store.table.Version(ctx, guard)
	if err != nil {
		return nil, err
	}
	known, err := c.store.LicensesOfDataset(ctx, server)
	if err != nil {
		return nil, err
	}
	d := &dataset{version: version}
	for _, r := range known {
		d.licenses = append(d.licenses, &r)
	}
	c.datasets[pk] = d
	c.Update(entity.Encode(guard, rowkey.TypeDataset, struct{}{}), version)
	return d, nil
}

// unchanged is a Conflict fault if a dataset has another version by now. The changeset cannot be committed once
// somebody else changes one of them.
func (c *changeset) unchanged(ctx context.Context, versions map[license.Server]int64) error {
	for server, version := range versions {
		d, err := c.open(ctx, server)
		if err != nil {
			return err
		}
		if d.version != version {
			return fault.New(fault.Conflict, "Someone else changed the licenses of server %s first, "+
				"so your change was not saved. Load them again and repeat your change.", server)
		}
	}
	return nil
}

// license reads a license that must still have the version, with its dataset. It is a Conflict fault if it changed.
func (c *changeset) license(ctx context.Context, id string, version int64) (*LicenseRecord, error) {
	r, err := c.store.License(ctx, id)
	if err != nil {
		return nil, err
	}
	d, err := c.open(ctx, r.License.Server)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.licenses, func(r *LicenseRecord) bool { return r.License.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("store: license %s is not in the index of its dataset", id)
	}
	if d.licenses[i].Version != version {
		return nil, fault.New(fault.Conflict, "Someone else changed license %s first, "+
			"so your change was not saved. Reload the page and try again.", id)
	}
	return d.licenses[i], nil
}

// addLicense creates a license, and finds out which licenses it succeeds and which succeeds it.
func (c *changeset) addLicense(ctx context.Context, l license.License, line entity.Line) error {
	d, err := c.open(ctx, l.Server)
	if err != nil {
		return err
	}
	if l.Mirrors != "" { // so that the other dataset's version tells of one more staging license
		if _, err := c.open(ctx, l.Mirrors); err != nil {
			return err
		}
	}
	l.Recorded = c.store.now()
	for _, other := range d.licenses {
		switch {
		case l.Succeeds(other.License):
			// One that has a successor keeps it: a dataset with a long history is not rewritten with each license.
			if other.License.Successor == "" {
				c.succeed(other, l.ID)
			}
		case other.License.Succeeds(l):
			l.Successor = other.License.ID
		}
	}
	r := &LicenseRecord{License: l}
	c.schedule(r)
	d.licenses = append(d.licenses, r)
	c.Add(licenseEntity{*r}, line)
	return nil
}

// changeLicense changes a license of a dataset that was opened.
func (c *changeset) changeLicense(r *LicenseRecord, line entity.Line, f func(*license.License)) {
	before := *r
	f(&r.License)
	c.schedule(r)
	c.Change(licenseEntity{before}, licenseEntity{*r}, r.Version, line)
}

// succeed notes a license's successor, which ends its reminders; "" is none, and resumes them.
func (c *changeset) succeed(r *LicenseRecord, successor string) {
	action := LicenseSuccessorSet
	if successor == "" {
		action = LicenseSuccessorRevoked
	}
	c.changeLicense(r, entity.Line{By: System, Action: action, Note: successor}, func(l *license.License) {
		l.Successor = successor
	})
}

// release returns the licenses that a revoked license succeeded another successor, or none. It does nothing for a
// license that is not revoked.
func (c *changeset) release(revoked *LicenseRecord) {
	if revoked.License.Revoked.IsZero() {
		return
	}
	d := c.datasets[rowkey.DatasetPK(revoked.License.Server)]
	for _, r := range d.licenses {
		if r.License.Successor != revoked.License.ID {
			continue
		}
		successor := ""
		for _, other := range d.licenses {
			if other.License.Succeeds(r.License) {
				successor = other.License.ID
			}
		}
		c.succeed(r, successor)
	}
}
