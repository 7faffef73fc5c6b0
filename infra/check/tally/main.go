// Command tally runs `go test -json` and says what came of it: a line a package, what failed with its output, what was
// skipped and why, and as the last line how many tests passed, failed and were skipped. It needs Go and nothing else.
//
//	tally [-skips REGEXP] [--] [flags and packages of go test]
//
// A test with subtests is not counted beside them. A package that does not build, or ends without saying which test
// failed, counts as one failure. The exit status is 1 where anything failed.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

func main() {
	skips := flag.String("skips", ".*", "a test may only skip with a reason that this matches; any other skip is a failure")
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

// run runs go test in a folder. ok says that nothing failed; an error is one that no test stands for.
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
