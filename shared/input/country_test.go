package input

import (
	"cmp"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

var update = flag.Bool("update", false, "write countries.txt")

// renamed are names that changed since the tables of golang.org/x/text were made, and those that nobody looks for.
var renamed = map[string]string{
	"SZ": "Eswatini", "MK": "North Macedonia", "TR": "Türkiye", "MM": "Myanmar", "HK": "Hong Kong", "MO": "Macao",
}

// reserved are codes that ISO 3166-1 reserves for what is no country of its own, or was one until it was dissolved.
var reserved = strings.Fields("AC CP DG EA EU EZ IC TA UN AN CQ CS FQ NT PC SU YU")

// otherNames are names that people type and that are no longer, or not quite, what the country is called.
var otherNames = map[string][]string{
	"US": {"USA", "U.S.A.", "United States of America", "America"},
	"GB": {"UK", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland"},
	"NL": {"Holland", "The Netherlands"}, "CZ": {"Czech Republic"}, "KR": {"Korea", "Republic of Korea"},
	"RU": {"Russian Federation"}, "VN": {"Viet Nam"}, "CI": {"Ivory Coast"}, "AE": {"UAE"}, "BA": {"Bosnia"},
	"IE": {"Republic of Ireland"}, "MM": {"Burma"}, "MO": {"Macau"},
}

// languages are those in which a country's name is understood.
var languages = []language.Tag{
	language.English, language.German, language.French, language.Italian, language.Spanish, language.Portuguese,
	language.Dutch,
}

// makeCountryTable makes countries.txt of golang.org/x/text.
func makeCountryTable() string {
	type country struct{ name, line string }
	var list []country
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.Canonicalize() != region || region.String() != code ||
				slices.Contains(reserved, code) {
				continue
			}
			names := []string{code, cmp.Or(renamed[code], display.English.Regions().Name(region))}
			if three := region.ISO3(); three != "ZZZ" {
				names = append(names, three)
			}
			for _, l := range languages {
				names = append(names, display.Regions(l).Name(region))
			}
			names = append(names, otherNames[code]...)
			seen := map[string]bool{}
			distinct := slices.DeleteFunc(names, func(name string) bool {
				known := seen[foldCountry(name)]
				seen[foldCountry(name)] = true
				return known
			})
			list = append(list, country{foldCountry(distinct[1]), strings.Join(distinct, "\t") + "\n"})
		}
	}
	slices.SortFunc(list, func(a, b country) int { return cmp.Compare(a.name, b.name) })
	var table strings.Builder
	for _, c := range list {
		table.WriteString(c.line)
	}
	return table.String()
}

func TestCountryTableIsUpToDate(t *testing.T) {
	table := makeCountryTable()
	if *update {
		if err := os.WriteFile("countries.txt", []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if table != countryTable && !*update {
		t.Error("countries.txt differs from what -update writes")
	}
}

func TestCountriesAreThoseOfISO3166(t *testing.T) {
	list := Countries()
	if len(list) != 250 {
		t.Errorf("got %d countries, want the 249 of ISO 3166-1 and Kosovo", len(list))
	}
	for _, c := range list {
		if len(c.Code) != 2 || c.Name == "" || c.Name == c.Code {
			t.Errorf("got %+v", c)
		}
	}
	if list[0].Name != "Afghanistan" || list[1].Name != "Åland Islands" {
		t.Errorf("the list begins with %v", list[:2])
	}
	if !slices.Contains(list, Country{"CH", "Switzerland"}) {
		t.Error("Switzerland is missing")
	}
}

func TestParseCountryTakesCodesAndNames(t *testing.T) {
	for typed, want := range map[string]string{
		"CH": "CH", "ch": "CH", "che": "CH", "Switzerland": "CH", "Schweiz": "CH", "Suisse": "CH", "svizzera": "CH",
		"USA": "US", "U.S.A.": "US", "United States": "US", "uk": "GB", "England": "GB", "The Netherlands": "NL",
		"Czech Republic": "CZ", "Côte d'Ivoire": "CI", "cote d'ivoire": "CI", "Türkiye": "TR", "turkey": "TR",
		"Korea": "KR", " Germany\u200b ": "DE", "Swaziland": "SZ", "Macedonia": "MK",
		"": "", "\u200b": "", "ZZ": "", "EU": "", "Narnia": "", "SU": "", "la suisse": "",
	} {
		c, err := ParseCountry(typed)
		if c.Code != want || (err != nil) != (want == "") {
			t.Errorf("ParseCountry(%q) = %v, %v, want %q", typed, c, err, want)
		}
	}
	for _, c := range Countries() {
		for _, typed := range []string{c.Code, c.Name} {
			if got, err := ParseCountry(typed); err != nil || got != c {
				t.Errorf("ParseCountry(%q) = %v, %v, want %v", typed, got, err, c)
			}
		}
	}
}
