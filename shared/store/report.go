package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/table"
)

// Outcome is what became of a mail after the provider took it.
type Outcome string

const (
	Bounced    Outcome = "bounced"    // the address does not exist, or takes no mail: nor will it take another
	Complained Outcome = "complained" // the reader does not want it
	Refused    Outcome = "refused"    // the provider did not send it after all
	Delayed    Outcome = "delayed"    // it came back, and another mail may arrive: a full mailbox, an absence
)

// suppresses reports whether no more mail goes to the address.
func (o Outcome) suppresses() bool { return o == Bounced || o == Complained }

func (o Outcome) action() Action {
	switch o {
	case Bounced:
		return MailBounced
	case Complained:
		return MailComplained
	case Refused:
		return MailRefused
	}
	return MailDelayed
}

// Report is what the provider said of a mail after it took it. The same report may come several times, and reports in any
// order: Mail, ProviderID, Outcome and Recipient tell one from another.
type Report struct {
	Mail       string  `json:"mail"`                // the ID of the mail
	ProviderID string  `json:"carrierId"`           // under which the provider knows it: another one each time that it was sent
	Recipient  string  `json:"recipient,omitempty"` // for whom, as the provider knows: behind an alias, not the mail's reader
	Outcome    Outcome `json:"outcome"`
	Detail     string  `json:"detail,omitempty"` // in the words of the provider or the reader's server, on one line
}

// reportShown is how long the list of reports shows one. The timelines and the mails keep them.
const reportShown = 31 * 24 * time.Hour

// RecordReport notes what the provider said of a mail: with the mail, on the timeline of what the mail is about, and, unless
// it was only delayed, in the list of Reports. A bounce or a complaint suppresses the address, and the mail goes to the next
// contact of the license, or where none can be reached any more, task's mail goes to sales. All of it is one transaction.
//
// It does nothing, and recorded is false, where the report came before. A mail that is not known is a NotFound fault.
func (s *Store) RecordReport(ctx context.Context, r Report, task func(license.License) mail.Message) (recorded bool, err error) {
	err = retryOnConflict(func() (err error) {
		recorded, err = s.tryRecordReport(ctx, r, task)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: report of mail %s: %w", r.Mail, err)
	}
	return recorded, nil
}

func (s *Store) tryRecordReport(ctx context.Context, r Report, task func(license.License) mail.Message) (recorded bool, err error) {
	m, err := s.Mail(ctx, r.Mail)
	if err != nil {
		return false, err
	}
	key := reportKey(r)
	switch _, err := s.table.Get(ctx, key); {
	case err == nil:
		return false, nil
	case !errors.Is(err, table.ErrNotFound):
		return false, err
	}
	writes := []table.Write{
		table.Create(encode(key, rowReport, r)),
		s.eventWrite(about(m.Message).key(), System, r.Outcome.action(), reportNote(m.Message, r), nil),
	}
	if r.Outcome != Delayed {
		row := encode(reportedKey(s.now(), r), rowIndex, Reported{
			At: s.now(), Kind: m.Message.Kind, About: m.Message.About, To: m.Message.To.Email, Outcome: r.Outcome, Detail: r.Detail})
		row.Expires = s.now().Add(reportShown)
		writes = append(writes, table.Set(row))
	}
	// Sales operations are the vendor's own: that mail to them bounces is for somebody to set right, not to stop it.
	if r.Outcome.suppresses() && !m.Message.Kind.ToSales() {
		more, err := s.suppressionWrites(ctx, m.Message.To.Email, r)
		if err != nil {
			return false, err
		}
		onward, err := s.onward(ctx, m, task)
		if err != nil {
			return false, err
		}
		writes = append(append(writes, more...), onward...)
	}
	return true, s.table.Transact(ctx, writes...)
}

// reportNote is a report as a timeline has it.
func reportNote(m mail.Message, r Report) string {
	note, onWire := m.To.Email, m.To.Email
	if box, err := m.To.Mailbox(); err == nil {
		onWire = box.Address // the domain in ASCII
	}
	if r.Recipient != "" && !sameAddress(r.Recipient, m.To.Email) && !sameAddress(r.Recipient, onWire) {
		note += " (where it went to " + r.Recipient + ")"
	}
	if r.Detail != "" {
		note += ": " + r.Detail
	}
	return note
}

func (s *Store) suppressionWrites(ctx context.Context, email string, r Report) ([]table.Write, error) {
	if why, err := s.Suppressed(ctx, email); why != nil || err != nil {
		return nil, err
	}
	return []table.Write{table.Create(encode(suppressionKey(email), rowSuppression, Suppression{Outcome: r.Outcome, Mail: r.Mail, At: s.now()}))}, nil
}

// Reported is a report in the list of all.
type Reported struct {
	At      time.Time `json:"at"`
	Kind    mail.Kind `json:"kind"`
	About   string    `json:"about"` // the ID of the license or request
	To      string    `json:"to"`    // the mail's reader
	Outcome Outcome   `json:"outcome"`
	Detail  string    `json:"detail,omitempty"`
}

// Reports lists the newest reports since a time, at most limit, those of mails that were only delayed left out. Those of the
// last 30 days are kept in the list.
func (s *Store) Reports(ctx context.Context, since time.Time, limit int) (list []Reported, err error) {
	q := table.Query{PK: reportedPK, From: since.UTC().Format(time.RFC3339), Descending: true, Limit: limit}
	page, err := s.table.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("store: reports of mails: %w", err)
	}
	for _, row := range page.Rows {
		r, err := decode[Reported](row)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// mailWithReports reads a mail and what the provider said of it.
func (s *Store) mailWithReports(ctx context.Context, id string) (m Mail, err error) {
	err = table.All(ctx, s.table, table.Query{PK: mailKey(id).PK}, func(row table.Row) (err error) {
		if strings.HasPrefix(row.SK, reportPrefix) {
			r, err := decode[Report](row)
			m.Reports = append(m.Reports, r)
			return err
		}
		before := m.Reports
		m, err = decode[Mail](row)
		m.Reports, m.version = before, row.Version
		return err
	})
	if err == nil && m.version == 0 {
		err = table.ErrNotFound
	}
	return m, notFound(err, "There is no mail %s.", id)
}
