package packagestore_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/catalog/samplejar"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/fault"
)

var (
	cpp  = catalog.Jar{File: "sonar-cfamily-plugin-5.1.0.10083.jar", Plugin: "cpp", Release: "5.1"}
	lic  = catalog.Jar{File: "sonar-license-plugin-3.3.0.1341.jar", Plugin: "license", Release: "3.3"}
	name = "developer-edition-7.1-abcdefghijklmnopqrstuvwxyz.zip"
)

// bucket is an S3 bucket in memory, behind an HTTP server.
type bucket struct {
	t       *testing.T
	mu      sync.Mutex
	objects map[string][]byte // by bucket and key
	put     http.Header
	refuses bool // to store
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name := strings.TrimPrefix(r.URL.Path, "/"); {
	case r.Method == http.MethodPut && b.refuses:
		refuse(w, http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut:
		sum := sha256.Sum256(body)
		if got, want := r.Header.Get("X-Amz-Checksum-Sha256"), base64.StdEncoding.EncodeToString(sum[:]); got != want {
			b.t.Errorf("got the checksum %s of %d bytes, want %s", got, len(body), want)
		}
		b.put, b.objects[name] = r.Header, body
	case b.objects[name] == nil:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		_, _ = w.Write(b.objects[name])
	}
}

// refuse answers with an error as S3 does.
func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>No.</Message></Error>", code)
}

// api returns a client of the bucket.
func (b *bucket) api() *packagestore.S3 {
	server := httptest.NewServer(b)
	b.t.Cleanup(server.Close)
	return packagestore.NewS3(awsConfig(server.URL, server.Client()))
}

// awsConfig returns the configuration of a client. An empty endpoint means AWS's own address.
func awsConfig(endpoint string, client aws.HTTPClient) aws.Config {
	c := aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "token"),
		HTTPClient: client,
	}
	if endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	return c
}

// bucketWith returns a bucket with jars.
func bucketWith(t *testing.T, jars ...catalog.Jar) *bucket {
	t.Helper()
	b, folder := &bucket{t: t, objects: map[string][]byte{}}, t.TempDir()
	if err := samplejar.Write(folder, jars); err != nil {
		t.Fatal(err)
	}
	for _, j := range jars {
		content, err := os.ReadFile(filepath.Join(folder, j.File))
		if err != nil {
			t.Fatal(err)
		}
		b.objects["packages/jars/"+j.File] = content
	}
	return b
}

func TestPackageIsBuiltFromTheJarsInTheBucket(t *testing.T) {
	b, temp := bucketWith(t, cpp, lic), t.TempDir()
	store := packagestore.Bucket{API: b.api(), Name: "packages", Temp: temp}
	if err := store.MakePackage(t.Context(), name, []catalog.Jar{cpp, lic}); err != nil {
		t.Fatal(err)
	}
	content := b.objects["packages/tailored/"+name]
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(z.File) != 2 || z.File[0].Name != cpp.File {
		t.Errorf("the package holds %v, %v", z.File, err)
	}
	for header, want := range map[string]string{
		"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="` + name + `"`,
		"Cache-Control": "private, max-age=86400",
	} {
		if got := b.put.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	if left, err := filepath.Glob(temp + "/*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestIncompletePackageIsNotStored(t *testing.T) {
	swapped := bucketWith(t, cpp, lic)
	swapped.objects["packages/jars/"+cpp.File] = swapped.objects["packages/jars/"+lic.File]
	refusing := bucketWith(t, cpp, lic)
	refusing.refuses = true
	for what, test := range map[string]struct {
		bucket *bucket
		name   string
	}{
		"missing jar":                 {bucketWith(t, lic), name},
		"jar of another plugin":       {swapped, name},
		"bucket that refuses":         {refusing, name},
		"name outside of its folder":  {bucketWith(t, cpp, lic), "../" + name},
		"name without a secret token": {bucketWith(t, cpp, lic), "developer-edition-7.1.zip"},
	} {
		temp := t.TempDir()
		store := packagestore.Bucket{API: test.bucket.api(), Name: "packages", Temp: temp}
		if err := store.MakePackage(t.Context(), test.name, []catalog.Jar{cpp, lic}); err == nil {
			t.Errorf("%s: got no error", what)
		}
		for key := range test.bucket.objects {
			if strings.HasPrefix(key, "packages/tailored/") {
				t.Errorf("%s: %s was stored", what, key)
			}
		}
		if left, err := filepath.Glob(temp + "/*"); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", what, left, err)
		}
	}
}

func TestPreviewIsReadFromTheBucket(t *testing.T) {
	made := &bundle.Bundle{SiteURL: "https://licenses.example.com"}
	b := bucketWith(t)
	store := packagestore.Bucket{API: b.api(), Name: "packages", Temp: t.TempDir()}
	if got, err := store.Preview(t.Context()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("without a preview: got %v, %v", got, err)
	}
	b.objects["packages/"+packagestore.PreviewKey] = made.Encode()
	if got, err := store.Preview(t.Context()); err != nil || got.SiteURL != made.SiteURL {
		t.Errorf("got %+v, %v", got, err)
	}
	b.objects["packages/"+packagestore.PreviewKey] = []byte("<!doctype html>")
	if got, err := store.Preview(t.Context()); err == nil || fault.KindOf(err) == fault.NotFound {
		t.Errorf("no bundle: got %v, %v", got, err)
	}
	b.objects["packages/"+packagestore.PreviewKey] = make([]byte, 9<<20)
	if got, err := store.Preview(t.Context()); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("too large: got %v, %v", got, err)
	}
	if left, err := filepath.Glob(store.Temp + "/*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// S3 says AccessDenied of a missing object to those who may not list the bucket, such as the console.
func TestHiddenPreviewIsMissing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "AccessDenied")
	}))
	t.Cleanup(server.Close)
	store := packagestore.Bucket{API: packagestore.NewS3(awsConfig(server.URL, server.Client())), Name: "packages"}
	if got, err := store.Preview(t.Context()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v, %v", got, err)
	}
}
