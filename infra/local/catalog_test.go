package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/infra/localdata"
	"marketplace/shared/config"
)

// prepared returns the bundle of the sample metadata with another build number.
func prepared(t *testing.T, site, build string) []byte {
	t.Helper()
	m, err := catalog.Read(data.Files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{SiteURL: site, Build: build})
	if err != nil {
		t.Fatal(err)
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	return b.Encode()
}

func TestPublishedCatalogIsServedByEveryFunction(t *testing.T) {
	const site = "http://licenses.localhost"
	published := prepared(t, site, "2042") // which takes longer than the server waits, where the machine is busy
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(published) }))
	defer cdn.Close()
	var wrong []string
	for range 10 { // a server waits for a second, which a busy machine may let pass; another one looks again
		env := newTestEnvWith(t, localdata.Dir(t.TempDir()), config.Config{SiteURL: site, BundleURL: cdn.URL})
		wrong = nil
		for _, target := range []string{"/editions.json", "/editions/developer"} {
			if text := env.get(target, http.StatusOK); !strings.Contains(text, ".2042.zip") ||
				strings.Contains(text, "."+data.Build+".zip") {
				wrong = append(wrong, target)
			}
		}
		if len(wrong) == 0 {
			return
		}
	}
	t.Errorf("got another catalog at %q, want the published one", wrong)
}
