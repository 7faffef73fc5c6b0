package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFolderIsReplacedWithoutExchange(t *testing.T) {
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

func TestOtherFilesKeepTheirModeAndTime(t *testing.T) {
	out := t.TempDir()
	robots := filepath.Join(out, "robots.txt")
	if err := os.WriteFile(robots, []byte("User-agent: *"), 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2018, 2, 26, 12, 0, 0, 0, time.UTC)
	if err := errors.Join(os.Chmod(robots, 0o640|fs.ModeSetgid), os.Chtimes(robots, when, when)); err != nil {
		t.Fatal(err)
	}
	fill := func(folder string) error { return os.WriteFile(filepath.Join(folder, editionsFile), nil, 0o644) }
	if files, carried, err := replaceFolder(out, fill); err != nil || files != 2 || carried != 1 {
		t.Fatalf("%d files, %d carried over, %v", files, carried, err)
	}
	info, err := os.Stat(robots)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(robots)
	if err != nil || string(content) != "User-agent: *" || info.Mode() != 0o640|fs.ModeSetgid ||
		!info.ModTime().Equal(when) {
		t.Errorf("%q %v %v %v", content, info.Mode(), info.ModTime(), err)
	}
}

func TestFilesAddedDuringPublishAreKept(t *testing.T) {
	out := t.TempDir()
	fill := func(name string, make func(path string) error) func(string) error {
		return func(folder string) error {
			return errors.Join(make(filepath.Join(out, name)),
				os.WriteFile(filepath.Join(folder, editionsFile), nil, 0o644))
		}
	}
	writeFile := func(path string) error { return os.WriteFile(path, nil, 0o644) }
	if _, carried, err := replaceFolder(out, fill("late.txt", writeFile)); err != nil || carried != 1 {
		t.Errorf("a late file: got %d carried over, %v", carried, err)
	}
	makeFolder := func(path string) error { return os.Mkdir(path, 0o755) }
	_, _, err := replaceFolder(out, fill("late", makeFolder))
	if err == nil || !strings.Contains(err.Error(), "contains late") {
		t.Errorf("a late folder: got %v", err)
	}
	if !exists(filepath.Join(out, "late.txt")) || !exists(filepath.Join(out, "late")) {
		t.Error("what was there is gone")
	}
}

func TestRunsExcludeEachOther(t *testing.T) {
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
