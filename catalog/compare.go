package catalog

import "slices"

// Difference is what one edition has and another has not.
type Difference struct {
	Features  []Feature
	Languages []Language
	Plugins   []Plugin
}

// Empty reports whether there is no difference.
func (d Difference) Empty() bool { return len(d.Features)+len(d.Languages)+len(d.Plugins) == 0 }

// Beyond returns what an edition has beyond another one; all that it has if the other one does not exist.
func (c *Catalog) Beyond(edition, other string) (d Difference) {
	e, _ := c.Edition(edition)
	o, _ := c.Edition(other)
	added := func(has, had []string, key string) bool {
		return slices.Contains(has, key) && !slices.Contains(had, key)
	}
	for _, f := range c.Features {
		if added(e.Features, o.Features, f.Key) {
			d.Features = append(d.Features, f)
		}
	}
	for _, l := range c.Languages {
		if added(e.Languages, o.Languages, l.Key) {
			d.Languages = append(d.Languages, l)
		}
	}
	for _, p := range c.Plugins {
		if added(e.Plugins, o.Plugins, p.Key) {
			d.Plugins = append(d.Plugins, p)
		}
	}
	return d
}

// Change is what changed in an edition's package from one version of the product to the next.
type Change struct {
	ProductVersion
	Package *Package // nil: the edition has none for this version
	Before  string   // the version before it with a package; "" for the first
	Added   []PluginChange
	Removed []PluginChange
	Updated []PluginChange
	Same    int // number of plugins with the same release as before
}

// PluginChange is a plugin whose release is another one than in the version before.
type PluginChange struct {
	Plugin
	From, To string // releases; "" where there was or is none
}

// Changes returns what changed in an edition for each version of the product that has it, newest first.
func (c *Catalog) Changes(edition string) (list []Change) {
	var before Package
	for _, v := range c.Versions {
		if !slices.Contains(v.Editions, edition) {
			continue
		}
		change := Change{ProductVersion: v}
		if p, ok := c.Package(edition, v.Version); ok {
			change.Package, change.Before = &p, before.Version
			if before.Version != "" {
				c.compare(&change, before.Jars, p.Jars)
			}
			before = p
		}
		list = append(list, change)
	}
	slices.Reverse(list)
	return list
}

// compare notes what changed from some jars to others.
func (c *Catalog) compare(change *Change, from, to []Jar) {
	releases := func(jars []Jar) map[string]string {
		of := make(map[string]string)
		for _, j := range jars {
			of[j.Plugin] = j.Release
		}
		return of
	}
	old, now := releases(from), releases(to)
	for _, p := range c.Plugins {
		next := PluginChange{p, old[p.Key], now[p.Key]}
		switch {
		case next.From == next.To:
			if next.To != "" {
				change.Same++
			}
		case next.From == "":
			change.Added = append(change.Added, next)
		case next.To == "":
			change.Removed = append(change.Removed, next)
		default:
			change.Updated = append(change.Updated, next)
		}
	}
}
