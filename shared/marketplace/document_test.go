package marketplace

import (
	"errors"
	"net/url"
	"slices"
	"testing"

	"marketplace/catalog/data"
	"marketplace/shared/license"
)

// document returns a document with the four editions for each version.
func document(versions ...string) Document {
	d := Document{}
	for _, v := range versions {
		for _, e := range []license.Edition{
			license.Community, license.DataCenter, license.Developer, license.Enterprise,
		} {
			d[v] = append(d[v], Entry{Key: string(e), Name: e.Name()})
		}
	}
	return d
}

func keys(entries []Entry) (list []string) {
	for _, e := range entries {
		list = append(list, e.Key)
	}
	return list
}

// TestServerTakesTheEntryOfItsFooter holds the rules of client-contract.md §1.
func TestServerTakesTheEntryOfItsFooter(t *testing.T) {
	d := document("6.7", "6.7.1", "6.10", "7.0", "7.0.1")
	for _, test := range []struct {
		footer, key string
		readOnly    bool
	}{
		{"6.7.1 (build 35068)", "6.7.1", false},
		{"6.7 (build 33306)", "6.7", false},
		{"6.7.9 (build 40000)", "6.7", false}, // the patch is missing, the line is there
		{"7.0-SNAPSHOT", "7.0", false},
		{"7.0.1.12345", "7.0.1", false},
		{"SonarQube 6.10", "6.10", false},
		{"6.7x1", "6.7", false}, // matches the pattern of a patch, but is none
		{"6.6 (build 1)", "7.0.1", true},
		{"8.9.10", "7.0.1", true},
		{"7", "7.0.1", true},
		{"", "7.0.1", true},
	} {
		c, err := d.Choose(test.footer)
		if err != nil || c.Key != test.key || c.ReadOnly != test.readOnly {
			t.Errorf("%q: got %q, read-only %t, %v; want %q, %t", test.footer, c.Key, c.ReadOnly, err, test.key,
				test.readOnly)
		}
	}
}

func TestHighestVersionIsHighestByNumber(t *testing.T) {
	for _, test := range []struct {
		versions []string
		want     string
	}{
		{[]string{"6.9", "6.10"}, "6.10"}, {[]string{"7.0", "6.7.12"}, "7.0"}, {[]string{"6.7.9", "6.7.12"}, "6.7.12"},
		{[]string{"10.0", "9.9"}, "10.0"},
	} {
		if c, err := document(test.versions...).Choose("5.6"); err != nil || c.Key != test.want {
			t.Errorf("%v: got %q, %v; want %q", test.versions, c.Key, err, test.want)
		}
	}
}

func TestBoxesAreOrderedFromTheSmallestEdition(t *testing.T) {
	c, err := document("6.7").Choose("6.7")
	want := []string{"community", "developer", "enterprise", "datacenter"}
	if got := keys(c.Entries); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// An unknown key shifts the boxes: it is the one that uninstalls.
func TestUnknownEditionTakesTheFirstBox(t *testing.T) {
	c, err := Document{"6.7": {{Key: "community"}, {Key: "team"}, {Key: "developer"}}}.Choose("6.7")
	if err != nil {
		t.Fatal(err)
	}
	boxes := Server{Edition: license.Developer}.Boxes(c)
	if boxes[0].Key != "team" || !boxes[0].Uninstalls || boxes[0].Action != Downgrade {
		t.Errorf("got %+v", boxes[0])
	}
}

// A catalog without the community edition leaves no box to go back to.
func TestInstalledEditionInTheFirstBoxHasNoButton(t *testing.T) {
	c, err := Document{"6.7": {{Key: "developer"}, {Key: "enterprise"}}}.Choose("6.7")
	if err != nil {
		t.Fatal(err)
	}
	if b := (Server{Edition: license.Developer}).Boxes(c)[0]; b.Action != "" || b.Badge != Installed {
		t.Errorf("got %+v", b)
	}
}

func TestVersionWithoutEntriesBreaksThePage(t *testing.T) {
	for name, d := range map[string]Document{
		"empty array": {"6.7": {}, "7.0": {{Key: "community"}}}, "no versions": {}, "highest is null": {"6.8": nil},
	} {
		if c, err := d.Choose("6.7"); !errors.Is(err, ErrNoBoxes) {
			t.Errorf("%s: got %+v, %v; want %v", name, c, err, ErrNoBoxes)
		}
	}
	if c, err := (Document{"6.7.1": nil, "6.7": {{Key: "community"}}}).Choose("6.7.1"); err != nil || c.Key != "6.7" {
		t.Errorf("null: got %+v, %v; want the line's entry", c, err)
	}
}

// TestEveryVersionOfTheCatalogTakesItsOwnEntry joins the catalog and the client: what we write, servers find.
func TestEveryVersionOfTheCatalogTakesItsOwnEntry(t *testing.T) {
	c, err := data.Catalog("https://licenses.example.com")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(c.EditionsJSON())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Versions {
		for _, footer := range []string{v.Version, v.Version + " (build 12345)", v.Version + "-SNAPSHOT"} {
			choice, err := d.Choose(footer)
			if err != nil || choice.Key != v.Version || choice.ReadOnly {
				t.Errorf("%s: got %q, read-only %t, %v", footer, choice.Key, choice.ReadOnly, err)
				continue
			}
			got := slices.Sorted(slices.Values(keys(choice.Entries)))
			if !slices.Equal(got, slices.Sorted(slices.Values(v.Editions))) {
				t.Errorf("%s: got the boxes %v, want %v", footer, got, v.Editions)
			}
			for _, e := range choice.Entries {
				p, _ := c.Package(e.Key, v.Version)
				if e.DownloadURL != p.URL {
					t.Errorf("%s, %s: got the package %q, want %q", footer, e.Key, e.DownloadURL, p.URL)
				}
			}
		}
	}
}

// TestRequestLinkIsMadeAsTheClientMakesIt holds client-contract.md §3.
func TestRequestLinkIsMadeAsTheClientMakesIt(t *testing.T) {
	e := Entry{LicenseRequestURL: "https://vendor.example/request/developer"}
	for _, test := range []struct{ id, loc, want string }{
		{"", "", "https://vendor.example/request/developer"},
		{"AWHW8w9JtzBzSrmf9GQX", "120000",
			"https://vendor.example/request/developer?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000"},
		{"", "0", "https://vendor.example/request/developer?ncloc=0"},
		{"4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", "",
			"https://vendor.example/request/developer?serverId=4A6F8E2B-AWHW8w9JtzBzSrmf9GQX"},
	} {
		got := e.RequestURL(test.id, test.loc)
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		if u, err := url.Parse(got); err != nil || u.Query().Get("ncloc") != test.loc {
			t.Errorf("%s: got the lines of code %q, %v", got, u.Query().Get("ncloc"), err)
		}
	}
}

func TestErasOfTheProduct(t *testing.T) {
	for footer, want := range map[string]Era{
		"6.7 (build 33306)": Boxes, "6.7.14": Boxes, "7.0": Boxes, "7.1.1": Boxes, "": Boxes, "unknown": Boxes,
		"7.2": Links, "7.9.6": Links, "10.4": Links, "6.6": Nothing, "5.6.7": Nothing,
	} {
		if got := EraOf(footer); got != want {
			t.Errorf("%q: got %v, want %v", footer, got, want)
		}
	}
}
