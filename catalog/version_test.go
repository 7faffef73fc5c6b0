package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"marketplace/catalog"
)

func TestVersionOrder(t *testing.T) {
	ascending := []string{"5.6", "5.6.1-SNAPSHOT", "5.6.1", "6.0-RC1", "6.0-RC2", "6.0", "6.0.0.1", "6.0.0.9999",
		"6.0.0.10083", "6.7", "6.7.2", "6.7.10", "6.10", "6.x", "10.0"}
	for i, a := range ascending {
		for j, b := range ascending {
			if got, want := sign(catalog.NewVersion(a).Compare(catalog.NewVersion(b))), sign(i-j); got != want {
				t.Errorf("%s and %s compare %d, want %d", a, b, got, want)
			}
		}
	}
	for _, equal := range [][2]string{{"6.7", "6.7.0"}, {"6.7", "06.07"}, {" 6.7 ", "6.7.0.0"}} {
		if catalog.NewVersion(equal[0]).Compare(catalog.NewVersion(equal[1])) != 0 {
			t.Errorf("%q differs", equal)
		}
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestVersionOrderIsTotal(t *testing.T) {
	version := rapid.Custom(func(t *rapid.T) catalog.Version {
		text := rapid.StringMatching(`[0-9x]{1,2}(\.[0-9x]{1,5}){0,4}(-[A-C]{1,2})?`)
		return catalog.NewVersion(text.Draw(t, "version"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if a.Compare(b) != -b.Compare(a) {
			t.Fatal("not antisymmetric")
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatal("not transitive")
		}
	})
}

func TestCompatibilityRanges(t *testing.T) {
	for sqVersions, want := range map[string]string{
		"[6.7,LATEST]":          "6.7 6.7.1 7.0 7.10",
		"LATEST":                "7.10",
		"[LATEST]":              "7.10",
		"[6.7,6.7*]":            "6.7 6.7.1",
		"[6.7,6.7.*]":           "6.7 6.7.1",
		"6.7*":                  "6.7 6.7.1",
		"[6.7*,LATEST]":         "6.7 6.7.1 7.0 7.10",
		"[6.7,6.7.1]":           "6.7 6.7.1",
		"[6.7.1,LATEST]":        "6.7.1 7.0 7.10",
		"[6.7]":                 "6.7",
		"6.7.1":                 "6.7.1",
		"6.7,7.0":               "6.7 7.0",
		"6.7, [7.0, LATEST]":    "6.7 7.0 7.10",
		"[6.7,6.7.1],[7.10]":    "6.7 6.7.1 7.10",
		"[1.0,99.0]":            "6.7 6.7.1 7.0 7.10",
		"[6.7,7.1]":             "6.7 6.7.1 7.0",
		"[6.7,7.1.x]":           "6.7 6.7.1 7.0",
		"7.*":                   "7.0 7.10",
		"[6.7.0,6.7.0]":         "6.7",
		"[6.7-SNAPSHOT,6.7]":    "6.7",
		"7.0-RC1":               "7.0",
		" [6.7,6.7.1] , [7.0],": "6.7 6.7.1 7.0",
	} {
		files := sound()
		for _, c := range []change{
			{versions, "6.7.1,7.0", "6.7.1,7.0,7.10"}, {versions, "", "7.10.date=2019-01-01"},
			{cpp, "[6.7,LATEST]", sqVersions}, {cpp, "archivedVersions=5.0", ""},
			{templates, "enterprise.plugins=license,cpp", "enterprise.plugins=cpp"},
		} {
			c.apply(t, files)
		}
		c, err := generate(files, options())
		if err != nil {
			t.Errorf("%s: got %v", sqVersions, err)
			continue
		}
		var got []string
		for _, v := range c.Versions {
			if slices.Contains(v.Editions, "enterprise") {
				got = append(got, v.Version)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", sqVersions, got, want)
		}
	}
}
