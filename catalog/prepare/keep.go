package prepare

import (
	"errors"
	"fmt"

	"marketplace/catalog/bundle"
)

var errContentChanged = errors.New("a published package never changes: use another build number for changed content")

// Keep keeps the packages of the previous bundle downloadable: it appends those that b does not list, withdrawn ones as
// withdrawn, and returns their number. Since previous has those of the bundles before it, none is ever lost. No
// document mentions them; they are for links that people still have.
//
// The content of a published package never changes: a package with different sums in both bundles is an error. A sum
// that b does not know is copied from previous. b decides whether a package is withdrawn.
func Keep(b, previous *bundle.Bundle) (kept int, err error) {
	own := make(map[string]*bundle.Package, len(b.Packages))
	for i := range b.Packages {
		own[b.Packages[i].File] = &b.Packages[i]
	}
	var earlier []bundle.Package
	var faults []error
	for _, old := range previous.Packages {
		p, listed := own[old.File]
		switch {
		case !listed:
			earlier = append(earlier, old)
		case p.SHA256 == "":
			p.Size, p.SHA256 = old.Size, old.SHA256
		case old.SHA256 != "" && old.SHA256 != p.SHA256:
			faults = append(faults, fmt.Errorf("%s was published with SHA-256 %s and would now have %s",
				old.File, old.SHA256, p.SHA256))
		}
	}
	if len(faults) > 0 {
		return 0, errors.Join(append(faults, errContentChanged)...)
	}
	b.Packages = append(b.Packages, earlier...)
	return len(earlier), nil
}
