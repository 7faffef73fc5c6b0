package main

import (
	"testing"
	"time"

	"marketplace/catalog/data"
	"marketplace/infra/localdata"
	"marketplace/shared/officehours"
	"marketplace/shared/store"
	"marketplace/shared/store/erasure/erasuretest"
	"marketplace/shared/table/tabletest"
)

// TestEverybodyOfTheSampleCanBeErased erases one after another, and scans every row for each.
func TestEverybodyOfTheSampleCanBeErased(t *testing.T) {
	issuer, err := localdata.Dir(t.TempDir()).Issuer()
	if err != nil {
		t.Fatal(err)
	}
	sample, err := data.Catalog("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	memory, now := &tabletest.Memory{}, time.Date(2018, 6, 1, 9, 0, 0, 0, time.UTC)
	if err := seed(t.Context(), memory, issuer, sample, officehours.Hours{}, now); err != nil {
		t.Fatal(err)
	}
	kept := store.New(memory, store.Options{Now: func() time.Time { return now }})
	people := erasuretest.Everybody(memory.Rows(), "vendor.example")
	if len(people) < 20 {
		t.Fatalf("got %d people", len(people))
	}
	for _, email := range people {
		if err := erasuretest.Erase(t.Context(), memory, kept, email); err != nil {
			t.Error(err)
		}
	}
	if left := erasuretest.Everybody(memory.Rows(), "vendor.example"); len(left) > 0 {
		t.Errorf("got %v left", left)
	}
}
