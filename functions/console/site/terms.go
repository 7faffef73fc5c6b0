package site

import (
	"context"
	"slices"

	"marketplace/shared/license"
)

// termsView is what a license allows, as every page shows it.
type termsView struct {
	license.License
	Languages, Plugins, Features []string       // names
	StagingFor                   license.Server // the production server that it mirrors; "" for none, or none known
	Packages                     []packageLink  // its custom packages
	Several                      bool           // the terms of several licenses, each with a server and days of its own
}

// termsOf returns the terms of a license, without links.
func termsOf(l license.License, words vocabulary) termsView {
	v := termsView{
		License: l, Languages: namesOf(l.Languages, words.language), Plugins: namesOf(l.Plugins, words.plugin),
		Features: namesOf(l.Features, words.feature),
	}
	for _, file := range l.Packages {
		v.Packages = append(v.Packages, packageLink{Name: packageName(file)})
	}
	return v
}

// packagesDiffer reports whether a custom package has something that the package of the edition lacks: plugins beyond
// the edition, or any for the Community Edition, which has no package of its own. One that is on record counts too.
func (s *site) packagesDiffer(ctx context.Context, l license.License) bool {
	if l.Edition == license.Community || len(l.Packages) > 0 {
		return true
	}
	c := s.catalogNames(ctx)
	if c == nil {
		return true
	}
	e, ok := c.Edition(string(l.Edition))
	return !ok || slices.ContainsFunc(l.Plugins, func(key string) bool { return !slices.Contains(e.Plugins, key) })
}
