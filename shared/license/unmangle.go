package license

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// Mangling is something that a key went through on its way and that was undone. The code is for good; the sentence is
// for a person.
type Mangling struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

// marks are manglings found, as a set.
type marks uint16

const (
	lineBreak marks = 1 << iota // a line end of the text
	blank                       // a space or a tab
	unseen                      // any other space, or a character without width
	quoted
	softBreak // "=" at the end of a line
	escaped   // "=3D"
	markup
	urlSafe
	unpadded
	surrounded
	repeated
	lineMarks
	packed
)

var manglings = []struct {
	marks marks
	Mangling
}{
	{surrounded, Mangling{"surrounding-text", "Other text around the key was removed."}},
	{repeated, Mangling{"repeated", "The same key appeared more than once."}},
	{lineBreak, Mangling{"line-breaks", "Line breaks were removed."}},
	{blank | unseen, Mangling{"spaces", "Spaces and invisible characters were removed."}},
	{quoted, Mangling{"quoting", "Quote marks of an email reply, such as >, were removed."}},
	{softBreak | escaped, Mangling{"quoted-printable", "Email encoding, such as = at the end of a line, was removed."}},
	{markup, Mangling{"html", "HTML was removed."}},
	{urlSafe, Mangling{"url-safe", "The characters - and _ were changed back to + and /."}},
	{lineMarks, Mangling{"line-marks", "Hyphens, bullets and other marks at the ends of lines were removed."}},
	{packed, Mangling{"packed", "The key was extracted from a whole email or from a second layer of base64."}},
	{unpadded, Mangling{"padding", "The missing = at the end of the key was added."}},
}

func (m marks) list() []Mangling {
	var undone []Mangling
	for _, known := range manglings {
		if m&known.marks != 0 {
			undone = append(undone, known.Mangling)
		}
	}
	return undone
}

// Manglings lists all that Unmangle can undo.
func Manglings() []Mangling { return marks(^marks(0)).list() }

// maxAttempt is how much of a text is tried as one key, in tokens. Sign writes no key of more than half of it.
const maxAttempt = 2 * MaxText

// maxAttempts is at how many places of a text a key is looked for. A text could be made of beginnings of keys alone.
const maxAttempts = 100

// Unmangle finds the key in what a person pasted and undoes what mails do to keys: wrapping, quoting, transfer
// encodings, HTML, text around it. It says what it undid. It puts no character of the key's content in the place of
// another: what the key said, it still says, and its signature tells whether that was ever signed. Where there is no
// whole key, the text comes back with the manglings undone that can be, so that Evaluate says what is missing; two
// different keys come back as two.
//
// It takes time in proportion to the text; whoever takes a text from the network limits it.
func Unmangle(pasted string) (text string, undone []Mangling) {
	text, found, whole := unmangle(pasted, false)
	if whole {
		return text, found.list()
	}
	for _, inner := range unpack(pasted) {
		if text, found, whole := unmangle(inner, false); whole {
			return text, (found | packed).list()
		}
	}
	if text, found, whole := unmangle(pasted, true); whole {
		return text, found.list()
	}
	return text, found.list()
}

// unmangle finds the first whole key of a text; without one it gives what there is of a key, or else the text.
func unmangle(pasted string, loose bool) (text string, found marks, whole bool) {
	tokens, left := scan(pasted, loose), maxAttempts
	for from := 0; ; from++ {
		start := tokens.find(from, keyStart)
		if start < 0 {
			break
		}
		if text, end, found := tokens.key(start, &left); text != "" {
			if start > 0 {
				found |= surrounded
			} else {
				found |= tokens[0].before &^ (lineBreak | blank)
			}
			if len(tokens)-1 > end {
				found |= surrounded
			}
			text, more := tokens[end:].others(text, &left)
			return text, found | more, true
		}
		from = start
	}
	if start := tokens.find(0, keyStart); start >= 0 {
		if text, found, ok := tokens[start:].incomplete(); ok {
			if start > 0 {
				found |= surrounded
			}
			return text, found, false
		}
	}
	return strings.TrimSpace(pasted), 0, false
}

// token is a character of base64, "=", or 0 for any other character that is not noise; with the noise that stood
// before it.
type token struct {
	char   byte
	before marks
	own    marks // what was undone to get char
}

// tokenList is a scanned text. Its last token is no character and has the noise at the end of the text.
type tokenList []token

// find gives where the characters begin, at or behind from; -1 where they do not.
func (l tokenList) find(from int, beginning string) int {
	for i := from; i+len(beginning) < len(l); i++ {
		match := true
		for j := range len(beginning) {
			if l[i+j].char != beginning[j] {
				match = false
				break
			}
		}
		if match {
			return i
		}
	}
	return -1
}

// key takes the key that begins at start, written anew; "" where it does not reach its end, or no attempt is left.
// end is the token behind it.
func (l tokenList) key(start int, left *int) (text string, end int, found marks) {
	if *left--; *left < 0 {
		return "", 0, 0
	}
	var chars []byte
	var at []int // the token of each of chars
	for i := start; i < min(len(l)-1, start+maxAttempt) && l[i].char != 0; i++ {
		if l[i].char != '=' {
			chars, at = append(chars, l[i].char), append(at, i)
		}
	}
	raw := decode(string(chars))
	before, after, ok := bytes.Cut(raw, []byte(signatureLine))
	signature, _, ended := bytes.Cut(after, []byte("\n"))
	if !ok || !ended {
		return "", 0, 0
	}
	raw = raw[:len(before)+len(signatureLine)+len(signature)+1]

	text = base64.StdEncoding.EncodeToString(raw)
	length := base64.RawStdEncoding.EncodedLen(len(raw))
	last := at[length-1]
	if l[last].char != text[length-1] { // its spare bits were changed
		return "", 0, 0
	}
	found = l[start].own
	for i := start + 1; i <= last; i++ {
		found |= l[i].before | l[i].own
		if l[i].char == '=' {
			found |= softBreak // its line end was lost
		}
	}
	end = last + 1
	missing := strings.Count(text[len(text)-2:], "=")
	for ; missing > 0 && l[end].char == '='; end++ {
		missing--
		found |= l[end].before | l[end].own
	}
	behind := l[end].before
	if missing > 0 && behind&softBreak != 0 { // the padding itself stood at the end of a line
		missing--
		behind &^= softBreak
	}
	if missing > 0 {
		found |= unpadded
	}
	if end == len(l)-1 {
		found |= behind &^ (lineBreak | blank)
	}
	return text, end, found
}

// others looks for further keys behind one. The same once more is forgiven; another is kept, so that a reader sees
// both.
func (l tokenList) others(text string, left *int) (string, marks) {
	for from := 0; ; from++ {
		start := l.find(from, keyStart)
		if start < 0 {
			return text, 0
		}
		next, end, _ := l.key(start, left)
		switch next {
		case "":
			from = start
		case text:
			text, more := l[end:].others(text, left)
			return text, more | repeated
		default:
			return text + next, 0
		}
	}
}

// incomplete gives what there is of a key without its end, up to the text that follows; not ok where the key goes on
// behind something else.
func (l tokenList) incomplete() (text string, found marks, ok bool) {
	var out []byte
	for i, t := range l[:len(l)-1] {
		if t.char == 0 {
			return string(out), found | surrounded, !l[i:].longRun()
		}
		if i > 0 {
			found |= t.before
		}
		out = append(out, t.char)
		found |= t.own
	}
	return string(out), found, true
}

// proseWord is longer than the words of a mail below a key.
const proseWord = 30

// longRun reports whether so many characters of base64 follow each other as no words do.
func (l tokenList) longRun() bool {
	run := 0
	for _, t := range l {
		if t.before != 0 || t.char == 0 {
			run = 0
		}
		if t.char != 0 {
			run++
		}
		if run > proseWord {
			return true
		}
	}
	return false
}
