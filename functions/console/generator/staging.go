package generator

import (
	"context"
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// StagingPerProduction is how many staging licenses a contract has for a production license.
const StagingPerProduction = 1

// Candidate is a staging license that can be renewed together with a production license.
type Candidate struct {
	License license.License
	Chosen  bool // it is known to mirror the production server: renewed along unless the operator says no
}

// Staging are the staging licenses that a renewal can take along; none where the origin is no renewal of production.
func (g *Generator) Staging(ctx context.Context, o Origin) ([]Candidate, error) {
	b, err := g.open(ctx, o)
	if err != nil {
		return nil, err
	}
	return g.stagingOf(ctx, b)
}

// stagingOf are the staging licenses that a renewal of the old license can take along: those that mirror its server or are for
// a copy of its data, and, as far as nobody noted what they mirror, those of its first contact. None is there where anything
// else is done.
func (g *Generator) stagingOf(ctx context.Context, b basis) (list []Candidate, err error) {
	if b.kind != request.Renewal || b.old == nil || b.old.License.Type != license.Production {
		return nil, nil
	}
	d, err := g.Records.Dataset(ctx, b.old.License.Server)
	if err != nil {
		return nil, err
	}
	for _, r := range standing(d) {
		list = append(list, Candidate{r.License, true})
	}
	if len(b.old.License.Contacts) == 0 {
		return list, nil
	}
	others, err := g.ofPerson(ctx, b.old.License.Contacts[0].Email)
	if err != nil {
		return nil, err
	}
	for _, r := range others {
		known := slices.ContainsFunc(list, func(c Candidate) bool { return c.License.ID == r.License.ID })
		if l := r.License; !known && l.Type == license.Staging && l.Mirrors == "" && l.Successor == "" {
			list = append(list, Candidate{l, false})
		}
	}
	return list, nil
}

// standing are the staging licenses of a production server that are neither revoked nor followed by another.
func standing(d store.Dataset) (list []store.LicenseRecord) {
	for _, r := range slices.Concat(d.Staging, d.Licenses) {
		l := r.License
		known := slices.ContainsFunc(list, func(have store.LicenseRecord) bool { return have.License.ID == l.ID })
		if !known && l.Type == license.Staging && l.Revoked.IsZero() && l.Successor == "" {
			list = append(list, r)
		}
	}
	return list
}

// allowsStaging reports whether a contract has staging licenses beside a production license: the larger editions have, and
// every one with support.
func allowsStaging(production license.License) bool {
	return production.Support || production.Edition == license.Enterprise || production.Edition == license.DataCenter
}
