package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFoldersArePutWhereTheyCannotBeExchanged(t *testing.T) {
	work := t.TempDir()
	out, fresh := filepath.Join(work, "out"), filepath.Join(work, "fresh")
	for folder, file := range map[string]string{out: "old", fresh: "new"} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := openPlace(out)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close(false)
	if err := p.put(fresh, func(string, string) error { return errors.ErrUnsupported }); err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(out, "new")) || !exists(filepath.Join(fresh, "old")) || exists(p.previous()) {
		t.Error("the folders were not swapped")
	}
}

func TestOneRunAtATime(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	p, err := openPlace(out)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close(false)
	if _, err := openPlace(out); err == nil {
		t.Error("a second run may begin")
	}
}
