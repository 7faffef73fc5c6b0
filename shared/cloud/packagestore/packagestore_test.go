package packagestore_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"marketplace/catalog"
	"marketplace/catalog/samplejar"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/cloud/signed/signedtest"
)

var (
	cpp  = catalog.Jar{File: "sonar-cfamily-plugin-5.1.0.10083.jar", Plugin: "cpp", Release: "5.1"}
	lic  = catalog.Jar{File: "sonar-license-plugin-3.3.0.1341.jar", Plugin: "license", Release: "3.3"}
	name = "developer-edition-7.1-abcdefghijklmnopqrstuvwxyz.zip"
)

// bucket is an S3 bucket in memory, which answers requests as S3 does.
type bucket struct {
	t       *testing.T
	mu      sync.Mutex
	objects map[string][]byte // by bucket and key
	put     http.Header
	refuses bool // to store
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := signedtest.Verify(r, "s3", signedtest.Keys)
	if err != nil {
		b.t.Error(err)
	}
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>No.</Message></Error>", code)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name := strings.TrimPrefix(r.URL.Path, "/"); {
	case r.Method == http.MethodPut && b.refuses:
		refuse(http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut:
		if r.ContentLength != int64(len(body)) {
			b.t.Errorf("%d bytes came with the length %d", len(body), r.ContentLength)
		}
		b.put, b.objects[name] = r.Header, body
	case b.objects[name] == nil:
		refuse(http.StatusNotFound, "NoSuchKey")
	default:
		_, _ = w.Write(b.objects[name])
	}
}

// api is a client of the bucket.
func (b *bucket) api() *packagestore.S3 {
	server := httptest.NewServer(b)
	b.t.Cleanup(server.Close)
	return packagestore.NewS3(signedtest.Config(server.URL, server.Client()), signedtest.Now)
}

// stocked is a bucket with jars.
func stocked(t *testing.T, jars ...catalog.Jar) *bucket {
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

func TestAPackageOfTheJarsInTheBucketIsPutThere(t *testing.T) {
	b, temp := stocked(t, cpp, lic), t.TempDir()
	if err := (packagestore.Bucket{API: b.api(), Name: "packages", Temp: temp}).Tailor(t.Context(), name, []catalog.Jar{cpp, lic}); err != nil {
		t.Fatal(err)
	}
	content := b.objects["packages/tailored/"+name]
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(z.File) != 2 || z.File[0].Name != cpp.File {
		t.Errorf("it holds %v, %v", z.File, err)
	}
	if b.put.Get("Content-Type") != "application/zip" || b.put.Get("Content-Disposition") != `attachment; filename="`+name+`"` || b.put.Get("Cache-Control") != "private, max-age=86400" {
		t.Errorf("put as %+v", b.put)
	}
	if left, err := filepath.Glob(temp + "/*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAPackageThatCannotBeMadeIsNotPut(t *testing.T) {
	swapped := stocked(t, cpp, lic)
	swapped.objects["packages/jars/"+cpp.File] = swapped.objects["packages/jars/"+lic.File]
	refusing := stocked(t, cpp, lic)
	refusing.refuses = true
	for what, test := range map[string]struct {
		bucket *bucket
		name   string
	}{
		"a jar is missing":                  {stocked(t, lic), name},
		"a jar is another plugin's":         {swapped, name},
		"the bucket refuses":                {refusing, name},
		"the name leads out of its folder":  {stocked(t, cpp, lic), "../" + name},
		"the name could be guessed by many": {stocked(t, cpp, lic), "developer-edition-7.1.zip"},
	} {
		temp := t.TempDir()
		if err := (packagestore.Bucket{API: test.bucket.api(), Name: "packages", Temp: temp}).Tailor(t.Context(), test.name, []catalog.Jar{cpp, lic}); err == nil {
			t.Errorf("%s: it was made", what)
		}
		for key := range test.bucket.objects {
			if strings.HasPrefix(key, "packages/tailored/") {
				t.Errorf("%s: there is %s", what, key)
			}
		}
		if left, err := filepath.Glob(temp + "/*"); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", what, left, err)
		}
	}
}
