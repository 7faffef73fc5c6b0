// Package smoke checks a site from outside, as browsers, servers and customers reach it: after a deployment, or on a
// laptop. It changes nothing unless it is told to file a request.
package smoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Options says what to check. Only Site is required.
type Options struct {
	Site string // the address that people use, the SITE_URL of the deployment
	// Packages is where the catalog and the packages are cached. With it, the bucket behind it is checked as well; ""
	// reads the catalog from the site.
	Packages string
	API      []string // addresses of the API itself, which must answer nobody
	// Write is an address to file a request with; "" changes nothing.
	Write string
	// Link returns the link in the email that asks to confirm the filed request, or "" to leave the request as it is.
	// nil leaves it. Waiting for it does not count as time.
	Link func(reference string) string
	// Client sends the requests; nil is one of its own. Redirects and cookies are handled by the checks.
	Client *http.Client
}

// origin is that of a server which reads the catalog in a browser.
const origin = "https://sonar.example"

// check is one line of the report. run returns what it found, or an error that says what was expected.
type check struct {
	name string
	run  func(ctx context.Context) (found string, err error)
}

// Run makes all checks within the limit, writes a line for each, and reports whether none failed. No line has a secret:
// neither a private link nor the address of the API.
func Run(ctx context.Context, o Options, limit time.Duration, out io.Writer) bool {
	s, err := newSite(o, limit)
	if err != nil {
		fmt.Fprintf(out, "FAILED  address: %v\n", err)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	checks, failed := s.checks(), 0
	for _, c := range checks {
		found, err := c.run(ctx)
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("the time limit of %s was reached", limit)
		}
		if err != nil {
			failed++
			fmt.Fprintf(out, "FAILED  %s: %v\n", c.name, err)
			continue
		}
		fmt.Fprintf(out, "ok      %s: %s\n", c.name, found)
	}
	if o.Write != "" {
		if err := s.write(ctx, out); err != nil {
			failed++
			fmt.Fprintf(out, "FAILED  request: %v\n", err)
		}
		checks = append(checks, check{})
	}
	fmt.Fprintf(out, "%d checks, %d failed\n", len(checks), failed)
	return failed == 0
}

// site is a site under check.
type site struct {
	Options
	documents string // where the catalog is read
	links     links  // of the catalog, once it was read
	limit     time.Duration
}

func newSite(o Options, limit time.Duration) (*site, error) {
	for _, address := range append([]*string{&o.Site, &o.Packages}, pointers(o.API)...) {
		*address = strings.TrimSuffix(*address, "/")
		if *address == "" && address == &o.Packages {
			continue
		}
		u, err := url.Parse(*address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
			return nil, errors.New("an address looks like https://licenses.example.com")
		}
	}
	s := &site{Options: o, documents: o.Packages, limit: limit}
	if s.documents == "" {
		s.documents = o.Site
	}
	client := http.Client{}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	jar, err := cookiejar.New(nil) // the sign-in page sets one
	client.Jar, s.Client = jar, &client
	return s, err
}

func pointers(list []string) (all []*string) {
	for i := range list {
		all = append(all, &list[i])
	}
	return all
}

func (s *site) checks() []check {
	checks := []check{
		{"catalog", s.catalog},
		{"links", s.ownLinks},
		{"missing package", s.missingPackage},
		{"download", s.download},
		{"request form", s.form},
		{"key check", s.keyCheck},
		{"public keys", s.publicKeys},
		{"sign-in page", s.signIn},
		{"account", s.account},
	}
	if s.Packages != "" {
		checks = append(checks, check{"published catalog", s.published}, check{"jars", s.jars},
			check{"listing", s.listing})
	}
	for i := range s.API {
		checks = append(checks, check{fmt.Sprintf("API address %d", i+1), func(ctx context.Context) (string, error) {
			return s.closed(ctx, s.API[i])
		}})
	}
	return checks
}

// maxBody is how much of an answer is read. A catalog has some ten thousand bytes.
const maxBody = 8 << 20

// answer is a response with as much of its body as was asked for.
type answer struct {
	*http.Response
	body []byte
}

// ask sends a request and reads at most limit bytes of the answer. Its errors do not have the address, which may be
// private.
func (s *site) ask(ctx context.Context, method, address, body string, limit int64, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return answer{}, errors.New("this is not an address")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.Client.Do(r)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return answer{}, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	if err != nil {
		return answer{}, fmt.Errorf("the answer broke off: %w", err)
	}
	return answer{resp, text}, nil
}

func (s *site) get(ctx context.Context, address string, headers ...string) (answer, error) {
	return s.ask(ctx, http.MethodGet, address, "", maxBody, headers...)
}

// status returns an error unless the answer has one of the wanted statuses.
func (a answer) status(path string, want ...int) error {
	for _, w := range want {
		if a.StatusCode == w {
			return nil
		}
	}
	return fmt.Errorf("%s: got status %d, want %s", path, a.StatusCode, alternatives(want))
}

func alternatives(statuses []int) string {
	words := make([]string, len(statuses))
	for i, status := range statuses {
		words[i] = fmt.Sprint(status)
	}
	return strings.Join(words, " or ")
}

// anyOrigin returns an error unless scripts of any site may read the answer.
func (a answer) anyOrigin(path string) error {
	if got := a.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		return fmt.Errorf("%s: got Access-Control-Allow-Origin %q, want *", path, got)
	}
	return nil
}
