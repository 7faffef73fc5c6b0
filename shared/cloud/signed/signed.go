// Package signed calls AWS services of which little is asked, over HTTPS with AWS's signature (SigV4), without their SDK
// packages: what those build when a program starts costs more than the whole function (infra/decisions/0004). It knows signing,
// repeating and failing; what is said to a service, and what it answers, is its caller's.
package signed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

// Client calls one service in one region. Several goroutines may use it.
type Client struct {
	service string
	config  aws.Config
	now     func() time.Time
	signer  *v4.Signer
	http    aws.HTTPClient
}

// New makes a client without calling anybody. service is its name in signatures and host names, such as "kms". Of the
// configuration it takes Region, Credentials, BaseEndpoint and HTTPClient; no HTTPClient is one that follows no redirects, which
// a signature for another host would not survive.
func New(service string, config aws.Config, now func() time.Time) *Client {
	c := &Client{service: service, config: config, now: now, http: config.HTTPClient, signer: v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = service == "s3" // every other service has its path escaped once more (IAM user guide, "Create a signed request")
	})}
	if c.http == nil {
		c.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return c
}

// Elsewhere is whether the client was given an endpoint that is not AWS's own.
func (c *Client) Elsewhere() bool { return c.config.BaseEndpoint != nil }

// Address is where the service is, with a host name before its own where prefix is one (S3's buckets). An endpoint that is not
// AWS's own takes no prefix.
func (c *Client) Address(prefix string) string {
	if c.config.BaseEndpoint != nil {
		return strings.TrimSuffix(*c.config.BaseEndpoint, "/")
	}
	if prefix != "" {
		prefix += "."
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(c.config.Region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return "https://" + prefix + c.service + "." + c.config.Region + "." + domain
}

// EmptySHA256 is the SHA-256 of no bytes.
const EmptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Request is what is asked of a service. It must be safe to repeat: an answer that is lost looks like one that never was.
type Request struct {
	Operation string // as AWS names it; for errors
	Method    string
	Address   string // without the path
	Path      string // unescaped, beginning with a slash
	Header    http.Header
	// Body is read from its beginning by every attempt, and by each for itself: one that was given up may still be reading. nil is
	// no body.
	Body   io.ReaderAt
	Size   int64  // of the body
	SHA256 string // of the body, in lower-case hex; "" with no body
	// Answer reads what the service says when it has done what was asked. When the answer breaks off in the middle, the request is
	// repeated and Answer called again: it must start anew. Other errors of its own end the call. nil reads nothing.
	Answer func(io.Reader) error
}

// Do asks, up to four times: again when there was no answer or half of one, and when the service was at fault (5xx) or busy (429,
// throttling). How long that may take is the context's. A refusal is an *Error.
func (c *Client) Do(ctx context.Context, r Request) error {
	for attempt := 1; ; attempt++ {
		again, err := c.attempt(ctx, r)
		if err == nil {
			return nil
		}
		if again && ctx.Err() == nil && attempt < attempts {
			if pause(ctx, attempt) == nil {
				continue
			}
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		var refusal *Error
		if errors.As(err, &refusal) {
			return err // which names the operation
		}
		return fmt.Errorf("%s %s: %w", c.service, r.Operation, err)
	}
}

// attempt asks once, and says whether it is worth asking again.
func (c *Client) attempt(ctx context.Context, r Request) (again bool, err error) {
	request, err := c.sign(ctx, r)
	if err != nil {
		return false, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		var where *url.Error // names the address, and with it what may be a secret
		if errors.As(err, &where) {
			err = where.Err
		}
		return true, err
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		refusal := c.refusal(r.Operation, response)
		return refusal.temporary(), refusal
	}
	if r.Answer == nil {
		return false, nil
	}
	body := &watched{Reader: response.Body}
	err = r.Answer(body)
	if body.err != nil {
		return true, fmt.Errorf("the answer broke off: %w", body.err)
	}
	return false, err
}

func (c *Client) sign(ctx context.Context, r Request) (*http.Request, error) {
	if c.config.Credentials == nil || c.config.Region == "" {
		return nil, errors.New("there are no AWS credentials or no region")
	}
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS credentials: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.Address, nil)
	if err != nil {
		return nil, err
	}
	request.URL.Path, request.URL.RawPath = r.Path, httpbinding.EscapePath(r.Path, false)
	if r.Header != nil {
		request.Header = r.Header.Clone()
	}
	request.Header.Set("Accept-Encoding", "identity") // or net/http would ask for gzip, and unpack what is stored packed
	hash := EmptySHA256
	if r.Body != nil && r.Size > 0 {
		hash, request.ContentLength = r.SHA256, r.Size
		request.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(r.Body, 0, r.Size)), nil
		}
		if request.Body, err = request.GetBody(); err != nil {
			return nil, err
		}
	}
	request.Header.Set("X-Amz-Content-Sha256", hash)
	return request, c.signer.SignHTTP(ctx, credentials, request, hash, c.service, c.config.Region, c.now())
}

// watched remembers the error that reading ended with, unless it is the end.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
