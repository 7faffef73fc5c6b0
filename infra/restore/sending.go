package restore

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// sending is how far sending an email is, in the copy and now, and what becomes of it.
type sending struct {
	copy, now rows
	verdict   verdict
	writes    []table.Write
}

// verdict is what becomes of an email.
type verdict int

const (
	keep   verdict = iota // as it is now: sent, or still waiting
	undo                  // forgotten: what it was about is undone
	settle                // as in the copy: it was closed then, and is damaged now
	reopen                // as in the copy: waiting then, dropped as pointless since
	hold                  // waiting then and lost since: nobody knows whether it was sent
)

// rows are those of an email that say how far sending it is: all but its letters, reports and licenses.
type rows struct {
	mail  *table.Row
	state *table.Row
	lists []table.Row // ready, paused, failed, in doubt
	is    outbox.State
	about struct {
		Kind mail.Kind `json:"kind"`
	}
}

// sendingOf returns the ID of the email whose sending a row is about; "" for other rows.
func sendingOf(row table.Row) string {
	switch rowkey.Type(row.Type) {
	case rowkey.TypeMail:
		return row.SK
	case rowkey.TypeMailState:
		return strings.TrimSuffix(row.SK, rowkey.StateSuffix)
	case rowkey.TypePending, rowkey.TypeFailed:
		return rowkey.MailOf(row.Key)
	case rowkey.TypeIndex:
		if row.PK == rowkey.InDoubtPK {
			return row.SK
		}
	}
	return ""
}

// mailOf returns the ID of the email that a row belongs to which is not about its sending: a letter, a report, a
// license in it, or that a contact is reminded by it. "" for other rows.
func mailOf(row table.Row) (id string, err error) {
	switch rowkey.Type(row.Type) {
	case rowkey.TypeLetter:
		id = strings.TrimPrefix(row.PK, "LETTER#")
	case rowkey.TypeReport, rowkey.TypeDigestDue:
		id, _, _ = strings.Cut(row.SK, "#")
	case rowkey.TypeReminded:
		var in struct {
			In string `json:"in"`
		}
		if err = json.Unmarshal(row.Data, &in); err != nil {
			return "", fmt.Errorf("restore: %v: %w", row.Key, err)
		}
		id = in.In
	case rowkey.TypeIndex:
		if row.PK == rowkey.ReportedPK {
			_, id, _ = strings.Cut(row.SK, "#")
			id, _, _ = strings.Cut(id, "#")
		}
	}
	return id, nil
}

func (r *rows) add(row table.Row) (err error) {
	switch rowkey.Type(row.Type) {
	case rowkey.TypeMail:
		r.mail, err = &row, json.Unmarshal(row.Data, &r.about)
	case rowkey.TypeMailState:
		r.state, err = &row, json.Unmarshal(row.Data, &r.is)
	default:
		r.lists = append(r.lists, row)
	}
	if err != nil {
		return fmt.Errorf("restore: %v: %w", row.Key, err)
	}
	return nil
}

func (r *rows) all() (list []table.Row) {
	for _, one := range []*table.Row{r.mail, r.state} {
		if one != nil {
			list = append(list, *one)
		}
	}
	return append(list, r.lists...)
}

// open reports whether the email may still be sent.
func (r *rows) open() bool { return r.mail != nil && (r.state == nil || r.is.Status.Open()) }

// whole reports whether nothing of it is lost: an email is closed, or in a list from which it is sent.
func (r *rows) whole() bool {
	if r.mail == nil {
		return false
	}
	for _, row := range r.lists {
		if row.Type == string(rowkey.TypePending) {
			return true
		}
	}
	return !r.open()
}

// again are the kinds of emails that the calendar and SES's reports cause, and not a change of somebody: they stay if
// what they are about is on record.
var again = map[mail.Kind]bool{
	mail.LicenseExpiring: true, mail.LicenseKey: true, mail.LicenseNextKey: true, mail.LicenseUnreached: true,
	mail.RemindersStopped: true, mail.RequestUnconfirmed: true,
}

// judge decides what becomes of an email.
func (p *Plan) judge(id string, s *sending) {
	was, is := &s.copy, &s.now
	switch {
	case was.mail == nil && is.whole() && again[is.about.Kind] && p.onRecord(notice.AboutID(id)):
		s.verdict = keep
	case was.mail == nil:
		s.verdict = undo
	case is.whole() && was.open() && is.is.Status == outbox.Pointless && is.is.Attempts == was.is.Attempts &&
		digest(*is.mail) == digest(*was.mail): // an email to somebody who was erased since is another one
		s.verdict = reopen
	case is.whole():
		s.verdict = keep
	case was.open():
		s.verdict = hold
	default:
		s.verdict = settle
	}
	p.carryOut(id, s)
}

// onRecord reports whether the copy has what an email is about, or whether that is no record.
func (p *Plan) onRecord(about string) bool {
	if about == string(mail.RequestUnconfirmed) {
		return true
	}
	for _, key := range []table.Key{rowkey.License(about), rowkey.Customer(about)} {
		if _, ok := p.copied[key]; ok {
			return true
		}
	}
	return false
}

// carryOut works out what is written for a verdict, and reports it.
func (p *Plan) carryOut(id string, s *sending) {
	was, is := s.copy, s.now
	switch s.verdict {
	case keep:
		switch {
		case is.open():
			p.Waiting = append(p.Waiting, id)
		case was.open() && is.is.Status == outbox.Sent:
			p.Sent++
		}
	case undo:
		p.Undone = append(p.Undone, id)
		s.become(nil)
	case settle:
		s.become(was.all())
	case reopen:
		p.Reopened = append(p.Reopened, id)
		s.become(was.all())
	case hold:
		p.Held = append(p.Held, id)
		s.become(held(id, was, p.options.Now().UTC().Truncate(time.Millisecond)))
	}
}

// HeldCause is what the list of failed emails says about one that is held.
const HeldCause = "the table was restored, and nobody knows whether this was sent before"

// held are the rows of an email that people decide about. It may have been sent, so that its next letter says so.
func held(id string, was rows, now time.Time) []table.Row {
	st := was.is
	st.Status, st.Closed, st.Cause, st.Call = outbox.Failed, now, HeldCause, nil
	st.NotBefore, st.Gathering, st.Held = time.Time{}, false, false
	st.Doubts++
	listed := outbox.FailedMail{At: now, Kind: was.about.Kind, About: notice.AboutID(id), Cause: HeldCause}
	state := entity.Encode(rowkey.MailState(id), rowkey.TypeMailState, st)
	list := entity.Encode(rowkey.Failed(now, id), rowkey.TypeFailed, listed)
	state.Version, list.Version = 1, 1
	if was.state != nil {
		state.Version = was.state.Version + 1
	}
	return []table.Row{*was.mail, state, list}
}

// become plans the writes that make the rows of now those of a list.
func (s *sending) become(list []table.Row) {
	is := map[table.Key]table.Row{}
	for _, row := range s.now.all() {
		is[row.Key] = row
	}
	for _, row := range list {
		old, ok := is[row.Key]
		delete(is, row.Key)
		if !ok || digest(old) != digest(row) {
			s.writes = append(s.writes, table.Write{Row: row, Expect: old.Version})
		}
	}
	for _, row := range is {
		s.writes = append(s.writes, table.Delete(row.Key, row.Version))
	}
}

// typeOf returns the type of a row of now.
func (s *sending) typeOf(key table.Key) string {
	for _, row := range s.now.all() {
		if row.Key == key {
			return row.Type
		}
	}
	return ""
}
