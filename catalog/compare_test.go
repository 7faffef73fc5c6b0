package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/catalog"
)

func TestEditionAddsToTheOneBelow(t *testing.T) {
	c := sampleCatalog(t)
	var ladder []string
	for _, e := range c.Ladder() {
		ladder = append(ladder, e.Key)
	}
	if got := strings.Join(ladder, " "); got != "community developer enterprise datacenter" {
		t.Errorf("got editions %s, want them from the smallest to the largest", got)
	}
	d := c.Beyond("enterprise", "developer")
	var got []string
	for _, f := range d.Features {
		got = append(got, f.Key)
	}
	for _, l := range d.Languages {
		got = append(got, l.Key)
	}
	for _, p := range d.Plugins {
		got = append(got, p.Key)
	}
	if got := strings.Join(got, " "); got != "portfolios reports parallel-processing cobol pli rpg vb "+
		"cobol governance pli rpg vb" {
		t.Errorf("got %s beyond Developer", got)
	}
	if !c.Beyond("developer", "enterprise").Empty() || !c.Beyond("gold", "enterprise").Empty() {
		t.Error("got a difference of a smaller edition, want none")
	}
	if whole := c.Beyond("datacenter", ""); len(whole.Plugins) != 15 || len(whole.Languages) != 21 {
		t.Errorf("largest edition: got %d plugins and %d languages, want all", len(whole.Plugins), len(whole.Languages))
	}
}

func TestChangesNameThePluginsOfEachVersion(t *testing.T) {
	c := sampleCatalog(t)
	var got []string
	for _, change := range c.Changes("enterprise") {
		line := fmt.Sprintf("%s after %q: %d same", change.Version, change.Before, change.Same)
		for _, p := range change.Updated {
			line += fmt.Sprintf(", %s %s to %s", p.Key, p.From, p.To)
		}
		if len(change.Added)+len(change.Removed) > 0 || change.Package.Version != change.Version {
			t.Errorf("%s: got %+v", change.Version, change)
		}
		got = append(got, line)
	}
	want := []string{
		`7.1 after "7.0": 11 same, branch 7.0 to 7.1, developer 7.0 to 7.1, governance 7.0 to 7.1`,
		`7.0 after "6.7.4": 11 same, branch 1.0 to 7.0, developer 1.0 to 7.0, governance 2.0.2 to 7.0`,
		`6.7.4 after "6.7.3": 14 same`, `6.7.3 after "6.7.2": 14 same`, `6.7.2 after "6.7.1": 14 same`,
		`6.7.1 after "6.7": 14 same`, `6.7 after "": 0 same`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, change := range c.Changes("community") {
		if change.Package != nil || change.Before != "" {
			t.Errorf("community %s: got %+v, want no package", change.Version, change)
		}
	}
	if got := c.Changes("gold"); got != nil {
		t.Errorf("unknown edition: got %v", got)
	}
}

func TestChangesSkipVersionsWithoutTheEdition(t *testing.T) {
	jars := func(plugins ...string) (list []catalog.Jar) {
		for _, p := range plugins {
			list = append(list, catalog.Jar{File: p + ".jar", Plugin: p, Release: "1.0"})
		}
		return list
	}
	c := &catalog.Catalog{
		Plugins: []catalog.Plugin{{Key: "abap"}, {Key: "cobol"}, {Key: "license"}},
		Versions: []catalog.ProductVersion{{Version: "6.7", Editions: []string{"developer"}}, {Version: "7.0"},
			{Version: "7.1", Editions: []string{"developer"}}},
		Packages: []catalog.Package{
			{Edition: "developer", Version: "6.7", Jars: jars("license", "abap")},
			{Edition: "developer", Version: "7.1", Jars: jars("license", "cobol")},
		},
	}
	changes := c.Changes("developer")
	if len(changes) != 2 || changes[0].Before != "6.7" || changes[0].Same != 1 ||
		len(changes[0].Added) != 1 || changes[0].Added[0].Key != "cobol" ||
		len(changes[0].Removed) != 1 || changes[0].Removed[0].Key != "abap" {
		t.Errorf("got %+v, want cobol added and abap removed since 6.7", changes)
	}
}
