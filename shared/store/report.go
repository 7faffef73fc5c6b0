package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// reportShown is how long the list of reports shows one. The timelines and the mails keep them.
const reportShown = 31 * 24 * time.Hour

// RecordReport notes what the provider reported about a mail: with the mail, on the timeline of what the mail is
// about, and, unless it arrived or may yet, in the list of Reports. A bounce or a complaint suppresses the address, and
// the mail is sent to the next contact of the license, or if none can be reached any more, sales are told. All of it is
// one transaction.
//
// It does nothing, and recorded is false, if the report was recorded before. An unknown mail is a NotFound fault.
func (s *Store) RecordReport(ctx context.Context, r Report) (recorded bool, err error) {
	err = entity.Retry(func() error {
		recorded, err = s.recordReport(ctx, r)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: report of mail %s: %w", r.Mail, err)
	}
	return recorded, nil
}

func (s *Store) recordReport(ctx context.Context, r Report) (recorded bool, err error) {
	m, err := s.outbox.Read(ctx, r.Mail)
	if err != nil {
		return false, err
	}
	if known, err := s.table.Version(ctx, r.Key()); known > 0 || err != nil {
		return false, err
	}
	c := s.begin()
	c.Create(entity.Encode(r.Key(), rowkey.TypeReport, r))
	action := actionOf(r.Outcome)
	if action != "" {
		c.Log(about(m).key(), entity.Line{By: System, Action: action, Note: reportNote(m, r)})
	}
	if action != "" && r.Outcome != outbox.Delayed {
		row := entity.Encode(rowkey.Reported(s.now(), r.Key()), rowkey.TypeIndex, RecentReport{
			At: s.now(), Kind: m.Kind, About: m.Notice.About, To: m.To.Email,
			Outcome: r.Outcome, Detail: r.Detail,
		})
		row.Expires = s.now().Add(reportShown)
		c.Set(row)
	}
	// Addresses of sales are the vendor's own: that mail to them bounces is for somebody to repair, not to stop it.
	if suppresses(r.Outcome) && !m.Kind.ToSales() {
		if err := c.suppress(ctx, m.To.Email, r); err != nil {
			return false, err
		}
		if err := c.readdress(ctx, m); err != nil {
			return false, err
		}
	}
	return true, c.Commit(ctx)
}

// about is on whose timeline events about a mail are told.
func about(m outbox.Mail) Subject {
	if m.Kind.AboutLicense() {
		return Subject{License: m.Notice.About}
	}
	return Subject{Request: m.Notice.About}
}

// reportNote is a report as a timeline has it.
func reportNote(m outbox.Mail, r Report) string {
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
	About   string         `json:"about"` // the ID of the license or request
	To      string         `json:"to"`    // the mail's reader
	Outcome outbox.Outcome `json:"outcome"`
	Detail  string         `json:"detail,omitempty"`
}

// RecentReports lists the newest reports since a time, at most limit, without those of mails that arrived or may yet.
// The list keeps them for 30 days.
func (s *Store) RecentReports(ctx context.Context, since time.Time, limit int) (list []RecentReport, err error) {
	q := table.Query{PK: rowkey.ReportedPK, From: since.UTC().Format(time.RFC3339), Descending: true}
	rows, _, err := s.table.First(ctx, q, limit)
	if err != nil {
		return nil, fmt.Errorf("store: reports of mails: %w", err)
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
