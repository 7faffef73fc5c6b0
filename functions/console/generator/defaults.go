package generator

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// What a license is given where nothing says otherwise.
const (
	EvaluationDays   = 30 // after the day on which it begins
	ProductionMonths = 12
)

// Begin makes the form that an operator begins with: all that the request and the previous license say. Where the origin
// names neither, server is the ID that the operator came with, or "".
func (g *Generator) Begin(ctx context.Context, o Origin, server string) (Form, error) {
	b, err := g.open(ctx, o)
	if err != nil {
		return Form{}, err
	}
	f := b.defaults()
	f.ID, f.Token = g.newID(), newToken()
	if f.Server == "" {
		f.Server = server
	}
	candidates, err := g.stagingOf(ctx, b)
	if err != nil {
		return Form{}, err
	}
	for _, c := range candidates {
		if c.Chosen {
			f.Staging = append(f.Staging, c.License.ID)
		}
	}
	return f, nil
}

// defaults are the form's fields by the request and the old license alone.
func (b basis) defaults() Form {
	f := Form{
		Type: string(b.defaultType()), Edition: string(b.defaultEdition()), MaxLoc: b.defaultMaxLoc(),
		NotBefore: b.defaultStart().String(), Expiration: b.defaultExpiration().String(), ProductVersion: b.defaultVersion(),
	}
	if b.old != nil {
		old := b.old.License
		f.Server, f.Organization = string(old.Server), old.Organization
		if b.kind == request.Staging {
			f.Mirrors = string(old.Server)
		} else {
			f.Mirrors, f.Support = string(old.Mirrors), yes(old.Support)
		}
		f.Languages = b.beyond(license.Edition(f.Edition), old.Languages)
	} else if b.kind == request.Staging {
		f.Mirrors = b.request.Replaces
	}
	var contacts []license.Contact
	if r := b.request; r != nil {
		f.Server = string(r.Server)
		if b.old == nil {
			f.Organization = r.Company
		}
		contacts = append(contacts, license.Contact{Name: r.Name, Email: r.Email})
		for _, email := range r.Contacts {
			contacts = append(contacts, license.Contact{Email: email})
		}
	}
	if b.old != nil {
		contacts = append(contacts, b.old.License.Contacts...)
	}
	f.contacts(contacts)
	if _, extra, err := plugins(b.catalog, license.Edition(f.Edition), f.Languages); err == nil && len(extra) > 0 && f.ProductVersion != "" {
		f.Tailored = yes(true)
	}
	return f
}

// contacts fills in whom to write to: the first is who gets the key.
func (f *Form) contacts(list []license.Contact) {
	if len(list) == 0 {
		return
	}
	f.Name, f.Email = list[0].Name, list[0].Email
	var further []string
	for _, c := range list[1:] {
		known := strings.EqualFold(c.Email, f.Email) || slices.ContainsFunc(further, func(have string) bool { return strings.EqualFold(have, c.Email) })
		if !known && len(further) < request.MaxContacts {
			further = append(further, c.Email)
		}
	}
	f.Contacts = strings.Join(further, "\n")
}

func (b basis) defaultType() license.Type {
	switch {
	case b.kind == request.Evaluation:
		return license.Evaluation
	case b.kind == request.Staging:
		return license.Staging
	case b.old == nil:
		if b.request != nil {
			if wanted := wantedType(*b.request); wanted != "" {
				return wanted
			}
		}
		return license.Production
	case b.old.License.Type == license.Evaluation && b.request != nil && b.kind == request.Renewal:
		return license.Production // customers who renew an evaluation buy
	}
	return b.old.License.Type
}

func (b basis) defaultEdition() license.Edition {
	switch {
	case b.old != nil && (b.kind == request.Replacement || b.kind == request.Staging):
		return b.old.License.Edition
	case b.request != nil:
		return b.request.Edition
	case b.old != nil:
		return b.old.License.Edition
	}
	return ""
}

// defaultMaxLoc is the smallest threshold that is enough for the server, and for what the old license allowed; "" where
// nobody knows, or none is enough.
func (b basis) defaultMaxLoc() string {
	lines := int64(-1)
	if b.request != nil {
		lines = b.request.Loc
	}
	if b.old != nil {
		if allowed := b.old.License.MaxLoc; b.kind == request.Replacement || b.kind == request.Staging {
			lines = allowed
		} else {
			lines = max(lines, allowed)
		}
	}
	for _, threshold := range b.catalog.LOCThresholds {
		if lines >= 0 && threshold >= lines {
			return strconv.FormatInt(threshold, 10)
		}
	}
	return ""
}

// defaultStart is today: a key that is set when it arrives has to be valid, also where the old one has not expired.
func (b basis) defaultStart() license.Date {
	if b.old != nil && b.kind == request.Replacement && b.old.License.NotBefore.After(b.today) {
		return b.old.License.NotBefore
	}
	return b.today
}

func (b basis) defaultExpiration() license.Date {
	year := b.today.AddMonths(ProductionMonths).AddDays(-1)
	if b.old == nil {
		if b.kind == request.Evaluation {
			return b.today.AddDays(EvaluationDays)
		}
		return year
	}
	end := b.old.License.Expiration
	lapsed := end.Before(b.today)
	switch {
	case b.kind == request.Replacement:
		return end
	case b.defaultType() == license.Evaluation:
		return later(end, b.today).AddDays(EvaluationDays)
	case lapsed:
		return year
	case b.kind == request.Renewal && b.old.License.Type != license.Evaluation:
		return end.AddMonths(ProductionMonths)
	case b.kind == request.Renewal:
		return year
	}
	return end // of an upgrade, and of a staging license beside its production license
}

// defaultVersion is the version of the product that the customer named, where there are packages for it; of customers who
// named none, the newest.
func (b basis) defaultVersion() string {
	if b.request == nil {
		return b.catalog.Newest().Version
	}
	if _, ok := b.catalog.Version(b.request.ProductVersion); ok {
		return b.request.ProductVersion
	}
	return ""
}

// beyond are those of the languages that the edition does not have.
func (b basis) beyond(edition license.Edition, languages []string) []string {
	e, _ := b.catalog.Edition(string(edition))
	return slices.DeleteFunc(slices.Clone(languages), func(key string) bool { return slices.Contains(e.Languages, key) })
}

func later(a, b license.Date) license.Date {
	if a.After(b) {
		return a
	}
	return b
}

// yes is how a form says so; no is "".
func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
