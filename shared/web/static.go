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
	path    string // "/static/site.<hash>.css": another content has another address
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

// Static is the address of a file of static/, such as "site.css". It panics where there is none.
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

// serveStatic serves a file under the address of its content for good. Under the address of another content, which a page
// of the release before or after may name, it serves what it has and keeps that out of caches.
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

// serveFavicon answers browsers that ask without having read a page.
func serveFavicon(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	return staticFiles()["favicon.svg"].serve(w)
}

func (f staticFile) serve(w http.ResponseWriter) error {
	contentType := "text/css; charset=utf-8"
	if path.Ext(f.path) == ".svg" {
		contentType = "image/svg+xml"
	}
	w.Header().Set("Content-Type", contentType)
	_, err := w.Write(f.content)
	return err
}
