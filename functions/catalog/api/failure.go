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

// failure is an answer that is not what was asked for.
type failure struct {
	status int
	detail string // for people, one or two sentences
	page   bool   // people follow this link: a page, unless they ask for JSON
	file   *bundle.Package
}

func (e *failure) write(f *Handler, w http.ResponseWriter, accept string) {
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
		w.Write([]byte(f.page(e)))
		return
	}
	response.NewProblem(e.status, e.detail).Write(w)
}

// page says what to do instead. It has no style and no script, and no template package is linked for it.
func (h *Handler) page(e *failure) string {
	title := "No such package"
	advice := "Please check the link: names of packages look like <code>developer-edition-6.7.1.717.zip</code>. " +
		"All packages are listed on the page of their edition:"
	var editions []string
	for _, p := range h.bundle.Packages {
		if !slices.Contains(editions, p.Edition) {
			editions = append(editions, p.Edition)
		}
	}
	switch {
	case e.status == http.StatusGone:
		title = e.file.File + " was withdrawn"
		advice = "Please do not install a copy that you still have. Other packages are listed on the page of the edition:"
		editions = []string{e.file.Edition}
	case e.status != http.StatusNotFound:
		title = http.StatusText(e.status)
		advice = "All packages are listed on the page of their edition:"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"+
		"<title>%[1]s</title>\n<h1>%[1]s</h1>\n<p>%[2]s</p>\n<p>%[3]s</p>\n<ul>\n", html.EscapeString(title), html.EscapeString(e.detail), advice)
	for _, key := range editions {
		fmt.Fprintf(&b, "<li><a href=\"%s/editions/%[2]s\">%[2]s</a></li>\n", html.EscapeString(h.bundle.SiteURL), html.EscapeString(key))
	}
	b.WriteString("</ul>\n</html>\n")
	return b.String()
}
