package preview

import (
	"maps"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/marketplace"
)

// Draft is what the console says of the catalogs that it can show.
type Draft struct {
	Found     bool // a catalog is there to be published
	Published bool // the page shows the published one
	Site      string
	OtherSite bool     // it is for another site than this one, which will refuse it
	Changes   []Change // from the published catalog to this one
	// Show are the addresses of the two catalogs.
	ShowDraft, ShowPublished string
}

// Change is what a catalog says otherwise than another of a version.
type Change struct {
	Versions []string // that change alike
	New      bool     // only the second catalog has them
	Gone     bool     // only the first one has them
	What     []string // sentences
}

// PublishedCatalog is the value of the parameter catalog with which the console shows the published catalog although
// there is another one.
const PublishedCatalog = "published"

// Compare returns what servers read differently in two catalogs, oldest version first.
func Compare(from, to Source) (changes []Change) {
	versions := slices.Collect(maps.Keys(from.Editions))
	for v := range to.Editions {
		if _, ok := from.Editions[v]; !ok {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, func(a, b string) int { return catalog.NewVersion(a).Compare(catalog.NewVersion(b)) })
	for _, v := range versions {
		before, had := from.Editions[v]
		after, has := to.Editions[v]
		c := Change{Versions: []string{v}, New: !had, Gone: !has}
		if had && has {
			c.What = compareEntries(v, from, to, before, after)
			if len(c.What) == 0 {
				continue
			}
		} else {
			c.What = []string{names(before, after)}
		}
		alike := func(o Change) bool { return o.New == c.New && o.Gone == c.Gone && slices.Equal(o.What, c.What) }
		if i := slices.IndexFunc(changes, alike); i >= 0 {
			changes[i].Versions = append(changes[i].Versions, v)
			continue
		}
		changes = append(changes, c)
	}
	return changes
}

func names(before, after []marketplace.Entry) string {
	var list []string
	for _, e := range append(slices.Clone(before), after...) {
		list = append(list, e.Name)
	}
	return strings.Join(list, ", ")
}

func compareEntries(version string, from, to Source, before, after []marketplace.Entry) (what []string) {
	for _, edition := range license.Editions {
		is := func(e marketplace.Entry) bool { return e.Key == string(edition) }
		i, j := slices.IndexFunc(before, is), slices.IndexFunc(after, is)
		switch {
		case i < 0 && j >= 0:
			what = append(what, after[j].Name+": new for this version.")
		case i >= 0 && j < 0:
			what = append(what, before[i].Name+": no longer offered.")
		case i >= 0:
			what = append(what, compareEntry(before[i], after[j])...)
			what = append(what, compareJars(after[j].Name, edition, version, from, to)...)
		}
	}
	return what
}

func compareEntry(a, b marketplace.Entry) (what []string) {
	for _, field := range []struct{ name, before, after string }{
		{"name", a.Name, b.Name}, {"text", a.TextDescription, b.TextDescription}, {"page", a.HomeURL, b.HomeURL},
		{"request form", a.LicenseRequestURL, b.LicenseRequestURL},
		{"package", file(a.DownloadURL), file(b.DownloadURL)},
	} {
		if field.before != field.after {
			what = append(what, b.Name+": "+field.name+" is “"+field.after+"”, was “"+field.before+"”.")
		}
	}
	return what
}

// file is the last element of an address.
func file(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// compareJars says which plugins of a package are new, gone or of another release.
func compareJars(name string, edition license.Edition, version string, from, to Source) (what []string) {
	releases := func(s Source) map[string]string {
		list := map[string]string{}
		p, _ := s.Catalog.Package(string(edition), version)
		for _, jar := range p.Jars {
			list[jar.Plugin] = jar.Release
		}
		return list
	}
	before, after := releases(from), releases(to)
	both := maps.Clone(before)
	maps.Copy(both, after)
	for _, plugin := range slices.Sorted(maps.Keys(both)) {
		a, b := before[plugin], after[plugin]
		switch {
		case a == b:
		case a == "":
			what = append(what, name+": plugin "+plugin+" "+b+" is new.")
		case b == "":
			what = append(what, name+": plugin "+plugin+" "+a+" is gone.")
		default:
			what = append(what, name+": plugin "+plugin+" is "+b+", was "+a+".")
		}
	}
	return what
}
