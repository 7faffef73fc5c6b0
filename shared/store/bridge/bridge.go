// Package bridge keeps the requests for bridge keys: a key that works for a few days on a new server ID, ahead of the
// replacement that sales prepare. Separate from shared/store, since the functions that take such requests and the one
// that issues the keys need it alone.
package bridge

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Store keeps requests for bridge keys with everything else on record.
type Store struct{ *store.Store }

// New makes a Store over the one that keeps everything else.
func New(s *store.Store) *Store { return &Store{s} }

// Pending lists the requests that wait for their bridge key, the oldest first, by ID.
func (s *Store) Pending(ctx context.Context) (ids []string, err error) {
	err = s.Table().Each(ctx, table.Query{PK: rowkey.BridgesPK}, func(row table.Row) error {
		ids = append(ids, row.SK)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bridge: pending requests: %w", err)
	}
	return ids, nil
}

// Case is a request for a bridge key, with what it is judged by.
type Case struct {
	Order   request.Request // for the bridge key
	Account *customer.Account
	Asked   customer.BridgeAsked
	// Dataset is the version of the dataset of the new server (store.Store.Dataset).
	Dataset int64
}

// Case reads a request for a bridge key, and what is on record about it now. The replacement that it comes ahead of has
// to be linked to a customer.
func (s *Store) Case(ctx context.Context, orderID string) (c Case, err error) {
	if c.Order, err = s.Request(ctx, orderID); err != nil {
		return c, err
	}
	r, err := s.Request(ctx, c.Order.Bridges)
	if err != nil {
		return c, err
	}
	considered, err := s.Consider(ctx, r, c.Order.FiledBy != "")
	considered.Order = c.Order
	return considered, err
}

// Consider reads what is on record about a request for a replacement, for judging whether it gets a bridge key. bySales
// says that a colleague of ours asks for it. The request has to be linked to a customer.
func (s *Store) Consider(ctx context.Context, r request.Request, bySales bool) (c Case, err error) {
	var known store.Dataset
	var atDomain []string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { c.Account, err = s.Account(gctx, r.Customer); return err })
	g.Go(func() (err error) { known, err = s.Dataset(gctx, r.Server); return err })
	g.Go(func() (err error) { atDomain, err = s.atDomain(gctx, customer.DomainOf(r.Email)); return err })
	if err := g.Wait(); err != nil {
		return c, fmt.Errorf("bridge: what is on record about request %s: %w", r.ID, err)
	}
	c.Dataset = known.Version
	c.Asked = customer.BridgeAsked{Request: r, BySales: bySales, Elsewhere: known.Elsewhere(c.Account)}
	for _, id := range atDomain {
		c.Asked.DomainShared = c.Asked.DomainShared || !c.Account.IsOf(id)
	}
	return c, nil
}

// maxAtDomain is of how many customers of a mail domain it is looked whether they are others than one.
const maxAtDomain = customer.MaxMerged + 2

// atDomain lists customers that have a mail domain, by ID.
func (s *Store) atDomain(ctx context.Context, domain string) (ids []string, err error) {
	rows, _, err := s.Table().First(ctx, table.Query{PK: rowkey.DomainPK(domain)}, maxAtDomain)
	for _, row := range rows {
		ids = append(ids, row.SK)
	}
	return ids, err
}

// Licensed returns the license that a bridge key is issued for under its terms: all but its ID and its key.
func (s *Store) Licensed(ctx context.Context, t customer.BridgeTerms, server license.Server) (license.License, error) {
	old, err := s.License(ctx, t.Old.ID)
	l := old.License
	return license.License{
		Type: l.Type, Organization: l.Organization, Server: server, Edition: l.Edition, MaxLoc: l.MaxLoc,
		Support: l.Support, Plugins: l.Plugins, Languages: l.Languages, Features: l.Features, Packages: l.Packages,
		NotBefore: t.NotBefore, Expiration: t.Expiration, Issued: t.NotBefore,
		Customer: l.Customer, Instance: l.Instance, Contract: l.Contract, Bridges: l.ID,
	}, err
}

// Wakes reports whether a write is a new request for a bridge key. The table's stream does the same by the partition's
// name.
func Wakes(w table.Write) bool {
	return !w.Delete && strings.HasPrefix(w.Row.PK, rowkey.BridgesPK)
}
