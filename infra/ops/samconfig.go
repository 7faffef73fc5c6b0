package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// siteParameter is the parameter SiteUrl in samconfig.toml, whatever quotes are around it.
var siteParameter = regexp.MustCompile(`(?m)^[^#\n]*\bSiteUrl=["'\\]*([^\s"'\\]+)`)

// compareSite refuses a site that no stack of the deployment's configuration has as its SiteUrl, since its functions
// would not take the catalog. There may be no such file, as on a laptop.
func compareSite(file, site string) error {
	if file == "" || site == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var sites []string
	for _, m := range siteParameter.FindAllStringSubmatch(string(text), -1) {
		sites = append(sites, m[1])
	}
	if len(sites) == 0 || slices.Contains(sites, strings.TrimSuffix(site, "/")) {
		return nil
	}
	return fmt.Errorf("the site is %s, but SiteUrl in %s is %s: use the same address in both",
		site, file, strings.Join(sites, " or "))
}
