package httpscript_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"marketplace/shared/web/webtest/httpscript"
)

func TestScripts(t *testing.T) {
	httpscript.Run(t, "testdata", func(*testscript.Env) (http.Handler, error) {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Vary", "Origin")
			io.WriteString(w, `<h1>A  page</h1><a href="/a">one</a> <a href="/b">two</a>`)
		})
		mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
			w.Header().Set("Location", "/page")
			w.WriteHeader(http.StatusCreated)
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, `{"sent": %s, "list": [{"n": 1}], "6.7": null, "a/b": true}`, body)
		})
		return mux, nil
	})
}
