package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// wantsJSON reports whether an error is told to a program: under /api/, or where the request would rather have JSON than a
// page.
func wantsJSON(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return true
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	json := max(quality(accept, "application/json"), quality(accept, "application/problem+json"))
	return json > quality(accept, "text/html")
}

// quality is how much an Accept header wants a type, from 0 to 1; the most precise range that fits decides
// (RFC 9110 §12.5.1).
func quality(accept, contentType string) float64 {
	major, _, _ := strings.Cut(contentType, "/")
	best, precision := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		fits := 0
		switch name {
		case contentType:
			fits = 3
		case major + "/*":
			fits = 2
		case "*/*":
			fits = 1
		}
		if fits <= precision {
			continue
		}
		best, precision = 1, fits
		if q, ok := params["q"]; ok {
			best, _ = strconv.ParseFloat(q, 64)
		}
	}
	return best
}
