package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"marketplace/catalog/bundle"
)

// links are those of the catalog's documents.
type links struct {
	pages     []string // of editions and request forms
	downloads []string // of packages, the newest product version last
}

// What the checks need of the documents.
type (
	edition  struct{ HomeURL, LicenseRequestURL, DownloadURL string }
	packaged struct {
		MoreLink     string `json:"more_link"`
		DownloadLink string `json:"download_link"`
	}
)

// catalog reads the three documents as the script of a server's page does.
func (s *site) catalog(ctx context.Context) (string, error) {
	var editions map[string][]edition
	var packages map[string]packaged
	var whole map[string]any
	for _, d := range []struct {
		path string
		into any
	}{{bundle.EditionsPath, &editions}, {bundle.PackagesPath, &packages}, {bundle.CatalogPath, &whole}} {
		a, err := s.get(ctx, s.documents+d.path, "Origin", origin)
		if err == nil {
			err = errors.Join(a.status(d.path, http.StatusOK), a.anyOrigin(d.path))
		}
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(a.body, d.into); err != nil {
			return "", fmt.Errorf("%s: got no JSON that a server understands: %w", d.path, err)
		}
	}
	for _, p := range packages {
		s.links.pages = append(s.links.pages, p.MoreLink)
		s.links.downloads = append(s.links.downloads, p.DownloadLink)
	}
	for _, version := range slices.SortedFunc(maps.Keys(editions), compareVersions) {
		for _, e := range editions[version] {
			s.links.pages = append(s.links.pages, e.HomeURL, e.LicenseRequestURL)
			s.links.downloads = append(s.links.downloads, e.DownloadURL)
		}
	}
	empty := func(link string) bool { return link == "" } // the community edition's
	s.links.pages = slices.DeleteFunc(s.links.pages, empty)
	s.links.downloads = slices.DeleteFunc(s.links.downloads, empty)
	if len(s.links.downloads) == 0 {
		return "", errors.New("/editions.json: got no package, want at least one")
	}
	return fmt.Sprintf("any origin may read all three documents, with %d product versions", len(editions)), nil
}

// ownLinks compares the catalog's links with the site: another SITE_URL at build time leads customers astray.
func (s *site) ownLinks(context.Context) (string, error) {
	if len(s.links.downloads) == 0 {
		return "", errors.New("there is no catalog to take links from")
	}
	for _, link := range s.links.pages {
		if !within(link, s.Site) {
			return "", fmt.Errorf("got a link to %s, want one to %s: was SITE_URL another one when the catalog was "+
				"built or published?", link, s.Site)
		}
	}
	for _, link := range s.links.downloads {
		if !within(link, s.Site) && (s.Packages == "" || !within(link, s.Packages)) {
			return "", fmt.Errorf("got a package at %s, want it at %s", link, s.Site)
		}
	}
	return fmt.Sprintf("all %d lead to %s", len(s.links.pages)+len(s.links.downloads), s.Site), nil
}

func within(link, address string) bool { return strings.HasPrefix(link, address+"/") }

// missingPackage checks that a script can tell a package that does not exist from an outage.
func (s *site) missingPackage(ctx context.Context) (string, error) {
	addresses := []string{s.Site + "/downloads/none.zip"}
	if s.Packages != "" {
		addresses = append(addresses, s.Packages+"/none.zip")
	}
	for _, address := range addresses {
		a, err := s.get(ctx, address, "Origin", origin)
		if err == nil {
			err = errors.Join(a.status(address, http.StatusNotFound), a.anyOrigin(address))
		}
		if err != nil {
			return "", err
		}
	}
	return "404, which any origin may read", nil
}

// maxHops is how many redirects lead to a package at most: ours, and one to https or of another CDN.
const maxHops = 4

// download asks for the first bytes of the newest package, as a download that is resumed does.
func (s *site) download(ctx context.Context) (string, error) {
	if len(s.links.downloads) == 0 {
		return "", errors.New("there is no catalog to take a package from")
	}
	address := s.links.downloads[len(s.links.downloads)-1]
	for range maxHops {
		a, err := s.ask(ctx, http.MethodGet, address, "", 100, "Origin", origin, "Range", "bytes=0-99")
		if err == nil {
			err = a.anyOrigin(address)
		}
		if err != nil {
			return "", err
		}
		if next, err := a.Location(); err == nil && a.StatusCode/100 == 3 {
			address = next.String()
			continue
		}
		return path.Base(address) + ", a range of it", ranged(a, address)
	}
	return "", fmt.Errorf("%s: got more than %d redirects", address, maxHops)
}

func ranged(a answer, address string) error {
	if a.StatusCode == http.StatusOK {
		return fmt.Errorf("%s: got status 200, want 206: ranges are ignored, so no download can be resumed", address)
	}
	if err := a.status(address, http.StatusPartialContent); err != nil {
		return fmt.Errorf("%w: is the package published?", err)
	}
	if got := a.Header.Get("Content-Range"); !strings.HasPrefix(got, "bytes 0-99/") {
		return fmt.Errorf("%s: got Content-Range %q, want bytes 0-99", address, got)
	}
	if got := a.Header.Get("Content-Type"); got != "application/zip" {
		return fmt.Errorf("%s: got Content-Type %q, want application/zip", address, got)
	}
	if !strings.HasPrefix(string(a.body), "PK") {
		return fmt.Errorf("%s: got bytes that no ZIP begins with", address)
	}
	return nil
}

// published reads the bundle that the functions look for, and compares the site that it was made for.
func (s *site) published(ctx context.Context) (string, error) {
	const p = "/catalog/bundle.bin"
	a, err := s.get(ctx, s.Packages+p)
	if err == nil {
		err = a.status(p, http.StatusOK)
	}
	if err != nil {
		return "", fmt.Errorf("%w: is a catalog published?", err)
	}
	b, err := bundle.Decode(a.body)
	if err != nil {
		return "", err
	}
	if b.SiteURL != s.Site {
		return "", fmt.Errorf("got one for %s, want one for %s: the functions do not take it", b.SiteURL, s.Site)
	}
	return fmt.Sprintf("for this site, with %d packages", len(b.Packages)), nil
}

// jars checks that the jars, which only custom packages are made of, cannot be downloaded.
func (s *site) jars(ctx context.Context) (string, error) {
	a, err := s.get(ctx, s.Packages+"/jars/any.jar")
	if err == nil {
		err = a.status("/jars/any.jar", http.StatusForbidden)
	}
	return "not served", err
}

// listing checks that nobody can list the bucket, in which the names of custom packages are secrets.
func (s *site) listing(ctx context.Context) (string, error) {
	a, err := s.get(ctx, s.Packages+"/?list-type=2&prefix=tailored/")
	if err == nil {
		err = a.status("/?list-type=2", http.StatusNotFound, http.StatusForbidden)
	}
	if err == nil && strings.Contains(string(a.body), "<ListBucketResult") {
		err = errors.New("got a list of the bucket")
	}
	return "nobody can list the bucket", err
}

// closed checks that an address of the API answers nobody but the distributions.
func (s *site) closed(ctx context.Context, address string) (string, error) {
	a, err := s.get(ctx, address+bundle.EditionsPath)
	if err == nil {
		err = a.status("it", http.StatusForbidden, http.StatusNotFound)
	}
	return "closed", err
}

// compareVersions orders versions of the product by their numbers.
func compareVersions(a, b string) int {
	numbers := func(v string) (list []int) {
		for part := range strings.SplitSeq(v, ".") {
			n, _ := strconv.Atoi(part)
			list = append(list, n)
		}
		return list
	}
	return slices.Compare(numbers(a), numbers(b))
}

// hostOf returns the host of an address, for a line that must not have the rest of it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
