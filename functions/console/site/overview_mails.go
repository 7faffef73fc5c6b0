package site

import (
	"fmt"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

// outboxView is the state of the outbox.
type outboxView struct {
	Waiting []waitingCount
	Sent    string // in the last 24 hours, and how many the provider allows
	Outage  *outageView
}

// waitingCount is how many emails of a group wait.
type waitingCount struct{ Name, Count string }

// outageView is a time in which the provider accepts nothing.
type outageView struct {
	Since, Next time.Time
	Failure     string // how emails fail
}

// failedRow is an email that could not be sent.
type failedRow struct {
	outbox.FailedMail
	Name, To string // what it was for, and the address that finds what it is about; "" if it is about nothing
}

// addMails adds how many emails wait and were sent, what keeps them, and those that failed.
func (s *site) addMails(v *overviewView, o overviewRecords) {
	v.Pending = upTo(o.queued.Total(), manyMails)
	v.Outbox = newOutboxView(o.queued, o.provider, s.now())
	v.Reminders = upTo(o.reminders, manyMails)
	v.FailedCount = upTo(len(o.failed), maxFailed)
	for _, m := range o.failed[:min(len(o.failed), maxFailed)] {
		row := failedRow{FailedMail: m, Name: mailName(m.Kind)}
		switch {
		case m.Kind.AboutCustomer():
			row.To = customersPath + "/" + m.About
		case m.Kind != mail.RequestUnconfirmed && !m.Kind.AboutSignIn():
			row.To = searchFor(m.About)
		}
		v.Failed = append(v.Failed, row)
	}
}

func newOutboxView(queued outbox.Queued, p outbox.Provider, now time.Time) (v outboxView) {
	for _, rank := range notice.Ranks {
		v.Waiting = append(v.Waiting, waitingCount{rankTitle(rank), upTo(queued.Ready[rank], manyMails)})
	}
	v.Waiting = append(v.Waiting, waitingCount{"Paused until a later attempt", upTo(queued.Paused, manyMails)})
	if queued.Held > 0 {
		v.Waiting = append(v.Waiting, waitingCount{"Scheduled, can be undone", upTo(queued.Held, manyMails)})
	}
	v.Sent = fmt.Sprint(p.SentLastDay(now))
	if p.PerDay > 0 {
		v.Sent += fmt.Sprintf(" of %d allowed", p.PerDay)
	}
	if p.Outage.On() {
		v.Outage = &outageView{Since: p.Outage.Since, Next: p.Outage.NextProbe, Failure: p.Outage.Class}
	}
	return v
}

// rankTitle heads the number of waiting emails of a rank.
func rankTitle(rank int) string {
	switch rank {
	case notice.RankUrgent:
		return "Urgent: keys, questions, answers"
	case notice.RankReminder:
		return "Reminders"
	}
	return "Confirmations, and emails to sales"
}
