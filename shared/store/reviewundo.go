package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
)

// Sales can undo a rejection or withdrawal for request.UndoFor. Its email waits that long, so that an undone one never
// leaves, and everybody outside goes on seeing the request as it was before (request.Request.Known).

// Actions that undo others.
const (
	RejectionUndone  Action = "rejection undone"
	WithdrawalUndone Action = "withdrawal undone"
)

// undoOf is what restores the request before a review that closed it.
func (s *Store) undoOf(before, after request.Request, v Review) *request.Undo {
	n, _ := v.notice(after)
	return &request.Undo{
		Until: s.now().Add(request.UndoFor).Truncate(time.Millisecond), Mail: n.ID,
		State: before.State, Due: before.Due, Unconfirmed: before.Unconfirmed,
	}
}

// UndoReview restores a request to what it was before sales rejected or withdrew it; mailID names the decision
// (request.Undo.Mail). The email about it is not sent. It is a Conflict fault that says why if that was undone already,
// if it is too late, or if the email is on its way.
func (s *Store) UndoReview(ctx context.Context, id, mailID, by string) error {
	err := entity.Retry(func() error {
		r, err := s.Request(ctx, id)
		switch {
		case err != nil:
			return err
		case r.Undo == nil || r.Undo.Mail != mailID:
			return fault.New(fault.Conflict, "Someone has already undone this, or changed the request since.")
		case !r.Undoable(s.now()):
			return tooLate("The minute in which this could be undone is over.")
		}
		m, err := s.outbox.Read(ctx, mailID)
		if err != nil {
			return err
		}
		if !m.Untouched() {
			return tooLate("The email is already on its way.")
		}
		c := s.begin()
		action, why := RejectionUndone, "the rejection was undone"
		if r.State == request.Withdrawn {
			action, why = WithdrawalUndone, "the withdrawal was undone"
		}
		after := r.Undone()
		c.Change(requestEntity{r}, requestEntity{after}, r.Version, entity.Line{By: by, Action: action})
		if r.Undo.Untold {
			c.Set(untoldRow(after))
		}
		s.outbox.DropIn(c.Changeset, m, why)
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: undoing the end of request %s: %w", id, err)
	}
	return nil
}

// tooLate says why something cannot be undone, and what to do instead.
func tooLate(why string) error {
	return fault.New(fault.Conflict, "%s The request stays closed. "+
		"Write to the customer, and file a new request for them if they still need the license.", why)
}

// undoing returns a Conflict fault while sales can undo the end of the request, and nil otherwise. It tells whoever acts
// from outside neither what sales decided nor that they may undo it.
func (s *Store) undoing(r request.Request) error {
	if !r.Undoable(s.now()) {
		return nil
	}
	return fault.New(fault.Conflict, "Someone on our sales team is working on this request right now. "+
		"Wait a minute, then try again.")
}

// known is Known of the request now.
func (s *Store) known(r request.Request) request.Request { return r.Known(s.now()) }

// hold puts a mail into the outbox that is not sent before a time, since what it tells may be undone.
func (c *changeset) hold(n notice.Notice, until time.Time) {
	if !c.store.silent {
		c.store.outbox.QueueHeld(c.Changeset, n, until)
	}
}
