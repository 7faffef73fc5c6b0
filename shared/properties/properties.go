// Package properties reads Java .properties text exactly as java.util.Properties.load(Reader) does, including its
// quirks. The vendor's release metadata and license keys are in this format, and Java servers read them.
//
// It reads text, not bytes: the caller knows the encoding of a file and handles a byte order mark. It does not write.
package properties

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Properties holds the keys and values of one text. The zero value is empty.
type Properties struct {
	values map[string]string
	order  []string // keys, by first appearance
	pairs  []Pair
}

// Pair is a property as written in the text, for tools that look for mistakes. Get and All return what Java reads.
type Pair struct {
	Key, Value string
	Line       int      // first line, counted from 1
	Continued  []string // its continuation lines, without leading blanks
}

// Pairs returns every pair of the text, including those that a later pair of the same key replaces.
func (p *Properties) Pairs() []Pair { return p.pairs }

// Get returns the value of key: the last one if the text defines it more than once.
func (p *Properties) Get(key string) (value string, defined bool) {
	value, defined = p.values[key]
	return value, defined
}

// All yields each key once with its value, in order of first appearance.
func (p *Properties) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, key := range p.order {
			if !yield(key, p.values[key]) {
				return
			}
		}
	}
}

// ErrEscape reports a \u that is not followed by four hexadecimal digits. Parse wraps it with the line number.
var ErrEscape = errors.New(`malformed \uXXXX escape`)

// Parse reads a text. The only possible error is a malformed escape; it names the line, counted from 1, on which the
// pair begins. As in Java, an error leaves no properties at all. An escaped surrogate without its partner, which Java
// keeps, becomes U+FFFD.
func Parse(text string) (*Properties, error) {
	p := &Properties{values: make(map[string]string)}
	lines := lineReader{rest: text, next: 1}
	for {
		line, ok := lines.logical()
		if !ok {
			return p, nil
		}
		rawKey, rawValue := split(line)
		key, err := unescape(rawKey)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lines.start, err)
		}
		value, err := unescape(rawValue)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lines.start, err)
		}
		p.pairs = append(p.pairs, Pair{key, value, lines.start, lines.continued})
		if _, defined := p.values[key]; !defined {
			p.order = append(p.order, key)
		}
		p.values[key] = value
	}
}

// lineReader reads logical lines from the front of rest. A line ends with LF, CR or CR LF.
type lineReader struct {
	rest  string
	next  int // number of the line at which rest begins
	start int // number of the line at which the last logical line began

	continued []string // the lines that were joined to it
}

const blanks = " \t\f"

// logical returns the next logical line. It skips blank lines and comments, and joins continuation lines without the
// backslash and leading blanks. As in Java, the line after a line of one backslash may still be a comment, and a lone
// backslash at the end of the text makes an empty pair unless CR LF follows.
func (r *lineReader) logical() (string, bool) {
	joined, begun := "", false
	r.continued = nil
	for r.rest != "" {
		number := r.next
		line, end := r.physical()
		line = strings.TrimLeft(line, blanks)
		if joined == "" {
			if line == "" || line[0] == '#' || line[0] == '!' {
				continue
			}
			r.start = number
		}
		if begun {
			r.continued = append(r.continued, line)
		}
		begun = true
		if trailingBackslashes(line)%2 == 0 {
			return joined + line, true
		}
		joined += line[:len(line)-1]
		if r.rest == "" && end != "\r\n" {
			return joined, true
		}
	}
	return joined, joined != ""
}

// physical consumes one line of rest and returns it with its line end.
func (r *lineReader) physical() (line, end string) {
	r.next++
	i := strings.IndexAny(r.rest, "\r\n")
	if i < 0 {
		line, r.rest = r.rest, ""
		return line, ""
	}
	length := 1
	if strings.HasPrefix(r.rest[i:], "\r\n") {
		length = 2
	}
	line, end, r.rest = r.rest[:i], r.rest[i:i+length], r.rest[i+length:]
	return line, end
}

func trailingBackslashes(s string) int {
	return len(s) - len(strings.TrimRight(s, `\`))
}

// split cuts a logical line at the first unescaped blank, "=" or ":"; blanks around the separator belong to it.
func split(line string) (key, value string) {
	end := 0
	for end < len(line) && strings.IndexByte(blanks+"=:", line[end]) < 0 {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(line) {
		return line, ""
	}
	value = strings.TrimLeft(line[end:], blanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], blanks)
	}
	return line[:end], value
}

// unescape resolves escapes. It drops a backslash before any other character.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			i++
			continue
		}
		i++
		if i == len(s) {
			break
		}
		switch c := s[i]; c {
		case 'u':
			r, length, err := codePoint(s[i:])
			if err != nil {
				return "", err
			}
			out.WriteRune(r)
			i += length
			continue
		case 't':
			out.WriteByte('\t')
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case 'f':
			out.WriteByte('\f')
		default:
			out.WriteByte(c)
		}
		i++
	}
	return out.String(), nil
}

// codePoint reads "uXXXX", or "uXXXX\uXXXX" for a surrogate pair, and returns the number of bytes.
func codePoint(s string) (r rune, length int, err error) {
	r, err = unit(s)
	if err != nil || !utf16.IsSurrogate(r) {
		return r, 5, err
	}
	if len(s) > 6 && s[5] == '\\' && s[6] == 'u' {
		if low, err := unit(s[6:]); err == nil {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 11, nil
			}
		}
	}
	return utf8.RuneError, 5, nil
}

func unit(s string) (rune, error) {
	if len(s) < 5 {
		return 0, ErrEscape
	}
	var r rune
	for i := 1; i < 5; i++ {
		r <<= 4
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			r |= rune(c - '0')
		case 'a' <= c && c <= 'f':
			r |= rune(c-'a') + 10
		case 'A' <= c && c <= 'F':
			r |= rune(c-'A') + 10
		default:
			return 0, ErrEscape
		}
	}
	return r, nil
}
