package mailsim

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
)

// monday is when the simulations begin.
var monday = time.Date(2026, time.November, 30, 0, 0, 0, 0, time.UTC)

// Print prints what a daily run reads, and the tables of all simulations, which run at the same time.
func Print(ctx context.Context, out io.Writer) error {
	if err := printDailyRun(ctx, out); err != nil {
		return err
	}
	simulations := []func(context.Context, io.Writer) error{
		printDayWithoutSES, printWeekOfErrors, printBusyDay, printBusyWeek,
	}
	tables := make([]bytes.Buffer, len(simulations))
	g, ctx := errgroup.WithContext(ctx)
	for i, simulate := range simulations {
		g.Go(func() error { return simulate(ctx, &tables[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range tables {
		if _, err := tables[i].WriteTo(out); err != nil {
			return err
		}
	}
	return nil
}

// weights are the parts of a day's requests in each hour, UTC: most come in office hours, from Europe and America.
var weights = [24]int{1, 1, 1, 1, 1, 2, 3, 6, 9, 10, 9, 8, 7, 8, 10, 9, 8, 6, 4, 3, 2, 2, 1, 1}

// visitors adds a day of what people cause: n times a number of mails of a rank, by hour.
func (s *sim) visitors(day time.Time, n, mails, rank, customers int) {
	total := 0
	for _, w := range weights {
		total += w
	}
	for range n {
		at, hour := s.random.IntN(total), 0
		for ; at >= weights[hour]; hour++ {
			at -= weights[hour]
		}
		a := arrival{at: day.Add(time.Duration(hour)*time.Hour + time.Duration(s.random.Int64N(int64(time.Hour))))}
		customer := s.random.IntN(customers)
		for range mails {
			a.mails = append(a.mails, s.newMail(rank, customer))
		}
		s.arrivals = append(s.arrivals, a)
	}
}

// reminders adds the daily run of a day at 06:00: n reminders of a license each, a tenth of them to contacts of one
// customer.
func (s *sim) reminders(day time.Time, n, customers int) {
	a := arrival{at: day.Add(6 * time.Hour)}
	for i := range n {
		customer := s.random.IntN(customers)
		if i%10 == 0 {
			customer = 0
		}
		a.digests = append(a.digests, s.newReminder(customer, 1))
	}
	s.arrivals = append(s.arrivals, a)
}

// ordinary adds a day of an ordinary size: 60 answers of sales, 100 requests with two mails each, and 200 reminders.
func (s *sim) ordinary(day time.Time) {
	s.visitors(day, 60, 1, notice.RankUrgent, 80)
	s.visitors(day, 100, 2, notice.RankSoon, 80)
	s.reminders(day, 200, 80)
}

// names are those of the ranks in the tables.
var names = map[int]string{
	notice.RankUrgent: "1 keys, answers", notice.RankSoon: "2 confirmations", notice.RankReminder: "3 reminders",
}

// of returns the mails of a rank, in the order in which they were queued.
func (s *sim) of(rank int) (list []*simulated) {
	for _, m := range s.mails {
		if m.rank == rank {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *simulated) int {
		return cmp.Or(a.queued.Compare(b.queued), strings.Compare(a.id, b.id))
	})
	return list
}

// waits returns how long mails waited until they were accepted first, in order.
func waits(list []*simulated) (waits []time.Duration) {
	for _, m := range list {
		if len(m.accepted) > 0 {
			waits = append(waits, m.accepted[0].Sub(m.queued))
		}
	}
	slices.Sort(waits)
	return waits
}

// at returns the wait below which a part of the sorted waits is; "–" of none.
func at(waits []time.Duration, part float64) string {
	if len(waits) == 0 {
		return "–"
	}
	wait := waits[int(part*float64(len(waits)-1))]
	switch {
	case wait < 10*time.Second:
		return wait.Round(10 * time.Millisecond).String()
	case wait < time.Hour:
		return wait.Round(time.Second).String()
	}
	return fmt.Sprintf("%dh%02dm", int(wait.Hours()), int(wait.Minutes())%60)
}

// open and failed count mails that wait, and that were given up.
func (s *sim) open(ctx context.Context, list []*simulated) (open, failed int, err error) {
	for _, one := range list {
		m, err := s.box.Read(ctx, one.id)
		if err != nil {
			return 0, 0, err
		}
		if m.State.Status.Open() {
			open++
		} else if len(one.accepted) == 0 {
			failed++
		}
	}
	return open, failed, nil
}

// printDayWithoutSES prints what becomes of an ordinary day whose mails nobody accepts from Monday 09:00 to Tuesday
// 09:00, with a quota of 400 mails a day.
func printDayWithoutSES(ctx context.Context, out io.Writer) error {
	down, up := monday.Add(9*time.Hour), monday.Add(33*time.Hour)
	calls := 0
	s := newSim(monday, provider{perSecond: 14, perDay: 400, behave: func(s *sim) (bool, time.Duration, error) {
		if s.now.Before(down) || !s.now.Before(up) {
			return true, answerTime, nil
		}
		calls++
		return false, answerTime, errServer
	}})
	for day := range 2 {
		s.ordinary(monday.AddDate(0, 0, day))
	}
	if err := s.run(ctx, up); err != nil {
		return err
	}
	waiting := map[int][]*simulated{}
	for _, rank := range notice.Ranks {
		for _, m := range s.of(rank) {
			if len(m.accepted) == 0 {
				waiting[rank] = append(waiting[rank], m)
			}
		}
	}
	if err := s.run(ctx, monday.Add(82*time.Hour)); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nA day without SES: 5xx from Mon 09:00 to Tue 09:00, 400 mails a day, %d calls in vain\n", calls)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rank\twaiting Tue 09:00\tfirst sent\tlast sent\tfailed\tsent twice")
	for _, rank := range notice.Ranks {
		list := waiting[rank]
		_, failed, err := s.open(ctx, list)
		if err != nil {
			return err
		}
		first, last, twice := time.Time{}, time.Time{}, 0
		for _, m := range list {
			if len(m.accepted) == 0 {
				continue
			}
			if at := m.accepted[0]; first.IsZero() || at.Before(first) {
				first = at
			}
			last = later(last, m.accepted[0])
			if len(m.accepted) > 1 {
				twice++
			}
		}
		const format = "Mon 15:04:05"
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\t%d\n", names[rank], len(list), first.Format(format), last.Format(format),
			failed, twice)
	}
	return w.Flush()
}

// printWeekOfErrors prints a week of ordinary days in which a tenth of the calls fail: 4 % with 5xx, 2 % without an
// answer although SES accepts the mail, 1 % without one and SES does not, 3 % throttled.
func printWeekOfErrors(ctx context.Context, out io.Writer) error {
	calls, errors := 0, 0
	s := newSim(monday, provider{perSecond: 14, perDay: 50_000, events: true,
		behave: func(s *sim) (bool, time.Duration, error) {
			const timeout = 15 * time.Second
			calls++
			errors++
			switch n := s.random.IntN(100); {
			case n < 4:
				return false, answerTime, errServer
			case n < 6:
				return true, timeout, &mail.Failure{Class: mail.ClassTimeout, Err: context.DeadlineExceeded}
			case n < 7:
				return false, timeout, &mail.Failure{Class: mail.ClassTimeout, Err: context.DeadlineExceeded}
			case n < 10:
				return false, answerTime, &mail.Failure{Kind: mail.ErrThrottled, Err: mail.ErrThrottled}
			}
			errors--
			return true, answerTime, nil
		}})
	for day := range 7 {
		s.ordinary(monday.AddDate(0, 0, day))
	}
	if err := s.run(ctx, monday.AddDate(0, 0, 7).Add(6*time.Hour)); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nA week with a tenth of errors: %d calls, of which %d failed\n", calls, errors)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rank\tqueued\tsent\tfailed\tsent twice\tmedian wait\t95 %\t99 %\tlongest")
	for _, rank := range notice.Ranks {
		list, twice := s.of(rank), 0
		_, failed, err := s.open(ctx, list)
		if err != nil {
			return err
		}
		for _, m := range list {
			if len(m.accepted) > 1 {
				twice++
			}
		}
		waited := waits(list)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", names[rank], len(list), len(waited), failed, twice,
			at(waited, 0.5), at(waited, 0.95), at(waited, 0.99), at(waited, 1))
	}
	return w.Flush()
}

// printBusyDay prints a day of 50,000 mails at 14 a second, by hour and rank.
func printBusyDay(ctx context.Context, out io.Writer) error {
	s := newSim(monday, provider{perSecond: 14, perDay: 100_000})
	s.visitors(monday, 4000, 1, notice.RankUrgent, 3000)
	s.visitors(monday, 3000, 2, notice.RankSoon, 3000)
	s.reminders(monday, 40_000, 3000)
	if err := s.run(ctx, monday.AddDate(0, 0, 1)); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nA day of 50,000 mails at 14 a second, by the hour in which they are queued or sent")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trank 1\t\t\t\trank 2\t\t\trank 3\t\t\t")
	fmt.Fprintln(w, "hour\tqueued\tsent\tmedian wait\tlongest\tqueued\tsent\tlongest\tqueued\tsent\tlongest\t")
	line := func(name string, in func(at time.Time) bool) {
		fmt.Fprintf(w, "%s\t", name)
		for _, rank := range notice.Ranks {
			var queued []*simulated
			sent := 0
			for _, m := range s.of(rank) {
				if in(m.queued) {
					queued = append(queued, m)
				}
				if len(m.accepted) > 0 && in(m.accepted[0]) {
					sent++
				}
			}
			waited := waits(queued)
			fmt.Fprintf(w, "%d\t%d\t", len(queued), sent)
			if rank == notice.RankUrgent {
				fmt.Fprintf(w, "%s\t", at(waited, 0.5))
			}
			fmt.Fprintf(w, "%s\t", at(waited, 1))
		}
		fmt.Fprintln(w)
	}
	for hour := range 24 {
		begin := monday.Add(time.Duration(hour) * time.Hour)
		line(begin.Format("15:04"), func(at time.Time) bool { return at.Truncate(time.Hour).Equal(begin) })
	}
	line("all", func(time.Time) bool { return true })
	return w.Flush()
}

// Of a week on whose Monday 100,000 licenses are due at once: the contacts who are reminded of 25, of 2 and of 1 each,
// and how many mails a day others cause.
const (
	with25, with2, with1  = 1_000, 16_000, 43_000
	urgentADay, soonADay  = 400, 300 // the latter with two mails each
	customersOfTheWeek    = 20_000
	quotaOfTheWeek        = 50_000
	remindersOnOtherDays  = 500
	reminded25, reminded2 = 25, 2
)

// busyWeek simulates the first days of that week, with one of so many of all its mails.
func busyWeek(ctx context.Context, one, days int) (*sim, error) {
	s := newSim(monday, provider{perSecond: 14, perDay: quotaOfTheWeek / one})
	customers := customersOfTheWeek / one
	run := arrival{at: monday.Add(6 * time.Hour)}
	for _, of := range []struct{ contacts, licenses int }{{with25, reminded25}, {with2, reminded2}, {with1, 1}} {
		for range of.contacts / one {
			run.digests = append(run.digests, s.newReminder(s.random.IntN(customers), of.licenses))
		}
	}
	s.arrivals = append(s.arrivals, run)
	for day := range days {
		today := monday.AddDate(0, 0, day)
		s.visitors(today, urgentADay/one, 1, notice.RankUrgent, customers)
		s.visitors(today, soonADay/one, 2, notice.RankSoon, customers)
		if day > 0 {
			s.reminders(today, remindersOnOtherDays/one, customers)
		}
	}
	return s, s.run(ctx, monday.AddDate(0, 0, days))
}

// printBusyWeek prints that week by day and rank. Of each it names the hour in which the mail was queued that waited
// longest.
func printBusyWeek(ctx context.Context, out io.Writer) error {
	s, err := busyWeek(ctx, 1, 7)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nA week with 100,000 licenses due on Monday, for 60,000 contacts: 14 mails a second, 50,000 a "+
		"day")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trank 1\t\t\t\trank 2\t\t\t\trank 3\t\t\t\t")
	fmt.Fprintln(w, "day"+strings.Repeat("\tqueued\tsent\tlongest\tof hour", 2)+"\tqueued\tsent\tlongest\twaiting\t")
	for day := range 7 {
		begin := monday.AddDate(0, 0, day)
		end := begin.AddDate(0, 0, 1)
		within := func(at time.Time) bool { return !at.Before(begin) && at.Before(end) }
		fmt.Fprintf(w, "%s\t", begin.Format("Mon"))
		for _, rank := range notice.Ranks {
			queued, sent, waiting, worst, of := 0, 0, 0, time.Duration(0), "–"
			for _, m := range s.of(rank) {
				isSent := len(m.accepted) > 0 && m.accepted[0].Before(end)
				if m.queued.Before(end) && !isSent {
					waiting++
				}
				if len(m.accepted) > 0 && within(m.accepted[0]) {
					sent++
				}
				if !within(m.queued) {
					continue
				}
				queued++
				if len(m.accepted) > 0 && m.accepted[0].Sub(m.queued) > worst {
					worst, of = m.accepted[0].Sub(m.queued), m.queued.Format("15:00")
				}
			}
			fmt.Fprintf(w, "%d\t%d\t%s\t", queued, sent, at([]time.Duration{worst}, 1))
			if rank == notice.RankReminder {
				fmt.Fprintf(w, "%d\t", waiting)
			} else {
				fmt.Fprintf(w, "%s\t", of)
			}
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	contacts, licenses, last := s.remindedOn(monday)
	_, err = fmt.Fprintf(out, "All %d reminders of Monday, of %d licenses, are sent by %s.\n", contacts, licenses,
		last.Format("Mon 15:04"))
	return err
}

// remindedOn returns how many reminders of a day were sent, of how many licenses, and when the last one was.
func (s *sim) remindedOn(day time.Time) (mails, licenses int, last time.Time) {
	for _, m := range s.of(notice.RankReminder) {
		if m.queued.Truncate(24*time.Hour) == day && len(m.accepted) > 0 {
			mails, licenses, last = mails+1, licenses+m.licenses, later(last, m.accepted[0])
		}
	}
	return mails, licenses, last
}
