// Package deletion deletes requests that ended without a license, once they have expired, with all that is on record
// about them, and reports what was deleted. When a request expires is decided where it is closed (shared/store), and
// how long what is kept in shared/retention.
package deletion

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Store deletes what has expired in a store.Store.
type Store struct{ kept *store.Store }

// New makes a Store over a store.Store.
func New(s *store.Store) Store { return Store{s} }

// RequestDeleted is what the audit says of a request that expired.
const RequestDeleted store.Action = "deleted"

// deletedAtOnce is how many rows one transaction deletes: a few more are the report, the audit and the reference.
const deletedAtOnce = table.MaxWrites - 4

// DeleteExpired deletes the requests that have expired, the oldest first and at most limit, and returns how many. One
// that cannot be deleted keeps no other from it. What a run has begun, the next one finishes; each is counted once, in
// the report of the day on which the transaction was made.
func (s Store) DeleteExpired(ctx context.Context, limit int) (n int, err error) {
	rows, _, err := s.kept.Table().First(ctx, rowkey.ToDeleteThrough(license.DateOf(s.kept.Now())), limit)
	if err != nil {
		return 0, fmt.Errorf("deletion: requests to delete: %w", err)
	}
	for _, row := range rows {
		deleted, problem := s.deleteExpired(ctx, row)
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("deletion: deleting request %s: %w", row.SK, problem))
		}
		if deleted {
			n++
		}
	}
	return n, err
}

// deleteExpired deletes the request of a row of the list, which goes last. deleted is false if the request was reopened
// or if somebody else has deleted it.
func (s Store) deleteExpired(ctx context.Context, listed table.Row) (deleted bool, err error) {
	of, err := entity.Decode[store.ToDelete](listed)
	if err != nil {
		return false, err
	}
	_, id, _ := strings.Cut(listed.SK, "#")
	var expired bool
	err = entity.Retry(func() (err error) { expired, err = s.deleteRequest(ctx, id); return err })
	if err != nil || !expired {
		return false, err
	}
	if err := s.deleteMails(ctx, id); err != nil {
		return false, err
	}
	timeline := table.Prefix(rowkey.Request(id).PK, rowkey.EventPrefix)
	if err := s.deleteRows(ctx, id, timeline, Lines); err != nil {
		return false, err
	}
	err = entity.Retry(func() error {
		version, err := s.kept.Table().Version(ctx, listed.Key)
		if deleted = version > 0; err != nil || !deleted {
			return err
		}
		c := s.kept.Table().Begin()
		c.Delete(listed.Key, version)
		forgetting{id, map[table.Key]bool{}}.addresses(c, of.Named...)
		named := store.Referenced{Deleted: license.DateOf(s.kept.Now())}
		c.Set(entity.Encode(rowkey.Reference(of.Reference), rowkey.TypeReference, named))
		c.Audit(rowkey.Request(id).PK, entity.Line{By: store.System, Action: RequestDeleted})
		return s.commit(ctx, c, Counts{Requests: 1})
	})
	return deleted && err == nil, err
}

// deleteRequest deletes a request's own row with its index rows, but for its row in the list and those of the weeks.
// expired is false if it was reopened.
func (s Store) deleteRequest(ctx context.Context, id string) (expired bool, err error) {
	var r request.Request
	version, err := s.kept.Table().Get(ctx, rowkey.Request(id), &r)
	switch {
	case fault.KindOf(err) == fault.NotFound: // its time to live is over, or a run was cut off
		return true, nil
	case err != nil:
		return false, err
	case !r.Expired(s.kept.Now()):
		return false, nil
	}
	c := s.kept.Table().Begin()
	c.Delete(rowkey.Request(id), version)
	for _, row := range store.IndexOfRequest(r) {
		if row.Expires.Equal(r.Expires) {
			c.Delete(row.Key, table.Any)
		}
	}
	return true, c.Commit(ctx)
}

// deleteMails deletes the emails about a request with their letters and reports.
func (s Store) deleteMails(ctx context.Context, about string) error {
	mails, err := s.kept.Outbox().About(ctx, about)
	if err != nil {
		return err
	}
	for _, m := range mails {
		if err := s.deleteRows(ctx, about, rowkey.LettersOf(m.ID), Letters); err != nil {
			return err
		}
		reports := table.Prefix(rowkey.MailsPK(about), m.ID+rowkey.ReportPart)
		if err := s.deleteRows(ctx, about, reports, ""); err != nil {
			return err
		}
		err := entity.Retry(func() error {
			kept, err := s.kept.Outbox().Read(ctx, m.ID)
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			if err != nil {
				return err
			}
			c := s.kept.Table().Begin()
			s.kept.Outbox().DeleteIn(c, kept)
			return s.commit(ctx, c, Counts{Emails: 1})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetting deletes the rows by which addresses find a request (rowkey.Named), each once a transaction.
type forgetting struct {
	request string
	done    map[table.Key]bool
}

// longestAddress bounds what is an address (RFC 5321 §4.5.3.1.3, without the angle brackets).
const longestAddress = 254

func (f forgetting) addresses(c *entity.Changeset, emails ...string) {
	for _, email := range emails {
		key := rowkey.Named(email, rowkey.Request(f.request))
		if len(email) <= longestAddress && !f.done[key] {
			f.done[key] = true
			c.Delete(key, table.Any)
		}
	}
}

// unescaped undoes what encoding/json does to characters beside an address.
var unescaped = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// address is what may be an email address in the data of a row.
var address = lazyregexp.New(`[^\s"'<>()\[\],;:\\]+@[^\s"'<>()\[\],;:\\]+`)

// deleteRows deletes the rows of a request that a query finds, with the rows by which the addresses in them find it,
// and counts them as something; "" counts them as nothing.
func (s Store) deleteRows(ctx context.Context, of string, q table.Query, as Kind) error {
	for {
		more := false
		err := entity.Retry(func() error {
			rows, _, err := s.kept.Table().First(ctx, q, deletedAtOnce)
			if more = len(rows) > 0; err != nil || !more {
				return err
			}
			c := s.kept.Table().Begin()
			f, n := forgetting{of, map[table.Key]bool{}}, 0
			for _, row := range rows {
				named := address().FindAllString(unescaped.Replace(string(row.Data)), -1)
				if n > 0 && n+1+len(f.done)+len(named) > deletedAtOnce {
					break
				}
				n++
				c.Delete(row.Key, row.Version)
				f.addresses(c, named...)
			}
			return s.commit(ctx, c, Counts{as: n})
		})
		if err != nil || !more {
			return err
		}
	}
}
