package customer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A company is found by the beginning of any of the first words of its name, from two characters on.
const maxWords = 6

// Words returns the searchable words of an organization's name, folded: at most six, without legal forms and “and”
// unless the name consists of nothing else.
func Words(name string) []string {
	all := tokens(name)
	if bare := slices.DeleteFunc(withoutLegalForms(name, all), token.joins); searchable(bare) != nil {
		all = bare
	}
	found := searchable(all)
	return found[:min(len(found), maxWords)]
}

// PersonWords returns the searchable words of a person's name, folded: the first and the last.
func PersonWords(name string) []string {
	found := searchable(tokens(name))
	if len(found) > 2 {
		found = []string{found[0], found[len(found)-1]}
	}
	return found
}

// SameName reports whether two names are spellings of one organization's: case, accents, umlauts, blanks, punctuation
// and legal form make no difference, nor does "&" for "and".
func SameName(a, b string) bool {
	spelled := NameKey(a)
	return spelled != "" && spelled == NameKey(b)
}

// NameKey is an organization's name as SameName compares it; "" for one without a letter or digit.
func NameKey(name string) string {
	all := tokens(name)
	words := slices.DeleteFunc(withoutLegalForms(name, all), token.joins)
	if len(words) == 0 {
		words = all
	}
	var s strings.Builder
	for _, w := range words {
		s.WriteString(shortened(w.text))
	}
	return s.String()
}

// token is a word of a name, folded, with what is between it and the next one.
type token struct{ text, gap string }

// joins reports whether the word is one that some write as "&".
func (t token) joins() bool { return t.text == "and" || t.text == "und" || t.text == "et" }

func tokens(name string) (list []token) {
	folded := Fold(name)
	for folded != "" {
		start := strings.IndexFunc(folded, inWord)
		if start < 0 {
			break
		}
		if len(list) > 0 {
			list[len(list)-1].gap = folded[:start]
		}
		folded = folded[start:]
		end := strings.IndexFunc(folded, func(r rune) bool { return !inWord(r) })
		if end < 0 {
			end = len(folded)
		}
		list = append(list, token{text: folded[:end]})
		folded = folded[end:]
	}
	return list
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// searchable returns the words that are long enough to be searched for, each once.
func searchable(list []token) (found []string) {
	for _, t := range list {
		if w := shortened(t.text); utf8.RuneCountInString(w) >= 2 && !slices.Contains(found, w) {
			found = append(found, w)
		}
	}
	return found
}

// shortened writes umlauts as one letter, unless the word would be one letter.
func shortened(w string) string {
	if short := umlauts.Replace(w); utf8.RuneCountInString(short) >= 2 {
		return short
	}
	return w
}

// Fold writes a name as it is searched for, however somebody types it: in lower case, without accents and without the
// variants of characters that Unicode holds for compatible (UAX #15, NFKD).
func Fold(name string) string {
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

// legalForms are the legal forms of companies, folded and without full stops and slashes.
var legalForms = strings.Fields(
	`ab ag aktiengesellschaft ans aps as asa bt bv bvba co corp corporation cv doo ead eg ehf eirl eood esv eu eurl gbr
	gesmbh gie gmbh hf inc incorporated kda kft kg kgaa kk ks limited llc llp lp ltd ltda mbh nv nyrt oo ood og ohg oy oyj
	partg pc plc pllc pte pty pvt rl rt sa sarl sas sasu sca scop scrl se sgps sl slu sml snc sp spk spol spzoo sro srl
	srls ug ulc vof zrt`,
)

// ordinary are legal forms that are also words; they count as legal forms only in one of these spellings.
var ordinary = map[string][]string{
	"spa": {"SpA", "SPA", "S.p.A", "S.P.A", "s.p.a"},
	"ev":  {"eV", "e.V", "e. V", "E.V"},
}

// withoutLegalForms returns the words of a name without its legal forms. Letters that full stops or slashes part are
// one legal form: "S.r.l.", "A/S".
func withoutLegalForms(name string, all []token) (bare []token) {
	for i := 0; i < len(all); {
		n := legalForm(name, all[i:])
		if n == 0 {
			bare = append(bare, all[i])
			n = 1
		}
		i += n
	}
	return bare
}

// legalForm returns the number of words that are a legal form at the beginning of the list; 0 for none.
func legalForm(name string, list []token) int {
	if len(list) > 2 && list[0].text == "sp" && len(list[1].text) == 1 { // Sp. z o.o., Sp. z oo
		switch rest := list[2].text; {
		case rest == "oo":
			return 3
		case rest == "o" && len(list) > 3 && list[3].text == "o":
			return 4
		}
	}
	joined := ""
	found := 0
	for n, t := range list {
		joined += t.text
		if isLegalForm(name, joined) {
			found = n + 1
		}
		gap := strings.TrimSpace(t.gap)
		if len(t.text) != 1 || gap != "." && gap != "/" {
			break
		}
	}
	return found
}

func isLegalForm(name, word string) bool {
	if spellings, ok := ordinary[word]; ok {
		return slices.ContainsFunc(spellings, func(s string) bool { return strings.Contains(name, s) })
	}
	return slices.Contains(legalForms, word)
}
