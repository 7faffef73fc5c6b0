package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/license"
)

const templatesFile = "edition-templates.properties"

const community = string(license.Community)

// template is an edition as edition-templates.properties describes it.
type template struct {
	key, name, textDescription, homeURL, requestLicenseURL string
	plugins                                                []string
}

// readTemplates reads the editions, in key order. A property may be empty but not missing.
func readTemplates(s *source) []template {
	var templates []template
	text := func(key string) string {
		value, defined := s.props.Get(key)
		if !defined {
			s.fault("property %s is missing", key)
		}
		return value
	}
	for _, key := range splitList(text("editions")) {
		if !license.Edition(key).Valid() {
			s.fault("editions: the client knows no edition %q, only %v", key, license.Editions)
			continue
		}
		if slices.ContainsFunc(templates, func(t template) bool { return t.key == key }) {
			s.fault("editions: %s is listed twice", key)
			continue
		}
		t := template{
			key:               key,
			name:              text(key + ".name"),
			textDescription:   text(key + ".textDescription"),
			homeURL:           text(key + ".homeUrl"),
			requestLicenseURL: text(key + ".requestLicenseUrl"),
		}
		for _, plugin := range splitList(text(key + ".plugins")) {
			if !slices.Contains(t.plugins, plugin) {
				t.plugins = append(t.plugins, plugin)
			}
		}
		if err := checkRequestURL(t.requestLicenseURL); err != nil {
			s.fault("property %s.requestLicenseUrl: %w", key, err)
		}
		templates = append(templates, t)
	}
	if !slices.ContainsFunc(templates, func(t template) bool { return t.key == community }) {
		s.fault("editions: the %s edition is missing, without which the client's page breaks", community)
	}
	slices.SortFunc(templates, func(a, b template) int { return strings.Compare(a.key, b.key) })
	return templates
}

// siteMarker is replaced by the address of the site, which only a deployment knows.
const siteMarker = "${SITE_URL}"

// checkRequestURL refuses an address to which the client cannot append "?serverId=…" (client-contract.md §3). It may be
// empty.
func checkRequestURL(text string) error {
	if text == "" {
		return nil
	}
	if strings.ContainsAny(text, "?#") {
		return fmt.Errorf("%q contains ? or #, but the client appends its own ?", text)
	}
	address, err := url.Parse(strings.Replace(text, siteMarker, "https://site", 1))
	if err != nil || address.Scheme != "https" && address.Scheme != "http" {
		return fmt.Errorf("%q is not an absolute http or https URL", text)
	}
	return nil
}
