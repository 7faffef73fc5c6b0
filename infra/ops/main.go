// Command ops is the operator's tool: it publishes release metadata, prepares what deployments serve, brings licenses on record and
// prints the public keys of license signers.
// Each command is in a file of its own; this one only finds it.
package main

import (
	"fmt"
	"io"
	"os"
)

// command is one thing that the tool can do. run returns the exit status: 0 done, 1 refused or failed, 2 misused.
type command struct {
	name, summary string
	run           func(args []string, stdout, stderr io.Writer) int
}

var commands = []command{
	{"publish", "write the catalog, the editions' pages and the packages to a folder", publish},
	{"bundle", "prepare the bundle that the catalog function serves", writeBundle},
	{"import-licenses", "bring a vendor's existing licenses on record", importLicenses},
	{"license-keys", "print the public keys of KMS keys, as LICENSE_KEYS takes them", licenseKeys},
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the tool without the process.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		for _, c := range commands {
			if c.name == args[0] {
				return c.run(args[1:], stdout, stderr)
			}
		}
		fmt.Fprintf(stderr, "ops: unknown command %q\n", args[0])
	}
	fmt.Fprint(stderr, "usage: ops <command> [arguments]\n\n")
	for _, c := range commands {
		fmt.Fprintf(stderr, "  %-16s %s\n", c.name, c.summary)
	}
	fmt.Fprint(stderr, "\n\"ops <command> -h\" shows the arguments of a command.\n")
	return 2
}
