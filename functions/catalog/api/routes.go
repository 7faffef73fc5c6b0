package api

import (
	"strings"

	"marketplace/catalog/bundle"
)

// route is one path of the catalog function. Its resolver decides by the question alone what the answer is, so that a Lambda
// answer prepared earlier and a handler's answer are the same decision.
type route struct {
	pattern string // as http.ServeMux has it, without a method: GET, HEAD and OPTIONS are answered everywhere
	resolve func(*Handler, question) (reply, *failure)
}

func routes() []route {
	return []route{
		{bundle.EditionsPath, (*Handler).document},
		{bundle.PackagesPath, (*Handler).packages},
		{bundle.CatalogPath, (*Handler).document},
		{"/downloads/{file}", (*Handler).download},
	}
}

// Patterns lists the paths that belong to this function, as http.ServeMux patterns without a method.
func Patterns() []string {
	var patterns []string
	for _, r := range routes() {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}

// match reports whether path is the route's, and what stands where the pattern has a name in braces. Unlike a ServeMux it
// never redirects: a path with ../ or // is simply unknown.
func (r route) match(path string) (rest string, ok bool) {
	prefix, _, open := strings.Cut(r.pattern, "{")
	if !open {
		return "", path == r.pattern
	}
	return strings.CutPrefix(path, prefix)
}
