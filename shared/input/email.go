package input

import (
	_ "embed"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/net/idna"

	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
)

// MaxEmail is the longest email address, in characters: RFC 5321 §4.5.3.1.3, less the angle brackets.
const MaxEmail = 254

// localPart is what every mail server takes before the @: ASCII and not quoted (RFC 5322 §3.2.3, dot-atom), at most 64
// octets (RFC 5321 §4.5.3.1.1). SES takes no other.
var localPart = lazyregexp.New("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")

// lookup maps a domain to what DNS knows (UTS #46). Hyphens in the third and fourth place are legal outside xn--
// labels: registries have sold such names.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.CheckJoiners(true),
	idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.Transitional(false))

// Email reads one email address as people paste it: with a name, with angle brackets, with mailto: before it or a
// separator behind it. What it accepts, mail can be sent to: the rule is the same one (Wire). What it refuses is an
// Invalid fault.
func Email(s string) (string, error) {
	typed := clean(s)
	if typed == "" {
		return "", fault.New(fault.Invalid, "Enter an email address, for example name@example.com.")
	}
	list := Emails(typed)
	switch {
	case len(list) == 0:
		return "", fault.New(fault.Invalid, "Enter an email address, for example name@example.com.")
	case len(list) > 1 && strings.Count(typed, "@") > 1:
		return "", fault.New(fault.Invalid, "Enter one email address here.")
	case len(list) > 1:
		return "", notAnAddress(typed)
	}
	address := list[0]
	if _, err := Wire(address); err != nil {
		return "", err
	}
	if Erased(address) {
		return "", notAnAddress(address)
	}
	return address, nil
}

// Wire is an address as it goes onto the wire: the domain in lower-case ASCII (RFC 5891), the local part as it was
// typed. What no provider takes is an Invalid fault.
func Wire(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || len(address) > MaxEmail {
		return "", notAnAddress(address)
	}
	local, domain := address[:at], address[at+1:]
	switch {
	case strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }):
		return "", fault.New(
			fault.Invalid,
			"We cannot send email to %s because of the characters before the @. Enter another address.",
			Quote(address),
		)
	case len(local) > 64 || !localPart().MatchString(local):
		return "", notAnAddress(address)
	}
	ascii, err := lookup.ToASCII(domain)
	if err != nil || !hostName(ascii) || len(local)+1+len(ascii) > MaxEmail {
		return "", fault.New(
			fault.Invalid,
			"Check the part after the @ in %s: there is no such domain.",
			Quote(address),
		)
	}
	wire := local + "@" + ascii
	if parsed, err := mail.ParseAddress(wire); err != nil || parsed.Address != wire {
		return "", notAnAddress(address)
	}
	return wire, nil
}

// hostName reports whether a domain in ASCII has two labels at least, none of which begins or ends with a hyphen, and a
// last one that can be a top-level domain: two characters or more, not all digits (RFC 1123 §2.1, RFC 3696 §2).
func hostName(domain string) bool {
	labels := strings.Split(domain, ".")
	top := labels[len(labels)-1]
	return len(labels) > 1 && len(top) > 1 && strings.Trim(top, "0123456789") != "" &&
		!slices.ContainsFunc(labels, func(l string) bool { return strings.Trim(l, "-") != l })
}

// Mailbox identifies a mailbox whatever the spelling of its address: the domain in ASCII, all in lower case.
// Suppressions, search and the recognition of duplicates compare it. An address that Wire refuses is its own lower
// case.
func Mailbox(address string) string {
	wire, err := Wire(address)
	if err != nil {
		wire = address
	}
	return strings.ToLower(wire)
}

// ErasedDomain is the domain of the addresses that take the place of those of erased people: a reserved one (RFC 2606),
// where no mail arrives.
const ErasedDomain = "erased.invalid"

// Erased reports whether an address took the place of that of an erased person. No mail is ever sent to one.
func Erased(address string) bool { return strings.HasSuffix(Mailbox(address), "@"+ErasedDomain) }

// SameMailbox reports whether two addresses are spellings of one mailbox.
func SameMailbox(a, b string) bool { return Mailbox(a) == Mailbox(b) }

// Inbox returns the mailbox that mail to an address ends up in, as far as its spelling tells: without a tag behind a
// plus sign (RFC 5233), and without what Gmail ignores. It is for counting what one person is sent. Where the signs
// mean something, it takes several people for one, so nothing else may go by it.
func Inbox(address string) string {
	mailbox := Mailbox(address)
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 {
		return mailbox
	}
	local, domain := mailbox[:at], mailbox[at+1:]
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	if domain == "gmail.com" || domain == "googlemail.com" {
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	}
	return local + "@" + domain
}

// Emails parts a list of addresses as people type it or paste it from a mail program: at commas, semicolons and white
// space, with or without names, angle brackets and mailto:. What is no address comes back as it is, for Email to
// refuse.
func Emails(s string) (list []string) {
	found := entries(clean(s))
	for i, e := range found {
		if open, end := strings.LastIndexByte(e.text, '<'), strings.LastIndexByte(e.text, '>'); open >= 0 &&
			open < end {
			list = append(list, bare(e.text[open+1:end]))
			continue
		}
		if e.comma && !strings.Contains(e.text, "@") && i+1 < len(found) && strings.Contains(found[i+1].text, "<") {
			continue // the family name of "Example, Ana <ana@example.com>"
		}
		for _, word := range strings.Fields(e.text) {
			if word = bare(word); word != "" {
				list = append(list, word)
			}
		}
	}
	return list
}

// entry is a part of a list; comma: a comma follows it.
type entry struct {
	text  string
	comma bool
}

// entries parts a list at commas, semicolons and line breaks that are not inside quotes or angle brackets, and behind
// each angle bracket.
func entries(s string) (list []entry) {
	var quoted, angle bool
	from, quotes := 0, strings.Count(s, `"`)
	end := func(to int, comma bool) {
		if text := strings.TrimSpace(s[from:to]); text != "" {
			list = append(list, entry{text, comma})
		}
	}
	for i, r := range s {
		switch {
		case r == '"':
			quotes--
			quoted = !quoted && quotes > 0
		case quoted:
		case r == '<':
			angle = true
		case r == '>':
			angle = false
			end(i+1, false)
			from = i + 1
		case !angle && (r == ',' || r == ';' || r == '\n' || r == '\r'):
			end(i, r == ',')
			from = i + 1
		}
	}
	end(len(s), false)
	return list
}

// bare is an address without what people copy along with it.
func bare(s string) string {
	s = strings.TrimSpace(s)
	s = strings.Trim(s, "<>\"'“”‘’,;:()[]")
	if len(s) >= len("mailto:") && strings.EqualFold(s[:len("mailto:")], "mailto:") {
		s, _, _ = strings.Cut(s[len("mailto:"):], "?")
	}
	return strings.TrimRight(s, ".,;:>")
}

func notAnAddress(s string) error {
	return fault.New(fault.Invalid, "%s is not an email address. Enter one like name@example.com.", Quote(s))
}

// mailProviders has a public mail provider's domain a line; it says where it is from.
//
//go:embed mailproviders.txt
var mailProviders string

// publicDomains are the domains of public mail providers.
var publicDomains = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(mailProviders) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			m[line] = true
		}
	}
	return m
})

// wellKnown are the domains that a slip of one letter is likely to have meant, the neighbours among them that differ by
// one letter and exist.
var wellKnown = strings.Fields(
	`gmail.com googlemail.com hotmail.com hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.co.uk
	outlook.com outlook.de outlook.fr live.com live.de live.fr live.nl msn.com yahoo.com yahoo.de yahoo.fr yahoo.es yahoo.it
	yahoo.in yahoo.co.uk yahoo.co.jp ymail.com mail.com email.com icloud.com me.com mac.com aol.com aol.de gmx.de gmx.net
	gmx.at gmx.ch gmx.com web.de t-online.de freenet.de protonmail.com proton.me orange.fr wanadoo.fr free.fr laposte.net
	libero.it bluewin.ch qq.com 163.com 126.com naver.com mail.ru yandex.ru`,
)

// PublicProvider reports whether a mail domain is a public provider's, where everybody can have an address.
func PublicProvider(domain string) bool { return publicDomains()[strings.ToLower(domain)] }

// LikelySlip is the address that was probably meant, where the domain is one slip away from that of a large mail
// provider (hotmial.com); "" where it is not.
func LikelySlip(address string) string {
	at := strings.LastIndexByte(address, '@')
	domain := strings.ToLower(address[at+1:])
	if at <= 0 {
		return ""
	}
	meant := ""
	for _, known := range wellKnown {
		if domain == known {
			return ""
		}
		if meant == "" && len(known) >= 8 && oneSlip(domain, known) {
			meant = address[:at+1] + known
		}
	}
	return meant
}

// oneSlip reports whether one letter missing, added, replaced or exchanged with its neighbour makes b of a.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 1:
		return a[i:] == b[i+1:]
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] ||
			i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	}
	return false
}
