package generator

import (
	"slices"
	"testing"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
)

func TestCustomPackageHasEditionAndSelectedPlugins(t *testing.T) {
	c, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	withdrawn := *c
	withdrawn.Packages = slices.Clone(c.Packages)
	for i := range withdrawn.Packages {
		withdrawn.Packages[i].Withdrawn = "One of its plugins was broken."
	}
	for _, test := range []struct {
		name    string
		catalog *catalog.Catalog
		edition license.Edition
		version string
		plugins []string
		more    int // jars beyond those of the edition's package; -1: an error
	}{
		{"the edition alone", c, license.Developer, "6.7.1", nil, 0},
		{"a plugin of a larger edition", c, license.Developer, "6.7.1", []string{"cobol"}, 1},
		{"a plugin of the edition", c, license.Developer, "6.7.1", []string{"cpp"}, 0},
		{"community, which has no package", c, license.Community, "6.7.1", []string{"license", "cobol"}, 2},
		{"an unknown plugin", c, license.Developer, "6.7.1", []string{"klingon"}, -1},
		{"an unknown version", c, license.Developer, "5.6", nil, -1},
		{"a withdrawn package", &withdrawn, license.Developer, "6.7.1", nil, -1},
		{"a plugin only in withdrawn packages", &withdrawn, license.Community, "6.7.1", []string{"cobol"}, -1},
	} {
		got, err := jars(test.catalog, test.edition, test.version, test.plugins)
		if test.more < 0 {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: got error %v, want an invalid fault", test.name, err)
			}
			continue
		}
		own, _ := c.Package(string(test.edition), test.version)
		if err != nil || len(got) != len(own.Jars)+test.more {
			t.Errorf("%s: got %d jars, %v, want %d", test.name, len(got), err, len(own.Jars)+test.more)
		}
		for _, plugin := range test.plugins {
			if !slices.ContainsFunc(got, func(j catalog.Jar) bool { return j.Plugin == plugin }) {
				t.Errorf("%s: got no jar of %s", test.name, plugin)
			}
		}
	}
}
