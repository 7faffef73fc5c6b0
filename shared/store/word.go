package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A company is found by the beginning of any of the first words of its name, from two characters on.
const maxWords = 6

// words returns the searchable words of a name, folded.
func words(name string) (found []string) {
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) }
	for _, w := range strings.FieldsFunc(fold(name), between) {
		if short := umlauts.Replace(w); utf8.RuneCountInString(short) >= 2 {
			w = short
		}
		if utf8.RuneCountInString(w) >= 2 && !slices.Contains(found, w) && len(found) < maxWords {
			found = append(found, w)
		}
	}
	return found
}

// fold writes a name as it is searched for, however somebody types it: in lower case, without accents and without the
// variants of characters that Unicode holds for compatible (UAX #15, NFKD).
func fold(name string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
	return letters.Replace(bare)
}

// letters replaces letters that NFKD does not decompose with their usual spelling, and final sigma with sigma.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th",
	"ı", "i", "ς", "σ")

// umlauts lets ü be found as u and as ue: both are u. That Blue is found as Blu as well does no harm. A word that
// would be one letter stays as it is.
var umlauts = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u")
