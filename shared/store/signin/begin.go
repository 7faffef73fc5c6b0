package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
)

const (
	// perHour is how many sign-ins can be begun with one address in an hour of the clock: in browsers that signed in
	// with it before, and as many in all others, whoever does it.
	perHour = 5
	// worth is how long somebody waits for the email.
	worth = time.Hour
	// LinkLife is how long a link works, from the moment at which it was sent.
	LinkLife = 15 * time.Minute
	// MaxWrong is with how many wrong codes a link ends.
	MaxWrong = 5
	// kept is how long a sign-in that was begun is on record.
	kept = 24 * time.Hour
)

// SignIn is a sign-in that was begun with an address.
type SignIn struct {
	ID     string    `json:"id"`
	Email  string    `json:"email"` // as it was typed
	Hash   string    `json:"hash"`  // of the code that the person is shown
	Return string    `json:"return,omitempty"`
	Begun  time.Time `json:"begun"` // UTC
	Wrong  int       `json:"wrong,omitempty"`
	Used   time.Time `json:"used,omitzero"` // UTC

	key     table.Key
	version int64
}

// Attempt is what a sign-in is begun with.
type Attempt struct {
	Email  string
	Code   string // that the page shows
	Return string // the page that the person wants
	// Known: the browser has signed in with the address before. What strangers begin elsewhere does not count for it,
	// so nobody can keep a contact from signing in there.
	Known bool
}

// Begin begins a sign-in, and has the link sent. It does the same whether the address is known or not. It is a
// RateLimited fault if too many were begun with the address.
func (s *Store) Begin(ctx context.Context, a Attempt) (id string, err error) {
	err = entity.Retry(func() error {
		now := s.kept.Now()
		t := s.kept.Table()
		n, err := t.Count(ctx, rowkey.SignInsBy(a.Email, now, a.Known), perHour)
		switch {
		case err != nil:
			return err
		case n == perHour:
			return fault.New(fault.RateLimited, "Someone asked for %d sign-in emails to this address within an hour. "+
				"Try again after %s, or in a browser in which you signed in before.", perHour,
				now.Truncate(time.Hour).Add(time.Hour).Format("15:04 UTC"))
		}
		id = store.NewID(now)
		nonce := token.AccountLink.New()
		one := SignIn{ID: id, Email: a.Email, Hash: hashOf(nonce, a.Code), Return: a.Return, Begun: now}
		row := entity.Encode(rowkey.SignIn(a.Email, now, a.Known, n+1), rowkey.TypeSignIn, one)
		row.Expires = now.Add(kept)
		c := t.Begin()
		c.Create(row)
		s.kept.Outbox().Queue(c, notice.SignInLink(id, a.Email, nonce, now.Add(worth)))
		return c.Commit(ctx)
	})
	if err != nil {
		return "", fmt.Errorf("signin: beginning: %w", err)
	}
	return id, nil
}

// hashOf hashes a code with the secret of the link, without which it could be guessed from its hash.
func hashOf(nonce, code string) string {
	sum := sha256.Sum256([]byte(nonce + "\x00" + code))
	return hex.EncodeToString(sum[:])
}

// What is wrong with a link.
var (
	errNoLink = fault.New(fault.NotFound, "This link may be incomplete: copy all of it from our newest email, or "+
		"start again.")
	errOld = fault.New(fault.Gone, "This link has expired: it works for %d minutes. Start again to get a new one.",
		int(LinkLife.Minutes()))
	errUsed  = fault.New(fault.Gone, "This link has been used: it works once. Start again to get a new one.")
	errEnded = fault.New(fault.Gone, "The code was wrong %d times, so this link no longer works. Start again to get "+
		"a new one.", MaxWrong)
)

// Open reads the sign-in of a link, and changes nothing. A wrong link is a NotFound fault, and one that has ended is
// Gone.
func (s *Store) Open(ctx context.Context, id, nonce string) (SignIn, error) {
	one, _, err := s.read(ctx, id, nonce)
	if err != nil {
		return SignIn{}, fmt.Errorf("signin: opening a link: %w", err)
	}
	return one, nil
}

func (s *Store) read(ctx context.Context, id, nonce string) (one SignIn, m outbox.Mail, err error) {
	began, bad := ulid.ParseStrict(id)
	if bad != nil || !license.ValidID(id) {
		return one, m, errNoLink
	}
	m, err = s.kept.Outbox().Read(ctx, notice.IDOf(id, notice.Link))
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return one, m, errNoLink
	case err != nil:
		return one, m, err
	case m.Kind != mail.SignInLink, input.Erased(m.To.Email), !token.AccountLink.Same(m.Nonce, nonce):
		return one, m, errNoLink
	}
	q := rowkey.SignInsOf(m.To.Email, ulid.Time(began.Time()))
	err = s.kept.Table().Each(ctx, q, func(row table.Row) error {
		found, err := entity.Decode[SignIn](row)
		if found.ID == id {
			one, one.key, one.version = found, row.Key, row.Version
		}
		return err
	})
	sent, ok := sentAt(m)
	now := s.kept.Now()
	switch {
	case err != nil:
		return one, m, err
	case one.ID == "":
		return one, m, errNoLink
	case !one.Used.IsZero():
		return one, m, errUsed
	case one.Wrong >= MaxWrong:
		return one, m, errEnded
	case !ok, now.Before(sent.Add(-time.Minute)), !now.Before(sent.Add(LinkLife)):
		return one, m, errOld
	}
	return one, m, nil
}

// sentAt returns when a mail was sent, or may have been; ok is false if nobody can have it.
func sentAt(m outbox.Mail) (at time.Time, ok bool) {
	switch {
	case m.State.Status == outbox.Sent:
		return m.State.Closed, true
	case m.State.Call != nil:
		return m.State.Call.At, true
	}
	return at, false
}

// Enter notes that somebody typed a code for a link. With the right one the link is used up. A wrong code is an Invalid
// fault of the field "code"; what is wrong with a link is as of Open.
func (s *Store) Enter(ctx context.Context, id, nonce, code string) (one SignIn, err error) {
	err = entity.Retry(func() error {
		var m outbox.Mail
		if one, m, err = s.read(ctx, id, nonce); err != nil {
			return err
		}
		right := hashOf(m.Nonce, code) == one.Hash
		if right {
			one.Used = s.kept.Now()
		} else {
			one.Wrong++
		}
		row := entity.Encode(one.key, rowkey.TypeSignIn, one)
		row.Expires = one.Begun.Add(kept)
		c := s.kept.Table().Begin()
		c.Update(row, one.version)
		err := c.Commit(ctx)
		switch {
		case err != nil || right:
			return err
		case one.Wrong >= MaxWrong:
			return errEnded
		}
		return &fault.Error{Kind: fault.Invalid, Fields: []fault.Field{{Name: "code", Msg: wrongCode(one.Wrong)}}}
	})
	if err != nil {
		return SignIn{}, fmt.Errorf("signin: entering a code: %w", err)
	}
	return one, nil
}

func wrongCode(times int) string {
	left := "one try"
	if n := MaxWrong - times; n > 1 {
		left = fmt.Sprintf("%d tries", n)
	}
	return "This is not the code. Enter the one on the page where you entered your email address. You have " + left +
		" left."
}
