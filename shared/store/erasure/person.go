package erasure

import (
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/input"
)

// person is who is erased, under every spelling of the address and every name that belongs to it.
type person struct {
	mailbox string // input.Mailbox
	local   string // of the mailbox
	address string // what takes its place
	names   map[string]bool
	sums    func(text string) []string // its keyed hashes
	listed  map[string]string          // of the texts that the last run listed, by their IDs
}

func newPerson(email string, known Report, keys Keys) *person {
	mailbox := input.Mailbox(email)
	p := &person{
		mailbox: mailbox, local: mailbox[:strings.LastIndexByte(mailbox, '@')], address: known.Address(),
		names: map[string]bool{}, sums: keys.sums, listed: map[string]string{},
	}
	for _, text := range known.Texts {
		p.listed[text.ID] = text.Sum
	}
	return p
}

// is reports whether a text is a spelling of the address, and nothing else.
func (p *person) is(text string) bool { return input.Mailbox(text) == p.mailbox }

// learn notes a name that stands beside the address.
func (p *person) learn(name string) {
	if name = strings.TrimSpace(name); name != "" && name != Name {
		p.names[name] = true
	}
}

// addresses finds the address in a text: from where to where it goes.
func (p *person) addresses(text string) (found [][2]int) {
	for at := range len(text) {
		if text[at] != '@' {
			continue
		}
		from := at - len(p.local)
		if from < 0 || !strings.EqualFold(text[from:at], p.local) || from > 0 && inLocal(text[from-1]) {
			continue
		}
		to := at + 1
		for to < len(text) {
			r, size := utf8.DecodeRuneInString(text[to:])
			if r != '.' && r != '-' && r != '。' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				break
			}
			to += size
		}
		for ; to > at+1; to-- { // a full stop behind it, or a word that a script writes without a space
			if utf8.ValidString(text[at:to]) && p.is(text[from:to]) {
				found = append(found, [2]int{from, to})
				break
			}
		}
	}
	return found
}

// inLocal reports whether a character before an address makes it another one.
func inLocal(c byte) bool {
	return c == '.' || c == '_' || c == '+' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' ||
		c >= 'A' && c <= 'Z'
}

var escaped = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+`)

// hasAddress reports whether a text has the address, also as links and HTML write it.
func (p *person) hasAddress(text string) bool {
	if !strings.ContainsAny(text, "@%&") {
		return false
	}
	plain := html.UnescapeString(text)
	unescaped := escaped.ReplaceAllStringFunc(plain, func(s string) string {
		if u, err := url.PathUnescape(s); err == nil {
			return u
		}
		return s
	})
	return len(p.addresses(plain)) > 0 || unescaped != plain && len(p.addresses(unescaped)) > 0
}

// withoutAddress replaces the address in a text that code wrote, and beside it the names that belong to it.
func (p *person) withoutAddress(text string) string {
	found := p.addresses(text)
	for _, f := range slices.Backward(found) {
		text = text[:f[0]] + p.address + text[f[1]:]
	}
	if len(found) > 0 {
		for name := range p.names {
			text = replaceName(text, name)
		}
	}
	return text
}

// hasName reports whether a text has one of the names.
func (p *person) hasName(text string) bool {
	folded := strings.Join(strings.Fields(strings.ToLower(html.UnescapeString(text))), " ")
	return slices.ContainsFunc(slices.Collect(maps.Keys(p.names)), func(name string) bool {
		return nameAt(folded, strings.Join(strings.Fields(strings.ToLower(name)), " ")) >= 0
	})
}

// named reports whether a text names the person.
func (p *person) named(text string) bool { return p.hasAddress(text) || p.hasName(text) }

// nameAt finds a name between other words; -1 if there is none.
func nameAt(text, name string) int {
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return -1
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(name):])
		if !inWord(before) && !inWord(after) {
			return i
		}
		from = i + len(name)
	}
	return -1
}

func inWord(r rune) bool { return unicode.IsLetter(r) && r != utf8.RuneError || unicode.IsDigit(r) }

func replaceName(text, name string) string {
	done := "" // what takes the place of a name may have the name in it
	for {
		i := nameAt(text, name)
		if i < 0 {
			return done + text
		}
		done, text = done+text[:i]+Name, text[i+len(name):]
	}
}
