package store_test

import (
	"slices"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

func dataset(t *testing.T, b *workbench, server license.Server) store.Dataset {
	t.Helper()
	d, err := b.Dataset(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mirror is a staging license of the server that expiring's licenses are for.
func mirror(id string) license.License {
	l := expiring(id, "2019-08-31")
	l.Type, l.Server, l.Mirrors = license.Staging, "AWHW8w9JtzBzSrmf9STG", "BF41A1F2-AWHW8w9JtzBzSrmf9GQX"
	return l
}

func TestADatasetKnowsTheStagingLicensesOfItsServer(t *testing.T) {
	b := newWorkbench(t)
	add(t, b, expiring("l1", "2019-08-31"))
	before := dataset(t, b, "AWHW8w9JtzBzSrmf9GQX")
	add(t, b, mirror("s1"))
	got := dataset(t, b, "AWHW8w9JtzBzSrmf9GQX")
	if len(got.Licenses) != 1 || got.Licenses[0].License.ID != "l1" || len(got.Staging) != 1 || got.Staging[0].License.ID != "s1" {
		t.Errorf("the production server has %+v", got)
	}
	if got.Version == before.Version {
		t.Error("one more staging license, and the version is the same")
	}
	if got := dataset(t, b, "AWHW8w9JtzBzSrmf9STG"); len(got.Licenses) != 1 || len(got.Staging) != 0 {
		t.Errorf("the staging server has %+v", got)
	}
	found, err := b.FindByDataset(t.Context(), "AWHW8w9JtzBzSrmf9GQX", 10)
	if err != nil || len(found.Licenses) != 2 {
		t.Errorf("found %+v, %v; want both licenses", found, err)
	}
}

func TestAnIssueIsRefusedWhereADatasetChangedSinceItWasSeen(t *testing.T) {
	b := newWorkbench(t)
	seen := map[license.Server]int64{"AWHW8w9JtzBzSrmf9GQX": dataset(t, b, "AWHW8w9JtzBzSrmf9GQX").Version}
	add(t, b, expiring("l1", "2018-08-31"))
	other := expiring("l2", "2019-08-31")
	other.Server = "AWHW8w9JtzBzSrmf9GQZ"
	i := store.Issue{Licenses: []license.License{other}, By: "sam", Datasets: seen}
	if err := b.IssueLicenses(t.Context(), i, nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("issued by an old dataset: %v", err)
	}
	i.Datasets = map[license.Server]int64{"AWHW8w9JtzBzSrmf9GQX": dataset(t, b, "AWHW8w9JtzBzSrmf9GQX").Version}
	i.Confirmed = "It is the second."
	if err := b.IssueLicenses(t.Context(), i, nil); err != nil {
		t.Error(err)
	}
	events, err := b.LicenseTimeline(t.Context(), "l2")
	if last := events[len(events)-1]; err != nil || last.Action != store.WarningsConfirmed || last.Note != i.Confirmed || last.By != "sam" {
		t.Errorf("the timeline ends with %+v, %v", last, err)
	}
}

func TestATailoredPackageIsListedOnce(t *testing.T) {
	b := newWorkbench(t)
	add(t, b, expiring("l1", "2018-08-31"))
	l, err := b.License(t.Context(), "l1")
	if err != nil {
		t.Fatal(err)
	}
	change := store.LicenseChange{ID: "l1", Version: l.Version, By: "sam"}
	for range 2 {
		if err := b.AddPackage(t.Context(), change, "a.zip"); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.AddPackage(t.Context(), change, "b.zip"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("with an old version: %v", err)
	}
	l, err = b.License(t.Context(), "l1")
	if err != nil || !slices.Equal(l.License.Packages, []string{"a.zip"}) {
		t.Errorf("packages %v, %v", l.License.Packages, err)
	}
	events, err := b.LicenseTimeline(t.Context(), "l1")
	if last := events[len(events)-1]; err != nil || last.Action != store.PackageTailored || last.Note != "a.zip" || last.By != "sam" {
		t.Errorf("the timeline ends with %+v, %v", last, err)
	}
}
