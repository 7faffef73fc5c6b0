package generator

import (
	"slices"
	"testing"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
)

func TestATailoredPackageHoldsTheEditionAndTheChosenPlugins(t *testing.T) {
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
		more    int // jars beside those of the edition's package; -1: refused
	}{
		{"the edition alone", c, license.Developer, "6.7.1", nil, 0},
		{"a plugin of a larger edition", c, license.Developer, "6.7.1", []string{"cobol"}, 1},
		{"a plugin that it has", c, license.Developer, "6.7.1", []string{"cpp"}, 0},
		{"community, which has no package", c, license.Community, "6.7.1", []string{"license", "cobol"}, 2},
		{"a plugin that there is not", c, license.Developer, "6.7.1", []string{"klingon"}, -1},
		{"a version that there is not", c, license.Developer, "5.6", nil, -1},
		{"a withdrawn package", &withdrawn, license.Developer, "6.7.1", nil, -1},
		{"a plugin of withdrawn packages alone", &withdrawn, license.Community, "6.7.1", []string{"cobol"}, -1},
	} {
		got, err := jars(test.catalog, test.edition, test.version, test.plugins)
		if test.more < 0 {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		own, _ := c.Package(string(test.edition), test.version)
		if err != nil || len(got) != len(own.Jars)+test.more {
			t.Errorf("%s: %d jars, %v; want %d and %d", test.name, len(got), err, len(own.Jars), test.more)
		}
		for _, plugin := range test.plugins {
			if !slices.ContainsFunc(got, func(j catalog.Jar) bool { return j.Plugin == plugin }) {
				t.Errorf("%s: no jar of %s", test.name, plugin)
			}
		}
	}
}
