package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"marketplace/shared/brand"
)

// streamed is a real server of one streaming route.
func streamed(t *testing.T, handle HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(New(Options{
		Routes: []Route{{Pattern: "GET /export", Handle: handle, Stream: true}},
		Pages:  NewPages(pages, brand.Brand{}), Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	return server
}

func TestStreamIsSentWhileItIsWritten(t *testing.T) {
	arrived, line := make(chan bool), strings.Repeat("x", 1023)+"\n"
	server := streamed(t, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/csv")
		for range 2 * bufferedOfStream >> 10 {
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
		}
		<-arrived
		_, err := io.WriteString(w, "end")
		return err
	})
	resp, err := http.Get(server.URL + "/export")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, bufferedOfStream)); err != nil {
		t.Fatal(err)
	}
	close(arrived)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(rest), "\nend") || len(rest) != bufferedOfStream+len("end") {
		t.Errorf("the rest has %d bytes, %v", len(rest), err)
	}
	if resp.Header.Get("Content-Type") != "text/csv" || resp.Header.Get("Content-Security-Policy") == "" ||
		resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", resp.Header)
	}
}

func TestFailedStreamIsAnErrorOrBreaksOff(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before int
		fail   func() error
		status int
		whole  bool
	}{
		{"before it began", 100, func() error { return errors.New("no") }, 500, true},
		{"after it began", 2 * bufferedOfStream, func() error { return errors.New("no") }, 200, false},
		{"by a panic after it began", 2 * bufferedOfStream, func() error { panic("no") }, 200, false},
		{"not at all", 100, func() error { return nil }, 200, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := streamed(t, func(w http.ResponseWriter, _ *http.Request) error {
				fmt.Fprint(w, strings.Repeat("x", tt.before))
				return tt.fail()
			})
			resp, err := http.Get(server.URL + "/export")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || (err == nil) != tt.whole {
				t.Errorf("status %d, %d bytes, %v", resp.StatusCode, len(body), err)
			}
			if tt.status == 500 && strings.Contains(string(body), "xxx") {
				t.Error("the error's page holds what was written before")
			}
		})
	}
}

func TestStreamSendsNoBodyForHEAD(t *testing.T) {
	server := streamed(t, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, strings.Repeat("x", 2*bufferedOfStream))
		return err
	})
	resp, err := http.Head(server.URL + "/export")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.ContentLength != 2*bufferedOfStream {
		t.Errorf("status %d, length %d", resp.StatusCode, resp.ContentLength)
	}
}

func TestErrorPageShowsTheVisitor(t *testing.T) {
	files := map[string]string{
		"site.html":  `{{define "header"}}{{with .Visitor}}<b>{{.Name}}</b>{{end}}{{end}}{{define "footer"}}{{end}}`,
		"error.html": `{{define "main"}}{{.Status}}{{end}}`,
	}
	sam := func(*http.Request) *Visitor { return &Visitor{Name: "Sam"} }
	site := New(Options{
		Routes: []Route{
			{
				Pattern: "GET /page",
				Handle:  ShowVisitor(sam, func(http.ResponseWriter, *http.Request) error { return errNoPage }),
			},
			{
				Pattern: "GET /panic",
				Handle:  ShowVisitor(sam, func(http.ResponseWriter, *http.Request) error { panic("no") }),
			},
		},
		Pages: NewPages(filesOf(files), brand.Brand{}), Log: slog.New(slog.DiscardHandler),
	})
	for path, status := range map[string]int{"/page": 404, "/panic": 500} {
		rec := httptest.NewRecorder()
		site.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		if rec.Code != status || !strings.Contains(rec.Body.String(), "<b>Sam</b>") {
			t.Errorf("%s: got %d %s, want %d with the visitor's name", path, rec.Code, rec.Body, status)
		}
	}
}
