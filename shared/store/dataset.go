package store

import (
	"context"
	"errors"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/table"
)

// Dataset is what is on record about the data of a server, whichever IDs the server had.
type Dataset struct {
	Licenses []LicenseRecord // in the order of their IDs
	Staging  []LicenseRecord // staging licenses of servers that mirror this one, in the order of their IDs
	// Version is another one after each change of Licenses and each addition to Staging; for Issue.Datasets.
	Version int64
}

// Dataset reads what is on record about a server's dataset. What changes while it reads makes its Version an old one.
func (s *Store) Dataset(ctx context.Context, server license.Server) (d Dataset, err error) {
	if d.Version, err = s.datasetVersion(ctx, server); err != nil {
		return Dataset{}, err
	}
	if d.Licenses, err = s.LicensesOfDataset(ctx, server); err != nil {
		return Dataset{}, err
	}
	prefix := stagingPrefix + licensePrefix
	err = table.All(ctx, s.table, table.Prefix(datasetPK(server), prefix), func(row table.Row) error {
		r, err := s.License(ctx, row.SK[len(prefix):])
		d.Staging = append(d.Staging, r)
		return err
	})
	if err != nil {
		return Dataset{}, fmt.Errorf("store: staging licenses of dataset %s: %w", server.Dataset(), err)
	}
	return d, nil
}

// datasetVersion is the version of the dataset's guard; 0 where nothing was ever on record.
func (s *Store) datasetVersion(ctx context.Context, server license.Server) (int64, error) {
	guard, err := s.table.Get(ctx, datasetGuardKey(server))
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		return 0, fmt.Errorf("store: dataset %s: %w", server.Dataset(), err)
	}
	return guard.Version, nil
}

// unchanged is a Conflict fault where a dataset has another version by now. It makes each a part of the book, so that the
// book cannot be written once another one changed them.
func (b *book) unchanged(versions map[license.Server]int64) error {
	for server, version := range versions {
		d, err := b.open(server)
		if err != nil {
			return err
		}
		if d.guard != version {
			return fault.New(fault.Conflict, "Somebody changed the licenses of the server %s while you looked at them. Load them again, and repeat your change.", server)
		}
	}
	return nil
}
