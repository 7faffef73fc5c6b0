package site

import (
	"net/http"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// doneUndo is where the page of a request goes after an undo.
const doneUndo = "undo"

// undoOffer offers to undo the end of a request while that is possible.
type undoOffer struct {
	What  string // "rejection" or "withdrawal"
	Mail  string // the ID of the email that waits
	Until string // "10:31:05 UTC"
}

// newUndoOffer returns the offer for a request; nil if there is nothing to undo.
func newUndoOffer(r request.Request, now time.Time) *undoOffer {
	if !r.Undoable(now) {
		return nil
	}
	what := "rejection"
	if r.State == request.Withdrawn {
		what = "withdrawal"
	}
	return &undoOffer{what, r.Undo.Mail, r.Undo.Until.UTC().Format("15:04:05 UTC")}
}

// undo undoes the end of a request. A form that is submitted twice counts once.
func (s *site) undo(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	id := requestID(r)
	err = s.store.UndoReview(r.Context(), id, form.Get("mail"), operator(r))
	if fault.KindOf(err) == fault.Conflict {
		conflict := err
		events, err := s.store.RequestTimeline(r.Context(), id)
		if err != nil {
			return err
		}
		for _, action := range []store.Action{store.RejectionUndone, store.WithdrawalUndone} {
			if isRepeat(since(events, b.LastEvent), operator(r), action, "") {
				return redirectToRequest(w, r, id, doneUndo)
			}
		}
		return s.showRequestError(w, r, b, conflict)
	}
	if err != nil {
		return err
	}
	return redirectToRequest(w, r, id, doneUndo)
}

// doneToUndo returns the message after an undo; "" if the action is another.
func doneToUndo(path string) string {
	if path != doneUndo {
		return ""
	}
	return "Undone. The request is as it was before, and no email was sent."
}
