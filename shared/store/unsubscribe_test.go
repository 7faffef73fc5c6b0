package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table/tabletest"
)

// letter is a digest to ada that names so many licenses, l000 the first.
func letter(b *testEnv, licenses int) outbox.Mail {
	n := notice.LicensesExpiring("acme", license.DateOf(b.now), ada, 1)
	for i := range licenses {
		n.Due = append(n.Due, notice.Due{
			License: fmt.Sprintf("l%03d", i), Expiration: day("2018-05-01"), Stage: reminder.MonthsBefore(2),
		})
	}
	return outbox.Mail{Notice: n}
}

// stoppedMails are the mails that tell sales that somebody unsubscribed.
func stoppedMails(t *testing.T, b *testEnv) (list []outbox.Mail) {
	t.Helper()
	all, err := b.Outbox().About(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Kind == mail.RemindersStopped {
			list = append(list, m)
		}
	}
	return list
}

func unsubscribedFrom(t *testing.T, b *testEnv, m outbox.Mail) int {
	t.Helper()
	b.table.Fault = nil
	gone, err := b.UnsubscribedFrom(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return len(gone)
}

func TestReaderUnsubscribesFromTheLicensesOfALetter(t *testing.T) {
	b := newTestEnvOver(&tabletest.Memory{})
	m := letter(b, 3)
	m.State.Omitted = map[string]string{"l001": "the license was revoked"}
	for range 2 { // the second time it does nothing
		if err := b.Unsubscribe(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int{"l000": 1, "l001": 0, "l002": 1} {
		list, err := b.Unsubscribed(t.Context(), id)
		if err != nil || len(list) != want {
			t.Errorf("license %s: got %+v, %v, want %d", id, list, err, want)
		}
		events, _, err := b.LicenseTimeline(t.Context(), license.License{ID: id, Customer: "acme"})
		if err != nil || len(events) != want || want == 1 && (events[0].Action != store.Unsubscribed ||
			events[0].Note != ada.Email || events[0].By != store.Customer) {
			t.Errorf("license %s: got timeline %+v, %v, want %d line", id, events, err, want)
		}
	}
	list, err := b.Unsubscribed(t.Context(), "l000")
	if u := list[0]; err != nil || u.Email != ada.Email || u.Mail != m.ID || !u.At.Equal(b.now) {
		t.Errorf("got %+v, %v, want Ada, now, by the letter", u, err)
	}
	told := stoppedMails(t, b)
	if len(told) != 1 || len(told[0].Due) != 2 || told[0].Contacts[0] != ada {
		t.Errorf("got mails to sales %+v, want one of two licenses", told)
	}
	bo := m
	bo.To = license.Contact{Email: "bo@acme.example"}
	if n := unsubscribedFrom(t, b, bo); n != 0 {
		t.Errorf("another contact: got unsubscribed from %d licenses, want none", n)
	}
	ada := m
	ada.To.Email = "Ada@ACME.example"
	if n := unsubscribedFrom(t, b, ada); n != 2 {
		t.Errorf("another spelling: got unsubscribed from %d licenses, want 2", n)
	}
}

func TestReaderAndSalesResumeReminders(t *testing.T) {
	b := newTestEnvOver(&tabletest.Memory{})
	m := letter(b, 2)
	if err := b.Unsubscribe(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		of := license.License{ID: "l000"}
		if err := b.ResubscribeContact(t.Context(), of, "ADA@acme.example", "sam"); err != nil {
			t.Fatal(err)
		}
	}
	if n := unsubscribedFrom(t, b, m); n != 1 {
		t.Errorf("after sales resumed one: got unsubscribed from %d licenses, want 1", n)
	}
	for range 2 {
		if err := b.Resubscribe(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if n := unsubscribedFrom(t, b, m); n != 0 {
		t.Errorf("after the reader resumed: got unsubscribed from %d licenses, want none", n)
	}
	for id, by := range map[string]string{"l000": "sam", "l001": store.Customer} {
		events, _, err := b.LicenseTimeline(t.Context(), license.License{ID: id, Customer: "acme"})
		if err != nil || len(events) != 2 || events[1].Action != store.Resubscribed || events[1].By != by {
			t.Errorf("license %s: got timeline %+v, %v, want that %s resumed the reminders", id, events, err, by)
		}
	}
	err := b.Unsubscribe(t.Context(), m)
	if n, told := unsubscribedFrom(t, b, m), stoppedMails(t, b); err != nil || n != 2 || len(told) != 2 {
		t.Errorf("again: got unsubscribed from %d licenses, %d mails to sales, %v, want 2 and 2", n, len(told), err)
	}
}

// The largest letter names 200 licenses, more than one transaction holds.
func TestReaderUnsubscribesFrom200Licenses(t *testing.T) {
	for _, licenses := range []int{48, 49, 50, 96, 97, 98, 99, 100, 200} {
		b := newTestEnvOver(&tabletest.Memory{})
		m := letter(b, licenses)
		if err := b.Unsubscribe(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		n, told := unsubscribedFrom(t, b, m), stoppedMails(t, b)
		if n != licenses || len(told) != 1 || len(told[0].Due) != licenses {
			t.Errorf("got unsubscribed from %d licenses and mails to sales %+v, want %d in one", n, told, licenses)
		}
		if err := b.Resubscribe(t.Context(), m); err != nil || unsubscribedFrom(t, b, m) != 0 {
			t.Errorf("resumed: got unsubscribed from %d licenses, %v, want none", unsubscribedFrom(t, b, m), err)
		}
	}
}

// TestUnsubscribingThatFailsIsDoneAgain lets each transaction fail, or lose its answer, in turn.
func TestUnsubscribingThatFailsIsDoneAgain(t *testing.T) {
	for at := range 5 {
		for name, f := range map[string]tabletest.Fault{"down": tabletest.Down, "lost": tabletest.Lost} {
			b := newTestEnvOver(&tabletest.Memory{})
			m := letter(b, 200)
			n := 0
			b.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					if n++; n == at+1 {
						return f
					}
				}
				return tabletest.Fault{}
			}
			err := b.Unsubscribe(t.Context(), m)
			if err == nil {
				t.Fatalf("%s at %d: got no error", name, at)
			}
			if err := b.Unsubscribe(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if got := unsubscribedFrom(t, b, m); got != 200 || len(stoppedMails(t, b)) != 1 {
				t.Errorf("%s at %d: got unsubscribed from %d licenses, and %d mails to sales, want 200 and one", name,
					at, got, len(stoppedMails(t, b)))
			}
		}
	}
}

// Mail programs, and impatient people, send the same twice.
func TestUnsubscribingTwiceAtOnceTellsSalesOnce(t *testing.T) {
	b := newTestEnvOver(&tabletest.Memory{})
	m := letter(b, 120)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := b.Unsubscribe(t.Context(), m); err != nil && fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, told := unsubscribedFrom(t, b, m), stoppedMails(t, b); n != 120 || len(told) != 1 {
		t.Errorf("got unsubscribed from %d licenses, and %d mails to sales, want 120 and one", n, len(told))
	}
}

func TestUnsubscriptionExpiresAfterTheReminders(t *testing.T) {
	memory := &tabletest.Memory{}
	b := newTestEnvOver(memory)
	if err := b.Unsubscribe(t.Context(), letter(b, 1)); err != nil {
		t.Fatal(err)
	}
	row, err := memory.Get(t.Context(), rowkey.Unsubscribed("l000", ada.Email))
	if want := day("2018-07-02").Start(); err != nil || !row.Expires.Equal(want) {
		t.Errorf("got that it expires at %v, %v, want %v", row.Expires, err, want)
	}
}

func TestMuteSaysWhyAndUntilWhen(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	change := func() store.LicenseChange {
		l, err := b.License(t.Context(), "l1")
		if err != nil {
			t.Fatal(err)
		}
		return store.LicenseChange{ID: "l1", Version: l.Version, By: "sam"}
	}
	stale := change()
	if err := b.MuteReminders(t.Context(), change(), "they asked us to", day("2018-07-10")); err != nil {
		t.Fatal(err)
	}
	l, err := b.License(t.Context(), "l1")
	want := license.Mute{By: "sam", At: b.now, Reason: "they asked us to", Until: day("2018-07-10")}
	if err != nil || l.License.Mute != want || l.NextReminder != day("2018-07-11") {
		t.Errorf("got %+v, next reminder on %v, %v, want %+v and the day after", l.License.Mute, l.NextReminder, err,
			want)
	}
	if got := due(t, b, "2018-07-10"); got != nil {
		t.Errorf("on the last day without reminders: got due %v, want none", got)
	}
	if got := due(t, b, "2018-07-11"); len(got) != 1 {
		t.Errorf("the day after: got due %v, want the license", got)
	}
	if err := b.MuteReminders(t.Context(), stale, "again", license.Date{}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("with an old version: got %v, want a Conflict fault", err)
	}
	if err := b.MuteReminders(t.Context(), change(), "they moved away", license.Date{}); err != nil {
		t.Fatal(err)
	}
	if l, err = b.License(t.Context(), "l1"); err != nil || !l.NextReminder.IsZero() {
		t.Errorf("for good: got the next reminder on %v, %v, want none", l.NextReminder, err)
	}
	if err := b.UnmuteReminders(t.Context(), change()); err != nil {
		t.Fatal(err)
	}
	if l, err = b.License(t.Context(), "l1"); err != nil || l.NextReminder != day("2018-06-30") ||
		l.License.Mute != (license.Mute{}) {
		t.Errorf("resumed: got the next reminder on %v, %v, want 2018-06-30", l.NextReminder, err)
	}
	var told []string
	for _, e := range licenseEvents(t, b, "l1")[1:] {
		told = append(told, string(e.Action)+": "+e.Note)
	}
	if got := strings.Join(told, "; "); got != "reminders muted: until 2018-07-10: they asked us to; "+
		"reminders muted: they moved away; reminders resumed: " {
		t.Errorf("got timeline %s", got)
	}
}

// found returns what a daily run finds due about l1 on a day.
func found(t *testing.T, b *testEnv, on string) (d store.Due) {
	t.Helper()
	b.now = day(on).Start().Add(6 * time.Hour)
	err := b.DueReminders(t.Context(), day(on), func(one store.Due) error { d = one; return nil })
	if err != nil || d.License.ID == "" {
		t.Fatal("nothing is due", err)
	}
	return d
}

func TestReminderThatAContactGotBeforeIsOnlyNoted(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	d := found(t, b, "2018-06-30")
	do := reminding(b, reminder.MonthsBefore(2))
	of := notice.Due{License: "l1", Expiration: d.License.Expiration, Stage: do.Stage}
	passedOn := b.NewDigest("acme", license.DateOf(b.now), ada, b.now, 0)
	for range 2 { // as when another contact's bounced
		if err := b.AddDue(t.Context(), passedOn, of, testLine); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.RecordReminder(t.Context(), d, do); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do.Digest.Release(t.Context()), passedOn.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	l, err := b.License(t.Context(), "l1")
	if err != nil || l.Reminded != day("2018-06-30") || l.NextReminder != day("2018-07-31") {
		t.Errorf("got reminded of %v, next on %v, %v, want that the stage was dealt with", l.Reminded, l.NextReminder,
			err)
	}
	list, err := b.Outbox().About(t.Context(), "l1")
	if err != nil || len(list) != 1 || len(list[0].Due) != 1 || len(pending(t, b.Store)) != 1 {
		t.Errorf("got mails %+v, %v, want one, which is ready", list, err)
	}
	if events := licenseEvents(t, b, "l1"); len(events) != 2 || events[1].Note != testLine.Note {
		t.Errorf("got timeline %+v, want one line", events)
	}
}

// TestReminderIsRecordedThoughItsDigestChanges releases the digest, or adds another license, between the reading and
// the writing of RecordReminder, and mutes the license.
func TestReminderIsRecordedThoughItsDigestChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, b *testEnv, other *outbox.Digest)
		err       error
		licenses  []int // by digest
	}{
		"released": {func(t *testing.T, b *testEnv, other *outbox.Digest) {
			if err := other.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, nil, []int{1, 1}},
		"filled": {func(t *testing.T, b *testEnv, other *outbox.Digest) { addTo(t, b, other, "l8") }, nil, []int{3}},
		"muted": {func(t *testing.T, b *testEnv, _ *outbox.Digest) {
			l, err := b.License(t.Context(), "l1")
			if err == nil {
				change := store.LicenseChange{ID: "l1", Version: l.Version, By: "sam"}
				err = b.MuteReminders(t.Context(), change, "they asked us to", license.Date{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}, store.ErrDueChanged, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestEnv(t)
			add(t, b, expiring("l1", "2018-08-31"))
			d := found(t, b, "2018-06-30")
			other := reminding(b, reminder.MonthsBefore(2)).Digest
			addTo(t, b, other, "l9")
			do := reminding(b, reminder.MonthsBefore(2))
			b.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					b.table.Fault = nil
					tt.meanwhile(t, b, other)
				}
				return tabletest.Fault{}
			}
			if err := b.RecordReminder(t.Context(), d, do); !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err := do.Digest.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			all, err := b.Outbox().About(t.Context(), "acme")
			if err != nil {
				t.Fatal(err)
			}
			var licenses []int
			for _, m := range all {
				licenses = append(licenses, len(m.Due))
			}
			if fmt.Sprint(licenses) != fmt.Sprint(tt.licenses) || len(pending(t, b.Store)) != len(tt.licenses) {
				t.Errorf("got digests of %v licenses, %d ready, want %v, all ready", licenses, len(pending(t, b.Store)),
					tt.licenses)
			}
		})
	}
}

func addTo(t *testing.T, b *testEnv, d *outbox.Digest, id string) {
	t.Helper()
	due := notice.Due{License: id, Expiration: day("2018-08-31"), Stage: reminder.MonthsBefore(2)}
	if err := b.AddDue(t.Context(), d, due, testLine); err != nil {
		t.Fatal(err)
	}
}

var testLine = entity.Line{By: store.System, Action: store.ReminderQueued, Note: "to the next contact"}
