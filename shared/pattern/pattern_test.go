package pattern_test

import (
	"testing"

	"marketplace/shared/pattern"
)

func TestAPatternIsCompiledOnce(t *testing.T) {
	digits := pattern.Lazy(`^\d+$`)
	if !digits().MatchString("67") || digits().MatchString("6.7") {
		t.Error("it is another pattern")
	}
	if first := digits(); digits() != first {
		t.Error("it was compiled twice")
	}
}

func TestAMangledPatternPanicsWhereItIsUsedAndNotBefore(t *testing.T) {
	mangled := pattern.Lazy(`(`)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	mangled()
}
