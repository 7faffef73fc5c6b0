package license

import (
	"slices"
	"strings"
	"unicode"

	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/reference"
)

// Reference is what a text may name: licenses or requests by their IDs, servers, and customers, contracts and requests
// by their short references; the likeliest of each first.
type Reference struct {
	IDs     []string
	Servers []Server
	Short   []reference.Reference
	// Alone reports whether the text has nothing else, but for a label.
	Alone bool
}

const (
	maxNamed   = 4  // IDs and servers of a Reference
	minOwnWord = 14 // characters of the shortest server ID; a shorter word names something only if it is the only one
	maxOwnWord = 40 // characters of the longest word that names something among others: keys have longer ones
	maxID      = 64 // characters of the longest ID
)

// labels are words that people write before an ID.
var labels = strings.Fields(
	"license licence request customer contract order server installation key id ids no nr number ref reference for " +
		"my our your the is license-id licence-id licenseid server-id serverid old old-server previous current",
)

// ReadReference reads a reference as people paste it: an ID with a label before it and a full stop behind it, in
// quotes, with a # or in a link, or a whole license key, which names its license and its server. It takes time in
// proportion to the text; whoever takes a text from the network limits it.
func ReadReference(pasted string) Reference {
	text := input.StripInvisible(pasted)
	if r := referenceOfKey(text); len(r.IDs) > 0 {
		return r
	}
	var r Reference
	words := strings.FieldsFunc(text, between)
	r.addShort(text)
	ours := slices.DeleteFunc(slices.Clone(words), isLabel)
	if len(ours) > 0 {
		words = ours
	}
	r.Alone = len(words) == 1
	remains := slices.ContainsFunc(words, isKeyLine) // of a damaged key, which has words that look like IDs
	if whole := dashed(text); whole != text {
		// A server ID whose hyphen a mail program made a dash of, before what is left of it without that.
		for _, word := range strings.FieldsFunc(whole, between) {
			if server, err := ParseServer(strings.Trim(word, ".")); err == nil && strings.Contains(word, "-") {
				r.addServer(server)
			}
		}
	}
	for _, word := range words {
		if len(words) > 1 && !standsAlone(word) {
			continue
		}
		for _, w := range []string{word, strings.Trim(word, "."), strings.Trim(word, "._-")} {
			if server, err := ParseServer(w); err == nil {
				r.addServer(server)
			}
			if ValidID(w) && (!remains || ownID().MatchString(w)) {
				r.addID(w)
			}
		}
	}
	return r
}

// standsAlone reports whether a word names something among other words.
func standsAlone(word string) bool {
	return len(word) >= minOwnWord && len(word) <= maxOwnWord && strings.ContainsAny(word, "0123456789")
}

// isKeyLine reports whether a word is longer than IDs are, and of base64.
func isKeyLine(word string) bool {
	return len(word) > maxOwnWord && !strings.ContainsAny(word, "._-")
}

// ownID matches the IDs that we make: ULIDs, in any case of letters.
var ownID = lazyregexp.New(`^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$`)

// Text returns the likeliest of r as a text of at most 64 characters, for ReadReference to read again; "" for nothing.
func (r Reference) Text() string {
	var likely []string
	for _, id := range r.IDs {
		if len(r.IDs) == 1 || ownID().MatchString(id) {
			likely = append(likely, id)
		}
	}
	for _, s := range r.Servers {
		likely = append(likely, string(s))
	}
	for _, s := range r.Short {
		likely = append(likely, string(s))
	}
	if len(likely) == 0 {
		likely = r.IDs[:min(1, len(r.IDs))]
	}
	text := ""
	for i, word := range likely {
		switch more := text + " " + word; {
		case i == 0:
			text = word
		case slices.Contains(likely[:i], word), len(more) > maxID:
		case amongOthers(likely[0]) && amongOthers(word):
			text = more
		}
	}
	return text
}

// amongOthers reports whether ReadReference finds what a word names if other words are around it.
func amongOthers(word string) bool {
	_, short := reference.Parse(word)
	return short || standsAlone(word)
}

// between reports the characters that are in no ID.
func between(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
}

// dashed writes the dashes that mail programs make of a hyphen as one again.
func dashed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) {
			return '-'
		}
		return r
	}, s)
}

// addShort adds the short references among the words of a text, or the text as a whole. A word without a dash counts
// only with a digit: many words of seven letters begin like a reference.
func (r *Reference) addShort(pasted string) {
	words := strings.FieldsFunc(dashed(pasted), between)
	add := func(text string) {
		short, ok := reference.Parse(text)
		if ok && len(r.Short) < maxNamed && !slices.Contains(r.Short, short) {
			r.Short = append(r.Short, short)
		}
	}
	add(pasted)
	for i, word := range words {
		if len(word) == 1 && i+1 < len(words) && strings.ContainsAny(words[i+1], "0123456789") {
			add(word + words[i+1])
		}
		if len(words) == 1 || strings.ContainsAny(word, "-0123456789") {
			add(word)
		}
	}
	if len(words) > 1 && len(r.Short) == 0 && isLabel(words[0]) {
		add(strings.Join(words[1:], ""))
	}
}

func isLabel(word string) bool {
	return slices.Contains(labels, strings.ToLower(strings.TrimRight(word, ".")))
}

// AnyCase returns the IDs as they were typed, and those with capitals also in lower case: our IDs have none, while
// those of imported licenses are as they were imported.
func (r Reference) AnyCase() []string {
	ids := slices.Clone(r.IDs)
	for _, id := range r.IDs {
		if lower := strings.ToLower(id); !slices.Contains(ids, lower) {
			ids = append(ids, lower)
		}
	}
	return ids
}

func (r *Reference) addID(id string) {
	if len(r.IDs) < maxNamed && !slices.Contains(r.IDs, id) {
		r.IDs = append(r.IDs, id)
	}
}

func (r *Reference) addServer(s Server) {
	if len(r.Servers) < maxNamed && !slices.Contains(r.Servers, s) {
		r.Servers = append(r.Servers, s)
	}
}

// referenceOfKey reads the license and the server of a key, which may be damaged or cut off behind them. It verifies no
// signature: the IDs only look something up.
func referenceOfKey(pasted string) (r Reference) {
	if !strings.Contains(pasted, keyStart[:4]) {
		return r
	}
	text, _ := Unmangle(pasted)
	if !strings.HasPrefix(text, keyStart) {
		return r
	}
	n := 0
	for n < len(text) && isBase64(text[n]) {
		n++
	}
	lines := strings.Split(string(decode(text[:n])), "\n")
	for _, line := range lines[:len(lines)-1] { // the last may be cut off
		name, value, _ := strings.Cut(line, "=")
		switch {
		case name == "Id" && ValidID(value):
			r.addID(value)
		case name == "Server":
			if server, err := ParseServer(value); err == nil {
				r.addServer(server)
			}
		}
	}
	return r
}
