package response

import (
	"encoding/json"
	"net/http"

	"marketplace/shared/fault"
)

// Problem is an error as an API reports it (RFC 9457), with what is wrong field by field.
type Problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Errors []fault.Field `json:"errors,omitempty"`
}

// NewProblem returns the problem of a status; detail is for people, in full sentences, or "".
func NewProblem(status int, detail string) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// Write answers with the problem. Headers that belong to the error, such as Allow, are the caller's.
func (p Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic("response: encoding a problem: " + err.Error()) // only strings and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // an error can only mean that the client is gone
}
