package license

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/properties"
)

// Key is the content of a license key without its signature. Lists keep the order of the key; an empty list and a zero
// NotBefore are left out of the text.
type Key struct {
	Kid          string   `json:"kid"` // names the public key that verifies it, in a KeySet
	ID           string   `json:"id"`  // of the license
	Type         Type     `json:"type"`
	Organization string   `json:"organization"` // the licensee; any text
	Server       Server   `json:"server"`
	Edition      Edition  `json:"edition"`
	Plugins      []string `json:"plugins"`             // keys of all plugins that it covers, including "license"
	Languages    []string `json:"languages,omitempty"` // keys of languages beyond those of the edition
	Features     []string `json:"features,omitempty"`  // keys of features
	MaxLoc       int64    `json:"maxLoc"`              // largest number of lines of code; at least 1
	Support      bool     `json:"support"`
	NotBefore    Date     `json:"notBefore,omitzero"` // the first day on which it is valid; zero: no start
	Expiration   Date     `json:"expiration"`         // the last day on which it is valid, through 23:59:59 UTC
	Issued       Date     `json:"issued"`             // the day on which it was signed, UTC
}

// Terms returns the key for l, without the Kid, which the Issuer chooses.
func (l License) Terms() Key {
	return Key{
		ID: l.ID, Type: l.Type, Organization: l.Organization, Server: l.Server, Edition: l.Edition,
		Plugins: l.Plugins, Languages: l.Languages, Features: l.Features, MaxLoc: l.MaxLoc, Support: l.Support,
		NotBefore: l.NotBefore, Expiration: l.Expiration, Issued: l.Issued,
	}
}

// Equal reports whether k and o have the same content. Lists in another order differ.
func (k Key) Equal(o Key) bool {
	return k.Kid == o.Kid && k.ID == o.ID && k.Type == o.Type && k.Organization == o.Organization &&
		k.Server == o.Server && k.Edition == o.Edition && k.MaxLoc == o.MaxLoc && k.Support == o.Support &&
		k.NotBefore == o.NotBefore && k.Expiration == o.Expiration && k.Issued == o.Issued &&
		slices.Equal(k.Plugins, o.Plugins) && slices.Equal(k.Languages, o.Languages) &&
		slices.Equal(k.Features, o.Features)
}

// Canonical is the text of k before its signature: a line "Name=value" with LF for each property, in the order of
// license-keys.md, "The text", none for a property without a value. It is ASCII: every other character, a control, a
// backslash and a space that begins the value are written \uXXXX, in upper case, by UTF-16 unit.
func (k Key) Canonical() []byte {
	var out []byte
	for _, p := range keyProperties {
		if value := p.get(k); value != "" {
			out = append(out, p.name...)
			out = append(out, '=')
			out = appendEscaped(out, value)
			out = append(out, '\n')
		}
	}
	return out
}

func appendEscaped(out []byte, value string) []byte {
	for i, r := range value {
		switch {
		case ' ' < r && r <= '~' && r != '\\', r == ' ' && i > 0:
			out = append(out, byte(r))
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04X\u%04X`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04X`, r)
		}
	}
	return out
}

// parseCanonical reads the output of Canonical and nothing else. The error is a phrase in the words of the format.
func parseCanonical(text string) (Key, error) {
	props, err := properties.Parse(text)
	if err != nil {
		return Key{}, err
	}
	var k Key
	for _, p := range keyProperties {
		value, _ := props.Get(p.name)
		if value == "" {
			if p.optional {
				continue
			}
			return Key{}, fmt.Errorf("the property %s is missing", p.name)
		}
		if err := p.set(&k, value); err != nil {
			if !readable(value) {
				return Key{}, fmt.Errorf("the property %s is damaged", p.name)
			}
			return Key{}, fmt.Errorf("the property %s is wrong: %w", p.name, err)
		}
	}
	if line := firstDifference(text, string(k.Canonical())); line > 0 {
		return Key{}, fmt.Errorf("line %d is not written as the format has it", line)
	}
	return k, nil
}

// readable reports whether a value of a key can be shown to people: short and printable ASCII.
func readable(value string) bool {
	return len(value) <= 100 && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// firstDifference returns the number of the first line in which two texts differ; 0 if they are equal.
func firstDifference(a, b string) int {
	if a == b {
		return 0
	}
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return 1 + strings.Count(a[:n], "\n")
}

// format is the number of the key format, in each key's first line.
const format = "1"

// keyProperties lists the properties of a key before its signature, in order.
var keyProperties = []struct {
	name     string
	optional bool
	get      func(Key) string
	set      func(*Key, string) error
}{
	{"Format", false,
		func(Key) string { return format },
		func(_ *Key, s string) error { return require(s == format, s) }},
	{"Kid", false,
		func(k Key) string { return k.Kid },
		func(k *Key, s string) error { k.Kid = s; return require(identifier().MatchString(s), s) }},
	{"Id", false,
		func(k Key) string { return k.ID },
		func(k *Key, s string) error { k.ID = s; return require(identifier().MatchString(s), s) }},
	{"Type", false,
		func(k Key) string { return string(k.Type) },
		func(k *Key, s string) error { k.Type = Type(s); return require(k.Type.Valid(), s) }},
	{"Organization", false,
		func(k Key) string { return k.Organization },
		func(k *Key, s string) error { k.Organization = s; return nil }},
	{"Server", false,
		func(k Key) string { return string(k.Server) },
		func(k *Key, s string) (err error) { k.Server, err = ParseServer(s); return require(err == nil, s) }},
	{"Edition", false,
		func(k Key) string { return string(k.Edition) },
		func(k *Key, s string) error { k.Edition = Edition(s); return require(k.Edition.Valid(), s) }},
	{"Plugins", false,
		func(k Key) string { return strings.Join(k.Plugins, ",") },
		func(k *Key, s string) error { return parseList(&k.Plugins, s) }},
	{"Languages", true,
		func(k Key) string { return strings.Join(k.Languages, ",") },
		func(k *Key, s string) error { return parseList(&k.Languages, s) }},
	{"Features", true,
		func(k Key) string { return strings.Join(k.Features, ",") },
		func(k *Key, s string) error { return parseList(&k.Features, s) }},
	{"MaxLoc", false,
		func(k Key) string { return strconv.FormatInt(k.MaxLoc, 10) },
		func(k *Key, s string) (err error) {
			k.MaxLoc, err = strconv.ParseInt(s, 10, 64)
			return require(err == nil && k.MaxLoc > 0, s)
		}},
	{"Support", false,
		func(k Key) string { return strconv.FormatBool(k.Support) },
		func(k *Key, s string) error { k.Support = s == "true"; return require(k.Support || s == "false", s) }},
	{"NotBefore", true,
		func(k Key) string { return k.NotBefore.String() },
		func(k *Key, s string) (err error) { k.NotBefore, err = ParseDate(s); return err }},
	{"Expiration", false,
		func(k Key) string { return k.Expiration.String() },
		func(k *Key, s string) (err error) { k.Expiration, err = ParseDate(s); return err }},
	{"Issued", false,
		func(k Key) string { return k.Issued.String() },
		func(k *Key, s string) (err error) { k.Issued, err = ParseDate(s); return err }},
}

// identifier matches a Kid, the ID of a license, and the key of a plugin, a language or a feature.
var identifier = lazyregexp.New(`^[A-Za-z0-9._-]{1,64}$`)

// ValidID reports whether id can be the ID of a license: 1 to 64 ASCII letters, digits, dots, underscores and dashes.
func ValidID(id string) bool { return identifier().MatchString(id) }

func parseList(list *[]string, s string) error {
	*list = strings.Split(s, ",")
	seen := make(map[string]bool)
	for _, item := range *list {
		if !identifier().MatchString(item) {
			return fmt.Errorf("%q is not a key", item)
		}
		if seen[item] {
			return fmt.Errorf("%s is listed twice", item)
		}
		seen[item] = true
	}
	return nil
}

func require(ok bool, value string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%q", value)
}
