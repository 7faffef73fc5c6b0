package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// maxForwardAge is the greatest age of a mail that is sent on to the next contact: "in 30 days" in an older one would
// be wrong. About an older one we only tell sales, if no contact is left; later mails find the next contact themselves.
const maxForwardAge = 7 * 24 * time.Hour

// readdress sends a mail about a license that its reader did not get to the license's next contact; if none of them can
// be reached, it tells sales. It also tells them of a late request whose reviewer did not learn of it. It does nothing
// for other mails, and for those that became pointless.
//
// The reader counts as unreachable.
func (c *changeset) readdress(ctx context.Context, m outbox.Mail) error {
	switch m.Kind {
	case mail.LicenseExpiring:
		return c.readdressDigest(ctx, m)
	case mail.RequestLate: // in a transaction of its own, which does nothing the second time
		_, err := c.store.tellLate(ctx, m.About, m.To.Email)
		return err
	case mail.LicenseKey:
	default:
		return nil
	}
	records, err := c.store.Records(ctx, m.Notice)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if m.Pointless(records) != "" {
		return nil
	}
	l := records.Licenses[0]
	next, err := c.store.contactInReach(ctx, l, customer.Keys, m.To.Email)
	switch {
	case err != nil:
		return err
	case next == nil:
		_, err := c.tellUnreached(ctx, l, 0)
		return err
	case c.store.Now().Sub(m.Created) > maxForwardAge:
		return nil
	}
	same := m.ToContact(*next)
	if known, err := c.store.outbox.Exists(ctx, same.ID); known || err != nil {
		return err
	}
	c.store.outbox.Queue(c.Changeset, same)
	c.Names(rowkey.License(l.ID), "", next.Email) // the line outlives the email
	c.Log(rowkey.License(l.ID), entity.Line{By: store.System, Action: MailReaddressed, Note: next.Email,
		Customer: l.Customer})
	return nil
}

// readdressDigest adds the licenses that a digest named, and that its reader did not get, to the digests of their next
// contacts.
func (c *changeset) readdressDigest(ctx context.Context, m outbox.Mail) error {
	records, err := c.store.Records(ctx, m.Notice)
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && m.Repeats != "" && records.Arrived:
		return nil
	case err != nil:
		return err
	}
	return c.store.passOn(ctx, m, m.Named(), records, c.tellUnreachedToo)
}

const (
	// unreachedAtOnce is how many tasks for sales, of some four rows each, the transaction of a report takes.
	unreachedAtOnce = 15
	// untilReported is after how long a report is on record whose tasks are queued before it.
	untilReported = 5 * time.Minute
)

// tellUnreachedToo tells sales that no contact of a license can be reached, as a part of the change: the mailer would
// find a task that is queued before its cause without a point. Beyond unreachedAtOnce it is queued at once, and waits.
func (c *changeset) tellUnreachedToo(ctx context.Context, l license.License) error {
	if c.tasks++; c.tasks <= unreachedAtOnce {
		_, err := c.tellUnreached(ctx, l, 0)
		return err
	}
	_, err := c.store.recordUnreached(ctx, l, untilReported)
	return err
}

// PassOmitted passes on the licenses of a digest whose reader is a contact of theirs no more, given what is on record:
// to the next contact of each, like those of a digest that did not arrive.
func (s *Store) PassOmitted(ctx context.Context, m outbox.Mail, records notice.Records) error {
	var left []notice.Due
	for _, due := range m.Due {
		of, known := records.Expiring[due.License]
		reader := func(c license.Contact) bool { return input.SameMailbox(c.Email, m.To.Email) }
		if known && !slices.ContainsFunc(of.Contacts, reader) {
			left = append(left, due)
		}
	}
	tell := func(ctx context.Context, l license.License) error {
		_, err := s.RecordUnreached(ctx, l)
		return err
	}
	if err := s.passOn(ctx, m, left, records, tell); err != nil {
		return fmt.Errorf("delivery: licenses of mail %s to the next contact: %w", m.ID, err)
	}
	return nil
}

// passOn adds licenses of a digest to the digest of each license's next contact; if none of them can be reached, it has
// sales told. Each license has a transaction of its own, and being cut off between them does no harm: a contact is
// reminded of a license once.
func (s *Store) passOn(ctx context.Context, m outbox.Mail, licenses []notice.Due, records notice.Records,
	tell func(context.Context, license.License) error) error {
	type reader struct{ customer, email string }
	digests := map[reader]*outbox.Digest{}
	var filled []*outbox.Digest
	for _, due := range licenses {
		next, of, err := s.nextReader(ctx, m, due, records, tell)
		if err != nil {
			return err
		}
		if next == nil {
			continue
		}
		to := reader{of, input.Mailbox(next.Email)}
		d := digests[to]
		if d == nil {
			d = s.NewDigest(of, records.Today, *next, s.Now(), 0)
			digests[to] = d
			filled = append(filled, d)
		}
		line := entity.Line{By: store.System, Action: MailReaddressed, Note: next.Email,
			Customer: records.Expiring[due.License].License.Customer}
		if err := s.AddDue(ctx, d, due, line); err != nil {
			return err // another attempt fills these digests, or they get ready by themselves
		}
	}
	for _, d := range filled {
		if err := d.Release(ctx); err != nil {
			return err
		}
	}
	return nil
}

// nextReader returns who is reminded next of a license in a digest that did not reach its reader, and the ID of the
// license's customer; nil for nobody.
func (s *Store) nextReader(ctx context.Context, m outbox.Mail, due notice.Due, records notice.Records,
	tell func(context.Context, license.License) error) (next *license.Contact, customerID string, err error) {
	of := records.Expiring[due.License]
	of.Contacts = append(slices.Clone(of.Contacts), m.To) // its reader may be a contact no more
	if notice.Unneeded(of, due, m.To, records) != "" {
		return nil, "", nil
	}
	r, err := s.readReach(ctx, of.License)
	if err == nil {
		next, err = s.Reachable(ctx, r.readers(of.License, customer.Renewals, m.To.Email))
	}
	switch {
	case err != nil:
		return nil, "", err
	case next == nil:
		return nil, "", tell(ctx, of.License)
	case of.HasUnsubscribed(*next): // nobody else is asked instead
		return nil, "", s.recordStopped(ctx, of.License, *next, untilReported)
	case s.Now().Sub(m.Created) > maxForwardAge:
		return nil, "", nil
	}
	return next, r.customers[len(r.customers)-1].ID, nil
}

// RecordStopped has sales told that the reminders of a license stopped because the contact whose turn it is has
// unsubscribed, if they were not told when the contact did: somebody else was still reminded then.
func (s *Store) RecordStopped(ctx context.Context, l license.License, contact license.Contact) error {
	return s.recordStopped(ctx, l, contact, 0)
}

// recordStopped has the email to sales wait.
func (s *Store) recordStopped(ctx context.Context, l license.License, contact license.Contact,
	wait time.Duration) error {
	list, err := s.Unsubscribed(ctx, l.ID)
	for _, u := range list {
		if err == nil && input.SameMailbox(u.Email, contact.Email) {
			err = s.reviveStopped(ctx, u, s.Now().Add(wait))
		}
	}
	if err != nil {
		return fmt.Errorf("delivery: stopped reminders of license %s: %w", l.ID, err)
	}
	return nil
}

// reviveStopped makes the mail about an unsubscription wait again if it had no point, or queues it if whoever
// unsubscribed was cut off before.
func (s *Store) reviveStopped(ctx context.Context, u store.Unsubscription, notBefore time.Time) error {
	return entity.Retry(func() error {
		c := s.begin()
		switch m, err := s.outbox.Read(ctx, u.Told); {
		case fault.KindOf(err) == fault.NotFound:
			digest, err := s.outbox.Read(ctx, u.Mail)
			switch {
			case fault.KindOf(err) == fault.NotFound:
				return nil
			case err != nil:
				return err
			}
			n := notice.RemindersStopped(digest.Notice, digest.Named(), "")
			n.ID = u.Told
			s.outbox.QueueLater(c.Changeset, n, notBefore)
		case err != nil:
			return err
		case m.State.Status != outbox.Pointless:
			return nil
		default:
			s.outbox.ReviveIn(c.Changeset, m, notBefore)
		}
		return c.Commit(ctx)
	})
}

// tellUnreached tells sales, once for each license and expiration, that no contact of a license can be reached; told is
// false if they were told before. The email is not sent before it has waited.
func (c *changeset) tellUnreached(ctx context.Context, l license.License, wait time.Duration) (told bool, err error) {
	task := notice.LicenseUnreached(l)
	if known, err := c.store.outbox.Exists(ctx, task.ID); known || err != nil {
		return false, err
	}
	row := entity.Encode(rowkey.Unreached(l.ID), rowkey.TypeIndex, unreached{l.Customer})
	row.Expires = l.Expiration.End()
	c.Set(row)
	if wait > 0 {
		c.store.outbox.QueueLater(c.Changeset, task, c.store.Now().Add(wait))
	} else {
		c.store.outbox.Queue(c.Changeset, task)
	}
	c.Log(rowkey.License(l.ID), entity.Line{By: store.System, Action: ContactsUnreached, Customer: l.Customer})
	return true, nil
}

// unreached is a license none of whose contacts can be reached, with the customer that it had then.
type unreached struct {
	Customer string `json:"customer"`
}

// RecordUnreached tells sales that a license's reminder can be sent to none of its contacts, once for each license and
// expiration; told is false if they were told before. The license stays due.
func (s *Store) RecordUnreached(ctx context.Context, l license.License) (told bool, err error) {
	return s.recordUnreached(ctx, l, 0)
}

func (s *Store) recordUnreached(ctx context.Context, l license.License, wait time.Duration) (told bool, err error) {
	err = entity.Retry(func() error {
		c := s.begin()
		if told, err = c.tellUnreached(ctx, l, wait); err != nil || !told {
			return err
		}
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("delivery: no contact of license %s: %w", l.ID, err)
	}
	return told, nil
}

// RecordNextKey tells sales, once for each license, expiration and stage, that the next key under the license's
// contract is due; told is false if they were told before.
func (s *Store) RecordNextKey(ctx context.Context, l license.License, stage reminder.Stage) (told bool, err error) {
	task := notice.LicenseNextKey(l, stage)
	err = entity.Retry(func() error {
		known, err := s.outbox.Exists(ctx, task.ID)
		if told = !known && err == nil; !told {
			return err
		}
		c := s.begin()
		s.outbox.Queue(c.Changeset, task)
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("delivery: next key after license %s: %w", l.ID, err)
	}
	return told, nil
}

// FailSuppressed marks a mail to a suppressed address as failed and queues it for the license's next contact. If there
// is none, it tells sales. It is outbox.ErrChanged if the mail is not as it was read.
func (s *Store) FailSuppressed(ctx context.Context, m outbox.Mail, why Suppression) error {
	return entity.Retry(func() error {
		c, failed := s.begin(), m
		if err := c.readdress(ctx, m); err != nil {
			return fmt.Errorf("delivery: mail %s to the next contact: %w", m.ID, err)
		}
		s.outbox.FailIn(c.Changeset, &failed, why.Reason())
		s.outbox.CloseIn(c.Changeset, failed)
		err := c.Commit(ctx)
		if entity.IsConflictOn(err, rowkey.MailState(m.ID)) {
			return outbox.ErrChanged
		}
		return err
	})
}

// Unreached lists licenses none of whose contacts mails reached, the newest first, at most limit: those whose reminders
// are not over, and that still have no reachable contact. It looks at three times limit at most, in three rounds of
// reads.
func (s *Store) Unreached(ctx context.Context, limit int) (list []store.Summary, err error) {
	defer func() {
		if err != nil {
			list, err = nil, fmt.Errorf("delivery: licenses without a contact: %w", err)
		}
	}()
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.UnreachedPK, Descending: true}, 3*limit)
	if err != nil {
		return nil, fmt.Errorf("delivery: licenses without a contact: %w", err)
	}
	found := make([]license.License, len(rows)) // zero: somebody can be reached
	var g errgroup.Group
	for i, row := range rows {
		g.Go(func() (err error) {
			found[i], err = s.stillUnreached(ctx, row)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, l := range found {
		if l.ID != "" && len(list) < limit {
			list = append(list, store.SummaryOf(l))
		}
	}
	return list, nil
}

// stillUnreached returns the license of a row, unless it needs no contact any more or has one who can be reached.
func (s *Store) stillUnreached(ctx context.Context, row table.Row) (none license.License, err error) {
	then, err := entity.Decode[unreached](row)
	if err != nil {
		return none, err
	}
	var l store.LicenseRecord
	of := reach{now: s.Now()}
	var sendable []license.Contact
	contactsOf := func(ctx context.Context, l license.License) (err error) {
		if of.customers, err = s.CustomersOf(ctx, l); err == nil {
			sendable, err = s.CanBeSent(ctx, mail.LicenseKey, customer.Told(of.customers))
		}
		return err
	}
	g, inGroup := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		l, err = s.License(inGroup, row.SK)
		return err
	})
	g.Go(func() error { return contactsOf(inGroup, license.License{Customer: then.Customer}) })
	g.Go(func() (err error) {
		of.mails, err = s.outbox.About(inGroup, row.SK)
		return err
	})
	if err := g.Wait(); err != nil {
		return none, err
	}
	if s.Policy().Over(l.License, license.DateOf(s.Now())) {
		return none, nil
	}
	if l.License.Customer != then.Customer { // it was moved
		if err := contactsOf(ctx, l.License); err != nil {
			return none, err
		}
	}
	first := func(_ context.Context, contacts []license.Contact) (*license.Contact, error) {
		for _, c := range contacts {
			same := func(other license.Contact) bool { return input.SameMailbox(other.Email, c.Email) }
			if slices.ContainsFunc(sendable, same) {
				return &c, nil
			}
		}
		return nil, nil
	}
	found, err := of.inReach(ctx, l.License, first)
	if found || err != nil {
		return none, err
	}
	return l.License, nil
}
