package lambdahttp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxAnswer is the size in bytes above which Lambda refuses a function's answer (Lambda quotas, synchronous invocation payload).
const maxAnswer = 6_291_556

var errTooLarge = errors.New("lambdahttp: the answer is larger than Lambda carries (6 MB)")

// recorder is the http.ResponseWriter; it follows net/http's server in what counts and what is dropped.
type recorder struct {
	header   http.Header // the handler's own
	sent     http.Header // as they were when the status was written
	status   int
	head     bool
	declared int // Content-Length that the handler gave, -1 without one
	written  int // bytes that the handler wrote, for HEAD as well
	body     []byte
	flushed  bool
	tooLarge bool
}

func newRecorder(method string) *recorder {
	return &recorder{header: make(http.Header, 8), head: method == http.MethodHead, declared: -1}
}

func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first final status. Informational ones have no place in a gateway's answer.
func (w *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("lambdahttp: invalid status %d", status)) // as net/http does
	}
	if w.sent != nil || status < 200 {
		return
	}
	w.status, w.sent = status, w.header.Clone()
	if v := w.sent.Get("Content-Length"); v != "" {
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n >= 0 {
			w.declared = n
		} else {
			delete(w.sent, "Content-Length")
		}
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	if err := w.take(len(p)); err != nil {
		return 0, err
	}
	if keep := w.keep(len(p)); keep > 0 {
		w.body = append(w.body, p[:keep]...)
	}
	return len(p), nil
}

// WriteString spares io.WriteString a copy.
func (w *recorder) WriteString(p string) (int, error) {
	if err := w.take(len(p)); err != nil {
		return 0, err
	}
	if keep := w.keep(len(p)); keep > 0 {
		w.body = append(w.body, p[:keep]...)
	}
	return len(p), nil
}

// take says whether n more bytes may be written.
func (w *recorder) take(n int) error {
	if w.sent == nil {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return nil
	}
	if !bodyAllowed(w.status) {
		return http.ErrBodyNotAllowed
	}
	w.written += n
	if w.declared >= 0 && w.written > w.declared {
		return http.ErrContentLength
	}
	if !w.head && w.written > maxAnswer {
		w.tooLarge = true
		return errTooLarge
	}
	return nil
}

// sniffed is how much of a body decides its content type.
const sniffed = 512

// keep says how many of n bytes belong in the body: for HEAD only as many as decide the content type.
func (w *recorder) keep(n int) int {
	if w.head {
		return min(n, sniffed-len(w.body))
	}
	return n
}

// Flush sends nothing early: the gateway takes whole answers. Like net/http's it settles status, headers and content type.
func (w *recorder) Flush() {
	if w.sent == nil {
		w.WriteHeader(http.StatusOK)
	}
	w.settle()
}

// settle completes the headers once the body's beginning is known or has been flushed.
func (w *recorder) settle() {
	if w.flushed {
		return
	}
	w.flushed = true
	if !bodyAllowed(w.status) {
		delete(w.sent, "Content-Length")
		if w.status == http.StatusNotModified {
			delete(w.sent, "Content-Type")
		}
		return
	}
	if _, ok := w.sent["Content-Type"]; !ok && w.written > 0 && w.sent.Get("Content-Encoding") == "" {
		w.sent.Set("Content-Type", http.DetectContentType(w.body))
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// answer completes the answer and encodes it.
func (w *recorder) answer() ([]byte, error) {
	if w.sent == nil {
		w.WriteHeader(http.StatusOK)
	}
	if w.head && w.declared < 0 && w.written > 0 && bodyAllowed(w.status) && !w.flushed {
		w.sent.Set("Content-Length", strconv.Itoa(w.written))
	}
	w.settle()
	if w.head {
		w.body = nil
	}
	if w.tooLarge {
		return nil, errTooLarge
	}
	out := w.encode()
	if len(out) > maxAnswer {
		return nil, errTooLarge
	}
	return out, nil
}

// encode writes the answer's JSON. Equal answers are equal bytes. A body goes as text when it is UTF-8 and not compressed,
// otherwise as base64.
func (w *recorder) encode() []byte {
	text := w.sent.Get("Content-Encoding") == "" && utf8.Valid(w.body)
	out := make([]byte, 0, 512+len(w.body)*3/2)
	out = append(out, `{"statusCode":`...)
	out = strconv.AppendInt(out, int64(w.status), 10)
	out = append(out, `,"headers":{`...)
	first := true
	for _, name := range slices.Sorted(maps.Keys(w.sent)) {
		if w.transport(name) || !validName(name) || len(w.sent[name]) == 0 {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = appendString(out, strings.ToLower(name))
		out = append(out, ':')
		out = appendString(out, joined(w.sent[name]))
	}
	out = append(out, '}')
	if cookies := w.sent["Set-Cookie"]; len(cookies) > 0 {
		out = append(out, `,"cookies":[`...)
		for i, c := range cookies {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendString(out, lineValue(c))
		}
		out = append(out, ']')
	}
	out = append(out, `,"body":`...)
	if text {
		out = appendString(out, string(w.body))
		return append(out, `,"isBase64Encoded":false}`...)
	}
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, w.body)
	return append(out, `","isBase64Encoded":true}`...)
}

// transport says whether a header belongs to the connection, which is the gateway's, or has a place of its own in the answer.
func (w *recorder) transport(name string) bool {
	switch name {
	case "Content-Length":
		return !w.head
	case "Connection", "Keep-Alive", "Proxy-Connection", "Set-Cookie", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return strings.HasPrefix(name, http.TrailerPrefix)
}

// validName says whether name is a token (RFC 9110 §5.6.2); net/http drops headers with other names.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}

func joined(values []string) string {
	if len(values) == 1 {
		return lineValue(values[0])
	}
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = lineValue(v)
	}
	return strings.Join(lines, ",")
}

// lineValue keeps a value on one line, as net/http does: what would begin a header of its own becomes a space.
func lineValue(v string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c == '\r' || c == '\n' {
			return ' '
		}
		return c
	}, v), " \t")
}

// appendString appends v as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(out []byte, v string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	done := 0
	for i := 0; i < len(v); {
		c := v[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(v[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		out = append(out, v[done:i]...)
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		case '\t':
			out = append(out, `\t`...)
		default:
			if c >= utf8.RuneSelf {
				out = append(out, "\uFFFD"...)
			} else {
				out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
		}
		i++
		done = i
	}
	out = append(out, v[done:]...)
	return append(out, '"')
}
