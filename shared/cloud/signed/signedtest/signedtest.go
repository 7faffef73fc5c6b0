// Package signedtest checks requests as AWS does: it reads the signature (SigV4) off a request and computes it anew, from AWS's
// description and not with AWS's SDK. The doubles of AWS services in tests are made of it.
package signedtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Keys are those of AWS's examples.
var Keys = aws.Credentials{
	AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SessionToken: "a/session+token==",
}

// Now is the time at which requests to a double are signed, that of AWS's examples.
func Now() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) }

// Config is the configuration of a client of a double. endpoint "" is AWS's own address.
func Config(endpoint string, client aws.HTTPClient) aws.Config {
	c := aws.Config{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(Keys.AccessKeyID, Keys.SecretAccessKey, Keys.SessionToken),
		HTTPClient:  client,
	}
	if endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	return c
}

// Do is an HTTP client that nobody stands behind but a function: no network, and no goroutine.
type Do func(*http.Request) (*http.Response, error)

// Do calls the function.
func (d Do) Do(r *http.Request) (*http.Response, error) { return d(r) }

// Answer is an answer with a status and a body.
func Answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`)

// Verify reads the request's body, and says what is wrong with its signature for a service in us-east-1. Host, all x-amz- headers
// and the type of the content must be signed, and the body's true SHA-256 (IAM user guide, "Create a signed AWS API request").
func Verify(r *http.Request, service string, keys aws.Credentials) (body []byte, err error) {
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return nil, fmt.Errorf("Authorization: %q", r.Header.Get("Authorization"))
	}
	day, date, names := m[2], r.Header.Get("X-Amz-Date"), strings.Split(m[5], ";")
	switch sum := sha256.Sum256(body); {
	case m[1] != keys.AccessKeyID || m[3] != "us-east-1" || m[4] != service || !strings.HasPrefix(date, day+"T"):
		return nil, fmt.Errorf("the scope is %v, on %s", m[1:5], date)
	case r.Header.Get("X-Amz-Security-Token") != keys.SessionToken:
		return nil, fmt.Errorf("the session's token is %q", r.Header.Get("X-Amz-Security-Token"))
	case r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]):
		return nil, fmt.Errorf("%d bytes came as %s", len(body), r.Header.Get("X-Amz-Content-Sha256"))
	case !slices.IsSorted(names) || !slices.Contains(names, "host"):
		return nil, fmt.Errorf("signed headers are %v", names)
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if (strings.HasPrefix(name, "x-amz-") || name == "content-type") && !slices.Contains(names, name) {
			return nil, fmt.Errorf("the header %s is not signed", name)
		}
	}

	canonical := []string{r.Method, canonicalPath(r.URL, service), r.URL.RawQuery}
	for _, name := range names {
		canonical = append(canonical, name+":"+header(r, name))
	}
	canonical = append(canonical, "", m[5], r.Header.Get("X-Amz-Content-Sha256"))
	hash := sha256.Sum256([]byte(strings.Join(canonical, "\n")))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", date, day + "/us-east-1/" + service + "/aws4_request", hex.EncodeToString(hash[:])}, "\n")
	key := []byte("AWS4" + keys.SecretAccessKey)
	for _, part := range []string{day, "us-east-1", service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if got := m[6]; got != hex.EncodeToString(key) {
		return nil, fmt.Errorf("the signature is %s, want %x, of\n%s", got, key, strings.Join(canonical, "\n"))
	}
	return body, nil
}

// header is a header's value as it is signed: also of those that net/http keeps elsewhere.
func header(r *http.Request, name string) string {
	switch name {
	case "host":
		if r.Host != "" {
			return r.Host
		}
		return r.URL.Host
	case "content-length":
		return fmt.Sprint(r.ContentLength)
	}
	return strings.Join(strings.Fields(strings.Join(r.Header.Values(name), ",")), " ")
}

// canonicalPath is the path as AWS encodes what it understood of the one that came: once for S3, twice for everybody else.
func canonicalPath(u *url.URL, service string) string {
	path, err := url.PathUnescape(u.EscapedPath())
	if err != nil {
		return err.Error()
	}
	path = encode(path)
	if service != "s3" {
		path = encode(path)
	}
	return path
}

func encode(path string) string {
	var b bytes.Buffer
	for _, c := range []byte(path) {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
