package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/lazyregexp"
)

// styleOf finds the style sheets and the style attributes of an HTML document.
var styleOf = lazyregexp.New(`(?s)<style>(.*?)</style>|\sstyle="([^"]*)"`)

// AllowEmbedded lets a page show the HTML of an email in the attribute srcdoc of a frame. Such a frame inherits the
// page's policy, so its styles are allowed by their hashes, and no others. The frame needs the attribute sandbox.
func AllowEmbedded(h http.Header, document string) {
	hashes := []string{"'self'", "'unsafe-hashes'"}
	for _, m := range styleOf().FindAllStringSubmatch(document, -1) {
		style := m[1]
		if style == "" {
			style = html.UnescapeString(m[2])
		}
		sum := sha256.Sum256([]byte(style))
		hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !slices.Contains(hashes, hash) {
			hashes = append(hashes, hash)
		}
	}
	policy := strings.Replace(contentSecurityPolicy, "style-src 'self'", "style-src "+strings.Join(hashes, " "), 1)
	h.Set("Content-Security-Policy", policy+"; frame-src 'self'")
}
