package outbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// hashes are those of the dictionaries with which letters were kept.
var hashes = map[string]string{
	"1.txt": "9f6cb4b5ac3a095c56249fb6c67c961b5006dae827b581c8c34d92e7828f858d",
}

// TestDictionariesAreNeverChanged because letters that were kept with one can be read with it alone.
func TestDictionariesAreNeverChanged(t *testing.T) {
	files, err := filepath.Glob("dictionary/*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		found[filepath.Base(name)] = hex.EncodeToString(sum[:])
	}
	for name, want := range hashes {
		if got := found[name]; got != want {
			t.Errorf("dictionary/%s: got the hash %q, want %s: add a new one, and change none", name, got, want)
		}
	}
	if len(found) != len(hashes) {
		t.Errorf("got %d dictionaries, want each of them here", len(found))
	}
}
