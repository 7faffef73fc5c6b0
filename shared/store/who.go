package store

import (
	"context"
	"errors"
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

// Actions on requests, about who asks.
const (
	RequestLinked   Action = "linked to a customer" // that the note names
	RequestUnlinked Action = "link to a customer undone"
	ContactsAsked   Action = "contacts asked"
	ContactSaidYes  Action = "contact said yes" // whom the note names
	ContactSaidNo   Action = "contact said no"  // whom the note names
	VouchedFor      Action = "vouched for"
	VouchWithdrawn  Action = "vouch withdrawn"
)

// RequestChange is what an operator does to a request, besides reviewing it.
type RequestChange struct {
	ID      string
	Version int64  // of the request as the operator saw it; 0: as it is
	By      string // the operator's email address, or System
}

// errDone is what an edit returns if there is nothing left to change.
var errDone = errors.New("store: nothing is left to change")

// requestChange changes a request as an operator saw it. edit also says what is told on the timeline.
func (s *Store) requestChange(ctx context.Context, change RequestChange,
	edit func(*changeset, *request.Request) (entity.Line, error)) error {
	err := entity.Retry(func() error {
		before, err := s.Request(ctx, change.ID)
		switch {
		case err != nil:
			return err
		case change.Version != 0 && before.Version != change.Version:
			return changedMeanwhile(nil)
		}
		c, after := s.begin(), before
		line, err := edit(c, &after)
		if err != nil {
			return err
		}
		line.By = change.By
		c.changeRequest(before, &after, line)
		return c.Commit(ctx)
	})
	if errors.Is(err, errDone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: request %s: %w", change.ID, err)
	}
	return nil
}

// LinkRequest links an open request to a customer, and to one of its instances ("": none yet); no customer, "", undoes
// that. It is a Conflict fault if the request was closed, or changed since the operator saw it, and a NotFound fault if
// the customer does not exist or has no such instance.
func (s *Store) LinkRequest(ctx context.Context, change RequestChange, customerID, instance string) error {
	if customerID != "" {
		a, err := s.Account(ctx, customerID)
		if err != nil {
			return err
		}
		if instance != "" && a.Instance(instance) == nil {
			return fault.New(fault.NotFound, "%s has no instance %s.", a.Customer.Name, instance)
		}
	}
	return s.requestChange(ctx, change, func(_ *changeset, r *request.Request) (entity.Line, error) {
		return link(r, change.By, customerID, instance)
	})
}

func link(r *request.Request, by, customerID, instance string) (entity.Line, error) {
	if !r.State.Open() {
		return entity.Line{}, closed(*r)
	}
	return relink(r, by, customerID, instance)
}

// relink is link of a request that may be closed.
func relink(r *request.Request, by, customerID, instance string) (entity.Line, error) {
	before := *r
	if r.Customer != customerID || r.Instance != "" && r.Instance != instance {
		r.Asked, r.AskedOf, r.Answers = time.Time{}, nil, nil // about something else
	}
	r.Customer, r.Instance, r.LinkedBy = customerID, instance, by
	action := RequestLinked
	if customerID == "" {
		action, r.Instance, r.LinkedBy = RequestUnlinked, "", ""
	}
	if r.Customer == before.Customer && r.Instance == before.Instance && r.LinkedBy == before.LinkedBy {
		return entity.Line{}, errDone
	}
	return entity.Line{Action: action, Note: customerID}, nil
}

func closed(r request.Request) error {
	return fault.New(fault.Conflict, "This request is %s, so you can't change it any more.", r.State)
}

// LinkNewCustomer puts a new customer on record and links an open request to it, in one transaction.
func (s *Store) LinkNewCustomer(ctx context.Context, change RequestChange, added customer.Customer) error {
	return s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		i, err := s.withReferences(Issue{Customer: &added, By: change.By}, nil)
		if err == nil {
			_, err = c.saveCustomer(ctx, i)
		}
		if err != nil {
			return entity.Line{}, err
		}
		return link(r, change.By, added.ID, "")
	})
}

// AskContacts notes that contacts of the request's customer were asked whether it is theirs, and asks them, each in an
// email with a private link. It is a Conflict fault if the request was closed, or changed since the operator saw it.
func (s *Store) AskContacts(ctx context.Context, change RequestChange, contacts ...license.Contact) error {
	contacts = oneOfEach(contacts)
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

// oneOfEach returns the first contact of each mailbox.
func oneOfEach(contacts []license.Contact) (list []license.Contact) {
	for _, c := range contacts {
		same := func(have license.Contact) bool { return input.SameMailbox(have.Email, c.Email) }
		if !slices.ContainsFunc(list, same) {
			list = append(list, c)
		}
	}
	return list
}

// maxAsks limits how many requests a day (UTC) the system asks one contact about, so that nobody is harassed through
// us. Sales may ask about more.
const maxAsks = 5

// askedDays is how long what contacts were asked on a day is remembered, to count it.
const askedDays = 2

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
	today := license.DateOf(s.now())
	for _, to := range contacts {
		row := entity.Encode(rowkey.Asked(to.Email, today, r.ID), rowkey.TypeIndex, struct{}{})
		row.Expires = today.AddDays(askedDays).Start()
		c.Set(row)
	}
	r.Asked, r.AskedOf = s.now().Truncate(time.Millisecond), slices.Clone(r.AskedOf)
	for _, to := range contacts {
		if !slices.Contains(r.AskedOf, to.Email) {
			r.AskedOf = append(r.AskedOf, to.Email)
		}
		c.Names(rowkey.Request(r.ID), r.Email, to.Email)
	}
	return entity.Line{Action: ContactsAsked}
}

// ReceiveRequest notes what the system found out about a request that sales are told of: the customer that it is linked
// to, and the contacts who are asked whether it is theirs, whose emails the caller queues: those of the request that it
// returns (AskedOf, with the time Asked). Without a customer, "", nothing is noted. What was noted before, or by
// somebody else, stays, so that doing it again does nothing.
func (s *Store) ReceiveRequest(ctx context.Context, id, customerID, instance string,
	asked ...license.Contact) (request.Request, error) {
	if customerID == "" {
		return s.Request(ctx, id)
	}
	change := RequestChange{ID: id, By: System}
	err := s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		switch {
		case r.LinkedBy != "":
			return entity.Line{}, errDone
		case !r.Known(s.now()).State.Open():
			return entity.Line{}, closed(*r)
		}
		line, err := relink(r, System, customerID, instance)
		if len(asked) > 0 && r.Asked.IsZero() && err == nil {
			line.By, line.Customer = System, customerID
			c.Log(rowkey.Request(id), line)
			line = c.asked(r, asked)
		}
		return line, err
	})
	if fault.KindOf(err) == fault.Conflict {
		err = nil // it was closed
	}
	if err != nil {
		return request.Request{}, err
	}
	return s.Request(ctx, id)
}

// AnswerRequest notes what a contact who was asked whether a request is theirs answered, and tells sales. The newest
// answer of a contact counts; the same one again changes nothing. It is a Conflict fault if the request was closed, or
// if its email address has been corrected since the contact was asked.
func (s *Store) AnswerRequest(ctx context.Context, id, contact string, yes bool) error {
	change := RequestChange{ID: id, By: Customer}
	return s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		wasAsked := func(email string) bool { return input.SameMailbox(email, contact) }
		own := func(a request.Answer) bool { return input.SameMailbox(a.By, contact) }
		before := slices.IndexFunc(r.Answers, own)
		switch {
		case r.Undoing(s.now()) != nil:
			return entity.Line{}, r.Undoing(s.now())
		case !r.State.Open():
			return entity.Line{}, closed(*r)
		case !slices.ContainsFunc(r.AskedOf, wasAsked):
			return entity.Line{}, fault.New(fault.Conflict,
				"The request has changed since we asked you. If we need your answer, we will email you again.")
		case before >= 0 && r.Answers[before].Yes == yes:
			return entity.Line{}, errDone
		}
		r.Answers = slices.DeleteFunc(slices.Clone(r.Answers), own)
		a := request.Answer{By: contact, At: s.now().Truncate(time.Millisecond), Yes: yes}
		r.Answers = append(r.Answers, a)
		c.queue(notice.RequestAnswered(*r, a))
		action := ContactSaidNo
		if yes {
			action = ContactSaidYes
		} else {
			r.Vouch = nil // it was given without knowing of the no
		}
		return entity.Line{Action: action, Note: contact}, nil
	})
}

// VouchFor notes that an operator vouches for a request, with what the vouch covers. It is a Conflict fault if the
// request was closed, or changed since the operator saw it.
func (s *Store) VouchFor(ctx context.Context, change RequestChange, v request.Vouch) error {
	return s.requestChange(ctx, change, func(c *changeset, r *request.Request) (entity.Line, error) {
		if !r.State.Open() {
			return entity.Line{}, closed(*r)
		}
		c.Names(rowkey.Request(r.ID), r.Email, v.Email)
		v.By, v.At = change.By, s.now().Truncate(time.Millisecond)
		r.Vouch = &v
		return entity.Line{Action: VouchedFor, Note: v.Note}, nil
	})
}

// WithdrawVouch takes back the vouch for a request.
func (s *Store) WithdrawVouch(ctx context.Context, change RequestChange) error {
	return s.requestChange(ctx, change, func(_ *changeset, r *request.Request) (entity.Line, error) {
		switch {
		case !r.State.Open():
			return entity.Line{}, closed(*r)
		case r.Vouch == nil:
			return entity.Line{}, errDone
		}
		r.Vouch = nil
		return entity.Line{Action: VouchWithdrawn}, nil
	})
}
