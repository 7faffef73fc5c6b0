package prepare_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
)

func sample(t testing.TB) *catalog.Catalog {
	t.Helper()
	m, err := catalog.Read(data.Files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: data.Build})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSameCatalogGivesTheSameBundle(t *testing.T) {
	var encoded [2][]byte
	for i := range encoded {
		c := sample(t)
		if err := prepare.SamplePackages(c, ""); err != nil {
			t.Fatal(err)
		}
		b, err := prepare.Bundle(c)
		if err != nil {
			t.Fatal(err)
		}
		encoded[i] = b.Encode()
	}
	if !bytes.Equal(encoded[0], encoded[1]) {
		t.Error("two bundles differ")
	}
}

func TestBundleHasEveryDocument(t *testing.T) {
	c := sample(t)
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, d := range b.Documents {
		got[d.Path+"?"+d.Query] = string(d.Identity.Bytes)
		if len(d.Brotli.Bytes) >= len(d.Identity.Bytes) || len(d.Gzip.Bytes) >= len(d.Identity.Bytes) {
			t.Errorf("%s?%s is not smaller when compressed", d.Path, d.Query)
		}
	}
	if len(got) != 3+len(c.Versions) {
		t.Errorf("%d documents", len(got))
	}
	newest, _ := c.PackagesJSON("7.1")
	lts, _ := c.PackagesJSON("6.7.4")
	for key, want := range map[string][]byte{
		"/editions.json?": c.EditionsJSON(), "/catalog.json?": c.JSON(),
		"/packages.json?": newest, "/packages.json?version=7.1": newest, "/packages.json?version=6.7.4": lts,
	} {
		if got[key] != string(want) {
			t.Errorf("%s is %.80s…", key, got[key])
		}
	}
}

func TestSamplePackagesAreBuiltAndMeasured(t *testing.T) {
	c, out := sample(t), t.TempDir()
	if err := prepare.SamplePackages(c, out); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Packages {
		info, err := os.Stat(filepath.Join(out, p.File))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != p.Size || len(p.SHA256) != 64 {
			t.Errorf("%s: got %d bytes, noted %d, sum %s", p.File, info.Size(), p.Size, p.SHA256)
		}
	}
}

func TestWithdrawnPackagesAreNotBuilt(t *testing.T) {
	files := make(fstest.MapFS)
	entries, err := data.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := data.Files.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = &fstest.MapFile{Data: content}
	}
	const file = "developer-edition-7.0.0." + data.Build + ".zip"
	files["withdrawn.properties"] = &fstest.MapFile{Data: []byte(file + "=It held a wrong jar.")}
	m, err := catalog.Read(files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: data.Build})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := prepare.SamplePackages(c, out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, file)); err == nil {
		t.Error("it was built")
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Packages {
		if (p.Withdrawn != "") != (p.File == file) || (p.SHA256 == "") != (p.File == file) {
			t.Errorf("in the bundle: got %+v", p)
		}
	}
}

func TestMissingJarNamesThePackageAndTheJar(t *testing.T) {
	err := prepare.Packages(sample(t), t.TempDir(), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), ".zip") ||
		!strings.Contains(err.Error(), "sonar-license-plugin-3.3.0.1341.jar") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkBundle(b *testing.B) {
	c := sample(b)
	for b.Loop() {
		if _, err := prepare.Bundle(c); err != nil {
			b.Fatal(err)
		}
	}
}
