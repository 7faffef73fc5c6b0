package bolt_test

import (
	"path/filepath"
	"testing"

	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

func open(t *testing.T, path string) *bolt.Table {
	t.Helper()
	tab, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

func TestBoltKeepsTheContract(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t, filepath.Join(t.TempDir(), "table.db")) })
}
