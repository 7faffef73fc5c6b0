package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

func TestDamagedFileSaysWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	tab, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		row := table.Row{Key: table.Key{PK: fmt.Sprint("pk", i), SK: "sk"}, Type: "test", Schema: 1,
			Data: []byte(`{"x":"` + strings.Repeat("x", 500) + `"}`)}
		if err := tab.Transact(t.Context(), table.Create(row)); err != nil {
			t.Fatal(err)
		}
	}
	tab.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"100 bytes": whole[:100], "a page": whole[:4096], "five pages": whole[:5*4096], "half": whole[:len(whole)/2],
		"text": []byte(strings.Repeat("this is not a table\n", 2000)),
		"zero": make([]byte, len(whole)),
	} {
		damaged := filepath.Join(dir, "table.db")
		if err := os.WriteFile(damaged, data, 0o600); err != nil {
			t.Fatal(err)
		}
		tab, err := bolt.Open(damaged)
		if err == nil {
			tab.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "delete the folder "+dir) {
			t.Errorf("%s: got %v, want a sentence that says what to do", name, err)
		}
	}
}
