package runtimeapi_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/infra/local/devidp"
	"marketplace/infra/runtimeapi"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

const consoleURL = "https://licenses.example.com/console"

// gateway is a transport that sends requests for the site to a function, as API Gateway does.
type gateway struct{ *runtimeapi.Function }

func (g gateway) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "licenses.example.com" {
		return http.DefaultTransport.RoundTrip(r)
	}
	in := httptest.NewRequest(r.Method, r.URL.String(), r.Body)
	in.Header = r.Header.Clone()
	event, err := runtimeapi.HTTP(in)
	if err != nil {
		return nil, err
	}
	answer, err := g.Invoke(r.Context(), event)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, g.Stderr())
	}
	resp, err := lambdahttptest.Response(answer.Payload)
	if err == nil {
		resp.Request = r
	}
	return resp, err
}

// TestSignOutOfTheCompiledConsole signs in to the compiled console, on a DynamoDB engine, and out again.
func TestSignOutOfTheCompiledConsole(t *testing.T) {
	c := config.Config{DynamoDBEndpoint: os.Getenv("DYNAMODB_ENDPOINT"),
		TableName: fmt.Sprintf("console-%d", time.Now().UnixNano())}
	if c.DynamoDBEndpoint == "" {
		t.Skip("DYNAMODB_ENDPOINT names no engine; infra/engines/with-dynoxide.sh and with-dynamodb-local.sh do")
	}
	if _, err := cloud.LocalTable(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var provider http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		provider.ServeHTTP(w, r)
	}))
	defer server.Close()
	issuer := server.URL + devidp.Path
	var err error
	provider, err = devidp.New(devidp.Options{
		Issuer: issuer, ClientID: "console", ClientSecret: "secret", RedirectURI: consoleURL + "/callback",
		SignedOutURI: consoleURL + "/signedout",
		People:       devidp.SamplePeople(), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := launch(t, "console", []string{
		"TABLE_NAME=" + c.TableName, "DYNAMODB_ENDPOINT=" + c.DynamoDBEndpoint, "SITE_URL=https://licenses.example.com",
		"SALES_EMAIL=sales@vendor.example", "PACKAGES_URL=https://cdn.example.com", "PACKAGES_BUCKET=none", "LICENSE_SIGNERS=none=none",
		"OIDC_ISSUER=" + issuer, "OIDC_CLIENT_ID=console", "OIDC_CLIENT_SECRET=secret",
		"SESSION_KEYS=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"HASH_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	})
	// The browser keeps the cookie until it signs out; the thief has a copy and no jar.
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := http.Client{Transport: gateway{f}, Jar: jar}
	choose, page := ask(t, &browser, "GET", consoleURL, nil)
	href := page.Find("main a[href*='person=sam']").AttrOr("href", "")
	sam, err := choose.Request.URL.Parse(href)
	if err != nil || href == "" {
		t.Fatalf("%d at %s: nobody to be", choose.StatusCode, choose.Request.URL)
	}
	if in, page := ask(t, &browser, "GET", sam.String(), nil); in.StatusCode != 200 ||
		in.Request.URL.String() != consoleURL || page.Find("header .who").Length() != 1 {
		t.Fatalf("signed in: %d at %s\n%s", in.StatusCode, in.Request.URL, f.Stdout())
	}
	at, _ := choose.Request.URL.Parse(consoleURL)
	copied := jar.Cookies(at)
	thief := http.Client{Transport: gateway{f}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for _, tt := range []struct {
		when        string
		reads, acts int // the status of a page, and of a form without its fields
	}{
		{"before signing out", 200, 415},
		{"after signing out", 303, 403},
	} {
		for method, want := range map[string]int{"GET": tt.reads, "POST": tt.acts} {
			target := map[string]string{"GET": consoleURL, "POST": consoleURL + "/requests/01h/take"}[method]
			if got, _ := ask(t, &thief, method, target, copied); got.StatusCode != want {
				t.Errorf("%s: a copy of the cookie: %s gives %d, want %d\n%s", tt.when, method, got.StatusCode, want,
					f.Stdout())
			}
		}
		if out, page := ask(t, &browser, "POST", consoleURL+"/signout", nil); out.StatusCode != 200 ||
			page.Find("h1").Text() != "Signing out" {
			t.Errorf("signing out: %d\n%s", out.StatusCode, f.Stdout())
		}
	}
}

// ask sends a request with cookies and parses the page.
func ask(t *testing.T, client *http.Client, method, target string, cookies []*http.Cookie,
) (*http.Response, *goquery.Document) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	page, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, page
}
