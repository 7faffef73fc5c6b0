package store_test

import (
	"slices"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

func dataset(t *testing.T, b *testEnv, server license.Server) store.Dataset {
	t.Helper()
	d, err := b.Dataset(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDatasetKnowsTheInstancesOfItsServers(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2019-08-31"))
	before := dataset(t, b, "AWHW8w9JtzBzSrmf9GQX")
	copied := expiring("s1", "2019-08-31")
	copied.Type, copied.Server, copied.Instance = license.Staging, "BF41A1F2-AWHW8w9JtzBzSrmf9GQX", "copy"
	add(t, b, copied)
	got := dataset(t, b, "AWHW8w9JtzBzSrmf9GQX")
	want := []store.InstanceName{{Customer: "acme", Instance: instanceOf(expiring("l1", "2019-08-31"))},
		{Customer: "acme", Instance: "copy"}}
	if !slices.Equal(got.Instances, want) || got.Version == before.Version {
		t.Errorf("got %+v after %+v, want %v in another version", got, before, want)
	}
	copied.ID = "s2"
	add(t, b, copied)
	if again := dataset(t, b, copied.Server); again.Version != got.Version {
		t.Errorf("one more license: got version %d, want %d", again.Version, got.Version)
	}
	if got := dataset(t, b, "AWHW8w9JtzBzSrmf9STG"); len(got.Instances) != 0 || got.Version != 0 {
		t.Errorf("another server: got %+v, want nothing", got)
	}
	found, err := search.New(b.Store).ByServer(t.Context(), "AWHW8w9JtzBzSrmf9GQX", 10)
	if err != nil || len(found.Instances) != 2 {
		t.Errorf("got %+v, %v, want both instances", found, err)
	}
}

func TestIssueIsRefusedWhereADatasetChangedSinceItWasSeen(t *testing.T) {
	b := newTestEnv(t)
	seen := map[license.Server]int64{"AWHW8w9JtzBzSrmf9GQX": dataset(t, b, "AWHW8w9JtzBzSrmf9GQX").Version}
	add(t, b, expiring("l1", "2018-08-31"))
	other := expiring("l2", "2019-08-31")
	other.Server = "AWHW8w9JtzBzSrmf9GQZ"
	i := complete(t, b, store.Issue{Licenses: []license.License{other}, By: "sam", Datasets: seen})
	if err := b.IssueLicenses(t.Context(), i); fault.KindOf(err) != fault.Conflict {
		t.Errorf("issuing by an old dataset: got %v, want a Conflict fault", err)
	}
	i.Datasets = map[license.Server]int64{"AWHW8w9JtzBzSrmf9GQX": dataset(t, b, "AWHW8w9JtzBzSrmf9GQX").Version}
	i.Confirmed = "It is the second."
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Error(err)
	}
	events := licenseEvents(t, b, "l2")
	if last := events[len(events)-1]; last.Action != store.WarningsConfirmed || last.Note != i.Confirmed ||
		last.By != "sam" {
		t.Errorf("last event: got %+v", last)
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
	events := licenseEvents(t, b, "l1")
	if last := events[len(events)-1]; last.Action != store.PackageTailored || last.Note != "a.zip" ||
		last.By != "sam" {
		t.Errorf("last event: got %+v", last)
	}
}
