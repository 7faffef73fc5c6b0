package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"marketplace/catalog/bundle"
)

// reply is a response that never changes: a document in a coding, its 304, or the redirect to a file. It is comparable,
// as the key of encoded responses.
type reply struct {
	document    *bundle.Document
	coding      coding
	notModified bool
	file        *bundle.Package
	head        bool
}

// A document is fresh for five minutes. Browsers and the CDN may show an older one while they fetch it again, and for a
// week while the function fails (RFC 5861).
const documentCache = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"

func (p reply) write(handler *Handler, w http.ResponseWriter) {
	h := w.Header()
	if p.file != nil {
		// 302, which every client knows, since only GET and HEAD get here. Not cached, so that every download is
		// counted.
		h.Set("Location", handler.options.PackagesURL+"/"+p.file.File)
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusFound)
		return
	}
	body := p.coding.body(p.document)
	h.Set("Cache-Control", documentCache)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", body.ETag)
	if p.notModified {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", p.document.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body.Bytes)))
	if name := p.coding.name(); name != "" {
		h.Set("Content-Encoding", name)
	}
	w.Write(body.Bytes)
}

// anyQuery resolves to the document at the path, whatever the query.
func (h *Handler) anyQuery(r request) (reply, *failure) {
	return h.document(r, "")
}

// packages resolves to the packages of the version in the query, of the newest without one.
func (h *Handler) packages(r request) (reply, *failure) {
	version, err := first(r.query, "version")
	if err != nil {
		return reply{}, &failure{
			status: http.StatusBadRequest, detail: "The version in the query is not percent-encoded correctly.",
		}
	}
	if version == "" {
		return h.document(r, "")
	}
	return h.document(r, "version="+version)
}

// document resolves to the bundle's document at the path with the query, both as the bundle has them.
func (h *Handler) document(r request, query string) (reply, *failure) {
	d, ok := h.bundle.Document(r.path, query)
	if !ok {
		return reply{}, &failure{status: http.StatusNotFound, detail: "The catalog has no such version."}
	}
	p := reply{document: d, coding: choose(r.acceptEncoding)}
	p.notModified = matches(r.ifNoneMatch, p.coding.body(d).ETag)
	return p, nil
}

// first returns the first value of a query parameter, "" if there is none. It ignores the rest of the query, garbage
// included.
func first(query, name string) (string, error) {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err == nil && key == name {
			return url.QueryUnescape(value)
		}
	}
	return "", nil
}
