package generator

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// StagingLicense is a staging license that can be renewed together with a production license.
type StagingLicense struct {
	License  license.License
	Mirrored bool // known to mirror the production server: selected unless the operator says no
}

// StagingLicenses reads the staging licenses that a renewal can include: those that mirror the production server or
// have a copy of its data, and those of the license's first contact for which nobody noted what they mirror. Only
// renewals of production licenses have any.
func (d *Draft) StagingLicenses(ctx context.Context) (list []StagingLicense, err error) {
	if d.Kind != request.Renewal || d.Old == nil || d.Old.License.Type != license.Production {
		return nil, nil
	}
	data, err := d.generator.Records.Dataset(ctx, d.Old.License.Server)
	if err != nil {
		return nil, err
	}
	for _, r := range currentStaging(data) {
		list = append(list, StagingLicense{r.License, true})
	}
	if len(d.Old.License.Contacts) == 0 {
		return list, nil
	}
	others, err := d.generator.licensesOfContact(ctx, d.Old.License.Contacts[0].Email)
	if err != nil {
		return nil, err
	}
	for _, r := range others {
		listed := slices.ContainsFunc(list, func(s StagingLicense) bool { return s.License.ID == r.License.ID })
		if l := r.License; !listed && l.Type == license.Staging && l.Mirrors == "" && l.Successor == "" {
			list = append(list, StagingLicense{l, false})
		}
	}
	return list, nil
}

// fill works out the licenses that the form comes to. What is wrong with the form is an Invalid fault with its fields.
func (d *Draft) fill(ctx context.Context) error {
	first, bad := d.parse()
	d.versions = map[license.Server]int64{}
	var renewed []license.License
	if first.Server != "" {
		var err error
		if d.dataset, err = d.readDataset(ctx, first.Server); err != nil {
			return err
		}
		if err := d.readProduction(ctx, &first, &bad); err != nil {
			return err
		}
		if renewed, err = d.readRenewedStaging(ctx, first, &bad); err != nil {
			return err
		}
	}
	if err := bad.Err("Nothing was issued."); err != nil {
		return err
	}
	if d.Request != nil {
		first.Request = d.Request.ID
	}
	d.Licenses = []license.License{first}
	for i, old := range renewed {
		l := first
		l.ID, l.Type, l.Server, l.Mirrors = nthID(first.ID, i+1), license.Staging, old.Server, first.Server
		d.Licenses = append(d.Licenses, l)
		d.superseded = append(d.superseded, old.ID)
	}
	if d.Old != nil && (d.Kind == request.Replacement || d.Kind == request.Upgrade) {
		d.Revoked = &d.Old.License
		d.superseded = append(d.superseded, d.Revoked.ID)
	}
	d.Previous = d.previous()
	return nil
}

// readDataset reads a server's dataset and notes that the draft was decided by it.
func (d *Draft) readDataset(ctx context.Context, server license.Server) (store.Dataset, error) {
	data, err := d.generator.Records.Dataset(ctx, server)
	d.versions[server] = data.Version
	return data, err
}

// readProduction finds the production license that a staging license mirrors, and the other staging licenses of its
// server.
func (d *Draft) readProduction(ctx context.Context, l *license.License, bad *fault.Fields) error {
	if l.Type != license.Staging {
		d.staging = currentStaging(d.dataset)
		return nil
	}
	named := strings.TrimSpace(d.Form.Mirrors)
	if named == "" {
		bad.Add("mirrors", "Enter the production license or server that the staging server mirrors.")
		return nil
	}
	server, err := license.ParseServer(named)
	if err != nil {
		r, err := d.generator.Records.License(ctx, strings.ToLower(named))
		switch {
		case fault.KindOf(err) == fault.NotFound:
			bad.Add("mirrors", "Enter a server ID or the ID of a license on record.")
			return nil
		case err != nil:
			return err
		case r.License.Type != license.Production:
			bad.Add("mirrors", "License %s is not a production license.", r.License.ID)
			return nil
		}
		server = r.License.Server
	}
	data, err := d.readDataset(ctx, server)
	if err != nil {
		return err
	}
	l.Mirrors = server
	d.production = bestMatch(notRevoked(data.Licenses), license.Production, server)
	renewed := func(r store.LicenseRecord) bool { return l.Succeeds(r.License) }
	d.staging = slices.DeleteFunc(currentStaging(data), renewed)
	return nil
}

// readRenewedStaging reads the staging licenses that are renewed together with the license.
func (d *Draft) readRenewedStaging(
	ctx context.Context, l license.License, bad *fault.Fields,
) (list []license.License, err error) {
	selected := d.Form.Staging
	if len(selected) == 0 {
		return nil, nil
	}
	if l.Type != license.Production {
		bad.Add("staging", "Staging licenses can only be renewed together with a production license.")
		return nil, nil
	}
	known, err := d.StagingLicenses(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range known {
		if !slices.Contains(selected, s.License.ID) {
			continue
		}
		if _, err := d.readDataset(ctx, s.License.Server); err != nil {
			return nil, err
		}
		list = append(list, s.License)
	}
	if len(list) != len(selected) {
		bad.Add("staging", "A selected staging license can no longer be renewed. Check the list again.")
	}
	return list, nil
}

// previous returns the server's previous license: the one that the draft is based on, else the best match in its
// dataset, preferably of the same type.
func (d *Draft) previous() *license.License {
	if d.Old != nil && d.Kind != request.Staging {
		return &d.Old.License
	}
	first, known := d.Licenses[0], notRevoked(d.dataset.Licenses)
	if r := bestMatch(known, first.Type, first.Server); r != nil {
		return &r.License
	}
	if first.Type != license.Staging {
		if r := bestMatch(known, "", first.Server); r != nil {
			return &r.License
		}
	}
	return nil
}

// notRevoked returns the licenses that were not revoked.
func notRevoked(list []store.LicenseRecord) []store.LicenseRecord {
	revoked := func(r store.LicenseRecord) bool { return !r.License.Revoked.IsZero() }
	return slices.DeleteFunc(slices.Clone(list), revoked)
}

// currentStaging returns the staging licenses of a production server that are neither revoked nor renewed.
func currentStaging(d store.Dataset) (list []store.LicenseRecord) {
	for _, r := range slices.Concat(d.Staging, d.Licenses) {
		l := r.License
		listed := slices.ContainsFunc(list, func(have store.LicenseRecord) bool { return have.License.ID == l.ID })
		if !listed && l.Type == license.Staging && l.Revoked.IsZero() && l.Successor == "" {
			list = append(list, r)
		}
	}
	return list
}

// bestMatch returns the license most likely meant by a server ID: of the wanted type, if any; for this server ID rather
// than its dataset; for production rather than another type; then the license that lasts longest. It returns nil if
// there is none.
func bestMatch(list []store.LicenseRecord, wanted license.Type, server license.Server) *store.LicenseRecord {
	rank := func(r store.LicenseRecord) int {
		n := 0
		if r.License.Server == server {
			n += 2
		}
		if r.License.Type == license.Production {
			n++
		}
		return n
	}
	unwanted := func(r store.LicenseRecord) bool { return wanted != "" && r.License.Type != wanted }
	list = slices.DeleteFunc(slices.Clone(list), unwanted)
	if len(list) == 0 {
		return nil
	}
	found := slices.MaxFunc(list, func(a, b store.LicenseRecord) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			a.License.Expiration.Start().Compare(b.License.Expiration.Start()),
			cmp.Compare(a.License.ID, b.License.ID),
		)
	})
	return &found
}

// nthID returns the ID of the n-th license of an issue, counted from 0. It follows from the first ID, so that the same
// issue has the same IDs however often it is sent.
func nthID(id string, n int) string {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		panic("generator: " + id + " is not an ID")
	}
	const random = 6 // the bytes before are the time, which stays
	for carry, i := n, len(u)-1; carry > 0 && i >= random; i-- {
		carry += int(u[i])
		u[i] = byte(carry)
		carry >>= 8
	}
	return strings.ToLower(u.String())
}
