package customer

import (
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license"
)

// draft is a license of the terms that is to be issued under k1.
func draft(id string, of license.Type) license.License {
	return license.License{ID: "new-" + id, Type: of, Instance: id, Contract: "k1", Edition: terms.Edition,
		MaxLoc: terms.MaxLoc, Languages: terms.Languages, Support: terms.Support, NotBefore: day("2026-06-15"),
		Expiration: day("2026-12-31")}
}

func TestBeyondFindsEachExcess(t *testing.T) {
	this := key("k1", "2026-01-01", "2026-12-31")
	c := contract("k1", "", "2026-01-01", "2026-12-31", 1, 1)
	for name, test := range map[string]struct {
		contract func(*Contract)
		license  func(*license.License)
		want     []Excess
	}{
		"within":                          {nil, nil, nil},
		"a smaller edition":               {nil, func(l *license.License) { l.Edition = license.Developer }, nil},
		"fewer lines of code":             {nil, func(l *license.License) { l.MaxLoc-- }, nil},
		"no additional language":          {nil, func(l *license.License) { l.Languages = nil }, nil},
		"without support":                 {nil, func(l *license.License) { l.Support = false }, nil},
		"a shorter term":                  {nil, func(l *license.License) { l.Expiration = l.Expiration.AddDays(-1) }, nil},
		"an evaluation is of no contract": {nil, func(l *license.License) { l.Type, l.MaxLoc = license.Evaluation, 1e9 }, nil},
		"a larger edition": {nil, func(l *license.License) { l.Edition = license.DataCenter },
			[]Excess{{BeyondEdition, "Data Center Edition", "Enterprise Edition", ""}}},
		"an unknown edition": {nil, func(l *license.License) { l.Edition = "ultimate" },
			[]Excess{{BeyondEdition, "ultimate", "Enterprise Edition", ""}}},
		"more lines of code": {nil, func(l *license.License) { l.MaxLoc++ },
			[]Excess{{BeyondLoc, "1'000'001", "1'000'000", ""}}},
		"more languages": {nil, func(l *license.License) { l.Languages = []string{"cobol", "abap", "rpg"} },
			[]Excess{{BeyondLanguages, "abap, rpg", "cobol", ""}}},
		"support": {func(c *Contract) { c.Support = false }, nil, []Excess{{Code: BeyondSupport}}},
		"a longer term": {nil, func(l *license.License) { l.Expiration = day("2027-01-01") },
			[]Excess{{BeyondLast, "01 Jan 2027", "31 Dec 2026", ""}}},
		"an earlier start": {nil, func(l *license.License) { l.NotBefore = day("2025-12-31") },
			[]Excess{{BeforeFirst, "31 Dec 2025", "01 Jan 2026", ""}}},
		"no start, before the contract's": {func(c *Contract) { c.First = day("2026-06-16") },
			func(l *license.License) { l.NotBefore = license.Date{} },
			[]Excess{{BeforeFirst, "15 Jun 2026", "16 Jun 2026", ""}}},
		"no start, inside the contract": {nil, func(l *license.License) { l.NotBefore = license.Date{} }, nil},
		"ended early": {func(c *Contract) { c.Ended, c.EndedReason = at(100), "unpaid" }, nil,
			[]Excess{{EndedEarly, "", "10 Apr 2026", "unpaid"}}},
		"expired": {func(c *Contract) { c.Last = day("2026-06-14") },
			func(l *license.License) { l.Expiration = day("2026-06-14") }, []Excess{{Expired, "", "14 Jun 2026", ""}}},
		"on its last day": {func(c *Contract) { c.Last = today },
			func(l *license.License) { l.Expiration = today }, nil},
		"production beyond the count": {func(c *Contract) { c.Production = 0 }, nil,
			[]Excess{{BeyondProduction, "1", "0", ""}}},
		"a new instance beyond the count": {nil, func(l *license.License) { l.Instance = "" },
			[]Excess{{BeyondProduction, "2", "1", ""}}},
		"staging beyond the count": {nil, func(l *license.License) { l.Type, l.Instance = license.Staging, "" },
			[]Excess{{BeyondStaging, "2", "1", ""}}},
		"staging that the terms bar": {func(c *Contract) { c.Edition, c.Support = license.Developer, false },
			func(l *license.License) {
				l.Type, l.Instance, l.Edition, l.Support = license.Staging, "s", license.Developer, false
			},
			[]Excess{{Code: StagingBarred}}},
		"staging of developer with support": {func(c *Contract) { c.Edition = license.Developer },
			func(l *license.License) { l.Type, l.Instance, l.Edition = license.Staging, "s", license.Developer }, nil},
		"several": {func(c *Contract) { c.Ended = at(100) },
			func(l *license.License) { l.MaxLoc, l.Expiration = l.MaxLoc+1, day("2027-01-01") },
			[]Excess{{EndedEarly, "", "10 Apr 2026", ""}, {BeyondLoc, "1'000'001", "1'000'000", ""},
				{BeyondLast, "01 Jan 2027", "31 Dec 2026", ""}}},
	} {
		c, l := c, draft("p", license.Production)
		if test.contract != nil {
			test.contract(&c)
		}
		if test.license != nil {
			test.license(&l)
		}
		a := Account{Contracts: []Contract{c},
			Instances: []Instance{production("p", first).with(this), staging("s", "p", second).with(this)}}
		if got := a.Beyond(c, l, nil, today); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestBeyondCountsWhatIsIssuedTogether(t *testing.T) {
	c := contract("k1", "", "2026-01-01", "2026-12-31", 1, 2)
	a := Account{Contracts: []Contract{c}, Instances: []Instance{production("p", first), staging("s", "p", second)}}
	p, s, fresh := draft("p", license.Production), draft("s", license.Staging), draft("", license.Staging)
	evaluation := draft("", license.Evaluation)
	for name, test := range map[string]struct {
		with []license.License
		want []Excess
	}{
		"one of each":                      {[]license.License{p, fresh, evaluation}, nil},
		"the same instance again":          {[]license.License{p, s, fresh}, nil},
		"two new ones and a known":         {[]license.License{p, fresh, fresh}, []Excess{{BeyondStaging, "3", "2", ""}}},
		"production of others is not mine": {[]license.License{p, draft("", license.Production)}, nil},
	} {
		if got := a.Beyond(c, s, test.with, today); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestEveryExcessHasASentence(t *testing.T) {
	for _, code := range Codes {
		got := Excess{Code: code, License: "LICENSE", Contract: "CONTRACT", Reason: "REASON"}.Sentence()
		if got == string(code) || !strings.HasSuffix(got, ".") || strings.Contains(got, "%!") {
			t.Errorf("%s reads as %q", code, got)
		}
	}
	got := Excess{Code: EndedEarly, Contract: "10 Apr 2026"}.Sentence()
	if want := "The contract ended early, on 10 Apr 2026."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
