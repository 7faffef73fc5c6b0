// Package properties reads Java .properties text exactly as java.util.Properties.load(Reader) does, quirks included: the
// vendor's release metadata and the license key text are both written in it, and what a Java server makes of a line is what counts.
//
// It reads text, not bytes: which encoding a file is in, and whether a byte-order mark may stand before it, is the caller's
// knowledge. It writes nothing.
package properties

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Properties are the pairs of one text. The zero value is empty.
type Properties struct {
	values map[string]string
	order  []string // keys, by first appearance
	pairs  []Pair
}

// Pair is a property as a text writes it, for tools that look for slips: Get and All say what Java makes of it.
type Pair struct {
	Key, Value string
	Line       int      // on which it begins, counted from 1
	Continued  []string // the further lines that backslashes joined to it, without the blanks that begin them
}

// Pairs lists every pair of the text, also those that a later one of the same key replaces.
func (p *Properties) Pairs() []Pair { return p.pairs }

// Get returns the value of key: the last one, where the text defines it more than once.
func (p *Properties) Get(key string) (value string, defined bool) {
	value, defined = p.values[key]
	return value, defined
}

// All yields each key once with its value, in the order in which the keys first appear.
func (p *Properties) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, key := range p.order {
			if !yield(key, p.values[key]) {
				return
			}
		}
	}
}

// ErrEscape is a backslash and u without four hexadecimal digits behind them. Parse wraps it with the number of the line.
var ErrEscape = errors.New(`malformed \uXXXX escape`)

// Parse reads a text. The only fault that the format knows is a malformed escape; the error names the line on which the pair
// begins, counted from 1, and then there are no properties at all, as in Java. An escaped surrogate without its partner, which
// Java keeps, becomes U+FFFD.
func Parse(text string) (*Properties, error) {
	p := &Properties{values: make(map[string]string)}
	lines := reader{rest: text, next: 1}
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

// reader takes logical lines from the front of rest. A line ends with LF, CR or CR LF.
type reader struct {
	rest  string
	next  int // number of the line at which rest begins
	start int // number of the line at which the last logical line began

	continued []string // the lines that were joined to it
}

const blanks = " \t\f"

// logical returns the next logical line: blank and comment lines skipped, continuation lines joined without the backslash and
// the blanks that begin them. While nothing was joined yet, as behind a line of one backslash, the next line may still be a
// comment. A lone backslash that ends the text makes an empty pair, unless CR LF stands behind it: Java reads it so.
func (r *reader) logical() (string, bool) {
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

// physical takes one line from rest, and the end that closes it.
func (r *reader) physical() (line, end string) {
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

// split cuts a logical line at the first blank, "=" or ":" that no backslash guards; blanks around the separator belong to it.
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

// unescape resolves the escapes. A backslash before any other character is dropped.
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

// codePoint reads "uXXXX", or "uXXXX\uXXXX" where the two are a surrogate pair, and returns how many bytes that took.
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
