package livecatalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/catalog/bundle"
)

const site = "https://licenses.example.com"

// made returns a bundle with text at all its paths.
func made(text string) *bundle.Bundle {
	b := &bundle.Bundle{SiteURL: site}
	for _, path := range []string{bundle.EditionsPath, bundle.PackagesPath, bundle.CatalogPath} {
		b.Documents = append(b.Documents, bundle.Document{Path: path,
			Identity: bundle.Body{Bytes: []byte(text), ETag: `"` + text + `"`}})
	}
	return b
}

// place is where bundles are published.
type place struct {
	*httptest.Server
	mu    sync.Mutex
	serve http.HandlerFunc
	asked []*http.Request
}

func newPlace(t *testing.T) *place {
	p := new(place)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r)
		serve := p.serve
		p.mu.Unlock()
		serve(w, r)
	}))
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // of answers that are cut on purpose
	t.Cleanup(p.Close)
	return p
}

// answers sets how the place answers from now on.
func (p *place) answers(serve http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serve = serve
}

func (p *place) publish(text string) { p.answers(file(made(text).Encode(), `"`+text+`"`)) }

func (p *place) looks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// testEnv is a program that looks here, with timeout for a busy machine.
func (p *place) testEnv() *testEnv {
	w := newTestEnv(p.URL)
	w.client.Timeout = time.Minute
	return w
}

// file serves a file as a CDN does.
func file(content []byte, etag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// testEnv is a program with a source, which serves the text of its bundle.
type testEnv struct {
	*Source[string]
	now   time.Time
	log   bytes.Buffer
	makes int
}

func newTestEnv(url string) *testEnv {
	w := &testEnv{now: time.Date(2018, 6, 1, 12, 0, 0, 0, time.UTC)}
	w.Source = New(Options[string]{
		BuiltIn: func() (*bundle.Bundle, error) { return made("built in"), nil },
		URL:     url,
		Make: func(b *bundle.Bundle) (string, error) {
			w.makes++
			d, _ := b.Document(bundle.CatalogPath, "")
			if text := string(d.Identity.Bytes); text != "of no use" {
				return text, nil
			}
			return "", errors.New("it is of no use")
		},
		Now: func() time.Time { return w.now },
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	})
	return w
}

// serves fails the test unless the source gives what is wanted.
func (w *testEnv) serves(t *testing.T, want string) {
	t.Helper()
	if got, err := w.Get(); err != nil || got != want {
		t.Errorf("serves %q, %v; want %q", got, err, want)
	}
}

// logged gives the messages, with the errors, since it was asked last.
func (w *testEnv) logged(t *testing.T) (lines []string) {
	t.Helper()
	for d := json.NewDecoder(&w.log); ; {
		var line struct{ Level, Msg, Error string }
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSuffix(line.Level+" "+line.Msg+": "+line.Error, ": "))
	}
}

const (
	taken    = "INFO published catalog taken"
	nothing  = "INFO no catalog is published: serving the built-in one"
	notTaken = "ERROR published catalog not taken: still serving the previous one: "
)

// logs fails the test unless there are lines that begin and end as wanted, since it was asked last.
func (w *testEnv) logs(t *testing.T, want ...string) {
	t.Helper()
	got := w.logged(t)
	if len(got) != len(want) {
		t.Errorf("logged %q, want %q", got, want)
		return
	}
	for i := range want {
		if begin, end, _ := strings.Cut(want[i], "…"); !strings.HasPrefix(got[i], begin) ||
			!strings.HasSuffix(got[i], end) {
			t.Errorf("logged %q, want %q", got[i], want[i])
		}
	}
}

func TestBuiltInCatalogIsServedWithoutURL(t *testing.T) {
	w := newTestEnv("")
	for range 3 {
		w.serves(t, "built in")
		w.now = w.now.Add(time.Hour)
	}
	if w.makes != 1 {
		t.Errorf("made %d times", w.makes)
	}
	w.logs(t)
}

func TestFirstRequestFetchesThePublishedCatalog(t *testing.T) {
	p := newPlace(t)
	p.publish("one")
	w := p.testEnv()
	if p.looks() != 0 {
		t.Error("it looks before anybody asks")
	}
	w.serves(t, "one")
	w.logs(t, taken)
}

func TestCatalogIsFetchedOnceAMinute(t *testing.T) {
	p := newPlace(t)
	p.publish("one")
	w := p.testEnv()
	for _, step := range []struct {
		after time.Duration
		looks int
	}{
		{0, 1}, {0, 1}, {59 * time.Second, 1}, {time.Second, 2}, {time.Second, 2}, {time.Hour, 3}, {-time.Minute, 4}, {59 * time.Second, 4}, {time.Second, 5},
	} {
		w.now = w.now.Add(step.after)
		w.serves(t, "one")
		if p.looks() != step.looks {
			t.Errorf("after %v: looked %d times, want %d", step.after, p.looks(), step.looks)
		}
	}
}

func TestUnchangedCatalogIsNotDecodedAgain(t *testing.T) {
	for name, etag := range map[string]string{"with entity tags": `W/"a"`, "without": ""} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.answers(file(made("one").Encode(), etag))
			w := p.testEnv()
			for range 3 {
				w.serves(t, "one")
				w.now = w.now.Add(time.Minute)
			}
			if w.makes != 1 || p.looks() != 3 {
				t.Errorf("made %d times in %d looks", w.makes, p.looks())
			}
			for i, r := range p.asked {
				if got := r.Header.Get("If-None-Match"); i == 0 && got != "" || i > 0 && got != etag {
					t.Errorf("look %d: got If-None-Match %s", i+1, got)
				}
				if r.Header.Get("Accept-Encoding") != "" || !r.Close {
					t.Errorf("look %d: got Accept-Encoding %s, the connection's last: %t", i+1,
						r.Header.Get("Accept-Encoding"), r.Close)
				}
			}
			w.logs(t, taken)
		})
	}
}

func TestChangedCatalogIsTakenEvenIfOlder(t *testing.T) {
	p := newPlace(t)
	w := p.testEnv()
	for _, text := range []string{"one", "two", "one", "built in"} {
		p.publish(text)
		w.serves(t, text)
		w.now = w.now.Add(time.Minute)
	}
	w.logs(t, taken, taken, taken, taken)
}

func TestUnusableCatalogIsNotTaken(t *testing.T) {
	damaged := made("two").Encode()
	damaged[len(damaged)-1] ^= 1
	foreign := made("two")
	foreign.SiteURL = "https://staging.example.com"
	partial := made("two")
	partial.Documents = partial.Documents[1:]
	cut := func(announced int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if announced > 0 {
				w.Header().Set("Content-Length", fmt.Sprint(announced))
			}
			w.Write(made("two").Encode()[:announced/2+10])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	for _, test := range []struct {
		name  string
		serve http.HandlerFunc
		says  string
	}{
		{"damaged", file(damaged, ""), "damaged or truncated: the checksum differs"},
		{"a page", file([]byte("<!DOCTYPE html>"), ""), "not a bundle of this version"},
		{"empty", file(nil, ""), "not a bundle of this version"},
		{"for another site", file(foreign.Encode(), ""), "the bundle is for the site https://staging.example.com, not for " + site},
		{"incomplete", file(partial.Encode(), ""), "it has no /editions.json"},
		{"of no use", file(made("of no use").Encode(), ""), "it is of no use"},
		{"cut", cut(200), "reading the response: unexpected EOF"},
		{"cut, of no known length", cut(0), "reading the response: unexpected EOF"},
		{"too large", file(make([]byte, maxSize+1), ""), "it is larger than 8388608 bytes"},
		{"out of order", status(http.StatusBadGateway), "answered 502 Bad Gateway"},
		{"gone", status(http.StatusNotFound), "none is published: 404 Not Found"},
		{"closed", status(http.StatusForbidden), "none is published: 403 Forbidden"},
		{"elsewhere, with another scheme", http.RedirectHandler("https://127.0.0.1:1/b", http.StatusFound).ServeHTTP, "redirected from http to https"},
		{"round and round", http.RedirectHandler("/", http.StatusFound).ServeHTTP, "redirected more than 3 times"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t)
			p.publish("one")
			w := p.testEnv()
			w.serves(t, "one")
			p.answers(test.serve)
			for range 2 {
				w.now = w.now.Add(time.Minute)
				w.serves(t, "one")
				w.serves(t, "one")
			}
			w.logs(t, taken, notTaken+"…"+test.says, notTaken+"…"+test.says)
			p.publish("two")
			w.now = w.now.Add(time.Minute)
			w.serves(t, "two")
			w.logs(t, taken)
		})
	}
}

func TestMissingCatalogIsLoggedOnce(t *testing.T) {
	for _, code := range []int{http.StatusForbidden, http.StatusNotFound} {
		p := newPlace(t)
		p.answers(status(code))
		w := p.testEnv()
		for range 3 {
			w.serves(t, "built in")
			w.now = w.now.Add(time.Minute)
		}
		w.logs(t, nothing)
		p.publish("one")
		w.serves(t, "one")
		w.logs(t, taken)
	}
}

func TestRedirectWithinASchemeIsFollowed(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	other.publish("one")
	p.answers(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect).ServeHTTP)
	w := p.testEnv()
	w.serves(t, "one")
	w.now = w.now.Add(time.Minute)
	w.serves(t, "one")
	if got := other.asked[1].Header.Get("If-None-Match"); got != `"one"` {
		t.Errorf("If-None-Match: got %s", got)
	}
}

func TestThreeRedirectsAreFollowedAndNoMore(t *testing.T) {
	for redirects, want := range map[int]string{3: "one", 4: "built in"} {
		p := newPlace(t)
		arrived := file(made("one").Encode(), "")
		left := redirects
		p.answers(func(w http.ResponseWriter, r *http.Request) {
			if left--; left >= 0 {
				http.Redirect(w, r, p.URL, http.StatusFound)
				return
			}
			arrived(w, r)
		})
		p.testEnv().serves(t, want)
	}
}

func TestUnreachableServerLeavesTheOldCatalog(t *testing.T) {
	p := newPlace(t)
	p.Close()
	w := p.testEnv()
	w.serves(t, "built in")
	w.logs(t, notTaken+"…connection refused")
}

// A server that accepts the connection but sends nothing, or only part of a response, delays a request by a second.
func TestSlowServerDelaysARequestBySecondAtMost(t *testing.T) {
	for name, says := range map[string]string{"silent": "",
		"stops": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ncatalog"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestEnv("http://cdn.example.com/bundle.bin")
				dial := &w.client.Transport.(*http.Transport).DialContext
				*dial = func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					go func() {
						buffer := make([]byte, 4096)
						far.Read(buffer)
						io.WriteString(far, says)
						far.Read(buffer) // until the client gives up
						far.Close()
					}()
					return near, nil
				}
				begin := time.Now()
				w.serves(t, "built in")
				if took := time.Since(begin); took != time.Second {
					t.Errorf("it took %v", took)
				}
				if got := w.logged(t); len(got) != 1 || !strings.HasPrefix(got[0], notTaken) ||
					!strings.Contains(got[0], "deadline exceeded") {
					t.Errorf("logged %q", got)
				}
				w.serves(t, "built in")
				if took := time.Since(begin); took != time.Second {
					t.Errorf("the next one took %v", took-time.Second)
				}
			})
		})
	}
}

func TestOtherRequestsDoNotWaitForTheFetch(t *testing.T) {
	p := newPlace(t)
	asked, answer := make(chan bool, 100), make(chan bool)
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		asked <- true
		<-answer
		file(made("one").Encode(), "")(w, r)
	})
	w := p.testEnv()
	first := make(chan string)
	go func() {
		text, _ := w.Get()
		first <- text
	}()
	<-asked
	for range 10 {
		w.serves(t, "built in")
	}
	close(answer)
	if text := <-first; text != "one" {
		t.Errorf("who looked was given %q", text)
	}
	w.serves(t, "one")
	if p.looks() != 1 {
		t.Errorf("%d looked", p.looks())
	}
}

// TestCatalogsAreSwappedAsAWhole is for the race detector, too.
func TestCatalogsAreSwappedAsAWhole(t *testing.T) {
	p := newPlace(t)
	var minute atomic.Int64
	p.answers(func(w http.ResponseWriter, r *http.Request) { file(made(fmt.Sprint(minute.Load())).Encode(), "")(w, r) })
	type pair struct{ editions, catalog string }
	s := New(Options[*pair]{
		BuiltIn: func() (*bundle.Bundle, error) { return made("built in"), nil },
		URL:     p.URL,
		Make: func(b *bundle.Bundle) (*pair, error) {
			editions, _ := b.Document(bundle.EditionsPath, "")
			all, _ := b.Document(bundle.CatalogPath, "")
			return &pair{string(editions.Identity.Bytes), string(all.Identity.Bytes)}, nil
		},
		Now: func() time.Time { return time.Unix(0, 0).Add(time.Duration(minute.Load()) * time.Minute) },
		Log: slog.New(slog.DiscardHandler),
	})
	s.client.Timeout = time.Minute
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 200 {
				got, err := s.Get()
				if err != nil || got.editions != got.catalog {
					t.Errorf("got %+v, %v", got, err)
					return
				}
				minute.Add(1)
			}
		})
	}
	readers.Wait()
	if got, _ := s.Get(); got.catalog == "built in" {
		t.Error("nothing was taken")
	}
}

func TestDamagedBuiltInCatalogIsAnError(t *testing.T) {
	p := newPlace(t)
	p.publish("one")
	s := New(Options[string]{
		BuiltIn: func() (*bundle.Bundle, error) { return bundle.Decode(nil) }, URL: p.URL,
		Make: func(*bundle.Bundle) (string, error) { return "made", nil },
		Now:  time.Now, Log: slog.New(slog.DiscardHandler),
	})
	for range 2 {
		if got, err := s.Get(); err == nil {
			t.Errorf("serves %q", got)
		}
	}
}
