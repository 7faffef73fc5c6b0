// Package livecatalog is the catalog of the moment: the bundle that was published last, or the one that is built into the program
// where none is. So publishing needs no deployment.
//
// In Lambda nothing runs between requests. So it is a request that looks for what was published, the first one of an instance
// and then one a minute; the others go on with what is there. Whatever is wrong with what was published, or with the way to it,
// the last good catalog stays.
//
// It knows nothing of what is made of a bundle, which is its users' (Options.Make), and of how one is published (infra/ops).
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

// interval is how long a program serves what it has before it looks again.
const interval = time.Minute

// Options are where bundles come from and what becomes of them. Only URL may be empty.
type Options[T any] struct {
	// BuiltIn opens the bundle that the program carries. It is called once. What is published has to be for the same site.
	BuiltIn func() (*bundle.Bundle, error)
	// URL is where bundles are published; "": the built-in one is the only one.
	URL string
	// Make makes what the program serves of a bundle, once for each. A published bundle of which it cannot be made is not taken.
	Make func(*bundle.Bundle) (T, error)
	// Now says when to look again, by the wall clock.
	Now func() time.Time
	// Log is told what was taken, and why something was not.
	Log *slog.Logger
}

// Source gives what was made of the bundle of the moment. Its methods may be called at the same time.
type Source[T any] struct {
	options Options[T]
	builtIn func() (*bundle.Bundle, error)
	own     func() (T, error) // made of builtIn
	taken   atomic.Pointer[T] // made of what was published last; nil before that

	looking sync.Mutex // held by the one who looks, to whom belongs what follows
	client  *http.Client
	looked  time.Time // when last
	file    []byte    // what was taken
	etag    string    // of file
	told    bool      // that nothing is published
}

// New makes a source. It opens and fetches nothing yet.
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

// Get gives what was made of the bundle of the moment. When it is time to look for another, that comes first and takes up to
// a second. A published bundle wins over the built-in one, an older one too. The error is the built-in bundle's.
func (s *Source[T]) Get() (T, error) {
	if s.options.URL != "" && s.looking.TryLock() {
		s.lookInTime()
	}
	if value := s.taken.Load(); value != nil {
		return *value, nil
	}
	return s.own()
}

// lookInTime looks for a published bundle unless that was done less than an interval ago. It frees looking.
func (s *Source[T]) lookInTime() {
	defer s.looking.Unlock()
	// Not the monotonic clock, which may stand still while Lambda has the instance frozen. The wall clock may be set back.
	now := s.options.Now().Round(0)
	if since := now.Sub(s.looked); since >= 0 && since < interval {
		return
	}
	s.looked = now
	err := s.look()
	switch {
	case errors.Is(err, errNothing) && s.taken.Load() == nil:
		if !s.told {
			s.options.Log.Info("no catalog is published: the built-in one serves", "url", s.options.URL, "answer", err)
		}
		s.told = true
	case err != nil:
		s.options.Log.Error("published catalog not taken: the one before serves on", "url", s.options.URL, "error", err)
	}
}

// look takes what is published, if it is new and sound.
func (s *Source[T]) look() error {
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
	s.options.Log.Info("published catalog taken", "url", s.options.URL, "etag", etag, "bytes", len(file), "packages", len(b.Packages))
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
