package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"marketplace/catalog/data"
	"marketplace/infra/localdata"
	"marketplace/shared/license"
)

// edited writes the sample metadata into a folder, with a text of the developer edition replaced.
func edited(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, data.Files); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "edition-templates.properties")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	after := strings.Replace(string(text), "notifications in your IDE", "notifications in your editor", 1)
	if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// issuedKey returns a key of the server, for a customer's server.
func issuedKey(t *testing.T, s *Server) string {
	t.Helper()
	issuer, err := s.data.Issuer()
	if err != nil {
		t.Fatal(err)
	}
	c, err := data.Catalog(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	developer, _ := c.Edition(string(license.Developer))
	today := license.DateOf(time.Now())
	key, err := issuer.Issue(license.Key{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: "Acme AG",
		Server: "BWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, Plugins: developer.Plugins,
		Languages: developer.Languages, Features: developer.Features, MaxLoc: 500000, Expiration: today.AddMonths(12),
		Issued: today,
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestMarketplaceIsSeenBeforeAndAfterPublishing walks through the preview, which has no scripts, and opens that of a
// folder of metadata as an admin.
func TestMarketplaceIsSeenBeforeAndAfterPublishing(t *testing.T) {
	ctx := browser(t)
	metadata := edited(t)
	s, err := Start(t.Context(), Options{
		Addr: "localhost:0", Data: localdata.Dir(t.TempDir()), Empty: true, Now: time.Now, Preview: metadata,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })

	act(t, ctx, "opening the preview", chromedp.Navigate(s.URL+
		"/marketplace?version=6.7.1&edition=developer&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000"),
		chromedp.WaitVisible(`.boxes`))
	look(t, ctx, "marketplace")
	act(t, ctx, "choosing Upgrade", chromedp.Click(`[data-edition=enterprise] a.button`),
		chromedp.WaitVisible(`#dialog`))
	look(t, ctx, "marketplace-dialog")
	act(t, ctx, "pasting a license", chromedp.Click(`.answers a[href*="step=key"]`), chromedp.WaitVisible(`#verdict`))
	look(t, ctx, "marketplace-license")
	act(t, ctx, "installing", chromedp.Click(`#dialog > .actions a.button`), chromedp.WaitVisible(`.progress`))
	look(t, ctx, "marketplace-installing")
	act(t, ctx, "failing to download", chromedp.Click(`#alert a[href*="step=failed"]`),
		chromedp.WaitVisible(`#package`))
	look(t, ctx, "marketplace-failed")

	act(t, ctx, "pasting a key for another server", chromedp.Navigate(s.URL+
		"/marketplace?version=6.7.1&box=developer&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000"),
		chromedp.SetValue(`#key`, issuedKey(t, s)), chromedp.Submit(`#key`), chromedp.WaitVisible(`#after`))
	if got := text(t, ctx, `#after`); !strings.Contains(got, "rejects the key") {
		t.Errorf("got %q, want the license plugin's reason", got)
	}
	look(t, ctx, "marketplace-key")

	act(t, ctx, "signing in", chromedp.Navigate(s.URL+"/console/marketplace"), chromedp.WaitVisible(`.cards`),
		chromedp.Click(`a[href*="ada%40"]`), chromedp.WaitVisible(`.boxes`))
	if got := text(t, ctx, `[data-edition=developer]`); !strings.Contains(got, "notifications in your editor") {
		t.Errorf("the console shows %q, want the text of the folder", got)
	}
	act(t, ctx, "opening the differences", chromedp.Click(`#changes summary`), chromedp.WaitVisible(`#changes table`))
	look(t, ctx, "console-marketplace")
	act(t, ctx, "opening the published catalog", chromedp.Click(`.tabs a[href*="catalog=published"]`),
		chromedp.WaitVisible(`.boxes`))
	if got := text(t, ctx, `[data-edition=developer]`); !strings.Contains(got, "notifications in your IDE") {
		t.Errorf("the console shows %q, want the published text", got)
	}
	if err := os.WriteFile(filepath.Join(metadata, "cpp.properties"), []byte("publicVersions=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	act(t, ctx, "opening faulty metadata", chromedp.Navigate(s.URL+"/console/marketplace"),
		chromedp.WaitVisible(`main h1`))
	if got := text(t, ctx, `main`); !strings.Contains(got, "cpp.properties") {
		t.Errorf("the console shows %q, want the fault of the metadata", got)
	}
}
