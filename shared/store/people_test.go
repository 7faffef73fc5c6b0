package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table/tabletest"
)

// decided is what an operator decides by what they see of customers a and b, which each have what acme puts on record.
type decided func(ctx context.Context, m memoryEnv, a, b store.AccountChange) error

// decisions are all changes that need the account as the operator saw it.
var decisions = map[string]decided{
	"issue": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		r, err := m.License(ctx, "a-l0")
		if err != nil {
			return err
		}
		l := r.License
		l.ID, l.NotBefore, l.Expiration, l.Successor = m.newID(), day("2019-01-01"), day("2019-12-31"), ""
		return m.IssueLicenses(ctx, store.Issue{By: a.By, Licenses: []license.License{l},
			Accounts: map[string]int64{a.Customer: a.Version}})
	},
	"amend a contract": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		k := m.contract("a", "a-k", "2019-12-31")
		return m.IssueLicenses(ctx, store.Issue{By: a.By, Contracts: []customer.Contract{k},
			Accounts: map[string]int64{a.Customer: a.Version}})
	},
	"save": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		return m.SaveCustomer(ctx, a, "a", func(c *customer.Customer) error {
			c.Notes += a.By
			return nil
		})
	},
	"retire": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		return m.RetireInstance(ctx, a, "a-i0", true)
	},
	"end": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		return m.EndContract(ctx, a, "a-k", "unpaid")
	},
	"reopen": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		return m.ReopenContract(ctx, a, "a-ended")
	},
	"move": func(ctx context.Context, m memoryEnv, a, b store.AccountChange) error {
		return m.MoveInstances(ctx, store.Move{Instances: []string{"a-i0"}, From: a, To: "b", Version: b.Version,
			Contract: "b-k"})
	},
	"move here": func(ctx context.Context, m memoryEnv, a, b store.AccountChange) error {
		b.By = a.By
		return m.MoveInstances(ctx, store.Move{Instances: []string{"b-i0"}, From: b, To: "a", Version: a.Version,
			Contract: "a-k"})
	},
	"move back": func(ctx context.Context, m memoryEnv, a, b store.AccountChange) error {
		return m.MoveInstances(ctx, store.Move{Instances: []string{"b-i1"}, From: a, To: "b", Version: b.Version,
			Undo: true})
	},
	"merge": func(ctx context.Context, m memoryEnv, a, b store.AccountChange) error {
		return m.MergeCustomers(ctx, store.Merge{From: "a", Into: "b", FromVersion: a.Version, IntoVersion: b.Version,
			By: a.By})
	},
	"merge here": func(ctx context.Context, m memoryEnv, a, b store.AccountChange) error {
		return m.MergeCustomers(ctx, store.Merge{From: "b", Into: "a", FromVersion: b.Version, IntoVersion: a.Version,
			By: a.By})
	},
	"unmerge": func(ctx context.Context, m memoryEnv, a, _ store.AccountChange) error {
		return m.UnmergeCustomer(ctx, a, "c")
	},
}

// revokeStaging revokes a license, which needs no view of the account, but changes it.
func revokeStaging(t *testing.T, m memoryEnv) {
	t.Helper()
	r, err := m.License(t.Context(), "a-l1")
	if err != nil {
		t.Fatal(err)
	}
	err = m.RevokeLicense(t.Context(), store.LicenseChange{ID: "a-l1", Version: r.Version, By: "ann"}, "why")
	if err != nil {
		t.Fatal(err)
	}
}

func (m memoryEnv) newID() string { return store.NewID(m.now) }

// decidedTable has customers a, with a merged c, an ended contract and an instance moved from b, and b.
func decidedTable(t *testing.T) (m memoryEnv, a, b store.AccountChange) {
	t.Helper()
	m = newMemoryEnv()
	for _, id := range []string{"a", "b", "c"} {
		m.acme(t, id)
	}
	ended := m.contract("a", "a-ended", "2018-12-31")
	ended.Ended = m.now
	if err := m.IssueLicenses(t.Context(), store.Issue{By: "sam", Contracts: []customer.Contract{ended}}); err != nil {
		t.Fatal(err)
	}
	err := m.MoveInstances(t.Context(), store.Move{Instances: []string{"b-i1"}, From: seenBy(t, m.testEnv, "b"), To: "a",
		Version: account(t, m.testEnv, "a").Version, Contract: "a-k"})
	if err != nil {
		t.Fatal(err)
	}
	merge(t, m.testEnv, "c", "a")
	return m, seenBy(t, m.testEnv, "a"), seenBy(t, m.testEnv, "b")
}

func TestSecondOfTwoPeopleIsToldAndOverwritesNothing(t *testing.T) {
	for name, change := range decisions {
		m, a, b := decidedTable(t)
		if err := change(t.Context(), m, a, b); err != nil {
			t.Errorf("%s: got %v, want success", name, err)
		}
		for other, first := range decisions {
			m, a, b := decidedTable(t)
			if err := first(t.Context(), m, a, b); err != nil {
				t.Fatalf("%s: %v", other, err)
			}
			before := m.state(t)
			a.By, b.By = "ann@vendor.example", "ann@vendor.example"
			if err := change(t.Context(), m, a, b); fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s after %s: got %v, want a Conflict fault", name, other, err)
			}
			sameState(t, name+" after "+other, m.state(t), before)
		}
		m, a, b = decidedTable(t)
		revokeStaging(t, m)
		if err := change(t.Context(), m, a, b); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s after a license was revoked: got %v, want a Conflict fault", name, err)
		}
	}
}

func TestOneOfTwoPeopleAtOnceSucceeds(t *testing.T) {
	for name, change := range decisions {
		for other, second := range decisions {
			m, a, b := decidedTable(t)
			_, before := m.told()
			var errs [2]error
			var wg sync.WaitGroup
			for i, act := range []decided{change, second} {
				wg.Go(func() { errs[i] = act(t.Context(), m, a, b) })
			}
			wg.Wait()
			done := 0
			for _, err := range errs {
				switch {
				case err == nil:
					done++
				case fault.KindOf(err) != fault.Conflict:
					t.Errorf("%s and %s: got %v", name, other, err)
				}
			}
			if _, audit := m.told(); done != 1 || audit != before+1 {
				t.Errorf("%s and %s: got %d made (%v) and %d in the audit, want one", name, other, done, errs,
					audit-before)
			}
			if err := recounted(m.memory.Rows(), nil).check(license.DateOf(m.now), m.Policy()); err != nil {
				t.Errorf("%s and %s: %v", name, other, err)
			}
		}
	}
}

func TestEachChangeIsOneLineOfTheAuditAndOneOfEachTimeline(t *testing.T) {
	for name, change := range decisions {
		m, a, b := decidedTable(t)
		timelines, audit := m.told()
		if err := change(t.Context(), m, a, b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		more, moreAudit := m.told()
		want := 1
		if slices.Contains([]string{"move", "move here", "move back", "merge", "merge here", "unmerge"}, name) {
			want = 2 // both customers are told
		}
		if more-timelines != want || moreAudit-audit != 1 {
			t.Errorf("%s: got %d rows of timelines and %d of the audit, want %d and 1", name, more-timelines,
				moreAudit-audit, want)
		}
	}
}

// TestTwoPeopleAtOnceNeverBothSucceed lets two people act on one request at the same time, on the same view of it.
func TestTwoPeopleAtOnceNeverBothSucceed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemoryEnv()
		m.acme(t, "a")
		r := file(t, m.testEnv, evaluation)
		acts := []func(who string) error{}
		for _, who := range people {
			to := rapid.SampledFrom([]request.State{request.InReview, request.Waiting, request.Issued, request.Rejected,
				request.Withdrawn}).Draw(rt, who)
			l := m.next(t, "a-l0", "n-"+who[:3], "a-k", "", "2019-12-31")
			acts = append(acts, func(who string) error {
				if to == request.Issued {
					return m.IssueLicenses(rt.Context(), store.Issue{Licenses: []license.License{l}, By: who,
						Request: r.ID, RequestVersion: r.Version})
				}
				v := store.Review{ID: r.ID, Version: r.Version, By: who, To: to, Text: "because"}
				_, err := m.Review(rt.Context(), v)
				return err
			})
		}
		errs := make([]error, len(people))
		var wg sync.WaitGroup
		for i, act := range acts {
			wg.Go(func() { errs[i] = act(people[i]) })
		}
		wg.Wait()
		succeeded := 0
		for _, err := range errs {
			if err == nil {
				succeeded++
			} else if fault.KindOf(err) != fault.Conflict && !errors.Is(err, store.ErrIssued) {
				rt.Fatal(err)
			}
		}
		events, err := m.RequestTimeline(rt.Context(), r.ID)
		if err != nil || succeeded != 1 || len(events) != 3 {
			rt.Fatalf("got %d of two successful (%v) and the timeline %v, %v, want one", succeeded, errs, events, err)
		}
		if n := len(account(t, m.testEnv, "a").Instances[0].Licenses); n > 2 {
			rt.Fatalf("got %d licenses, want at most one more", n)
		}
	})
}

func TestVersionOfAnAccountIsNotNewerThanWhatWasReadWithIt(t *testing.T) {
	reads := map[string]func(m memoryEnv) (customer.Customer, int64, error){
		"account": func(m memoryEnv) (customer.Customer, int64, error) {
			a, err := m.Account(t.Context(), "a")
			return a.Customer, a.Version, err
		},
		"version": func(m memoryEnv) (customer.Customer, int64, error) { return m.AccountVersion(t.Context(), "a") },
	}
	for name, read := range reads {
		for between := range 8 { // the change comes before this many reads
			m := newMemoryEnv()
			m.acme(t, "a")
			m.table.ShortPages = true
			aside := store.New(m.memory, store.Options{Now: func() time.Time { return m.now }})
			save := func(by string, version int64) error {
				change := store.AccountChange{Customer: "a", Version: version, By: by}
				return aside.SaveCustomer(t.Context(), change, "a", func(c *customer.Customer) error {
					c.Notes = by
					return nil
				})
			}
			reads := 0
			m.table.Fault = func(tabletest.Call) tabletest.Fault {
				if reads == between {
					if err := save("ann", account(t, &testEnv{Store: aside}, "a").Version); err != nil {
						t.Fatal(err)
					}
				}
				reads++
				return tabletest.Fault{}
			}
			c, version, err := read(m)
			if err != nil {
				t.Fatal(err)
			}
			err = save("bob", version)
			if seen := c.Notes == "ann"; !seen && reads > between && fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s, %d reads before the change: got %v, want a Conflict fault", name, between, err)
			}
		}
	}
}

func TestRevocationMeetsAMergeAtEachOfItsReads(t *testing.T) {
	for between := range 10 { // the merge comes before this many reads
		m := newMemoryEnv()
		m.acme(t, "a")
		m.acme(t, "b")
		r, err := m.License(t.Context(), "a-l0")
		if err != nil {
			t.Fatal(err)
		}
		aside := &testEnv{Store: store.New(m.memory, store.Options{Now: func() time.Time { return m.now }})}
		reads, guard := 0, int64(0)
		m.table.Fault = func(tabletest.Call) tabletest.Fault {
			if reads == between {
				merge(t, aside, "a", "b")
				guard = account(t, aside, "b").Version
			}
			reads++
			return tabletest.Fault{}
		}
		change := store.LicenseChange{ID: "a-l0", Version: r.Version, By: "ann"}
		if err := m.RevokeLicense(t.Context(), change, "why"); err != nil {
			t.Fatal(err)
		}
		if got := account(t, aside, "b").Version; reads > between && got == guard {
			t.Errorf("%d reads before the merge: the survivor's guard did not change", between)
		}
	}
}
