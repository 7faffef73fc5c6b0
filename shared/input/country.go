package input

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"marketplace/shared/fault"
)

// Country is a country of ISO 3166-1, or Kosovo, which has no code there.
type Country struct {
	Code string // two letters
	Name string // in English
}

// countryTable has a line for each country, by name: the code, the name in English, and what else it is called, with
// tabs between them. A test makes it of golang.org/x/text, which programs do not link: its tables of names would cost
// each a millisecond of its start.
//
//go:embed countries.txt
var countryTable string

// Countries lists every country, by name.
var Countries = sync.OnceValue(func() []Country {
	var list []Country
	for line := range strings.Lines(countryTable) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		list = append(list, Country{fields[0], fields[1]})
	}
	return list
})

// countryNames gives the place of a country in Countries, by its codes and all its names, folded.
var countryNames = sync.OnceValue(func() map[string]int {
	index := map[string]int{}
	place := 0
	for line := range strings.Lines(countryTable) {
		for name := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\t") {
			if _, known := index[foldCountry(name)]; !known {
				index[foldCountry(name)] = place
			}
		}
		place++
	}
	return index
})

// foldCountry is a country's name as it is compared: in lower case, without accents and dots, with single blanks.
func foldCountry(s string) string {
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
	place, ok := countryNames()[foldCountry(s)]
	if !ok {
		return Country{}, fault.New(fault.Invalid,
			"%s is not a country. Enter its name in English or its ISO code, such as CH.", Quote(s))
	}
	return Countries()[place], nil
}
