package license

import (
	"slices"
	"strings"
	"unicode"

	"marketplace/shared/input"
)

// Reference is what a text may name: licenses or requests by their IDs, and servers; the likeliest of each first.
type Reference struct {
	IDs     []string
	Servers []Server
}

const (
	maxNamed   = 4  // IDs and servers of a Reference
	minOwnWord = 14 // characters of the shortest server ID; a shorter word names something only if it is the only one
)

// labels are words that people write before an ID.
var labels = strings.Fields(
	"license licence request server installation key id ids no nr number ref reference for my our the is",
)

// ReadReference reads a reference as people paste it: an ID with a label before it and a full stop behind it, in
// quotes, with a # or in a link, or a whole license key, which names its license and its server. It takes time in
// proportion to the text; whoever takes a text from the network limits it.
func ReadReference(pasted string) Reference {
	if r := referenceOfKey(pasted); len(r.IDs) > 0 {
		return r
	}
	var r Reference
	words := strings.FieldsFunc(input.StripInvisible(pasted), between)
	ours := slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		return slices.Contains(labels, strings.ToLower(strings.TrimRight(w, ".")))
	})
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
