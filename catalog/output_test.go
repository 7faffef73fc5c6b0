package catalog_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
)

func TestTextsAreEncodedLikeTheVendors(t *testing.T) {
	files := sound()
	change{templates, "Free", `<b>\u00e9\u2028 "quoted" \\ & tab\t end `}.apply(t, files)
	got := string(mustGenerate(t, files).EditionsJSON())
	const want = `"textDescription": "<b>é\u2028 \"quoted\" \\ & tab\t end "`
	if !strings.Contains(got, want) {
		t.Errorf("no %s in\n%s", want, got)
	}
	if strings.HasSuffix(got, "\n") {
		t.Error("it ends in a line end")
	}
}

func TestCatalogReadsBackFromItsJSON(t *testing.T) {
	m, err := catalog.Read(data.Files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{SiteURL: "http://localhost:8080", Build: data.Build})
	if err != nil {
		t.Fatal(err)
	}
	got, err := catalog.Decode(c.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v\nwant %+v", got, c)
	}
	if _, err := catalog.Decode([]byte(`{"format":2}`)); err == nil {
		t.Error("another format is accepted")
	}
	if strings.Contains(string(mustGenerate(t, sound()).JSON()), "null") {
		t.Error("a list is null in JSON")
	}
}

func TestPackagesAreKeyedByEdition(t *testing.T) {
	files := sound()
	change{templates, "More", "More <b>than</b> that"}.apply(t, files)
	files["product.properties"] = "features=branches\nfeature.branches.name=Branches & more\n" +
		"feature.branches.editions=developer\n"
	files["withdrawn.properties"] = "enterprise-edition-7.0.0.717.zip=It held a wrong jar.\n"
	c := mustGenerate(t, files)
	content, ok := c.PackagesJSON("7.0")
	if !ok {
		t.Fatal("no such version")
	}
	var got map[string]map[string]string
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["datacenter"] == nil {
		t.Errorf("got the editions %v, want those with a package that is not withdrawn", got)
	}
	want := map[string]string{
		"name":          "Developer Edition",
		"desc":          "<p>More &lt;b&gt;than&lt;/b&gt; that</p><ul><li>Branches &amp; more</li></ul>",
		"more_link":     "https://example.com/developer",
		"download_link": "https://downloads.example.com/developer-edition-7.0.0.717.zip",
	}
	if !reflect.DeepEqual(got["developer"], want) {
		t.Errorf("got %q", got["developer"])
	}
	if _, ok := c.PackagesJSON("9.9"); ok {
		t.Error("a version that there is not has packages")
	}
}
