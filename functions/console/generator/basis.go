package generator

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// basis is what a license is issued on the strength of.
type basis struct {
	kind    request.Kind     // what is done
	request *request.Request // nil: none
	// old is the license that is renewed, replaced or upgraded; of a staging license, the production license beside it.
	// nil: none, or none on record.
	old     *store.LicenseRecord
	catalog *catalog.Catalog
	today   license.Date
}

// replaces reports whether the old license is revoked when the new one is issued.
func (b basis) replaces() bool {
	return b.old != nil && (b.kind == request.Replacement || b.kind == request.Upgrade)
}

// open reads what an origin names. A request that is closed, and a license that is revoked, are Conflict faults.
func (g *Generator) open(ctx context.Context, o Origin) (b basis, err error) {
	b = basis{kind: request.New, today: g.today()}
	if b.catalog, err = g.Catalog(); err != nil {
		return b, err
	}
	switch {
	case o.Request != "":
		return g.openRequest(ctx, b, o.Request)
	case o.Renews != "":
		b.kind = request.Renewal
		return g.openLicense(ctx, b, o.Renews)
	case o.Replaces != "":
		b.kind = request.Replacement
		return g.openLicense(ctx, b, o.Replaces)
	}
	return b, nil
}

func (g *Generator) openLicense(ctx context.Context, b basis, id string) (basis, error) {
	l, err := g.Records.License(ctx, id)
	switch {
	case err != nil:
		return b, err
	case l.License.ReplacedBy != "":
		return b, fault.New(fault.Conflict, "The license %s was replaced by %s.", id, l.License.ReplacedBy)
	case !l.License.Revoked.IsZero():
		return b, fault.New(fault.Conflict, "The license %s was revoked.", id)
	}
	b.old = &l
	return b, nil
}

func (g *Generator) openRequest(ctx context.Context, b basis, id string) (basis, error) {
	r, err := g.Records.Request(ctx, id)
	if err != nil {
		return b, err
	}
	if !r.State.Leads(request.Issued) {
		return b, fault.New(fault.Conflict, "The request is %s: no license can be issued for it any more.", r.State)
	}
	b.kind, b.request = r.Kind, &r
	if r.Kind == request.Evaluation || r.Kind == request.New {
		return b, nil
	}
	known, err := g.meant(ctx, r)
	if err != nil {
		return b, err
	}
	b.old = best(known, wantedType(r), r.Server)
	return b, nil
}

// meant are the licenses that a request can be about: those that it names, else those of its server, else those of the
// person who asks, each without the revoked ones.
func (g *Generator) meant(ctx context.Context, r request.Request) ([]store.LicenseRecord, error) {
	if l, err := g.Records.License(ctx, strings.ToLower(r.Replaces)); r.Replaces != "" && err == nil && l.License.Revoked.IsZero() {
		return []store.LicenseRecord{l}, nil
	} else if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	servers := []license.Server{r.Server}
	if s, err := license.ParseServer(r.Replaces); err == nil {
		servers = []license.Server{s, r.Server}
	}
	for _, s := range servers {
		d, err := g.Records.Dataset(ctx, s)
		if err != nil {
			return nil, err
		}
		if known := inForce(d.Licenses); best(known, wantedType(r), s) != nil {
			return known, nil
		}
	}
	return g.ofPerson(ctx, r.Email)
}

// ofPerson are the licenses of a person, if there are few enough to tell which is meant.
func (g *Generator) ofPerson(ctx context.Context, email string) (list []store.LicenseRecord, err error) {
	const few = 20
	found, err := g.Records.FindByEmail(ctx, email, few)
	if err != nil || found.More {
		return nil, err
	}
	for _, s := range found.Licenses {
		l, err := g.Records.License(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return inForce(list), nil
}

// wantedType is the type of the license that a request is about; "" where it does not say.
func wantedType(r request.Request) license.Type {
	switch {
	case r.Environment == request.StagingUse:
		return license.Staging
	case r.Kind == request.Staging, r.Kind == request.Upgrade, r.Environment == request.ProductionUse:
		return license.Production
	}
	return ""
}

// inForce leaves the revoked licenses out.
func inForce(list []store.LicenseRecord) []store.LicenseRecord {
	return slices.DeleteFunc(slices.Clone(list), func(r store.LicenseRecord) bool { return !r.License.Revoked.IsZero() })
}

// best is the license that somebody means who names a server: one of the wanted type, if any is wanted; of that very ID
// rather than of its dataset, production rather than another type, and then the one that lasts longest. nil where there is
// none.
func best(list []store.LicenseRecord, wanted license.Type, server license.Server) *store.LicenseRecord {
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
	list = slices.DeleteFunc(slices.Clone(list), func(r store.LicenseRecord) bool { return wanted != "" && r.License.Type != wanted })
	if len(list) == 0 {
		return nil
	}
	found := slices.MaxFunc(list, func(a, b store.LicenseRecord) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.License.Expiration.Start().Compare(b.License.Expiration.Start()),
			cmp.Compare(a.License.ID, b.License.ID))
	})
	return &found
}
