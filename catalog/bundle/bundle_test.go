package bundle_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"marketplace/catalog/bundle"
)

// sample is a bundle of about the size of the published one.
func sample() *bundle.Bundle {
	b := &bundle.Bundle{SiteURL: "https://editions.example.com"}
	for i := range 12 {
		body := func(coding string, size int) bundle.Body {
			return bundle.Body{Bytes: bytes.Repeat([]byte{byte('a' + i)}, size),
				ETag: fmt.Sprintf(`"%d-%s"`, i, coding)}
		}
		b.Documents = append(b.Documents, bundle.Document{
			Path: "/packages.json", Query: fmt.Sprintf("version=6.%d", i), ContentType: "application/json",
			Identity: body("identity", 6000), Gzip: body("gzip", 900), Brotli: body("br", 700),
		})
	}
	for i := range 24 {
		b.Packages = append(b.Packages, bundle.Package{
			File:    fmt.Sprintf("developer-edition-6.7.%d.717.zip", i),
			Edition: "developer", Version: fmt.Sprintf("6.7.%d", i),
			Size: int64(i) << 30, SHA256: strings.Repeat("0f", 32), Withdrawn: strings.Repeat("broken ", i%2),
		})
	}
	return b
}

func TestBundleReadsBackEqual(t *testing.T) {
	for name, b := range map[string]*bundle.Bundle{
		"sample": sample(),
		"empty":  {Documents: []bundle.Document{}, Packages: []bundle.Package{}},
		"empty body": {Documents: []bundle.Document{{Path: "/", Identity: bundle.Body{Bytes: []byte{}}, Gzip: bundle.Body{Bytes: []byte{}},
			Brotli: bundle.Body{Bytes: []byte{}}}}, Packages: []bundle.Package{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bundle.Decode(b.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, b) {
				t.Errorf("got %+v\nwant %+v", got, b)
			}
			if !bytes.Equal(got.Encode(), b.Encode()) {
				t.Error("encoding it again gives other bytes")
			}
		})
	}
}

func TestTruncatedBundleIsRefused(t *testing.T) {
	data := sample().Encode()
	for n := 0; n < len(data); n += 1 + n/50 {
		if _, err := bundle.Decode(data[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: accepted", n, len(data))
		}
	}
	if _, err := bundle.Decode(append(data, 0)); err == nil {
		t.Error("one byte too many: accepted")
	}
}

func TestBundleWithFlippedBitIsRefused(t *testing.T) {
	data := sample().Encode()
	for i := 0; i < len(data); i += 1 + i/100 {
		data[i] ^= 1 << (i % 8)
		if _, err := bundle.Decode(data); err == nil {
			t.Fatalf("bit %d of byte %d flipped: accepted", i%8, i)
		}
		data[i] ^= 1 << (i % 8)
	}
}

func TestBodiesAreSlicesOfTheFile(t *testing.T) {
	data := sample().Encode()
	got, err := bundle.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] = '!'
	last := got.Documents[len(got.Documents)-1].Brotli.Bytes
	if last[len(last)-1] != '!' {
		t.Error("the body was copied")
	}
	if cap(got.Documents[0].Identity.Bytes) != len(got.Documents[0].Identity.Bytes) {
		t.Error("appending to a body would overwrite the next")
	}
}

func TestDocumentsAreFoundByPathAndQuery(t *testing.T) {
	b := sample()
	if d, ok := b.Document("/packages.json", "version=6.3"); !ok || d != &b.Documents[3] {
		t.Errorf("found %v, %t", d, ok)
	}
	for _, missing := range [][2]string{{"/packages.json", ""}, {"/packages.json", "version=6"}, {"/", "version=6.3"}} {
		if d, ok := b.Document(missing[0], missing[1]); ok {
			t.Errorf("%q: found %v", missing, d)
		}
	}
}

func TestCompleteBundleHasADocumentAtEachPath(t *testing.T) {
	paths := []string{bundle.EditionsPath, bundle.PackagesPath, bundle.CatalogPath}
	for missing := range len(paths) + 1 {
		b := &bundle.Bundle{}
		for i, path := range paths {
			if i != missing {
				b.Documents = append(b.Documents, bundle.Document{Path: path})
			}
		}
		err := b.Complete()
		if missing == len(paths) {
			if err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), paths[missing]) {
			t.Errorf("without %s: got %v", paths[missing], err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	data := sample().Encode()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bundle.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
