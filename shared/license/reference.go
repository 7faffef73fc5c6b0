package license

import (
	"slices"
	"strings"
	"unicode"

	"marketplace/shared/input"
	"marketplace/shared/reference"
)

// Reference is what a text may name: licenses or requests by their IDs, servers, and customers, contracts and requests
// by their short references; the likeliest of each first.
type Reference struct {
	IDs     []string
	Servers []Server
	Short   []reference.Reference
}

const (
	maxNamed   = 4  // IDs and servers of a Reference
	minOwnWord = 14 // characters of the shortest server ID; a shorter word names something only if it is the only one
)

// labels are words that people write before an ID.
var labels = strings.Fields(
	"license licence request customer contract order server installation key id ids no nr number ref reference for " +
		"my our your the is",
)

// ReadReference reads a reference as people paste it: an ID with a label before it and a full stop behind it, in
// quotes, with a # or in a link, or a whole license key, which names its license and its server. It takes time in
// proportion to the text; whoever takes a text from the network limits it.
func ReadReference(pasted string) Reference {
	if r := referenceOfKey(pasted); len(r.IDs) > 0 {
		return r
	}
	var r Reference
	text := input.StripInvisible(pasted)
	words := strings.FieldsFunc(text, between)
	r.addShort(text)
	ours := slices.DeleteFunc(slices.Clone(words), isLabel)
	if len(ours) > 0 {
		words = ours
	}
	for _, word := range words {
		if len(words) > 1 && (len(word) < minOwnWord || !strings.ContainsAny(word, "0123456789")) {
			continue
		}
		for _, w := range []string{word, strings.Trim(word, "."), strings.Trim(word, "._-")} {
			if server, err := ParseServer(w); err == nil {
				r.addServer(server)
			}
			if ValidID(w) {
				r.addID(w)
			}
		}
	}
	return r
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
