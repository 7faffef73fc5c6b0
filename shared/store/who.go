package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
)

// RequestChange is what an operator does to a request, besides reviewing it.
type RequestChange struct {
	ID      string
	Version int64  // of the request as the operator saw it; 0: as it is
	By      string // the operator's email address, or System
}

// changeRequest changes a request as an operator saw it. edit also says what is told on the timeline.
func (c *changeset) changeRequest(ctx context.Context, change RequestChange,
	edit func(*request.Request) (entity.Line, error)) (request.Request, error) {
	before, err := c.store.Request(ctx, change.ID)
	switch {
	case err != nil:
		return before, err
	case change.Version != 0 && before.Version != change.Version:
		return before, changedMeanwhile(nil)
	}
	after := before
	line, err := edit(&after)
	if err != nil {
		return before, err
	}
	line.By = change.By
	c.Change(requestEntity{before}, requestEntity{after}, before.Version, line)
	return after, nil
}

// requestChange commits a change of a request alone.
func (s *Store) requestChange(ctx context.Context, change RequestChange,
	edit func(*changeset, *request.Request) (entity.Line, error)) error {
	err := entity.Retry(func() error {
		c := s.begin()
		_, err := c.changeRequest(ctx, change, func(r *request.Request) (entity.Line, error) { return edit(c, r) })
		if err != nil {
			return err
		}
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: request %s: %w", change.ID, err)
	}
	return nil
}

// LinkRequest links an open request to a customer, and to one of its instances ("": none yet); no customer, "", undoes
// that. It is a Conflict fault if the request was closed, or changed since the operator saw it.
func (s *Store) LinkRequest(ctx context.Context, change RequestChange, customerID, instance string) error {
	return s.requestChange(ctx, change, func(_ *changeset, r *request.Request) (entity.Line, error) {
		return link(r, change.By, customerID, instance)
	})
}

func link(r *request.Request, by, customerID, instance string) (entity.Line, error) {
	if !r.State.Open() {
		return entity.Line{}, closed(*r)
	}
	r.Customer, r.Instance, r.LinkedBy = customerID, instance, by
	action := RequestLinked
	if customerID == "" {
		action, r.LinkedBy = RequestUnlinked, ""
	}
	return entity.Line{Action: action, Note: customerID}, nil
}

func closed(r request.Request) error {
	return fault.New(fault.Conflict, "This request is %s, so it can't be changed any more.", r.State)
}

// LinkNewCustomer puts a new customer on record and links an open request to it, in one transaction.
func (s *Store) LinkNewCustomer(ctx context.Context, change RequestChange, added customer.Customer) error {
	i, err := s.withReferences(Issue{Customer: &added, By: change.By}, nil)
	if err != nil {
		return err
	}
	return s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		if _, err := c.saveCustomer(ctx, i); err != nil {
			return entity.Line{}, err
		}
		return link(r, change.By, added.ID, "")
	})
}

// AskContacts notes that contacts of the request's customer were asked whether it is theirs, and asks them, each in an
// email with a private link. It is a Conflict fault if the request was closed, or changed since the operator saw it.
func (s *Store) AskContacts(ctx context.Context, change RequestChange, contacts ...license.Contact) error {
	return s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		if !r.State.Open() {
			return entity.Line{}, closed(*r)
		}
		line := c.asked(r, contacts)
		for _, to := range contacts {
			c.queue(notice.RequestAsk(*r, to, token.Answer.New()))
		}
		return line, nil
	})
}

// maxAsks is about how many requests the system asks a contact in a day (UTC), so that nobody is harassed through us.
// Sales may ask about more.
const maxAsks = 5

// AskedEnough reports whether a contact was asked about so many requests today that the system asks about no more.
func (s *Store) AskedEnough(ctx context.Context, contact string) (bool, error) {
	q := table.Query{PK: rowkey.AskedPK(contact, license.DateOf(s.now()))}
	rows, _, err := s.table.First(ctx, q, maxAsks)
	if err != nil {
		return false, fmt.Errorf("store: what a contact was asked today: %w", err)
	}
	return len(rows) == maxAsks, nil
}

// asked notes on a request, and with each contact, that contacts were asked.
func (c *changeset) asked(r *request.Request, contacts []license.Contact) entity.Line {
	s := c.store
	for _, to := range contacts {
		key := table.Key{PK: rowkey.AskedPK(to.Email, license.DateOf(s.now())), SK: r.ID}
		row := entity.Encode(key, rowkey.TypeIndex, struct{}{})
		row.Expires = s.now().AddDate(0, 0, confirmationsDays)
		c.Set(row)
	}
	r.Asked, r.AskedOf = s.now().Truncate(time.Millisecond), slices.Clone(r.AskedOf)
	for _, to := range contacts {
		if !slices.Contains(r.AskedOf, to.Email) {
			r.AskedOf = append(r.AskedOf, to.Email)
		}
	}
	return entity.Line{Action: ContactsAsked}
}

// ReceiveRequest notes what the system found out about a confirmed request: the customer that it is linked to ("": none),
// and the contacts who are asked whether it is theirs, whose emails the caller queues. What was noted before stays.
func (s *Store) ReceiveRequest(ctx context.Context, id, customerID, instance string,
	asked ...license.Contact) (request.Request, error) {
	change := RequestChange{ID: id, By: System}
	err := s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		if !r.State.Open() || r.LinkedBy != "" {
			return entity.Line{}, errReceived
		}
		line, err := link(r, System, customerID, instance)
		if len(asked) > 0 {
			c.Log(rowkey.Request(id), line)
			line = c.asked(r, asked)
		}
		return line, err
	})
	if fault.KindOf(err) == fault.Conflict {
		err = nil // somebody was first
	}
	if err != nil {
		return request.Request{}, err
	}
	return s.Request(ctx, id)
}

var errReceived = fault.New(fault.Conflict, "The request was received before.")

// AnswerRequest notes what a contact answered when asked whether a request is theirs, and tells sales. The newest answer
// of a contact counts. It is a Conflict fault if the request was closed.
func (s *Store) AnswerRequest(ctx context.Context, id, contact string, yes bool) error {
	change := RequestChange{ID: id, By: Customer}
	return s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		if !r.State.Open() {
			return entity.Line{}, closed(*r)
		}
		r.Answers = slices.DeleteFunc(slices.Clone(r.Answers), func(a request.Answer) bool {
			return input.SameMailbox(a.By, contact)
		})
		a := request.Answer{By: contact, At: s.now().Truncate(time.Millisecond), Yes: yes}
		r.Answers = append(r.Answers, a)
		c.queue(notice.RequestAnswered(*r, a))
		action := ContactSaidNo
		if yes {
			action = ContactSaidYes
		}
		return entity.Line{Action: action, Note: contact}, nil
	})
}

// VouchFor notes that an operator vouches for a request, with what the vouch covers. It is a Conflict fault if the request
// was closed, or changed since the operator saw it.
func (s *Store) VouchFor(ctx context.Context, change RequestChange, v request.Vouch) error {
	return s.requestChange(ctx, change, func(_ *changeset, r *request.Request) (entity.Line, error) {
		if !r.State.Open() {
			return entity.Line{}, closed(*r)
		}
		v.By, v.At = change.By, s.now().Truncate(time.Millisecond)
		r.Vouch = &v
		return entity.Line{Action: VouchedFor, Note: v.Note}, nil
	})
}

// WithdrawVouch takes back the vouch for a request.
func (s *Store) WithdrawVouch(ctx context.Context, change RequestChange) error {
	return s.requestChange(ctx, change, func(_ *changeset, r *request.Request) (entity.Line, error) {
		if r.Vouch == nil || !r.State.Open() {
			return entity.Line{}, closed(*r)
		}
		r.Vouch = nil
		return entity.Line{Action: VouchWithdrawn}, nil
	})
}
