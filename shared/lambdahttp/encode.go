package lambdahttp

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"marketplace/shared/response"
)

// maxPayload is the size in bytes above which Lambda refuses a function's response (Lambda quotas, synchronous
// invocation payload).
const maxPayload = 6_291_556

var errTooLarge = errors.New("lambdahttp: the response is larger than the 6 MB that Lambda carries")

func newBuffer(method string) *response.Buffer { return response.NewBuffer(method, maxPayload) }

// encoded completes a response and encodes it.
func encoded(method string, b *response.Buffer) ([]byte, error) {
	resp, err := b.Response()
	if err != nil {
		return nil, errTooLarge
	}
	out := encode(resp, method == http.MethodHead)
	if len(out) > maxPayload {
		return nil, errTooLarge
	}
	return out, nil
}

// encode writes a response as the gateway's JSON. Equal responses give equal bytes. A body that is UTF-8 and not
// compressed is sent as text, any other as base64.
func encode(resp response.Response, head bool) []byte {
	text := resp.Header.Get("Content-Encoding") == "" && utf8.Valid(resp.Body)
	out := make([]byte, 0, 512+len(resp.Body)*3/2)
	out = append(out, `{"statusCode":`...)
	out = strconv.AppendInt(out, int64(resp.Status), 10)
	out = append(out, `,"headers":{`...)
	first := true
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		if transport(name, head) || !validName(name) || len(resp.Header[name]) == 0 {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = appendString(out, strings.ToLower(name))
		out = append(out, ':')
		out = appendString(out, joined(resp.Header[name]))
	}
	out = append(out, '}')
	if cookies := resp.Header["Set-Cookie"]; len(cookies) > 0 {
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
		out = appendString(out, string(resp.Body))
		return append(out, `,"isBase64Encoded":false}`...)
	}
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, resp.Body)
	return append(out, `","isBase64Encoded":true}`...)
}

// transport reports whether a header belongs to the connection, which is the gateway's, or has its own member in the
// JSON.
func transport(name string, head bool) bool {
	switch name {
	case "Content-Length":
		return !head
	case "Connection", "Keep-Alive", "Proxy-Connection", "Set-Cookie", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return strings.HasPrefix(name, http.TrailerPrefix)
}

// validName reports whether name is a token (RFC 9110 §5.6.2); net/http drops headers with other names.
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

// lineValue keeps a value on one line, as net/http does: a line break, which could begin another header, becomes a
// space.
func lineValue(v string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c == '\r' || c == '\n' {
			return ' '
		}
		return c
	}, v), " \t")
}

// appendString appends v as a JSON string; invalid UTF-8 becomes U+FFFD.
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
