package site

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

// badge is a word or two of status with a tone: "good", "warn", "bad" or "".
type badge struct{ Text, Tone string }

// requestRow is a request in a list.
type requestRow struct {
	request.Summary
	State    badge
	Due      badge  // how long until an open request is due
	DueBy    string // when that is, in the time zone of the office; "" if nobody waits for us
	Reviewer string // the reviewer's name
	From     string // passes on the queue that lists it, as origin.suffix
}

func (s *site) requestRows(r *http.Request, list []request.Summary) (rows []requestRow) {
	now, names := s.now(), colleaguesOf(r)
	for _, sum := range list {
		row := requestRow{Summary: sum, State: stateBadge(sum.State), Due: dueBadge(sum, now),
			Reviewer: names.name(sum.Reviewer)}
		if sum.AwaitsReply() {
			row.DueBy = s.mail.Hours.Short(sum.Due)
		}
		rows = append(rows, row)
	}
	return rows
}

func stateBadge(s request.State) badge {
	switch s {
	case request.Received:
		return badge{"Received", ""}
	case request.InReview:
		return badge{"In review", ""}
	case request.Waiting:
		return badge{"Waiting for customer", "warn"}
	case request.Issued:
		return badge{"Issued", "good"}
	case request.Answered:
		return badge{"Answered", "good"}
	case request.Rejected:
		return badge{"Rejected", "bad"}
	case request.Withdrawn:
		return badge{"Withdrawn", ""}
	}
	return badge{string(s), ""}
}

// dueBadge says when an open request is due; empty where the customer must act, or nobody.
func dueBadge(r request.Summary, now time.Time) badge {
	switch {
	case r.Suspicious:
		return badge{"Suspicious form", "warn"}
	case r.Unconfirmed:
		return badge{"Not confirmed yet", "warn"}
	case r.Late(now):
		return badge{"Late by " + span(now.Sub(r.Due)), "bad"}
	case r.State.Open() && r.State != request.Waiting && r.Due.Sub(now) < 4*time.Hour:
		return badge{"Due in " + span(r.Due.Sub(now)), "warn"}
	case r.State.Open() && r.State != request.Waiting:
		return badge{"Due in " + span(r.Due.Sub(now)), ""}
	}
	return badge{}
}

// span writes a duration in one unit: 5 min, 7 h, 3 days.
func span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// shortKind returns a kind of request in one word.
func shortKind(k request.Kind) string {
	switch k {
	case request.Evaluation:
		return "Evaluation"
	case request.New:
		return "New"
	case request.Renewal:
		return "Renewal"
	case request.Upgrade:
		return "Upgrade"
	case request.Replacement:
		return "Replacement"
	case request.Staging:
		return "Staging"
	case request.Bridge:
		return "Bridge key"
	}
	return string(k)
}

// KindAndEdition summarizes the request: Renewal, Developer.
func (r requestRow) KindAndEdition() string {
	return shortKind(r.Kind) + ", " + shortEdition(r.Edition)
}

// shortEdition returns an edition's name without the word "Edition": Data Center.
func shortEdition(e license.Edition) string { return strings.TrimSuffix(e.Name(), " Edition") }

// licenseRow is a license in a list.
type licenseRow struct {
	store.Summary
	Status badge
}

// TypeAndEdition summarizes the license: Production, Developer.
func (l licenseRow) TypeAndEdition() string { return l.Type.Name() + ", " + shortEdition(l.Edition) }

func (s *site) licenseRows(list []store.Summary) (rows []licenseRow) {
	for _, l := range list {
		rows = append(rows, licenseRow{l, s.licenseBadge(l)})
	}
	return rows
}

// instanceRow is an instance in a list, with its customer and the license in force.
type instanceRow struct {
	customer.Instance
	Customer store.CustomerSummary
	License  *customer.License // nil: none
	Status   badge             // of the license, or of an instance that was retired
}

func (s *site) instanceRows(list []search.FoundInstance) (rows []instanceRow) {
	for _, i := range list {
		rows = append(rows, s.instanceRow(i.Instance, i.Of))
	}
	return rows
}

func (s *site) instanceRow(i customer.Instance, of store.CustomerSummary) instanceRow {
	row := instanceRow{Instance: i, Customer: of}
	if l, ok := i.Current(s.today()); ok {
		row.License, row.Status = &l, s.badgeOf(l)
	}
	if !i.InUse() {
		row.Status = badge{"Retired", ""}
	}
	return row
}

// badgeOf returns the status of a license of an instance.
func (s *site) badgeOf(l customer.License) badge {
	return s.licenseBadge(store.Summary{
		Type: l.Type, NotBefore: l.NotBefore, Expiration: l.Expiration, Successor: l.Successor, Revoked: l.Revoked,
		ReplacedBy: l.ReplacedBy,
	})
}

// Terms summarizes the license in force: Developer, up to 100,000 lines.
func (i instanceRow) Terms() string {
	if i.License == nil {
		return ""
	}
	return i.License.Type.Name() + ", " + shortEdition(i.License.Edition)
}

// licenseBadge returns the status of a license today, on every page. It warns from the day of the first reminder on.
func (s *site) licenseBadge(l store.Summary) badge {
	today := s.today()
	expired := today.After(l.Expiration)
	switch {
	case l.ReplacedBy != "":
		return badge{"Replaced", ""}
	case !l.Revoked.IsZero():
		return badge{"Revoked", "bad"}
	case expired && l.Successor != "":
		return badge{"Expired, renewed", ""}
	case expired:
		return badge{"Expired", "bad"}
	case l.NotBefore.After(today):
		return badge{"Not yet valid", "warn"}
	case l.Bridges != "":
		return badge{"Bridge key", "warn"}
	case l.Successor != "":
		return badge{"Active, renewed", "good"}
	case s.warns(l.Type, l.NotBefore, l.Expiration):
		return badge{"Expires " + reminder.When(l.Expiration, today), "warn"}
	}
	return badge{"Active", "good"}
}

// warns reports whether a license of a type and term expires soon, as every page and email says it.
func (s *site) warns(t license.Type, notBefore, expiration license.Date) bool {
	l := license.License{Type: t, NotBefore: notBefore, Expiration: expiration}
	return s.store.Policy().Warns(l, s.today())
}
