package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Version is a version of the product or of a plugin: numbers between dots and perhaps a qualifier after a dash, as in
// "6.7", "5.1.0.10083" or "7.1-SNAPSHOT".
type Version struct {
	text      string
	parts     []string
	qualifier string
}

// NewVersion reads a version, without blanks around it. Like the vendor it accepts any text: one that is not a version
// equals no version of the product.
func NewVersion(text string) Version {
	text = strings.TrimSpace(text)
	numbers, qualifier, _ := strings.Cut(text, "-")
	return Version{text: text, parts: strings.Split(numbers, "."), qualifier: qualifier}
}

// String returns the version as it was written.
func (v Version) String() string { return v.text }

// Compare orders versions as the vendor does: part by part as numbers, a missing part being 0, and a version with a
// qualifier before the one without. A part that is not a number, as in "5.0.x", comes after every number.
func (v Version) Compare(w Version) int {
	if c := v.compareNumbers(w); c != 0 {
		return c
	}
	switch {
	case v.qualifier == w.qualifier:
		return 0
	case v.qualifier == "":
		return 1
	case w.qualifier == "":
		return -1
	}
	return cmp.Compare(v.qualifier, w.qualifier)
}

func (v Version) compareNumbers(w Version) int {
	for i := range max(len(v.parts), len(w.parts)) {
		if c := comparePart(v.part(i), w.part(i)); c != 0 {
			return c
		}
	}
	return 0
}

// part is the part at i as written, "0" where there is none.
func (v Version) part(i int) string {
	if i >= len(v.parts) {
		return "0"
	}
	return v.parts[i]
}

func comparePart(a, b string) int {
	switch number := isNumber(a); {
	case number != isNumber(b):
		if number {
			return -1
		}
		return 1
	case !number:
		return cmp.Compare(a, b)
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// line returns the X.Y of a product version.
func (v Version) line() string { return v.part(0) + "." + v.part(1) }

// key returns the product version as the client looks it up: digits and dots, at least X.Y, no zero patch
// (client-contract.md §1).
func (v Version) key() (string, error) {
	if v.qualifier != "" || len(v.parts) < 2 || slices.ContainsFunc(v.parts, isWord) {
		return "", fmt.Errorf("a server cannot look up the version %q: use X.Y or X.Y.Z, digits only", v)
	}
	parts := v.parts
	for len(parts) > 2 && strings.Trim(parts[len(parts)-1], "0") == "" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) > 3 || slices.ContainsFunc(parts, func(part string) bool { return len(part) > 1 && part[0] == '0' }) {
		return "", fmt.Errorf("no server looks up the version %q: it takes X.Y or X.Y.Z, without leading zeros", v)
	}
	return strings.Join(parts, "."), nil
}

func isWord(s string) bool { return !isNumber(s) }
