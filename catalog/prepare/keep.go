package prepare

import (
	"errors"
	"fmt"

	"marketplace/catalog/bundle"
)

// Keep makes the packages of the bundle that was served before stay downloadable: those that b does not list come
// behind its own, withdrawn ones as withdrawn, and kept is how many. As previous holds those of the bundles before
// it, none is ever lost. No document says anything of them; they are for links that somebody still has.
//
// What a published package holds never changes: where both bundles list one with different sums, that is an error for
// each, and where b does not know the sum it is taken over. Whether a package is withdrawn, b decides.
func Keep(b, previous *bundle.Bundle) (kept int, err error) {
	own := make(map[string]*bundle.Package, len(b.Packages))
	for i := range b.Packages {
		own[b.Packages[i].File] = &b.Packages[i]
	}
	var before []bundle.Package
	var faults []error
	for _, old := range previous.Packages {
		p, listed := own[old.File]
		switch {
		case !listed:
			before = append(before, old)
		case p.SHA256 == "":
			p.Size, p.SHA256 = old.Size, old.SHA256
		case old.SHA256 != "" && old.SHA256 != p.SHA256:
			faults = append(faults, fmt.Errorf("%s was published with SHA-256 %s and would now have %s", old.File, old.SHA256, p.SHA256))
		}
	}
	if len(faults) > 0 {
		return 0, errors.Join(append(faults, errors.New("a published package never changes: another content takes another build number"))...)
	}
	b.Packages = append(b.Packages, before...)
	return len(before), nil
}
