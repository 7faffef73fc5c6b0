package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/cloud/stackcontrol"
)

const pauseUsage = `usage: ops pause STACK

Stops everything of a stack that reads or writes its table: first the schedules, the stream and the queues of the jobs,
then the functions. Only the catalog goes on. Customers see the page that the site is unavailable. What runs already
goes on until it is done, at most 15 minutes. "ops resume STACK" undoes it.
`

const resumeUsage = `usage: ops resume STACK

Starts what "ops pause STACK" stopped, the functions first.
`

const teardownUsage = `usage: ops teardown [-write] STACK

Deletes a stack that was for trying, with all that CloudFormation leaves behind: empties the bucket of packages,
deletes table, user pool and backups, and schedules keys and secrets for deletion. It refuses a stack of the stage
production, or with Protection=on. Without -write it only says what would go. Then it lists what remains.

It is safe to run it again, also when the stack is gone.
`

// pause runs the command and returns its exit status.
func pause(args []string, stdout, stderr io.Writer) int {
	return onStack("pause", pauseUsage, args, stdout, stderr, nil,
		func(ctx context.Context, c *stackcontrol.Control, s stackcontrol.Stack) error {
			return c.Stop(ctx, s, tellingTo(stdout))
		})
}

// resume runs the command and returns its exit status.
func resume(args []string, stdout, stderr io.Writer) int {
	return onStack("resume", resumeUsage, args, stdout, stderr, nil,
		func(ctx context.Context, c *stackcontrol.Control, s stackcontrol.Stack) error {
			return c.Start(ctx, s, tellingTo(stdout))
		})
}

// teardown runs the command and returns its exit status.
func teardown(args []string, stdout, stderr io.Writer) int {
	var write bool
	flagsOf := func(f *flag.FlagSet) { f.BoolVar(&write, "write", false, "") }
	return onStack("teardown", teardownUsage, args, stdout, stderr, flagsOf,
		func(ctx context.Context, c *stackcontrol.Control, s stackcontrol.Stack) error {
			if !write {
				return wouldGo(stdout, s)
			}
			if err := c.TakeDown(ctx, s, tellingTo(stdout)); err != nil {
				return err
			}
			remains, err := c.Remains(ctx, s)
			for _, what := range remains {
				fmt.Fprintf(stdout, "remains: %s\n", what)
			}
			return err
		})
}

// wouldGo says what a teardown would delete.
func wouldGo(w io.Writer, s stackcontrol.Stack) error {
	if err := s.Disposable(); err != nil {
		return fmt.Errorf("the stack is not taken down: %w", err)
	}
	fmt.Fprintf(w, "Would delete the stack %s with %s:\n", s.ID, some(len(s.Resources), "resource"))
	for _, r := range s.Resources {
		fmt.Fprintf(w, "  %-28s %s\n", r.Logical, r.Physical)
	}
	return nil
}

func tellingTo(w io.Writer) func(string) { return func(did string) { fmt.Fprintln(w, did) } }

// onStack runs a command on the stack that its one argument names.
func onStack(name, usage string, args []string, stdout, stderr io.Writer, define func(*flag.FlagSet),
	do func(context.Context, *stackcontrol.Control, stackcontrol.Stack) error) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	help := func(w io.Writer) { fmt.Fprint(w, usage) }
	if define != nil {
		define(flags)
	}
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 1 {
		help(stderr)
		return 2
	}
	ctx := context.Background()
	c, err := awsprofile.Control(ctx)
	if err == nil {
		var s stackcontrol.Stack
		if s, err = c.Read(ctx, flags.Arg(0)); err == nil {
			err = do(ctx, c, s)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}
