package request

import "time"

// FirstAnswer is when and how a customer first heard from sales about a request: by a question, a key or a rejection.
type FirstAnswer struct {
	At  time.Time `json:"at"`           // UTC
	Due time.Time `json:"due,omitzero"` // UTC; the deadline that it had; zero if nothing had been promised
	By  State     `json:"by"`           // the state with which it came
}

// IsAnswer reports whether the customer of a request hears from sales when it gets into the state. A withdrawal is the
// customer's own.
func (s State) IsAnswer() bool {
	return s == Waiting || s == Issued || s == Answered || s == Rejected
}

// Answer returns the first answer to the request; nil if there is none yet. One that closed a request is void once the
// request is open again.
func (r Request) Answer() *FirstAnswer {
	if a := r.FirstAnswer; a != nil && (a.By.Open() || a.By == r.State) {
		return a
	}
	return nil
}

// FirstDue returns by when the first answer was promised; zero if it does not count: nothing was promised before there
// was one, or the customer withdrew first.
func (r Request) FirstDue() time.Time {
	switch a := r.Answer(); {
	case a != nil:
		return a.Due
	case r.State == Withdrawn:
		return time.Time{}
	}
	return r.Due
}
