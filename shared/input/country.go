package input

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"

	"marketplace/shared/fault"
)

// Country is a country of ISO 3166-1.
type Country struct {
	Code string // two letters
	Name string // in English
}

// Countries lists every country, by name.
var Countries = sync.OnceValue(func() []Country {
	var list []Country
	names := display.English.Regions()
	for _, code := range codes() {
		name := renamed[code]
		if name == "" {
			name = names.Name(language.MustParseRegion(code))
		}
		list = append(list, Country{code, name})
	}
	slices.SortFunc(list, func(a, b Country) int { return cmp.Compare(folded(a.Name), folded(b.Name)) })
	return list
})

// renamed are names that changed since the tables of golang.org/x/text were made, and those that nobody looks for.
var renamed = map[string]string{
	"SZ": "Eswatini", "MK": "North Macedonia", "TR": "Türkiye", "MM": "Myanmar", "HK": "Hong Kong", "MO": "Macao",
}

// reserved are codes that ISO 3166-1 reserves for what is no country of its own, or was one until it was dissolved.
var reserved = strings.Fields("AC CP DG EA EU EZ IC TA UN AN CQ CS FQ NT PC SU YU")

// codes are the codes of two letters that ISO 3166-1 assigns to countries, and XK for Kosovo, which has none there.
func codes() (list []string) {
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			region, err := language.ParseRegion(code)
			if err == nil && region.IsCountry() && region.Canonicalize() == region && region.String() == code &&
				!slices.Contains(reserved, code) {
				list = append(list, code)
			}
		}
	}
	return list
}

// languages are those in which a country's name is understood.
var languages = []language.Tag{
	language.English, language.German, language.French, language.Italian, language.Spanish,
	language.Portuguese, language.Dutch,
}

// otherNames are names that people type and that are no longer, or not quite, what the country is called.
var otherNames = map[string]string{
	"usa": "US", "us": "US", "united states of america": "US", "america": "US", "uk": "GB",
	"great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "holland": "NL",
	"the netherlands": "NL", "czech republic": "CZ", "korea": "KR", "republic of korea": "KR",
	"russian federation": "RU",
	"viet nam":           "VN", "burma": "MM",
	"ivory coast": "CI", "uae": "AE", "hong kong": "HK", "macao": "MO", "macau": "MO", "bosnia": "BA",
	"republic of ireland": "IE",
}

// named finds a country's code by any of its names.
var named = sync.OnceValue(func() map[string]string {
	index := map[string]string{}
	for _, l := range slices.Backward(languages) { // the first language wins
		names := display.Regions(l)
		for _, c := range Countries() {
			index[folded(names.Name(language.MustParseRegion(c.Code)))] = c.Code
		}
	}
	for _, c := range Countries() {
		index[folded(c.Name)] = c.Code
	}
	for name, code := range otherNames {
		index[folded(name)] = code
	}
	return index
})

// folded is a country's name as it is compared: in lower case, without accents and dots, with single blanks.
func folded(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '.':
			return -1
		case r == '’':
			return '\''
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// ParseCountry reads a country from its code of ISO 3166-1, of two or three letters, or from its name in one of some
// languages. What it refuses is an Invalid fault.
func ParseCountry(s string) (Country, error) {
	s, err := Line("country", "The country", s, 80)
	if err != nil {
		return Country{}, err
	}
	if s == "" {
		return Country{}, fault.New(fault.Invalid, "Select your country.")
	}
	code, ok := named()[folded(s)]
	if !ok {
		region, err := language.ParseRegion(s)
		if err != nil || !region.IsCountry() {
			return Country{}, fault.New(
				fault.Invalid,
				"%s is not a country. Enter its name in English or its ISO code, such as CH.",
				Quote(s),
			)
		}
		code = region.String()
	}
	i := slices.IndexFunc(Countries(), func(c Country) bool { return c.Code == code })
	if i < 0 {
		return Country{}, fault.New(
			fault.Invalid,
			"%s is not a country. Enter its name in English or its ISO code, such as CH.",
			Quote(s),
		)
	}
	return Countries()[i], nil
}
