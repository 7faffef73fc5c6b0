package samplejar_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"marketplace/catalog"
	"marketplace/catalog/samplejar"
)

func TestSameJarsGiveTheSameBytes(t *testing.T) {
	jars := []catalog.Jar{{File: "a-1.0.jar", Plugin: "a", Release: "1.0"}}
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second, second} {
		if err := samplejar.Write(dir, jars); err != nil {
			t.Fatal(err)
		}
	}
	a, err := os.ReadFile(filepath.Join(first, "a-1.0.jar"))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(filepath.Join(second, "a-1.0.jar")); !bytes.Equal(a, b) {
		t.Error("two jars differ")
	}
}

func TestManifestLinesHaveAtMost72Bytes(t *testing.T) {
	for length := range 300 {
		text := samplejar.Manifest("Plugin-Description", strings.Repeat("x", length))
		for line := range strings.SplitSeq(text, "\r\n") {
			if len(line) > 72 {
				t.Fatalf("a line of %d bytes: got %q", len(line), line)
			}
		}
		joined := strings.ReplaceAll(text, "\r\n ", "")
		if !strings.Contains(joined, ": "+strings.Repeat("x", length)+"\r\n\r\n") {
			t.Fatalf("%d bytes do not read back: got %q", length, text)
		}
	}
}

func TestUnwritableFolderIsAnErrorThatNamesTheJar(t *testing.T) {
	err := samplejar.Write(filepath.Join(t.TempDir(), "none"),
		[]catalog.Jar{{File: "a-1.0.jar", Plugin: "a", Release: "1.0"}})
	if err == nil || !strings.Contains(err.Error(), "a-1.0.jar") {
		t.Errorf("got %v", err)
	}
}
