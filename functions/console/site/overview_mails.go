package site

import (
	"fmt"
	"net/http"
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
func (s *site) addMails(r *http.Request, v *overviewView) error {
	ctx, today := r.Context(), s.today()
	queued, err := s.store.QueuedMails(ctx, manyMails+1)
	if err != nil {
		return err
	}
	v.Pending = upTo(queued.Total(), manyMails)
	provider, err := s.store.MailProvider(ctx)
	if err != nil {
		return err
	}
	v.Outbox = newOutboxView(queued, provider, s.now())
	reminders, err := s.store.RemindersToCome(ctx, today, today.AddDays(daysAhead), manyMails+1)
	if err != nil {
		return err
	}
	v.Reminders = upTo(reminders, manyMails)
	failed, err := s.store.FailedMails(ctx, maxFailed+1)
	v.FailedCount = upTo(len(failed), maxFailed)
	for _, m := range failed[:min(len(failed), maxFailed)] {
		row := failedRow{FailedMail: m, Name: mailName(m.Kind)}
		if m.Kind != mail.RequestUnconfirmed {
			row.To = searchFor(m.About)
		}
		v.Failed = append(v.Failed, row)
	}
	return err
}

func newOutboxView(queued outbox.Queued, p outbox.Provider, now time.Time) (v outboxView) {
	for _, rank := range notice.Ranks {
		v.Waiting = append(v.Waiting, waitingCount{rankTitle(rank), upTo(queued.Ready[rank], manyMails)})
	}
	v.Waiting = append(v.Waiting, waitingCount{"Paused until a later attempt", upTo(queued.Paused, manyMails)})
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
