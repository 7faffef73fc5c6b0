package lazyregexp_test

import (
	"testing"

	"marketplace/shared/lazyregexp"
)

func TestExpressionIsCompiledOnce(t *testing.T) {
	digits := lazyregexp.New(`^\d+$`)
	if !digits().MatchString("67") || digits().MatchString("6.7") {
		t.Error("it is another pattern")
	}
	if first := digits(); digits() != first {
		t.Error("it was compiled twice")
	}
}

func TestInvalidExpressionPanicsOnFirstUse(t *testing.T) {
	mangled := lazyregexp.New(`(`)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	mangled()
}
