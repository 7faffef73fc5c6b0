package generator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

// Packager makes packages that are for one customer.
type Packager interface {
	// Tailor makes the package of the jars available to customers under a name, whole or not at all. The same name comes with
	// the same jars, any number of times.
	Tailor(ctx context.Context, name string, jars []catalog.Jar) error
}

var token = lazyregexp.New(`^[a-z2-7]{26}$`)

// validToken reports whether newToken can have made a token.
func validToken(s string) bool { return token().MatchString(s) }

// packageName is where a tailored package is found: nobody who does not know the token finds it.
func packageName(edition license.Edition, version, token string) string {
	return fmt.Sprintf("%s-edition-%s-%s.zip", edition, version, token)
}

// jars are those of an edition's package for a version of the product, and those of further plugins that packages of other
// editions for that version hold. What there is not for the version is an Invalid fault.
func jars(c *catalog.Catalog, edition license.Edition, version string, plugins []string) ([]catalog.Jar, error) {
	p, ok := c.Package(string(edition), version)
	switch {
	case edition != license.Community && !ok:
		return nil, fault.New(fault.Invalid, "There is no package of the %s for version %s.", edition.Name(), version)
	case p.Withdrawn != "":
		return nil, fault.New(fault.Invalid, "The package of the %s for version %s was withdrawn: %s", edition.Name(), version, p.Withdrawn)
	}
	list := slices.Clone(p.Jars)
	for _, plugin := range plugins {
		of := func(j catalog.Jar) bool { return j.Plugin == plugin }
		if slices.ContainsFunc(list, of) {
			continue
		}
		i := slices.IndexFunc(c.Packages, func(p catalog.Package) bool {
			return p.Version == version && p.Withdrawn == "" && slices.ContainsFunc(p.Jars, of)
		})
		if i < 0 {
			return nil, fault.New(fault.Invalid, "The plugin %s has no release for version %s.", plugin, version)
		}
		list = append(list, c.Packages[i].Jars[slices.IndexFunc(c.Packages[i].Jars, of)])
	}
	slices.SortFunc(list, func(a, b catalog.Jar) int { return strings.Compare(a.File, b.File) })
	return list, nil
}

// PackageForm is the form of a package for a license that is on record.
type PackageForm struct {
	Token          string   // token
	ProductVersion string   // productVersion
	Plugins        []string // plugins: keys of those beyond the edition
	Version        int64    // version: of the license as it was seen
}

// Tailorable is what a package can be tailored of for a license that is on record.
type Tailorable struct {
	License  store.LicenseRecord
	Plugins  []catalog.Plugin // those that the license covers beyond the edition
	Versions []string         // of the product, the newest first
}

// BeginPackage makes the form of a package for a license.
func (g *Generator) BeginPackage(ctx context.Context, id string) (PackageForm, Tailorable, error) {
	t, _, err := g.tailorable(ctx, id)
	if err != nil {
		return PackageForm{}, t, err
	}
	f := PackageForm{Token: newToken(), Version: t.License.Version}
	for _, p := range t.Plugins {
		f.Plugins = append(f.Plugins, p.Key)
	}
	if len(t.Versions) > 0 {
		f.ProductVersion = t.Versions[0]
	}
	return f, t, nil
}

func (g *Generator) tailorable(ctx context.Context, id string) (t Tailorable, c *catalog.Catalog, err error) {
	if g.Packager == nil {
		return t, nil, fault.New(fault.Unavailable, "Packages cannot be tailored here.")
	}
	if t.License, err = g.Records.License(ctx, id); err != nil {
		return t, nil, err
	}
	if c, err = g.Catalog(); err != nil {
		return t, nil, err
	}
	l := t.License.License
	if !l.Revoked.IsZero() {
		return t, nil, fault.New(fault.Conflict, "The license %s was revoked: nothing is made for it any more.", id)
	}
	e, _ := c.Edition(string(l.Edition))
	for _, p := range c.Plugins {
		if slices.Contains(l.Plugins, p.Key) && !slices.Contains(e.Plugins, p.Key) {
			t.Plugins = append(t.Plugins, p)
		}
	}
	for _, v := range slices.Backward(c.Versions) {
		if slices.Contains(v.Editions, string(l.Edition)) {
			t.Versions = append(t.Versions, v.Version)
		}
	}
	return t, c, nil
}

// Tailor makes a package for a license that is on record and lists it there. What is wrong with the form is an Invalid fault
// with its fields. The same form sent twice makes one package.
func (g *Generator) Tailor(ctx context.Context, id string, f PackageForm, by string) (file string, err error) {
	t, c, err := g.tailorable(ctx, id)
	if err != nil {
		return "", err
	}
	var bad fault.Fields
	if !validToken(f.Token) {
		bad.Add("token", "The form has lost the name of its package. Open it again.")
	}
	if !slices.Contains(t.Versions, f.ProductVersion) {
		bad.Add("productVersion", "Choose a version of the list.")
	}
	for _, key := range f.Plugins {
		if !slices.ContainsFunc(t.Plugins, func(p catalog.Plugin) bool { return p.Key == key }) {
			bad.Add("plugins", "The license does not cover the plugin %q beyond its edition, so a server would remove it.", key)
		}
	}
	if err := bad.Err("The package could not be made."); err != nil {
		return "", err
	}
	edition := t.License.License.Edition
	list, err := jars(c, edition, f.ProductVersion, f.Plugins)
	if err != nil {
		bad.Refuse("productVersion", err)
		return "", bad.Err("The package could not be made.")
	}
	file = packageName(edition, f.ProductVersion, f.Token)
	if slices.Contains(t.License.License.Packages, file) {
		return file, nil
	}
	if f.Version != t.License.Version {
		return "", fault.New(fault.Conflict, "Somebody changed the license %s while you looked at it. Look at it again, and repeat your change.", id)
	}
	if err := g.Packager.Tailor(ctx, file, list); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "The package could not be made, and nothing was changed. Try again in a few minutes.")
	}
	err = g.Records.AddPackage(ctx, store.LicenseChange{ID: id, Version: f.Version, By: by}, file)
	if fault.KindOf(err) == fault.Conflict {
		// What was faster may be this very form, sent twice.
		if now, again := g.Records.License(ctx, id); again == nil && slices.Contains(now.License.Packages, file) {
			return file, nil
		}
	}
	return file, err
}
