package runtimeapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/infra/runtimeapi"
)

// TestMain lets the test's own binary be the function: started with FUNCTION set, it behaves as that says.
func TestMain(m *testing.M) {
	switch behaviour := os.Getenv("FUNCTION"); behaviour {
	case "":
		os.Exit(m.Run())
	case "refuses to start":
		fmt.Fprintln(os.Stderr, "TABLE is not set")
		os.Exit(3)
	case "never asks":
		select {}
	default:
		lambda.Start(function(behaviour))
	}
}

type function string

func (f function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	switch string(event) {
	case `"error"`:
		return nil, errors.New("no such thing")
	case `"panic"`:
		panic("boom")
	case `"hang"`:
		deadline, _ := ctx.Deadline()
		fmt.Println("deadline in the future:", time.Until(deadline) > 0)
		select {}
	case `"exit"`:
		os.Exit(7)
	case `"large"`:
		return bytes.Repeat([]byte("a"), 7<<20), nil
	}
	fmt.Printf("%s got %s\n", f, event)
	return append([]byte("echo "), event...), nil
}

func start(t *testing.T, behaviour string, timeout time.Duration) *runtimeapi.Function {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := runtimeapi.Start(t.Context(), runtimeapi.Options{Bootstrap: self, Env: []string{"FUNCTION=" + behaviour},
		Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return f
}

func TestEventsAreAnsweredInTurn(t *testing.T) {
	f := start(t, "works", 0)
	for i := range 3 {
		event := fmt.Sprintf(`{"n":%d}`, i)
		a, err := f.Invoke(t.Context(), []byte(event))
		if err != nil || string(a.Payload) != "echo "+event || a.Took <= 0 {
			t.Errorf("%s: %s %v %v", event, a.Payload, a.Took, err)
		}
		if out := f.Stdout(); !strings.HasSuffix(out, "works got "+event+"\n") {
			t.Errorf("stdout after %s: %q", event, out)
		}
	}
	if f.Init <= 0 {
		t.Errorf("init took %v", f.Init)
	}
}

func TestFailuresAreReported(t *testing.T) {
	for _, test := range []struct {
		event string
		want  string
		alive bool
	}{
		{`"error"`, "errorString: no such thing", true},
		{`"panic"`, "string: boom", false},
		{`"exit"`, "the function has ended: exit status 7", false},
		{`"hang"`, "the function did not respond in time", false},
		{`"large"`, "Function.ResponseSizeTooLarge", false},
	} {
		t.Run(test.event, func(t *testing.T) {
			timeout := 30 * time.Second
			if test.event == `"hang"` {
				timeout = 300 * time.Millisecond
			}
			f := start(t, "works", timeout)
			if _, err := f.Invoke(t.Context(), []byte(test.event)); err == nil ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if a, err := f.Invoke(t.Context(), []byte(`1`)); (err == nil) != test.alive {
				t.Errorf("afterwards: %s %v", a.Payload, err)
			}
		})
	}
}

func TestFunctionErrorIsTyped(t *testing.T) {
	f := start(t, "works", 0)
	_, err := f.Invoke(t.Context(), []byte(`"error"`))
	var e *runtimeapi.FunctionError
	if !errors.As(err, &e) || e.Type != "errorString" || e.Message != "no such thing" {
		t.Errorf("%v", err)
	}
}

func TestFunctionThatCannotStartSaysWhy(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = runtimeapi.Start(t.Context(), runtimeapi.Options{Bootstrap: self,
		Env: []string{"FUNCTION=refuses to start"}})
	if !errors.Is(err, runtimeapi.ErrEnded) || !strings.Contains(err.Error(), "TABLE is not set") ||
		!strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err = runtimeapi.Start(ctx, runtimeapi.Options{Bootstrap: self,
		Env: []string{"FUNCTION=never asks"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err = runtimeapi.Start(t.Context(), runtimeapi.Options{Bootstrap: "/nonexistent"}); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestStopTwice(t *testing.T) {
	f := start(t, "works", 0)
	f.Stop()
	f.Stop()
	if _, err := f.Invoke(t.Context(), []byte("1")); !errors.Is(err, runtimeapi.ErrEnded) {
		t.Errorf("%v", err)
	}
}
