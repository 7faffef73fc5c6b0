package lambdahttp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth limits the nesting of values, as encoding/json does.
const maxDepth = 10000

// scanner reads JSON in place, without reflection or copies: every request of every function parses an event, and uses
// a handful of its thirty-odd values. A typical event costs 1.6–2.0 µs, with encoding/json 15–17 µs
// (BenchmarkParseEvent). It accepts exactly what encoding/json accepts, which a fuzz test checks.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) fail(want string) error {
	if s.pos >= len(s.data) {
		return fmt.Errorf("%s expected at byte %d, where the text ends", want, s.pos)
	}
	return fmt.Errorf("%s expected at byte %d, found %q", want, s.pos, s.data[s.pos])
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) accept(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.pos >= len(w) && string(s.data[s.pos:s.pos+len(w)]) == w {
		s.pos += len(w)
		return true
	}
	return false
}

// object reads an object. It calls field for each key, with the position at the value, which field must consume.
func (s *scanner) object(field func(key []byte) error) error {
	if !s.accept('{') {
		return s.fail("an object")
	}
	s.space()
	if s.accept('}') {
		return nil
	}
	for {
		s.space()
		key, err := s.text()
		if err != nil {
			return err
		}
		s.space()
		if !s.accept(':') {
			return s.fail("a colon")
		}
		s.space()
		if err := field(key); err != nil {
			return err
		}
		s.space()
		if s.accept(',') {
			continue
		}
		if s.accept('}') {
			return nil
		}
		return s.fail("a comma or the object's end")
	}
}

// array is object for lists.
func (s *scanner) array(element func() error) error {
	if !s.accept('[') {
		return s.fail("a list")
	}
	s.space()
	if s.accept(']') {
		return nil
	}
	for {
		s.space()
		if err := element(); err != nil {
			return err
		}
		s.space()
		if s.accept(',') {
			continue
		}
		if s.accept(']') {
			return nil
		}
		return s.fail("a comma or the list's end")
	}
}

// text reads a string and returns the bytes between its quotes, escapes unresolved (see unescape).
func (s *scanner) text() ([]byte, error) {
	if !s.accept('"') {
		return nil, s.fail("a string")
	}
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], nil
		case c == '\\':
			s.pos++
			if !s.escape() {
				return nil, s.fail("an escape")
			}
		case c < ' ':
			return nil, s.fail("a string's character")
		}
	}
	return nil, s.fail("a string's end")
}

// escape checks what follows a backslash and stops at its last byte.
func (s *scanner) escape() bool {
	if s.pos >= len(s.data) {
		return false
	}
	switch s.data[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			s.pos++
			if s.pos >= len(s.data) || !isHex(s.data[s.pos]) {
				return false
			}
		}
		return true
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// textOrNull reads a string, or null as nil.
func (s *scanner) textOrNull() ([]byte, error) {
	if s.word("null") {
		return nil, nil
	}
	return s.text()
}

// boolean reads true or false, or null as false.
func (s *scanner) boolean() (bool, error) {
	if s.word("true") {
		return true, nil
	}
	if s.word("false") || s.word("null") {
		return false, nil
	}
	return false, s.fail("true or false")
}

// skip reads any value, nested in depth others.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values nest deeper than %d at byte %d", maxDepth, s.pos)
	}
	if s.pos >= len(s.data) {
		return s.fail("a value")
	}
	switch c := s.data[s.pos]; {
	case c == '{':
		return s.object(func([]byte) error { return s.skip(depth + 1) })
	case c == '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case c == '"':
		_, err := s.text()
		return err
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	case s.word("null"), s.word("true"), s.word("false"):
		return nil
	}
	return s.fail("a value")
}

func (s *scanner) number() error {
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		return s.fail("a digit")
	}
	if s.accept('.') && !s.digits() {
		return s.fail("a digit")
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('-') {
			s.accept('+')
		}
		if !s.digits() {
			return s.fail("a digit")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// unescape returns a string's value. encoding/json handles the few strings that have an escape or invalid UTF-8.
func unescape(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw)
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var v string
	if err := json.Unmarshal(quoted, &v); err != nil {
		return string(raw)
	}
	return v
}
