package preview

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/marketplace"
)

const siteURL = "https://licenses.vendor.example"

var options = Options{Path: "/marketplace", Product: "SonarQube", Paste: true}

// source is the sample catalog.
func source(t testing.TB) Source {
	t.Helper()
	c, err := data.Catalog(siteURL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open returns the page at an address.
func open(t testing.TB, query string) View {
	t.Helper()
	q, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
	if err != nil {
		t.Fatal(err)
	}
	return New(source(t), q, options)
}

// follow opens the address of a link.
func follow(t testing.TB, link string) View {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Path != options.Path {
		t.Fatalf("the link %q leads elsewhere: %v", link, err)
	}
	return open(t, u.RawQuery)
}

func (v View) box(key string) Box {
	i := slices.IndexFunc(v.Boxes, func(b Box) bool { return b.Key == key })
	if i < 0 {
		return Box{}
	}
	return v.Boxes[i]
}

// next returns the address of what can happen next, by the beginning of its text.
func (v View) next(t testing.TB, begins string) string {
	t.Helper()
	if v.Alert != nil {
		for _, l := range v.Alert.Next {
			if strings.HasPrefix(l.Text, begins) {
				return l.URL
			}
		}
	}
	t.Fatalf("%+v leads to no %q", v.Alert, begins)
	return ""
}

func rowKeys(rows []Row) (keys []string) {
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return keys
}

func TestAddressIsReadTolerantly(t *testing.T) {
	for _, test := range []struct {
		query, version string
		edition        license.Edition
		server, loc    string
	}{
		{"", "7.1", license.Community, "", ""},
		{"version=6.7.1&edition=developer&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000", "6.7.1", license.Developer,
			"AWHW8w9JtzBzSrmf9GQX", "120000"},
		{"version=6.7.1+(build+35068)&edition=Data%20Center+Edition", "6.7.1 (build 35068)",
			license.DataCenter, "", ""},
		{"sourceEdition=enterprise&ncloc=007", "7.1", license.Enterprise, "", "7"},
		{"serverId=x&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=many&ncloc=5", "7.1", license.Community,
			"AWHW8w9JtzBzSrmf9GQX", "5"},
		{"edition=team&version=&box=team&step=none&license=none", "7.1", license.Community, "", ""},
	} {
		v := open(t, test.query)
		q, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		got := read(q)
		if v.Version != test.version || got.Edition != test.edition || got.Server != test.server ||
			got.Loc != test.loc || v.Dialog != nil {
			t.Errorf("%s: got %q, %+v", test.query, v.Version, got)
		}
	}
}

// TestInstallationIsPlayedToItsEnd follows the links from the first page to the installed edition.
func TestInstallationIsPlayedToItsEnd(t *testing.T) {
	v := open(t, "version=6.7.1&edition=developer&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000")
	if b := v.box("developer"); b.Badge != marketplace.Installed || b.Action != "" {
		t.Fatalf("got %+v", b)
	}
	v = follow(t, v.box("enterprise").URL)
	d := v.Dialog
	if d == nil || !d.Asks || d.Title != "Upgrade to Enterprise Edition" {
		t.Fatalf("got the dialog %+v", d)
	}
	want := siteURL + "/request/enterprise?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000"
	if d.Request != want {
		t.Errorf("no license: got %s, want %s", d.Request, want)
	}
	v = follow(t, d.Samples[0].URL)
	found := v.Dialog.Verdict
	if got := rowKeys(found.Install); !slices.Equal(slices.Sorted(slices.Values(got)),
		[]string{"cobol", "governance", "pli", "rpg", "vb"}) || len(found.Remove) > 0 || !found.Terms {
		t.Fatalf("installs %v, removes %v", got, found.Remove)
	}
	cobol := slices.IndexFunc(found.Install, func(r Row) bool { return r.Key == "cobol" })
	if r := found.Install[cobol]; r.Release == "" || r.Name == "cobol" {
		t.Errorf("got the row %+v, want a name and a release", r)
	}
	v = follow(t, found.Button.URL)
	if v.box("enterprise").Badge != marketplace.Installing || !v.box("datacenter").Disabled || !v.Stages[1].Now {
		t.Fatalf("installing: got %+v, %+v", v.Boxes, v.Stages)
	}
	failed := follow(t, v.next(t, "A download fails"))
	p, _ := source(t).Catalog.Package("enterprise", "6.7.1")
	guide := siteURL + "/editions/enterprise/install?version=6.7.1"
	if a := failed.Alert; a.Download != p.URL || a.Guide != guide || len(a.Steps) == 0 {
		t.Errorf("failed: got %+v, want the package and the instructions", a)
	}
	if b := failed.box("enterprise"); b.Action != marketplace.Upgrade || b.Disabled {
		t.Errorf("failed: got %+v", b)
	}
	early := follow(t, v.next(t, "The server is restarted"))
	if early.box("developer").Badge != marketplace.Installed || early.Alert.Tone != "bad" {
		t.Errorf("restarted too early: got %+v", early.Boxes)
	}
	v = follow(t, v.next(t, "All downloads succeed"))
	if v.box("enterprise").Badge != marketplace.Pending {
		t.Errorf("ready: got %+v", v.Boxes)
	}
	refusal := follow(t, v.next(t, "Restart, but"))
	if refusal.box("enterprise").Badge != marketplace.Installed || refusal.Alert.Tone != "bad" ||
		!strings.HasPrefix(refusal.Alert.Links[0].URL, "/licenses/check?") {
		t.Errorf("rejected: got %+v", refusal.Alert)
	}
	v = follow(t, v.next(t, "Restart the server"))
	if v.box("enterprise").Badge != marketplace.Installed || v.Alert.Tone != "good" {
		t.Errorf("installed: got %+v", v.Boxes)
	}
	if d := follow(t, v.box("developer").URL).Dialog; d == nil || d.Title != "Downgrade to Developer Edition" {
		t.Errorf("the button of a smaller edition afterwards: got %+v", d)
	}
	if end := follow(t, v.next(t, "See the page")); end.Dialog != nil || end.Alert != nil ||
		end.box("community").Action != marketplace.Downgrade {
		t.Errorf("afterwards: got %+v", end)
	}
}

func TestServerWithoutInternetInstallsManually(t *testing.T) {
	v := open(t, "version=6.7.1&with=offline&box=developer&step=key")
	found := v.Dialog.Verdict
	if found.Button.Text != "Save" || found.Tone != "bad" {
		t.Fatalf("got %+v", found)
	}
	v = follow(t, found.Button.URL)
	if v.Alert.Download == "" || v.Alert.Guide == "" || v.box("developer").Disabled ||
		v.Stages[1].Name != "Manual installation" {
		t.Errorf("got %+v, %+v", v.Alert, v.Boxes)
	}
	lost := follow(t, v.next(t, "Restart without"))
	if lost.box("developer").Badge != marketplace.Installed || lost.Alert.Tone != "bad" || lost.Alert.Download == "" {
		t.Errorf("without the jars: got %+v", lost.Alert)
	}
}

func TestDowngradeNamesWhatGoes(t *testing.T) {
	v := follow(t, open(t, "version=6.7.1&edition=enterprise").box("community").URL)
	d := v.Dialog
	e, _ := source(t).Catalog.Edition("enterprise")
	if !d.Uninstall || d.Asks || len(d.Remove) != len(e.Plugins) {
		t.Fatalf("got %+v, want %d plugins to go", d, len(e.Plugins))
	}
	for _, name := range []string{"COBOL", "RPG", "Portfolios", "Branch analysis"} {
		if !slices.Contains(d.Lost, name) {
			t.Errorf("got the losses %v, want %s among them", d.Lost, name)
		}
	}
	v = follow(t, d.Continue.URL)
	if v.box("community").Badge != marketplace.Pending {
		t.Errorf("got %+v", v.Boxes)
	}
	if stuck := follow(t, v.next(t, "Restart, but")); stuck.Alert.Title != "The server does not start" {
		t.Errorf("got %+v", stuck.Alert)
	}
	v = follow(t, v.next(t, "Restart the server"))
	if v.box("community").Badge != marketplace.Installed || v.box("developer").Action != marketplace.Upgrade {
		t.Errorf("got %+v", v.Boxes)
	}
	smaller := follow(t, open(t, "version=6.7.1&edition=enterprise").box("developer").URL)
	if smaller.Dialog.Title != "Downgrade to Developer Edition" || !smaller.Dialog.Asks {
		t.Fatalf("got %+v", smaller.Dialog)
	}
	found := follow(t, smaller.Dialog.Samples[0].URL).Dialog.Verdict
	if got := slices.Sorted(slices.Values(rowKeys(found.Remove))); !slices.Equal(got,
		[]string{"cobol", "governance", "pli", "rpg", "vb"}) || len(found.Install) > 0 ||
		slices.Contains(found.Lost, "Branch analysis") || !slices.Contains(found.Lost, "Portfolios") {
		t.Errorf("got %v to go, %v lost", got, found.Lost)
	}
}

// A downgrade to a smaller commercial edition has nothing to download.
func TestSmallerEditionIsOnlyRemoval(t *testing.T) {
	v := open(t, "version=6.7.1&edition=enterprise&box=developer&step=downloading")
	fails := func(l Link) bool { return strings.Contains(l.Text, "fails") }
	if len(v.Alert.Rows) > 0 || slices.ContainsFunc(v.Alert.Next, fails) {
		t.Errorf("got %+v", v.Alert)
	}
	v = open(t, "version=6.7.1&edition=enterprise&box=developer&step=manual&with=offline")
	if got := rowKeys(v.Alert.Rows); !slices.Contains(got, "cobol") || len(v.Alert.Steps) != 5 {
		t.Errorf("manually: got %v to delete, %v", got, v.Alert.Steps)
	}
	if v = open(t, "version=6.7.1&edition=enterprise&box=developer&step=failed"); v.Dialog == nil {
		t.Errorf("nothing can fail, but got %+v", v.Alert)
	}
}

func TestWrongKeysHaveNoButton(t *testing.T) {
	v := open(t, "version=6.7.1&box=developer")
	for i, want := range map[int]string{
		1: "This license is for the Enterprise Edition", 2: "This is not a license key",
	} {
		found := follow(t, v.Dialog.Samples[i].URL).Dialog.Verdict
		if found.Title != want || found.Button.Text != "" || found.Tone != "bad" {
			t.Errorf("%s: got %+v", v.Dialog.Samples[i].Text, found)
		}
	}
	wrong := follow(t, v.Dialog.Samples[1].URL).Dialog.Verdict
	if there := follow(t, strings.TrimSuffix(wrong.Links[0].URL, "#dialog")); there.Dialog == nil ||
		there.Dialog.Edition != "Enterprise Edition" {
		t.Errorf("%+v leads to %+v", wrong.Links[0], there.Dialog)
	}
}

func TestClusterHasNoButtons(t *testing.T) {
	v := open(t, "version=6.7.1&edition=datacenter&with=cluster&box=community")
	for _, b := range v.Boxes {
		if b.Action != "" {
			t.Errorf("%s has %s", b.Key, b.Action)
		}
	}
	if v.Dialog != nil || v.Alert == nil || !strings.Contains(v.Alert.Download, "datacenter-edition-6.7.1.") ||
		v.Alert.Guide != siteURL+"/editions/datacenter/install?cluster=yes&version=6.7.1" {
		t.Errorf("got %+v, %+v", v.Dialog, v.Alert)
	}
}

func TestVersionsOutsideOfTheCatalog(t *testing.T) {
	if v := open(t, "version=6.9"); v.Alert == nil || !strings.Contains(v.Chosen, "7.1") ||
		v.box("developer").Action != "" {
		t.Errorf("6.9: got %q, %+v", v.Chosen, v.Boxes)
	}
	if v := open(t, "version=6.6"); v.Empty == "" || len(v.Boxes) > 0 {
		t.Errorf("6.6: got %+v", v)
	}
	v := open(t, "version=7.9&edition=developer&serverId=4A6F8E2B-AWHW8w9JtzBzSrmf9GQX&ncloc=5")
	if len(v.Boxes) != 2 || !v.Links || v.Boxes[0].Key != "enterprise" {
		t.Fatalf("7.9: got %+v", v.Boxes)
	}
	u, err := url.Parse(v.Boxes[0].Link)
	if err != nil || u.Path != "/editions/enterprise" || u.Query().Get("sourceEdition") != "developer" ||
		u.Query().Get("ncloc") != "5" {
		t.Errorf("7.9: got %s, %v", v.Boxes[0].Link, err)
	}
}

// TestPastedKeyIsReadTwice: once as the dialog reads it, once as the license plugin does after the restart.
func TestPastedKeyIsReadTwice(t *testing.T) {
	issuer, c := licensetest.Issuer(t), source(t).Catalog
	e, _ := c.Edition("developer")
	now := time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)
	key, err := issuer.Issue(license.Key{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: "Acme AG",
		Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, Plugins: e.Plugins, MaxLoc: 500000,
		Expiration: license.DateOf(now.AddDate(0, 6, 0)), Issued: license.DateOf(now),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		query, text, title string
		accepted           bool
		reason             license.Code
	}{
		{"serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=5", key, "Install downloads 9 plugins", true, ""},
		{"serverId=BWHW8w9JtzBzSrmf9GQX", key, "Install downloads 9 plugins", false, license.WrongServer},
		{"serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=500001", key, "Install downloads 9 plugins", false, license.LocExceeded},
		{"", "hello", "This is not a license key", false, ""},
	} {
		q, err := url.ParseQuery("version=6.7.1&box=developer&" + test.query)
		if err != nil {
			t.Fatal(err)
		}
		v, err := WithKey(source(t), q, options, Key{Text: test.text, Keys: issuer.Keys, Now: now})
		if err != nil || v.Dialog == nil || v.Dialog.Verdict == nil || v.Dialog.Verdict.Title != test.title {
			t.Fatalf("%s: got %+v, %v", test.query, v.Dialog, err)
		}
		after := v.Dialog.Verdict.After
		if test.text == "hello" {
			if after != nil {
				t.Errorf("hello: got %+v", after)
			}
			continue
		}
		if after == nil || after.Accepted != test.accepted ||
			!test.accepted && (len(after.Reasons) != 1 || after.Reasons[0].Code != test.reason) {
			t.Errorf("%s: got %+v", test.query, after)
		}
		if b := v.Dialog.Verdict.Button.URL; strings.Contains(b, key) || follow(t, b).Alert == nil {
			t.Errorf("%s: the button leads to %s", test.query, b)
		}
	}
	_, err = WithKey(source(t), url.Values{"box": {"developer"}}, options, Key{Text: " \n"})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("empty: got %v", err)
	}
}

// TestBundleShowsTheDocumentThatServersRead: what is previewed is what is published.
func TestBundleShowsTheDocumentThatServersRead(t *testing.T) {
	s := source(t)
	b, err := prepare.Bundle(s.Catalog)
	if err != nil {
		t.Fatal(err)
	}
	from, err := FromBundle(b)
	if err != nil {
		t.Fatal(err)
	}
	if changes := Compare(s, from); len(changes) > 0 {
		t.Errorf("got %+v", changes)
	}
	b.Documents[0].Identity.Bytes = []byte("[]")
	if _, err := FromBundle(b); err == nil {
		t.Error("a document that no server reads is accepted")
	}
}

func TestComparisonSaysWhatServersWillRead(t *testing.T) {
	before, after := source(t), source(t)
	for i := range after.Catalog.Packages {
		p := &after.Catalog.Packages[i]
		if p.Edition == "developer" && p.Version == "6.7.4" {
			for j := range p.Jars {
				if p.Jars[j].Plugin == "cpp" {
					p.Jars[j].Release = "9.9"
				}
			}
		}
	}
	delete(after.Editions, "7.0")
	after.Editions["7.2"] = after.Editions["7.1"]
	for _, v := range []string{"6.7", "6.7.1"} {
		after.Editions[v] = slices.DeleteFunc(slices.Clone(after.Editions[v]),
			func(e marketplace.Entry) bool { return e.Key == "datacenter" })
	}
	var got []string
	for _, c := range Compare(before, after) {
		kind := ""
		switch {
		case c.New:
			kind = "new "
		case c.Gone:
			kind = "gone "
		}
		got = append(got, kind+strings.Join(c.Versions, "+")+" "+strings.Join(c.What, " "))
	}
	want := []string{
		"6.7+6.7.1 Data Center Edition: no longer offered.",
		"6.7.4 Developer Edition: plugin cpp is 9.9, was 5.1.",
		"gone 7.0 Community Edition, Data Center Edition, Developer Edition, Enterprise Edition",
		"new 7.2 Community Edition, Data Center Edition, Developer Edition, Enterprise Edition",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAnyAddressShowsAPage tries what a stranger may type: it never fails, and each link of the page opens again.
func TestAnyAddressShowsAPage(t *testing.T) {
	s := source(t)
	empty := Source{
		&catalog.Catalog{Versions: []catalog.ProductVersion{{Version: "6.7"}}}, marketplace.Document{"6.7": nil},
	}
	some := func(values ...string) *rapid.Generator[[]string] {
		return rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(values), rapid.String()), 0, 2)
	}
	rapid.Check(t, func(t *rapid.T) {
		q := url.Values{}
		for name, values := range map[string]*rapid.Generator[[]string]{
			"version": some("6.7", "6.7.1 (build 1)", "7.9", "6.6", "6.9"),
			"edition": some("community", "developer", "enterprise", "datacenter"),
			"with":    some("cluster", "offline"), "box": some("community", "developer", "enterprise", "datacenter"),
			"step": some("key", "saved", "downloading", "failed", "ready", "interrupted", "manual", "missing",
				"refused",
				"installed", "removing", "stuck", "removed"),
			"license": some("other", "damaged"), "serverId": some("AWHW8w9JtzBzSrmf9GQX"), "ncloc": some("5"),
		} {
			q[name] = values.Draw(t, name)
		}
		New(empty, q, options)
		v := New(s, q, options)
		if v.Empty == "" && len(v.Boxes) == 0 && !v.Links {
			t.Fatalf("%v: nothing is shown", q)
		}
		links := []string{v.Start}
		for _, b := range v.Boxes {
			if b.URL != "" {
				links = append(links, b.URL)
			}
		}
		if v.Alert != nil {
			for _, l := range v.Alert.Next {
				links = append(links, l.URL)
			}
		}
		if d := v.Dialog; d != nil {
			links = append(links, d.Cancel)
			if d.Verdict != nil && d.Verdict.Button.Text != "" {
				links = append(links, d.Verdict.Button.URL)
			}
		}
		for _, link := range links {
			u, err := url.Parse(link)
			if err != nil || u.Path != options.Path {
				t.Fatalf("%v: the link %q, %v", q, link, err)
			}
			if again := New(s, u.Query(), options); again.Version != v.Version && q.Get("version") != "" {
				t.Fatalf("%v: the link %q leads to version %q, want %q", q, link, again.Version, v.Version)
			}
		}
	})
}
