package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"marketplace/infra/localdata"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

func TestEraseContactDoesNothingWithoutWrite(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DATA", dir)
	t.Setenv("TABLE_NAME", "")
	t.Setenv("DYNAMODB_ENDPOINT", "") // this test is about the folder
	within := func(f func(*store.Store)) {
		t.Helper()
		tab, done, err := localdata.Dir(dir).OpenTable(t.Context(), config.Config{})
		if err != nil {
			t.Fatal(err)
		}
		f(store.New(tab, store.Options{Now: time.Now}))
		if err := done(); err != nil {
			t.Fatal(err)
		}
	}
	var id string
	within(func(s *store.Store) {
		r, _, err := s.FileRequest(t.Context(), store.Filing{Details: request.Details{
			Kind: request.Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Name: "Ada Lovelace",
			Email: "ada@acme.example", Company: "Acme AG", Message: "I am Ada Lovelace.",
		}})
		if err != nil {
			t.Fatal(err)
		}
		id = r.ID
	})
	name := func() (got string) {
		within(func(s *store.Store) {
			r, err := s.Request(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			got = r.Name
		})
		return got
	}
	erase := func(want int, args ...string) string {
		t.Helper()
		var out, failed bytes.Buffer
		if got := run(append([]string{"erase-contact"}, args...), &out, &failed); got != want {
			t.Errorf("%v: got exit status %d, want %d: %s", args, got, want, &failed)
		}
		return out.String() + failed.String()
	}
	dry := erase(0, "ADA@acme.example")
	if !strings.Contains(dry, "Would withdraw the open request R-") || name() != "Ada Lovelace" {
		t.Errorf("got %s and the name %s", dry, name())
	}
	done := erase(0, "-write", "-by", "sam@vendor.example", "ada@acme.example")
	if !strings.Contains(done, "message: /console/requests/"+id) || name() != "Erased person" ||
		strings.Contains(done, "ada@acme") {
		t.Errorf("got %s and the name %s", done, name())
	}
	erase(1, "nobody")
	erase(2)
}
