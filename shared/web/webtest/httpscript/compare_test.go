package httpscript

import (
	"testing"
)

func TestOperatorsCompare(t *testing.T) {
	for _, tt := range []struct {
		got, op, want string
		fits          bool
	}{
		{"a", "==", "a", true}, {"a\n", "==", "a", true}, {"a", "==", "b", false}, {"a", "!=", "b", true}, {"a", "!=", "a", false},
		{"abc", "contains", "b", true}, {"abc", "contains", "x", false}, {"abc", "matches", "^a.c$", true}, {"abc", "matches", "^b", false},
	} {
		if fits, err := compare(tt.got, tt.op, tt.want); fits != tt.fits || err != nil {
			t.Errorf("%q %s %q: got %v, %v, want %v", tt.got, tt.op, tt.want, fits, err, tt.fits)
		}
	}
	for _, op := range []string{"=", "like", ""} {
		if _, err := compare("a", op, "a"); err == nil {
			t.Errorf("operator %q: got no error", op)
		}
	}
	if _, err := compare("a", "matches", "("); err == nil {
		t.Error("a broken regular expression: got no error")
	}
}
