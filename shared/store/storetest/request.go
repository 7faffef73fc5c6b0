package storetest

import (
	"context"

	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Requests is a *store.Store, or what embeds one.
type Requests interface {
	FileRequest(ctx context.Context, f store.Filing) (request.Request, bool, error)
	ConfirmRequests(ctx context.Context, id, secret string, ids ...string) error
	Request(ctx context.Context, id string) (request.Request, error)
}

// FileRequest files a request that the person behind its address confirms at once.
func FileRequest(ctx context.Context, s Requests, d request.Details, token string) (
	r request.Request, created bool, err error) {
	r, created, err = s.FileRequest(ctx, store.Filing{Details: d, Key: token})
	if err == nil {
		err = s.ConfirmRequests(ctx, r.ID, r.Secret, r.ID)
	}
	if err != nil {
		return r, created, err
	}
	r, err = s.Request(ctx, r.ID)
	return r, created, err
}

// FileUnconfirmed files a request that nobody confirms, of whose form a program filled in the hidden field.
func FileUnconfirmed(ctx context.Context, s Requests, d request.Details, token string) (
	r request.Request, created bool, err error) {
	return s.FileRequest(ctx, store.Filing{Details: d, Key: token, Suspicious: true})
}
