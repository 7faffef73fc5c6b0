package ses

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/smithy-go"

	"marketplace/shared/mail"
)

// listen serves one connection after another on a port of its own, each with handle, and returns the address.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); handle(c) }()
		}
	}()
	return "http://" + l.Addr().String()
}

// readRequest reads a whole HTTP request.
func readRequest(c net.Conn) {
	var got bytes.Buffer
	length := -1
	for buf := make([]byte, 1024); ; {
		n, err := c.Read(buf)
		got.Write(buf[:n])
		head, body, ok := strings.Cut(got.String(), "\r\n\r\n")
		if ok && length < 0 {
			for line := range strings.Lines(head + "\r\n") {
				fmt.Sscanf(strings.ToLower(line), "content-length: %d", &length)
			}
		}
		if err != nil || ok && len(body) >= length {
			return
		}
	}
}

const errorBody = `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Receiver</Type>` +
	`<Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`

// answer writes an HTTP response; length is what Content-Length promises, if not that of the body.
func answer(status int, body string, length ...int) func(net.Conn) {
	n := len(body)
	if len(length) > 0 {
		n = length[0]
	}
	return func(c net.Conn) {
		readRequest(c)
		fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Type: text/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			status, n, body)
	}
}

// TestFailuresTellWhetherTheMessageWasAccepted sends through the SDK's own client and a real connection.
func TestFailuresTellWhetherTheMessageWasAccepted(t *testing.T) {
	plain := listen(t, func(c net.Conn) { readRequest(c) })
	const success = `<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult>` +
		`<MessageId>m</MessageId></SendRawEmailResult></SendRawEmailResponse>`
	big := strings.Repeat("x", 8<<20) // more than the buffers of a connection hold
	const patience = 2 * time.Second  // enough for a busy computer to connect and to write
	silent := func(net.Conn) { <-t.Context().Done() }

	for name, tt := range map[string]struct {
		url, text string
		http      func(*http.Transport)
		timeout   time.Duration
		inDoubt   bool
		class     string
	}{
		// Nobody listens on port 1. One just closed may be another test's by the time of the call.
		"connection refused": {url: "http://127.0.0.1:1", class: "connect"},
		"unknown host": {url: plain, class: "connect", http: func(h *http.Transport) {
			h.DialContext = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
			}
		}},
		"no TLS": {url: strings.Replace(listen(t, func(c net.Conn) { fmt.Fprint(c, "220 not TLS\r\n") }), "http:",
			"https:", 1), class: "connect"},
		"dial timeout": {url: plain, class: "connect", http: func(h *http.Transport) {
			h.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
			}
		}},
		"deadline while connecting": {url: plain, class: "connect", timeout: 50 * time.Millisecond,
			http: func(h *http.Transport) {
				h.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
			}},
		"closed in the middle of the request": {url: listen(t, func(c net.Conn) {
			c.Read(make([]byte, 1024))
		}), text: big, class: "connection lost"},
		"closed after the request": {url: listen(t, readRequest), inDoubt: true, class: "connection lost"},
		"closed with a short request unread": {url: listen(t, func(c net.Conn) {
			c.Read(make([]byte, 1)) // it has come
			time.Sleep(100 * time.Millisecond)
		}), inDoubt: true, class: "connection lost"},
		"no answer": {url: listen(t, func(c net.Conn) { readRequest(c); silent(c) }),
			timeout: patience, inDoubt: true, class: "timeout"},
		"no answer, by the client's own timeout": {url: listen(t, func(c net.Conn) { readRequest(c); silent(c) }),
			http: func(h *http.Transport) { h.ResponseHeaderTimeout = 100 * time.Millisecond }, inDoubt: true,
			class: "timeout"},
		"request not read in time": {url: listen(t, silent), text: big, timeout: patience, inDoubt: true,
			class: "timeout"},
		"500 of SES": {url: listen(t, answer(500, fmt.Sprintf(errorBody, "InternalFailure", "x"))), class: "http 5xx"},
		"503 of SES": {url: listen(t, answer(503, fmt.Sprintf(errorBody, "ServiceUnavailable", "x"))),
			class: "http 5xx"},
		"504 of SES": {url: listen(t, answer(504, fmt.Sprintf(errorBody, "GatewayTimeout", "x"))), inDoubt: true,
			class: "http 5xx"},
		"502 of a gateway": {url: listen(t, answer(502, "<html>Bad gateway</html>")), inDoubt: true, class: "http 502"},
		"503 without body": {url: listen(t, answer(503, "")), inDoubt: true, class: "http 503"},
		"answer cut short": {url: listen(t, answer(200, success[:100], len(success))), inDoubt: true,
			class: "http 200"},
		"new code": {url: listen(t, answer(400, fmt.Sprintf(errorBody, "SomethingNew", "?"))),
			class: "code SomethingNew"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := clientWith(tt.url, awshttp.NewBuildableClient().WithTransportOptions(func(h *http.Transport) {
				if tt.http != nil {
					tt.http(h)
				}
			}))
			m := message()
			m.Text += tt.text
			ctx := t.Context()
			if tt.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.timeout)
				defer cancel()
			}
			_, err := New(api, Options{From: from, Now: now}).Send(ctx, m)
			if err == nil || mail.InDoubt(err) != tt.inDoubt || errors.Is(err, mail.ErrNotSent) == tt.inDoubt ||
				mail.FailureClass(err) != tt.class {
				t.Errorf("got %v, in doubt %v, class %q; want in doubt %v, class %q", err, mail.InDoubt(err),
					mail.FailureClass(err), tt.inDoubt, tt.class)
			}
		})
	}
}

// clientWith returns the SDK's client for an endpoint with an HTTP client of its own.
func clientWith(endpoint string, c sdk.HTTPClient) *sdk.Client {
	return sdk.New(client(endpoint).Options(), func(o *sdk.Options) { o.HTTPClient = c })
}

// TestReusedConnectionIsSentAgainOnlyIfNothingWasWritten: SES closes idle connections, often as the next call begins.
func TestReusedConnectionIsSentAgainOnlyIfNothingWasWritten(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if calls.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<SendRawEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendRawEmailResult>`+
			`<MessageId>m</MessageId></SendRawEmailResult></SendRawEmailResponse>`)
	}))
	defer server.Close()
	s := New(client(server.URL), Options{From: from, Now: now})
	if id, err := s.Send(t.Context(), message()); err != nil || id != "m" {
		t.Fatalf("got %q, %v, want m", id, err)
	}
	if _, err := s.Send(t.Context(), message()); !mail.InDoubt(err) || calls.Load() != 2 {
		t.Errorf("got %v after %d calls, want an error in doubt after 2", err, calls.Load())
	}
}

// TestUnwatchedCallsAreInDoubt: an API that does not say how far a call came proves nothing.
func TestUnwatchedCallsAreInDoubt(t *testing.T) {
	for _, err := range []error{
		errors.New("?"), &net.OpError{Op: "dial", Err: errors.New("refused")}, &smithy.CanceledError{},
		&tls.CertificateVerificationError{Err: errors.New("?")}, context.DeadlineExceeded,
	} {
		_, got := New(&fake{err: err}, Options{From: from, Now: now}).Send(t.Context(), message())
		if !mail.InDoubt(got) {
			t.Errorf("%v: got %v, want an error in doubt", err, got)
		}
	}
	for message, want := range map[string]error{
		"Daily message quota exceeded.": mail.ErrDailyQuota, "Maximum sending rate exceeded.": nil,
	} {
		f := &fake{err: &smithy.GenericAPIError{Code: "Throttling", Message: message}}
		_, err := New(f, Options{From: from, Now: now}).Quota(t.Context())
		if !errors.Is(err, mail.ErrThrottled) || errors.Is(err, mail.ErrDailyQuota) != (want != nil) {
			t.Errorf("%s: got %v, want throttling and %v", message, err, want)
		}
	}
}
