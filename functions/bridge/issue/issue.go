// Package issue issues bridge keys (customer.Bridge). A request for one decides nothing: who asks, for which license
// and for which server is judged by what is on record when the key is issued.
package issue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
)

// Store is the part of the store that an Issuer calls; *bridge.Store implements it.
type Store interface {
	// Pending lists the requests that wait for their bridge key.
	Pending(ctx context.Context) (ids []string, err error)
	// Case reads a request, and what is on record about it.
	Case(ctx context.Context, orderID string) (bridge.Case, error)
	// Licensed returns the license that is issued, without its ID and its key.
	Licensed(ctx context.Context, t customer.BridgeTerms, server license.Server) (license.License, error)
	// IssueLicenses is store.Store's, and Review too.
	IssueLicenses(ctx context.Context, i store.Issue) error
	Review(ctx context.Context, v store.Review) (request.Request, error)
}

// Options are what an Issuer needs.
type Options struct {
	Store   Store
	Issuer  func() (license.Issuer, error)   // called only when a key is issued
	Catalog func() (*catalog.Catalog, error) // called only for a license that was issued elsewhere
	Now     func() time.Time
	Log     *slog.Logger
}

// Issuer issues bridge keys. It is safe for concurrent use.
type Issuer struct{ Options }

// New returns an Issuer.
func New(o Options) *Issuer { return &Issuer{o} }

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. The payload does not matter: whatever invokes it,
// it issues what waits.
func (i *Issuer) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	if err := i.Run(ctx); err != nil {
		return nil, err
	}
	return []byte(`{"batchItemFailures":[]}`), nil
}

// Run issues every bridge key that a request waits for. It may run any number of times, also at once: a request gets
// one key. A request that fails does not keep others back, and the next run tries it again.
func (i *Issuer) Run(ctx context.Context) error {
	ids, err := i.Store.Pending(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		if err := i.settle(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("issue: bridge key of request %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// attempts is how often a request is judged anew while others change what it is judged by.
const attempts = 5

// settle issues the key of a request, or ends the request if it gets none.
func (i *Issuer) settle(ctx context.Context, id string) (err error) {
	for range attempts {
		err = i.once(ctx, id)
		if fault.KindOf(err) != fault.Conflict {
			return err
		}
	}
	return err
}

func (i *Issuer) once(ctx context.Context, id string) error {
	c, err := i.Store.Case(ctx, id)
	if c.Order.ID != "" && c.Order.Kind != request.Bridge { // nothing that we run makes such a row
		return fmt.Errorf("the request is for %q, and no order of a bridge key", c.Order.Kind)
	}
	if fault.KindOf(err) == fault.NotFound && c.Order.ID != "" && c.Order.State.Open() {
		return i.refuse(ctx, c.Order, &customer.NoBridge{
			Code: customer.BridgeNoInstance, Sentence: "What the request is about is not on record any more.",
		})
	}
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && !c.Order.State.Open():
		return nil // somebody ended it meanwhile
	case err != nil:
		return err
	}
	terms, err := c.Account.BridgeFor(c.Asked, i.Now())
	if no, ok := errors.AsType[*customer.NoBridge](err); ok {
		return i.refuse(ctx, c.Order, no)
	}
	if err != nil {
		return err
	}
	return i.issue(ctx, c, terms)
}

// issue signs the key and puts it on record, with everything that it was judged by unchanged.
func (i *Issuer) issue(ctx context.Context, c bridge.Case, terms customer.BridgeTerms) error {
	r := c.Asked.Request
	l, err := i.Store.Licensed(ctx, terms, r.Server)
	if err != nil {
		return err
	}
	l.ID = store.NewID(i.Now())
	if err := i.complete(&l); err != nil {
		return err
	}
	issuer, err := i.Issuer()
	if err != nil {
		return err
	}
	if l.KeyText, err = issuer.IssueBridge(l.Terms()); err != nil {
		return err
	}
	issue := store.Issue{
		Licenses: []license.License{l}, By: store.System, To: to(r),
		Except:  []string{r.Email},
		Request: c.Order.ID, RequestVersion: c.Order.Version,
		Accounts: map[string]int64{c.Account.Customer.ID: c.Account.Version},
		Datasets: map[license.Server]int64{r.Server: c.Dataset},
	}
	err = i.Store.IssueLicenses(ctx, issue)
	if err == nil {
		i.Log.InfoContext(ctx, "issued a bridge key", "request", c.Order.ID, "license", l.ID,
			logging.Metrics(i.Now(), logging.Count("BridgeKeysIssued", 1)))
	}
	return err
}

// to is who receives the key: who asked for the replacement.
func to(r request.Request) license.Contact {
	return license.Contact{Name: mail.PersonName(r.Name), Email: r.Email}
}

// complete adds what a license has no record of that was issued elsewhere: what its edition has today.
func (i *Issuer) complete(l *license.License) error {
	if len(l.Plugins) > 0 {
		return nil
	}
	c, err := i.Catalog()
	if err != nil {
		return err
	}
	edition, _ := c.Edition(string(l.Edition))
	l.Plugins, _ = c.LicensePlugins(string(l.Edition), l.Languages)
	l.Features = edition.Features
	return nil
}

// refuse ends a request that gets no bridge key. The request for the replacement goes on.
func (i *Issuer) refuse(ctx context.Context, order request.Request, why *customer.NoBridge) error {
	review := store.Review{
		ID: order.ID, Version: order.Version, By: store.System, To: request.Rejected, Text: why.Sentence,
	}
	if why.Code == customer.BridgeClosed { // whoever closed it told the customer
		review.To = request.Answered
	}
	if _, err := i.Store.Review(ctx, review); err != nil {
		return err
	}
	i.Log.InfoContext(ctx, "refused a bridge key", "request", order.ID, "why", string(why.Code))
	return nil
}
