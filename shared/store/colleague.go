package store

import (
	"context"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Colleague is somebody who signed in to the console, as the identity provider named them the last time.
type Colleague struct {
	Email      string       `json:"email"` // lower case; how requests, licenses and timelines name the person
	Name       string       `json:"name"`
	Role       string       `json:"role"`
	LastSignIn license.Date `json:"lastSignIn"` // UTC
}

// Actions of who signs in to the console, in the audit alone.
const (
	SignedIn      Action = "signed in"
	SignInRefused Action = "sign-in refused"
)

// RecordSignIn records that a colleague signed in: each time in the audit, with the role; the name, the role and the
// day of the last sign-in when one of them changed.
func (s *Store) RecordSignIn(ctx context.Context, email, name, role string) error {
	now := Colleague{email, name, role, license.DateOf(s.now())}
	key := rowkey.Colleague(email)
	var known Colleague
	_, err := s.table.Get(ctx, key, &known)
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return fmt.Errorf("store: looking up a colleague: %w", err)
	}
	c := s.begin()
	c.Audit(rowkey.SignedIn(email), entity.Line{By: email, Action: SignedIn, Note: role})
	if known != now {
		row := entity.Encode(key, rowkey.TypeColleague, now)
		row.Expires = s.keep.ColleagueExpires(s.now())
		c.Set(row)
	}
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: recording a sign-in: %w", err)
	}
	return nil
}

// RecordRefusedSignIn records in the audit that somebody whom the identity provider knows was not let in, for want of a
// role.
func (s *Store) RecordRefusedSignIn(ctx context.Context, email string) error {
	c := s.begin()
	c.Audit(rowkey.SignedIn(email), entity.Line{By: email, Action: SignInRefused})
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: recording a refused sign-in: %w", err)
	}
	return nil
}

// Colleague reads who signed in under an email address; a NotFound fault if nobody did.
func (s *Store) Colleague(ctx context.Context, email string) (c Colleague, err error) {
	_, err = s.table.Get(ctx, rowkey.Colleague(email), &c)
	return c, err
}

// Colleagues lists everybody who ever signed in, by email address.
func (s *Store) Colleagues(ctx context.Context) (list []Colleague, err error) {
	err = s.table.Each(ctx, table.Query{PK: rowkey.ColleaguePK, Limit: 1000}, func(row table.Row) error {
		c, err := entity.Decode[Colleague](row)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: colleagues: %w", err)
	}
	return list, nil
}
