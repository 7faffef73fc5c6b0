package site

import (
	"context"
	"errors"

	"marketplace/shared/fault"
	"marketplace/shared/officehours"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// channel is how a request arrives. Each channel has its own idempotency keys: the form's are random, but an API client
// may count 1, 2, 3.
type channel string

const (
	byForm channel = "form"
	byTrap channel = "trap" // the form, with its honeypot filled in
	byAPI  channel = "api"
)

// knownZone returns the name of a time zone, or "" for anything else: a browser may have zones that we do not know, and
// nobody typed it who could correct it.
func knownZone(name string) string {
	if _, ok := officehours.LoadZone(name); !ok {
		return ""
	}
	return name
}

// fileRequest accepts a form and records the request with its emails to the customer and to sales. bad holds errors
// found while decoding. If the idempotency key was used with the same details, it returns that request with created
// false. With other details the key is somebody else's, and the request is a new one.
//
// link is the link in one of our emails through which the form was opened; nil for none.
//
// Errors are an Invalid fault that names every wrong field, and those of the store.
func (s *site) fileRequest(ctx context.Context, f request.Form, bad fault.Fields, c channel,
	link *request.Link) (r request.Request, created bool, err error) {
	s.checkPlanned(f, &bad)
	d, err := f.Accept()
	var invalid *fault.Error
	if errors.As(err, &invalid) {
		for _, field := range invalid.Fields {
			bad.Add(field.Name, "%s", field.Msg)
		}
	}
	if err := bad.Err("The request was not saved. Correct the fields and send it again."); err != nil {
		return request.Request{}, false, err
	}
	token := ""
	if f.IdempotencyKey != "" {
		token = string(c) + ":" + f.IdempotencyKey
	}
	r, created, err = s.store.FileRequest(ctx,
		store.Filing{Details: d, Key: token, Suspicious: c == byTrap, Link: link, Zone: knownZone(f.TimeZone)})
	if created {
		s.log.InfoContext(ctx, "license request filed", "id", r.ID, "kind", string(r.Kind),
			"edition", string(r.Edition), "channel", string(c), "unconfirmed", r.Unconfirmed)
	}
	return r, created, err
}
