package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
)

// untoldRow has sales told of an unconfirmed request: see TellUnconfirmed.
func untoldRow(r request.Request) table.Row {
	return entity.Encode(rowkey.Untold(r.ID), rowkey.TypeIndex, r.Summary())
}

// Actions on requests, besides those of the files that do them.
const (
	RequestTaken     Action = "taken into review"
	RequestTakenOver Action = "taken over"
	CustomerAsked    Action = "customer asked"
	RequestResumed   Action = "review resumed"
	RequestRejected  Action = "rejected"
	RequestWithdrawn Action = "withdrawn"
	RequestIssued    Action = "issued"
	RequestAnswered  Action = "answered"

	QuestionAnswered Action = "customer answered" // with the note
	RequestCorrected Action = "customer corrected the request"
	RequestCancelled Action = "customer cancelled the request"

	LateReviewerTold Action = "reviewer told that it is late" // whom the note names
	LateSalesTold    Action = "sales told that it is late"
)

// requestEntity is a request as a changeset writes it.
type requestEntity struct{ request.Request }

func (e requestEntity) Key() table.Key           { return rowkey.Request(e.ID) }
func (e requestEntity) Timeline() table.Key      { return e.Key() }
func (e requestEntity) Of() string               { return "" }
func (e requestEntity) Owner() string            { return e.Customer }
func (e requestEntity) Counted() []entity.Addend { return nil }

// Row expires with the request.
func (e requestEntity) Row() table.Row {
	row := entity.Encode(e.Key(), rowkey.TypeRequest, e.Request)
	row.Expires = e.Expires
	return row
}

// Facts leaves out the secrets, since operators read the timeline, and what the other fields tell.
func (e requestEntity) Facts() any {
	e.Token, e.Secret, e.FirstAnswer, e.Undo, e.Expires = "", "", nil, nil, time.Time{}
	e.LateTold, e.Response, e.Corrections, e.Cancelled = request.LateTold{}, nil, 0, false
	return e.Request
}

// Index has rows that name the request alone, and never change, where it is found by what it is, and rows with a
// summary where it is listed with many others. They expire with it. Those of the weeks, which people count, leave out
// unconfirmed ones, name nobody, and stay.
func (e requestEntity) Index(int64) (rows []table.Row) {
	found := []table.Key{
		{PK: rowkey.DatasetRequestsPK(e.Server), SK: e.ID},
		{PK: rowkey.EmailRequestsPK(e.Email), SK: e.ID},
	}
	for _, key := range found {
		rows = append(rows, entity.Encode(key, rowkey.TypeIndex, struct{}{}))
	}
	keys := rowkey.Queue(e.Request)
	if e.Customer == "" {
		for _, w := range requestWords(e.Company) {
			keys = append(keys, rowkey.RequestWord(w, e.ID))
		}
	} else { // the words of the customer find it
		keys = append(keys, table.Key{PK: rowkey.CustomerRequestsPK(e.Customer), SK: e.ID})
	}
	summary := e.Summary()
	for _, key := range keys {
		rows = append(rows, entity.Encode(key, rowkey.TypeIndex, summary))
	}
	for i := range rows {
		rows[i].Expires = e.Expires
	}
	if e.Kind == request.Bridge && e.State.Open() {
		rows = append(rows, entity.Encode(rowkey.Bridge(e.ID), rowkey.TypeIndex, struct{}{}))
	}
	if !e.Expires.IsZero() {
		key := rowkey.ToDelete(e.Expires, e.ID)
		rows = append(rows, entity.Encode(key, rowkey.TypeIndex, ToDelete{e.Reference, e.Email, namedBy(e.Request)}))
	}
	return append(rows, weekRows(e.Request)...)
}

// filed is what the week in which a request was received has of it.
type filed struct {
	Due      time.Time `json:"due,omitzero"`      // request.Request.FirstDue
	Answered time.Time `json:"answered,omitzero"` // the first answer; zero: none yet, or it was the license: see issued
}

// issued is what the week in which a license was issued for a request has of it.
type issued struct {
	Seconds int64 `json:"seconds"` // how long the request waited
	// Answered is when the license was issued, if it was the first answer; else zero. It is here because the largest
	// transaction has no room for a change of the row of the other week.
	Answered time.Time `json:"answered,omitzero"`
}

// IndexOfRequest lists the rows by which a request is found.
func IndexOfRequest(r request.Request) []table.Row { return requestEntity{r}.Index(0) }

// weekRows are the rows of a request in the weeks, which people count: none of an unconfirmed one, nor of one for a
// bridge key, which nobody works on.
func weekRows(r request.Request) (rows []table.Row) {
	if r.Kind == request.Bridge {
		return nil
	}
	answer, was := r.Answer(), filed{Due: r.FirstDue()}
	byLicense := answer != nil && answer.By == request.Issued
	if answer != nil && !byLicense {
		was.Answered = answer.At
	}
	if !r.Unconfirmed {
		key := table.Key{PK: rowkey.WeekPK(license.DateOf(r.Created)), SK: rowkey.FiledPrefix + r.ID}
		rows = append(rows, entity.Encode(key, rowkey.TypeIndex, was))
	}
	if r.State == request.Issued {
		key := table.Key{PK: rowkey.WeekPK(license.DateOf(r.Closed)), SK: rowkey.IssuedPrefix + r.ID}
		is := issued{Seconds: int64(r.Closed.Sub(r.Created).Seconds())}
		if byLicense {
			is.Answered = answer.At
		}
		rows = append(rows, entity.Encode(key, rowkey.TypeIndex, is))
	}
	return rows
}

// maxRequestWords is by how many words of its company's name a request is found.
const maxRequestWords = 3

// requestWords returns the words of a company's name by which a request is found.
func requestWords(company string) []string {
	w := customer.Words(company)
	return w[:min(len(w), maxRequestWords)]
}

// idempotencyDays is how long a client's key is remembered.
const idempotencyDays = 90

// idempotency is what is kept of a client's key.
type idempotency struct {
	RequestID string `json:"requestId"`
}

// RequestByReference finds the ID of a request by its reference; a NotFound fault if the reference names none.
func (s *Store) RequestByReference(ctx context.Context, r reference.Reference) (id string, err error) {
	var named Referenced
	_, err = s.table.Get(ctx, rowkey.Reference(r), &named)
	switch {
	case err == nil && !named.Deleted.IsZero():
		return "", fault.New(fault.NotFound, "License request %s ended without a license. We deleted it on %s.", r,
			named.Deleted.Long())
	case err == nil && named.Request == "":
		err = fault.New(fault.NotFound, "")
	}
	return named.Request, entity.Missing(err, "There is no license request %s.", r)
}

// Request reads a license request; a NotFound fault if there is none, or if it has expired.
func (s *Store) Request(ctx context.Context, id string) (request.Request, error) {
	var r request.Request
	version, err := s.table.Get(ctx, rowkey.Request(id), &r)
	if err == nil && r.Expired(s.now()) {
		err = fault.New(fault.NotFound, "")
	}
	if err != nil {
		return request.Request{}, s.noRequest(err, id)
	}
	r.Version = version
	return r, nil
}

// RequestByToken reads a license request as the holder of its private link knows it (request.Request.Known). A wrong
// token is reported like a missing request.
func (s *Store) RequestByToken(ctx context.Context, id, status string) (request.Request, error) {
	r, err := s.Request(ctx, id)
	if err == nil && !token.Status.Same(r.Token, status) {
		return request.Request{}, s.noRequest(fault.New(fault.NotFound, ""), id)
	}
	return r.Known(s.now()), err
}

// Review is what an operator does to a request.
type Review struct {
	ID      string
	Version int64         // of the request as the operator saw it
	By      string        // the operator's email address
	To      request.State // the state that the request changes to
	Text    string        // the question to the customer, or the reason of a rejection or withdrawal
}

// Review changes the state of a request, and tells the customer of a question or of the end; of the end only after
// request.UndoFor, until when UndoReview restores the request. Bringing into review what a colleague has in review
// takes it over. It is a Conflict fault if somebody changed the request since it was seen, and if its state does not
// lead to the other.
func (s *Store) Review(ctx context.Context, v Review) (request.Request, error) {
	c := s.begin()
	r, err := c.review(ctx, v, v.Text, nil)
	if err != nil {
		return request.Request{}, err
	}
	if n, ok := v.notice(r); ok {
		if r.Undo != nil {
			c.hold(n, r.Undo.Until)
		} else {
			c.queue(n)
		}
	}
	err = c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return request.Request{}, changedMeanwhile(err)
	}
	if err != nil {
		return request.Request{}, fmt.Errorf("store: request %s: %w", v.ID, err)
	}
	r.Version++
	return r, nil
}

// notice is what the customer is told of a review that made the request r; ok is false for nothing.
func (v Review) notice(r request.Request) (n notice.Notice, ok bool) {
	switch v.To {
	case request.Waiting:
		return notice.RequestQuestion(r, v.Version), true
	case request.Rejected, request.Withdrawn:
		return notice.RequestClosed(r, v.Version, v.By), true
	}
	return n, false
}

// Reviewed returns what Review would make of a request, and what it would tell the customer; of a review that tells
// nothing, the zero Notice. It changes nothing.
func (s *Store) Reviewed(r request.Request, v Review) (request.Request, notice.Notice, error) {
	after, _, err := s.reviewed(r, v)
	if err != nil {
		return request.Request{}, notice.Notice{}, err
	}
	n, _ := v.notice(after)
	return after, n, nil
}

// ResendKey answers a request with the key of a license that is on record: it is mailed again, nothing is issued or
// revoked, and the request is closed. to receives the key; who asked may be somebody else, so the request names no
// license. It is a Conflict fault if the request changed since it was seen, or if the license has no key on record or
// was revoked.
func (s *Store) ResendKey(ctx context.Context, v Review, licenseID string, to license.Contact) error {
	r, err := s.License(ctx, licenseID)
	switch {
	case err != nil:
		return err
	case r.License.KeyText == "":
		return fault.New(fault.Conflict, "The key of this license is not on record here. Issue it anew.")
	case !r.License.Revoked.IsZero():
		return fault.New(fault.Conflict, "The license was revoked, so its key is not resent.")
	}
	c := s.begin()
	v.To = request.Answered
	after, err := c.review(ctx, v, licenseID, func(answered *request.Request) {
		answered.Customer, answered.Instance = r.License.Customer, r.License.Instance
	})
	if err != nil {
		return err
	}
	c.queue(notice.LicenseKeyAgain(r.License, to, after.ID))
	c.Log(rowkey.License(licenseID), entity.Line{By: v.By, Action: KeySentAgain, Note: to.Email,
		Customer: r.License.Customer})
	c.Names(rowkey.License(licenseID), "", to.Email) // it need not be a contact
	err = c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return changedMeanwhile(err)
	}
	if err != nil {
		return fmt.Errorf("store: request %s: %w", v.ID, err)
	}
	return nil
}

// review changes a request's state, with a note on its timeline. more changes further fields; nil changes none.
func (c *changeset) review(ctx context.Context, v Review, note string, more func(*request.Request)) (
	request.Request, error) {
	before, err := c.store.Request(ctx, v.ID)
	switch {
	case err != nil:
		return before, err
	case before.Version != v.Version:
		return before, changedMeanwhile(nil)
	}
	after, action, err := c.store.reviewed(before, v)
	if err != nil {
		return before, err
	}
	if more != nil {
		more(&after)
	}
	if before.Unconfirmed {
		if after.Undo != nil {
			untold, err := c.store.table.Version(ctx, rowkey.Untold(v.ID))
			if err != nil {
				return before, err
			}
			after.Undo.Untold = untold > 0
		}
		c.Delete(rowkey.Untold(v.ID), table.Any) // whoever reviews it knows of it
	}
	c.changeRequest(before, &after, entity.Line{By: v.By, Action: action, Note: note})
	return after, nil
}

// reviewed is a request after a review.
func (s *Store) reviewed(before request.Request, v Review) (after request.Request, action Action, err error) {
	takenOver := v.To == request.InReview && before.State == request.InReview && before.Reviewer != v.By
	if !before.State.Leads(v.To) && !takenOver {
		return before, "", fault.New(fault.Conflict,
			"You can't change this request from “%s” to “%s”.", before.State, v.To)
	}
	after = before
	after.State, after.Unconfirmed, after.Undo = v.To, false, nil
	if before.Unconfirmed || before.State == request.Waiting && v.To == request.InReview {
		after.Due = s.hours.Due(before.Begins(s.now())) // until now nothing was promised, or it was the customer's turn
	}
	if before.Answer() == nil && v.To.IsAnswer() {
		after.FirstAnswer = &request.FirstAnswer{At: s.now(), By: v.To}
		if !before.Unconfirmed {
			after.FirstAnswer.Due = before.Due
		}
	}
	switch v.To {
	case request.InReview:
		after.Reviewer = v.By
		action = RequestTaken
		switch {
		case takenOver:
			action = RequestTakenOver
		case before.State == request.Waiting:
			action = RequestResumed
		}
	case request.Waiting:
		after.Reviewer, after.Question, after.Response = v.By, v.Text, nil
		action = CustomerAsked
	case request.Rejected, request.Withdrawn:
		after.Reason, after.Closed = v.Text, s.now()
		action = RequestRejected
		if v.To == request.Withdrawn {
			action = RequestWithdrawn
		}
		if !s.silent { // else there is no letter that waits
			after.Undo = s.undoOf(before, after, v)
		}
	case request.Issued, request.Answered:
		after.Closed = s.now()
		action = RequestIssued
		if v.To == request.Answered {
			action = RequestAnswered
		}
	}
	return after, action, nil
}

// undoOf is what restores the request before a review that closed it.
func (s *Store) undoOf(before, after request.Request, v Review) *request.Undo {
	n, _ := v.notice(after)
	return &request.Undo{
		Until: s.now().Add(request.UndoFor).Truncate(time.Millisecond), Mail: n.ID,
		State: before.State, Due: before.Due, Unconfirmed: before.Unconfirmed,
	}
}

// Sales can undo a rejection or withdrawal for request.UndoFor. Its email waits that long, so that an undone one never
// leaves, and everybody outside goes on seeing the request as it was before (request.Request.Known).

// Actions that undo others.
const (
	RejectionUndone  Action = "rejection undone"
	WithdrawalUndone Action = "withdrawal undone"
)

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
		c.changeRequest(r, &after, entity.Line{By: by, Action: action})
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

func changedMeanwhile(err error) error {
	return fault.Wrap(fault.Conflict, err, "Someone else changed this request first, "+
		"so your change was not saved. Reload the page and try again.")
}

// ReplaceRequest changes what a request says of a person who is erased, without a line on its timeline. It reads the
// request again while others change it.
func (s *Store) ReplaceRequest(ctx context.Context, id string, edit func(*request.Request) error) error {
	err := entity.Retry(func() error {
		var before request.Request
		version, err := s.table.Get(ctx, rowkey.Request(id), &before) // also one that has expired
		if err != nil {
			return err
		}
		before.Version = version
		c, after := s.begin(), before
		if err := edit(&after); err != nil {
			return err
		}
		c.UpdateUnlogged(requestEntity{before}, requestEntity{after}, version)
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: request %s: %w", id, err)
	}
	return nil
}

// NoteOnRequest adds a line to a request's timeline and changes nothing else.
func (s *Store) NoteOnRequest(ctx context.Context, id, by, note string) error {
	r, err := s.Request(ctx, id)
	if err != nil {
		return err
	}
	c := s.begin()
	c.Log(rowkey.Request(id), entity.Line{By: by, Action: NoteAdded, Note: note, Customer: r.Customer})
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: note on request %s: %w", id, err)
	}
	return nil
}

// A request that ends without a license expires: closing it gives its row and its index rows their time to live, and
// lists it for the daily run (shared/store/deletion). From then on it reads as deleted.

// ToDelete is what the list of requests to delete has of one: what only its own row tells, which the engine may drop.
type ToDelete struct {
	Reference reference.Reference `json:"reference"`
	Email     string              `json:"email"`
	Named     []string            `json:"named,omitempty"` // addresses besides its own, by which rowkey.Named finds it
}

// namedBy returns the addresses that a request names besides its own.
func namedBy(r request.Request) []string {
	named := slices.Concat(r.Contacts, r.AskedOf)
	if r.Link != nil {
		named = append(named, r.Link.Contact)
	}
	if r.Response != nil && r.Response.By != "" {
		named = append(named, r.Response.By)
	}
	if r.Vouch != nil && r.Vouch.Email != "" {
		named = append(named, r.Vouch.Email)
	}
	return named
}

// changeRequest changes a request. What closes it without a license has it expire, and anything else keeps it.
func (c *changeset) changeRequest(before request.Request, after *request.Request, line entity.Line) {
	switch {
	case !after.EndedWithoutLicense():
		after.Expires = time.Time{}
	case after.Expires.IsZero():
		after.Expires = c.store.keep.RequestExpires(after.Closed)
	}
	c.Change(requestEntity{before}, requestEntity{*after}, before.Version, line)
}

// ErrMaybeDeleted is the cause of a NotFound fault of a request that may have expired: it is as old as that.
var ErrMaybeDeleted = errors.New("store: the request may have been deleted")

// noRequest is the fault of a request that is not on record, from one without a message. Of one that may have expired,
// it says so.
func (s *Store) noRequest(err error, id string) error {
	parsed, bad := ulid.ParseStrict(strings.ToUpper(id))
	if bad == nil && !s.keep.RequestExpires(ulid.Time(parsed.Time())).After(s.now()) {
		if fault.KindOf(err) == fault.NotFound {
			err = fault.Wrap(fault.NotFound, fmt.Errorf("%w: %w", ErrMaybeDeleted, err), "")
		}
		return entity.Missing(err, "There is no license request %s any more. We delete a request that ends without a "+
			"license %s after it is closed.", id, s.keep.Requests())
	}
	return entity.Missing(err, "There is no license request %s.", id)
}
