package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// OnRecord reports whether a license with the ID of l is on record; a Conflict fault if that one has other terms.
func (s *Store) OnRecord(ctx context.Context, l license.License) (bool, error) {
	switch known, err := s.License(ctx, l.ID); {
	case err == nil:
		return true, sameTerms(known.License, l)
	case fault.KindOf(err) == fault.NotFound:
		return false, nil
	default:
		return false, err
	}
}

// sameTerms is a Conflict fault if a license on record has other terms than l.
func sameTerms(known, l license.License) error {
	var other []string
	for _, term := range []struct {
		name string
		same bool
	}{
		{"organization", known.Organization == l.Organization},
		{"contacts", slices.Equal(known.Contacts, l.Contacts)},
		{"server ID", known.Server == l.Server},
		{"edition", known.Edition == l.Edition},
		{"type", known.Type == l.Type},
		{"lines of code", known.MaxLoc == l.MaxLoc},
		{"expiration", known.Expiration == l.Expiration},
		{"support", known.Support == l.Support},
	} {
		if !term.same {
			other = append(other, term.name)
		}
	}
	if len(other) == 0 {
		return nil
	}
	return fault.New(
		fault.Conflict,
		"License %s is already on record with other terms: %s.",
		l.ID,
		strings.Join(other, ", "),
	)
}

// AddLicense puts a license that was issued elsewhere on record. A license of the same dataset that it succeeds
// (license.Succeeds) gets it as its successor and no more reminders; likewise the other way round.
//
// The ID decides: if a license with that ID is on record already, nothing changes and added is false; if that one has
// other terms, it is a Conflict fault.
func (s *Store) AddLicense(ctx context.Context, l license.License, by string) (added bool, err error) {
	err = entity.Retry(func() error {
		known, err := s.OnRecord(ctx, l)
		if added = false; known || err != nil {
			return err
		}
		c := s.begin()
		if err := c.addLicense(ctx, l, entity.Line{By: by, Action: LicenseRecorded}); err != nil {
			return err
		}
		added = true
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("store: adding license %s: %w", l.ID, err)
	}
	return added, nil
}

// ErrIssued means that these licenses were issued before, by the same issue sent twice. Nothing was written.
var ErrIssued = errors.New("store: the licenses were issued before")

// Issue is the issuing of licenses in one go: one, or a production license with its staging licenses.
type Issue struct {
	// Licenses are new. The ID of the first is the one under which the operator's wizard prepared them, so that the
	// same issue sent twice is one.
	Licenses []license.License
	By       string // the operator's email address
	// Request is the request that they answer, as the operator saw it; "" for none.
	Request        string
	RequestVersion int64
	// Replaces are the licenses that these replace, and that are revoked, with the versions that the operator saw.
	Replaces map[string]int64
	// Confirmed are the warnings that the operator confirmed, for the timeline; "" for none.
	Confirmed string
	// Datasets are the versions of the datasets that the operator decided by (Store.Dataset).
	Datasets map[license.Server]int64
}

// IssueLicenses puts new licenses on record, answers the request, revokes what they replace, and mails the keys
// to the first contact of the first license, in one transaction. It is ErrIssued if that was done before; a Conflict
// fault if the request, a license that is replaced, or a dataset changed since the operator saw it; a TooLarge fault if
// these are too many licenses for one transaction.
func (s *Store) IssueLicenses(ctx context.Context, i Issue) error {
	return entity.Retry(func() error {
		switch _, err := s.License(ctx, i.Licenses[0].ID); {
		case err == nil:
			return ErrIssued
		case fault.KindOf(err) != fault.NotFound:
			return err
		}
		c := s.begin()
		if err := c.issue(ctx, i); err != nil {
			return err
		}
		c.queue(notice.LicenseKey(i.Licenses))
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: issuing license %s: %w", i.Licenses[0].ID, err)
		}
		return nil
	})
}

func (c *changeset) issue(ctx context.Context, i Issue) error {
	if err := c.unchanged(ctx, i.Datasets); err != nil {
		return err
	}
	var replaced []*LicenseRecord
	for id, version := range i.Replaces {
		r, err := c.license(ctx, id, version)
		if err != nil {
			return err
		}
		if !r.License.Revoked.IsZero() {
			return fault.New(fault.Conflict, "License %s is already revoked.", id)
		}
		c.changeLicense(r, entity.Line{By: i.By, Action: LicenseReplaced, Note: i.Licenses[0].ID},
			func(l *license.License) {
				l.Revoked, l.RevokedReason, l.ReplacedBy = c.store.now(), "replaced", i.Licenses[0].ID
			})
		replaced = append(replaced, r)
	}
	var ids []string
	for _, l := range i.Licenses {
		l.Request = i.Request
		if err := c.addLicense(ctx, l, entity.Line{By: i.By, Action: LicenseIssued, Note: i.Request}); err != nil {
			return err
		}
		ids = append(ids, l.ID)
	}
	if i.Confirmed != "" {
		c.Log(rowkey.License(ids[0]), entity.Line{By: i.By, Action: WarningsConfirmed, Note: i.Confirmed})
	}
	for _, r := range replaced {
		c.release(r)
	}
	if i.Request == "" {
		return nil
	}
	v := Review{ID: i.Request, Version: i.RequestVersion, By: i.By, To: request.Issued}
	_, err := c.review(ctx, v, ids[0], func(r *request.Request) {
		r.Licenses = ids
		if r.Reviewer == "" {
			r.Reviewer = i.By
		}
	})
	return err
}

// LicenseChange is what an operator does to a license that is on record.
type LicenseChange struct {
	ID      string
	Version int64  // of the license as the operator saw it
	By      string // the operator's email address
}

// RevokeLicense revokes a license, with the reason; the key in the customer's server does not change. It is a Conflict
// fault if somebody changed the license since it was seen, or revoked it.
func (s *Store) RevokeLicense(ctx context.Context, change LicenseChange, reason string) error {
	return s.changeLicense(ctx, change, LicenseRevoked, reason, func(l *license.License) error {
		if !l.Revoked.IsZero() {
			return fault.New(fault.Conflict, "License %s is already revoked.", l.ID)
		}
		l.Revoked, l.RevokedReason = s.now(), reason
		return nil
	})
}

// MuteReminders stops the reminders of a license, or resumes them.
func (s *Store) MuteReminders(ctx context.Context, change LicenseChange, muted bool) error {
	action := RemindersOn
	if muted {
		action = RemindersMuted
	}
	return s.changeLicense(ctx, change, action, "", func(l *license.License) error {
		l.Muted = muted
		return nil
	})
}

// AddPackage lists a custom package on a license. One that is listed already is not listed again, whatever the version.
// It is a Conflict fault if somebody changed the license since it was seen.
func (s *Store) AddPackage(ctx context.Context, change LicenseChange, file string) error {
	switch r, err := s.License(ctx, change.ID); {
	case err != nil:
		return err
	case slices.Contains(r.License.Packages, file):
		return nil
	}
	return s.changeLicense(ctx, change, PackageTailored, file, func(l *license.License) error {
		l.Packages = append(slices.Clone(l.Packages), file)
		return nil
	})
}

func (s *Store) changeLicense(ctx context.Context, change LicenseChange, action Action, note string,
	f func(*license.License) error) error {
	return entity.Retry(func() error {
		c := s.begin()
		r, err := c.license(ctx, change.ID, change.Version)
		if err != nil {
			return err
		}
		changed := r.License
		if err := f(&changed); err != nil {
			return err
		}
		c.changeLicense(r, entity.Line{By: change.By, Action: action, Note: note},
			func(l *license.License) { *l = changed })
		c.release(r)
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: license %s: %w", change.ID, err)
		}
		return nil
	})
}

// SendKeyAgain mails the license's key to one of its contacts again; the timeline says to whom. nonce tells one sending
// from another: what was queued with the same one is not queued again.
func (s *Store) SendKeyAgain(ctx context.Context, id, by string, to license.Contact, nonce string) error {
	r, err := s.License(ctx, id)
	if err != nil {
		return err
	}
	c := s.begin()
	n := notice.LicenseKeyAgain(r.License, to, nonce)
	c.queue(n)
	c.Log(rowkey.License(id), entity.Line{By: by, Action: KeySentAgain, Note: to.Email})
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
		return fmt.Errorf("store: sending the key of license %s again: %w", id, err)
	}
	return nil
}
