package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"marketplace/infra/smoke"
)

const smokeUsage = `usage: ops smoke [-packages URL] [-api URL]... [-timeout DURATION] [-write ADDRESS] URL

Checks a site from outside, and prints one line for each check: ok, or FAILED with what was expected. URL is its
SITE_URL, such as https://licenses.example.com or http://localhost:8080; the links of its catalog have to lead there.

Nothing is changed unless -write gives an email address of yours. Then a license request is filed for it, and smoke
asks for the link in the email that it gets, by which it withdraws the request. Without the link, or with -write and no
terminal, the request is left unconfirmed, and the last line says what to do.

The exit status is 1 if a check failed. The output has neither private links nor the addresses of -api.

`

// smokeTest runs the command smoke.
func smokeTest(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	var o smoke.Options
	flags.StringVar(&o.Packages, "packages", "",
		"`URL` of the catalog and the packages: checks them there, and the bucket behind it")
	flags.Func("api", "`URL` of the API itself, which must answer nobody; may be repeated", func(url string) error {
		o.API = append(o.API, url)
		return nil
	})
	flags.StringVar(&o.Write, "write", "", "email `address` to file a request with")
	limit := flags.Duration("timeout", time.Minute, "`duration` that all checks may take")
	help := func(w io.Writer) {
		fmt.Fprint(w, smokeUsage)
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 1 {
		fmt.Fprint(stderr, "smoke: one URL is required\n\n")
		help(stderr)
		return 2
	}
	o.Site = flags.Arg(0)
	o.Link = func(reference string) string {
		fmt.Fprintf(stderr, "Paste the link in the email about %s, or press Enter to leave the request: ", reference)
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		return strings.TrimSpace(line)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if !smoke.Run(ctx, o, *limit, stdout) {
		return 1
	}
	return 0
}
