package request

import (
	"time"

	"marketplace/shared/officehours"
)

// LateTold says who was told that a request is late.
type LateTold struct {
	Due      time.Time `json:"due"`               // the deadline that was missed, UTC
	Reviewer time.Time `json:"reviewer,omitzero"` // UTC; when who works on it was told; zero: not
	Sales    time.Time `json:"sales,omitzero"`    // UTC; when the sales mailbox was told; zero: not
}

// SalesAfter is how much office time the reviewer of a late request has before the sales mailbox is told.
const SalesAfter = 2 * time.Hour

// ToTell is what has to be told about a late request.
type ToTell struct {
	At    time.Time // UTC; from when on
	Sales bool      // tell the sales mailbox; else the reviewer
}

// ToTell returns who is told next that the request is late, if nobody answers until then; ok is false for nobody: it
// cannot become late, or sales were told. The reviewer is told first, then sales, each once for a deadline.
func (s Summary) ToTell(h officehours.Hours) (next ToTell, ok bool) {
	told := s.LateTold
	if !told.Due.Equal(s.Due) {
		told = LateTold{}
	}
	switch {
	case !s.State.Open() || s.State == Waiting || s.Unconfirmed || !told.Sales.IsZero():
		return ToTell{}, false
	case !told.Reviewer.IsZero():
		return ToTell{h.Add(told.Reviewer, SalesAfter), true}, true
	}
	return ToTell{s.Due, s.Reviewer == ""}, true
}
