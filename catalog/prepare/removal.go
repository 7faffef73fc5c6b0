package prepare

import (
	"errors"
	"fmt"
	"slices"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
)

// ErrRemoval is wrapped by the error of CheckRemoval.
var ErrRemoval = errors.New("a published edition would disappear; -allow-removal publishes without it")

// CheckRemoval refuses a bundle without an edition that the previous one has for a version of the product, since the
// usual cause is a mistake in the metadata. The error names each.
func CheckRemoval(b, previous *bundle.Bundle) error {
	now, err := catalog.FromBundle(b)
	if err != nil {
		return err
	}
	before, err := catalog.FromBundle(previous)
	if err != nil {
		return err
	}
	var gone []error
	for _, v := range before.Versions {
		i := slices.IndexFunc(now.Versions, func(w catalog.ProductVersion) bool { return w.Version == v.Version })
		for _, e := range v.Editions {
			if i < 0 || !slices.Contains(now.Versions[i].Editions, e) {
				gone = append(gone, fmt.Errorf("version %s would lose the %s edition", v.Version, e))
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return errors.Join(append(gone, ErrRemoval)...)
}
