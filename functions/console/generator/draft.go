package generator

import (
	"context"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Source names what a draft is based on: at most one field is set. The zero Source is a license without a request.
type Source struct {
	Request  string // the ID of the request to answer
	Renews   string // the ID of the license to renew
	Replaces string // the ID of the license to replace
}

// Draft is an issue of licenses while an operator prepares it: what it is based on, the form, and what the form comes
// to. Generator.Draft works it out once; the review page, the email and the issue read it.
type Draft struct {
	Form    Form
	Kind    request.Kind
	Request *request.Request // the request to answer; nil: none
	// Old is the license to renew, replace or upgrade; for a staging license, its production license. nil: none.
	Old     *store.LicenseRecord
	Catalog *catalog.Catalog

	// Begin and Edit leave the fields below empty.

	Licenses []license.License // without keys: one, or a production license followed by its staging licenses
	Previous *license.License  // the server's previous license; nil: none on record
	Revoked  *license.License  // revoked when the draft is issued; nil: none
	Warnings []Warning
	Mail     mail.Message // the email, with KeyPlaceholder for each key
	// Digest identifies all of the above and the versions of the records behind it. A different digest means that
	// something else would be issued.
	Digest string

	generator      *Generator
	today          license.Date             // the day of issue
	productVersion string                   // of the customer's server; "" if unknown
	extraPlugins   []string                 // plugins for the languages beyond the edition
	jars           []catalog.Jar            // of the custom package; none: no custom package
	dataset        store.Dataset            // of the first license's server
	production     *store.LicenseRecord     // that a staging license mirrors; nil: none on record
	staging        []store.LicenseRecord    // current staging licenses of the production server
	superseded     []string                 // IDs of the licenses that the new ones take the place of
	versions       map[license.Server]int64 // of the datasets that the draft was decided by
}

// Draft works out what a form would issue. It returns an Invalid fault with its fields for a wrong form, together with
// a draft for showing the form again; a NotFound fault for an unknown source; and a Conflict fault for a source that is
// closed or revoked.
func (g *Generator) Draft(ctx context.Context, s Source, f Form) (*Draft, error) {
	d, err := g.Edit(ctx, s, f)
	if err != nil {
		return nil, err
	}
	if err := d.fill(ctx); err != nil {
		return d.unfilled(err)
	}
	d.review()
	return d, nil
}

// unfilled returns the draft with an error in its form, and no draft with any other error.
func (d *Draft) unfilled(err error) (*Draft, error) {
	if fault.KindOf(err) == fault.Invalid {
		return d, err
	}
	return nil, err
}

// Edit returns a draft with a form that is not checked, for showing the form again. It returns the faults of Draft, but
// for those of the form.
func (g *Generator) Edit(ctx context.Context, s Source, f Form) (*Draft, error) {
	c, err := g.Catalog()
	if err != nil {
		return nil, err
	}
	d := &Draft{Form: f, Kind: request.New, Catalog: c, generator: g, today: license.DateOf(g.Now())}
	switch {
	case s.Request != "":
		err = d.readRequest(ctx, s.Request)
	case s.Renews != "":
		d.Kind = request.Renewal
		err = d.readOld(ctx, s.Renews)
	case s.Replaces != "":
		d.Kind = request.Replacement
		err = d.readOld(ctx, s.Replaces)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// readOld reads the license that the draft renews or replaces.
func (d *Draft) readOld(ctx context.Context, id string) error {
	l, err := d.generator.Records.License(ctx, id)
	switch {
	case err != nil:
		return err
	case l.License.ReplacedBy != "":
		return fault.New(fault.Conflict, "License %s was replaced by %s.", id, l.License.ReplacedBy)
	case !l.License.Revoked.IsZero():
		return fault.New(fault.Conflict, "License %s was revoked.", id)
	}
	d.Old = &l
	return nil
}

// readRequest reads the request that the draft answers, and the license that the request is about.
func (d *Draft) readRequest(ctx context.Context, id string) error {
	r, err := d.generator.Records.Request(ctx, id)
	if err != nil {
		return err
	}
	if !r.State.Leads(request.Issued) {
		return fault.New(fault.Conflict, "The request is %s, so no license can be issued for it.", r.State)
	}
	d.Kind, d.Request = r.Kind, &r
	if r.Kind == request.Evaluation || r.Kind == request.New {
		return nil
	}
	known, err := d.generator.licensesMeantBy(ctx, r)
	if err != nil {
		return err
	}
	d.Old = bestMatch(known, wantedType(r), r.Server)
	return nil
}

// licensesMeantBy reads the licenses that a request can be about: those that it names, else those of its server, else
// those of the requester. Revoked ones are left out.
func (g *Generator) licensesMeantBy(ctx context.Context, r request.Request) ([]store.LicenseRecord, error) {
	if r.Replaces != "" {
		l, err := g.Records.License(ctx, strings.ToLower(r.Replaces))
		switch {
		case err == nil && l.License.Revoked.IsZero():
			return []store.LicenseRecord{l}, nil
		case err != nil && fault.KindOf(err) != fault.NotFound:
			return nil, err
		}
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
		if known := notRevoked(d.Licenses); bestMatch(known, wantedType(r), s) != nil {
			return known, nil
		}
	}
	return g.licensesOfContact(ctx, r.Email)
}

// licensesOfContact reads the licenses that list an email address; none if there are too many to tell which is meant.
func (g *Generator) licensesOfContact(ctx context.Context, email string) (list []store.LicenseRecord, err error) {
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
	return notRevoked(list), nil
}
