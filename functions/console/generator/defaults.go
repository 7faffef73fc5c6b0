package generator

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Default terms.
const (
	EvaluationDays   = 30 // after the first day
	ProductionMonths = 12
)

// Begin returns a draft whose form has defaults: all that the request and the old license say. If the source names
// neither, the form has the server ID that the operator came with, or "".
func (g *Generator) Begin(ctx context.Context, s Source, server string) (*Draft, error) {
	d, err := g.Edit(ctx, s, Form{ID: newID(g.Now()), Token: newToken()})
	if err != nil {
		return nil, err
	}
	d.setDefaults()
	if d.Form.Server == "" {
		d.Form.Server = server
	}
	staging, err := d.StagingLicenses(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range staging {
		if l.Mirrored {
			d.Form.Staging = append(d.Form.Staging, l.License.ID)
		}
	}
	return d, nil
}

// setDefaults fills in the form from the request and the old license.
func (d *Draft) setDefaults() {
	f := &d.Form
	f.Type, f.Edition, f.MaxLoc = string(d.defaultType()), string(d.defaultEdition()), d.defaultMaxLoc()
	f.NotBefore, f.Expiration = d.defaultStart().String(), d.defaultExpiration().String()
	f.ProductVersion = d.defaultVersion()
	var contacts []license.Contact
	if r := d.Request; r != nil {
		f.Server, f.Organization = string(r.Server), r.Company
		contacts = append(contacts, license.Contact{Name: r.Name, Email: r.Email})
		for _, email := range r.Contacts {
			contacts = append(contacts, license.Contact{Email: email})
		}
	}
	if d.Old != nil {
		old := d.Old.License
		if d.Request == nil {
			f.Server = string(old.Server)
		}
		f.Organization = old.Organization
		if d.Kind == request.Staging {
			f.Mirrors = string(old.Server)
		} else {
			f.Mirrors, f.Support = string(old.Mirrors), formYes(old.Support)
		}
		f.Languages = d.withoutIncluded(old.Languages)
		contacts = append(contacts, old.Contacts...)
	} else if d.Kind == request.Staging {
		f.Mirrors = d.Request.Replaces
	}
	f.setContacts(contacts)
	_, extra := plugins(d.Catalog, license.Edition(f.Edition), f.Languages)
	f.CustomPackage = formYes(len(extra) > 0 && f.ProductVersion != "")
}

// setContacts fills in the contacts: the first one receives the key.
func (f *Form) setContacts(list []license.Contact) {
	if len(list) == 0 {
		return
	}
	f.Name, f.Email = list[0].Name, list[0].Email
	var further []string
	for _, c := range list[1:] {
		same := func(have string) bool { return input.SameMailbox(have, c.Email) }
		if !same(f.Email) && !slices.ContainsFunc(further, same) && len(further) < request.MaxContacts {
			further = append(further, c.Email)
		}
	}
	f.Contacts = strings.Join(further, "\n")
}

func (d *Draft) defaultType() license.Type {
	switch {
	case d.Kind == request.Evaluation:
		return license.Evaluation
	case d.Kind == request.Staging:
		return license.Staging
	case d.Old == nil:
		if d.Request != nil {
			if wanted := wantedType(*d.Request); wanted != "" {
				return wanted
			}
		}
		return license.Production
	case d.Old.License.Type == license.Evaluation && d.Request != nil && d.Kind == request.Renewal:
		return license.Production // customers renew an evaluation by buying
	}
	return d.Old.License.Type
}

// wantedType returns the type of the license that a request is about; "" if the request does not say.
func wantedType(r request.Request) license.Type {
	switch {
	case r.Environment == request.StagingUse:
		return license.Staging
	case r.Kind == request.Staging, r.Kind == request.Upgrade, r.Environment == request.ProductionUse:
		return license.Production
	}
	return ""
}

func (d *Draft) defaultEdition() license.Edition {
	switch {
	case d.Old != nil && (d.Kind == request.Replacement || d.Kind == request.Staging):
		return d.Old.License.Edition
	case d.Request != nil:
		return d.Request.Edition
	case d.Old != nil:
		return d.Old.License.Edition
	}
	return ""
}

// defaultMaxLoc returns the smallest threshold that covers the server and what the old license allowed; "" if that is
// unknown or above every threshold.
func (d *Draft) defaultMaxLoc() string {
	lines := int64(-1)
	if d.Request != nil {
		lines = max(d.Request.Loc, d.Request.WantedLoc)
	}
	if d.Old != nil {
		if allowed := d.Old.License.MaxLoc; d.Kind == request.Replacement || d.Kind == request.Staging {
			lines = allowed
		} else {
			lines = max(lines, allowed)
		}
	}
	for _, threshold := range d.Catalog.LOCThresholds {
		if lines >= 0 && threshold >= lines {
			return strconv.FormatInt(threshold, 10)
		}
	}
	return ""
}

// defaultStart returns today: a key has to be valid when it arrives, even if the old one has not expired yet.
func (d *Draft) defaultStart() license.Date {
	if d.Old != nil && d.Kind == request.Replacement && d.Old.License.NotBefore.After(d.today) {
		return d.Old.License.NotBefore
	}
	return d.today
}

func (d *Draft) defaultExpiration() license.Date {
	year := d.today.AddMonths(ProductionMonths).AddDays(-1)
	if d.Old == nil {
		if d.Kind == request.Evaluation {
			return d.today.AddDays(EvaluationDays)
		}
		return year
	}
	end := d.Old.License.Expiration
	lapsed := end.Before(d.today)
	switch {
	case d.Kind == request.Replacement:
		return end
	case d.defaultType() == license.Evaluation:
		return later(end, d.today).AddDays(EvaluationDays)
	case lapsed:
		return year
	case d.Kind == request.Renewal && d.Old.License.Type != license.Evaluation:
		return end.AddMonths(ProductionMonths)
	case d.Kind == request.Renewal:
		return year
	}
	return end // an upgrade keeps the term; a staging license has that of its production license
}

// defaultVersion returns the product version that the request names, if there are packages for it; without a request,
// the newest version.
func (d *Draft) defaultVersion() string {
	if d.Request == nil {
		return d.Catalog.Newest().Version
	}
	if _, ok := d.Catalog.Version(d.Request.ProductVersion); ok {
		return d.Request.ProductVersion
	}
	return ""
}

// withoutIncluded returns the languages that the form's edition does not include.
func (d *Draft) withoutIncluded(languages []string) []string {
	e, _ := d.Catalog.Edition(d.Form.Edition)
	included := func(key string) bool { return slices.Contains(e.Languages, key) }
	return slices.DeleteFunc(slices.Clone(languages), included)
}

func later(a, b license.Date) license.Date {
	if a.After(b) {
		return a
	}
	return b
}

// formYes returns the form's value for a ticked box or an empty one.
func formYes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
