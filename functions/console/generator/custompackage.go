package generator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

// Packager makes packages for single customers.
type Packager interface {
	// MakePackage makes the package of the jars available to customers under a name, whole or not at all. Calls with
	// the same name have the same jars and may be repeated.
	MakePackage(ctx context.Context, name string, jars []catalog.Jar) error
}

// CustomPackages reports whether custom packages are available.
func (d *Draft) CustomPackages() bool { return d.generator.Packager != nil }

// customPackage returns the names of a license's custom package and its jars. What is wrong is an Invalid fault about
// the product version.
func (d *Draft) customPackage(l license.License) (names []string, list []catalog.Jar, err error) {
	switch {
	case d.generator.Packager == nil:
		return nil, nil, fault.New(fault.Invalid, "Custom packages are not available here.")
	case d.productVersion == "":
		return nil, nil, fault.New(fault.Invalid, "Select the product version for the custom package.")
	}
	list, err = jars(d.Catalog, l.Edition, d.productVersion, l.Plugins)
	return []string{packageName(l.Edition, d.productVersion, d.Form.Token)}, list, err
}

// packageName returns the name of a custom package: only who knows the token finds it.
func packageName(edition license.Edition, version, token string) string {
	return fmt.Sprintf("%s-edition-%s-%s.zip", edition, version, token)
}

// jars returns the jars of an edition's package for a product version, and those of further plugins from the packages
// of other editions. It returns an Invalid fault if the version lacks one of them.
func jars(c *catalog.Catalog, edition license.Edition, version string, plugins []string) ([]catalog.Jar, error) {
	p, ok := c.Package(string(edition), version)
	switch {
	case edition != license.Community && !ok:
		return nil, fault.New(fault.Invalid, "The %s has no package for version %s.", edition.Name(), version)
	case p.Withdrawn != "":
		return nil, fault.New(fault.Invalid, "The package of the %s for version %s was withdrawn: %s",
			edition.Name(), version, p.Withdrawn)
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

// PackageForm is the form of a custom package for a license on record. The comments name the page's fields.
type PackageForm struct {
	Token          string   // token
	ProductVersion string   // productVersion
	Plugins        []string // plugins: keys of those beyond the edition
	Version        int64    // version: of the license when the form was shown
}

// PackageChoices is what a custom package for a license on record can contain.
type PackageChoices struct {
	License  store.LicenseRecord
	Plugins  []catalog.Plugin // that the license covers beyond its edition
	Versions []string         // of the product, the newest first
}

// BeginPackage returns the form of a custom package for a license, with defaults.
func (g *Generator) BeginPackage(ctx context.Context, id string) (PackageForm, PackageChoices, error) {
	choices, _, err := g.packageChoices(ctx, id)
	if err != nil {
		return PackageForm{}, choices, err
	}
	f := PackageForm{Token: newToken(), Version: choices.License.Version}
	for _, p := range choices.Plugins {
		f.Plugins = append(f.Plugins, p.Key)
	}
	if len(choices.Versions) > 0 {
		f.ProductVersion = choices.Versions[0]
	}
	return f, choices, nil
}

func (g *Generator) packageChoices(ctx context.Context, id string) (p PackageChoices, c *catalog.Catalog, err error) {
	if g.Packager == nil {
		return p, nil, fault.New(fault.Unavailable, "Custom packages are not available here.")
	}
	if p.License, err = g.Records.License(ctx, id); err != nil {
		return p, nil, err
	}
	if c, err = g.Catalog(); err != nil {
		return p, nil, err
	}
	l := p.License.License
	if !l.Revoked.IsZero() {
		return p, nil, fault.New(fault.Conflict, "License %s was revoked, so no package can be made for it.", id)
	}
	e, _ := c.Edition(string(l.Edition))
	for _, plugin := range c.Plugins {
		if slices.Contains(l.Plugins, plugin.Key) && !slices.Contains(e.Plugins, plugin.Key) {
			p.Plugins = append(p.Plugins, plugin)
		}
	}
	for _, v := range slices.Backward(c.Versions) {
		if slices.Contains(v.Editions, string(l.Edition)) {
			p.Versions = append(p.Versions, v.Version)
		}
	}
	return p, c, nil
}

// MakePackage makes a custom package for a license on record and lists it there. It returns an Invalid fault with its
// fields for a wrong form, a Conflict fault if the license changed since the form was shown, and an Unavailable fault
// if the package could not be made. The same form sent twice makes one package.
func (g *Generator) MakePackage(ctx context.Context, id string, f PackageForm, by string) error {
	choices, c, err := g.packageChoices(ctx, id)
	if err != nil {
		return err
	}
	l := choices.License.License
	list, err := f.parse(choices, c)
	if err != nil {
		return err
	}
	file := packageName(l.Edition, f.ProductVersion, f.Token)
	if slices.Contains(l.Packages, file) {
		return nil
	}
	if f.Version != choices.License.Version {
		return fault.New(fault.Conflict, "Someone else changed license %s first. Check it, then try again.", id)
	}
	if err := g.Packager.MakePackage(ctx, file, list); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The package could not be created, so nothing was changed. "+
			"Try again in a few minutes.")
	}
	err = g.Records.AddPackage(ctx, store.LicenseChange{ID: id, Version: f.Version, By: by}, file)
	if fault.KindOf(err) == fault.Conflict {
		// The other change may be this very form, sent twice.
		if now, again := g.Records.License(ctx, id); again == nil && slices.Contains(now.License.Packages, file) {
			return nil
		}
	}
	return err
}

// parse checks the form and returns the jars of the package.
func (f PackageForm) parse(choices PackageChoices, c *catalog.Catalog) (list []catalog.Jar, err error) {
	var bad fault.Fields
	if !validToken(f.Token) {
		bad.Add("token", "Part of this form is missing. Open it again from the license.")
	}
	if !slices.Contains(choices.Versions, f.ProductVersion) {
		bad.Add("productVersion", "Select a version from the list.")
	}
	for _, key := range f.Plugins {
		covered := func(p catalog.Plugin) bool { return p.Key == key }
		if !slices.ContainsFunc(choices.Plugins, covered) {
			bad.Add("plugins",
				"The license does not cover the plugin %q beyond its edition, so a server would remove it.", key)
		}
	}
	if len(bad) == 0 {
		list, err = jars(c, choices.License.License.Edition, f.ProductVersion, f.Plugins)
		bad.Refuse("productVersion", err)
	}
	return list, bad.Err("The package was not created.")
}
