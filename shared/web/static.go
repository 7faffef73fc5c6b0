package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
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
		sum := sha256.Sum256(content)
		ext := path.Ext(entry.Name())
		stem := strings.TrimSuffix(entry.Name(), ext)
		files[entry.Name()] = staticFile{"/static/" + stem + "." + hex.EncodeToString(sum[:8]) + ext, content}
	}
	return files
})

// Static returns the address of a file in static/, such as "site.css". It panics if there is none.
func Static(name string) string {
	f, ok := staticFiles()[name]
	if !ok {
		panic("web: no static file " + name)
	}
	return f.path
}

var staticRoutes = []Route{
	{Pattern: "GET /static/{file}", Handle: serveStatic},
	{Pattern: "GET /favicon.ico", Handle: serveFavicon},
}

// serveStatic serves a file at the address of its content, to be cached forever. At the address of other content, to
// which a page of an earlier or later release may link, it serves the current file uncached.
func serveStatic(w http.ResponseWriter, r *http.Request) error {
	parts := strings.Split(r.PathValue("file"), ".")
	if len(parts) != 3 {
		return errNoPage
	}
	f, ok := staticFiles()[parts[0]+"."+parts[2]]
	if !ok {
		return errNoPage
	}
	if r.URL.Path == f.path {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	return f.serve(w)
}

// serveFavicon answers browsers that request the icon without having read a page.
func serveFavicon(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	return staticFiles()["favicon.svg"].serve(w)
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
