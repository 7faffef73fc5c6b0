package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"marketplace/shared/config"
)

// samParameter is a parameter in samconfig.toml, whatever quotes are around it.
var samParameter = regexp.MustCompile(`\b([A-Z][A-Za-z]+)=(?:\\?"([^"\\]*)\\?"|([^\s"'\\]*))`)

// parameters are those of samconfig.toml in the order of the file, which may have several stacks. Comments are whole
// lines; a color begins with the same character.
func parameters(text string) (list [][2]string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, m := range samParameter.FindAllStringSubmatch(line, -1) {
			list = append(list, [2]string{m[1], m[2] + m[3]})
		}
	}
	return list
}

// checkSamconfig refuses a site that no stack of the deployment's configuration has as its SiteUrl, since its functions
// would not take the catalog, and values that CloudFormation takes and the functions refuse: after a deployment with
// such a value, none of them would start. There may be no such file, as on a laptop.
func checkSamconfig(file, site string) error {
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
	for _, p := range parameters(string(text)) {
		if p[0] == "SiteUrl" && p[1] != "" {
			sites = append(sites, p[1])
		}
		if err := checkParameter(p[0], p[1]); err != nil {
			return fmt.Errorf("%s in %s: %w", p[0], file, err)
		}
	}
	if len(sites) == 0 || slices.Contains(sites, strings.TrimSuffix(site, "/")) {
		return nil
	}
	return fmt.Errorf("the site is %s, but SiteUrl in %s is %s: use the same address in both",
		site, file, strings.Join(sites, " or "))
}

// checkParameter lets the configuration of the functions read a parameter of the template that a variable is named
// after: SiteUrl is SITE_URL.
func checkParameter(name, value string) error {
	_, err := config.Load(func(variable string) string {
		if strings.EqualFold(strings.ReplaceAll(variable, "_", ""), name) {
			return value
		}
		return ""
	})
	return err
}
