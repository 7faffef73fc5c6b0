package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// A request that ends without a license expires: closing it gives its row and its index rows their time to live, and
// lists it for the daily run. From then on it reads as deleted. The daily run deletes its rows, also those that have no
// time to live: its timeline, its emails and their letters.

// RequestDeleted is what the audit says of a request that expired.
const RequestDeleted Action = "deleted"

// toDelete is what the list of requests to delete has of one: what only its own row tells, which the engine may drop.
type toDelete struct {
	Reference reference.Reference `json:"reference"`
	Named     []string            `json:"named,omitempty"` // addresses besides its own, by which rowkey.Named finds it
}

// namedBy returns the addresses that a request names besides its own.
func namedBy(r request.Request) []string {
	named := slices.Concat(r.Contacts, r.AskedOf)
	if r.Link != nil {
		named = append(named, r.Link.Contact)
	}
	if r.Vouch != nil && r.Vouch.Email != "" {
		named = append(named, r.Vouch.Email)
	}
	return named
}

// changeRequest changes a request. What closes it without a license has it expire, and anything else keeps it.
func (c *changeset) changeRequest(before request.Request, after *request.Request, line entity.Line) {
	switch {
	case !after.EndedWithoutLicense():
		after.Expires = time.Time{}
	case after.Expires.IsZero():
		after.Expires = c.store.keep.RequestExpires(after.Closed)
	}
	c.Change(requestEntity{before}, requestEntity{*after}, before.Version, line)
}

// ErrMaybeDeleted is the cause of a NotFound fault of a request that may have expired: it is as old as that.
var ErrMaybeDeleted = errors.New("store: the request may have been deleted")

// noRequest is the fault of a request that is not on record, from one without a message. Of one that may have expired,
// it says so.
func (s *Store) noRequest(err error, id string) error {
	parsed, bad := ulid.ParseStrict(strings.ToUpper(id))
	if bad == nil && !s.keep.RequestExpires(ulid.Time(parsed.Time())).After(s.now()) {
		if fault.KindOf(err) == fault.NotFound {
			err = fault.Wrap(fault.NotFound, fmt.Errorf("%w: %w", ErrMaybeDeleted, err), "")
		}
		return entity.Missing(err, "There is no license request %s any more. We delete a request that ends without a "+
			"license %s after it is closed.", id, s.keep.Requests())
	}
	return entity.Missing(err, "There is no license request %s.", id)
}

// deletedAtOnce is how many rows one transaction deletes: a few more are the report, the audit and the reference.
const deletedAtOnce = table.MaxWrites - 4

// DeleteExpired deletes the requests that have expired, the oldest first and at most limit, and returns how many. One
// that cannot be deleted keeps no other from it. What a run has begun, the next one finishes; each is counted once, in
// the report of the day on which the transaction was made.
func (s *Store) DeleteExpired(ctx context.Context, limit int) (n int, err error) {
	rows, _, err := s.table.First(ctx, rowkey.ToDeleteThrough(license.DateOf(s.now())), limit)
	if err != nil {
		return 0, fmt.Errorf("store: requests to delete: %w", err)
	}
	for _, row := range rows {
		deleted, problem := s.deleteExpired(ctx, row)
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("store: deleting request %s: %w", row.SK, problem))
		}
		if deleted {
			n++
		}
	}
	return n, err
}

// deleteExpired deletes the request of a row of the list, which goes last. deleted is false if the request was reopened
// or if somebody else has deleted it.
func (s *Store) deleteExpired(ctx context.Context, listed table.Row) (deleted bool, err error) {
	of, err := entity.Decode[toDelete](listed)
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
	if err := s.deleteRows(ctx, id, timeline, DeletedLines); err != nil {
		return false, err
	}
	err = entity.Retry(func() error {
		version, err := s.table.Version(ctx, listed.Key)
		if deleted = version > 0; err != nil || !deleted {
			return err
		}
		c := s.begin()
		c.Delete(listed.Key, version)
		forgetting{id, map[table.Key]bool{}}.addresses(c, of.Named...)
		named := referenced{Deleted: license.DateOf(s.now())}
		c.Set(entity.Encode(rowkey.Reference(of.Reference), rowkey.TypeReference, named))
		c.Audit(rowkey.Request(id).PK, entity.Line{By: System, Action: RequestDeleted})
		return c.commitDeleted(ctx, Deleted{DeletedRequests: 1})
	})
	return deleted && err == nil, err
}

// deleteRequest deletes a request's own row with its index rows, but for its row in the list and those of the weeks.
// expired is false if it was reopened.
func (s *Store) deleteRequest(ctx context.Context, id string) (expired bool, err error) {
	var r request.Request
	version, err := s.table.Get(ctx, rowkey.Request(id), &r)
	switch {
	case fault.KindOf(err) == fault.NotFound: // its time to live is over, or a run was cut off
		return true, nil
	case err != nil:
		return false, err
	case !r.Expired(s.now()):
		return false, nil
	}
	c := s.begin()
	c.Delete(rowkey.Request(id), version)
	for _, row := range (requestEntity{r}).Index(version) {
		if row.Expires.Equal(r.Expires) {
			c.Delete(row.Key, table.Any)
		}
	}
	return true, c.Commit(ctx)
}

// deleteMails deletes the emails about a request with their letters and reports.
func (s *Store) deleteMails(ctx context.Context, about string) error {
	mails, err := s.outbox.About(ctx, about)
	if err != nil {
		return err
	}
	for _, m := range mails {
		if err := s.deleteRows(ctx, about, rowkey.LettersOf(m.ID), DeletedLetters); err != nil {
			return err
		}
		reports := table.Prefix(rowkey.MailsPK(about), m.ID+rowkey.ReportPart)
		if err := s.deleteRows(ctx, about, reports, ""); err != nil {
			return err
		}
		err := entity.Retry(func() error {
			kept, err := s.outbox.Read(ctx, m.ID)
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			if err != nil {
				return err
			}
			c := s.begin()
			s.outbox.DeleteIn(c.Changeset, kept)
			return c.commitDeleted(ctx, Deleted{DeletedEmails: 1})
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

func (f forgetting) addresses(c *changeset, emails ...string) {
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
func (s *Store) deleteRows(ctx context.Context, of string, q table.Query, as DeletedKind) error {
	for {
		more := false
		err := entity.Retry(func() error {
			rows, _, err := s.table.First(ctx, q, deletedAtOnce)
			if more = len(rows) > 0; err != nil || !more {
				return err
			}
			c := s.begin()
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
			return c.commitDeleted(ctx, Deleted{as: n})
		})
		if err != nil || !more {
			return err
		}
	}
}
