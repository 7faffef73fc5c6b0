// Package catalog makes the editions catalog and the plan of the packages from the release metadata of the vendor's
// release engineers. It only reads the files of a folder and returns values and bytes; catalog/prepare compresses and
// bundles them, catalog/archive builds the ZIPs.
//
// The metadata is a folder of Java properties files (client-contract.md §2):
//
//	update-center-source.properties   plugins=, publicVersions=, ltsVersion= and <version>.date, .description,
//	                                  .downloadUrl, .changelogUrl
//	<plugin>.properties               name=, publicVersions=, archivedVersions= and <release>.sqVersions, .date,
//	                                  .description, .downloadUrl; defaults.<property> for a release without its own
//	edition-templates.properties      editions= and <edition>.name, .textDescription, .homeUrl, .requestLicenseUrl,
//	                                  .plugins
//	product.properties                ours, optional: languages, features, thresholds of lines of code (see readFacts)
//	withdrawn.properties              ours, optional: <package file>=<reason>
//
// "${SITE_URL}" in homeUrl, requestLicenseUrl and termsUrl is replaced by the site's address when the catalog is made.
// Private and development versions are ignored. All faults are reported at once, by file, plugin and release.
//
// For the vendor's own metadata of every revision since 2017 the result equals that of the vendor's generator byte for
// byte. The two differ on purpose as follows:
//   - A wildcard means every patch; for the vendor it means the newest alone, except at the end of a range.
//   - An older release must not name LATEST, even if its range includes the newest version anyway.
//   - Errors are an edition that clients do not know, a version without the community edition, a request link with ? or
//     #, and a package file that is not a jar.
//   - Allowed are blanks in lists, a byte-order mark, and plugins without a category or Maven coordinates.
package catalog

import (
	"errors"
	"io/fs"
	"time"
)

// Metadata is a folder of release metadata that is free of faults.
type Metadata struct {
	products  products
	lts       Version
	plugins   map[string]*plugin
	templates []template
	facts     facts
	withdrawn map[string]string
	warnings  []string
}

// Warnings returns a line for each thing that looks wrong in the metadata but changes no edition.
func (m *Metadata) Warnings() []string { return m.warnings }

// Read reads and checks release metadata. The error joins one error per fault (errors.Join); a fault is one line of
// text. No release may be dated later than in the year after now.
func Read(dir fs.FS, now time.Time) (*Metadata, error) {
	r := &report{now: now}
	m := &Metadata{}
	if s, ok := open(dir, templatesFile, true, r); ok {
		m.templates = readTemplates(s)
	}
	if s, ok := open(dir, versionsFile, true, r); ok {
		m.products, m.lts = readProducts(s)
		if len(m.products) > 0 {
			m.plugins = readPlugins(dir, s, m.products, m.templates)
		}
	}
	readOptional(dir, factsFile, r, func(s *source) { m.facts = readFacts(s, m.templates) })
	readOptional(dir, withdrawnFile, r, func(s *source) { m.withdrawn = readWithdrawn(s) })
	if err := errors.Join(r.faults...); err != nil {
		return nil, err
	}
	m.warnings = r.warnings
	return m, nil
}
