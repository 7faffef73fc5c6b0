package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/reminders/daily"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// recorder is a mail.Sender that remembers what it sent.
type recorder struct {
	mu   sync.Mutex
	sent []string // recipients and subjects
}

func (r *recorder) Send(_ context.Context, m mail.Message) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, m.To.Email+": "+m.Subject)
	return "p" + m.ID, nil
}

func (*recorder) Quota(context.Context) (mail.Quota, error) { return mail.Quota{}, nil }

// staleEnv has a license that is due for the reminder of two months, the daily run, and a mailer that has not run yet.
type staleEnv struct {
	t         *testing.T
	now       time.Time
	store     *delivery.Store
	reminders *daily.Job
	mailer    *dispatch.Dispatcher
	recorder
}

func newStaleEnv(t *testing.T) *staleEnv {
	w := &staleEnv{t: t, now: time.Date(2018, 3, 1, 6, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	log := slog.New(slog.DiscardHandler)
	w.store = delivery.New(store.New(&tabletest.Memory{}, store.Options{Now: clock}))
	w.reminders = daily.New(daily.Options{Store: w.store, Deletion: deletion.New(w.store.Store), Now: clock, Log: log})
	letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@vendor.example"}}
	w.mailer = dispatch.New(dispatch.Options{
		Outbox: w.store.Outbox(), Records: w.store, Expander: expansion.New(w.store), Sender: &w.recorder, Now: clock,
		Log: log, Write: letters.With(nil),
	})
	w.add("l1", "2018-04-30")
	return w
}

func (w *staleEnv) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *staleEnv) add(id, expiration string) {
	w.t.Helper()
	day, err := license.ParseDate(expiration)
	w.must(err)
	storetest.Record(w.t, w.store.Store, license.License{
		ID: id, Type: license.Production, Organization: "Acme AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1000, Expiration: day,
	}, license.Contact{Email: "ada@acme.example"}, license.Contact{Email: "bob@acme.example"})
}

func (w *staleEnv) change() store.LicenseChange {
	w.t.Helper()
	r, err := w.store.License(w.t.Context(), "l1")
	w.must(err)
	return store.LicenseChange{ID: "l1", Version: r.Version, By: "sam"}
}

// mute stops the license's reminders through a day; zero: for good.
func (w *staleEnv) mute(until license.Date) {
	w.t.Helper()
	w.must(w.store.MuteReminders(w.t.Context(), w.change(), "they move to another product", until))
}

// unsubscribe is the reader of the reminder who asks for no more of them.
func (w *staleEnv) unsubscribe() {
	w.t.Helper()
	mails, err := w.store.MailsAbout(w.t.Context(), "l1", 10)
	w.must(err)
	w.must(w.store.Unsubscribe(w.t.Context(), mails[0]))
}

// states lists the license's mails with their states.
func (w *staleEnv) states() (list []string) {
	w.t.Helper()
	mails, err := w.store.MailsAbout(w.t.Context(), "l1", 10)
	w.must(err)
	for _, m := range mails {
		stage := "–"
		if len(m.Due) > 0 {
			stage = m.Due[0].Stage.String()
		}
		list = append(list, fmt.Sprintf("%s: %s %s", stage, m.State.Status, m.State.Cause))
	}
	return list
}

// TestReminderThatWaitsIsSentOnlyIfItIsStillTrue changes the license between queueing its reminder and sending it.
func TestReminderThatWaitsIsSentOnlyIfItIsStillTrue(t *testing.T) {
	const told = "Your SonarQube Developer Edition license was revoked"
	over := func(why string) []string { return []string{"2m: pointless " + why} }
	subject := func(days int) string {
		const sent = "ada@acme.example: SonarQube license expires in %d days, on 30 Apr 2018 " +
			"(Acme AG, production, Developer Edition)"
		return fmt.Sprintf(sent, days)
	}
	for name, tt := range map[string]struct {
		happens func(w *staleEnv)
		sent    []string
		states  []string
	}{
		"nothing": {func(*staleEnv) {}, []string{subject(60)}, []string{"2m: sent "}},
		"five days pass": {func(w *staleEnv) { w.now = w.now.AddDate(0, 0, 5) }, []string{subject(55)},
			[]string{"2m: sent "}},
		"muted": {func(w *staleEnv) { w.mute(license.Date{}) }, nil, over("the reminders are paused")},
		"muted through that day": {func(w *staleEnv) { w.mute(license.DateOf(w.now)) }, nil,
			over("the reminders are paused")},
		"muted until the day before": {func(w *staleEnv) { w.mute(license.DateOf(w.now).AddDays(-1)) },
			[]string{subject(60)}, []string{"2m: sent "}},
		"muted and resumed": {func(w *staleEnv) {
			w.mute(license.Date{})
			w.must(w.store.UnmuteReminders(w.t.Context(), w.change()))
		}, []string{subject(60)}, []string{"2m: sent "}},
		"unsubscribed": {func(w *staleEnv) { w.unsubscribe() },
			[]string{"sales@vendor.example: ada@acme.example unsubscribed from reminders for 1 license (Acme AG)"},
			over("the recipient unsubscribed from the reminders")},
		"revoked": {func(w *staleEnv) { w.must(w.store.RevokeLicense(w.t.Context(), w.change(), "unpaid")) },
			[]string{"ada@acme.example: " + told, "bob@acme.example: " + told},
			append([]string{"–: expanded ", "–: sent ", "–: sent "}, over("the license was revoked")...)},
		"renewed": {func(w *staleEnv) { w.add("l2", "2019-04-30") }, nil, over("the license has been renewed")},
		"expired": {func(w *staleEnv) { w.now = w.now.AddDate(0, 2, 0) }, nil, over("the license has expired")},
		"a month passes with its daily run": {func(w *staleEnv) {
			w.now = w.now.AddDate(0, 0, 30)
			w.must(w.reminders.Run(w.t.Context()))
		}, []string{subject(30)}, []string{"2m: pointless a later reminder is due", "1m: sent "}},
		"a month passes without one": {func(w *staleEnv) { w.now = w.now.AddDate(0, 0, 30) }, nil,
			over("a later reminder is due")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newStaleEnv(t)
			w.must(w.reminders.Run(t.Context()))
			tt.happens(w)
			w.must(w.mailer.Run(t.Context()))
			if slices.Sort(w.sent); !slices.Equal(w.sent, tt.sent) {
				t.Errorf("got sent %q, want %q", w.sent, tt.sent)
			}
			if got := w.states(); !slices.Equal(got, tt.states) {
				t.Errorf("got mails %q, want %q", got, tt.states)
			}
		})
	}
}

// TestDailyRunQueuesNothingPointless runs every day of two years with licenses in every condition: whatever is queued
// has a point on that day.
func TestDailyRunQueuesNothingPointless(t *testing.T) {
	w := newStaleEnv(t)
	w.add("l2", "2018-06-30") // replaces l1
	queued := 0
	for range 2 * 365 {
		w.must(w.reminders.Run(t.Context()))
		w.must(w.store.Outbox().EachReady(t.Context(), func(m outbox.Mail) error {
			queued++
			records, err := w.store.Records(t.Context(), m.Notice)
			if why := m.Pointless(records); err != nil || why != "" {
				t.Errorf("%s: queued %s: %s, %v", license.DateOf(w.now), m.ID, why, err)
			}
			return nil
		}))
		w.must(w.mailer.Run(t.Context()))
		w.now = w.now.AddDate(0, 0, 1)
	}
	if queued != 2 || len(w.sent) != 2 {
		t.Errorf("got %d reminders, %d sent, want the two of the license that is not replaced", queued, len(w.sent))
	}
}
