package site

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/officehours"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// noStore has nothing on record and accepts everything.
type noStore struct{ Store }

func (noStore) License(context.Context, string) (store.LicenseRecord, error) {
	return store.LicenseRecord{}, fault.New(fault.NotFound, "no license")
}

func (noStore) Policy() reminder.Policy { return reminder.Policy{} }

func (noStore) Hours() officehours.Hours { return officehours.Hours{} }

func (noStore) FileRequest(_ context.Context, f store.Filing) (request.Request, bool, error) {
	return request.Request{ID: "r", Token: "T", Details: f.Details}, true, nil
}

// worstBodies are values of fields that cost most, by address: each is repeated until the body is full.
var worstBodies = []struct{ name, path, field, unit string }{
	{"form-contacts", "/request/developer", "contacts", "a@b.example\n"},
	{"form-angles", "/request/developer", "contacts", "<a@b>,"},
	{"form-message", "/request/developer", "message", "a\n"},
	{"form-lines", "/request/developer", "ncloc", "0"},
	{"form-version", "/request/developer", "productVersion", "6."},
	{"form-hidden", "/request/developer", "company", "\u200b"},
	{"api-contacts", "/api/license-requests", "contacts", "a@b.example;"},
	{"api-message", "/api/license-requests", "message", "a\n"},
	{"check-plugins", "/licenses/check", "plugins", "ab "},
	{"check-starts", "/licenses/check", "key", "Rm9ybWF0P"},
	{"check-packed", "/licenses/check", "key", "Um05eWJXRjBQ"},
	{"check-marks", "/licenses/check", "key", ">-\n"},
	{"api-check-plugins", "/api/licenses/check", "plugins", "ab "},
	{"api-check-starts", "/api/licenses/check", "key", "Rm9ybWF0P\n"},
}

// BenchmarkWorstBody sends the bodies that cost most to every public address, 16 and 64 KB long, and reports how often
// the same body could be parsed as JSON meanwhile.
func BenchmarkWorstBody(b *testing.B) {
	keys := licensetest.Issuer(b)
	site := New(Options{
		Store: noStore{}, Catalog: sample, Keys: func() (license.KeySet, error) { return keys.Keys, nil },
		Now: func() time.Time { return start }, SiteURL: siteURL, Log: slog.New(slog.DiscardHandler),
	})
	for _, w := range worstBodies {
		for _, kb := range []int{16, 64} {
			b.Run(fmt.Sprintf("%s-%dKB", w.name, kb), func(b *testing.B) {
				body, contentType := fullBody(w.path, w.field, w.unit, kb<<10-100)
				asJSON := []byte(fullJSON(w.path, w.field, w.unit, kb<<10-100))
				var parsing, serving time.Duration
				for b.Loop() {
					began := time.Now()
					var v any
					if err := json.Unmarshal(asJSON, &v); err != nil {
						b.Fatal(err)
					}
					parsed := time.Now()
					r := httptest.NewRequest(http.MethodPost, w.path, strings.NewReader(body))
					r.Header.Set("Content-Type", contentType)
					answer := httptest.NewRecorder()
					site.ServeHTTP(answer, r)
					parsing, serving = parsing+parsed.Sub(began), serving+time.Since(parsed)
					if answer.Code == http.StatusRequestEntityTooLarge || answer.Code >= 500 {
						b.Fatalf("got status %d", answer.Code)
					}
				}
				b.ReportMetric(float64(serving)/float64(parsing), "x-json")
			})
		}
	}
}

// fullBody returns a body of the size that the address reads, with the unit repeated in the field.
func fullBody(path, field, unit string, size int) (body, contentType string) {
	if strings.HasPrefix(path, "/api/") {
		return fullJSON(path, field, unit, size), "application/json"
	}
	form := url.Values{}
	if strings.HasPrefix(path, "/request/") {
		form = validForm()
	}
	form.Set(field, "")
	form.Set(field, strings.Repeat(unit, (size-len(form.Encode()))/len(url.QueryEscape(unit))))
	return form.Encode(), "application/x-www-form-urlencoded"
}

// fullJSON is fullBody as JSON.
func fullJSON(path, field, unit string, size int) string {
	object := map[string]string{field: ""}
	if strings.Contains(path, "request") {
		for name, values := range validForm() {
			object[name] = values[0]
		}
	}
	encode := func() string {
		data, err := json.Marshal(object)
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	quoted, _ := json.Marshal(unit)
	object[field] = ""
	object[field] = strings.Repeat(unit, (size-len(encode()))/(len(quoted)-2))
	return encode()
}

// TestLongListsAreRefusedUnread holds the limits that keep the cost of a body proportional to its length.
func TestLongListsAreRefusedUnread(t *testing.T) {
	env := newTestEnv(t)
	for _, tt := range []struct{ path, field, unit string }{
		{"/licenses/check", "plugins", "ab "}, {"/request/developer", "contacts", "a@b.example "},
		{"/request/developer", "message", "a\n"},
	} {
		body, contentType := fullBody(tt.path, tt.field, tt.unit, 60<<10)
		a := env.do("POST", tt.path, body, "Content-Type", contentType).WantStatus(http.StatusUnprocessableEntity)
		if a.Page().Find("#"+tt.field+"-error").Length() != 1 {
			t.Errorf("%s: got no error beside %s", tt.path, tt.field)
		}
	}
	plugins := make([]string, 2*maxPlugins)
	for i := range plugins {
		plugins[i] = fmt.Sprint("plugin", i)
	}
	env.do("POST", "/api/licenses/check", `{"key":"x","plugins":"`+strings.Join(plugins, " ")+`"}`,
		"Content-Type", "application/json").WantStatus(http.StatusUnprocessableEntity)
}

func TestLinesOfCodeInLinksHaveNoLeadingZeros(t *testing.T) {
	env := newTestEnv(t)
	for _, path := range []string{"/", "/request", "/request/developer", "/licenses/check", "/editions/developer"} {
		a := env.get(path + "?ncloc=" + strings.Repeat("0", 3000) + "7").WantStatus(200)
		if strings.Contains(a.Body, "000007") || !strings.Contains(a.Body, "ncloc=7") {
			t.Errorf("%s: got the zeros repeated, want ncloc=7 in links", path)
		}
	}
}
