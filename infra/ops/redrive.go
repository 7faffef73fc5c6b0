package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"

	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/cloud/failedruns"
)

const redriveUsage = `usage: ops redrive [-do] QUEUE

Reads the queue of failed runs, whose address is the stack's output FailedRunsUrl, and says what each message is and
what would be done with it. With -do it is done:

  a batch of the table's stream   deleted: the sweep finds each email that the stream missed
  a sweep of the outbox           deleted: the next one comes within a minute
  a daily run, a look for late    started again, once for all messages of its kind, and deleted: it does what is due
  an event of SES                 sent back to its queue and deleted: recording it twice changes nothing
  anything else                   left and named

Repair the cause first. Messages that are left can be received again at once. The exit status is 1 if something failed,
or if -do left a message.

`

// failedQueue is what redriving needs of the queue (shared/cloud/failedruns).
type failedQueue interface {
	Receive(ctx context.Context) ([]failedruns.Message, error)
	Release(ctx context.Context, m failedruns.Message) error
	Delete(ctx context.Context, m failedruns.Message) error
	Sources(ctx context.Context) ([]string, error)
	Send(ctx context.Context, url, body string) error
	Invoke(ctx context.Context, function, payload string) error
}

// redrive runs the command redrive.
func redrive(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("redrive", flag.ContinueOnError)
	do := flags.Bool("do", false, "do it; without, only say what would be done")
	help := func(w io.Writer) {
		fmt.Fprint(w, redriveUsage)
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 1 || !strings.Contains(flags.Arg(0), "://") {
		fmt.Fprint(stderr, "redrive: the address of one queue is required\n\n")
		help(stderr)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	queue, err := awsprofile.FailedRuns(ctx, flags.Arg(0))
	ok := false
	if err == nil {
		ok, err = redriveAll(ctx, queue, *do, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "redrive: failed: %v\n", err)
	}
	if err != nil || !ok {
		return 1
	}
	return 0
}

// redriveAll handles every message of the queue. ok means that nothing failed and that nothing was left that -do was to
// handle.
func redriveAll(ctx context.Context, queue failedQueue, do bool, stdout io.Writer) (ok bool, err error) {
	sources, err := queue.Sources(ctx)
	if err != nil {
		return false, err
	}
	var kept []failedruns.Message
	defer func() {
		for _, m := range kept { // otherwise they would be hidden for a while
			_ = queue.Release(context.WithoutCancel(ctx), m)
		}
	}()
	seen, started, counts := map[string]bool{}, map[string]bool{}, map[string]int{}
	failed := 0
	for {
		messages, err := queue.Receive(ctx)
		if err != nil {
			return false, err
		}
		fresh := slices.DeleteFunc(slices.Clone(messages), func(m failedruns.Message) bool { return seen[m.ID] })
		if len(fresh) == 0 {
			break
		}
		for _, m := range fresh {
			seen[m.ID] = true
			r := classify(m, sources)
			if !do || r.act == leave {
				kept = append(kept, m)
				counts[r.done]++
				fmt.Fprintf(stdout, "%s: %s; %s\n", m.ID, r.what, r.says(do))
				continue
			}
			if err := r.do(ctx, queue, m, started); err != nil {
				kept, failed = append(kept, m), failed+1
				fmt.Fprintf(stdout, "%s: %s; FAILED and left: %v\n", m.ID, r.what, err)
				continue
			}
			counts[r.done]++
			fmt.Fprintf(stdout, "%s: %s; %s\n", m.ID, r.what, r.says(do))
		}
	}
	summarize(stdout, counts, len(seen), failed, do)
	return failed == 0 && (!do || counts[left] == 0), nil
}

func summarize(w io.Writer, counts map[string]int, all, failed int, do bool) {
	if all == 0 {
		fmt.Fprintln(w, "no failed runs")
		return
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	parts = append(parts, fmt.Sprintf("%d failed", failed))
	fmt.Fprintf(w, "%d messages: %s\n", all, strings.Join(parts, ", "))
	if !do {
		fmt.Fprintln(w, "nothing was changed; -do does it")
	}
}
