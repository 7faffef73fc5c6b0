// Command tally runs `go test -json` and sums up: a line per package, the output of what failed, what was skipped and
// why, and as the last line how many tests passed, failed and were skipped. It needs nothing but Go.
//
//	tally [-skips REGEXP] [--] [flags and packages of go test]
//
// A parent test is not counted in addition to its subtests. A package that does not build, or ends without naming the
// test that failed, counts as one failure. The exit status is 1 if anything failed.
//
// It is not gotestsum (tried at v1.13.0), which lists skipped tests with their reasons but cannot fail on an unexpected
// one. A -post-run-command of our own would have to read the events again for that, and to print the last line, which
// CI reads: most of this package, over ten more modules.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

func main() {
	skips := flag.String("skips", ".*", "allowed skip reasons (`regexp`); any other skip is a failure")
	flag.Parse()
	accepted, err := regexp.Compile(*skips)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally: -skips:", err)
		os.Exit(2)
	}
	ok, err := run(".", flag.Args(), newTally(os.Stdout, accepted))
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run runs go test in a folder. ok reports that nothing failed; an error is a failure outside of any test.
func run(dir string, args []string, t *tally) (ok bool, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	readErr := t.read(events)
	waitErr := cmd.Wait()
	t.close()
	if readErr != nil {
		return false, readErr
	}
	if waitErr != nil && len(t.failed) == 0 {
		return false, fmt.Errorf("go test: %w", waitErr)
	}
	return len(t.failed) == 0, nil
}
