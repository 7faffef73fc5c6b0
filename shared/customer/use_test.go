package customer

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// differing is a license with a change.
func differing(l License, change func(*License)) License {
	change(&l)
	return l
}

func TestUseCountsInstancesInUse(t *testing.T) {
	this := key("k1", "2026-01-01", "2026-12-31")
	evaluation := this
	evaluation.Type = license.Evaluation
	for name, test := range map[string]struct {
		instances []Instance
		want      Use
	}{
		"none": {nil, Use{}},
		"one of each": {[]Instance{production("p", first).with(this), staging("s", "p", second).with(this)},
			Use{Production: 1, Staging: 1}},
		"two licenses of one instance": {[]Instance{production("p", first).with(this, this)}, Use{Production: 1}},
		"through its last day":         {[]Instance{production("p").with(key("k1", "2025-06-16", "2026-06-15"))}, Use{Production: 1}},
		"not on the day after":         {[]Instance{production("p").with(key("k1", "2025-06-15", "2026-06-14"))}, Use{}},
		"one that begins later":        {[]Instance{production("p").with(key("k1", "2026-07-01", "2027-06-30"))}, Use{Production: 1}},
		"not a revoked one":            {[]Instance{production("p").with(this.revoked())}, Use{}},
		"not a retired instance":       {[]Instance{production("p").with(this).retired()}, Use{}},
		"not under another contract":   {[]Instance{production("p").with(key("k2", "2026-01-01", "2026-12-31"))}, Use{}},
		"not an evaluation":            {[]Instance{production("p").with(evaluation)}, Use{}},
		"one renewed ahead is still used": {[]Instance{production("p").with(this, key("k2", "2027-01-01", "2027-12-31"))},
			Use{Production: 1}},
		"one that only the renewal has": {[]Instance{production("p").with(this.revoked(), key("k2", "2027-01-01", "2027-12-31"))},
			Use{}},
	} {
		a := Account{Instances: test.instances}
		if got := a.Use("k1", today); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
	a := Account{Instances: []Instance{production("p").with(this, key("k2", "2027-01-01", "2027-12-31"))}}
	if got := a.Use("k2", today); got != (Use{Production: 1}) {
		t.Errorf("got %+v of a renewal whose license begins later, want 1", got)
	}
}

func TestUseEqualsANaiveRecount(t *testing.T) {
	days := rapid.Custom(func(t *rapid.T) license.Date { return today.AddDays(rapid.IntRange(-2, 2).Draw(t, "days")) })
	rapid.Check(t, func(t *rapid.T) {
		a := Account{Instances: drawInstances(t)}
		for n := range a.Instances {
			for range rapid.IntRange(0, 3).Draw(t, "licenses") {
				l := License{Contract: rapid.SampledFrom([]string{"k1", "k2"}).Draw(t, "contract"),
					NotBefore: days.Draw(t, "first"), Expiration: days.Draw(t, "last")}
				if rapid.IntRange(0, 3).Draw(t, "revoked") == 0 {
					l = l.revoked()
				}
				a.Instances[n] = a.Instances[n].with(l)
			}
		}
		counted := map[request.Environment]map[string]bool{request.ProductionUse: {}, request.StagingUse: {}}
		for _, i := range a.Instances {
			for _, l := range i.Licenses {
				valid := l.Revoked.IsZero() && l.Expiration.End().After(today.Start())
				if valid && i.Retired.IsZero() && l.Contract == "k1" {
					counted[i.Environment][i.ID] = true
				}
			}
		}
		want := Use{len(counted[request.ProductionUse]), len(counted[request.StagingUse])}
		if got := a.Use("k1", today); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestStagingOfProductionIsThatInUse(t *testing.T) {
	this := key("k1", "2026-01-01", "2026-12-31")
	one, two, three := staging("s1", "p").with(this), staging("s2", "p").with(this), staging("s3", "p").with(this)
	a := Account{
		Contracts: []Contract{contract("k1", "", "2026-01-01", "2026-12-31", 1, 3),
			contract("k2", "k1", "2027-01-01", "2027-12-31", 1, 1)},
		Instances: []Instance{production("p").with(this), one, two, three, staging("s4", "p").with(this).retired(),
			staging("s5", "p").with(this.revoked())},
	}
	if got := ids(a.StagingOf("p")); !slices.Equal(got, []string{"s1", "s2", "s3", "s5"}) {
		t.Errorf("got %v as staging of p, want those in use", got)
	}
	if got := a.StagingOf(""); got != nil {
		t.Errorf("got %v as staging of an unknown production", ids(got))
	}
}

func TestOutstanding(t *testing.T) {
	old := key("k1", "2025-07-01", "2026-06-30")
	smaller := terms
	smaller.Edition, smaller.Support = license.Developer, false
	k1 := contract("k1", "", "2025-07-01", "2026-06-30", 2, 2)
	k2 := contract("k2", "k1", "2026-07-01", "2027-06-30", 2, 2)
	developer := k2
	developer.Terms = smaller
	unpaid := k2
	unpaid.Ended = at(100)
	begun := contract("k2", "k1", "2026-06-01", "2027-05-31", 2, 2)
	late := contract("k2", "k1", "2026-06-10", "2027-06-09", 2, 2)
	unpaidBefore := contract("k1", "", "2025-07-01", "2026-12-31", 2, 2)
	unpaidBefore.Ended = day("2026-05-31").Start()
	ranOut := contract("k1", "", "2025-06-01", "2026-05-31", 2, 2)
	years := contract("k3", "", "2026-01-01", "2028-12-31", 2, 2)
	p, s := production("p", first), staging("s", "p", second)
	for name, test := range map[string]struct {
		contracts []Contract
		of        string
		instances []Instance
		want      []string
	}{
		"renewed, nothing issued yet":   {[]Contract{k1, k2}, "k2", []Instance{p.with(old), s.with(old)}, []string{"p", "s"}},
		"renewed, production is issued": {[]Contract{k1, k2}, "k2", []Instance{p.with(old, key("k2", "2026-07-01", "2027-06-30")), s.with(old)}, []string{"s"}},
		"renewed, all are issued":       {[]Contract{k1, k2}, "k2", []Instance{p.with(old, key("k2", "2026-07-01", "2027-06-30"))}, nil},
		"renewed, the new key revoked":  {[]Contract{k1, k2}, "k2", []Instance{p.with(old, key("k2", "2026-07-01", "2027-06-30").revoked())}, []string{"p"}},
		"the renewed one itself":        {[]Contract{k1, k2}, "k1", []Instance{p.with(old)}, nil},
		"a retired instance":            {[]Contract{k1, k2}, "k2", []Instance{p.with(old).retired()}, nil},
		"an instance without a license": {[]Contract{k1, k2}, "k2", []Instance{p}, nil},
		"a revoked license":             {[]Contract{k1, k2}, "k2", []Instance{p.with(old.revoked())}, nil},
		"of another contract":           {[]Contract{k1, k2, years}, "k2", []Instance{p.with(key("k3", "2026-01-01", "2026-12-31"))}, nil},
		"ended early":                   {[]Contract{k1, unpaid}, "k2", []Instance{p.with(old)}, nil},
		"expired":                       {[]Contract{ranOut}, "k1", []Instance{p.with(key("k1", "2025-06-01", "2026-07-31").lines(5))}, nil},
		"does not exist":                {[]Contract{k1}, "k9", []Instance{p.with(old)}, nil},
		"no staging in the terms":       {[]Contract{k1, developer}, "k2", []Instance{p.with(old), s.with(old)}, []string{"p"}},

		"renewed too late": {[]Contract{ranOut, late}, "k2", []Instance{p.with(key("k1", "2025-06-01", "2026-05-31"))},
			[]string{"p"}},
		"renewed too late, the key had ended long before": {[]Contract{ranOut, late}, "k2",
			[]Instance{p.with(key("k1", "2025-06-01", "2025-12-31"))}, nil},
		"the key begins after the old one, inside the contract": {[]Contract{k1, begun}, "k2",
			[]Instance{p.with(old, key("k2", "2026-07-01", "2027-05-31"))}, nil},
		"the key leaves a gap": {[]Contract{k1, begun}, "k2",
			[]Instance{p.with(old, key("k2", "2026-07-02", "2027-05-31"))}, []string{"p"}},

		"more lines of code in the middle": {[]Contract{k1}, "k1",
			[]Instance{p.with(old.lines(500)), s.with(old.lines(500).revoked(), old)}, []string{"p"}},
		"more lines of code, renewed ahead": {[]Contract{k1, k2}, "k2",
			[]Instance{p.with(old, key("k2", "2026-07-01", "2027-06-30").lines(500))}, []string{"p"}},
		"another edition": {[]Contract{k1}, "k1", []Instance{p.with(differing(old, func(l *License) { l.Edition = license.DataCenter }))},
			[]string{"p"}},
		"without support": {[]Contract{k1}, "k1", []Instance{p.with(differing(old, func(l *License) { l.Support = false }))},
			[]string{"p"}},
		"more languages": {[]Contract{k1}, "k1",
			[]Instance{p.with(differing(old, func(l *License) { l.Languages = []string{"cobol", "rpg"} }))}, []string{"p"}},
		"renewed with a gap": {[]Contract{contract("k1", "", "2025-06-21", "2026-06-20", 2, 2), k2}, "k2",
			[]Instance{p.with(key("k1", "2025-06-21", "2026-06-20"), key("k2", "2026-07-01", "2027-06-30"))}, nil},
		"the key ends before the contract begins": {[]Contract{k1, k2}, "k2",
			[]Instance{p.with(key("k2", "2026-06-01", "2026-06-20"))}, []string{"p"}},
		"renewed after it ended early": {[]Contract{unpaidBefore, late}, "k2",
			[]Instance{p.with(key("k1", "2025-07-01", "2026-05-31"))}, []string{"p"}},
		"without the languages": {[]Contract{k1}, "k1", []Instance{p.with(License{Contract: "k1", Edition: terms.Edition,
			MaxLoc: terms.MaxLoc, Support: true, NotBefore: old.NotBefore, Expiration: old.Expiration})}, []string{"p"}},

		"yearly keys, this year's": {[]Contract{years}, "k3", []Instance{p.with(key("k3", "2026-01-01", "2026-12-31"))}, nil},
		"yearly keys, last year's": {[]Contract{contract("k3", "", "2025-01-01", "2027-12-31", 1, 1)}, "k3",
			[]Instance{p.with(key("k3", "2025-01-01", "2025-12-31"))}, nil}, // NextKeys has it
		"yearly keys, this year's on old terms": {[]Contract{years}, "k3",
			[]Instance{p.with(key("k3", "2026-01-01", "2026-12-31").lines(5))}, []string{"p"}},
		"yearly keys, only the next year's on the new terms": {[]Contract{years}, "k3",
			[]Instance{p.with(key("k3", "2026-01-01", "2026-12-31").lines(5), key("k3", "2027-01-01", "2028-12-31"))},
			[]string{"p"}},
		"yearly keys, the next year's on old terms": {[]Contract{years}, "k3",
			[]Instance{p.with(key("k3", "2026-01-01", "2026-12-31"), key("k3", "2027-01-01", "2027-12-31").lines(5))},
			[]string{"p"}},
		"yearly keys, a longer one instead of the next year's": {[]Contract{years}, "k3",
			[]Instance{p.with(key("k3", "2026-01-01", "2028-12-31"), key("k3", "2027-01-01", "2027-12-31").lines(5))}, nil},
	} {
		a := Account{Contracts: test.contracts, Instances: test.instances}
		if got := ids(a.Outstanding(test.of, today)); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestIssuingTheOutstandingKeysEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Account{Instances: drawInstances(t), Contracts: []Contract{
			contract("k1", "", "2025-07-01", "2026-06-30", 2, 2), contract("k2", "k1", "2026-07-01", "2027-06-30", 2, 2),
		}}
		for n := range a.Instances {
			last := rapid.SampledFrom([]string{"2026-06-30", "2026-06-14", "2026-07-31"}).Draw(t, "last")
			k := key("k1", "2025-07-01", last)
			a.Instances[n] = a.Instances[n].with(k.lines(rapid.SampledFrom([]int64{5, terms.MaxLoc}).Draw(t, "lines")))
		}
		missing := a.Outstanding("k2", today)
		for left := len(missing); left > 0; left-- {
			got := a.Outstanding("k2", today)
			if len(got) != left {
				t.Fatalf("got %v, want %d instances", ids(got), left)
			}
			one := a.Instance(got[0].ID)
			*one = one.with(key("k2", one.Licenses[1].Expiration.AddDays(1).String(), "2027-06-30"))
		}
		if got := a.Outstanding("k2", today); len(got) > 0 {
			t.Fatalf("got %v after all were issued", ids(got))
		}
		if u := a.Use("k2", today); u.Production+u.Staging != len(missing) {
			t.Fatalf("%+v use the contract, want the %d that were issued", u, len(missing))
		}
	})
}

func TestNextKeysAreThoseOfYearlyKeys(t *testing.T) {
	years := contract("k1", "", "2025-01-01", "2027-12-31", 9, 9)
	this, next := key("k1", "2026-01-01", "2026-12-31"), key("k1", "2027-01-01", "2027-12-31")
	instances := []Instance{
		production("this-year").with(this),
		production("sooner").with(key("k1", "2025-09-01", "2026-08-31")),
		production("lapsed").with(key("k1", "2025-01-01", "2025-12-31")),
		production("has-the-next").with(this, next),
		production("next-revoked").with(this, next.revoked()),
		production("retired").with(this).retired(),
		production("revoked").with(this.revoked()),
		production("to-the-end").with(key("k1", "2025-01-01", "2027-12-31")),
		production("other-contract").with(key("k2", "2026-01-01", "2026-12-31")),
		production("renewed-elsewhere").with(this, key("k2", "2027-01-01", "2027-12-31")),
		production("gap").with(this, key("k2", "2027-01-02", "2027-12-31")),
		staging("staging", "this-year").with(this),
	}
	a := Account{Contracts: []Contract{years}, Instances: instances}
	want := []string{"lapsed", "sooner", "this-year", "next-revoked", "gap", "staging"}
	if got := ids(a.NextKeys("k1", today)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	a.Contracts[0].Terms = Terms{Edition: license.Developer, MaxLoc: 1}
	if got := ids(a.NextKeys("k1", today)); slices.Contains(got, "staging") {
		t.Errorf("got %v, want no staging: the terms do not allow it", got)
	}
	if got := a.NextKeys("k1", day("2028-01-01")); got != nil {
		t.Errorf("got %v of an expired contract", ids(got))
	}
	a.Contracts[0].Ended = at(100)
	if got := a.NextKeys("k1", today); got != nil {
		t.Errorf("got %v of a contract that ended early", ids(got))
	}
}

func TestEvaluationsOfACustomer(t *testing.T) {
	evaluation := func(id, last string) License {
		return License{ID: id, Type: license.Evaluation, Expiration: day(last)}
	}
	a := Account{Instances: []Instance{
		production("p").with(evaluation("past", "2026-06-14"), evaluation("open", "2026-06-15"), key("k1", "2026-01-01", "2026-12-31")),
		production("q").with(evaluation("revoked", "2026-06-30").revoked()),
		production("r").with(evaluation("retired", "2026-06-30")).retired(),
	}}
	names := func(list []License) (names []string) {
		for _, l := range list {
			names = append(names, l.ID)
		}
		return names
	}
	if got, want := names(a.AllEvaluations()), []string{"past", "open", "revoked", "retired"}; !slices.Equal(got, want) {
		t.Errorf("got %v in all, want %v", got, want)
	}
	if got, want := names(a.OpenEvaluations(today)), []string{"open"}; !slices.Equal(got, want) {
		t.Errorf("got %v open, want %v", got, want)
	}
}
