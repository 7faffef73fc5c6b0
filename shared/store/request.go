package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// idempotencyDays is how long a client's token is remembered.
const idempotencyDays = 90

// idempotency is what is kept of a client's token.
type idempotency struct {
	RequestID   string `json:"requestId"`
	Fingerprint string `json:"fingerprint"` // of the details that came with it
}

// ErrReused: the client's token came before, with another request. The request that it made comes with the error.
var ErrReused = errors.New("store: the idempotency key was used for another request")

// FileRequest records a license request with its index rows, its timeline and the mails that tell of it, in one
// transaction and, where the token is new, without reading. token is the client's: the same details with the same token
// are the same request, which comes back with created false; other details with it are ErrReused. "" is no token.
//
// mails makes the messages from the request as it is recorded.
func (s *Store) FileRequest(ctx context.Context, d request.Details, token string, mails func(request.Request) []mail.Message) (r request.Request, created bool, err error) {
	now := s.now().Truncate(time.Millisecond)
	r = request.Request{
		ID: s.newID(), Token: rand.Text(), State: request.Received, Created: now, Due: request.DueAt(now), Details: d,
	}
	entity := requestKey(r.ID)
	writes := []table.Write{
		table.Create(encode(entity, rowRequest, r)),
		s.eventWrite(entity, Customer, RequestReceived, "", nil),
	}
	writes = append(writes, requestIndexWrites(r, nil)...)
	for _, m := range mails(r) {
		writes = append(writes, s.outboxWrites(m)...)
	}
	if token != "" {
		row := encode(idempotencyKey(token), rowIdempotency, idempotency{RequestID: r.ID, Fingerprint: fingerprint(d)})
		row.Expires = now.AddDate(0, 0, idempotencyDays)
		writes = append(writes, table.Create(row))
	}

	err = s.table.Transact(ctx, writes...)
	var conflict *table.ConflictError
	switch {
	case err == nil:
		r.Version = 1
		return r, true, nil
	case errors.As(err, &conflict) && token != "" && slices.Contains(conflict.Keys, idempotencyKey(token)):
		r, err := s.requestOfToken(ctx, token, d)
		return r, false, err
	default:
		return request.Request{}, false, fmt.Errorf("store: filing a request: %w", err)
	}
}

// requestOfToken reads the request that a token made.
func (s *Store) requestOfToken(ctx context.Context, token string, d request.Details) (request.Request, error) {
	var known idempotency
	if _, err := s.get(ctx, idempotencyKey(token), &known); err != nil {
		return request.Request{}, err
	}
	r, err := s.Request(ctx, known.RequestID)
	if err == nil && known.Fingerprint != fingerprint(d) {
		return r, ErrReused
	}
	return r, err
}

func fingerprint(d request.Details) string {
	data, err := json.Marshal(d)
	if err != nil {
		panic("store: encoding the details of a request: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// requestIndexWrites write the rows by which a request is found, with its summary. was is the request as it stood before,
// nil where it is new.
func requestIndexWrites(r request.Request, was *request.Request) (writes []table.Write) {
	entity := requestPrefix + r.ID
	keys := append(queueKeys(r),
		table.Key{PK: datasetPK(r.Server), SK: entity},
		table.Key{PK: emailPK(r.Email), SK: entity},
		table.Key{PK: weekPK(license.DateOf(r.Created)), SK: filedPrefix + r.ID})
	for _, w := range words(r.Company) {
		keys = append(keys, wordKey(w, entity))
	}
	summary := r.Summary()
	for _, key := range keys {
		writes = append(writes, table.Set(encode(key, rowIndex, summary)))
	}
	if was != nil {
		for _, key := range queueKeys(*was) {
			if !slices.Contains(keys, key) {
				writes = append(writes, table.Delete(key, table.Any))
			}
		}
	}
	return writes
}

// Request reads a license request; a NotFound fault where there is none.
func (s *Store) Request(ctx context.Context, id string) (request.Request, error) {
	var r request.Request
	version, err := s.get(ctx, requestKey(id), &r)
	if err != nil {
		return request.Request{}, notFound(err, "There is no license request %s.", id)
	}
	r.Version = version
	return r, nil
}

// RequestByToken reads a license request for who holds its private link. A wrong token is told like a missing request.
func (s *Store) RequestByToken(ctx context.Context, id, token string) (request.Request, error) {
	r, err := s.Request(ctx, id)
	if err == nil && !sameSecret(r.Token, token) {
		return request.Request{}, fault.New(fault.NotFound, "There is no license request %s.", id)
	}
	return r, err
}
