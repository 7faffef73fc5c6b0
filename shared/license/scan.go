package license

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/lazyregexp"
)

var (
	// A soft line break of quoted-printable (RFC 2045 §6.7): "=" at the end of a line, possibly after an encoded space.
	softLineEnd = lazyregexp.New(`^=(?:20|09)?[ \t]*\r?\n`)
	// Tags that emails put around and into a long word. A key in angle brackets does not match.
	tag = lazyregexp.New(`(?i)^</?(?:a|b|blockquote|body|br|code|div|em|font|html|i|li|o:p|p|pre|span|strong|` +
		`table|tbody|td|tr|tt|u|wbr)(?:\s[^<>]*)?/?>`)
	// A character reference in HTML.
	entity = lazyregexp.New(`^&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,12});`)
)

// scanner splits a text into tokens.
type scanner struct {
	tokens  tokenList
	loose   bool        // marks at the ends of lines are noise too
	noise   manglingSet // seen since the last token
	inStart bool        // only noise since the start of the line
}

// scan splits a text into tokens. A loose scan treats hyphens and other marks at the ends of lines as noise, which in
// the URL-safe alphabet may be characters of the key.
func scan(s string, loose bool) tokenList {
	c := scanner{tokens: make(tokenList, 0, len(s)+1), loose: loose, inStart: true}
	for s != "" {
		size := c.special(s)
		if size == 0 {
			var r rune
			r, size = utf8.DecodeRuneInString(s)
			c.character(r, 0)
		}
		s = s[size:]
	}
	c.emit(0, 0)
	return c.tokens
}

// special consumes a sequence of several characters at the front of s and returns its length; 0 if there is none.
func (c *scanner) special(s string) int {
	if c.loose {
		if n := c.lineEnd(s); n > 0 {
			c.skip(lineMarks)
			return n
		}
	}
	switch s[0] {
	case '=':
		if end := softLineEnd().FindString(s); end != "" {
			c.skip(softBreak)
			c.inStart = true
			return len(end)
		}
		if len(s) > 2 && strings.EqualFold(s[1:3], "3D") {
			c.emit('=', escaped)
			return 3
		}
	case '<':
		if found := tag().FindString(s); found != "" {
			c.skip(markup)
			return len(found)
		}
	case '&':
		if found := entity().FindString(s); found != "" {
			for _, r := range html.UnescapeString(found) {
				c.character(r, markup)
			}
			return len(found)
		}
	}
	return 0
}

// lineEnd returns the length of a mark that programs and people put at the ends and beginnings of lines: a hyphen or
// another dash, the "!" of an old mail relay, "\n" as two characters, a bullet; 0 for none.
func (c *scanner) lineEnd(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case (unicode.Is(unicode.Pd, r) || r == '\u2212' || r == '!') && atLineEnd(s[n:]):
		return n
	case r == '\\' && len(s) > 1 && (s[1] == 'n' || s[1] == 'r'):
		return 2
	case c.inStart && (unicode.Is(bullets, r) || (unicode.Is(unicode.Pd, r) || r == '*') &&
		strings.HasPrefix(s[n:], " ")):
		return n
	}
	return 0
}

// bullets are the marks of list items: • ‣ ⁃ ◦ · ▪ ● ○.
var bullets = &unicode.RangeTable{R16: []unicode.Range16{
	{0x00B7, 0x00B7, 1}, {0x2022, 0x2023, 1}, {0x2043, 0x2043, 1}, {0x25AA, 0x25AB, 1}, {0x25CB, 0x25CB, 1},
	{0x25CF, 0x25CF, 1},
	{0x25E6, 0x25E6, 1},
}}

func atLineEnd(s string) bool {
	s = strings.TrimLeft(s, " \t")
	return s != "" && (s[0] == '\n' || s[0] == '\r')
}

func (c *scanner) character(r rune, own manglingSet) {
	switch {
	case r == '\n' || r == '\r':
		c.skip(own | lineBreak)
		c.inStart = true
	case r == ' ' || r == '\t':
		c.skip(own | blank)
	case unicode.IsSpace(r), unicode.Is(unicode.Cf, r):
		c.skip(own | unseen)
	case c.inStart && (r == '>' || r == '|'):
		c.skip(own | quoted)
	case r == '-':
		c.emit('+', own|urlSafe)
	case r == '_':
		c.emit('/', own|urlSafe)
	case r == '=' || r < utf8.RuneSelf && isBase64(byte(r)):
		c.emit(byte(r), own)
	default:
		c.emit(0, own)
	}
}

func (c *scanner) skip(noise manglingSet) { c.noise |= noise }

func (c *scanner) emit(char byte, own manglingSet) {
	c.tokens = append(c.tokens, token{char: char, noise: c.noise, own: own})
	c.noise, c.inStart = 0, false
}
