package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// ExpiringMonth is a month with the licenses that expire in it and that nothing follows, those that were revoked left out.
type ExpiringMonth struct {
	Month  license.Date // its first day
	Counts map[Class]Count
}

// Expiring counts, month by month from the month of a day on, the licenses that expire: as many months as asked for, each
// listed also where nothing expires in it. rest counts what expires after them.
func (s *Store) Expiring(ctx context.Context, from license.Date, months int) (list []ExpiringMonth, rest map[Class]Count, err error) {
	first := license.Date{Year: from.Year, Month: from.Month, Day: 1}
	index := map[string]map[Class]Count{}
	for i := range months {
		m := ExpiringMonth{first.AddMonths(i), map[Class]Count{}}
		index[m.Month.YearMonth()] = m.Counts
		list = append(list, m)
	}
	rest = map[Class]Count{}
	err = table.All(ctx, s.table, table.Query{PK: statsPK, From: first.YearMonth(), Limit: 1000}, func(row table.Row) error {
		counted, err := decode[map[Class]Count](row)
		into, ok := index[row.SK[:len("2006-01")]]
		if !ok {
			into = rest
		}
		for class, n := range counted {
			sum := into[class]
			into[class] = Count{sum.Licenses + n.Licenses, sum.MaxLoc + n.MaxLoc}
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store: counts of licenses: %w", err)
	}
	return list, rest, nil
}

// LicensesExpiring gives f the licenses that expire in the month of the day, in the order of their days, until f fails.
func (s *Store) LicensesExpiring(ctx context.Context, in license.Date, f func(Summary) error) error {
	err := table.All(ctx, s.table, table.Query{PK: expiryPK(in), Limit: 1000}, func(row table.Row) error {
		l, err := decode[Summary](row)
		if err != nil {
			return err
		}
		return f(l)
	})
	if err != nil {
		return fmt.Errorf("store: licenses that expire in %s: %w", in.YearMonth(), err)
	}
	return nil
}

// LicensesPage is a part of the licenses of a month.
type LicensesPage struct {
	Licenses []Summary
	Next     string // where the part behind it begins; "" at the end
}

// LicensesOfMonth reads at most limit of the licenses that expire in the month of the day, in the order of their days, those
// that were revoked or that something follows among them. after is LicensesPage.Next of the part before; "" begins.
func (s *Store) LicensesOfMonth(ctx context.Context, in license.Date, limit int, after string) (LicensesPage, error) {
	page, err := s.table.Query(ctx, table.Query{PK: expiryPK(in), Limit: limit, After: after})
	if err != nil {
		return LicensesPage{}, fmt.Errorf("store: licenses that expire in %s: %w", in.YearMonth(), err)
	}
	list := LicensesPage{Next: page.Next}
	for _, row := range page.Rows {
		l, err := decode[Summary](row)
		if err != nil {
			return LicensesPage{}, err
		}
		list.Licenses = append(list.Licenses, l)
	}
	return list, nil
}

// RemindersToCome counts the licenses whose next reminder is due from a day on through another, and stops at the limit.
func (s *Store) RemindersToCome(ctx context.Context, from, through license.Date, limit int) (n int, err error) {
	for m := from; duePK(m) <= duePK(through); m = m.AddMonths(1) {
		q := table.Query{PK: duePK(m), From: from.String(), To: through.AddDays(1).String()}
		if n, err = s.count(ctx, q, n, limit); err != nil {
			return 0, fmt.Errorf("store: counting the reminders due in %s: %w", m.YearMonth(), err)
		}
	}
	return n, nil
}

// Week is what came and went in a week.
type Week struct {
	Begins      license.Date    // its Monday
	Filed       int             // requests that came
	TimeToIssue []time.Duration // of the requests that were answered with a license in it
}

// Weeks tells of the last weeks, the oldest first, the one of the day being the last.
func (s *Store) Weeks(ctx context.Context, day license.Date, weeks int) (list []Week, err error) {
	monday := day.AddDays(-(int(day.Start().Weekday()) + 6) % 7)
	for i := weeks - 1; i >= 0; i-- {
		w := Week{Begins: monday.AddDays(-7 * i)}
		err := table.All(ctx, s.table, table.Query{PK: weekPK(w.Begins), Limit: 1000}, func(row table.Row) error {
			if strings.HasPrefix(row.SK, filedPrefix) {
				w.Filed++
				return nil
			}
			t, err := decode[timeToIssue](row)
			w.TimeToIssue = append(w.TimeToIssue, time.Duration(t.Seconds)*time.Second)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store: week of %s: %w", w.Begins, err)
		}
		list = append(list, w)
	}
	return list, nil
}

// RequestsFiledIn gives f the requests that came in the week of the day, oldest first, until f fails.
func (s *Store) RequestsFiledIn(ctx context.Context, week license.Date, f func(request.Request) error) error {
	q := table.Prefix(weekPK(week), filedPrefix)
	err := table.All(ctx, s.table, q, func(row table.Row) error {
		r, err := s.Request(ctx, row.SK[len(filedPrefix):])
		if err != nil {
			return err
		}
		return f(r)
	})
	if err != nil {
		return fmt.Errorf("store: requests of the week of %s: %w", week, err)
	}
	return nil
}

// MailTrouble is a mail that was given up.
type MailTrouble struct {
	At     time.Time
	MailID string
	Dead   deadMail
}

// deadMail is what the list of mails that were given up says of one.
type deadMail struct {
	Kind  string `json:"kind"`
	About string `json:"about"`
	Error string `json:"error"`
}

// DeadMails lists the newest mails that were given up.
func (s *Store) DeadMails(ctx context.Context, limit int) (list []MailTrouble, err error) {
	page, err := s.table.Query(ctx, table.Query{PK: deadPK, Descending: true, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("store: mails that were given up: %w", err)
	}
	for _, row := range page.Rows {
		d, err := decode[deadMail](row)
		if err != nil {
			return nil, err
		}
		stamp, id, _ := strings.Cut(row.SK, "#")
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			return nil, fmt.Errorf("store: %v: %w", row.Key, err)
		}
		list = append(list, MailTrouble{at, id, d})
	}
	return list, nil
}
