package catalog_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"marketplace/catalog"
)

// other is a plugin that no edition has.
const other = "other.properties"

// withOther is sound metadata and a plugin that no edition has.
func withOther() map[string]string {
	files := sound()
	files[versions] = strings.Replace(files[versions], "plugins=cpp,license", "plugins=cpp,license,other", 1)
	files[other] = strings.ReplaceAll(files[cpp], "C family", "Other")
	return files
}

// slips are mistakes in a file that an edition depends on, and what the refusal names besides the file.
var slips = []struct {
	name string
	change
	want string
}{
	{"list misspelt", change{cpp, "publicVersions=", "publicVersion="}, "did you mean publicVersions?"},
	{"archived misspelt", change{cpp, "archivedVersions=", "archivedVersion="}, "did you mean archivedVersions?"},
	{"list in other case", change{lic, "publicVersions=", "publicversions="}, "did you mean publicVersions?"},
	{"list with letters exchanged", change{lic, "publicVersions=", "pulbicVersions="}, "did you mean publicVersions?"},
	{
		"list with a letter missing",
		change{versions, "publicVersions=", "pulicVersions="},
		"did you mean publicVersions?",
	},
	{"plugins misspelt", change{versions, "plugins=", "plugin="}, "did you mean plugins?"},
	{"LTS misspelt", change{versions, "ltsVersion=", "ltsVersions="}, "did you mean ltsVersion?"},
	{"range misspelt", change{cpp, "5.1.sqVersions=", "5.1.sqVersion="}, "did you mean 5.1.sqVersions?"},
	{"range in other case", change{cpp, "5.1.sqVersions=", "5.1.sqversions="}, "did you mean 5.1.sqVersions?"},
	{"date misspelt", change{cpp, "", "5.1.dat=2018-02-05"}, "did you mean 5.1.date?"},
	{"description misspelt", change{cpp, "", "5.1.descripton=x"}, "did you mean 5.1.description?"},
	{"default misspelt", change{lic, "", "defaults.descripton=x"}, "did you mean defaults.description?"},
	{"address misspelt", change{cpp, "", "5.1.downloadURL=https://example.com/x.jar"}, "did you mean 5.1.downloadUrl?"},
	{"changelog misspelt", change{cpp, "", "5.1.changlogUrl=https://example.com/x"}, "did you mean 5.1.changelogUrl?"},
	{"name of a plugin misspelt", change{cpp, "", "nmae=x"}, "did you mean name?"},
	{"editions misspelt", change{templates, "", "edition=community"}, "did you mean editions?"},
	{
		"plugins of an edition misspelt",
		change{templates, "", "enterprise.plugin=license"},
		"did you mean enterprise.plugins?",
	},
	{
		"link misspelt",
		change{templates, "", "developer.requestLicenceUrl=https://example.com"},
		"did you mean developer.requestLicenseUrl?",
	},
	{"range twice", change{cpp, "", "5.1.sqVersions=[7.0,LATEST]"}, "property 5.1.sqVersions has two values"},
	{"releases twice", change{lic, "", "publicVersions=3.2"}, "property publicVersions has two values"},
	{"versions twice", change{versions, "", "publicVersions=6.7"}, "property publicVersions has two values"},
	{"an unread property twice", change{cpp, "", "category=a\ncategory=b"}, "property category has two values"},
	{
		"plugins of an edition twice",
		change{templates, "", "enterprise.plugins=license"},
		"property enterprise.plugins has two values",
	},
	{"our side of a conflict", change{cpp, "", "<<<<<<< HEAD"}, "marker of a merge conflict"},
	{"middle of a conflict", change{versions, "", "======="}, "marker of a merge conflict"},
	{"their side of a conflict", change{templates, "", ">>>>>>> branch"}, "marker of a merge conflict"},
	{"base of a conflict", change{lic, "", "||||||| base"}, "marker of a merge conflict"},
	{
		"release swallowed",
		change{cpp, "defaults.description=a release\n", "defaults.description=a release\\\n"},
		"5.1.sqVersions is part of the value of defaults.description",
	},
	{
		"list swallowed",
		change{lic, "publicVersions=3.2,3.3", "note=x \\\npublicVersions=3.2,3.3"},
		"publicVersions is part of the value of note",
	},
	{"day first", change{versions, "6.7.date=2017-11-07", "6.7.date=07-11-2017"}, "the year 7"},
	{"last millennium", change{cpp, "5.1.date=2018-02-05", "5.1.date=1918-02-05"}, "the year 1918"},
	{"far future", change{cpp, "5.1.date=2018-02-05", "5.1.date=2108-02-05"}, "the year 2108"},
	{"a default's year", change{cpp, "5.1.date=2018-02-05", "defaults.date=0018-02-05"}, "the year 18"},
	{
		"four parts",
		change{versions, "publicVersions=6.6,6.7,", "7.1.1.11100.date=2018-03-01\npublicVersions=7.1.1.11100,6.6,6.7,"},
		"7.1.1.11100",
	},
	{
		"leading zero",
		change{versions, "publicVersions=6.6,6.7,", "07.1.date=2018-03-01\npublicVersions=07.1,6.6,6.7,"},
		"07.1",
	},
	{
		"LATEST on an older release",
		change{cpp, "5.0.sqVersions=[6.7,6.7.1]", "5.0.sqVersions=[6.7,LATEST]"},
		"only the newest release",
	},
	{"two releases for one version", change{lic, "[6.7,6.7*]", "[6.7,7.0]"}, "are both public for version"},
}

func TestSlipsStopAPublicationWhereAnEditionDependsOnTheFile(t *testing.T) {
	for _, test := range slips {
		t.Run(test.name, func(t *testing.T) {
			files := withOther()
			test.apply(t, files)
			_, err := generate(files, options())
			if err == nil {
				t.Fatal("it was published")
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.HasPrefix(line, test.file+": ") && strings.Contains(line, test.want) {
					return
				}
			}
			t.Errorf("got %v\nwant a line of %s with %q", err, test.file, test.want)
		})
	}
}

func TestSlipsElsewhereAreWarnings(t *testing.T) {
	clean := mustGenerate(t, withOther())
	for _, test := range slips {
		if test.file != cpp || strings.Contains(test.old+test.new, "5.1.sqVersion") && test.old != "" ||
			test.name == "release swallowed" {
			continue // without its range a public release is refused in any file
		}
		t.Run(test.name, func(t *testing.T) {
			files := withOther()
			test.file = other
			test.apply(t, files)
			m, err := catalog.Read(folder(files), time.Now())
			if err != nil {
				t.Fatalf("got %v, want a warning", err)
			}
			if got := strings.Join(m.Warnings(), "\n"); !strings.Contains(got, test.want) ||
				!strings.Contains(got, other) {
				t.Errorf("got the warnings %q, want %q of %s", got, test.want, other)
			}
			if c, err := m.Catalog(options()); err != nil || string(c.EditionsJSON()) != string(clean.EditionsJSON()) {
				t.Errorf("the editions changed: %v", err)
			}
		})
	}
}

func TestRepeatedValueIsAWarning(t *testing.T) {
	files := sound()
	change{cpp, "", "5.1.sqVersions=[6.7,LATEST]"}.apply(t, files)
	m, err := catalog.Read(folder(files), time.Now())
	if err != nil || len(m.Warnings()) != 1 ||
		!strings.Contains(m.Warnings()[0], "lines 6 and 12: property 5.1.sqVersions is repeated") {
		t.Errorf("got %q, %v", m.Warnings(), err)
	}
}

func TestSoundMetadataHasNoWarnings(t *testing.T) {
	m, err := catalog.Read(folder(sound()), time.Now())
	if err != nil || len(m.Warnings()) > 0 {
		t.Errorf("got %q, %v", m.Warnings(), err)
	}
}

func TestFaultIsSaidOnce(t *testing.T) {
	files := sound()
	change{lic, "https://example.com/license-3.2.jar", "https://example.com/one.jar"}.apply(t, files)
	change{cpp, "sonar-cfamily-plugin-5.1.0.10083.jar", "one.jar"}.apply(t, files)
	_, err := generate(files, options())
	if err == nil || strings.Count(err.Error(), "both contain one.jar") != 2 {
		t.Errorf("got %v, want the fault once for each of the two editions", err)
	}
}

func TestEditionsThatAVersionLacksAreListed(t *testing.T) {
	files := sound()
	change{cpp, "5.0.sqVersions=[6.7,6.7.1]", "5.0.sqVersions=6.7.1"}.apply(t, files)
	change{cpp, "5.1.sqVersions=[6.7,LATEST]", "5.1.sqVersions=[7.0,LATEST]"}.apply(t, files)
	var got []string
	for _, l := range mustGenerate(t, files).LeftOut {
		got = append(got, l.String())
	}
	want := "version 6.7 has no datacenter edition: no compatible release of cpp\n" +
		"version 6.7 has no enterprise edition: no compatible release of cpp"
	if strings.Join(got, "\n") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func folder(files map[string]string) fstest.MapFS {
	dir := make(fstest.MapFS)
	for name, text := range maps.All(files) {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}
