package runtimeapi_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/infra/runtimeapi"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

// TestFunctionsRunAsCompiled builds each function as for a deployment and sends it requests.
func TestFunctionsRunAsCompiled(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: compiles every function")
	}
	for _, function := range []struct {
		name  string
		env   []string
		drive func(*testing.T, *runtimeapi.Function)
	}{
		{"catalog", []string{"PACKAGES_URL=https://cdn.example.com/packages"}, driveCatalog},
		{"requests", []string{
			"TABLE_NAME=none", "SITE_URL=https://licenses.example.com", "SALES_EMAIL=sales@vendor.example", "PACKAGES_URL=https://cdn.example.com",
		}, driveRequests},
		{"console", []string{
			"TABLE_NAME=none", "SITE_URL=https://licenses.example.com", "SALES_EMAIL=sales@vendor.example", "PACKAGES_URL=https://cdn.example.com",
			"PACKAGES_BUCKET=none", "LICENSE_SIGNERS=none=none", "OIDC_ISSUER=https://127.0.0.1:1", "OIDC_CLIENT_ID=console", "OIDC_CLIENT_SECRET=none",
			"SESSION_KEYS=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
			"HASH_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		}, driveConsole},
		{"account", []string{
			"TABLE_NAME=none", "SITE_URL=https://licenses.example.com", "SALES_EMAIL=sales@vendor.example",
			"PACKAGES_URL=https://cdn.example.com",
			"ACCOUNT_KEYS=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		}, driveAccount},
		{"mailevents", []string{"TABLE_NAME=none"}, driveMailEvents},
	} {
		t.Run(function.name, func(t *testing.T) {
			function.drive(t, launch(t, function.name, function.env))
		})
	}
}

// send sends a request through the function; headers are "Name: value".
func send(t *testing.T, f *runtimeapi.Function, method, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	event, err := runtimeapi.HTTP(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.Invoke(t.Context(), event)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, target, err, f.Stderr())
	}
	resp, err := lambdahttptest.Response(answer.Payload)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return resp
}

func driveCatalog(t *testing.T, f *runtimeapi.Function) {
	b, err := builtin.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	editions, ok := b.Document(bundle.EditionsPath, "")
	if !ok {
		t.Fatal("the bundle has no editions")
	}
	want := editions.Identity.Bytes
	for range 2 { // the second time from memory
		for _, coding := range []string{"identity", "gzip", "br"} {
			resp := send(t, f, "GET", "/editions.json", "Accept-Encoding: "+coding, "Accept: application/json")
			if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %d %v", coding, resp.StatusCode, resp.Header)
			}
			if got := decompress(t, resp); !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, want the bundle's %d", coding, len(got), len(want))
			}
			again := send(t, f, "GET", "/editions.json", "Accept-Encoding: "+coding,
				"If-None-Match: "+resp.Header.Get("ETag"))
			if again.StatusCode != 304 || again.Header.Get("ETag") != resp.Header.Get("ETag") {
				t.Errorf("%s again: %d %v", coding, again.StatusCode, again.Header)
			}
		}
	}
	if resp := send(t, f, "GET", "/nothing"); resp.StatusCode != 404 ||
		resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("404: %d %v", resp.StatusCode, resp.Header)
	}
	if resp := send(t, f, "POST", "/editions.json"); resp.StatusCode != 405 || resp.Header.Get("Allow") == "" {
		t.Errorf("405: %d %v", resp.StatusCode, resp.Header)
	}
	if resp := send(t, f, "HEAD", "/catalog.json"); resp.StatusCode != 200 || resp.ContentLength != 0 ||
		resp.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", resp.StatusCode, resp.Header)
	}
	for _, p := range b.Packages {
		if p.Withdrawn != "" {
			continue
		}
		resp := send(t, f, "GET", "/downloads/"+p.File)
		if resp.StatusCode != 302 || resp.Header.Get("Location") != "https://cdn.example.com/packages/"+p.File {
			t.Errorf("%s: %d %v", p.File, resp.StatusCode, resp.Header)
		}
		if !strings.Contains(f.Stdout(), `"File":"`+p.File+`"`) {
			t.Errorf("%s: got no metric in the log: %s", p.File, f.Stdout())
		}
	}
	if _, err := f.Invoke(t.Context(), []byte(`{"Records":[]}`)); err == nil ||
		!strings.Contains(err.Error(), "payload format 2.0") {
		t.Errorf("an event of another kind: %v", err)
	}
	if resp := send(t, f, "GET", "/editions.json"); resp.StatusCode != 200 {
		t.Errorf("after it: %d", resp.StatusCode)
	}
}

// driveRequests asks for pages that need no table; TestCompiledFunctionsHandleARequest covers the others.
func driveRequests(t *testing.T, f *runtimeapi.Function) {
	for target, want := range map[string]int{
		"/": 200, "/editions/developer": 200, "/request/developer?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000": 200,
		"/healthz": 200, "/request/none": 404, "/nothing": 404,
	} {
		if resp := send(t, f, "GET", target); resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", target, resp.StatusCode, want)
		}
	}
}

// driveAccount sends requests without a session. Nothing of a customer is shown.
func driveAccount(t *testing.T, f *runtimeapi.Function) {
	for _, target := range []string{"/account", "/account/instances/01h/renew"} {
		resp := send(t, f, "GET", target)
		if resp.StatusCode != http.StatusSeeOther && resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s without a session: got %d", target, resp.StatusCode)
		}
	}
	if resp := send(t, f, "GET", "/account/signin"); resp.StatusCode != http.StatusOK {
		t.Errorf("the page for signing in: got %d", resp.StatusCode)
	}
	resp := send(t, f, "POST", "/account/signout", "Sec-Fetch-Site: cross-site")
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a form from another site: got %d, want 403", resp.StatusCode)
	}
}

// driveConsole sends requests without a session while the OIDC provider is down.
func driveConsole(t *testing.T, f *runtimeapi.Function) {
	resp := send(t, f, "GET", "/console/requests/01h")
	if location := resp.Header.Get("Location"); resp.StatusCode != 303 ||
		!strings.HasPrefix(location, "/console/signin") {
		t.Errorf("without a session: got %d to %q", resp.StatusCode, location)
	}
	if resp := send(t, f, "GET", "/console/signin"); resp.StatusCode != 503 {
		t.Errorf("without the provider: got %d, want 503", resp.StatusCode)
	}
	if resp := send(t, f, "POST", "/console/requests/01h/take"); resp.StatusCode != 403 {
		t.Errorf("change without a session: got %d, want 403", resp.StatusCode)
	}
}

// driveMailEvents sends events that need no table; TestCompiledFunctionsHandleARequest covers the others.
func driveMailEvents(t *testing.T, f *runtimeapi.Function) {
	answer, err := f.Invoke(t.Context(), feedbacktest.Batch(feedbacktest.Validation, "{"))
	if err != nil || string(answer.Payload) != `{"batchItemFailures":[]}` {
		t.Errorf("got %s, %v, want no failed item", answer.Payload, err)
	}
	if !strings.Contains(f.Stdout(), `"MailEventsMalformed":1`) {
		t.Errorf("logged %s", f.Stdout())
	}
	if _, err := f.Invoke(t.Context(), []byte(`{"Records":[]}`)); err == nil {
		t.Error("an event of another kind: got no error")
	}
}

func decompress(t *testing.T, resp *http.Response) []byte {
	t.Helper()
	var r io.Reader = resp.Body
	switch resp.Header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "br":
		r = brotli.NewReader(resp.Body)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
