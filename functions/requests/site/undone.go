package site

import (
	"slices"

	"marketplace/shared/store"
)

// Sales can undo a rejection or withdrawal for a minute. Until then, and after they did, its customer sees nothing of
// it: the store hands out the request as it was before (request.Request.Known), and this leaves out the events.

// knownEvents returns the events of a request without those that closed it and were undone. undoable: the last one that
// closed it can still be.
func knownEvents(events []store.Event, undoable bool) (known []store.Event) {
	for _, e := range events {
		switch e.Action {
		case store.RejectionUndone, store.WithdrawalUndone:
			known = withoutEnd(known)
		default:
			known = append(known, e)
		}
	}
	if undoable {
		known = withoutEnd(known)
	}
	return known
}

// withoutEnd leaves out the last event that closed the request.
func withoutEnd(events []store.Event) []store.Event {
	for i, e := range slices.Backward(events) {
		if e.Action == store.RequestRejected || e.Action == store.RequestWithdrawn {
			return slices.Delete(events, i, i+1)
		}
	}
	return events
}
