package signed

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"marketplace/shared/lazyregexp"
)

// Error is a refusal by AWS. It carries none of AWS's words: those can repeat what was asked, with the session's token in it.
type Error struct {
	Service   string // "kms"
	Operation string // "Sign"
	Status    int    // of HTTP
	Code      string // AWS's, such as AccessDeniedException; "" when it gave none
	RequestID string // for AWS's support; "" when it gave none
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s %s: %d", e.Service, e.Operation, e.Status)
	if e.Code != "" {
		s += " " + e.Code
	}
	if e.RequestID != "" {
		s += ", request " + e.RequestID
	}
	return s
}

// temporary says whether asking again may help: when the service is at fault or busy. AWS's SDK has the codes.
func (e *Error) temporary() bool {
	_, throttled := retry.DefaultThrottleErrorCodes[e.Code]
	_, late := retry.DefaultRetryableErrorCodes[e.Code]
	return e.Status >= 500 || e.Status == http.StatusTooManyRequests || throttled || late
}

// refusal reads what a service answered instead of doing what was asked: JSON or XML, as services differ.
func (c *Client) refusal(operation string, r *http.Response) *Error {
	e := &Error{Service: c.service, Operation: operation, Status: r.StatusCode}
	e.RequestID = plain(r.Header.Get("X-Amzn-Requestid") + r.Header.Get("X-Amz-Request-Id"))
	body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10)) // what is missing of it only costs the code
	var said struct {
		Code string `json:"__type" xml:"Code"`
	}
	if json.Unmarshal(body, &said) != nil {
		_ = xml.Unmarshal(body, &said)
	}
	if said.Code == "" {
		said.Code = r.Header.Get("X-Amzn-Errortype")
	}
	// Both "com.amazonaws.kms#NotFoundException" and "NotFoundException:http://…" are told (Smithy, "Operation error serialization").
	code, _, _ := strings.Cut(said.Code, ":")
	e.Code = plain(code[strings.LastIndexByte(code, '#')+1:])
	return e
}

var word = lazyregexp.New(`^[A-Za-z0-9._-]{1,80}$`)

// plain is a word that may stand in a log; "" for what is none.
func plain(s string) string {
	if !word().MatchString(s) {
		return ""
	}
	return s
}

// attempts is how often the same is asked at the most.
const attempts = 4

// pause waits before the next attempt: after the first between 0.1 and 0.2 seconds, then twice as long each time. It ends early,
// with an error, when the context does.
func pause(ctx context.Context, attempt int) error {
	longest := 100 * time.Millisecond << attempt
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
