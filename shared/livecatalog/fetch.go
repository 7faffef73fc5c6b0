package livecatalog

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	timeout      = time.Second // of a whole fetch, since a request waits for it
	maxSize      = 8 << 20     // bytes; the sample's bundle has 90,000
	maxRedirects = 3
)

var (
	errUnchanged    = errors.New("it has not changed")
	errNotPublished = errors.New("none is published")
)

// newClient returns a client that opens a connection for each fetch, since one kept from the minute before may be dead
// by now. It asks for no compression: a bundle's documents are compressed already.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Scheme != via[0].URL.Scheme {
				return fmt.Errorf("redirected from %s to %s", via[0].URL.Scheme, r.URL.Scheme)
			}
			if len(via) > maxRedirects {
				return fmt.Errorf("redirected more than %d times", maxRedirects)
			}
			return nil
		},
	}
}

// fetch returns a file and its entity tag, "" without one. The error is errUnchanged if the file still has the known
// tag, and errNotPublished if there is none: S3 answers 403 to clients that may not list the bucket.
func fetch(c *http.Client, url, known string) (file []byte, etag string, err error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	if known != "" {
		r.Header.Set("If-None-Match", known)
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return nil, "", errUnchanged
	case http.StatusForbidden, http.StatusNotFound:
		return nil, "", fmt.Errorf("%w: %s", errNotPublished, resp.Status)
	default:
		return nil, "", fmt.Errorf("answered %s", resp.Status)
	}
	file, err = io.ReadAll(io.LimitReader(resp.Body, maxSize+1))
	if err != nil {
		return nil, "", fmt.Errorf("reading the response: %w", err)
	}
	if len(file) > maxSize {
		return nil, "", fmt.Errorf("it is larger than %d bytes", maxSize)
	}
	return file, resp.Header.Get("ETag"), nil
}
