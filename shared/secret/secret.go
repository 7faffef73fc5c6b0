// Package secret keeps a secret that may change while the program runs: session keys, a client's password. It is read
// when it is first needed, so that no cold start waits for it, and again every few minutes, so that a new one needs no
// deployment. Where it is kept is up to the Source; shared/cloud/secretstore has AWS Secrets Manager.
package secret

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	every   = 5 * time.Minute  // between two readings
	again   = 30 * time.Second // after a reading that failed, while there is an old value
	timeout = 3 * time.Second  // of a reading, since a request waits for it
)

// Value returns the secret of the moment. It fails only if the secret could never be read; its error never shows it.
type Value[T any] func(ctx context.Context) (T, error)

// Fixed is a secret that never changes.
func Fixed[T any](v T) Value[T] { return func(context.Context) (T, error) { return v, nil } }

// Source reads the text of a secret where it is kept. Its error does not show it.
type Source func(ctx context.Context) (string, error)

// Options say where a secret comes from. All fields are required.
type Options[T any] struct {
	Name   string // for the log and errors; not secret
	Source Source
	Parse  func(text string) (T, error) // its error does not show the text
	Now    func() time.Time
	Log    *slog.Logger
}

// Read returns a secret that is read at its first use and again every five minutes. If a reading fails or its text is
// not valid, the old value stays. It is safe for concurrent use.
func Read[T any](o Options[T]) Value[T] {
	k := &kept[T]{options: o}
	return k.get
}

type kept[T any] struct {
	options Options[T]
	mu      sync.Mutex
	value   T
	known   bool
	next    time.Time // when to read again
}

func (k *kept[T]) get(ctx context.Context) (T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.options.Now()
	// A clock that was set back does not keep an old value for longer than usual.
	if k.known && now.Before(k.next) && k.next.Sub(now) <= every {
		return k.value, nil
	}
	value, err := k.read(ctx)
	switch {
	case err == nil:
		k.value, k.known, k.next = value, true, now.Add(every)
	case !k.known:
		return value, err
	default:
		k.next = now.Add(again)
		k.options.Log.WarnContext(ctx, "secret not read again", "secret", k.options.Name, "error", err)
	}
	return k.value, nil
}

func (k *kept[T]) read(ctx context.Context) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var none T
	text, err := k.options.Source(ctx)
	if err != nil {
		return none, fmt.Errorf("secret: %s: %w", k.options.Name, err)
	}
	value, err := k.options.Parse(text)
	if err != nil {
		return none, fmt.Errorf("secret: %s: %w", k.options.Name, err)
	}
	return value, nil
}
