package store

import (
	"context"
	"errors"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// Review is what an operator does to a request.
type Review struct {
	ID      string
	Version int64         // of the request as the operator saw it
	By      string        // the operator's e-mail address
	To      request.State // the state that it comes into
	Text    string        // the question to the customer, or the reason of a rejection or withdrawal
}

// Actions of operators on requests.
const (
	RequestTaken     Action = "taken into review"
	RequestTakenOver Action = "taken over"
	CustomerAsked    Action = "customer asked"
	RequestResumed   Action = "review resumed"
	RequestRejected  Action = "rejected"
	RequestWithdrawn Action = "withdrawn"
	RequestIssued    Action = "issued"
	NoteAdded        Action = "note added"
)

// Review brings a request into another state, with the mail that tells of it, if any: mails makes it from the request as
// it will be. Who brings into review what a colleague has in review takes it over. It is a Conflict fault where somebody changed
// the request since it was seen, and where its state does not lead to the other.
func (s *Store) Review(ctx context.Context, v Review, mails func(request.Request) []mail.Message) (request.Request, error) {
	r, action, err := s.reviewed(ctx, v)
	if err != nil {
		return request.Request{}, err
	}
	writes := s.requestWrites(r.before, r.after, v.By, action, v.Text)
	if mails != nil {
		for _, m := range mails(r.after) {
			writes = append(writes, s.outboxWrites(m)...)
		}
	}
	err = s.table.Transact(ctx, writes...)
	if errors.Is(err, table.ErrConflict) {
		return request.Request{}, changedMeanwhile(err)
	}
	if err != nil {
		return request.Request{}, fmt.Errorf("store: request %s: %w", v.ID, err)
	}
	r.after.Version++
	return r.after, nil
}

// reviewed is a request before and after a review.
type reviewed struct{ before, after request.Request }

func (s *Store) reviewed(ctx context.Context, v Review) (r reviewed, action Action, err error) {
	if r.before, err = s.requestAt(ctx, v.ID, v.Version); err != nil {
		return r, "", err
	}
	takenOver := v.To == request.InReview && r.before.State == request.InReview && r.before.Reviewer != v.By
	if !r.before.State.Leads(v.To) && !takenOver {
		return r, "", fault.New(fault.Conflict, "The request is %s; it cannot become %s.", r.before.State, v.To)
	}
	r.after = r.before
	r.after.State = v.To
	switch v.To {
	case request.InReview:
		r.after.Reviewer = v.By
		action = RequestTaken
		switch {
		case takenOver:
			action = RequestTakenOver
		case r.before.State == request.Waiting:
			action = RequestResumed
		}
	case request.Waiting:
		r.after.Reviewer, r.after.Question = v.By, v.Text
		action = CustomerAsked
	case request.Rejected, request.Withdrawn:
		r.after.Reason, r.after.Closed = v.Text, s.now()
		action = RequestRejected
		if v.To == request.Withdrawn {
			action = RequestWithdrawn
		}
	case request.Issued:
		r.after.Closed = s.now()
		action = RequestIssued
	}
	return r, action, nil
}

// requestAt reads a request that must still have the version.
func (s *Store) requestAt(ctx context.Context, id string, version int64) (request.Request, error) {
	r, err := s.Request(ctx, id)
	if err == nil && r.Version != version {
		return r, changedMeanwhile(nil)
	}
	return r, err
}

func changedMeanwhile(err error) error {
	return fault.Wrap(fault.Conflict, err, "Somebody changed this request while you looked at it, so nothing of yours was written. Load it again, and repeat your change.")
}

// requestWrites write a request that changed, with its index rows and a line of its timeline.
func (s *Store) requestWrites(before, after request.Request, by string, action Action, note string) []table.Write {
	entity := requestKey(after.ID)
	return append(requestIndexWrites(after, &before),
		table.Update(at(encode(entity, rowRequest, after), before.Version)),
		s.eventWrite(entity, by, action, note, changes(before, after)))
}

// NoteOnRequest adds a line to a request's timeline and changes nothing else.
func (s *Store) NoteOnRequest(ctx context.Context, id, by, note string) error {
	if _, err := s.Request(ctx, id); err != nil {
		return err
	}
	if err := s.table.Transact(ctx, s.eventWrite(requestKey(id), by, NoteAdded, note, nil)); err != nil {
		return fmt.Errorf("store: note on request %s: %w", id, err)
	}
	return nil
}
