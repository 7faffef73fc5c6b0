package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"marketplace/infra/restore"
	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/config"
)

const restoreUsage = `usage: ops restore -from COPY [-table NAME] [-write]

Gives the stack's table the records of a restored copy of it, without sending emails twice. Without -write it only says
what it would do. Stop everything that writes first: "ops pause STACK".

COPY is the table that AWS restored. The stack's table is that of -table or TABLE_NAME; DYNAMODB_ENDPOINT is for
engines other than AWS's. HASH_SECRET, or without it HASH_KEY, recognizes people who were erased since the copy was
made: their addresses are listed, and have to be erased again.

The exit status is 1 if something could not be done. It is safe to run it again.
`

// restoreTable runs the command and returns its exit status.
func restoreTable(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("restore", flag.ContinueOnError)
	help := func(w io.Writer) { fmt.Fprint(w, restoreUsage) }
	from := flags.String("from", "", "")
	into := flags.String("table", os.Getenv("TABLE_NAME"), "")
	write := flags.Bool("write", false, "")
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 0 || *from == "" || *into == "" || *from == *into {
		help(stderr)
		return 2
	}
	if err := restoreFrom(context.Background(), *from, *into, *write, stdout); err != nil {
		fmt.Fprintf(stderr, "restore: %v\n", err)
		return 1
	}
	return 0
}

func restoreFrom(ctx context.Context, from, into string, write bool, stdout io.Writer) error {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	o := restore.Options{Now: time.Now}
	if c.HashSecret != "" || c.HashKey != "" {
		if o.Keys, err = hashKeys(ctx, c); err != nil {
			return err
		}
	}
	copied, err := awsprofile.Whole(ctx, from, c.DynamoDBEndpoint)
	if err != nil {
		return err
	}
	tab, err := awsprofile.Whole(ctx, into, c.DynamoDBEndpoint)
	if err != nil {
		return err
	}
	o.Copy, o.Table = copied, tab
	p, err := restore.Compare(ctx, o)
	if err != nil {
		return err
	}
	if write {
		if err := p.Apply(ctx); err != nil {
			return err
		}
	}
	printRestored(stdout, p.Report, write)
	return nil
}

// printRestored says what was done, or would be.
func printRestored(w io.Writer, r restore.Report, done bool) {
	if r.Nothing() {
		fmt.Fprintln(w, "Nothing to do: the table has the records of the copy.")
	} else {
		put, deleted := "Would put", "Would delete"
		if done {
			put, deleted = "Put", "Deleted"
		}
		fmt.Fprintf(w, "%s %s, as they are in the copy: %s\n", put, some(sum(r.Put), "row"), byType(r.Put))
		fmt.Fprintf(w, "%s %s that the copy has not: %s\n", deleted, some(sum(r.Deleted), "row"), byType(r.Deleted))
	}
	fmt.Fprintf(w, "Sent since, and not sent again: %s\n", some(r.Sent, "email"))
	emails := func(what string, ids []string) {
		fmt.Fprintf(w, "%s: %s\n", what, some(len(ids), "email"))
		for _, id := range ids {
			fmt.Fprintf(w, "  %s\n", id)
		}
	}
	emails("Will be sent, because they still wait", r.Waiting)
	emails("Will be sent, because they have a point again", r.Reopened)
	emails("Held as failed, because they may have been sent: sales try them again", r.Held)
	emails("Forgotten, because what they told is undone", r.Undone)
	for _, l := range r.Licenses {
		fmt.Fprintf(w, "No longer on record: the %s license %s of %s for server %s, %s edition, to %s\n",
			strings.ToLower(string(l.Type)), l.ID, l.Organization, l.Server, l.Edition, l.Expiration)
	}
	for _, q := range r.Requests {
		fmt.Fprintf(w, "No longer on record: the request %s (%s)\n", q.Reference, q.State)
	}
	if r.Erased > 0 {
		fmt.Fprintf(w, "Erased since, and perhaps back: %s. Erase again:\n", some(r.Erased, "person"))
		for _, address := range r.Again {
			fmt.Fprintf(w, "  %s\n", address)
		}
		if len(r.Again) == 0 {
			fmt.Fprintln(w, "  none that the copy names under the keys of HASH_SECRET or HASH_KEY")
		}
	}
}

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// byType lists counts by their types.
func byType(counts map[string]int) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return strings.Join(list, ", ")
}
