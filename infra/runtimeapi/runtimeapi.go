// Package runtimeapi runs compiled Lambda functions on this machine, for tests and benchmarks: it starts a bootstrap
// under a Runtime API (version 2018-06-01) on loopback, sends it events and receives its responses. A Function is one
// execution environment, as in Lambda: it processes one event at a time and is killed when it misses a deadline.
//
// The package does not limit memory or CPU, and does not restart a function that has ended.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Options configure a function. Only Bootstrap is required.
type Options struct {
	Bootstrap string        // path of the program
	Env       []string      // KEY=value, added to Lambda's own; the function inherits nothing else
	Timeout   time.Duration // for one event; zero means 30 s
}

// initLimit is the time that Lambda gives a function until it asks for its first event.
const initLimit = 10 * time.Second

var (
	// ErrTimeout means that the function missed its deadline and was killed.
	ErrTimeout = errors.New("the function did not respond in time")
	// ErrEnded means that the function's process has ended. The wrapping error says how.
	ErrEnded = errors.New("the function has ended")
)

// FunctionError is an error that a function reported, for an event or for its start.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Answer is a function's response to one event.
type Answer struct {
	Payload []byte
	Took    time.Duration // from the first byte of the event to the last byte of the response
}

// Function is a running function.
type Function struct {
	// Init is the time from the program's start to its first call for an event.
	Init time.Duration

	options  Options
	cmd      *exec.Cmd
	listener net.Listener
	stdout   *os.File
	stderr   *os.File

	mu      sync.Mutex      // held by Invoke
	events  chan invocation // read by the connection on which the function waits
	results chan result     // of the current event
	polled  chan time.Time  // first call for an event
	refused chan *FunctionError
	exited  chan struct{} // closed when the process is gone
	exit    error

	current struct { // the current event; the function may respond on another connection
		sync.Mutex
		n    int
		id   string
		sent time.Time
	}
}

// Start starts a function and waits until it asks for its first event. The error is a *FunctionError if the function
// reports one, and ErrEnded with its stderr if it ends.
func Start(ctx context.Context, o Options) (*Function, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	f := &Function{
		options: o, events: make(chan invocation), results: make(chan result, 1), polled: make(chan time.Time, 1),
		refused: make(chan *FunctionError, 1), exited: make(chan struct{}),
	}
	fail := func(err error) (*Function, error) {
		return nil, fmt.Errorf("runtimeapi: starting %s: %w", o.Bootstrap, err)
	}
	var err error
	if f.stdout, err = scratch(); err != nil {
		return fail(err)
	}
	if f.stderr, err = scratch(); err != nil {
		f.stdout.Close()
		return fail(err)
	}
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		f.closeFiles()
		return fail(err)
	}
	go f.serve()
	f.cmd = exec.Command(o.Bootstrap)
	f.cmd.Env = append(environment(f.listener.Addr().String(), o.Bootstrap), o.Env...)
	f.cmd.Stdout, f.cmd.Stderr = f.stdout, f.stderr
	begin := time.Now()
	if err := f.cmd.Start(); err != nil {
		f.listener.Close()
		f.closeFiles()
		return fail(err)
	}
	go func() {
		f.exit = f.cmd.Wait()
		close(f.exited)
	}()

	limit := time.NewTimer(initLimit)
	defer limit.Stop()
	select {
	case at := <-f.polled:
		f.Init = at.Sub(begin)
		return f, nil
	case e := <-f.refused:
		err = e
	case <-f.exited:
		if err = f.ended(); len(f.refused) > 0 {
			err = <-f.refused
		}
	case <-limit.C:
		err = fmt.Errorf("it did not ask for an event within %v: %w", initLimit, ErrTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.Stop()
	return fail(err)
}

// environment returns the variables that Lambda sets (Lambda developer guide, "Defined runtime environment variables").
func environment(api, bootstrap string) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + api, "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=" + filepath.Dir(bootstrap),
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_SESSION_TOKEN=local",
		"AWS_LAMBDA_FUNCTION_NAME=local", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/local",
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC",
	}
}

// Invoke sends the function an event and waits for its response. The error is a *FunctionError if the function reports
// one. After ErrTimeout or ErrEnded the function cannot be used any more.
func (f *Function) Invoke(ctx context.Context, event []byte) (Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	timeout := time.NewTimer(f.options.Timeout)
	defer timeout.Stop()
	fail := func(err error) (Answer, error) { return Answer{}, fmt.Errorf("runtimeapi: invoking: %w", err) }

	v := invocation{event: event, deadline: time.Now().Add(f.options.Timeout)}
	select {
	case f.events <- v:
	case <-f.exited:
		return fail(f.ended())
	case <-timeout.C:
		f.Stop()
		return fail(ErrTimeout)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
	select {
	case r := <-f.results:
		return r.answer, r.err
	case <-f.exited:
		select {
		case r := <-f.results: // a function may end right after it reports an error
			return r.answer, r.err
		default:
			return fail(f.ended())
		}
	case <-timeout.C:
		f.Stop()
		return fail(ErrTimeout)
	case <-ctx.Done():
		f.Stop() // or its response would be mistaken for the next event's
		return fail(ctx.Err())
	}
}

// Stop kills the function, as Lambda does, and waits until it has ended. Its output stays readable. Calling Stop again
// does nothing.
func (f *Function) Stop() {
	f.cmd.Process.Kill()
	<-f.exited
	f.listener.Close()
}

// Stdout returns what the function has written to standard output so far.
func (f *Function) Stdout() string { return contents(f.stdout) }

// Stderr is Stdout's counterpart for standard error.
func (f *Function) Stderr() string { return contents(f.stderr) }

func (f *Function) ended() error {
	how := "exit status 0"
	if f.exit != nil {
		how = f.exit.Error()
	}
	return fmt.Errorf("%w: %s: %.2000s", ErrEnded, how, f.Stderr())
}

// scratch opens a file without a name. The function writes straight into it, so that what it wrote before it answered
// can be read after.
func scratch() (*os.File, error) {
	file, err := os.CreateTemp("", "runtimeapi")
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}

func contents(file *os.File) string {
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	b := make([]byte, info.Size())
	n, _ := file.ReadAt(b, 0)
	return string(b[:n])
}

func (f *Function) closeFiles() {
	f.stdout.Close()
	f.stderr.Close()
}
