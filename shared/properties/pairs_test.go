package properties

import (
	"reflect"
	"testing"
)

func TestPairsTellLinesAndContinuations(t *testing.T) {
	p, err := Parse("# comment\na=1\n\nb = x\\\n   y\\\n  c=3\na=2\nd=1\\\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Pair{
		{Key: "a", Value: "1", Line: 2},
		{Key: "b", Value: "xyc=3", Line: 4, Continued: []string{`y\`, "c=3"}},
		{Key: "a", Value: "2", Line: 7},
		{Key: "d", Value: "1", Line: 8},
	}
	if got := p.Pairs(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
