package response

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"marketplace/shared/fault"
)

// ErrTooLarge is returned to a handler that writes more than its Buffer's limit.
var ErrTooLarge = errors.New("response: larger than its limit")

// Buffer is an http.ResponseWriter that keeps a response until its handler has returned, so that a failed one can be
// thrown away. It follows net/http's server in what counts and what is dropped.
type Buffer struct {
	header   http.Header // the handler's own
	sent     http.Header // as they were when the status was written; nil before
	status   int
	head     bool
	declared int // the Content-Length that the handler set, -1 without one
	written  int // bytes that the handler wrote, for HEAD as well
	body     []byte
	complete bool // the headers need no more of the body
	limit    int
	stream   http.ResponseWriter
	begun    bool // the stream has the beginning of the response
	tooLarge bool
}

// NewBuffer returns a Buffer for the response to a request of the method, with a body of at most limit bytes.
func NewBuffer(method string, limit int) *Buffer {
	return &Buffer{header: make(http.Header, 8), head: method == http.MethodHead, declared: -1, limit: limit}
}

// NewStream returns a Buffer that does not refuse a body larger than limit: from then on it sends to w what it has and
// what is still written. Begun reports whether it has.
func NewStream(method string, limit int, w http.ResponseWriter) *Buffer {
	b := NewBuffer(method, limit)
	b.stream = w
	return b
}

// Begun reports whether the beginning of the response has been sent, so that it can no longer be replaced.
func (b *Buffer) Begun() bool { return b.begun }

// Status returns the status that the handler wrote, 0 before.
func (b *Buffer) Status() int { return b.status }

func (b *Buffer) Header() http.Header { return b.header }

// WriteHeader keeps the first final status. Informational ones are dropped.
func (b *Buffer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("response: invalid status %d", status)) // as net/http does
	}
	if b.sent != nil || status < 200 {
		return
	}
	b.status, b.sent = status, b.header.Clone()
	if v := b.sent.Get("Content-Length"); v != "" {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n >= 0 {
			b.declared = n
		} else {
			delete(b.sent, "Content-Length")
		}
	}
}

func (b *Buffer) Write(p []byte) (int, error) {
	keep, err := b.accept(len(p))
	if err != nil {
		return 0, err
	}
	if b.begun {
		return b.send(p)
	}
	b.body = append(b.body, p[:keep]...)
	return len(p), b.overflow()
}

// WriteString spares io.WriteString a copy.
func (b *Buffer) WriteString(p string) (int, error) {
	keep, err := b.accept(len(p))
	if err != nil {
		return 0, err
	}
	if b.begun {
		return b.send([]byte(p))
	}
	b.body = append(b.body, p[:keep]...)
	return len(p), b.overflow()
}

// sniffed is how much of a body decides its content type.
const sniffed = 512

// accept decides whether n more bytes may be written, and how many of them belong in the body: for HEAD only as many as
// decide the content type.
func (b *Buffer) accept(n int) (keep int, err error) {
	if b.sent == nil {
		b.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return 0, nil
	}
	if !bodyAllowed(b.status) {
		return 0, http.ErrBodyNotAllowed
	}
	b.written += n
	switch {
	case b.declared >= 0 && b.written > b.declared:
		return 0, http.ErrContentLength
	case b.head:
		return min(n, sniffed-len(b.body)), nil
	case b.written > b.limit && b.stream == nil:
		b.tooLarge = true
		return 0, ErrTooLarge
	}
	return n, nil
}

// overflow begins to stream a body that has become larger than the limit.
func (b *Buffer) overflow() error {
	if b.stream == nil || b.head || len(b.body) <= b.limit {
		return nil
	}
	b.finish()
	b.begun = true
	maps.Copy(b.stream.Header(), b.sent)
	b.stream.WriteHeader(b.status)
	_, err := b.send(b.body)
	b.body = nil
	return err
}

func (b *Buffer) send(p []byte) (int, error) {
	n, err := b.stream.Write(p)
	if err != nil {
		err = fault.Wrap(fault.Unavailable, err, "The client is gone.")
	}
	return n, err
}

// Flush sends nothing early. As in net/http it ends the choice of status, headers and content type.
func (b *Buffer) Flush() { b.finish() }

// finish completes the headers once the body's beginning is known or has been flushed.
func (b *Buffer) finish() {
	if b.sent == nil {
		b.WriteHeader(http.StatusOK)
	}
	if b.complete {
		return
	}
	b.complete = true
	if !bodyAllowed(b.status) {
		delete(b.sent, "Content-Length")
		if b.status == http.StatusNotModified {
			delete(b.sent, "Content-Type")
		}
		return
	}
	if _, ok := b.sent["Content-Type"]; !ok && b.written > 0 && b.sent.Get("Content-Encoding") == "" {
		b.sent.Set("Content-Type", http.DetectContentType(b.body))
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Response is what a Buffer kept. The body is nil for HEAD.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Response completes the response and returns it; ErrTooLarge where the handler wrote more than the limit.
func (b *Buffer) Response() (Response, error) {
	if b.sent == nil {
		b.WriteHeader(http.StatusOK)
	}
	if b.head && b.declared < 0 && b.written > 0 && bodyAllowed(b.status) && !b.complete {
		b.sent.Set("Content-Length", strconv.Itoa(b.written))
	}
	b.finish()
	if b.tooLarge {
		return Response{}, ErrTooLarge
	}
	if b.head {
		b.body = nil
	}
	return Response{b.status, b.sent, b.body}, nil
}

// SendTo completes the response and writes what of it has not been sent yet, with its length.
func (b *Buffer) SendTo(w http.ResponseWriter) error {
	if b.begun {
		return nil
	}
	resp, err := b.Response()
	if err != nil {
		return err
	}
	maps.Copy(w.Header(), resp.Header)
	if bodyAllowed(resp.Status) && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(b.written))
	}
	w.WriteHeader(resp.Status)
	_, err = w.Write(resp.Body)
	return err
}
