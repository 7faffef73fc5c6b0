package atomicfile

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesAFileAsAWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, step := range []struct {
		content string
		mode    fs.FileMode
	}{{"first", 0o600}, {"the second", 0o644}, {"", 0o600}} {
		if err := Write(path, []byte(step.content), step.mode); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, _ := os.Stat(path)
		if err != nil || string(got) != step.content || info.Mode() != step.mode {
			t.Errorf("got %q with mode %v, %v, want %q with %v", got, info.Mode(), err, step.content, step.mode)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "folder"), []byte("x"), 0o600); err == nil {
		t.Error("a file replaced a folder")
	}
	if err := Write(filepath.Join(dir, "none", "f"), []byte("x"), 0o600); err == nil {
		t.Error("writing into a missing folder: got no error")
	}
	wantNames(t, dir, "f", "folder")
}

func TestUncommittedFileLeavesTheOldContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "half of the new")
	if err := f.Close(); err != nil {
		t.Errorf("closing: got %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("got %q, %v, want the old content", got, err)
	}
	wantNames(t, dir, "f")
}

func TestNamesStayInTheOpenFolder(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := WriteIn(root, "f", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../f", "none/f", ""} {
		if err := WriteIn(root, name, []byte("x"), 0o600); err == nil {
			t.Errorf("name %q: got no error", name)
		}
	}
	wantNames(t, dir, "f")
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Errorf("got %v, %v, want %v", entries, err, want)
		return
	}
	for i, e := range entries {
		if e.Name() != want[i] {
			t.Errorf("got %s, want %s", e.Name(), want[i])
		}
	}
}

func TestUnfinishedFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o700); err != nil {
		t.Fatal(err)
	}
	keep := []string{filepath.Join(dir, "m1.eml"), filepath.Join(below, "a.zip"), filepath.Join(dir, "part")}
	for _, path := range append(keep, filepath.Join(dir, ".m2.eml.ABC.part"), filepath.Join(below, "b.zip.X.part")) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := RemoveUnfinished(dir); err != nil {
			t.Fatal(err)
		}
	}
	left := 0
	filepath.WalkDir(dir, func(_ string, e os.DirEntry, _ error) error {
		if !e.IsDir() {
			left++
		}
		return nil
	})
	if left != len(keep) {
		t.Errorf("got %d files left, want %d", left, len(keep))
	}
	if err := RemoveUnfinished(filepath.Join(dir, "none")); err != nil {
		t.Errorf("a missing folder: %v", err)
	}
}
