package builtin_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
)

// TestCommittedBundleIsMadeFromData compares what is said, not how it is compressed: that may differ between versions
// of Go.
func TestCommittedBundleIsMadeFromData(t *testing.T) {
	got, err := builtin.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := catalog.Read(data.Files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := metadata.Catalog(catalog.Options{SiteURL: got.SiteURL, Build: data.Build})
	if err != nil {
		t.Fatal(err)
	}
	if err := prepare.SamplePackages(c, ""); err != nil {
		t.Fatal(err)
	}
	want, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	const stale = "bundle.bin is not what catalog/data gives: run go generate ./catalog/builtin"
	if !reflect.DeepEqual(got.Packages, want.Packages) || len(got.Documents) != len(want.Documents) {
		t.Fatal(stale)
	}
	for i, d := range got.Documents {
		w := want.Documents[i]
		if d.Path != w.Path || d.Query != w.Query || d.ContentType != w.ContentType ||
			!reflect.DeepEqual(d.Identity, w.Identity) {
			t.Errorf("%s?%s: %s", d.Path, d.Query, stale)
		}
		checkCodings(t, d)
	}
}

func checkCodings(t *testing.T, d bundle.Document) {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(d.Gzip.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	for coding, r := range map[string]io.Reader{"gzip": gz, "br": brotli.NewReader(bytes.NewReader(d.Brotli.Bytes))} {
		if content, err := io.ReadAll(r); err != nil || !bytes.Equal(content, d.Identity.Bytes) {
			t.Errorf("%s?%s: %s does not give the document back: %v", d.Path, d.Query, coding, err)
		}
	}
	if d.Identity.ETag == d.Gzip.ETag || d.Gzip.ETag == d.Brotli.ETag || d.Identity.ETag == d.Brotli.ETag {
		t.Errorf("%s?%s: two codings share an entity tag", d.Path, d.Query)
	}
}

func BenchmarkBundle(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := builtin.Bundle(); err != nil {
			b.Fatal(err)
		}
	}
}
