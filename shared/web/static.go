package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strings"
	"sync"

	"marketplace/shared/brand"
)

//go:embed static
var staticFS embed.FS

type staticFile struct {
	path    string // "/static/site.<hash>.css": the address changes with the content
	content []byte
}

// staticFiles are the files of static/ by name.
var staticFiles = sync.OnceValue(func() map[string]staticFile {
	entries, err := staticFS.ReadDir("static")
	if err != nil {
		panic("web: static files: " + err.Error())
	}
	files := make(map[string]staticFile, len(entries))
	for _, entry := range entries {
		content, err := staticFS.ReadFile("static/" + entry.Name())
		if err != nil {
			panic("web: static files: " + err.Error())
		}
		files[entry.Name()] = newStaticFile(entry.Name(), content)
	}
	return files
})

func newStaticFile(name string, content []byte) staticFile {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return staticFile{"/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext, content}
}

// brandSheet is the style sheet with the brand's colors. It follows site.css, and there is none without a color.
const brandSheet = "brand.css"

// colored returns the static files in a brand's color.
func colored(c brand.Color) map[string]staticFile {
	files := staticFiles()
	if c.IsZero() {
		return files
	}
	files = maps.Clone(files)
	files[brandSheet] = newStaticFile(brandSheet, fmt.Appendf(nil, `@media screen {
  :root { --link: %[1]s; --fill: %[1]s; --fill-hover: %[2]s; --tint: %[3]s; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { --link: %[4]s; --tint: %[5]s; }
}
`, c, c.Hover(), c.Tint(), c.OnDark(), c.DarkTint()))
	icon := bytes.ReplaceAll(files["favicon.svg"].content, []byte("#0b5a87"), []byte(c.String()))
	files["favicon.svg"] = newStaticFile("favicon.svg", icon)
	return files
}

// Static returns the address of a file in static/, such as "site.css". It panics if there is none.
func (p *Pages) Static(name string) string {
	f, ok := p.static()[name]
	if !ok {
		panic("web: no static file " + name)
	}
	return f.path
}

// staticRoutes serve the static files as the pages show them.
func staticRoutes(p *Pages) []Route {
	return []Route{
		{Pattern: "GET /static/{file}", Handle: p.serveStatic},
		{Pattern: "GET /favicon.ico", Handle: p.serveFavicon},
	}
}

// serveStatic serves a file at the address of its content, to be cached forever. At the address of other content, to
// which a page of an earlier or later release may link, it serves the current file uncached.
func (p *Pages) serveStatic(w http.ResponseWriter, r *http.Request) error {
	parts := strings.Split(r.PathValue("file"), ".")
	if len(parts) != 3 {
		return errNoPage
	}
	f, ok := p.static()[parts[0]+"."+parts[2]]
	if !ok {
		return errNoPage
	}
	if r.URL.Path == f.path {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	return f.serve(w)
}

// serveFavicon answers browsers that request the icon without having read a page.
func (p *Pages) serveFavicon(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	return p.static()["favicon.svg"].serve(w)
}

func (f staticFile) serve(w http.ResponseWriter) error {
	contentType := "text/css; charset=utf-8"
	switch path.Ext(f.path) {
	case ".svg":
		contentType = "image/svg+xml"
	case ".js":
		contentType = "text/javascript; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	_, err := w.Write(f.content)
	return err
}
