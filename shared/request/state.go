package request

import "slices"

// State is how far a request has come.
type State string

const (
	Received  State = "received"
	InReview  State = "in review"
	Waiting   State = "waiting for customer"
	Issued    State = "issued"
	Rejected  State = "rejected"
	Withdrawn State = "withdrawn"
)

// States lists every state, the open ones first.
var States = []State{Received, InReview, Waiting, Issued, Rejected, Withdrawn}

// next says where each state leads to. What is issued, rejected or withdrawn stays so: a customer who wants something
// else files another request.
var next = map[State][]State{
	Received: {InReview, Waiting, Issued, Rejected, Withdrawn},
	InReview: {Waiting, Issued, Rejected, Withdrawn},
	Waiting:  {InReview, Issued, Rejected, Withdrawn},
}

// Open reports whether there is still something to do.
func (s State) Open() bool { return len(next[s]) > 0 }

// Leads reports whether a request in state s can come into state to.
func (s State) Leads(to State) bool { return slices.Contains(next[s], to) }
