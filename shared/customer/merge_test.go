package customer

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/fault"
)

// account is that of a customer into which others were merged directly.
func account(id string, merged ...string) Account {
	a := Account{Customer: Customer{ID: id, Name: "Customer " + id}}
	for _, m := range merged {
		a.Merged = append(a.Merged, Customer{ID: m, MergedInto: id, Survivor: id})
	}
	return a
}

func TestCheckMerge(t *testing.T) {
	var many []string
	for n := range MaxMerged {
		many = append(many, fmt.Sprint("m", n))
	}
	mergedAlready := account("a")
	mergedAlready.Customer.MergedInto = "z"
	for name, test := range map[string]struct {
		from, into Account
		want       fault.Kind
	}{
		"two customers":         {account("a"), account("b"), fault.Internal},
		"with others":           {account("a", "c"), account("b", "d"), fault.Internal},
		"itself":                {account("a"), account("a"), fault.Invalid},
		"merged already":        {mergedAlready, account("b"), fault.Conflict},
		"merged there":          {account("a"), account("b", "a"), fault.Conflict},
		"into a merged one":     {account("b"), mergedAlready, fault.Conflict},
		"a cycle":               {account("a", "b"), account("b"), fault.Conflict},
		"the last that fits":    {account("a", many[1:10]...), account("b", many[10:]...), fault.Internal},
		"one too many":          {account("a", many[:10]...), account("b", many[10:]...), fault.Conflict},
		"into one that is full": {account("a"), account("b", many...), fault.Conflict},
	} {
		err := CheckMerge(test.from, test.into)
		if got := fault.KindOf(err); got != test.want || (err == nil) != (test.want == fault.Internal) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

// TestMergingKeepsChainsFlat merges and unmerges at random and compares with following MergedInto.
func TestMergingKeepsChainsFlat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := map[string]Customer{}
		names := []string{"a", "b", "c", "d", "e"}
		for _, id := range names {
			all[id] = Customer{ID: id}
		}
		end := func(id string) string {
			for all[id].MergedInto != "" {
				id = all[id].MergedInto
			}
			return id
		}
		read := func(id string) (a Account) { // as the store does, by Survivor
			a.Customer = all[id]
			for _, n := range names {
				if all[n].Survivor == id {
					a.Merged = append(a.Merged, all[n])
				}
			}
			return a
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			one, two := rapid.SampledFrom(names).Draw(t, "one"), rapid.SampledFrom(names).Draw(t, "two")
			var changed []Customer
			var err error
			if rapid.Bool().Draw(t, "merge") {
				from, into := read(one), read(two)
				allowed := one != two && all[one].MergedInto == "" && all[two].MergedInto == ""
				if err = CheckMerge(from, into); (err == nil) != allowed {
					t.Fatalf("merging %s into %s: %v, allowed: %v", one, two, err, allowed)
				}
				if err == nil {
					changed = Merge(from, into)
				}
			} else if changed, err = Unmerge(read(end(one)), one); (err == nil) != (all[one].MergedInto != "") {
				t.Fatalf("unmerging %s: %v", one, err)
			}
			for _, c := range changed {
				all[c.ID] = c
			}
			if err == nil && changed[0].ID != one {
				t.Fatalf("%s is not the first that changes: %v", one, changed)
			}
			for _, id := range names {
				want := end(id)
				if want == id {
					want = ""
				}
				if all[id].Survivor != want {
					t.Fatalf("after %s and %s the survivor of %s is %q, want %q", one, two, id, all[id].Survivor, want)
				}
			}
		}
	})
}

func TestAccountFindsItsParts(t *testing.T) {
	a := Account{Contracts: []Contract{{ID: "k1"}, {ID: "k2"}},
		Instances: []Instance{production("p").with(License{ID: "l1"}), production("q").with(License{ID: "l2"})}}
	if i := a.Instance("q"); i != &a.Instances[1] || a.Instance("r") != nil {
		t.Errorf("got %v as instance q", i)
	}
	if k := a.Contract("k2"); k != &a.Contracts[1] || a.Contract("") != nil {
		t.Errorf("got %v as contract k2", k)
	}
	if i := a.InstanceOf("l2"); i != &a.Instances[1] || a.InstanceOf("l3") != nil {
		t.Errorf("got %v as instance of l2", i)
	}
	if got := ids(a.instances(Instance.InUse)); !slices.Equal(got, []string{"p", "q"}) {
		t.Errorf("got %v in use", got)
	}
}
