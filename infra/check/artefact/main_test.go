package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuildsThatDifferAreNamed(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for folder, text := range map[string]string{a: "one", b: "other"} {
		if err := os.Mkdir(filepath.Join(folder, "MailerFunction"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "MailerFunction", "bootstrap"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		folders []string
		want    string
	}{
		{[]string{a, b}, "MailerFunction: the build in"},
		{[]string{a}, "artefact: MailerFunction: it is no program for Linux"},
		{[]string{t.TempDir()}, "has no functions"},
		{nil, "usage"},
	} {
		var out strings.Builder
		if status := run(tt.folders, &out); status == 0 || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%v: got status %d, %s; want %q", tt.folders, status, out.String(), tt.want)
		}
	}
}
