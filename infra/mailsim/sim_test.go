package mailsim

import (
	"context"
	"reflect"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

// simulate runs an ordinary day, and half a day without mails.
func simulate(t *testing.T, p provider) *sim {
	t.Helper()
	s := newSim(monday, p)
	s.ordinary(monday)
	if err := s.run(t.Context(), monday.Add(36*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return s
}

// sent fails the test unless every mail was accepted, and not more often than at most.
func (s *sim) sent(t *testing.T, most int) {
	t.Helper()
	for id, one := range s.mails {
		m, err := s.box.Read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(one.accepted); n < 1 || n > most || m.State.Status != outbox.Sent {
			t.Errorf("mail %s: got %s and %d times accepted, want sent and at most %d", id, m.State.Status, n, most)
		}
	}
}

func TestOrdinaryDayIsSentAtOnce(t *testing.T) {
	s := simulate(t, provider{perSecond: 14, perDay: 50_000})
	s.sent(t, 1)
	for rank, most := range map[int]time.Duration{
		notice.RankUrgent: 2 * time.Second, notice.RankSoon: 3 * time.Second, notice.RankReminder: time.Minute,
	} {
		if w := waits(s.of(rank)); w[len(w)-1] > most {
			t.Errorf("rank %d: got a wait of %v, want %v at most", rank, w[len(w)-1], most)
		}
	}
}

func TestDayWithoutProviderLosesNothing(t *testing.T) {
	s := simulate(t, provider{perSecond: 14, behave: func(s *sim) (bool, time.Duration, error) {
		if s.now.Before(monday.AddDate(0, 0, 1)) {
			return false, answerTime, errServer
		}
		return true, answerTime, nil
	}})
	s.sent(t, 1)
}

func TestEventsKeepMailsFromBeingSentTwice(t *testing.T) {
	n := 0
	s := simulate(t, provider{perSecond: 14, events: true, behave: func(s *sim) (bool, time.Duration, error) {
		if n++; n%5 == 0 {
			return true, 15 * time.Second, &mail.Failure{Class: mail.ClassTimeout, Err: context.DeadlineExceeded}
		}
		return true, answerTime, nil
	}})
	s.sent(t, 1)
}

func TestSimulationIsTheSameEachTime(t *testing.T) {
	var accepted [2]map[string][]time.Time
	for i := range accepted {
		accepted[i] = map[string][]time.Time{}
		n := 0
		s := newSim(monday, provider{perSecond: 14, events: true, behave: func(*sim) (bool, time.Duration, error) {
			if n++; n%9 == 0 {
				return false, answerTime, errServer
			}
			return true, answerTime, nil
		}})
		s.ordinary(monday)
		if err := s.run(t.Context(), monday.Add(9*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for id, m := range s.mails {
			accepted[i][id] = m.accepted
		}
	}
	if len(accepted[0]) < 200 || !reflect.DeepEqual(accepted[0], accepted[1]) {
		t.Errorf("got two simulations that differ, of %d mails", len(accepted[0]))
	}
}

// A fiftieth of the week of make bench: so many reminders on one day hold up nobody else, and all are sent in three
// days.
func TestManyRemindersOfADayHoldUpNobody(t *testing.T) {
	const one = 50
	s, err := busyWeek(t.Context(), one, 4)
	if err != nil {
		t.Fatal(err)
	}
	s.sent(t, 1)
	for rank, most := range map[int]time.Duration{notice.RankUrgent: 2 * time.Second, notice.RankSoon: 3 * time.Second} {
		if w := waits(s.of(rank)); w[len(w)-1] > most {
			t.Errorf("rank %d: got a wait of %v, want %v at most", rank, w[len(w)-1], most)
		}
	}
	mails, licenses, last := s.remindedOn(monday)
	if mails != 60_000/one || licenses != 100_000/one || last.After(monday.AddDate(0, 0, 3)) {
		t.Errorf("got %d reminders of %d licenses, the last on %v; want all of them sent by Thursday", mails, licenses,
			last)
	}
}

func TestDailyRunReadsLittleMoreThanWhatIsDue(t *testing.T) {
	for _, licenses := range []int{2000, 20_000} {
		m, err := measureDailyRun(t.Context(), licenses)
		if err != nil {
			t.Fatal(err)
		}
		if m.due != dueAtOnce || m.mails != dueAtOnce/perCustomer || m.schedule != m.due ||
			float64(m.all) > 1.1*float64(m.due) {
			t.Errorf("%d licenses: got %+v, want at most 1.1 rows read for each due license", licenses, m)
		}
	}
}
