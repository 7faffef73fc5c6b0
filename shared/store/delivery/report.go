package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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
)

// actionOf is the line that a report makes on a timeline; "" for what is as it should be. It does not depend on what
// else was reported.
func actionOf(r outbox.Report) store.Action {
	switch r.Outcome {
	case outbox.Delayed:
		return MailDelayed
	case outbox.Returned:
		if r.Status == "" {
			return MailAnswered
		}
		return MailReturned
	case outbox.Bounced:
		return MailBounced
	case outbox.Complained:
		return MailComplained
	case outbox.Refused:
		return MailRefused
	}
	return ""
}

const (
	// reportShown is how long the list of reports shows one. The timelines and the mails keep them.
	reportShown = 31 * 24 * time.Hour
	// repeatAfter is how long a mail that came back waits before it is sent again.
	repeatAfter = 24 * time.Hour
)

// RecordReport notes what the provider reported about a mail: with the mail, on the timeline of what the mail is about,
// and, if the mail did not arrive or somebody complained, in the list of RecentReports. All of that is one transaction
// with what follows from everything reported about the mail so far (decision 14):
//
//   - A permanent bounce or a complaint suppresses the address, and the mail is sent to the license's next contact.
//   - A mail that came back otherwise is sent again after a day. If that one comes back too, it is sent to the next
//     contact.
//   - If no contact can be reached any more, sales are told.
//
// Whatever is reported, the provider has accepted the mail: that ends a doubt, in a transaction before. A report that
// says only that costs nothing else.
//
// It does nothing, and recorded is false, if the report was recorded before. An unknown mail is a NotFound fault.
func (s *Store) RecordReport(ctx context.Context, r outbox.Report) (recorded bool, err error) {
	err = entity.Retry(func() error {
		recorded, err = s.recordReport(ctx, r)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("delivery: report of mail %s: %w", r.Mail, err)
	}
	return recorded, nil
}

func (s *Store) recordReport(ctx context.Context, r outbox.Report) (recorded bool, err error) {
	m, err := s.outbox.Read(ctx, r.Mail)
	if err != nil {
		return false, err
	}
	unsettled := m.State.Status != outbox.Sent
	if unsettled {
		if m, err = s.settle(ctx, m, r); err != nil {
			return false, err
		}
	}
	if r.Outcome == outbox.Accepted {
		return unsettled, nil
	}
	if m.To, err = s.sentTo(ctx, m, r); err != nil {
		return false, err
	}
	if input.Erased(m.To.Email) { // the event still has the address
		r.Recipient, r.Detail = m.To.Email, ""
	}
	known := func(other outbox.Report) bool { return other.Key() == r.Key() }
	if slices.ContainsFunc(m.Reports, known) {
		return false, nil
	}
	r.Recorded = s.Now()
	all := append(slices.Clone(m.Reports), r)
	c := s.begin()
	s.outbox.GuardIn(c.Changeset, m) // what follows depends on all reports: one after another
	row := entity.Encode(r.Key(), rowkey.TypeReport, r)
	row.Expires = m.Expires()
	c.Create(row)
	if about, ok := subjectOf(m); ok && !m.Kind.ToSales() {
		c.Names(about.Key(), m.To.Email, r.Recipient) // which may be behind an alias
	}
	if action := actionOf(r); action != "" {
		if err := c.log(ctx, m, entity.Line{By: store.System, Action: action, Note: reportNote(m, r)}); err != nil {
			return false, err
		}
	}
	c.listReports(m, all)
	// Addresses of sales are the vendor's own: that mail to them bounces is for somebody to repair, not to stop it.
	if !m.Kind.ToSales() {
		if err := c.follow(ctx, m, r, outbox.FateOf(m.Reports), outbox.FateOf(all)); err != nil {
			return false, err
		}
	}
	return true, c.Commit(ctx)
}

// sentTo returns to whom the call of a report sent its mail, which its letter tells: see mail.Kind.ToRequester.
func (s *Store) sentTo(ctx context.Context, m outbox.Mail, r outbox.Report) (license.Contact, error) {
	if !m.Kind.ToRequester() {
		return m.To, nil
	}
	letter, err := s.outbox.Letter(ctx, m.ID, cmp.Or(r.Attempt, m.State.Attempt, m.State.Attempts))
	if fault.KindOf(err) == fault.NotFound {
		return m.To, nil
	}
	return license.Contact{Name: letter.To.Name, Email: letter.To.Email}, err
}

// settle notes that the provider accepted a mail, and reads it again.
func (s *Store) settle(ctx context.Context, m outbox.Mail, r outbox.Report) (outbox.Mail, error) {
	at := r.At
	if at.IsZero() {
		at = s.Now()
	}
	err := s.outbox.Settle(ctx, m.ID, cmp.Or(r.Attempt, m.State.Attempts), r.ProviderID, at)
	if err != nil {
		return m, err
	}
	return s.outbox.Read(ctx, m.ID)
}

// listReports brings the list of recent reports up to date after the last of all reports about a mail.
func (c *changeset) listReports(m outbox.Mail, all []outbox.Report) {
	before, last := all[:len(all)-1], all[len(all)-1]
	for _, r := range before {
		if listed(r, before) && !listed(r, all) {
			c.Delete(rowkey.Reported(r.Recorded, r.Key()), table.Any)
		}
	}
	if listed(last, all) && !m.Kind.AboutSignIn() {
		row := entity.Encode(rowkey.Reported(last.Recorded, last.Key()), rowkey.TypeIndex, RecentReport{
			At: last.Recorded, Kind: m.Kind, About: m.Notice.About, To: m.To.Email, Outcome: last.Outcome,
			Detail: last.Detail,
		})
		row.Expires = last.Recorded.Add(reportShown)
		c.Set(row)
	}
}

// listed reports whether the list of recent reports has a report, given all reports about the mail: a complaint, that
// the mail did not arrive, and that the provider is still trying.
func listed(r outbox.Report, all []outbox.Report) bool {
	fate := outbox.FateOf(all)
	return r.Outcome == outbox.Complained || r.SaysFailed(all) && fate.DidNotArrive() ||
		r.Outcome == outbox.Delayed && fate == outbox.FateDelayed
}

// follow adds what follows from a report about a mail, with the mail's fate before and after it.
func (c *changeset) follow(ctx context.Context, m outbox.Mail, r outbox.Report, before, fate outbox.Fate) error {
	if before == outbox.FateReturned && fate != before {
		if err := c.dropRepetition(ctx, m, "the previous email has since been reported as "+string(fate)); err != nil {
			return err
		}
	}
	switch {
	case r.Outcome == outbox.Bounced, r.Outcome == outbox.Complained:
		if err := c.suppress(ctx, m, r); err != nil {
			return err
		}
		return c.readdress(ctx, m)
	case m.Kind.AboutSignIn():
		return nil // nobody waits for it a day later
	case r.Outcome == outbox.Returned && fate == outbox.FateReturned && m.Repeats == "":
		return c.repeat(ctx, m)
	case r.Outcome == outbox.Returned && fate == outbox.FateReturned:
		return c.readdress(ctx, m)
	}
	return nil
}

// repeat queues a mail that came back once more, a day later. Licenses of a digest for whose reminder it is too late by
// then go to the next contact at once.
func (c *changeset) repeat(ctx context.Context, m outbox.Mail) error {
	n, notBefore := m.Repeated(), c.store.Now().Add(repeatAfter)
	if m.Kind == mail.LicenseExpiring {
		var err error
		if n.Due, err = c.passOnLate(ctx, m, license.DateOf(notBefore)); err != nil || len(n.Due) == 0 {
			return err
		}
	}
	switch again, err := c.store.outbox.Read(ctx, n.ID); {
	case fault.KindOf(err) == fault.NotFound:
		c.store.outbox.QueueLater(c.Changeset, n, notBefore)
	case err != nil:
		return err
	case again.State.Status != outbox.Pointless:
		return nil
	default: // what made it pointless has turned out to be otherwise
		c.store.outbox.ReviveIn(c.Changeset, again, notBefore)
	}
	return c.log(ctx, m, entity.Line{By: store.System, Action: MailRepeated, Note: m.To.Email})
}

// passOnLate passes on the licenses that a digest named whose stage is over on a day, and returns the others.
func (c *changeset) passOnLate(ctx context.Context, m outbox.Mail, day license.Date) (others []notice.Due, err error) {
	records, err := c.store.Records(ctx, m.Notice)
	if err != nil {
		return nil, err
	}
	var late []notice.Due
	for _, due := range m.Named() {
		if c.store.Policy().Newest(records.Expiring[due.License].License, day) == due.Stage {
			others = append(others, due)
		} else {
			late = append(late, due)
		}
	}
	return others, c.store.passOn(ctx, m, late, records, c.tellUnreachedToo)
}

// dropRepetition closes the repetition of a mail, if it still waits.
func (c *changeset) dropRepetition(ctx context.Context, m outbox.Mail, why string) error {
	if m.Repeats != "" {
		return nil
	}
	again, err := c.store.outbox.Read(ctx, m.Repeated().ID)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil {
		c.store.outbox.DropIn(c.Changeset, again, why)
	}
	return err
}

// subjectOf returns what a mail is about; ok is false for a list of requests, which is no single one, and for a
// sign-in, which has no timeline.
func subjectOf(m outbox.Mail) (about store.Subject, ok bool) {
	switch {
	case m.Kind == mail.RequestUnconfirmed, m.Kind.AboutSignIn():
		return about, false
	case m.Kind.AboutLicense():
		return store.Subject{License: m.Notice.About}, true
	case m.Kind.AboutCustomer():
		return store.Subject{Customer: m.Notice.About}, true
	}
	return store.Subject{Request: m.Notice.About}, true
}

// log adds a line to the timeline of what a mail is about: a request, license or customer. What the system does about a
// list of requests or a sign-in is told nowhere, and what a colleague does in the audit alone.
func (c *changeset) log(ctx context.Context, m outbox.Mail, line entity.Line) (err error) {
	about, ok := subjectOf(m)
	switch {
	case ok:
		line.Customer, err = c.store.ownerOf(ctx, about)
		c.Log(about.Key(), line)
	case line.By != store.System:
		line.Note = string(m.Kind)
		c.Audit(rowkey.Mail(m.ID).PK, line)
	}
	return err
}

// reportNote is a report as a timeline has it.
func reportNote(m outbox.Mail, r outbox.Report) string {
	note := m.To.Email
	if r.Recipient != "" && !input.SameMailbox(r.Recipient, m.To.Email) {
		note += " (where it went to " + r.Recipient + ")"
	}
	if r.Detail != "" {
		note += ": " + r.Detail
	}
	return note
}

// RecentReport is a report in the list of recent ones.
type RecentReport struct {
	At      time.Time      `json:"at"`
	Kind    mail.Kind      `json:"kind"`
	About   string         `json:"about"` // the ID of the license, request or customer
	To      string         `json:"to"`    // the mail's reader
	Outcome outbox.Outcome `json:"outcome"`
	Detail  string         `json:"detail,omitempty"`
}

// RecentReports lists the newest reports since a time, at most limit: complaints, and that mails did not arrive or are
// delayed. The
// list keeps them for 31 days.
func (s *Store) RecentReports(ctx context.Context, since time.Time, limit int) (list []RecentReport, err error) {
	q := table.Query{PK: rowkey.ReportedPK, From: since.UTC().Format(time.RFC3339), Descending: true}
	rows, _, err := s.table.First(ctx, q, limit)
	if err != nil {
		return nil, fmt.Errorf("delivery: reports of mails: %w", err)
	}
	for _, row := range rows {
		r, err := entity.Decode[RecentReport](row)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}
