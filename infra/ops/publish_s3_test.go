package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/txtar"

	"marketplace/catalog/bundle"
	"marketplace/shared/cloud/packagestore"
)

// memory is a bucket in memory. Its fault is asked before and after each call.
type memory struct {
	objects map[string]packagestore.Object
	content map[string][]byte
	calls   int
	fault   func(call int, operation, key string, applied bool) error
	noSums  bool // as if another tool had stored everything
}

func newMemory() *memory {
	return &memory{objects: map[string]packagestore.Object{}, content: map[string][]byte{}}
}

func (m *memory) fails(operation, key string, applied bool) error {
	if !applied {
		m.calls++
	}
	if m.fault == nil {
		return nil
	}
	return m.fault(m.calls, operation, key, applied)
}

func etagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (m *memory) Read(_ context.Context, bucket, key string) ([]byte, packagestore.Info, error) {
	info, err := m.stat("Read", bucket, key)
	return m.content[bucket+"/"+key], info, err
}

func (m *memory) Stat(_ context.Context, bucket, key string) (packagestore.Info, error) {
	return m.stat("Stat", bucket, key)
}

func (m *memory) stat(operation, bucket, key string) (packagestore.Info, error) {
	if err := m.fails(operation, key, false); err != nil {
		return packagestore.Info{}, err
	}
	content, ok := m.content[bucket+"/"+key]
	if !ok {
		return packagestore.Info{}, packagestore.ErrMissing
	}
	o := m.objects[bucket+"/"+key]
	info := packagestore.Info{ETag: etagOf(content), Size: o.Size, SHA256: o.SHA256, Metadata: o.Metadata}
	if m.noSums {
		info.SHA256 = ""
	}
	return info, nil
}

func (m *memory) GetObject(_ context.Context, bucket, key string, file *os.File) error {
	if err := m.fails("GetObject", key, false); err != nil {
		return err
	}
	_, err := file.Write(m.content[bucket+"/"+key])
	return err
}

func (m *memory) PutObject(_ context.Context, bucket, key string, o packagestore.Object) error {
	if err := m.fails("PutObject", key, false); err != nil {
		return err
	}
	content, exists := m.content[bucket+"/"+key]
	if o.IfNew && exists || o.IfMatch != "" && (!exists || etagOf(content) != o.IfMatch) {
		return packagestore.ErrChanged
	}
	content, err := io.ReadAll(io.NewSectionReader(o.Content, 0, o.Size))
	if err != nil {
		return err
	}
	m.objects[bucket+"/"+key], m.content[bucket+"/"+key] = o, content
	return m.fails("PutObject", key, true)
}

// publisher publishes the metadata of testdata/publish.txt with its jars.
type publisher struct {
	t        *testing.T
	metadata string
	jars     string
	api      objects
	bucket   string
}

const publishedSite = "https://licenses.example.com"

func newPublisher(t *testing.T, api objects) *publisher {
	t.Helper()
	p := &publisher{t: t, metadata: t.TempDir(), jars: t.TempDir(), api: api, bucket: "packages"}
	archive, err := txtar.ParseFile("testdata/publish.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "meta/"); ok {
			if err := os.WriteFile(filepath.Join(p.metadata, name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writeSampleJars(p.metadata, p.jars); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *publisher) destination() destination { return destination{p.api, p.bucket, "a/"} }

func (p *publisher) publish(number string, more ...string) (string, error) {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	in := newInput("publish", publishUsage)
	args := append([]string{"-metadata", p.metadata, "-site-url", publishedSite, "-build", number, "-jars", p.jars,
		"-to", "s3://packages/a", "-error-page", "../unavailable.html"}, more...)
	if status, ok := in.parse(args, &stdout, &stderr); !ok {
		p.t.Fatalf("status %d: %s", status, &stderr)
	}
	in.now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	made, err := in.catalog()
	if err == nil {
		err = in.publishIn(context.Background(), p.destination(), made, &stdout)
	}
	return stdout.String(), err
}

// live returns the live catalog, all of whose packages have to be in the bucket.
func (m *memory) live(t *testing.T) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Decode(m.content["packages/a/"+liveKey])
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Packages {
		if sum := sha256.Sum256(m.content["packages/a/"+p.File]); hex.EncodeToString(sum[:]) != p.SHA256 {
			t.Fatalf("the live catalog names %s, whose content is not in the bucket", p.File)
		}
	}
	return b
}

// has reports whether a catalog names packages of a build.
func has(b *bundle.Bundle, number string) bool {
	d, _ := b.Document(bundle.EditionsPath, "")
	return strings.Contains(string(d.Identity.Bytes), "."+number+".zip")
}

func TestPublishedObjectsHaveTheirHeaders(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	out, err := p.publish("1042")
	if err != nil || !strings.Contains(out, "live:   build 20261130T120000Z-1042-") ||
		!strings.Contains(out, "before: none") {
		t.Fatalf("got %q, %v", out, err)
	}
	if !has(m.live(t), "1042") {
		t.Error("the live catalog is another one")
	}
	var packages, jars int
	for key, o := range m.objects {
		got := fmt.Sprintf("%s|%s|%s", o.ContentType, o.ContentDisposition, o.CacheControl)
		want := "application/zip|attachment|public, max-age=31536000, immutable"
		switch {
		case strings.HasSuffix(key, ".zip"):
			packages++
		case strings.HasPrefix(key, "packages/a/jars/"):
			jars, want = jars+1, "application/java-archive||"
		case strings.HasPrefix(key, "packages/a/catalog/"):
			want = "application/octet-stream||public, max-age=60"
		case key == "packages/a/errors/unavailable.html":
			want = "text/html; charset=utf-8||public, max-age=300"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	if packages < 3 || jars < 2 || len(m.objects) != packages+jars+3 {
		t.Errorf("got %d packages, %d jars and %d objects", packages, jars, len(m.objects))
	}
}

func TestPublishingAgainChangesNothing(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	if _, err := p.publish("1042"); err != nil {
		t.Fatal(err)
	}
	for _, noSums := range []bool{false, true} {
		m.noSums = noSums
		m.fault = func(_ int, operation, key string, _ bool) error {
			if operation == "PutObject" {
				t.Errorf("stored %s again", key)
			}
			return nil
		}
		if out, err := p.publish("1042"); err != nil || !strings.HasPrefix(out, "this catalog is live already") {
			t.Errorf("got %q, %v", out, err)
		}
	}
}

func TestCatalogIsWholeWhateverFails(t *testing.T) {
	lost := errors.New("connection lost")
	p := newPublisher(t, nil)
	for _, applied := range []bool{false, true} { // the call or only its answer is lost
		for call := 1; ; call++ {
			m := newMemory()
			p.api = m
			if _, err := p.publish("1042"); err != nil {
				t.Fatal(err)
			}
			m.calls = 0
			m.fault = func(n int, operation, _ string, after bool) error {
				if n == call && after == applied && (operation == "PutObject" || !after) {
					return lost
				}
				return nil
			}
			_, err := p.publish("1043")
			if m.calls < call {
				break // all calls have failed once
			}
			m.fault = nil
			b := m.live(t)
			if err == nil != has(b, "1043") {
				t.Errorf("call %d: reported %v, and the new catalog is live: %t", call, err, has(b, "1043"))
			}
			if _, err := p.publish("1043"); err != nil || !has(m.live(t), "1043") {
				t.Errorf("call %d: publishing again: %v", call, err)
			}
		}
	}
}

func TestTwoPublishersNeverMix(t *testing.T) {
	for name, first := range map[string]bool{"first catalog": true, "later catalog": false} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			p := newPublisher(t, m)
			if !first {
				if _, err := p.publish("1042"); err != nil {
					t.Fatal(err)
				}
			}
			// The other one publishes just before the last step of this one.
			m.fault = func(_ int, operation, key string, after bool) error {
				if operation == "PutObject" && key == "a/"+liveKey && !after {
					m.fault = nil
					if _, err := p.publish("1044"); err != nil {
						t.Error(err)
					}
				}
				return nil
			}
			_, err := p.publish("1043")
			if err == nil || !strings.Contains(err.Error(), "somebody else made build 20261130T120000Z-1044-") {
				t.Errorf("got %v", err)
			}
			if b := m.live(t); !has(b, "1044") || has(b, "1043") {
				t.Error("the catalog of the faster one is not live")
			}
			if _, err := p.publish("1043"); err != nil || !has(m.live(t), "1043") {
				t.Errorf("publishing again: %v", err)
			}
		})
	}
}

func TestPublishedPackageNeverChanges(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	if _, err := p.publish("1042"); err != nil {
		t.Fatal(err)
	}
	for key := range m.objects {
		if !strings.HasSuffix(key, ".zip") {
			continue
		}
		o := m.objects[key]
		o.SHA256 = strings.Repeat("0", 64)
		m.objects[key] = o
	}
	if _, err := p.publish("1042"); err == nil || !strings.Contains(err.Error(), "use another build number") {
		t.Errorf("got %v", err)
	}
}

func TestPreviousBundleMustBeForTheSite(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	other := &bundle.Bundle{SiteURL: "https://old.example.com"}
	m.content["packages/a/"+liveKey] = other.Encode()
	_, err := p.publish("1042")
	const want = "the live catalog: it is for the site https://old.example.com, not for " + publishedSite
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	if _, err := p.publish("1042", "-previous", "x.bin"); err == nil ||
		!strings.Contains(err.Error(), "leave out -previous") {
		t.Errorf("got %v", err)
	}
}

func rollback(p *publisher, name string, show bool) (string, error) {
	var out, stderr bytes.Buffer
	err := p.destination().rollBack(context.Background(), name, show, &out, &stderr)
	return out.String() + stderr.String(), err
}

func TestRollbackReturnsToTheBuildBefore(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	if _, err := rollback(p, "", false); err == nil || !strings.Contains(err.Error(), "no catalog is published") {
		t.Errorf("an empty bucket: got %v", err)
	}
	for _, number := range []string{"1042", "1043", "1044"} {
		if _, err := p.publish(number); err != nil {
			t.Fatal(err)
		}
	}
	newest := m.objects["packages/a/"+liveKey].Metadata[buildNote]
	if out, err := rollback(p, "", true); err != nil || !strings.Contains(out, "-1044-") || !has(m.live(t), "1044") {
		t.Errorf("-show: got %q, %v", out, err)
	}
	for _, number := range []string{"1043", "1042"} {
		out, err := rollback(p, "", false)
		if err != nil || !strings.Contains(out, "live:   build 20261130T120000Z-"+number) {
			t.Errorf("got %q, %v", out, err)
		}
		b := m.live(t)
		if !has(b, number) || !strings.Contains(fmt.Sprint(b.Packages), ".1044.zip") {
			t.Errorf("after going back to %s: another catalog, or without the packages left behind", number)
		}
	}
	if _, err := rollback(p, "", false); err == nil || !strings.Contains(err.Error(), "no build before") {
		t.Errorf("got %v", err)
	}
	if _, err := rollback(p, "none", false); err == nil || !strings.Contains(err.Error(), "there is no build none") {
		t.Errorf("got %v", err)
	}
	if _, err := rollback(p, newest, false); err != nil || !has(m.live(t), "1044") {
		t.Errorf("forward: got %v", err)
	}
	if _, err := rollback(p, newest, false); err == nil || !strings.Contains(err.Error(), "live already") {
		t.Errorf("got %v", err)
	}
	if _, err := p.publish("1045"); err != nil || !strings.Contains(fmt.Sprint(m.live(t).Packages), ".1043.zip") {
		t.Errorf("publishing after a rollback lost packages: %v", err)
	}
}

// TestRollbackFromWhatAnotherToolPublished: an uploaded bundle has no name, and a damaged one is no reason to stay.
func TestRollbackFromWhatAnotherToolPublished(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	if _, err := p.publish("1042"); err != nil {
		t.Fatal(err)
	}
	name := m.objects["packages/a/"+liveKey].Metadata[buildNote]
	m.objects["packages/a/"+liveKey] = packagestore.Object{}
	if _, err := p.publish("1043"); err != nil {
		t.Fatal(err)
	}
	if out, err := rollback(p, "", false); err != nil || !strings.Contains(out, "live:   build earlier-unnamed-") {
		t.Errorf("got %q, %v", out, err)
	}
	m.content["packages/a/"+liveKey] = []byte("damaged")
	out, err := rollback(p, name, false)
	if err != nil || !strings.Contains(out, "warning:") || !has(m.live(t), "1042") {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestAddressOfABucketIsRead(t *testing.T) {
	for address, want := range map[string]string{
		"s3://b": "b ", "s3://b/": "b ", "s3://b/a": "b a/", "s3://b/a/c/": "b a/c/",
		"b": "", "s3://": "", "s3:///a": "", "https://b": "", "s3://b/a//c": "",
	} {
		p, err := parseDestination(address)
		got := p.bucket + " " + p.prefix
		if err == nil != (want != "") || err == nil && got != want {
			t.Errorf("%s: got %q, %v, want %q", address, got, err, want)
		}
	}
}

func TestParametersOfTheDeploymentAreChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "samconfig.toml")
	if err := checkSamconfig(file, publishedSite); err != nil {
		t.Errorf("without a file: %v", err)
	}
	for text, ok := range map[string]bool{
		"  SiteUrl=" + publishedSite + " \\":                                true,
		`parameter_overrides = "Stage=a SiteUrl=\"` + publishedSite + `\""`: true,
		"# SiteUrl=https://old.example.com\nSiteUrl=" + publishedSite:       true,
		"SiteUrl=https://test.example.com\n[b]\nSiteUrl=" + publishedSite:   true,
		"Stage=production":                       true,
		"SiteUrl=https://old.example.com \\":     false,
		"SiteUrl=" + publishedSite + "/a":        false,
		`"SiteUrl=https://licenses.example.org"`: false,

		"BrandColor=#0b5a87 \\\n  SiteUrl=" + publishedSite + " \\":                true,
		`OfficeHours="Mon-Thu 09:00-17:00,Fri 09:00-15:00" TimeZone=Europe/Zurich`: true,
		"LicenseKeys= \\\n  MailFromName=\"Editions, Licenses\" \\":                true,
		"BrandColor=#f0f0f0":                              false, // too light to read
		"TimeZone=Europe/Berne":                           false,
		`parameter_overrides = "OfficeHours=\"Mon-Fri\""`: false,
		"#BrandColor=#f0f0f0":                             true,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkSamconfig(file, publishedSite+"/"); (err == nil) != ok {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// TestPublishingToMoto publishes to and rolls back in moto's S3, an independent implementation.
func TestPublishingToMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no S3 to publish to (infra/engines/with-moto.sh starts one)")
	}
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	p := newPublisher(t, packagestore.NewS3(config))
	p.bucket = fmt.Sprint("publish-", time.Now().UnixNano())
	client := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &p.bucket}); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{"1042", "1043", "1043"} {
		if out, err := p.publish(number); err != nil {
			t.Fatalf("%s: %s%v", number, out, err)
		}
	}
	live, err := p.destination().live(t.Context())
	if err != nil || !strings.Contains(live.name, "-1043-") || !strings.Contains(live.before, "-1042-") {
		t.Fatalf("got %s after %s, %v", live.name, live.before, err)
	}
	if err := p.destination().replaceLive(t.Context(), build{name: "x", file: live.file}, `"0"`); err == nil ||
		!strings.Contains(err.Error(), "somebody else made build "+live.name) {
		t.Errorf("a stale ETag: got %v", err)
	}
	if out, err := rollback(p, "", false); err != nil || !strings.Contains(out, "live:   build "+live.before) {
		t.Errorf("got %q, %v", out, err)
	}
}
