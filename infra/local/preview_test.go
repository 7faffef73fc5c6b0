package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/marketplace/preview"
)

func TestPreviewReadsTheFolderAnew(t *testing.T) {
	folder := edited(t)
	u := metadataOf(folder, "http://localhost:8080", time.Now)
	name := func() string {
		t.Helper()
		b, err := u.bundle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s, err := preview.FromBundle(b)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := s.Catalog.Edition("developer")
		return e.Name + ": " + e.TextDescription + " " + e.HomeURL
	}
	if got := name(); !strings.Contains(got, "your editor") ||
		!strings.HasSuffix(got, " http://localhost:8080/editions/developer") {
		t.Errorf("got %q", got)
	}
	path := filepath.Join(folder, "edition-templates.properties")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := strings.Replace(string(text), "developer.name=Developer Edition", "developer.name=Team Edition", 1)
	if err := os.WriteFile(path, []byte(again), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := name(); !strings.HasPrefix(got, "Team Edition: ") {
		t.Errorf("after an edit: got %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := u.bundle(t.Context()); fault.KindOf(err) != fault.Invalid ||
		!strings.Contains(fault.Sentence(err), "edition-templates.properties") {
		t.Errorf("got %v, want the fault of the metadata, for the page", err)
	}
	if _, err := metadataOf("", "", time.Now).bundle(t.Context()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("without a folder: got %v", err)
	}
}
