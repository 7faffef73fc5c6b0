package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"marketplace/catalog/bundle"
)

// reply is an answer that is the same whenever the same thing is asked: a document in a coding, its 304, or the redirect to a
// file. It is comparable, to be a key.
type reply struct {
	document    *bundle.Document
	coding      coding
	notModified bool
	file        *bundle.Package
	head        bool
}

// Browsers and the CDN take a document as fresh for five minutes and may show an older one while they fetch it anew, or for a
// week when the function fails (RFC 5861).
const documentCache = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"

func (p reply) write(f *Handler, w http.ResponseWriter) {
	h := w.Header()
	if p.file != nil {
		// 302: only GET and HEAD come here, and every client knows it. Not cached, so that every download is counted.
		h.Set("Location", f.options.PackagesURL+"/"+p.file.File)
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

// document answers with the document at the path, whatever the query.
func (h *Handler) document(q question) (reply, *failure) {
	return h.prepared(q, "")
}

// packages answers with the packages of the version asked for, of the newest without one.
func (h *Handler) packages(q question) (reply, *failure) {
	version, err := first(q.query, "version")
	if err != nil {
		return reply{}, &failure{status: http.StatusBadRequest, detail: "The version in the query is not percent-encoded correctly."}
	}
	if version == "" {
		return h.prepared(q, "")
	}
	return h.prepared(q, "version="+version)
}

// prepared answers with the bundle's document at the path with the query, both as the bundle has them.
func (h *Handler) prepared(q question, query string) (reply, *failure) {
	d, ok := h.bundle.Document(q.path, query)
	if !ok {
		return reply{}, &failure{status: http.StatusNotFound, detail: "The catalog has no such document or version."}
	}
	p := reply{document: d, coding: choose(q.acceptEncoding)}
	p.notModified = matches(q.ifNoneMatch, p.coding.body(d).ETag)
	return p, nil
}

// first returns the first value of a query parameter, "" when there is none. What else the query holds does not matter,
// garbage included.
func first(query, name string) (string, error) {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(key); err == nil && key == name {
			return url.QueryUnescape(value)
		}
	}
	return "", nil
}
