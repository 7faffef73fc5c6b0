package web

import (
	"io"
	"net/http"
)

// AllowFrames lets a page show frames of its own site: see WriteFramed.
func AllowFrames(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy+"; frame-src 'self'")
}

// framedSecurityPolicy isolates a document from the site, even where it is opened outside of a frame: it runs nothing,
// loads nothing and sends nothing, and has no part in the site's origin. Only its own styles and links work.
const framedSecurityPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; " +
	"style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// WriteFramed answers with HTML that is not a page of the site, such as an email, for a frame with the attribute
// sandbox="allow-popups allow-popups-to-escape-sandbox".
func WriteFramed(w http.ResponseWriter, html string) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", framedSecurityPolicy)
	_, err := io.WriteString(w, html)
	return err
}
