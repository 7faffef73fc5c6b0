package storetest

import (
	"os"
	"regexp"
	"testing"

	"marketplace/shared/store/rowkey"
)

func TestEveryTypeOfRowIsDecidedAbout(t *testing.T) {
	source, err := os.ReadFile("../rowkey/rowkey.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tType\w+ +Type += "(\w+)"`).FindAllSubmatch(source, -1)
	for _, m := range declared {
		if classes[rowkey.Type(m[1])] == 0 {
			t.Errorf("decide whether a row of type %s has a row of the audit", m[1])
		}
	}
	if len(declared) != len(classes) {
		t.Errorf("got %d types, want the %d of rowkey", len(classes), len(declared))
	}
}
