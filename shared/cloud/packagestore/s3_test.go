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

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"marketplace/shared/cloud/packagestore"
)

// transport is an HTTP client that calls a function instead of the network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(r *http.Request) (*http.Response, error) { return t(r) }

// s3 returns a client at AWS's own addresses whose requests go to a transport.
func s3(t transport) *packagestore.S3 { return packagestore.NewS3(awsConfig("", t)) }

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
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

func TestObjectIsFoundBelowItsBucket(t *testing.T) {
	for bucket, want := range map[string]string{
		"packages":             "https://packages.s3.us-east-1.amazonaws.com/jars/a.jar",
		"packages.example.com": "https://s3.us-east-1.amazonaws.com/packages.example.com/jars/a.jar",
	} {
		api := s3(func(r *http.Request) (*http.Response, error) {
			if got := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path; got != want {
				t.Errorf("%s: got %s, want %s", bucket, got, want)
			}
			return response(200, ""), nil
		})
		if err := api.GetObject(t.Context(), bucket, "jars/a.jar", temporary(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestAnyKeyIsReadAsItWasStored(t *testing.T) {
	b := &bucket{t: t, objects: map[string][]byte{}}
	api := b.api()
	for _, key := range []string{
		"a", "a b+c", "50%25/%2e%2e/x", "what?x=1&y", "a#b", "ünï/漢字", "line\r\nX-Evil: 1", "\xff\x00", "...",
		"a;b,c:d@e=f$'(!)*~",
	} {
		if err := api.PutObject(t.Context(), "packages", key, object("content of "+key)); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if string(b.objects["packages/"+key]) != "content of "+key {
			t.Errorf("%q was not stored", key)
		}
		file := temporary(t)
		if err := api.GetObject(t.Context(), "packages", key, file); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "content of "+key {
			t.Errorf("%q: got %q, %v", key, got, err)
		}
	}
}

func TestAmbiguousKeysAreRefused(t *testing.T) {
	api := s3(func(r *http.Request) (*http.Response, error) {
		t.Errorf("S3 was asked for %s", r.URL)
		return nil, io.EOF
	})
	for _, key := range []string{"", "/", "/a", "a/", "a//b", "..", "../b/a", "a/./b", "a/../../b"} {
		if err := api.PutObject(t.Context(), "packages", key, object("")); err == nil ||
			!strings.Contains(err.Error(), "key") {
			t.Errorf("storing %q: got the error %v", key, err)
		}
		if err := api.GetObject(t.Context(), "packages", key, temporary(t)); err == nil ||
			!strings.Contains(err.Error(), "key") {
			t.Errorf("reading %q: got the error %v", key, err)
		}
	}
}

func TestS3ErrorsAreExplained(t *testing.T) {
	const jar, zip = "jars/a.jar", "tailored/a.zip"
	for _, test := range []struct {
		status        int
		code          string
		getting, want string
	}{
		{404, "NoSuchKey", jar + " is not in the bucket packages: ", zip + " is not in the bucket packages: "},
		{404, "NoSuchBucket", "there is no bucket packages: ", "there is no bucket packages: "},
		{403, "AccessDenied", jar + " is not in the bucket packages, or may not be read: ",
			zip + " in the bucket packages: "},
		{400, "ExpiredToken", jar + " in the bucket packages: ", zip + " in the bucket packages: "},
	} {
		api := s3(func(*http.Request) (*http.Response, error) {
			return response(test.status, "<Error><Code>"+test.code+"</Code></Error>"), nil
		})
		check := func(err error, want string) {
			var refusal smithy.APIError
			if !errors.As(err, &refusal) || refusal.ErrorCode() != test.code || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got the error %v, want %s%s", err, want, test.code)
			}
		}
		check(api.GetObject(t.Context(), "packages", jar, temporary(t)), test.getting)
		check(api.PutObject(t.Context(), "packages", zip, object("x")), test.want)
	}
}

func TestInterruptedDownloadIsRepeated(t *testing.T) {
	for name, tt := range map[string]struct {
		interruptions, asked int
	}{"two interruptions": {2, 3}, "too many interruptions": {3, 3}} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			api := s3(func(*http.Request) (*http.Response, error) {
				asked++
				if asked > tt.interruptions {
					return response(200, "content"), nil
				}
				r := response(200, "")
				interrupted := iotest.ErrReader(io.ErrUnexpectedEOF)
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader("longer than the content"), interrupted))
				return r, nil
			})
			file := temporary(t)
			err := api.GetObject(t.Context(), "packages", "a", file)
			if asked != tt.asked || (err == nil) != (tt.interruptions < tt.asked) {
				t.Fatalf("asked %d times, want %d: %v", asked, tt.asked, err)
			}
			if got, readErr := os.ReadFile(file.Name()); err == nil && (readErr != nil || string(got) != "content") {
				t.Errorf("got the file %q, %v, want content", got, readErr)
			}
		})
	}
}

func TestDownloadThatCannotBeWrittenIsNotRepeated(t *testing.T) {
	asked := 0
	api := s3(func(*http.Request) (*http.Response, error) {
		asked++
		return response(200, "content"), nil
	})
	file := temporary(t)
	readOnly, err := os.Open(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	if err := api.GetObject(t.Context(), "packages", "a", readOnly); err == nil || asked > 1 {
		t.Errorf("asked %d times, got the error %v", asked, err)
	}
}

func TestTransientErrorIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := 0
		api := s3(func(r *http.Request) (*http.Response, error) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
			if stored++; stored == 1 {
				return response(503, "<Error><Code>SlowDown</Code></Error>"), nil
			}
			return response(200, ""), nil
		})
		if err := api.PutObject(t.Context(), "packages", "a", object("content")); err != nil || stored != 2 {
			t.Errorf("asked %d times, want 2: %v", stored, err)
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
		answer = response(200, "")
		if r.Method == http.MethodPut {
			stored, err = io.Copy(io.Discard, r.Body)
		} else {
			answer.Body = io.NopCloser(io.NewSectionReader(file, 0, size))
		}
		return answer, err
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := api.PutObject(t.Context(), "packages", "a", packagestore.Object{
		Content: file, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil)),
	})
	if err != nil || stored != size {
		t.Fatalf("stored %d bytes, want %d: %v", stored, size, err)
	}
	if err := api.GetObject(t.Context(), "packages", "a", temporary(t)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("allocated %d bytes, want at most %d", took, 4<<20)
	}
}

// TestMoto stores and reads in moto's S3, an independent implementation.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no S3 to store in (infra/engines/with-moto.sh starts one)")
	}
	const bucket = "packagestore-test"
	config := awsConfig(endpoint, nil)
	client := sdk.NewFromConfig(config, func(o *sdk.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	api := packagestore.NewS3(config)
	content := strings.Repeat("content", 1<<18)
	for _, key := range []string{"tailored/" + name, "a b+ü#?.zip"} {
		if err := api.PutObject(t.Context(), bucket, key, object(content)); err != nil {
			t.Fatal(err)
		}
		file := temporary(t)
		if err := api.GetObject(t.Context(), bucket, key, file); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(got, []byte(content)) {
			t.Errorf("%s: got %d bytes, want %d: %v", key, len(got), len(content), err)
		}
	}
	if err := api.GetObject(t.Context(), bucket, "missing", temporary(t)); err == nil ||
		!strings.Contains(err.Error(), "is not in the bucket") {
		t.Errorf("unknown key: got the error %v", err)
	}
	if err := api.GetObject(t.Context(), "no-such-bucket", "missing", temporary(t)); err == nil ||
		!strings.Contains(err.Error(), "there is no bucket") {
		t.Errorf("unknown bucket: got the error %v", err)
	}
}
