package signed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"marketplace/shared/cloud/signed"
	"marketplace/shared/cloud/signed/signedtest"
)

// post is a request with a body.
func post(c *signed.Client, body string) signed.Request {
	hash := sha256.Sum256([]byte(body))
	return signed.Request{
		Operation: "Try", Method: http.MethodPost, Address: c.Address(""), Path: "/",
		Header: http.Header{"Content-Type": {"text/plain"}, "X-Amz-Target": {"Service.Try"}},
		Body:   strings.NewReader(body), Size: int64(len(body)), SHA256: hex.EncodeToString(hash[:]),
	}
}

// client is a client of a function.
func client(service string, do signedtest.Do) *signed.Client {
	return signed.New(service, signedtest.Config("", do), signedtest.Now)
}

func TestRequestsAreSignedAsTheyArrive(t *testing.T) {
	for _, service := range []string{"s3", "kms"} {
		for _, path := range []string{"/", "/jars/a.jar", "/a b+c%2F%25?x=1&y#z;=,:@!$'()*", "/ünï/漢字\n\x00\xff", "/..%2e/~-._"} {
			var problem error
			var arrived string
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				arrived = r.URL.Path
				_, problem = signedtest.Verify(r, service, signedtest.Keys)
			}))
			c := signed.New(service, signedtest.Config(server.URL+"/", server.Client()), signedtest.Now)
			r := post(c, "a body")
			r.Path = path
			if err := c.Do(t.Context(), r); err != nil || problem != nil || arrived != path {
				t.Errorf("%s %q arrived as %q: %v, %v", service, path, arrived, err, problem)
			}
			if len(r.Header) != 2 {
				t.Errorf("the caller's header was changed: %v", r.Header)
			}
			r = signed.Request{Operation: "Try", Method: http.MethodGet, Address: c.Address(""), Path: path}
			if err := c.Do(t.Context(), r); err != nil || problem != nil {
				t.Errorf("%s GET %q: %v, %v", service, path, err, problem)
			}
			server.Close()
		}
	}
}

func TestTheAddressIsTheServicesInItsRegion(t *testing.T) {
	for _, test := range []struct{ region, prefix, want string }{
		{"eu-central-1", "", "https://kms.eu-central-1.amazonaws.com"},
		{"us-gov-west-1", "bucket", "https://bucket.kms.us-gov-west-1.amazonaws.com"},
		{"cn-north-1", "", "https://kms.cn-north-1.amazonaws.com.cn"},
	} {
		if got := signed.New("kms", aws.Config{Region: test.region}, signedtest.Now).Address(test.prefix); got != test.want {
			t.Errorf("%s: %s", test.region, got)
		}
	}
}

func TestWhatMayPassIsAskedAgain(t *testing.T) {
	header := func(status int, body string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return signedtest.Answer(status, body), nil }
	}
	for name, answer := range map[string]func() (*http.Response, error){
		"no connection": func() (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: "https://secret.example", Err: errors.New("connection refused")}
		},
		"an answer that breaks off": func() (*http.Response, error) {
			r := signedtest.Answer(200, "")
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("do"), iotest.ErrReader(io.ErrUnexpectedEOF)))
			return r, nil
		},
		"429":                   header(429, ""),
		"500":                   header(500, "what?"),
		"503":                   header(503, "<Error><Code>SlowDown</Code></Error>"),
		"throttling":            header(400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`),
		"a namespace":           header(400, `{"__type":"com.amazonaws.kms#ThrottlingException:http://internal.amazon.com/coral/#x"}`),
		"a body that came late": header(400, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>RequestTimeout</Code></Error>`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures, asked := 3, 0
				c := client("kms", func(r *http.Request) (*http.Response, error) {
					asked++
					if body, err := signedtest.Verify(r, "kms", signedtest.Keys); err != nil || string(body) != "a body" {
						t.Errorf("attempt %d: %q, %v", asked, body, err)
					}
					if asked <= failures {
						return answer()
					}
					return signedtest.Answer(200, "done"), nil
				})
				r, got, start := post(c, "a body"), "", time.Now()
				r.Answer = func(body io.Reader) error {
					data, err := io.ReadAll(body)
					got = string(data)
					return err
				}
				if err := c.Do(t.Context(), r); err != nil || asked != 4 || got != "done" {
					t.Errorf("asked %d times: %q, %v", asked, got, err)
				}
				if took := time.Since(start); took < 700*time.Millisecond || took > 1400*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				failures, asked = 100, 0
				err := c.Do(t.Context(), r)
				if err == nil || asked != 4 || !strings.HasPrefix(err.Error(), "kms Try: ") || strings.Contains(err.Error(), "secret.example") {
					t.Errorf("asked %d times, and then %v", asked, err)
				}
			})
		})
	}
}

func TestARefusalIsFinalAndNamesItselfOnly(t *testing.T) {
	for _, test := range []struct {
		name    string
		service string
		status  int
		header  http.Header
		body    string
		want    string
	}{
		{"JSON", "kms", 400, http.Header{"X-Amzn-Requestid": {"1-2"}}, `{"__type":"AccessDeniedException","Message":"the token secret"}`, "kms Try: 400 AccessDeniedException, request 1-2"},
		{"a namespace", "kms", 400, nil, `{"__type":"com.amazonaws.kms#NotFoundException"}`, "kms Try: 400 NotFoundException"},
		{"header", "kms", 400, http.Header{"X-Amzn-Errortype": {"NotFoundException:http://x#y"}}, ``, "kms Try: 400 NotFoundException"},
		{"XML", "s3", 403, http.Header{"X-Amz-Request-Id": {"44425"}},
			`<?xml version="1.0"?><Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>x-amz-security-token:secret</CanonicalRequest></Error>`,
			"s3 Try: 403 SignatureDoesNotMatch, request 44425"},
		{"redirect", "s3", 301, http.Header{"Location": {"https://secret.example"}}, `<Error><Code>PermanentRedirect</Code></Error>`, "s3 Try: 301 PermanentRedirect"},
		{"a proxy's page", "s3", 407, nil, `<html><body>secret`, "s3 Try: 407"},
		{"lines for the log", "s3", 400, http.Header{"X-Amz-Request-Id": {"a\nb"}}, "<Error><Code>a\nsecret</Code></Error>", "s3 Try: 400"},
		{"no body", "s3", 404, nil, "", "s3 Try: 404"},
	} {
		asked := 0
		c := client(test.service, func(*http.Request) (*http.Response, error) {
			asked++
			r := signedtest.Answer(test.status, test.body)
			if test.header != nil {
				r.Header = test.header
			}
			return r, nil
		})
		err := c.Do(t.Context(), post(c, "secret"))
		var refusal *signed.Error
		if !errors.As(err, &refusal) || err.Error() != test.want || refusal.Status != test.status || asked != 1 {
			t.Errorf("%s: asked %d times: %v, want %s", test.name, asked, err, test.want)
		}
	}
}

func TestTheContextEndsTheRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		c, start := client("kms", func(*http.Request) (*http.Response, error) { return signedtest.Answer(503, ""), nil }), time.Now()
		err := c.Do(ctx, post(c, ""))
		var refusal *signed.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &refusal) || time.Since(start) != 50*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	c := client("kms", func(*http.Request) (*http.Response, error) {
		asked++
		cancel()
		return nil, ctx.Err()
	})
	if err := c.Do(ctx, post(c, "")); !errors.Is(err, context.Canceled) || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestWhatTheCallerCannotReadIsNotAskedAgain(t *testing.T) {
	full, asked := errors.New("no space left on device"), 0
	c := client("s3", func(*http.Request) (*http.Response, error) {
		asked++
		return signedtest.Answer(200, "content"), nil
	})
	err := c.Do(t.Context(), signed.Request{Operation: "Get", Method: "GET", Address: c.Address(""), Path: "/", Answer: func(io.Reader) error { return full }})
	if !errors.Is(err, full) || asked != 1 || !strings.HasPrefix(err.Error(), "s3 Get: ") {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	c := signed.New("s3", signedtest.Config(server.URL, nil), signedtest.Now)
	var refusal *signed.Error
	if err := c.Do(t.Context(), post(c, "a body")); !errors.As(err, &refusal) || refusal.Status != http.StatusTemporaryRedirect {
		t.Error(err)
	}
}

func TestNobodyIsAskedWithoutCredentials(t *testing.T) {
	none := errors.New("no profile")
	for name, config := range map[string]aws.Config{
		"no credentials": {Region: "us-east-1"},
		"no region":      {Credentials: signedtest.Config("", nil).Credentials},
		"broken ones": {Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, none
		})},
	} {
		config.HTTPClient = signedtest.Do(func(*http.Request) (*http.Response, error) {
			t.Errorf("%s: asked", name)
			return nil, io.EOF
		})
		c := signed.New("kms", config, signedtest.Now)
		if err := c.Do(t.Context(), post(c, "")); err == nil || !strings.HasPrefix(err.Error(), "kms Try: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPackedAnswerStaysPacked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "\x1f\x8bpacked")
	}))
	defer server.Close()
	c, got := signed.New("s3", signedtest.Config(server.URL, nil), signedtest.Now), bytes.Buffer{}
	err := c.Do(t.Context(), signed.Request{Operation: "Get", Method: "GET", Address: c.Address(""), Path: "/", Answer: func(r io.Reader) error {
		_, err := got.ReadFrom(r)
		return err
	}})
	if err != nil || got.String() != "\x1f\x8bpacked" {
		t.Errorf("%q, %v", got.String(), err)
	}
}
