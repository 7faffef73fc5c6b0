package api

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"

	"marketplace/catalog/bundle"
	"marketplace/shared/response"
)

// failure is an error response.
type failure struct {
	status int
	detail string // for people, one or two sentences
	page   bool   // people follow this link: a page, unless the client prefers JSON
	file   *bundle.Package
}

func (e *failure) write(handler *Handler, w http.ResponseWriter, accept string) {
	h := w.Header()
	for _, name := range []string{"Content-Disposition", "Content-Length", "ETag"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if e.status == http.StatusNotFound || e.status == http.StatusGone {
		h.Set("Cache-Control", "public, max-age=60")
	}
	if e.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "60")
	}
	if e.page {
		h.Set("Vary", "Accept")
	}
	if e.page && !response.PrefersJSON(accept) {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'")
		w.WriteHeader(e.status)
		w.Write([]byte(handler.page(e)))
		return
	}
	response.NewProblem(e.status, e.detail).Write(w)
}

// page returns an HTML page that says what to do instead. It has no style and no script, and links no template package.
func (h *Handler) page(e *failure) string {
	title := "No such package"
	advice := "Check the link: package names look like <code>developer-edition-6.7.1.717.zip</code>. " +
		"Each edition's page lists its packages:"
	var editions []string
	for _, p := range h.bundle.Packages {
		if !slices.Contains(editions, p.Edition) {
			editions = append(editions, p.Edition)
		}
	}
	switch {
	case e.status == http.StatusGone:
		title = e.file.File + " was withdrawn"
		advice = "Do not install a copy that you still have. The edition's page lists the other packages:"
		editions = []string{e.file.Edition}
	case e.status != http.StatusNotFound:
		title = http.StatusText(e.status)
		advice = "Each edition's page lists its packages:"
	}
	var b strings.Builder
	fmt.Fprintf(&b, pageBeginning, html.EscapeString(title), html.EscapeString(e.detail), advice)
	for _, key := range editions {
		fmt.Fprintf(&b, "<li><a href=\"%s/editions/%[2]s\">%[2]s</a></li>\n",
			html.EscapeString(h.bundle.SiteURL), html.EscapeString(key))
	}
	b.WriteString("</ul>\n</html>\n")
	return b.String()
}

const pageBeginning = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%[1]s</title>
<h1>%[1]s</h1>
<p>%[2]s</p>
<p>%[3]s</p>
<ul>
`
