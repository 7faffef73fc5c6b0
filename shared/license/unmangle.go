package license

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// Mangling is damage to a key that was undone. The code is permanent; the sentence is for people.
type Mangling struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
}

// manglingSet is a set of manglings.
type manglingSet uint16

const (
	lineBreak manglingSet = 1 << iota // a line end
	blank                             // a space or a tab
	unseen                            // any other space, or an invisible character
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
	set manglingSet
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

func (m manglingSet) list() []Mangling {
	var undone []Mangling
	for _, known := range manglings {
		if m&known.set != 0 {
			undone = append(undone, known.Mangling)
		}
	}
	return undone
}

// Manglings lists everything that Unmangle can undo.
func Manglings() []Mangling { return manglingSet(^manglingSet(0)).list() }

// maxKeyTokens is the most tokens that are tried as one key. Sign writes keys of at most half of it.
const maxKeyTokens = 2 * MaxText

// maxKeyStarts and maxKeyReads limit the places where a key is tried, and how often each token is read on average: a
// text could consist of nothing but beginnings of keys.
const (
	maxKeyStarts = 100
	maxKeyReads  = 4
)

// budget is what may still be read of a text.
type budget struct{ starts, tokens int }

// Unmangle finds the key in a pasted text, undoes what mail programs do to keys (wrapping, quoting, transfer
// encodings, HTML, text around the key), and returns what it undid. It never changes the content of a key, whose
// signature remains to be verified. If there is no complete key, it undoes what it can, so that Evaluate says what is
// missing; two different keys come back as two.
//
// Its time is proportional to the text, so callers limit texts from the network.
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

// unmangle returns the first whole key of a text; without one the beginning of a key, or else the text.
func unmangle(pasted string, loose bool) (text string, found manglingSet, whole bool) {
	tokens := scan(pasted, loose)
	left := budget{maxKeyStarts, maxKeyReads * len(tokens)}
	for from := 0; ; from++ {
		start := tokens.find(from, keyStart)
		if start < 0 {
			break
		}
		if text, end, found := tokens.key(start, &left); text != "" {
			if start > 0 {
				found |= surrounded
			} else {
				found |= tokens[0].noise &^ (lineBreak | blank)
			}
			if len(tokens)-1 > end {
				found |= surrounded
			}
			text, more := tokens[end:].moreKeys(text, &left)
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

// token is a character of base64, "=", or 0 for any other character that is not noise, with the noise before it.
type token struct {
	char  byte
	noise manglingSet
	own   manglingSet // what was undone to get char
}

// tokenList is a scanned text. Its last token has no character and holds the noise at the end of the text.
type tokenList []token

// find returns where the characters start, at from or later; -1 for nowhere.
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

// key returns the key that begins at start, re-encoded; "" if it is incomplete or the budget is used up. end is
// the index of the token after it.
func (l tokenList) key(start int, left *budget) (text string, end int, found manglingSet) {
	if left.starts--; left.starts < 0 || left.tokens < 0 {
		return "", 0, 0
	}
	room := min(len(l)-1-start, maxKeyTokens)
	chars := make([]byte, 0, room)
	at := make([]int, 0, room) // the token of each of chars
	for i := start; i < min(len(l)-1, start+maxKeyTokens) && l[i].char != 0; i++ {
		if l[i].char != '=' {
			chars, at = append(chars, l[i].char), append(at, i)
		}
	}
	left.tokens -= len(chars)
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
	if l[last].char != text[length-1] { // its spare bits were altered
		return "", 0, 0
	}
	found = l[start].own
	for i := start + 1; i <= last; i++ {
		found |= l[i].noise | l[i].own
		if l[i].char == '=' {
			found |= softBreak // a soft line break without its line end
		}
	}
	end = last + 1
	missing := strings.Count(text[len(text)-2:], "=")
	for ; missing > 0 && l[end].char == '='; end++ {
		missing--
		found |= l[end].noise | l[end].own
	}
	trailing := l[end].noise
	if missing > 0 && trailing&softBreak != 0 { // the padding was at the end of a line
		missing--
		trailing &^= softBreak
	}
	if missing > 0 {
		found |= unpadded
	}
	if end == len(l)-1 {
		found |= trailing &^ (lineBreak | blank)
	}
	return text, end, found
}

// moreKeys looks for further keys after one. It ignores a repetition and appends a different key, so that a reader
// sees both.
func (l tokenList) moreKeys(text string, left *budget) (string, manglingSet) {
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
			text, more := l[end:].moreKeys(text, left)
			return text, more | repeated
		default:
			return text + next, 0
		}
	}
}

// incomplete returns the beginning of a key without its end, up to the text after it; not ok if the key continues after
// other text.
func (l tokenList) incomplete() (text string, found manglingSet, ok bool) {
	var out []byte
	for i, t := range l[:len(l)-1] {
		if t.char == 0 {
			return string(out), found | surrounded, !l[i:].longRun()
		}
		if i > 0 {
			found |= t.noise
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
		if t.noise != 0 || t.char == 0 {
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
