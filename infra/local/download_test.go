package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/functions/catalog/api"
	"marketplace/functions/requests/site"
	"marketplace/infra/localdata"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/table/bolt"
)

const bigPackage = "developer-edition-7.1.0." + data.Build + ".zip"

// brokenCDN serves one large package to any origin, with ranges, over connections that break.
type brokenCDN struct {
	mu      sync.Mutex
	content []byte
	breaks  []int64 // how many bytes the next connections send; 0 answers 503; none left: all
	ranges  []string
}

func (b *brokenCDN) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.ranges = append(b.ranges, r.Header.Get("Range"))
	limit, content := int64(len(b.content)), b.content
	if len(b.breaks) > 0 {
		limit, b.breaks = b.breaks[0], b.breaks[1:]
	}
	b.mu.Unlock()
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+bigPackage+`"`)
	h.Set("ETag", fmt.Sprintf("%q", sumOf(content)))
	if limit == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	http.ServeContent(&breaking{w, limit}, r, bigPackage, time.Time{}, bytes.NewReader(content))
}

// breaking breaks the connection after some bytes.
type breaking struct {
	http.ResponseWriter
	left int64
}

func (b *breaking) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		b.ResponseWriter.Write(p[:b.left])
		http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	b.left -= int64(len(p))
	return b.ResponseWriter.Write(p)
}

// wantResumed checks that each connection after the first asked for what the ones before it had not delivered. A broken
// connection may lose its last bytes, so it delivered at most what it was to send.
func (b *brokenCDN) wantResumed(t *testing.T, sent ...int64) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ranges) != len(sent)+1 || b.ranges[0] != "" {
		t.Fatalf("got connections %q, want one without a range and %d with one", b.ranges, len(sent))
	}
	var before int64
	for i, most := range sent {
		var start int64
		if _, err := fmt.Sscanf(b.ranges[i+1], "bytes=%d-", &start); err != nil || start <= before ||
			start > before+most {
			t.Errorf("got range %q, want one from %d to %d on", b.ranges[i+1], before+1, before+most)
		}
		before = start
	}
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// downloadSite is the public site and the catalog function as in the cloud: a package is a redirect to another origin.
// counted are the downloads that were counted.
func downloadSite(t *testing.T, cdn *brokenCDN) (siteURL string, counted *bytes.Buffer) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	cdn.content = make([]byte, 10<<20)
	random.Read(cdn.content)
	packages := httptest.NewServer(cdn)
	packages.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	t.Cleanup(packages.Close)

	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c, err := data.Catalog(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Packages {
		if p := &c.Packages[i]; p.File == bigPackage {
			p.Size, p.SHA256 = int64(len(cdn.content)), sumOf(cdn.content)
		}
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	counted = new(bytes.Buffer)
	mux.Handle("/downloads/", api.New(b, api.Options{
		PackagesURL: packages.URL, Metrics: counted, Now: time.Now, Log: log,
	}))
	mux.Handle("/", site.New(site.Options{
		Store:   delivery.New(store.New(tab, store.Options{Now: time.Now})),
		Catalog: func() (*catalog.Catalog, error) { return c, nil },
		Now:     time.Now, SiteURL: s.URL, PackagesURL: packages.URL, Log: log,
	}))
	return s.URL, counted
}

const bigLink = `a.download[data-file="` + bigPackage + `"]`

// openPackages opens the edition's page, accepts the terms, and makes the script's pauses short.
func openPackages(t *testing.T, ctx context.Context, siteURL string) {
	t.Helper()
	act(t, ctx, "opening the page", chromedp.Navigate(siteURL+"/editions/developer"), chromedp.WaitVisible(`#terms`),
		chromedp.Evaluate[chromedp.Void](`(() => {
			const slow = setTimeout; window.setTimeout = (f, ms) => slow(f, ms / 20);
		})()`),
		chromedp.Click(`#terms`), chromedp.WaitVisible(bigLink))
}

// saved clicks and returns the file that the browser saved.
func saved(t *testing.T, ctx context.Context, click string) []byte {
	t.Helper()
	dir := t.TempDir()
	events := true
	if _, err := chromedp.CallBrowser(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: "allow", DownloadPath: dir, EventsEnabled: &events,
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	done := chromedp.BrowserEvents(ctx, cdpbrowser.DownloadProgress)
	act(t, ctx, "downloading", chromedp.Click(click))
	for e, err := range done {
		if err != nil {
			t.Fatal(err)
		}
		if e.State == "completed" {
			break
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, bigPackage))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestBrokenDownloadResumesInThePage(t *testing.T) {
	ctx := browser(t)
	cdn := &brokenCDN{breaks: []int64{4 << 20, 3<<20 + 17}}
	siteURL, counted := downloadSite(t, cdn)
	openPackages(t, ctx, siteURL)
	got := saved(t, ctx, bigLink)
	if !bytes.Equal(got, cdn.content) {
		t.Errorf("got %d bytes that are not the package's %d", len(got), len(cdn.content))
	}
	if said := text(t, ctx, `.transfer[data-state=done] p`); said != "Saved "+bigPackage+". Its SHA-256 matches." {
		t.Errorf("got %q", said)
	}
	cdn.wantResumed(t, 4<<20, 3<<20+17)
	if n := strings.Count(counted.String(), "\n"); n != 1 {
		t.Errorf("got %d downloads counted, want 1", n)
	}
	look(t, ctx, "download-done")
}

func TestLostDownloadSaysWhatToDo(t *testing.T) {
	ctx := browser(t)
	cdn := &brokenCDN{breaks: []int64{4 << 20, 0}}
	siteURL, _ := downloadSite(t, cdn)
	openPackages(t, ctx, siteURL)
	act(t, ctx, "downloading", chromedp.Click(bigLink), chromedp.WaitVisible(`.transfer[data-state=stopped]`))
	if said := text(t, ctx, `.transfer p`); !strings.HasPrefix(said, "The server cannot send the package right now. ") {
		t.Errorf("got %q", said)
	}
	look(t, ctx, "download-stopped")

	act(t, ctx, "losing the network", chromedp.Evaluate[chromedp.Void](
		`window.online = fetch; window.fetch = () => Promise.reject(new TypeError("offline"))`),
		chromedp.Click(`.transfer button`), chromedp.Poll[chromedp.Void](
			`document.querySelector(".transfer p").textContent.includes("Choose Resume")`))
	want := regexp.MustCompile(`^The connection was lost after [0-9.]+ MB of 10\.5 MB\. Choose Resume once you are ` +
		`online again: the download continues there\.$`)
	if said := text(t, ctx, `.transfer p`); !want.MatchString(said) {
		t.Errorf("got %q, want %s", said, want)
	}
	act(t, ctx, "being online again", chromedp.Evaluate[chromedp.Void](`window.fetch = window.online`))
	if got := saved(t, ctx, `.transfer button`); !bytes.Equal(got, cdn.content) {
		t.Errorf("got %d bytes that are not the package", len(got))
	}
	if last := cdn.ranges[len(cdn.ranges)-1]; !strings.HasPrefix(last, "bytes=") || last != cdn.ranges[1] {
		t.Errorf("after Resume: got range %q, want the rest", last)
	}
}

func TestDamagedDownloadIsNotSaved(t *testing.T) {
	ctx := browser(t)
	cdn := new(brokenCDN)
	siteURL, _ := downloadSite(t, cdn)
	intact := cdn.content
	cdn.content = bytes.Clone(intact)
	cdn.content[5<<20] ^= 1
	openPackages(t, ctx, siteURL)
	act(t, ctx, "downloading", chromedp.Click(bigLink), chromedp.WaitVisible(`.transfer[data-state=stopped]`))
	if said := text(t, ctx, `.transfer p`); !strings.HasSuffix(said, "We did not save it.") {
		t.Errorf("got %q", said)
	}
	cdn.mu.Lock()
	cdn.content = intact
	cdn.mu.Unlock()
	if got := saved(t, ctx, `.transfer button`); !bytes.Equal(got, intact) {
		t.Error("downloading again gives another file")
	}
}

func TestDownloadWithoutAScriptIsOrdinary(t *testing.T) {
	ctx := browser(t)
	cdn := new(brokenCDN)
	siteURL, _ := downloadSite(t, cdn)
	act(t, ctx, "switching scripts off", func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return v, err
	}, chromedp.Navigate(siteURL+"/editions/developer"), chromedp.WaitVisible(`#terms`), chromedp.Click(`#terms`))
	if got := saved(t, ctx, bigLink); !bytes.Equal(got, cdn.content) {
		t.Errorf("got %d bytes that are not the package", len(got))
	}
}

// TestCommandOfThePageResumes runs the command that the page names, on connections that break.
func TestCommandOfThePageResumes(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	cdn := &brokenCDN{breaks: []int64{4 << 20}}
	siteURL, _ := downloadSite(t, cdn)
	answer, err := http.Get(siteURL + "/editions/developer")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	html, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	command := document(t, string(html)).Find("#resume code").Text()
	args := strings.Fields(command)
	if len(args) < 2 || args[0] != "curl" || args[len(args)-1] != siteURL+"/downloads/"+bigPackage {
		t.Fatalf("got command %q", command)
	}
	dir := t.TempDir()
	run := func() error {
		cmd := exec.CommandContext(t.Context(), args[0], append([]string{"-sS"}, args[1:]...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	}
	if err := run(); err == nil {
		t.Fatal("the broken download succeeded")
	}
	if err := run(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, bigPackage)); err != nil || !bytes.Equal(got, cdn.content) {
		t.Errorf("got %d bytes that are not the package, %v", len(got), err)
	}
	cdn.wantResumed(t, 4<<20)
}

// TestInstructionsInstallThePackage runs the commands of the installation guide, with a server that has older jars.
func TestInstructionsInstallThePackage(t *testing.T) {
	for _, program := range []string{"sh", "sha256sum", "unzip"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s", program)
		}
	}
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	const file = "developer-edition-7.1.0." + data.Build + ".zip"
	downloads, home := t.TempDir(), t.TempDir()
	content, err := os.ReadFile(filepath.Join(env.data.Packages(), file))
	if err != nil {
		t.Fatal(err)
	}
	plugins := filepath.Join(home, "extensions", "plugins")
	for name, text := range map[string]string{
		filepath.Join(downloads, file):                                    string(content),
		filepath.Join(home, "bin", "linux-x86-64", "sonar.sh"):            "#!/bin/sh\necho \"$1\" >> calls\n",
		filepath.Join(plugins, "sonar-java-plugin-5.1.0.13090.jar"):       "free",
		filepath.Join(plugins, "sonar-cfamily-plugin-4.13.0.8718.jar"):    "old",
		filepath.Join(plugins, "sonar-branch-plugin-7.0.0.413.jar"):       "old",
		filepath.Join(plugins, "sonar-governance-plugin-7.0.0.413.jar"):   "of the larger edition",
		filepath.Join(plugins, "backelite-sonar-swift-plugin-0.3.6.jar"):  "of somebody else",
		filepath.Join(plugins, "sonar-vbnet-plugin-extra", "readme.html"): "a folder",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	guide := env.page("/editions/developer/install?version=7.1&os=linux&sourceEdition=enterprise")
	commands := guide.Find(".guide pre code").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	if len(commands) != 5 {
		t.Fatalf("got commands %q, want five", commands)
	}
	for i, command := range commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", strings.ReplaceAll(command, "/path/to", downloads))
		if cmd.Dir = home; i == 0 {
			cmd.Dir = downloads
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	if calls, err := os.ReadFile(filepath.Join(home, "calls")); err != nil || string(calls) != "stop\nstart\n" {
		t.Errorf("got calls %q, %v, want stop and start", calls, err)
	}
	c, err := data.Catalog(env.URL)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"backelite-sonar-swift-plugin-0.3.6.jar", "sonar-java-plugin-5.1.0.13090.jar",
		"sonar-vbnet-plugin-extra"}
	p, _ := c.Package("developer", "7.1")
	for _, jar := range p.Jars {
		want = append(want, jar.File)
	}
	slices.Sort(want)
	entries, err := os.ReadDir(plugins)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got plugins\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
