package mailsim

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"text/tabwriter"
	"time"

	"marketplace/functions/reminders/daily"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// Of the daily run that is measured: how many licenses are due, and how many of them each customer has.
const (
	dueAtOnce   = 1000
	perCustomer = 25
)

// measured is what a daily run took.
type measured struct {
	licenses, due, mails int
	schedule, all        int // rows read: of the schedule of reminders alone, and all
	took                 time.Duration
}

// printDailyRun prints what the daily run reads, whatever the number of licenses. Only the times differ from one run of
// the program to the next.
func printDailyRun(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\nThe daily run with %d licenses due, %d of each customer\n", dueAtOnce, perCustomer)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "licenses\temails\trows read\tper due\tof the schedule\ttime\t")
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		m, err := measureDailyRun(ctx, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%.3f\t%.3f\t%v\t\n", m.licenses, m.mails, m.all, float64(m.all)/float64(m.due),
			float64(m.schedule)/float64(m.due), m.took.Round(time.Millisecond))
	}
	return w.Flush()
}

// measureDailyRun runs the daily run over so many licenses. Those that are not due have the one row alone at which a
// run could look, each on a day of the next two years.
func measureDailyRun(ctx context.Context, licenses int) (m measured, err error) {
	now := monday.Add(6 * time.Hour)
	today := license.DateOf(now)
	counted := &tabletest.Faulty{Table: &tabletest.Memory{}}
	clock := func() time.Time { return now }
	s := delivery.New(store.New(counted, store.Options{Now: clock}))
	for n := range dueAtOnce {
		l := license.License{
			ID: fmt.Sprintf("due%06d", n), Type: license.Production, Edition: license.Developer, MaxLoc: 1000,
			Organization: fmt.Sprintf("Company %d", n/perCustomer),
			Server:       license.Server(fmt.Sprintf("AWHW8w9JtzBzSr%06d", n)), Expiration: today.AddMonths(1),
		}
		ada := license.Contact{Email: fmt.Sprintf("ada@host%d.example", n/perCustomer)}
		i, err := storetest.Draft(ctx, s.Store, l, ada)
		if err != nil {
			return m, err
		}
		i.Imported = true
		if err := s.IssueLicenses(ctx, i); err != nil {
			return m, err
		}
	}
	var writes []table.Write
	for n := dueAtOnce; n < licenses; n++ {
		key := rowkey.Due(today.AddDays(1+n*730/licenses), fmt.Sprintf("l%07d", n))
		row := entity.Encode(key, rowkey.TypeIndex, struct{}{})
		if writes = append(writes, table.Create(row)); len(writes) == table.MaxWrites || n == licenses-1 {
			if err := counted.Transact(ctx, writes...); err != nil {
				return m, err
			}
			writes = writes[:0]
		}
	}

	counted.Reset()
	err = s.DueReminders(ctx, today, func(store.Due) error { m.due++; return nil })
	m.schedule = counted.Counts().RowsRead
	if err != nil {
		return m, err
	}
	counted.Reset()
	job := daily.New(daily.Options{
		Store: s, Deletion: deletion.New(s.Store), Now: clock, Log: slog.New(slog.DiscardHandler),
	})
	runtime.GC() // the many rows are not the run's
	began := time.Now()
	err = job.Run(ctx)
	m.licenses, m.took, m.all = licenses, time.Since(began), counted.Counts().RowsRead
	if err != nil {
		return m, err
	}
	queued, err := s.QueuedMails(ctx, dueAtOnce)
	m.mails = queued.Ready[notice.RankReminder]
	return m, err
}
