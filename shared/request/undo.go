package request

import (
	"time"

	"marketplace/shared/fault"
)

// UndoFor is how long a rejection or withdrawal can be undone. Until then nobody outside hears of it.
const UndoFor = time.Minute

// Undo is what restores a request that sales rejected or withdrew.
type Undo struct {
	Until time.Time `json:"until"` // UTC
	Mail  string    `json:"mail"`  // the ID of the email that waits until then; it names this one decision

	// What the decision changed, as it was before.
	State       State     `json:"state"`
	Due         time.Time `json:"due"`
	Unconfirmed bool      `json:"unconfirmed,omitempty"`
	Untold      bool      `json:"untold,omitempty"` // sales were not told yet of the unconfirmed request
}

// Undoable reports whether the rejection or withdrawal of the request can still be undone.
func (r Request) Undoable(now time.Time) bool { return r.Undo != nil && now.Before(r.Undo.Until) }

// Undoing returns a Conflict fault while sales can undo the end of the request, and nil otherwise. It tells whoever
// acts from outside neither what sales decided nor that they may undo it.
func (r Request) Undoing(now time.Time) error {
	if !r.Undoable(now) {
		return nil
	}
	return fault.New(fault.Conflict, "Someone on our sales team is working on this request right now. "+
		"Wait a minute, then try again.")
}

// Known returns the request as everybody but sales knows it: while its rejection or withdrawal can be undone, as it was
// before. It still has Undo then.
func (r Request) Known(now time.Time) Request {
	if !r.Undoable(now) {
		return r
	}
	return r.before()
}

// Undone returns the request as it was before its rejection or withdrawal.
func (r Request) Undone() Request {
	r = r.before()
	r.Undo = nil
	return r
}

func (r Request) before() Request {
	if r.FirstAnswer != nil && r.FirstAnswer.By == r.State { // nobody has heard it
		r.FirstAnswer = nil
	}
	r.State, r.Due, r.Unconfirmed = r.Undo.State, r.Undo.Due, r.Undo.Unconfirmed
	r.Reason, r.Closed, r.Expires = "", time.Time{}, time.Time{}
	return r
}
