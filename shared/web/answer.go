package web

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
)

// answer is a ResponseWriter that keeps what it is given until the handler has ended well.
type answer struct {
	header http.Header
	status int // 0: not said yet
	body   bytes.Buffer
	head   bool
}

func newAnswer(r *http.Request) *answer {
	return &answer{header: make(http.Header, 4), head: r.Method == http.MethodHead}
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// sendTo writes the answer. An error can only mean that the client is gone.
func (a *answer) sendTo(w http.ResponseWriter) {
	a.WriteHeader(http.StatusOK)
	a.copyHeader(w)
	header := w.Header()
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified && header.Get("Content-Length") == "" {
		header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
	w.WriteHeader(a.status)
	if !a.head {
		_, _ = w.Write(a.body.Bytes())
	}
}

func (a *answer) copyHeader(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// run calls the handler and makes an error of a panic.
func run(handle HandlerFunc, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return handle(w, r)
}
