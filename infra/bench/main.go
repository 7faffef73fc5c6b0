// Command bench measures the cost of cold starts and requests as ratios to a minimal Go Lambda (infra/bench/hello). All
// programs are compiled with the flags of a deployment, run in turns under a Runtime API on this machine, and compared
// with the budgets of performance.md, "Budgets". Then it runs the Go benchmarks: preparing a catalog, filing a license
// request, and the console's pages over 100,000 licenses and requests. At the end it simulates days of the outbox
// (mail.md, "Days of the outbox").
//
//	go run ./infra/bench [-cold 41] [-warm 6000] [-strict] [-short] [-skip-go] [-mails]
//
// Absolute numbers say little about AWS, but the ratios carry over. On a shared machine, two measurements of the same
// program differ by 5 % cold and 10 % warm.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
	"marketplace/infra/mailsim"
	"marketplace/infra/runtimeapi"
)

func main() {
	var c config
	flag.IntVar(&c.cold, "cold", 41, "cold starts of each target")
	flag.IntVar(&c.warm, "warm", 6000, "warm requests to each target")
	flag.BoolVar(&c.strict, "strict", false, "exit with status 1 if a budget is exceeded")
	flag.BoolVar(&c.short, "short", false, "measure the console with a tenth of the licenses and requests")
	flag.BoolVar(&c.skipGo, "skip-go", false, "skip the Go benchmarks, which also measure allocations")
	flag.BoolVar(&c.onlyMails, "mails", false, "only simulate the outbox")
	flag.Parse()
	if flag.NArg() > 0 || c.cold < 1 || c.warm < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	within, err := run(ctx, c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if c.strict && !within {
		os.Exit(1)
	}
}

type config struct {
	cold, warm            int
	strict, short, skipGo bool
	onlyMails             bool
}

func run(ctx context.Context, c config) (within bool, err error) {
	if c.onlyMails {
		return true, mailsim.Print(ctx, os.Stdout)
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	b, err := builtin.Bundle()
	if err != nil {
		return false, err
	}
	place, err := publish(b)
	if err != nil {
		return false, err
	}
	defer place.Close()
	targets, err := build(ctx, dir, b, "http://"+place.Addr().String()+"/bundle.bin")
	if err != nil {
		return false, err
	}
	if err := measureCold(ctx, targets, c.cold); err != nil {
		return false, err
	}
	if err := measureWarm(ctx, targets, c.warm); err != nil {
		return false, err
	}
	var results []benchmark
	if !c.skipGo {
		results = goBenchmarks(ctx, c.short)
	}
	for _, t := range targets {
		t.allocations = allocations(results, t.benchmark)
	}
	printTargets(os.Stdout, targets)
	within = printBudgets(os.Stdout, targets)
	printBenchmarks(os.Stdout, results)
	return within, errors.Join(mailsim.Print(ctx, os.Stdout), unmeasured(results))
}

// unmeasured is an error that names the benchmarks that failed.
func unmeasured(results []benchmark) error {
	var names []string
	for _, b := range results {
		if b.problem != "" {
			names = append(names, b.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("bench: not measured: %s", strings.Join(names, ", "))
}

// publish serves a bundle on loopback as the CDN would.
func publish(b *bundle.Bundle) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	file := b.Encode()
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"bundle"`)
		http.ServeContent(w, r, "bundle.bin", time.Time{}, bytes.NewReader(file))
	}))
	return listener, nil
}

// build compiles the programs and returns the targets with their requests. All targets are compared with the first one.
// bundleURL is the address of b.
func build(ctx context.Context, dir string, b *bundle.Bundle, bundleURL string) ([]*target, error) {
	program := func(name string) string { return filepath.Join(dir, name) }
	for name, importPath := range map[string]string{
		"hello": "marketplace/infra/bench/hello", "catalog": "marketplace/functions/catalog",
		"requests": "marketplace/functions/requests", "console": "marketplace/functions/console",
		"account": "marketplace/functions/account",
	} {
		if err := runtimeapi.Build(ctx, importPath, program(name)); err != nil {
			return nil, err
		}
	}
	hello, catalog := program("hello"), program("catalog")
	download, etag := "", ""
	for _, p := range b.Packages {
		if p.Withdrawn == "" {
			download = "/downloads/" + p.File
		}
	}
	if d, ok := b.Document(bundle.EditionsPath, ""); ok {
		etag = d.Brotli.ETag
	}
	targets := []*target{
		{name: "hello", bootstrap: hello, path: "/editions.json", benchmark: "hello"},
		{name: "catalog br", bootstrap: catalog, path: "/editions.json", benchmark: "api/br",
			budget: budget{cold: 1.10, warm: 1.00, cpu: 1.00, allocations: 1.00, megabytes: 7}},
		{name: "catalog published", bootstrap: catalog, env: []string{"BUNDLE_URL=" + bundleURL},
			path: "/editions.json", benchmark: "api/br",
			budget: budget{cold: 1.10, warm: 1.00}},
		{name: "catalog identity", bootstrap: catalog, path: "/editions.json", encoding: "identity",
			benchmark: "api/identity"},
		{name: "catalog 304", bootstrap: catalog, path: "/editions.json", ifNoneMatch: etag, benchmark: "api/304"},
		{name: "download redirect", bootstrap: catalog, path: download, benchmark: "api/download",
			budget: budget{cold: 1.20, warm: 1.10}},
		{name: "requests, form", bootstrap: program("requests"), env: siteEnv, path: "/request/developer",
			budget: budget{cold: 1.70}},
		{name: "account, signing in", bootstrap: program("account"), env: siteEnv, path: "/account/signin",
			budget: budget{cold: 2.00}},
		{name: "console, stranger", bootstrap: program("console"), env: siteEnv, path: "/console",
			budget: budget{cold: 2.40}},
	}
	known := sha256.Sum256([]byte(originKey))
	for _, t := range targets {
		t.env = append(slices.Clip(t.env), "ORIGIN_KEYS="+strings.Repeat("0", 64)+","+hex.EncodeToString(known[:]))
		var err error
		if t.event, err = browserEvent(t); err != nil {
			return nil, err
		}
		info, err := os.Stat(t.bootstrap)
		if err != nil {
			return nil, err
		}
		t.size = info.Size()
	}
	return targets, nil
}

// originKey is what the distribution sends, as in a deployment. The functions know its hash and, while it is replaced,
// another one.
const originKey = "f3b1c6a2d9e84705f3b1c6a2d9e84705f3b1c6a2d9e84705f3b1c6a2d9e84705"

// siteEnv is the environment that functions with pages need to start. They call none of the addresses.
var siteEnv = []string{
	"SITE_URL=https://licenses.example.com", "PACKAGES_URL=https://cdn.example.com", "PACKAGES_BUCKET=none", "TABLE_NAME=none",
	"SALES_EMAIL=sales@vendor.example", "LICENSE_SIGNERS=none=none", "OIDC_ISSUER=https://127.0.0.1:1", "OIDC_CLIENT_ID=none", "OIDC_CLIENT_SECRET=none",
	"SESSION_KEYS=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	"HASH_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	"ACCOUNT_KEYS=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
}

func browserEvent(t *target) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, "https://editions.example.com"+t.path, nil)
	if err != nil {
		return nil, err
	}
	encoding := "gzip, deflate, br"
	if t.encoding != "" {
		encoding = t.encoding
	}
	for name, value := range map[string]string{
		"Accept": "application/json", "Accept-Encoding": encoding, "Accept-Language": "en-US,en;q=0.9",
		"Cache-Control": "no-cache",
		"Origin":        "https://sonarqube.example.org", "Referer": "https://sonarqube.example.org/admin", "Sec-Fetch-Dest": "empty",
		"X-Origin-Key":   originKey,
		"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site",
		"X-Amzn-Trace-Id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
		"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 " +
			"Safari/537.36",
	} {
		r.Header.Set(name, value)
	}
	if t.ifNoneMatch != "" {
		r.Header.Set("If-None-Match", t.ifNoneMatch)
	}
	return runtimeapi.HTTP(r)
}
