package ses

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"marketplace/shared/mail"
)

// progress is how far a call came. SES can only accept a message whose whole request it got.
type progress struct {
	asked     atomic.Int32 // times that a connection was asked for
	connected atomic.Int32 // connections obtained
	broken    atomic.Int32 // requests that could not be written to the end
}

// watch returns a context with which the SDK reports the progress of a call.
func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { p.asked.Add(1) },
		GotConn: func(httptrace.GotConnInfo) { p.connected.Add(1) },
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err != nil {
				p.broken.Add(1)
			}
		},
	})
}

// notSent reports whether the provider certainly got no whole request: there was no connection, or each broke before
// the request was written. A request whose end nobody saw counts as written.
func (p *progress) notSent() bool {
	return p != nil && p.asked.Load() > 0 && p.connected.Load() == p.broken.Load()
}

// explain returns a mail.Failure for an error of the API. p is how far the call came; nil for a call that sends
// nothing.
func (s *Sender) explain(err error, p *progress) error {
	var api smithy.APIError
	var http *smithyhttp.ResponseError
	answered := errors.As(err, &http) && http.HTTPStatusCode() > 0
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "" && api.ErrorCode() != unknownCode:
		status := 0
		if answered {
			status = http.HTTPStatusCode()
		}
		return s.refusal(api, status)
	case answered:
		// Without SES's error body, a gateway may have answered for it, or the answer is cut short.
		return &mail.Failure{Class: fmt.Sprintf("http %d", http.HTTPStatusCode()), Err: err}
	}
	f := &mail.Failure{Class: mail.ClassLost, Err: err}
	var network net.Error
	timeout := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
	switch {
	case p.notSent() && p.connected.Load() == 0:
		f.Kind, f.Class = mail.ErrNotSent, mail.ClassConnect
	case p.notSent() && !timeout:
		f.Kind = mail.ErrNotSent
	case timeout:
		f.Class = mail.ClassTimeout
	case errors.Is(err, context.Canceled):
		f.Class = mail.ClassOther
	}
	return f
}

// unknownCode is what the SDK calls an answer without an error code.
const unknownCode = "UnknownError"

// statusGatewayTimeout is the status of a gateway that does not know what SES did.
const statusGatewayTimeout = 504

// refusal explains an error that SES answered with.
func (s *Sender) refusal(api smithy.APIError, status int) *mail.Failure {
	said := fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	kind, known := errorOfCode[api.ErrorCode()]
	message := strings.ToLower(api.ErrorMessage())
	switch {
	case status == statusGatewayTimeout:
		return &mail.Failure{Class: mail.ClassServer, Err: said}
	case kind == mail.ErrThrottled && strings.Contains(message, "daily"):
		kind = mail.ErrDailyQuota
	case api.ErrorCode() == "MessageRejected":
		kind = s.rejection(message)
	case !known:
		kind = mail.ErrNotSent
	}
	f := &mail.Failure{Kind: kind, Err: said}
	if kind == mail.ErrNotSent {
		f.Class = "code " + api.ErrorCode()
		if status >= 500 {
			f.Class = mail.ClassServer
		}
	}
	return f
}
