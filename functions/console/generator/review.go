package generator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Review is what an operator looks at before a license is issued.
type Review struct {
	Licenses    []license.License // as they will be, without their keys: one, or production with its staging licenses
	Previous    *license.License  // the server's license before; nil: none is on record
	Differences []Difference      // from Previous; none for the staging licenses behind the first
	Revoked     *license.License  // whose place the first license takes; nil: none
	Warnings    []Warning
	Mail        mail.Message // as it will be read, with KeyPlace where each key will stand
	// Digest is of all of this and of the versions of what it was made from: another one means that something else would be
	// issued.
	Digest string
}

// KeyPlace stands where a key will stand that is not made before the license is issued.
const KeyPlace = "(the key stands here: it is made when you issue the license)"

// plan is what an accepted form comes to.
type plan struct {
	licenses   []license.License
	dataset    store.Dataset            // of the first license's server
	previous   *license.License         // of the first license's server
	production *store.LicenseRecord     // that a staging license stands beside; nil: none is on record
	staging    []store.LicenseRecord    // standing beside the production license
	superseded []string                 // IDs of the licenses that the issue takes the place of
	datasets   map[license.Server]int64 // versions of the datasets that this was decided by
	version    string                   // of the product
	jars       []catalog.Jar            // of the tailored package; none: no package
}

// Review makes a review of a form. What is wrong with the form is an Invalid fault with its fields.
func (g *Generator) Review(ctx context.Context, o Origin, f Form) (Review, error) {
	_, _, r, err := g.review(ctx, o, f)
	return r, err
}

func (g *Generator) review(ctx context.Context, o Origin, f Form) (b basis, p plan, r Review, err error) {
	if b, err = g.open(ctx, o); err != nil {
		return b, p, r, err
	}
	if p, err = g.plan(ctx, b, f); err != nil {
		return b, p, r, err
	}
	r = Review{Licenses: p.licenses, Previous: p.previous, Warnings: g.warnings(b, p)}
	if p.previous != nil {
		r.Differences = differences(b.catalog, *p.previous, p.licenses[0])
	}
	if b.replaces() {
		r.Revoked = &b.old.License
	}
	r.Mail = g.mail(b, p, slices.Repeat([]string{KeyPlace}, len(p.licenses)))
	r.Digest = digest(b, p, r)
	return b, p, r, nil
}

// plan accepts a form and reads what is on record about the servers that it names.
func (g *Generator) plan(ctx context.Context, b basis, f Form) (p plan, err error) {
	a, bad := f.accept(b.catalog)
	refused := func() error { return bad.Err("Nothing was issued.") }
	p = plan{version: a.version, datasets: map[license.Server]int64{}}
	if a.Server == "" {
		return p, refused()
	}
	if p.dataset, err = g.dataset(ctx, &p, a.Server); err != nil {
		return p, err
	}
	if err := g.beside(ctx, &p, &a, f.Mirrors, &bad); err != nil {
		return p, err
	}
	along, err := g.along(ctx, b, &p, a, &bad)
	if err != nil {
		return p, err
	}
	all, _, err := plugins(b.catalog, a.Edition, a.languages)
	if err != nil || len(bad) > 0 {
		return p, refused() // an edition or a language that there is not is in bad
	}
	first := a.License
	first.ID, first.Issued, first.Languages, first.Plugins = f.ID, b.today, a.languages, all
	e, _ := b.catalog.Edition(string(a.Edition))
	first.Features = e.Features
	if b.request != nil {
		first.Request = b.request.ID
	}
	if a.tailored {
		if p.jars, err = g.tailored(b, a, all); err != nil {
			bad.Refuse("productVersion", err)
			return p, refused()
		}
		first.Packages = []string{packageName(a.Edition, a.version, f.Token)}
	}
	p.licenses = []license.License{first}
	for i, old := range along {
		l := first
		l.ID, l.Type, l.Server, l.Mirrors = nthID(first.ID, i+1), license.Staging, old.Server, first.Server
		p.licenses = append(p.licenses, l)
		p.superseded = append(p.superseded, old.ID)
	}
	if b.replaces() {
		p.superseded = append(p.superseded, b.old.License.ID)
	}
	p.previous = p.before(b)
	return p, nil
}

func (g *Generator) tailored(b basis, a accepted, plugins []string) ([]catalog.Jar, error) {
	switch {
	case g.Packager == nil:
		return nil, fault.New(fault.Invalid, "Packages cannot be tailored here.")
	case a.version == "":
		return nil, fault.New(fault.Invalid, "Choose the version of the product that the package is for.")
	}
	return jars(b.catalog, a.Edition, a.version, plugins)
}

// dataset reads a server's dataset and notes that the plan was decided by it.
func (g *Generator) dataset(ctx context.Context, p *plan, server license.Server) (store.Dataset, error) {
	d, err := g.Records.Dataset(ctx, server)
	p.datasets[server] = d.Version
	return d, err
}

// beside finds the production license that a staging license stands beside, by its ID or by that of its server.
func (g *Generator) beside(ctx context.Context, p *plan, a *accepted, named string, bad *fault.Fields) error {
	if a.Type != license.Staging {
		p.staging = standing(p.dataset)
		return nil
	}
	named = strings.TrimSpace(named)
	if named == "" {
		bad.Add("mirrors", "Say which production license or server the staging server mirrors.")
		return nil
	}
	server, err := license.ParseServer(named)
	if err != nil {
		l, err := g.Records.License(ctx, strings.ToLower(named))
		switch {
		case fault.KindOf(err) == fault.NotFound:
			bad.Add("mirrors", "This is neither a server ID nor the ID of a license on record.")
			return nil
		case err != nil:
			return err
		case l.License.Type != license.Production:
			bad.Add("mirrors", "The license %s is not a production license.", l.License.ID)
			return nil
		}
		server = l.License.Server
	}
	d, err := g.dataset(ctx, p, server)
	if err != nil {
		return err
	}
	p.production = best(inForce(d.Licenses), license.Production, server)
	p.staging = slices.DeleteFunc(standing(d), func(r store.LicenseRecord) bool { return a.Succeeds(r.License) })
	a.Mirrors = server
	return nil
}

// along are the staging licenses that are renewed together with the first license.
func (g *Generator) along(ctx context.Context, b basis, p *plan, a accepted, bad *fault.Fields) (list []license.License, err error) {
	if len(a.staging) == 0 {
		return nil, nil
	}
	if a.Type != license.Production {
		bad.Add("staging", "Staging licenses are renewed together with a production license only.")
		return nil, nil
	}
	candidates, err := g.stagingOf(ctx, b)
	if err != nil {
		return nil, err
	}
	for _, c := range candidates {
		if slices.Contains(a.staging, c.License.ID) {
			if _, err := g.dataset(ctx, p, c.License.Server); err != nil {
				return nil, err
			}
			list = append(list, c.License)
		}
	}
	if len(list) != len(a.staging) {
		bad.Add("staging", "A staging license that was chosen cannot be renewed any more. Look at the list again.")
	}
	return list, nil
}

// before is the server's license before this one: the one that the operator came from, else the best one of its dataset, of
// the same type if there is any.
func (p plan) before(b basis) *license.License {
	if b.old != nil && b.kind != request.Staging {
		return &b.old.License
	}
	first, known := p.licenses[0], inForce(p.dataset.Licenses)
	if r := best(known, first.Type, first.Server); r != nil {
		return &r.License
	}
	if first.Type != license.Staging {
		if r := best(known, "", first.Server); r != nil {
			return &r.License
		}
	}
	return nil
}

// mail is the mail that brings the keys, one for each license.
func (g *Generator) mail(b basis, p plan, keys []string) mail.Message {
	delivered := slices.Clone(p.licenses)
	for i := range delivered {
		delivered[i].KeyText = keys[i]
	}
	return g.Site.LicenseKey(delivered[0].ID+"-key", letter.Delivery{
		To: delivered[0].Contacts[0], Licenses: delivered, ProductVersion: p.version, Catalog: b.catalog,
	})
}

// digest is of all that a review shows and of the versions of all that it was made from.
func digest(b basis, p plan, r Review) string {
	seen := struct {
		Review   Review
		Request  string
		Old      string
		Datasets map[license.Server]int64
		Jars     []catalog.Jar
	}{Review: r, Datasets: p.datasets, Jars: p.jars}
	if b.request != nil {
		seen.Request = fmt.Sprintf("%s %d", b.request.ID, b.request.Version)
	}
	if b.old != nil {
		seen.Old = fmt.Sprintf("%s %d", b.old.License.ID, b.old.Version)
	}
	data, err := json.Marshal(seen)
	if err != nil {
		panic("generator: encoding a review: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
