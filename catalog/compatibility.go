package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/lazyregexp"
)

// compatibility is a release's "sqVersions": the product versions on which it runs.
type compatibility struct {
	versions  []Version
	latest    bool   // it includes LATEST, so it must be the newest release
	malformed string // the first entry that is neither a version nor a range
}

// supports reports whether the release runs on a product version, whatever their qualifiers.
func (c compatibility) supports(v Version) bool {
	return slices.ContainsFunc(c.versions, func(w Version) bool { return w.compareNumbers(v) == 0 })
}

const latest = "LATEST"

// A correct entry, and a range as the vendor's reader accepts it. Metadata of some years has "[6.7][7.3,LATEST]" and
// "7.6+".
var (
	cleanEntry = lazyregexp.New(`^(\[[0-9A-Za-z.*\- ]+(,[0-9A-Za-z.*\- ]+)?\]|[0-9A-Za-z.*\-]+)$`)
	rangeEntry = lazyregexp.New(`^\[(.*),(.*)\]$`)
)

// compatibility reads a list of versions and ranges: "[6.7,LATEST]", "5.6,[6.0,6.7*]", "[7.9]". A range contains the
// public product versions from the first to the last inclusive, perhaps none. A wildcard that matches no version is an
// error.
func (p products) compatibility(text string) (compatibility, error) {
	var c compatibility
	for _, item := range splitEntries(text) {
		if c.malformed == "" && !cleanEntry().MatchString(item) {
			c.malformed = item
		}
		first := strings.TrimSuffix(strings.TrimPrefix(item, "["), "]")
		last := first
		ends := rangeEntry().FindStringSubmatch(item)
		if ends != nil {
			first, last = ends[1], ends[2]
		}
		from, err := p.resolve(first)
		if err != nil {
			return c, err
		}
		to, err := p.resolve(last)
		if err != nil {
			return c, err
		}
		c.latest = c.latest || from.latest || to.latest
		if ends == nil && !from.many {
			c.versions = append(c.versions, from.low)
			continue
		}
		for _, product := range p {
			if product.version.Compare(from.low) >= 0 && product.version.Compare(to.high) <= 0 {
				c.versions = append(c.versions, product.version)
			}
		}
	}
	return c, nil
}

// splitEntries splits at the commas outside brackets.
func splitEntries(text string) []string {
	depth := 0
	entries := strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == ',' && depth == 0
	})
	for i, entry := range entries {
		entries[i] = strings.TrimSpace(entry)
	}
	return slices.DeleteFunc(entries, func(entry string) bool { return entry == "" })
}

// bound is one end of a range: a version, the newest (LATEST), or all that a wildcard matches.
type bound struct {
	low, high    Version
	latest, many bool
}

// resolve reads one end of a range. "6.7*" and "6.7.*" are 6.7 and its patches.
func (p products) resolve(text string) (bound, error) {
	text = strings.TrimSpace(text)
	if text == latest {
		return bound{low: p.newest(), high: p.newest(), latest: true}, nil
	}
	prefix, wildcard := strings.CutSuffix(text, "*")
	if !wildcard {
		v := NewVersion(text)
		return bound{low: v, high: v}, nil
	}
	stem := NewVersion(strings.TrimSuffix(prefix, "."))
	var found []Version
	for _, product := range p {
		if product.version.startsWith(stem) {
			found = append(found, product.version)
		}
	}
	if len(found) == 0 {
		return bound{}, fmt.Errorf("%s matches no public version of the product", text)
	}
	return bound{low: found[0], high: found[len(found)-1], many: true}, nil
}

func (v Version) startsWith(stem Version) bool {
	for i, part := range stem.parts {
		if comparePart(v.part(i), part) != 0 {
			return false
		}
	}
	return true
}

var errNoVersion = errors.New("it is compatible with no public version of the product")
