package packagestore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/cloud/signed"
	"marketplace/shared/cloud/signed/signedtest"
)

// s3 is a client of a function, at AWS's own addresses.
func s3(do signedtest.Do) *packagestore.S3 {
	return packagestore.NewS3(signedtest.Config("", do), signedtest.Now)
}

func object(content string) packagestore.Object {
	hash := sha256.Sum256([]byte(content))
	return packagestore.Object{
		Content: strings.NewReader(content), Size: int64(len(content)), SHA256: hex.EncodeToString(hash[:]),
		ContentType: "application/zip", ContentDisposition: "attachment", CacheControl: "private",
	}
}

func temporary(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestAnObjectIsFoundBelowItsBucket(t *testing.T) {
	for bucket, want := range map[string]string{
		"packages":             "https://packages.s3.us-east-1.amazonaws.com/jars/a.jar",
		"packages.example.com": "https://s3.us-east-1.amazonaws.com/packages.example.com/jars/a.jar",
	} {
		api := s3(func(r *http.Request) (*http.Response, error) {
			if _, err := signedtest.Verify(r, "s3", signedtest.Keys); err != nil {
				t.Error(err)
			}
			if r.URL.String() != want {
				t.Errorf("%s: asked %s", bucket, r.URL)
			}
			return signedtest.Answer(200, ""), nil
		})
		if err := api.GetObject(t.Context(), bucket, "jars/a.jar", temporary(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestAnyKeyComesBackAsItWasPut(t *testing.T) {
	b := &bucket{t: t, objects: map[string][]byte{}}
	api := b.api()
	for _, key := range []string{"a", "a b+c", "50%25/%2e%2e/x", "what?x=1&y", "a#b", "ünï/漢字", "line\r\nX-Evil: 1", "\xff\x00", "...", "a;b,c:d@e=f$'(!)*~"} {
		if err := api.PutObject(t.Context(), "packages", key, object("content of "+key)); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if string(b.objects["packages/"+key]) != "content of "+key {
			t.Errorf("%q is not there", key)
		}
		file := temporary(t)
		if err := api.GetObject(t.Context(), "packages", key, file); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "content of "+key {
			t.Errorf("%q holds %q, %v", key, got, err)
		}
	}
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	api := s3(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL)
		return nil, io.EOF
	})
	for _, key := range []string{"", "/", "/a", "a/", "a//b", "..", "../b/a", "a/./b", "a/../../b"} {
		if err := api.PutObject(t.Context(), "packages", key, object("")); err == nil || !strings.Contains(err.Error(), "key") {
			t.Errorf("key %q: %v", key, err)
		}
	}
	for _, bucket := range []string{"", "b", "evil.example/", "a#b", "a@b", "UPPER", "a b", "-ab", "a_b", strings.Repeat("a", 64)} {
		if err := api.GetObject(t.Context(), bucket, "a", temporary(t)); err == nil || !strings.Contains(err.Error(), "bucket") {
			t.Errorf("bucket %q: %v", bucket, err)
		}
	}
}

func TestWhatS3RefusesIsSaidClearly(t *testing.T) {
	for _, test := range []struct {
		status        int
		code          string
		getting, want string
	}{
		{404, "NoSuchKey", "jars/a.jar is not in the bucket packages: s3 GetObject: 404 NoSuchKey", "tailored/a.zip is not in the bucket packages: s3 PutObject: 404 NoSuchKey"},
		{404, "NoSuchBucket", "there is no bucket packages: s3 GetObject: 404 NoSuchBucket", "there is no bucket packages: s3 PutObject: 404 NoSuchBucket"},
		{403, "AccessDenied", "jars/a.jar is not in the bucket packages, or may not be read: s3 GetObject: 403 AccessDenied", "tailored/a.zip in the bucket packages: s3 PutObject: 403 AccessDenied"},
		{400, "ExpiredToken", "jars/a.jar in the bucket packages: s3 GetObject: 400 ExpiredToken", "tailored/a.zip in the bucket packages: s3 PutObject: 400 ExpiredToken"},
	} {
		api := s3(func(*http.Request) (*http.Response, error) {
			return signedtest.Answer(test.status, "<Error><Code>"+test.code+"</Code></Error>"), nil
		})
		var refusal *signed.Error
		if err := api.GetObject(t.Context(), "packages", "jars/a.jar", temporary(t)); !errors.As(err, &refusal) || err.Error() != test.getting {
			t.Errorf("got %v, want %s", err, test.getting)
		}
		if err := api.PutObject(t.Context(), "packages", "tailored/a.zip", object("x")); !errors.As(err, &refusal) || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestAnObjectThatBreaksOffIsReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		api := s3(func(*http.Request) (*http.Response, error) {
			asked++
			if asked > 1 {
				return signedtest.Answer(200, "content"), nil
			}
			r := signedtest.Answer(200, "")
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("longer than the content"), iotest.ErrReader(io.ErrUnexpectedEOF)))
			return r, nil
		})
		file := temporary(t)
		if err := api.GetObject(t.Context(), "packages", "a", file); err != nil || asked != 2 {
			t.Fatalf("asked %d times: %v", asked, err)
		}
		if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "content" {
			t.Errorf("the file holds %q, %v", got, err)
		}
	})
}

func TestMemoryStaysFlat(t *testing.T) {
	const size = 64 << 20
	file := temporary(t)
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		t.Fatal(err)
	}
	stored := int64(0)
	api := s3(func(r *http.Request) (answer *http.Response, err error) {
		answer = signedtest.Answer(200, "")
		if r.Method == http.MethodPut {
			stored, err = io.Copy(io.Discard, r.Body)
		} else {
			answer.Body = io.NopCloser(io.NewSectionReader(file, 0, size))
		}
		return answer, err
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := api.PutObject(t.Context(), "packages", "a", packagestore.Object{Content: file, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))})
	if err != nil || stored != size {
		t.Fatalf("stored %d, %v", stored, err)
	}
	if err := api.GetObject(t.Context(), "packages", "a", temporary(t)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d bytes were allocated", took)
	}
}

// TestMoto stores and reads in moto's S3, an independent server.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no S3 to store in (infra/engines/with-moto.sh starts one)")
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, endpoint+"/tailor-test", nil)
	if err != nil {
		t.Fatal(err)
	}
	// moto tells its services apart by the scope of the signature, which it does not check.
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+signedtest.Keys.AccessKeyID+"/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	made, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if made.Body.Close(); made.StatusCode != http.StatusOK {
		t.Fatalf("making a bucket: %s", made.Status)
	}
	api := packagestore.NewS3(signedtest.Config(endpoint, nil), signedtest.Now)
	content := strings.Repeat("content", 1<<18)
	for _, key := range []string{"tailored/" + name, "a b+ü#?.zip"} {
		if err := api.PutObject(t.Context(), "packagestore-test", key, object(content)); err != nil {
			t.Fatal(err)
		}
		file := temporary(t)
		if err := api.GetObject(t.Context(), "packagestore-test", key, file); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(got, []byte(content)) {
			t.Errorf("%s: %d bytes came back, %v", key, len(got), err)
		}
	}
	if err := api.GetObject(t.Context(), "packagestore-test", "missing", temporary(t)); err == nil || !strings.Contains(err.Error(), "is not in the bucket") {
		t.Errorf("what is not there: %v", err)
	}
	if err := api.GetObject(t.Context(), "no-such-bucket", "missing", temporary(t)); err == nil || !strings.Contains(err.Error(), "there is no bucket") {
		t.Errorf("a bucket that is not there: %v", err)
	}
}
