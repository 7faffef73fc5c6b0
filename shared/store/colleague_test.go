package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestEachSignInIsInTheAuditAndTheColleagueWhenSomethingChanged(t *testing.T) {
	b := newTestEnv(t)
	var audit []table.Row
	writes := 0
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		for _, w := range c.Writes {
			if w.Row.Type == string(rowkey.TypeAudit) {
				audit = append(audit, w.Row)
			} else {
				writes++
			}
		}
		return tabletest.Fault{}
	}
	today := license.DateOf(b.now)
	for _, tt := range []struct {
		after      time.Duration
		name, role string
		writes     int
	}{
		{0, "Sam Okoye", "sales", 1}, {time.Minute, "Sam Okoye", "sales", 1}, {0, "Sam O'Koye", "sales", 2},
		{0, "Sam O'Koye", "admin", 3}, {24 * time.Hour, "Sam O'Koye", "admin", 4},
	} {
		b.now = b.now.Add(tt.after)
		if err := b.RecordSignIn(t.Context(), "sam@vendor.example", tt.name, tt.role); err != nil {
			t.Fatal(err)
		}
		if writes != tt.writes {
			t.Errorf("%+v: got %d writes", tt, writes)
		}
	}
	if err := b.RecordRefusedSignIn(t.Context(), "guest@vendor.example"); err != nil || writes != 4 {
		t.Errorf("a refused sign-in: got %v and %d writes besides the audit", err, writes)
	}
	in := "sam@vendor.example signed in COLLEAGUE#sam@vendor.example "
	told := []string{in + "sales", in + "sales", in + "sales", in + "admin", in + "admin",
		"guest@vendor.example sign-in refused COLLEAGUE#guest@vendor.example"}
	if got := doneOf(t, audit); !slices.Equal(got, told) {
		t.Errorf("got audit %q, want %q", got, told)
	}
	if err := b.RecordSignIn(t.Context(), "lucia@vendor.example", "Lucía Marín", "sales"); err != nil {
		t.Fatal(err)
	}
	want := []store.Colleague{
		{Email: "lucia@vendor.example", Name: "Lucía Marín", Role: "sales", LastSignIn: today.AddDays(1)},
		{Email: "sam@vendor.example", Name: "Sam O'Koye", Role: "admin", LastSignIn: today.AddDays(1)},
	}
	if got, err := b.Colleagues(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	b.table.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
	if err := b.RecordSignIn(t.Context(), "sam@vendor.example", "Sam", "sales"); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if _, err := b.Colleagues(t.Context()); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}
