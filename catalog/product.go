package catalog

import (
	"slices"
	"time"
)

// product is a public version of the product in update-center-source.properties.
type product struct {
	version      Version
	date         time.Time
	description  string
	changelogURL string
}

// products are the public versions, oldest first; never empty in valid metadata.
type products []product

func (p products) newest() Version { return p[len(p)-1].version }

const versionsFile = "update-center-source.properties"

// readProducts reads the public versions and ignores private ones and the one in development.
func readProducts(s *source) (all products, lts Version) {
	for _, name := range s.list("publicVersions") {
		e := entry{source: s, name: name, subject: "version " + name + ": "}
		version := NewVersion(name)
		if slices.ContainsFunc(all, func(p product) bool { return p.version.Compare(version) == 0 }) {
			e.fault("it is listed twice in publicVersions")
			continue
		}
		e.url("downloadUrl", true)
		all = append(all, product{
			version:      version,
			date:         e.date(true),
			description:  e.required("description"),
			changelogURL: e.url("changelogUrl", true),
		})
	}
	if len(all) == 0 {
		s.fault("publicVersions names no version")
		return nil, lts
	}
	slices.SortFunc(all, func(a, b product) int { return a.version.Compare(b.version) })

	name := s.required("ltsVersion")
	if name == "" {
		return all, lts
	}
	lts = NewVersion(name)
	if !slices.ContainsFunc(all, func(p product) bool { return p.version.Compare(lts) == 0 }) {
		s.fault("ltsVersion %s is not one of publicVersions", name)
	}
	return all, lts
}
