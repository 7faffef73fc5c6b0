package livecatalog

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	patience     = time.Second // for all of one fetch, within somebody's request
	maxSize      = 8 << 20     // bytes; the sample's bundle has 90,000
	maxRedirects = 3
)

var (
	errUnchanged = errors.New("it has not changed")
	errNothing   = errors.New("nothing is there")
)

// newClient makes a client that opens a connection for each fetch: one kept from the minute before may be long dead without this
// side's knowing. Nothing is uncompressed underway: a bundle's documents are compressed already.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   patience,
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

// fetch gets a file with its entity tag, "" without one. It is errUnchanged where the file still has the tag known, and
// errNothing where there is none; S3 says 403 to who may not list the bucket.
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
		return nil, "", fmt.Errorf("%w: %s", errNothing, resp.Status)
	default:
		return nil, "", fmt.Errorf("answered %s", resp.Status)
	}
	file, err = io.ReadAll(io.LimitReader(resp.Body, maxSize+1))
	if err != nil {
		return nil, "", fmt.Errorf("reading the answer: %w", err)
	}
	if len(file) > maxSize {
		return nil, "", fmt.Errorf("it is larger than %d bytes", maxSize)
	}
	return file, resp.Header.Get("ETag"), nil
}
