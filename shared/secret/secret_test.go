package secret

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// place is where a secret is kept, with a clock.
type place struct {
	now  time.Time
	text string
	err  error
	read int
	log  bytes.Buffer
}

func (p *place) value() Value[string] {
	return Read(Options[string]{
		Name: "vault/x", Now: func() time.Time { return p.now }, Log: slog.New(slog.NewTextHandler(&p.log, nil)),
		Source: func(ctx context.Context) (string, error) {
			p.read++
			if _, limited := ctx.Deadline(); !limited {
				return "", errors.New("the reading has no deadline")
			}
			return p.text, p.err
		},
		Parse: func(text string) (string, error) {
			if strings.HasPrefix(text, "bad") {
				return "", errors.New("not valid")
			}
			return strings.ToUpper(text), nil
		},
	})
}

func TestSecretIsReadAtFirstUseAndEveryFiveMinutes(t *testing.T) {
	p := &place{now: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), text: "a"}
	v := p.value()
	if p.read != 0 {
		t.Fatalf("read %d times before it was needed", p.read)
	}
	for _, tt := range []struct {
		after time.Duration
		text  string
		err   error
		want  string
		read  int
	}{
		{0, "a", nil, "A", 1},
		{5*time.Minute - 1, "b", nil, "A", 1},
		{1, "b", nil, "B", 2},
		{time.Minute, "c", nil, "B", 2},
		{4 * time.Minute, "c", errors.New("no route"), "B", 3},
		{29 * time.Second, "c", nil, "B", 3},
		{time.Second, "bad", nil, "B", 4},
		{30 * time.Second, "c", nil, "C", 5},
		{-time.Hour, "d", nil, "D", 6}, // the clock was set back
	} {
		p.now, p.text, p.err = p.now.Add(tt.after), tt.text, tt.err
		got, err := v(t.Context())
		if got != tt.want || err != nil || p.read != tt.read {
			t.Errorf("after %v with %q: got %q, %v, read %d times; want %q, %d times", tt.after, tt.text, got, err,
				p.read, tt.want, tt.read)
		}
	}
	if log := p.log.String(); strings.Count(log, "secret not read again") != 2 || !strings.Contains(log, "vault/x") {
		t.Errorf("got the log %q", log)
	}
}

func TestSecretThatWasNeverReadIsAnError(t *testing.T) {
	p := &place{err: errors.New("no route")}
	v := p.value()
	if _, err := v(t.Context()); !errors.Is(err, p.err) || !strings.Contains(err.Error(), "vault/x") {
		t.Errorf("got the error %v", err)
	}
	p.text, p.err = "bad text", nil
	if _, err := v(t.Context()); err == nil || strings.Contains(err.Error(), p.text) {
		t.Errorf("got the error %v, which should not show the text", err)
	}
	p.text = "a"
	if got, err := v(t.Context()); got != "A" || err != nil {
		t.Errorf("got %q, %v; a failed reading should be repeated at once", got, err)
	}
}

func TestFixedSecretIsAlwaysTheSame(t *testing.T) {
	if got, err := Fixed(7)(t.Context()); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}
