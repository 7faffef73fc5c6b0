// Command ops is the operator's tool: it publishes release metadata, prepares the bundle for a deployment, checks a
// site, imports existing licenses, erases people, prints the public keys of license signers, restores the table, and
// stops, starts and takes down stacks. Each command has a file of its own.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// command is one command of the tool. run returns the exit status: 0 done, 1 refused or failed, 2 used wrongly.
type command struct {
	name, summary string
	run           func(args []string, stdout, stderr io.Writer) int
}

var commands = []command{
	{"publish", "publish the catalog and the packages, to a folder or a bucket", publish},
	{"rollback", "make the build before the published one live again", rollBack},
	{"bundle", "write the catalog bundle that is compiled into the functions", writeBundle},
	{"import-licenses", "import a vendor's existing licenses", importLicenses},
	{"erase-contact", "erase a person who asked for it", eraseContact},
	{"smoke", "check a site from outside, after a deployment", smokeTest},
	{"redrive", "repair what is in the queue of failed runs", redrive},
	{"pause", "stop all that reads or writes the table of a stack", pause},
	{"restore", "give the stack's table the records of a restored copy", restoreTable},
	{"resume", "start what pause stopped", resume},
	{"teardown", "delete a stack that was for trying, with all that it leaves behind", teardown},
	{"license-keys", "print the public keys of KMS keys, in the format of LICENSE_KEYS", licenseKeys},
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the tool without the process.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "-h", "-help", "--help", "help":
			usage(stdout)
			return 0
		}
		for _, c := range commands {
			if c.name == args[0] {
				return c.run(args[1:], stdout, stderr)
			}
		}
		fmt.Fprintf(stderr, "ops: unknown command %q\n", args[0])
	}
	usage(stderr)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: ops <command> [arguments]\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-16s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\n\"ops <command> -h\" shows the arguments of a command.\n")
}

// parse parses the flags of a command. If the command must not run, ok is false and status is its exit status: 0 after
// -h, for which help goes to stdout, 2 after a mistake, which stderr gets with the help.
func parse(flags *flag.FlagSet, args []string, help func(io.Writer), stdout, stderr io.Writer) (status int, ok bool) {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	flags.SetOutput(stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		help(stdout)
		return 0, false
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n\n", flags.Name(), err)
		help(stderr)
		return 2, false
	}
	return 0, true
}
