package sesfront

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"

	"marketplace/functions/mailevents/feedback/feedbacktest"
)

// Handler returns the Front as a server of SES's Query API.
func (f *Front) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := f.answer(r)
		if err != nil { // as if the connection broke
			panic(http.ErrAbortHandler)
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		io.Copy(w, resp.Body)
	})
}

// Transport returns the Front as the transport of an HTTP client, without a network. It tells the client's trace how
// far a call came, as net/http does.
func (f *Front) Transport() http.RoundTripper { return transport{f} }

type transport struct{ *Front }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(r.Host)
	}
	resp, err := t.answer(r)
	if errors.Is(err, errRefused) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	return resp, err
}

var errRefused = errors.New("connection refused")

// answer answers a call; an error means that the connection breaks.
func (f *Front) answer(r *http.Request) (*http.Response, error) {
	body := []byte(nil)
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return apiError(http.StatusBadRequest, "MalformedQueryString", "The query string is malformed."), nil
	}
	switch action := form.Get("Action"); {
	case action == "SendRawEmail":
		return f.sendRawEmail(r, body, form)
	case action == "GetSendQuota" && (f.o.Upstream == "" || f.o.Quota.PerDay > 0 || f.o.Quota.PerSecond > 0):
		return f.getSendQuota()
	case f.o.Upstream != "":
		return f.forward(r, body)
	default:
		return apiError(http.StatusBadRequest, "InvalidAction", "The front knows no action "+action+"."), nil
	}
}

func (f *Front) sendRawEmail(r *http.Request, body []byte, form url.Values) (*http.Response, error) {
	raw, err := base64.StdEncoding.DecodeString(form.Get("RawMessage.Data"))
	if err != nil {
		return apiError(http.StatusBadRequest, "InvalidParameterValue", "RawMessage.Data is not base64."), nil
	}
	m := feedbacktest.Mail{
		From: form.Get("Source"), To: form.Get("Destinations.member.1"), At: f.o.Now(),
	}
	for n := 1; form.Has(fmt.Sprintf("Tags.member.%d.Name", n)); n++ {
		value := form.Get(fmt.Sprintf("Tags.member.%d.Value", n))
		switch form.Get(fmt.Sprintf("Tags.member.%d.Name", n)) {
		case "mail":
			m.ID = value
		case "kind":
			m.Kind = value
		case "about":
			m.About = value
		case "attempt":
			m.Attempt, _ = strconv.Atoi(value)
		}
	}
	b := f.begin(m, form.Get("ConfigurationSetName"))
	if !b.Fault.accepts() {
		return refused(r.Context(), b.Fault)
	}
	m.ProviderID = f.newID()
	resp := xmlResponse(http.StatusOK, sendRawEmailResponse{MessageID: m.ProviderID, RequestID: requestID})
	if f.o.Upstream != "" {
		if resp, err = f.forward(r, body); err != nil {
			return nil, err
		}
		if m.ProviderID, err = messageID(resp); err != nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
	}
	f.accept(Accepted{Mail: m, Raw: raw}, b.Events)
	switch b.Fault {
	case AnswerLost:
		return nil, io.ErrUnexpectedEOF
	case Hang:
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return resp, nil
}

// refused is how a call ends that is not accepted.
func refused(ctx context.Context, fault Fault) (*http.Response, error) {
	switch fault {
	case Refuse:
		return nil, errRefused
	case ServerError:
		return apiError(http.StatusInternalServerError, "InternalFailure", "An internal error occurred."), nil
	case Unavailable:
		return apiError(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unavailable."), nil
	case Gateway:
		return response(http.StatusBadGateway, "text/html", []byte("<html>Bad Gateway</html>")), nil
	case Throttle:
		return apiError(http.StatusBadRequest, "Throttling", "Maximum sending rate exceeded."), nil
	case QuotaGone:
		return apiError(http.StatusBadRequest, "Throttling", "Daily message quota exceeded."), nil
	case Reject:
		return apiError(http.StatusBadRequest, "InvalidParameterValue", "The mail is invalid."), nil
	case Setup:
		return apiError(http.StatusBadRequest, "AccountSendingPausedException", "Sending is paused."), nil
	case HangRefused:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, io.ErrUnexpectedEOF
}

func (f *Front) getSendQuota() (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.quota()
	r := getSendQuotaResponse{Max: -1, Rate: q.PerSecond, Sent: float64(q.SentLastDay), RequestID: requestID}
	if q.PerDay > 0 {
		r.Max = float64(q.PerDay)
	}
	return xmlResponse(http.StatusOK, r), nil
}

// forward passes a call on as it is, signature included.
func (f *Front) forward(r *http.Request, body []byte) (*http.Response, error) {
	to, err := http.NewRequestWithContext(r.Context(), r.Method, f.o.Upstream+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	to.Header = r.Header.Clone()
	return http.DefaultTransport.RoundTrip(to)
}

// messageID reads the message ID from a response, whose body it keeps; "" without one.
func messageID(resp *http.Response) (string, error) {
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	_, rest, _ := strings.Cut(string(body), "<MessageId>")
	id, _, _ := strings.Cut(rest, "</MessageId>")
	return id, err
}

const requestID = "fd3ae762-2563-11df-8cd4-6d4e828a9ae8"

type sendRawEmailResponse struct {
	XMLName   xml.Name `xml:"http://ses.amazonaws.com/doc/2010-12-01/ SendRawEmailResponse"`
	MessageID string   `xml:"SendRawEmailResult>MessageId"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type getSendQuotaResponse struct {
	XMLName   xml.Name `xml:"http://ses.amazonaws.com/doc/2010-12-01/ GetSendQuotaResponse"`
	Sent      float64  `xml:"GetSendQuotaResult>SentLast24Hours"`
	Max       float64  `xml:"GetSendQuotaResult>Max24HourSend"`
	Rate      float64  `xml:"GetSendQuotaResult>MaxSendRate"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

type errorResponse struct {
	XMLName   xml.Name `xml:"http://ses.amazonaws.com/doc/2010-12-01/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

func apiError(status int, code, message string) *http.Response {
	return xmlResponse(status, errorResponse{Type: "Sender", Code: code, Message: message, RequestID: requestID})
}

func xmlResponse(status int, v any) *http.Response {
	body, err := xml.Marshal(v)
	if err != nil {
		panic("sesfront: " + err.Error())
	}
	return response(status, "text/xml", body)
}

func response(status int, contentType string, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {contentType}, "Content-Length": {strconv.Itoa(len(body))}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
}
