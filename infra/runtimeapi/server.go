package runtimeapi

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPayload is Lambda's limit for a response, in bytes.
const maxPayload = 6_291_556

const apiPrefix = "/2018-06-01/runtime/"

type invocation struct {
	event    []byte
	deadline time.Time
}

type result struct {
	answer Answer
	err    error
}

func (f *Function) serve() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		go (&conn{f: f, c: c, in: bufio.NewReaderSize(c, 16<<10)}).serve()
	}
}

// conn is one of the function's connections. It does without net/http's server, whose work would add to the measured
// times.
type conn struct {
	f   *Function
	c   net.Conn
	in  *bufio.Reader
	out []byte
}

func (c *conn) serve() {
	defer c.c.Close()
	go func() { // a child of the ended function may keep the connection open
		<-c.f.exited
		c.c.SetReadDeadline(time.Now())
	}()
	for {
		r, err := http.ReadRequest(c.in)
		if err != nil {
			return
		}
		path, ok := strings.CutPrefix(r.URL.Path, apiPrefix)
		switch {
		case ok && r.Method == http.MethodGet && path == "invocation/next":
			ok = c.next()
		case ok && r.Method == http.MethodPost:
			ok = c.post(path, r)
		default:
			ok = c.status(http.StatusNotFound)
		}
		if !ok {
			return
		}
	}
}

// next waits for an event and sends it to the function.
func (c *conn) next() bool {
	select {
	case c.f.polled <- time.Now():
	default:
	}
	var v invocation
	select {
	case v = <-c.f.events:
	case <-c.f.exited:
		return false
	}
	current := &c.f.current
	current.Lock()
	defer current.Unlock()
	current.n++
	current.id = fmt.Sprintf("8476a536-e9f4-11e8-9739-%012x", current.n)
	c.out = append(c.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	c.out = append(c.out, current.id...)
	c.out = append(c.out, "\r\nLambda-Runtime-Deadline-Ms: "...)
	c.out = strconv.AppendInt(c.out, v.deadline.UnixMilli(), 10)
	c.out = append(c.out, "\r\nLambda-Runtime-Invoked-Function-Arn: "+
		"arn:aws:lambda:eu-central-1:123456789012:function:local"+
		"\r\nLambda-Runtime-Trace-Id: "+
		"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\nContent-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(v.event)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), v.event...)
	current.sent = time.Now()
	_, err := c.c.Write(c.out)
	return err == nil
}

// post receives a response, or an error of an event or of the start.
func (c *conn) post(path string, r *http.Request) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		return false
	}
	if path == "init/error" {
		c.f.refused <- functionError(body)
		return c.status(http.StatusAccepted)
	}
	id, kind, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
	if kind != "response" && kind != "error" {
		return c.status(http.StatusNotFound)
	}
	took, ok := c.f.finish(id)
	switch {
	case !ok:
		return c.status(http.StatusBadRequest)
	case kind == "error":
		c.f.results <- result{err: functionError(body)}
	case len(body) > maxPayload:
		c.f.results <- result{err: &FunctionError{"Function.ResponseSizeTooLarge",
			"the response exceeds Lambda's limit"}}
		c.status(http.StatusRequestEntityTooLarge)
		return false // the rest of the body is unread
	default:
		c.f.results <- result{answer: Answer{body, took}}
	}
	return c.status(http.StatusAccepted)
}

// finish ends the current event if it has this ID.
func (f *Function) finish(id string) (took time.Duration, ok bool) {
	end := time.Now()
	f.current.Lock()
	defer f.current.Unlock()
	if id == "" || id != f.current.id {
		return 0, false
	}
	f.current.id = ""
	return end.Sub(f.current.sent), true
}

func (c *conn) status(code int) bool {
	_, err := fmt.Fprintf(c.c, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: "+
		"16\r\n\r\n{\"status\":\"OK\"}\n",
		code, http.StatusText(code))
	return err == nil
}

func functionError(body []byte) *FunctionError {
	e := new(FunctionError)
	if err := json.Unmarshal(body, e); err != nil || e.Type == "" {
		return &FunctionError{"Unknown", string(body)}
	}
	return e
}
