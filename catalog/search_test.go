package catalog_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"marketplace/catalog"
	"marketplace/catalog/data"
)

func sampleCatalog(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := data.Catalog("https://site.example.com")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSearchFindsWhatPeopleType(t *testing.T) {
	c := sampleCatalog(t)
	for typed, want := range map[string]string{
		"COBOL":                           "language COBOL",
		" cobol ":                         "language COBOL",
		"cobol plugin":                    "language COBOL",
		"Which edition brings COBOL?":     "language COBOL",
		"cob":                             "language COBOL",
		"SonarCOBOL":                      "plugin SonarCOBOL, language COBOL",
		"rpg":                             "language RPG",
		"branch":                          "feature Branch analysis",
		"branches":                        "feature Branch analysis",
		"branch analysis":                 "feature Branch analysis",
		"analysis of branches":            "feature Branch analysis",
		"portfolio":                       "feature Portfolios",
		"report":                          "feature Executive reports",
		"governance":                      "plugin Governance, feature Portfolios",
		"pl sql":                          "language PL/SQL",
		"PL/SQL":                          "language PL/SQL",
		"plsql":                           "language PL/SQL",
		"sql":                             "language PL/SQL, language T-SQL",
		"C++":                             "language C++",
		"c#":                              "language C#",
		"visual basic":                    "language VB.NET, language VB6",
		"AS/400":                          "language RPG",
		"as400":                           "language RPG",
		"mainframe":                       "language COBOL, language PL/I, language RPG",
		"SAP":                             "language ABAP",
		"pull requests":                   "feature Branch analysis",
		"feature branches":                "feature Branch analysis",
		"clusters":                        "feature High availability",
		"enterprise":                      "edition Enterprise Edition",
		"data-center":                     "edition Data Center Edition",
		"java":                            "language Java, language JavaScript",
		"license":                         "plugin License Manager",
		"zzzz":                            "",
		"":                                "",
		" ?! ":                            "",
		strings.Repeat("x", 1<<20):        "",
		"\xff\xfe":                        "",
		"<script>alert(1)</script>":       "",
		"c":                               cHits,
		"edition":                         editionHits,
		strings.Repeat("é", 99) + "cobol": "",
	} {
		var got []string
		for _, h := range c.Search(typed) {
			got = append(got, h.Kind+" "+h.Name)
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%.40q: got %s, want %s", typed, got, want)
		}
	}
}

const cHits = "language C, language C#, language C++, language COBOL, edition Community Edition"

const editionHits = "edition Community Edition, edition Developer Edition, edition Enterprise Edition, " +
	"edition Data Center Edition"

func TestSearchSaysThatAPluginComesOnlyWithAnEdition(t *testing.T) {
	c := sampleCatalog(t)
	for typed, want := range map[string]string{
		"COBOL": "Available only with the Enterprise Edition or the Data Center Edition; " +
			"it cannot be installed separately.",
		"branch": "Available only with the Developer Edition, the Enterprise Edition or the Data Center Edition; " +
			"it cannot be installed separately.",
		"high availability": "Available only with the Data Center Edition; it cannot be installed separately.",
		"Java":              "Included in every edition.",
	} {
		h := c.Search(typed)[0]
		if h.Sentence() != want || h.Commercial() == h.Everywhere {
			t.Errorf("%s: got %q, commercial %t, want %q", typed, h.Sentence(), h.Commercial(), want)
		}
	}
	h := c.Search("branch")[0]
	if h.Plugin.Key != "branch" || h.Editions[0].Key != "developer" {
		t.Errorf("branch: got plugin %q from %s, want branch from developer", h.Plugin.Key, h.Editions[0].Key)
	}

	nowhere := *c
	nowhere.Features = append(nowhere.Features, catalog.Feature{Key: "telepathy", Name: "Telepathy"})
	if h := nowhere.Search("telepathy")[0]; h.Sentence() != "No edition has it at present." || h.Commercial() {
		t.Errorf("feature of no edition: got %q", h.Sentence())
	}
	base := *c
	base.Editions = append(base.Editions[:0:0], base.Editions...)
	for i := range base.Editions {
		if e := &base.Editions[i]; e.Key == "community" || e.Key == "developer" {
			e.Languages = append(e.Languages, "cobol")
		} else {
			e.Languages = nil
		}
	}
	const both = "Included in the Community Edition and the Developer Edition."
	if got := base.Search("cobol")[0].Sentence(); got != both {
		t.Errorf("language of a free edition: got %q", got)
	}
}

func TestSearchSuggestsTheNameThatWasMeant(t *testing.T) {
	c := sampleCatalog(t)
	for typed, want := range map[string]string{
		"cobal": "COBOL", "swfit": "Swift", "javascrpt": "JavaScript", "portfolois": "Portfolios",
		"enterprize": "Enterprise Edition",
		"zzzz":       "", "xy": "", "": "", "checkstyle": "", strings.Repeat("y", 5000): "",
	} {
		if got := c.Suggest(typed); got != want {
			t.Errorf("%.20q: got %q, want %q", typed, got, want)
		}
	}
}

func TestSearchTakesAnyText(t *testing.T) {
	c := sampleCatalog(t)
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z+#/ -]{0,8}`)).Draw(t, "typed")
		for _, h := range c.Search(typed) {
			if h.Name == "" || h.Sentence() == "" || len(h.Editions) == 0 {
				t.Errorf("got %+v", h)
			}
		}
		if name := c.Suggest(typed); name != "" && len(c.Search(name)) == 0 {
			t.Errorf("%q is suggested but not found", name)
		}
	})
}
