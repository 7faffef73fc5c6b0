// Package requester does what the customer of an open request asks for: it takes the answer to our question, corrects
// the request, and cancels it. Separate from shared/store, since nothing else on record depends on it.
//
// Who has the private link of a request may be somebody else than its address, and colleagues share it. So what comes
// by the link proves nothing: a correction has the address confirm the request again. A contact who is signed in proves
// the address (Who).
package requester

import (
	"context"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
)

// Store changes requests as their customers ask.
type Store struct{ store *store.Store }

// New makes a Store over another.
func New(s *store.Store) *Store { return &Store{s} }

// Who asks: the email address of a contact who is signed in; "" for whoever has the private link of the request.
type Who string

// AnswerQuestion answers the question that sales asked the customer, and tells sales: the review goes on, and is due
// anew. question is the one that was answered. It is a Conflict fault if it is no longer open.
func (s *Store) AnswerQuestion(ctx context.Context, id string, who Who, question, text string) error {
	return s.store.EditRequest(ctx, id, func(e *store.Edit) error {
		r, now := &e.After, s.now()
		switch {
		case r.Response != nil && r.Question == question && r.Response.Text == text:
			return store.ErrUnchanged
		case r.State != request.Waiting, r.Question != question:
			return fault.New(fault.Conflict, "This question is no longer open, so your answer was not sent. "+
				"Reload the page to see what we need.")
		}
		r.State, r.Due = request.InReview, s.store.Hours().Due(r.Begins(now))
		r.Response = &request.Response{By: string(who), At: now, Text: text}
		e.Line = entity.Line{Action: store.QuestionAnswered, Note: text}
		e.Names = []string{string(who)}
		e.Mails = []notice.Notice{notice.RequestUpdated(*r, notice.Answered, e.Before.Version)}
		return nil
	})
}

// CancelRequest withdraws a request for its customer, and tells sales if they know of it, and the address if it is
// confirmed. Cancelled again, it stays as it is; one that was closed otherwise is a Conflict fault.
func (s *Store) CancelRequest(ctx context.Context, id string, who Who) error {
	return s.store.EditRequest(ctx, id, func(e *store.Edit) error {
		r := &e.After
		switch {
		case r.Cancelled:
			return store.ErrUnchanged
		case !r.State.Open():
			return closed(*r)
		}
		r.State, r.Cancelled, r.Closed, r.Undo = request.Withdrawn, true, s.now(), nil
		e.Line = entity.Line{Action: store.RequestCancelled, Note: by(who, *r)}
		if !e.Before.Unconfirmed {
			e.Mails = append(e.Mails, notice.RequestUpdated(*r, notice.Cancelled, e.Before.Version))
		}
		if r.AddressConfirmed() {
			e.Mails = append(e.Mails, notice.RequestClosed(*r, e.Before.Version, store.Customer))
		}
		e.Names = []string{string(who)}
		return nil
	})
}

// CorrectRequest gives a request other details, and tells sales if they know of it. version is the request's as the
// customer saw it. What contacts and colleagues said about the request does not hold for other details. By the link,
// the address has to confirm the request again, unless it asks for no more than a link allows. It is a Conflict fault
// if the request was closed, changed meanwhile, or was corrected too often.
func (s *Store) CorrectRequest(ctx context.Context, id string, who Who, version int64, d request.Details) error {
	return s.store.EditRequest(ctx, id, func(e *store.Edit) error {
		r, own := &e.After, input.SameMailbox(string(who), e.Before.Email)
		switch {
		case !r.State.Open():
			return closed(*r)
		case r.Kind == request.Bridge:
			return fault.New(fault.Conflict, "Correct the request for the replacement instead.")
		case d.Fingerprint() == r.Fingerprint():
			return store.ErrUnchanged
		case r.Version != version:
			return fault.New(fault.Conflict, "The request changed meanwhile, so your corrections were not saved. "+
				"Reload the page and try again.")
		case r.Corrections >= request.MaxCorrections:
			return fault.New(fault.Conflict, "You corrected this request %d times. Write to us if something is still "+
				"wrong.", request.MaxCorrections)
		}
		r.Details, r.Corrections = d, r.Corrections+1
		if e.Before.AwaitsServer() && !d.AwaitsServer() {
			r.Due = s.store.Hours().Due(s.now()) // the new server ID is what we waited for
		}
		r.Asked, r.AskedOf, r.Answers, r.Vouch = time.Time{}, nil, nil, nil
		e.Line = entity.Line{Action: store.RequestCorrected, Note: by(who, *r)}
		e.Names = []string{string(who)}
		if !e.Before.Unconfirmed {
			e.Mails = append(e.Mails, notice.RequestUpdated(*r, notice.Corrected, e.Before.Version))
		}
		switch {
		case own:
			s.confirm(e)
		case !r.Bound:
			e.Confirm = true
			if !r.Unconfirmed && r.State == request.Received && r.FiledBy == "" {
				// The days begin anew in which somebody may confirm it (store.Store.CloseUnconfirmed).
				r.Unconfirmed, r.Due = true, s.store.Hours().Due(r.Begins(s.now()))
			}
		}
		return nil
	})
}

// confirm notes that the person behind the address sent the request, as they are signed in.
func (s *Store) confirm(e *store.Edit) {
	r := &e.After
	r.Confirmed = s.now()
	if r.Unconfirmed {
		r.Unconfirmed, r.Due = false, s.store.Hours().Due(r.Begins(r.Confirmed))
		e.Mails = append(e.Mails, notice.RequestConfirmed(*r))
	}
}

func (s *Store) now() time.Time { return s.store.Now().Truncate(time.Millisecond) }

func closed(r request.Request) error {
	return fault.New(fault.Conflict, "This request is %s, so you can't change it any more.", r.State)
}

// by names who did something, if it is not the address of the request.
func by(who Who, r request.Request) string {
	if input.SameMailbox(string(who), r.Email) {
		return ""
	}
	return string(who)
}
