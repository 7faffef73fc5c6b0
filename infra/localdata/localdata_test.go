package localdata

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestServerFindsTheRunningServer(t *testing.T) {
	answers := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_local/clock" {
				status = http.StatusTeapot
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	running, another, dead := answers(http.StatusOK), answers(http.StatusNotFound), httptest.NewServer(nil)
	dead.Close()
	for _, test := range []struct{ name, announced, want string }{
		{"it runs", running, running},
		{"another program has its port now", another, ""},
		{"it was killed", dead.URL, ""},
		{"no address", "http://%zz", ""},
	} {
		d := Dir(t.TempDir())
		if got := d.Server(t.Context()); got != "" {
			t.Errorf("before an announcement: got %s, want none", got)
		}
		if err := d.Announce(test.announced); err != nil {
			t.Fatal(err)
		}
		if got := d.Server(t.Context()); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if err := d.Withdraw(); err != nil {
			t.Fatal(err)
		}
		if got := d.Server(t.Context()); got != "" {
			t.Errorf("%s: got %s after Withdraw, want none", test.name, got)
		}
	}
}

func TestWriteFileReplacesTheWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, step := range []struct {
		content string
		mode    fs.FileMode
	}{{"first", 0o600}, {"the second", 0o644}, {"", 0o600}} {
		if err := WriteFile(path, []byte(step.content), step.mode); err != nil {
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
	if err := WriteFile(filepath.Join(dir, "folder"), []byte("x"), 0o600); err == nil {
		t.Error("replacing a folder: got no error")
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("got files %v, want no temporary file", files)
	}
}
