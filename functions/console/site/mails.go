package site

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// mailRow is an email about a request or a license, in a list.
type mailRow struct {
	outbox.Mail
	Name      string // what it is for
	Recipient string // its address
	Badge     badge
	Text      string    // what became of it
	Left      string    // why a reminder does not name the license of the page; "" if it does
	Details   []string  // in the words of the provider and the receiving servers
	When      time.Time // when it was sent or given up, or queued if it is open
	// The forms and pages for it, for whom the role allows them; "" and none for others.
	TryAgain, SendAgain string
	Letters             []letterLink
}

// letterLink leads to an email as an attempt sent it.
type letterLink struct{ Label, To string }

// maxMails is the number of emails that a page shows.
const maxMails = 50

// mailsAbout returns the emails about the request or the license at a path.
func (s *site) mailsAbout(ctx context.Context, r *http.Request, id, path string) (rows []mailRow, err error) {
	list, err := s.store.MailsAbout(ctx, id, maxMails)
	for i, m := range list {
		if m.State.Status == outbox.Expanded {
			continue // the list has the emails that it became
		}
		row := s.mailRow(m, list[i+1:])
		row.sayDue(m, id)
		if canEdit(r) {
			row.addForms(path+"/mails/"+m.ID, originOf(r).suffix())
		}
		rows = append(rows, row)
	}
	return rows, err
}

// mailRow describes an email. later are those about the same that were queued after it.
func (s *site) mailRow(m outbox.Mail, later []outbox.Mail) mailRow {
	row := mailRow{Mail: m, Name: mailName(m.Kind), Recipient: m.Recipient(), When: m.Created}
	if m.Kind.ToSales() {
		row.Recipient = s.mail.Sales.Email
	}
	if m.Repeats != "" {
		row.Name += " (repeated)"
	}
	if !m.State.Closed.IsZero() {
		row.When = m.State.Closed
	}
	row.Badge, row.Text = mailStatus(m, later, s.now())
	for _, said := range append([]string{m.State.Cause}, detailsOf(m)...) {
		if said != "" && m.State.Status != outbox.Pointless && !slices.Contains(row.Details, said) {
			row.Details = append(row.Details, said)
		}
	}
	return row
}

// sayDue says of a reminder which one of a license it is, and with how many others, or why the letter left it out.
func (row *mailRow) sayDue(m outbox.Mail, licenseID string) {
	i := slices.IndexFunc(m.Due, func(d notice.Due) bool { return d.License == licenseID })
	if i < 0 || m.Kind != mail.LicenseExpiring {
		return
	}
	row.Name += ", " + m.Due[i].Stage.Name()
	switch n := len(m.Named()) - 1; {
	case m.State.Omitted[licenseID] != "":
		row.Left = "The email left this license out: " + m.State.Omitted[licenseID] + "."
	case n > 0:
		row.Name += ", with " + quantity(n, "other license", "other licenses")
	}
}

func detailsOf(m outbox.Mail) (list []string) {
	for _, r := range m.Reports {
		list = append(list, r.Detail)
	}
	return list
}

// addForms adds what people with the role sales may do with the email at a path. from is origin.suffix.
func (m *mailRow) addForms(path, from string) {
	switch m.State.Status {
	case outbox.Failed:
		m.TryAgain = path + "/try-again" + from
	case outbox.Sent:
		m.SendAgain = path + "/send-again" + from
	}
	for n := range m.State.Attempts {
		link := letterLink{"View", path + "/" + strconv.Itoa(n+1)}
		if m.State.Attempts > 1 {
			link.Label = "View attempt " + strconv.Itoa(n+1)
		}
		m.Letters = append(m.Letters, link)
	}
}

// Twice reports whether the email may have been sent more than once.
func (m mailRow) Twice() bool { return m.MaybeTwice() && m.State.Attempts > 1 }

// Attempts says how often the email was tried; "" for at most once.
func (m mailRow) Attempts() string {
	if m.State.Attempts < 2 {
		return ""
	}
	return fmt.Sprintf("%d attempts", m.State.Attempts)
}

// mailStatus says what became of an email, as far as we know. later are those about the same that were queued after it.
func mailStatus(m outbox.Mail, later []outbox.Mail, now time.Time) (badge, string) {
	if r, ok := worst(m); ok {
		return outcomeBadge(r.Outcome), outcomeText(m, r) + whatNext(m, later)
	}
	switch m.State.Status {
	case outbox.Sending:
		return badge{"Sending", ""}, "We are handing it to the email provider."
	case outbox.InDoubt:
		return badge{"Maybe sent", "warn"}, "The email provider may have accepted it. We will wait for its answer " +
			"until " + web.Instant(m.State.NotBefore) + ". Without one, we will try again, three times at most."
	case outbox.Sent:
		return sentStatus(m)
	case outbox.Failed:
		return badge{"Failed", "bad"}, "We gave up on sending it."
	case outbox.Pointless:
		return badge{"Not sent", ""}, "No longer needed: " + m.State.Cause + "."
	}
	return waitingStatus(m, now)
}

// waitingStatus says why an email is not sent yet.
func waitingStatus(m outbox.Mail, now time.Time) (badge, string) {
	until := web.Instant(m.State.NotBefore)
	switch {
	case m.State.Gathering:
		return badge{"Queued", ""}, "The daily run may still add licenses to it."
	case !m.State.NotBefore.After(now):
		return badge{"Queued", ""}, fmt.Sprintf("It has waited %s in the queue for %s.",
			waited(now.Sub(m.Created)), rankName(m.Rank()))
	case m.State.Held:
		return badge{"Scheduled", ""}, "We will send it after " + web.Instant(m.State.NotBefore) +
			", unless someone undoes the decision before."
	case m.Repeats != "":
		return badge{"Scheduled", ""}, "The previous email did not arrive. We will send this one on " + until + "."
	}
	return badge{"Paused", "warn"}, "The last attempt failed. We will try again on " + until + "."
}

func waited(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	return span(d)
}

// rankName names the emails of a rank.
func rankName(rank int) string {
	switch rank {
	case notice.RankUrgent:
		return "urgent emails"
	case notice.RankReminder:
		return "reminders"
	}
	return "confirmations and emails to sales"
}

// sentStatus says how far an email is that the provider accepted. That the receiving server took it says nothing about
// its reader.
func sentStatus(m outbox.Mail) (badge, string) {
	switch outbox.FateOf(m.Reports) {
	case outbox.FateDelayed:
		return outcomeBadge(outbox.Delayed),
			"The receiving server has not accepted it yet. The email provider keeps trying."
	case outbox.FateArrived:
		return badge{"Delivered", "good"}, arrivedText(m)
	}
	return badge{"Sent", "good"}, "The email provider accepted it. The receiving server has not confirmed it yet."
}

func arrivedText(m outbox.Mail) string {
	text := "The receiving server accepted it"
	if delivered, _ := reported(m, outbox.Delivered); !delivered.At.IsZero() {
		text += " on " + web.Instant(delivered.At)
	}
	if _, answered := reported(m, outbox.Returned); answered {
		return text + ", and an automatic reply came back, such as an out-of-office reply."
	}
	return text + "."
}

// reported returns a report with the outcome.
func reported(m outbox.Mail, o outbox.Outcome) (outbox.Report, bool) {
	i := slices.IndexFunc(m.Reports, func(r outbox.Report) bool { return r.Outcome == o })
	if i < 0 {
		return outbox.Report{}, false
	}
	return m.Reports[i], true
}

// worst returns the report that an email did not arrive or was not wanted, if any.
func worst(m outbox.Mail) (outbox.Report, bool) {
	if r, ok := reported(m, outbox.Complained); ok && !r.OnProvidersList() {
		return r, true
	}
	if !outbox.FateOf(m.Reports).DidNotArrive() {
		return outbox.Report{}, false
	}
	i := slices.IndexFunc(m.Reports, func(r outbox.Report) bool { return r.Outcome == outbox.Bounced })
	if i < 0 {
		i = slices.IndexFunc(m.Reports, func(r outbox.Report) bool { return r.SaysFailed(m.Reports) })
	}
	return m.Reports[i], true
}

// outcomeBadge says what happened to an email after it was sent.
func outcomeBadge(o outbox.Outcome) badge {
	switch o {
	case outbox.Bounced:
		return badge{"Bounced", "bad"}
	case outbox.Complained:
		return badge{"Marked as spam", "bad"}
	case outbox.Refused:
		return badge{"Rejected by the email provider", "bad"}
	case outbox.Delayed:
		return badge{"Delayed", "warn"}
	}
	return badge{"Did not arrive", "bad"}
}

// outcomeText explains the outcome of an email that did not arrive or was not wanted.
func outcomeText(m outbox.Mail, r outbox.Report) string {
	switch {
	case r.OnProvidersList():
		return "The email provider did not send it: the address is on its own list of addresses that accept no email."
	case r.Outcome == outbox.Refused:
		return "The email provider accepted it but did not send it."
	case r.Outcome == outbox.Returned:
		return "The receiving server sent it back. The address may still work."
	case m.Kind.ToSales() && r.Outcome == outbox.Bounced:
		return "The address does not exist or accepts no email."
	case r.Outcome == outbox.Bounced:
		return "The address does not exist or accepts no email, so we no longer write to it."
	case m.Kind.CausedByAnybody():
		return "The recipient marked it as spam, so we no longer send confirmations to this address."
	}
	return "The recipient marked it as spam, so we no longer write to this address."
}

// whatNext says what followed from an email that did not arrive.
func whatNext(m outbox.Mail, later []outbox.Mail) string {
	for _, next := range later {
		switch {
		case next.Repeats == m.ID:
			return " " + repeatText(next)
		case next.Kind == m.Kind && !m.Kind.ToContacts() && next.ID == m.ToContact(next.To).ID:
			return " We wrote to the next contact instead: " + next.To.Email + "."
		case readdressed(m, next):
			return " We wrote to the next contact instead: " + next.To.Email + "."
		case next.Kind == mail.LicenseUnreached && (m.Kind.AboutLicense() || m.Kind == mail.LicenseExpiring):
			return " No other contact can be reached, so we told sales."
		}
	}
	return ""
}

// readdressed reports whether a reminder is about a license of another one, to somebody else.
func readdressed(m, next outbox.Mail) bool {
	return m.Kind == mail.LicenseExpiring && next.Kind == m.Kind && !input.SameMailbox(m.To.Email, next.To.Email) &&
		slices.ContainsFunc(m.Due, func(d notice.Due) bool { return slices.Contains(next.Due, d) })
}

func repeatText(next outbox.Mail) string {
	switch {
	case next.State.Status == outbox.Sent:
		return "We sent it again on " + web.Instant(next.State.Closed) + "."
	case next.State.Status == outbox.Pointless:
		return "We did not send it again: " + next.State.Cause + "."
	case next.State.Status == outbox.Failed:
		return "We could not send it again."
	}
	return "We will send it again on " + web.Instant(next.State.NotBefore) + "."
}

func mailName(k mail.Kind) string {
	if st, ok := map[mail.Kind]string{
		mail.RequestReceived: "Request confirmation", mail.RequestNew: "New request (to sales)",
		mail.RequestConfirmed:   "Request confirmed",
		mail.RequestQuestion:    "Question",
		mail.RequestUnconfirmed: "Unconfirmed requests (to sales)",
		mail.RequestsToConfirm:  "Requests to confirm",
		mail.RequestAsk:         "Question to a contact",
		mail.ErasureAsked:       "Erasure asked for (to sales)",
		mail.RequestUpdated:     "The customer answered, corrected or cancelled (to sales)",
		mail.RequestAnswered:    "Answer of a contact (to sales)",
		mail.RequestsOfDomain:   "Many requests of a domain (to sales)",
		mail.RequestLate:        "Late request (to its reviewer)",
		mail.RequestLateSales:   "Late request (to sales)",
		mail.RequestRejected:    "Rejection", mail.RequestWithdrawn: "Withdrawal", mail.LicenseKey: "License key",
		mail.LicenseExpiring:  "Reminder",
		mail.RemindersStopped: "Unsubscribed from reminders (to sales)",
		mail.LicenseUnreached: "Unreachable customer (to sales)",
		mail.LicenseNextKey:   "Next key due (to sales)",
		mail.LicenseMoved:     "New server ID (to contacts)",
		mail.LicenseRevoked:   "Revocation (to contacts)",
		mail.ContactAdded:     "Contact added (to contacts)",
		mail.ContactRemoved:   "Contact removed (to contacts)",
		mail.ContactUndo:      "Contact restored",
		mail.SignInLink:       "Sign-in link",
	}[k]; ok {
		return st
	}
	return string(k)
}
