package generator

import (
	"fmt"
	"slices"

	"marketplace/catalog"
	"marketplace/shared/license"
)

// licensePlugin is in every key: one without it is invalid for the client (CLIENT-CONTRACT §5).
const licensePlugin = "license"

// plugins are what a license for an edition lists: the plugins of the edition's package and those that bring the languages
// beyond it, which are also given alone. The server removes commercial plugins that are not listed (CLIENT-CONTRACT §5).
func plugins(c *catalog.Catalog, edition license.Edition, languages []string) (all, extra []string, err error) {
	e, ok := c.Edition(string(edition))
	if !ok {
		return nil, nil, fmt.Errorf("generator: the catalog has no edition %q", edition)
	}
	all = slices.Clone(e.Plugins)
	if !slices.Contains(all, licensePlugin) {
		all = append([]string{licensePlugin}, all...)
	}
	for _, key := range languages {
		l, ok := c.Language(key)
		if !ok {
			return nil, nil, fmt.Errorf("generator: the catalog has no language %q", key)
		}
		if l.Plugin != "" && !slices.Contains(all, l.Plugin) {
			all, extra = append(all, l.Plugin), append(extra, l.Plugin)
		}
	}
	return all, extra, nil
}
