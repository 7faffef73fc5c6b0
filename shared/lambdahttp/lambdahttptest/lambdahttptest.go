// Package lambdahttptest simulates API Gateway's HTTP API for tests and benchmarks: it turns a request into an event,
// payload format 2.0, and a function's payload into an HTTP response.
package lambdahttptest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
)

// RequestID is the gateway's request id in every event of this package.
const RequestID = "JKJaXmPLvHcESHA="

type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// Event returns the event for r at the $default stage, and reads r's body. Like the gateway it decodes the path,
// lower-cases header names and joins equal ones with commas, removes the cookies, and encodes a body as base64 unless
// its content type is text/*, application/json, application/xml or application/javascript.
func Event(r *http.Request) ([]byte, error) {
	e := event{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"x-forwarded-proto": "https", "x-forwarded-port": "443"},
		RequestContext: requestContext{
			AccountID: "123456789012", APIID: "r3pmxmplak", DomainName: r.Host, DomainPrefix: "r3pmxmplak",
			RequestID: RequestID, RouteKey: "$default", Stage: "$default",
			Time: "26/Feb/2018:09:30:00 +0000", TimeEpoch: 1519637400000,
		},
	}
	sourceIP, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		sourceIP = "203.0.113.7"
	}
	e.Headers["x-forwarded-for"] = sourceIP
	if r.Host != "" {
		e.Headers["host"] = r.Host
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			for _, line := range values {
				e.Cookies = append(e.Cookies, strings.Split(line, "; ")...)
			}
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e.RequestContext.HTTP = httpContext{
		Method: r.Method, Path: r.URL.Path, Protocol: "HTTP/1.1", SourceIP: sourceIP, UserAgent: r.UserAgent(),
	}
	for name, values := range r.URL.Query() {
		if e.QueryStringParameters == nil {
			e.QueryStringParameters = map[string]string{}
		}
		e.QueryStringParameters[name] = strings.Join(values, ",")
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, fmt.Errorf("lambdahttptest: reading the request's body: %w", err)
		}
		if e.Body = string(body); len(body) > 0 && !textual(r.Header.Get("Content-Type")) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		if len(body) > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
			e.Headers["content-length"] = fmt.Sprint(len(body))
		}
	}
	return json.Marshal(e)
}

func textual(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	switch t {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(t, "text/")
}

// Response returns the response that a client gets for a function's payload. What the gateway would refuse is an error.
func Response(answer []byte) (*http.Response, error) {
	var a struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Cookies         []string          `json:"cookies"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("lambdahttptest: the payload is not of format 2.0: %w", err)
	}
	if a.StatusCode < 200 || a.StatusCode > 599 {
		return nil, fmt.Errorf("lambdahttptest: the payload's status is %d", a.StatusCode)
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			return nil, fmt.Errorf("lambdahttptest: the payload's body: %w", err)
		}
	}
	header := make(http.Header, len(a.Headers))
	for name, value := range a.Headers {
		header.Set(name, value)
	}
	for _, c := range a.Cookies {
		header.Add("Set-Cookie", c)
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.StatusCode, http.StatusText(a.StatusCode)), StatusCode: a.StatusCode,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}
