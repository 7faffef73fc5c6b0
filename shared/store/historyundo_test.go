package store_test

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// end is what becomes of a request that is rejected or withdrawn: what it was before is kept, and nobody is told yet.
func (h *history) end(r *modelRequest, before request.Request, version int64, who string) {
	r.Reason, r.Closed = "because", h.now
	n := notice.RequestClosed(r.Request, version, who)
	r.Undo = &request.Undo{
		Until: h.now.Add(time.Minute), Mail: n.ID, State: before.State, Due: before.Due,
		Unconfirmed: before.Unconfirmed, Untold: before.Unconfirmed && !h.record.toldOf[r.ID],
	}
	h.mails = append(h.mails, n.ID)
}

// undoable reports whether sales can undo the end of a request, so that nobody else may change it.
func (h *history) undoable(r *modelRequest) bool { return r.Undo != nil && h.now.Before(r.Undo.Until) }

// moment lets a part of a minute pass.
func (h *history) moment(rt *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(rt, "seconds")) * time.Second)
}

// undo undoes what somebody did within a minute, or tries to. Somebody may hold on to an older decision.
func (h *history) undo(rt *rapid.T) {
	who := h.person(rt)
	id, r := one(rt, h.requests, "request")
	decision := id + "--rejected-1"
	if r.Undo != nil {
		decision = pick(rt, "decision", r.Undo.Mail, r.Undo.Mail, decision)
	}
	may := h.undoable(r) && decision == r.Undo.Mail
	change := func() error { return h.UndoReview(rt.Context(), id, decision, who) }
	h.act(rt, may, touched{request: r}, change, func() {
		action := store.RejectionUndone
		if r.State == request.Withdrawn {
			action = store.WithdrawalUndone
		}
		if r.FirstAnswer != nil && r.FirstAnswer.By == request.Rejected {
			r.FirstAnswer = nil
		}
		r.State, r.Due, r.Unconfirmed = r.Undo.State, r.Undo.Due, r.Undo.Unconfirmed
		r.Reason, r.Closed, r.Undo = "", time.Time{}, nil
		r.told = append(r.told, action)
	})
}

// checkUndone: whatever can be undone has an email that waits, and an email is not sent if it was undone.
func (r *recount) checkUndone() {
	for _, q := range r.requests {
		if q.Undo == nil {
			continue
		}
		if q.State.Open() || !slices.Contains(r.mails, q.Undo.Mail) || r.reminded.undone[q.Undo.Mail] {
			r.failf("got request %+v, whose end can be undone", q)
		}
	}
	for id := range r.reminded.undone {
		of, what, _ := strings.Cut(id, "--")
		if q := r.requests[of]; q.Undo != nil && q.Undo.Mail == id || !strings.HasPrefix(what, "rejected-") &&
			!strings.HasPrefix(what, "withdrawn-") {
			r.failf("got email %s undone, of request %+v", id, q)
		}
	}
}
