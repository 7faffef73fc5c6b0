package store_test

import (
	"slices"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

func dataset(t *testing.T, b *testEnv, server license.Server) store.Dataset {
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

func TestDatasetKnowsTheStagingLicensesOfItsServer(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2019-08-31"))
	before := dataset(t, b, "AWHW8w9JtzBzSrmf9GQX")
	add(t, b, mirror("s1"))
	got := dataset(t, b, "AWHW8w9JtzBzSrmf9GQX")
	if len(got.Licenses) != 1 || got.Licenses[0].License.ID != "l1" || len(got.Staging) != 1 ||
		got.Staging[0].License.ID != "s1" {
		t.Errorf("production server: got %+v, want license l1 and staging license s1", got)
	}
	if got.Version == before.Version {
		t.Error("got the same version after one more staging license, want another")
	}
	if got := dataset(t, b, "AWHW8w9JtzBzSrmf9STG"); len(got.Licenses) != 1 || len(got.Staging) != 0 {
		t.Errorf("staging server: got %+v, want its license alone", got)
	}
	found, err := b.FindByDataset(t.Context(), "AWHW8w9JtzBzSrmf9GQX", 10)
	if err != nil || len(found.Licenses) != 2 {
		t.Errorf("got %+v, %v, want both licenses", found, err)
	}
}

func TestIssueIsRefusedWhereADatasetChangedSinceItWasSeen(t *testing.T) {
	b := newTestEnv(t)
	seen := map[license.Server]int64{"AWHW8w9JtzBzSrmf9GQX": dataset(t, b, "AWHW8w9JtzBzSrmf9GQX").Version}
	add(t, b, expiring("l1", "2018-08-31"))
	other := expiring("l2", "2019-08-31")
	other.Server = "AWHW8w9JtzBzSrmf9GQZ"
	i := store.Issue{Licenses: []license.License{other}, By: "sam", Datasets: seen}
	if err := b.IssueLicenses(t.Context(), i); fault.KindOf(err) != fault.Conflict {
		t.Errorf("issuing by an old dataset: got %v, want a Conflict fault", err)
	}
	i.Datasets = map[license.Server]int64{"AWHW8w9JtzBzSrmf9GQX": dataset(t, b, "AWHW8w9JtzBzSrmf9GQX").Version}
	i.Confirmed = "It is the second."
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Error(err)
	}
	events, err := b.LicenseTimeline(t.Context(), "l2")
	if last := events[len(events)-1]; err != nil || last.Action != store.WarningsConfirmed ||
		last.Note != i.Confirmed || last.By != "sam" {
		t.Errorf("last event: got %+v, %v", last, err)
	}
}

func TestTailoredPackageIsListedOnce(t *testing.T) {
	b := newTestEnv(t)
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
		t.Errorf("with an old version: got %v, want a Conflict fault", err)
	}
	l, err = b.License(t.Context(), "l1")
	if err != nil || !slices.Equal(l.License.Packages, []string{"a.zip"}) {
		t.Errorf("got packages %v, %v, want one", l.License.Packages, err)
	}
	events, err := b.LicenseTimeline(t.Context(), "l1")
	if last := events[len(events)-1]; err != nil || last.Action != store.PackageTailored || last.Note != "a.zip" ||
		last.By != "sam" {
		t.Errorf("last event: got %+v, %v", last, err)
	}
}
