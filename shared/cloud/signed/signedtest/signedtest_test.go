package signedtest

import (
	"net/http"
	"strings"
	"testing"
)

// examples are AWS's own, with their signatures (S3 API reference, "Signature calculations for the Authorization header").
func examples(t *testing.T) map[string]*http.Request {
	t.Helper()
	const scope = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
	request := func(method, url, body string, headers ...string) *http.Request {
		r, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Date", "20130524T000000Z")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	return map[string]*http.Request{
		"GET object": request("GET", "https://examplebucket.s3.amazonaws.com/test.txt", "", "Range", "bytes=0-9", "X-Amz-Content-Sha256", empty,
			"Authorization", scope+"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
		"PUT object": request("PUT", "https://examplebucket.s3.amazonaws.com/test%24file.text", "Welcome to Amazon S3.",
			"Date", "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY",
			"X-Amz-Content-Sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			"Authorization", scope+"SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
		"GET bucket": request("GET", "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", "", "X-Amz-Content-Sha256", empty,
			"Authorization", scope+"SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
	}
}

func TestAWSsOwnExamplesVerify(t *testing.T) {
	keys := Keys
	keys.SessionToken = ""
	for name, r := range examples(t) {
		if _, err := Verify(r, "s3", keys); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatWasChangedOnTheWayDoesNotVerify(t *testing.T) {
	keys := Keys
	keys.SessionToken = ""
	for name, change := range map[string]func(*http.Request){
		"path":    func(r *http.Request) { r.URL.Path += "x" },
		"host":    func(r *http.Request) { r.Host = "other.s3.amazonaws.com" },
		"method":  func(r *http.Request) { r.Method = "DELETE" },
		"header":  func(r *http.Request) { r.Header.Set("Range", "bytes=0-10") },
		"date":    func(r *http.Request) { r.Header.Set("X-Amz-Date", "20130524T000001Z") },
		"further": func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") },
		"token":   func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "another") },
		"body":    func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64)) },
	} {
		r := examples(t)["GET object"]
		change(r)
		if _, err := Verify(r, "s3", keys); err == nil {
			t.Errorf("%s: it verifies", name)
		}
	}
	if _, err := Verify(examples(t)["GET object"], "kms", keys); err == nil {
		t.Error("it verifies for another service")
	}
}
