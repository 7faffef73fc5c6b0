// Package marketplace plays the Marketplace page of the product in the field, 6.7 to 7.1, from the document that it
// reads: which entry a version takes, which box has which button, what a key leads to, and what a restart makes of it
// (client-contract.md §1, §3, §5 and §6).
//
// It decides nothing of its own: its rules are the client's, in the client's order, with its gaps. What a page shows
// of them is in package preview.
package marketplace

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
)

// Document is /editions.json as the client reads it: the entries by version. Entries may be nil where it has null.
type Document map[string][]Entry

// Entry is an edition in the document. The client takes every value as it is.
type Entry struct {
	Key               string `json:"key"`
	Name              string `json:"name"`
	TextDescription   string `json:"textDescription"`
	HomeURL           string `json:"homeUrl"`
	LicenseRequestURL string `json:"licenseRequestUrl"`
	DownloadURL       string `json:"downloadUrl"` // "" for an edition without a package
}

// Read reads the document.
func Read(editionsJSON []byte) (Document, error) {
	var d Document
	if err := json.Unmarshal(editionsJSON, &d); err != nil {
		return nil, fmt.Errorf("marketplace: reading the editions: %w", err)
	}
	return d, nil
}

// Choice is what the client takes of a document.
type Choice struct {
	Key      string  // the version in the document
	Entries  []Entry // in the order of the boxes
	ReadOnly bool    // the server's own version is not in the document: nothing can be installed
}

// The patterns are the client's. The second dot of the first one is any character there too.
var (
	patch = lazyregexp.New(`\d+\.\d+.\d+`)
	line  = lazyregexp.New(`\d+\.\d+`)
)

// ErrNoBoxes means that the client shows no boxes: its page breaks, or is empty.
var ErrNoBoxes = errors.New("the Marketplace page shows no editions")

// Choose returns what the client takes for the version in its footer, such as "6.7.1 (build 35068)": the entries of
// the patch, else those of the line, else those of the highest version, which are read-only.
func (d Document) Choose(footer string) (Choice, error) {
	for _, pattern := range []string{patch().FindString(footer), line().FindString(footer)} {
		if entries := d[pattern]; pattern != "" && entries != nil {
			return choice(pattern, entries, false)
		}
	}
	highest := ""
	for key := range d {
		if highest == "" || compareKeys(key, highest) > 0 {
			highest = key
		}
	}
	return choice(highest, d[highest], true)
}

func choice(key string, entries []Entry, readOnly bool) (Choice, error) {
	if len(entries) == 0 {
		return Choice{}, ErrNoBoxes
	}
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return cmp.Compare(rank(a.Key), rank(b.Key)) })
	return Choice{key, sorted, readOnly}, nil
}

// rank is the place of an edition among the boxes. One that the client does not know comes first, which shifts them.
func rank(key string) int { return slices.Index(license.Editions, license.Edition(key)) }

// compareKeys compares the first three numbers of two versions. The text decides between equal ones.
func compareKeys(a, b string) int {
	for i := range 3 {
		if c := cmp.Compare(number(a, i), number(b, i)); c != 0 {
			return c
		}
	}
	return strings.Compare(b, a)
}

func number(version string, i int) int {
	parts := strings.Split(version, ".")
	if i >= len(parts) {
		return 0
	}
	n, err := strconv.Atoi(parts[i])
	if err != nil {
		return 0
	}
	return n
}

// RequestURL returns the link of the dialog to the license request, with what the server knows of itself; "" is
// unknown. The client appends the query without looking at the address.
func (e Entry) RequestURL(serverID, ncloc string) string {
	var query []string
	if serverID != "" {
		query = append(query, "serverId="+url.QueryEscape(serverID))
	}
	if ncloc != "" {
		query = append(query, "ncloc="+url.QueryEscape(ncloc))
	}
	if len(query) == 0 {
		return e.LicenseRequestURL
	}
	return e.LicenseRequestURL + "?" + strings.Join(query, "&")
}

// Era is how a version of the product offers editions.
type Era int

// Eras of the product.
const (
	// Boxes is 6.7 to 7.1: the page reads the document, and installs and uninstalls editions.
	Boxes Era = iota
	// Links is from 7.2 on: each edition is a download of its own, and the page only links to the larger ones.
	Links
	// Nothing is before 6.7.
	Nothing
)

// EraOf returns the era of a version as its footer shows it. One without a number counts as Boxes: its page reads the
// document and finds nothing of its own there.
func EraOf(footer string) Era {
	v := line().FindString(footer)
	switch {
	case v == "":
		return Boxes
	case compareKeys(v, "6.7") < 0:
		return Nothing
	case compareKeys(v, "7.1") > 0:
		return Links
	}
	return Boxes
}
