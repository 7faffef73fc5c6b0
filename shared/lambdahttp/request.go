package lambdahttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// Request returns the event as the request that a net/http server would pass to a handler. Its body is in memory,
// RemoteAddr is the client's address with port 0, and TLS is not nil if the client used HTTPS. Only a body that is not
// the base64 it claims to be is an error.
func (e *Event) Request(ctx context.Context) (*http.Request, error) {
	body, err := e.decodeBody()
	if err != nil {
		return nil, err
	}
	u := &url.URL{Path: e.Path, RawQuery: e.Query}
	r := &http.Request{
		Method:        e.Method,
		URL:           u,
		RequestURI:    u.RequestURI(),
		Header:        make(http.Header, 16),
		Body:          http.NoBody,
		ContentLength: int64(len(body)),
		RemoteAddr:    net.JoinHostPort(unescape(e.sourceIP), "0"),
		Proto:         unescape(e.protocol),
	}
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	var ok bool
	if r.ProtoMajor, r.ProtoMinor, ok = http.ParseHTTPVersion(r.Proto); !ok {
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	}
	e.eachHeader(func(name, value []byte) { r.Header.Add(unescape(name), unescape(value)) })
	if line := e.cookieLine(); line != "" {
		r.Header.Set("Cookie", line)
	}
	if r.Host = r.Header.Get("Host"); r.Host == "" {
		r.Host = unescape(e.domain)
	}
	if r.Header.Get("X-Forwarded-Proto") == "https" {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: r.Host}
	}
	// net/http removes the first three as well.
	for _, name := range []string{"Host", "Transfer-Encoding", "Trailer", originHeader} {
		delete(r.Header, name)
	}
	if id := unescape(e.id); id != "" {
		ctx = context.WithValue(ctx, requestIDKey{}, id)
	}
	return r.WithContext(ctx), nil
}

func (e *Event) decodeBody() ([]byte, error) {
	text := unescape(e.body)
	if !e.base64 {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("lambdahttp: the event's body is not the base64 that it claims to be: %w", err)
	}
	return body, nil
}

type requestIDKey struct{}

// RequestID returns API Gateway's ID of the request to which ctx belongs, which the client sees in the response's
// apigw-requestid header; "" outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
