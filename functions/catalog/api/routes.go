package api

import (
	"strings"

	"marketplace/catalog/bundle"
)

// route is one path of the catalog function. Its resolver decides the response by the request alone, so that an encoded
// Lambda response and the handler's are the same decision.
type route struct {
	pattern string // as http.ServeMux has it, without a method: GET, HEAD and OPTIONS are answered everywhere
	resolve func(*Handler, request) (reply, *failure)
}

func routes() []route {
	return []route{
		{bundle.EditionsPath, (*Handler).anyQuery},
		{bundle.PackagesPath, (*Handler).packages},
		{bundle.CatalogPath, (*Handler).anyQuery},
		{"/downloads/{file}", (*Handler).download},
	}
}

// Patterns returns the paths of this function as http.ServeMux patterns without a method.
func Patterns() []string {
	var patterns []string
	for _, r := range routes() {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}

// match reports whether path is the route's, and returns the part for which the pattern has a name in braces. Unlike a
// ServeMux it never redirects: a path with ../ or // is unknown.
func (r route) match(path string) (rest string, ok bool) {
	prefix, _, open := strings.Cut(r.pattern, "{")
	if !open {
		return "", path == r.pattern
	}
	return strings.CutPrefix(path, prefix)
}
