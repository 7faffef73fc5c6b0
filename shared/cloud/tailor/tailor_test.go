package tailor_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"marketplace/catalog"
	"marketplace/catalog/samplejar"
	"marketplace/shared/cloud/tailor"
)

var (
	cpp  = catalog.Jar{File: "sonar-cfamily-plugin-5.1.0.10083.jar", Plugin: "cpp", Release: "5.1"}
	lic  = catalog.Jar{File: "sonar-license-plugin-3.3.0.1341.jar", Plugin: "license", Release: "3.3"}
	name = "developer-edition-7.1-abcdefghijklmnopqrstuvwxyz.zip"
)

// bucket is an S3 bucket in memory.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	put     *s3.PutObjectInput
	err     error // of PutObject
}

func (b *bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	content, ok := b.objects[*in.Bucket+"/"+*in.Key]
	if !ok {
		return nil, &types.NoSuchKey{}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(content))}, nil
}

func (b *bucket) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	content, err := io.ReadAll(in.Body)
	b.put, b.objects[*in.Bucket+"/"+*in.Key] = in, content
	return &s3.PutObjectOutput{}, err
}

// stocked is a bucket with jars.
func stocked(t *testing.T, jars ...catalog.Jar) *bucket {
	t.Helper()
	b, folder := &bucket{objects: map[string][]byte{}}, t.TempDir()
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
	if err := (tailor.Bucket{API: b, Name: "packages", Temp: temp}).Tailor(t.Context(), name, []catalog.Jar{cpp, lic}); err != nil {
		t.Fatal(err)
	}
	content := b.objects["packages/tailored/"+name]
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(z.File) != 2 || z.File[0].Name != cpp.File {
		t.Errorf("it holds %v, %v", z.File, err)
	}
	if *b.put.ContentType != "application/zip" || !strings.Contains(*b.put.ContentDisposition, name) {
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
	refusing.err = errors.New("access denied")
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
		if err := (tailor.Bucket{API: test.bucket, Name: "packages", Temp: temp}).Tailor(t.Context(), test.name, []catalog.Jar{cpp, lic}); err == nil {
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
