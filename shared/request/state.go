package request

import "slices"

// State is the state of a request.
type State string

const (
	Received  State = "received"
	InReview  State = "in review"
	Waiting   State = "waiting for customer"
	Issued    State = "issued"
	Answered  State = "answered" // the customer got what was asked for without a new license: the key again
	Rejected  State = "rejected"
	Withdrawn State = "withdrawn"
)

// States lists every state, the open ones first.
var States = []State{Received, InReview, Waiting, Issued, Answered, Rejected, Withdrawn}

// next lists the states that follow each state. The others are final: customers file a new request.
var next = map[State][]State{
	Received: {InReview, Waiting, Issued, Answered, Rejected, Withdrawn},
	InReview: {Waiting, Issued, Answered, Rejected, Withdrawn},
	Waiting:  {InReview, Issued, Answered, Rejected, Withdrawn},
}

// Open reports whether the request needs more work.
func (s State) Open() bool { return len(next[s]) > 0 }

// Leads reports whether a request in state s can change to state to.
func (s State) Leads(to State) bool { return slices.Contains(next[s], to) }
