// Package livecatalog provides the newest catalog: the bundle published last, or the one built into the program if
// there is none. So publishing needs no deployment.
//
// In Lambda nothing runs between requests. So a request fetches the published bundle: the first of an instance, and
// then one a minute; the others use the catalog at hand. If the published bundle is unusable or out of reach, the last
// good one stays.
//
// What is made of a bundle is up to the users (Options.Make); infra/ops publishes it.
package livecatalog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"marketplace/catalog/bundle"
)

// interval is the time between two fetches.
const interval = time.Minute

// Options says where bundles come from and what is made of them. Only URL may be empty.
type Options[T any] struct {
	// BuiltIn opens the bundle built into the program. It is called once. A published bundle has to be for the same
	// site.
	BuiltIn func() (*bundle.Bundle, error)
	// URL is where bundles are published; "" means that the built-in one is the only one.
	URL string
	// Make turns a bundle into what the program serves, once for each. A published bundle for which it fails is not
	// taken.
	Make func(*bundle.Bundle) (T, error)
	// Now is the wall clock, which says when to fetch again.
	Now func() time.Time
	// Log records which bundle was taken, and why one was not.
	Log *slog.Logger
}

// Source provides what was made of the newest bundle. It is safe for concurrent use.
type Source[T any] struct {
	options Options[T]
	builtIn func() (*bundle.Bundle, error)
	own     func() (T, error) // made of builtIn
	taken   atomic.Pointer[T] // made of the bundle published last; nil before the first

	fetching sync.Mutex // guards the fields below
	client   *http.Client
	fetched  time.Time // when last
	file     []byte    // the bundle taken
	etag     string    // of file
	noted    bool      // the log has that none is published
}

// New returns a source. It opens and fetches nothing yet.
func New[T any](o Options[T]) *Source[T] {
	s := &Source[T]{options: o, builtIn: sync.OnceValues(o.BuiltIn), client: newClient()}
	s.own = sync.OnceValues(func() (value T, err error) {
		b, err := s.builtIn()
		if err != nil {
			return value, err
		}
		return o.Make(b)
	})
	return s
}

// Get returns what was made of the newest bundle. If a fetch is due, it waits for that, up to a second. A published
// bundle has priority over the built-in one, even if it is older. The error is the built-in bundle's.
func (s *Source[T]) Get() (T, error) {
	if s.options.URL != "" && s.fetching.TryLock() {
		s.fetchIfDue()
	}
	if value := s.taken.Load(); value != nil {
		return *value, nil
	}
	return s.own()
}

// fetchIfDue fetches the published bundle unless that was done less than an interval ago. It unlocks fetching.
func (s *Source[T]) fetchIfDue() {
	defer s.fetching.Unlock()
	// Not the monotonic clock, which may stop while Lambda has frozen the instance. The wall clock may be set back.
	now := s.options.Now().Round(0)
	if since := now.Sub(s.fetched); since >= 0 && since < interval {
		return
	}
	s.fetched = now
	err := s.refresh()
	switch {
	case errors.Is(err, errNotPublished) && s.taken.Load() == nil:
		if !s.noted {
			s.options.Log.Info("no catalog is published: serving the built-in one", "url", s.options.URL, "answer", err)
		}
		s.noted = true
	case err != nil:
		s.options.Log.Error("published catalog not taken: still serving the previous one",
			"url", s.options.URL, "error", err)
	}
}

// refresh takes the published bundle if it is new and valid.
func (s *Source[T]) refresh() error {
	file, etag, err := fetch(s.client, s.options.URL, s.etag)
	if errors.Is(err, errUnchanged) || err == nil && bytes.Equal(file, s.file) {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := s.open(file)
	if err != nil {
		return err
	}
	value, err := s.options.Make(b)
	if err != nil {
		return err
	}
	s.taken.Store(&value)
	s.file, s.etag = file, etag
	s.options.Log.Info("published catalog taken", "url", s.options.URL, "etag", etag, "bytes", len(file),
		"packages", len(b.Packages))
	return nil
}

// open opens a bundle that this site can serve.
func (s *Source[T]) open(file []byte) (*bundle.Bundle, error) {
	b, err := bundle.Decode(file)
	if err != nil {
		return nil, err
	}
	builtIn, err := s.builtIn()
	if err != nil {
		return nil, err
	}
	if b.SiteURL != builtIn.SiteURL {
		return nil, fmt.Errorf("the bundle is for the site %s, not for %s", b.SiteURL, builtIn.SiteURL)
	}
	return b, b.Complete()
}
