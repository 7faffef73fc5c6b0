package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"marketplace/infra/localdata"
	"marketplace/shared/cloud"
	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/config"
	"marketplace/shared/store"
	"marketplace/shared/store/erasure"
	"marketplace/shared/table"
)

const eraseUsage = `usage: ops erase-contact [-table NAME] [-by EMAIL] [-write] ADDRESS

Erases a person who asked for it: name and address are replaced everywhere but in the text of issued keys. Without
-write it only says what it would do. -by is who does it, for the audit. Texts that people typed and that name the
person are listed; the console's page /console/erase can clear them.

HASH_KEY has the secret key of the hash that stays. The table is that of -table or TABLE_NAME: in the cloud, or on the
engine at DYNAMODB_ENDPOINT if that is set. Without a table name it is the data of the local server (DATA, default
.local), which must not be running: use its page /console/erase.

The exit status is 1 if something could not be done.
`

// eraseContact runs the command and returns its exit status.
func eraseContact(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("erase-contact", flag.ContinueOnError)
	help := func(w io.Writer) { fmt.Fprint(w, eraseUsage) }
	tableName := flags.String("table", os.Getenv("TABLE_NAME"), "")
	by := flags.String("by", "operator", "")
	write := flags.Bool("write", false, "")
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 1 {
		help(stderr)
		return 2
	}
	r, err := eraseFrom(context.Background(), *tableName, flags.Arg(0), *by, *write)
	if err != nil {
		fmt.Fprintf(stderr, "erase-contact: %v\n", err)
		return 1
	}
	printErased(stdout, r, *write)
	if *write && !r.Done {
		fmt.Fprintln(stderr, "erase-contact: not finished; run it again")
		return 1
	}
	return 0
}

// eraseFrom erases a person from a table, or from the local server's data for "".
func eraseFrom(ctx context.Context, tableName, address, by string, write bool) (r erasure.Report, err error) {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return r, err
	}
	c.TableName = tableName
	now := time.Now
	var keys erasure.Keys
	var t table.Table
	done := func() error { return nil }
	if tableName == "" {
		dir := localdata.FromEnv(os.Getenv)
		if server := dir.Server(ctx); server != "" {
			return r, fmt.Errorf("the local server is running: use its page %s/console/erase", server)
		}
		clock, err := dir.OpenClock(time.Now)
		if err != nil {
			return r, err
		}
		now = clock.Now
		if keys, err = localdata.HashKeys(); err != nil {
			return r, err
		}
		if t, done, err = dir.OpenTable(ctx, c); err != nil {
			return r, err
		}
	} else {
		if keys, err = erasure.ParseKeys(c.HashKey); err != nil {
			return r, fmt.Errorf("HASH_KEY: %w", err)
		}
		if c.DynamoDBEndpoint == "" {
			t, err = awsprofile.Table(ctx, c.TableName)
		} else {
			t, err = cloud.LocalTable(ctx, c)
		}
		if err != nil {
			return r, err
		}
	}
	defer func() { err = errors.Join(err, done()) }()
	e := erasure.New(store.New(t, store.Options{Now: now}), keys)
	if !write {
		return e.Preview(ctx, address)
	}
	return e.Erase(ctx, address, erasure.Options{By: by, Now: now})
}

// printErased says what was done, or would be. It does not repeat the address.
func printErased(w io.Writer, r erasure.Report, done bool) {
	what := "Would change"
	if done {
		what = "Changed, by all runs,"
	}
	fmt.Fprintf(w, "%s %s. The person becomes %s\n", what, some(r.Total(), "row"), r.Address())
	for _, kind := range slices.Sorted(maps.Keys(r.Rows)) {
		fmt.Fprintf(w, "  %-14s %d\n", kind, r.Rows[kind])
	}
	for _, open := range r.Open {
		fmt.Fprintf(w, "Would withdraw the open request %s\n", open.Reference)
	}
	for _, c := range r.Contacts {
		last := ""
		if c.Last {
			last = ", which then has none"
		}
		fmt.Fprintf(w, "Would remove a contact of %s (%s)%s\n", c.Name, c.Reference, last)
	}
	if r.Waiting > 0 {
		fmt.Fprintf(w, "Would not send %s to the person\n", some(r.Waiting, "waiting email"))
	}
	for _, text := range r.Texts {
		fmt.Fprintf(w, "Look at this %s: %s\n", text.Where, text.Link)
	}
	fmt.Fprintln(w, "What stays: the text of issued keys, the texts listed, a hash of the address, and backups "+
		"for 35 days.")
}
