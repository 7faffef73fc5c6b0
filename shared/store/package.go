package store

import (
	"context"
	"slices"

	"marketplace/shared/license"
)

// PackageTailored is an operator's action: a package was made for a license.
const PackageTailored Action = "package tailored"

// AddPackage lists a tailored package on a license. One that is listed already is not listed again, whatever the version.
// It is a Conflict fault where somebody changed the license since it was seen.
func (s *Store) AddPackage(ctx context.Context, c LicenseChange, file string) error {
	switch r, err := s.License(ctx, c.ID); {
	case err != nil:
		return err
	case slices.Contains(r.License.Packages, file):
		return nil
	}
	return s.changeLicense(ctx, c, PackageTailored, file, func(l *license.License) error {
		l.Packages = append(slices.Clone(l.Packages), file)
		return nil
	})
}
