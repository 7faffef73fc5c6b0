package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strings"
)

// EditionsJSON returns /editions.json, byte for byte as the vendor's own generator writes it (client-contract.md §1):
// versions in plain string order, two spaces of indent, no HTML escaping, no final line break.
func (c *Catalog) EditionsJSON() []byte {
	type entry struct {
		Key               string `json:"key"`
		Name              string `json:"name"`
		TextDescription   string `json:"textDescription"`
		HomeURL           string `json:"homeUrl"`
		LicenseRequestURL string `json:"licenseRequestUrl"`
		DownloadURL       string `json:"downloadUrl,omitempty"`
	}
	byVersion := make(map[string][]entry)
	for _, v := range c.Versions {
		for _, key := range v.Editions {
			e, _ := c.Edition(key)
			p, _ := c.Package(key, v.Version)
			byVersion[v.Version] = append(byVersion[v.Version],
				entry{e.Key, e.Name, e.TextDescription, e.HomeURL, e.LicenseRequestURL, p.URL})
		}
	}
	return encode(byVersion)
}

// PackagesJSON returns /packages.json for a version of the product: an object keyed by edition with name, desc,
// more_link and download_link, without editions that have no package or a withdrawn one. desc is HTML: a paragraph, and
// a list of the edition's features. The second result is false for an unknown version.
func (c *Catalog) PackagesJSON(version string) ([]byte, bool) {
	type entry struct {
		Name         string `json:"name"`
		Desc         string `json:"desc"`
		MoreLink     string `json:"more_link"`
		DownloadLink string `json:"download_link"`
	}
	v, ok := c.Version(version)
	if !ok {
		return nil, false
	}
	packages := make(map[string]entry)
	for _, key := range v.Editions {
		p, ok := c.Package(key, v.Version)
		if !ok || p.Withdrawn != "" {
			continue
		}
		e, _ := c.Edition(key)
		packages[key] = entry{e.Name, c.description(e), e.HomeURL, p.URL}
	}
	return encode(packages), true
}

func (c *Catalog) description(e Edition) string {
	var desc strings.Builder
	if e.TextDescription != "" {
		fmt.Fprintf(&desc, "<p>%s</p>", html.EscapeString(e.TextDescription))
	}
	if len(e.Features) > 0 {
		desc.WriteString("<ul>")
		for _, key := range e.Features {
			f, _ := c.Feature(key)
			fmt.Fprintf(&desc, "<li>%s</li>", html.EscapeString(f.Name))
		}
		desc.WriteString("</ul>")
	}
	return desc.String()
}

// JSON returns /catalog.json.
func (c *Catalog) JSON() []byte { return encode(c) }

// encode writes values that cannot fail to encode.
func encode(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
