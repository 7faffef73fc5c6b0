package site

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
)

// reminderView is what the page of a license says of its reminders.
type reminderView struct {
	Next         string // when the next one is due and to whom it will be sent, or why there is none
	Last         string // the last one that was dealt with; "" for none
	Paused       *pausedView
	Unsubscribed []unsubscribedView
	All          string // the address of its forecast
	NextKey      nextKeyView
}

// pausedView says by whom the reminders are paused, and why.
type pausedView struct {
	license.Mute
	By string // the colleague's name
}

// unsubscribedView is an address that unsubscribed from the reminders.
type unsubscribedView struct {
	store.Unsubscription
}

// ID identifies the address on the page.
func (u unsubscribedView) ID() string { return mail.RecipientID(u.Email) }

// nextKeyView is the next key under a contract that goes on after the license; the zero one if none is due.
type nextKeyView struct {
	Contract string // its reference
	Last     license.Date
	To       string // the address of the generator
}

// readReminders reads what the page says of the reminders of a license.
func (s *site) readReminders(ctx context.Context, r store.LicenseRecord, v *reminderView) (err error) {
	l, today := r.License, s.today()
	planner := s.store.NewPlanner()
	list := planner.Upcoming(r, today, s.store.Policy().Last(l))
	list = list[:min(1, len(list))]
	if err := planner.PlanAll(ctx, list); err != nil {
		return err
	}
	v.Last = lastReminder(s.store.Policy(), r)
	v.All = remindersPath + "?" + forecastOf{license: l.ID}.query().Encode()
	if len(list) == 0 {
		v.Next = s.noReminder(r)
		return nil
	}
	next := list[0]
	when := next.Day.Long() + ", " + next.Stage.Name()
	if next.Stage.Name() == reminder.DaysBefore(0).Name() {
		when = next.Day.Long() + ", the last day"
	}
	if next.Plan.To != nil {
		v.Next = when + ", to " + contactText(*next.Plan.To)
		return nil
	}
	v.Next = when + ": not sent, because " + next.Plan.Why
	return nil
}

func contactText(c license.Contact) string { return strings.TrimSpace(c.Name + " " + c.Email) }

// lastReminder returns which reminder was dealt with last; "" if none was.
func lastReminder(p reminder.Policy, r store.LicenseRecord) string {
	if r.Reminded.IsZero() {
		return ""
	}
	text := r.Reminded.Long()
	for _, stage := range p.Stages(r.License) {
		if stage.Day(r.License.Expiration) == r.Reminded {
			return stage.Name() + ", due " + text
		}
	}
	return "due " + text
}

// noReminder says that no reminder of a license is left to send, and why.
func (s *site) noReminder(r store.LicenseRecord) string {
	l, today, p := r.License, s.today(), s.store.Policy()
	switch silence := reminder.Silenced(l, today); {
	case silence == reminder.Muted && !l.Mute.Until.IsZero():
		return "None: reminders are paused through " + l.Mute.Until.Long() + ", when none is left to send"
	case silence != "":
		return "None: " + string(silence)
	case today.After(l.Expiration):
		return "None: the license has expired"
	case len(p.Stages(l)) == 0:
		return "None: the license term is too short for a reminder"
	}
	return "None; the last one was due " + r.Reminded.Long()
}

// addReminders adds what the page of a license says of its reminders beside when the next one comes.
func (v *licenseView) addReminders(s *site, names colleagues, unsubscribed []store.Unsubscription) {
	l, today := v.License, s.today()
	if l.Mute.On(today) {
		v.Reminders.Paused = &pausedView{l.Mute, names.name(l.Mute.By)}
	}
	slices.SortFunc(unsubscribed, func(a, b store.Unsubscription) int { return a.At.Compare(b.At) })
	for _, u := range unsubscribed {
		v.Reminders.Unsubscribed = append(v.Reminders.Unsubscribed, unsubscribedView{u})
	}
	v.Reminders.NextKey = s.nextKey(v.Customer, v.Contract, l)
	v.Pause = newPauseForm()
}

// nextKey returns the next key under the contract of a license, from the day of the license's first reminder on.
func (s *site) nextKey(c customer.Customer, k *customer.Contract, l license.License) (v nextKeyView) {
	stages := s.store.Policy().Stages(l)
	if k == nil || !k.Outlives(l) || !l.Revoked.IsZero() || l.Successor != "" || l.Retired || len(stages) == 0 ||
		stages[0].Day(l.Expiration).After(s.today()) {
		return v
	}
	return nextKeyView{
		Contract: string(k.Reference), Last: k.Last,
		To: customerPath(c.Reference) + "/issue?" + url.Values{"contract": {string(k.Reference)}}.Encode(),
	}
}
