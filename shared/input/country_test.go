package input

import (
	"slices"
	"testing"
)

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
		"CH": "CH", "ch": "CH", "che": "CH", "Switzerland": "CH", "Schweiz": "CH", "la suisse": "", "Suisse": "CH", "svizzera": "CH",
		"USA": "US", "U.S.A.": "US", "United States": "US", "uk": "GB", "England": "GB", "The Netherlands": "NL", "Czech Republic": "CZ",
		"Côte d'Ivoire": "CI", "cote d'ivoire": "CI", "Türkiye": "TR", "turkey": "TR", "Korea": "KR", " Germany\u200b ": "DE",
		"": "", "\u200b": "", "ZZ": "", "EU": "", "Narnia": "", "SU": "",
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
