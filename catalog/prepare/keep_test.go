package prepare_test

import (
	"slices"
	"strings"
	"testing"

	"marketplace/catalog/bundle"
	"marketplace/catalog/prepare"
)

func pack(file, sum, withdrawn string) bundle.Package {
	return bundle.Package{File: file, Edition: "developer", Version: "6.7", Size: int64(len(sum)), SHA256: sum,
		Withdrawn: withdrawn}
}

func TestPackagesOfEarlierBundlesAreKept(t *testing.T) {
	first := &bundle.Bundle{Packages: []bundle.Package{pack("a.1.zip", "aa", ""),
		pack("b.1.zip", "bb", "It was broken.")}}
	second := &bundle.Bundle{Packages: []bundle.Package{pack("a.2.zip", "cc", "")}}
	third := &bundle.Bundle{Packages: []bundle.Package{pack("a.3.zip", "dd", "")}}
	if kept, err := prepare.Keep(second, first); err != nil || kept != 2 {
		t.Errorf("kept %d, %v", kept, err)
	}
	if kept, err := prepare.Keep(third, second); err != nil || kept != 3 {
		t.Errorf("kept %d, %v", kept, err)
	}
	want := []bundle.Package{pack("a.3.zip", "dd", ""), pack("a.2.zip", "cc", ""), pack("a.1.zip", "aa", ""),
		pack("b.1.zip", "bb", "It was broken.")}
	if !slices.Equal(third.Packages, want) {
		t.Errorf("the packages are %+v", third.Packages)
	}
}

func TestPackagesInBothBundlesMustBeEqual(t *testing.T) {
	for _, test := range []struct {
		name           string
		old, own, want bundle.Package
		refused        string
	}{
		{"the same", pack("a.zip", "aa", ""), pack("a.zip", "aa", ""), pack("a.zip", "aa", ""), ""},
		{"withdrawn now, and not built", pack("a.zip", "aa", ""), pack("a.zip", "", "Broken."), pack("a.zip", "aa", "Broken."), ""},
		{"offered again", pack("a.zip", "aa", "Broken."), pack("a.zip", "aa", ""), pack("a.zip", "aa", ""), ""},
		{"offered again with another content", pack("a.zip", "aa", "Broken."), pack("a.zip", "bb", ""), bundle.Package{}, "a.zip was published with SHA-256 aa and would now have bb"},
		{"not measured before", pack("a.zip", "", ""), pack("a.zip", "aa", ""), pack("a.zip", "aa", ""), ""},
		{"never measured", pack("a.zip", "", ""), pack("a.zip", "", ""), pack("a.zip", "", ""), ""},
		{"changed", pack("a.zip", "aa", ""), pack("a.zip", "bb", ""), bundle.Package{}, "a.zip was published with SHA-256 aa and would now have bb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bundle.Bundle{Packages: []bundle.Package{test.own}}
			kept, err := prepare.Keep(b, &bundle.Bundle{Packages: []bundle.Package{test.old, pack("b.zip", "bb", "")}})
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) || len(b.Packages) != 1 {
					t.Errorf("%v, and the packages are %+v", err, b.Packages)
				}
				return
			}
			if err != nil || kept != 1 || b.Packages[0] != test.want {
				t.Errorf("kept %d, %v: got %+v, want %+v", kept, err, b.Packages[0], test.want)
			}
		})
	}
}

func TestEveryChangedPackageIsNamed(t *testing.T) {
	b := &bundle.Bundle{Packages: []bundle.Package{pack("a.zip", "aa", ""), pack("b.zip", "bb", ""),
		pack("c.zip", "cc", "")}}
	_, err := prepare.Keep(b, &bundle.Bundle{Packages: []bundle.Package{pack("a.zip", "xx", ""),
		pack("b.zip", "bb", ""), pack("c.zip", "yy", "")}})
	if err == nil || !strings.Contains(err.Error(), "a.zip") || strings.Contains(err.Error(), "b.zip") ||
		!strings.Contains(err.Error(), "c.zip") {
		t.Errorf("got %v", err)
	}
}
