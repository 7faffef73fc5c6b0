package api

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
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
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.WriteHeader(e.status)
		w.Write([]byte(handler.page(e)))
		return
	}
	response.NewProblem(e.status, e.detail).Write(w)
}

// page returns an HTML page that says what to do instead. It has the markup and the style sheet of the site
// (shared/web), which serves the same host, and links no template package.
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
	var links strings.Builder
	for _, key := range editions {
		fmt.Fprintf(&links, "<li><a href=\"%s/editions/%s\">%s</a></li>\n",
			html.EscapeString(h.bundle.SiteURL), html.EscapeString(key), html.EscapeString(editionName(key)))
	}
	look, sheet, by := h.options.Brand.OrDefault(), "", ""
	if !look.Color.IsZero() {
		sheet = "<link rel=\"stylesheet\" href=\"/static/brand.page.css\">\n"
	}
	if look.Vendor != "" {
		by = " from " + html.EscapeString(look.Vendor)
	}
	return strings.NewReplacer("$title", html.EscapeString(title), "$status", strconv.Itoa(e.status),
		"$detail", html.EscapeString(e.detail), "$advice", advice, "$links", links.String(),
		"$site", html.EscapeString(h.bundle.SiteURL),
		"$sheet", sheet, "$product", html.EscapeString(look.Product), "$by", by).Replace(errorPage)
}

// editionName is license.Edition.Name, whose package would slow down the cold start.
func editionName(key string) string {
	switch key {
	case "developer":
		return "Developer Edition"
	case "enterprise":
		return "Enterprise Edition"
	case "datacenter":
		return "Data Center Edition"
	}
	return key
}

// errorPage is the page of a failure. The site serves its current style sheet under any version: "page" is none.
const errorPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/static/site.page.css">
$sheet<link rel="icon" href="/favicon.ico">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="bar">
<a class="brand" href="$site/"><span>Editions <span class="amp">&amp;</span> Licenses</span></a>
<nav aria-label="Site">
<a href="$site/editions">Editions</a>
<a href="$site/request">Request a license</a>
<a href="$site/licenses/check">Check a key</a>
</nav>
</div></header>
<main id="main" tabindex="-1">
<div class="hero">
<p class="eyebrow">Error $status</p>
<h1>$title</h1>
<p class="lead">$detail</p>
</div>
<p>$advice</p>
<ul>
$links</ul>
</main>
<footer class="bottom"><div class="bar"><p>$product editions, packages and licenses$by.</p></div></footer>
</body>
</html>
`
