package reminder_test

import (
	"fmt"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
)

// The daily run reminds of a license on the days that the policy names, and catches up if it missed one.
func Example() {
	l := license.License{Type: license.Production, Expiration: license.Date{Year: 2018, Month: 8, Day: 31}}
	policy := reminder.With(reminder.DaysAfter(7))
	sent := license.Date{} // the day of the newest stage sent
	for _, today := range []license.Date{
		{Year: 2018, Month: 6, Day: 29},
		{Year: 2018, Month: 7, Day: 2}, // the run of 30 June was missed
		{Year: 2018, Month: 7, Day: 3},
		{Year: 2018, Month: 7, Day: 31},
		{Year: 2018, Month: 9, Day: 7},
	} {
		if stage, due := policy.Due(l, today, sent); due {
			fmt.Printf("%s: send the reminder of %s, its last day: %s\n", today, stage.Name(),
				reminder.When(l.Expiration, today))
			sent = stage.Day(l.Expiration)
			continue
		}
		next, stage := policy.Next(l, today, sent)
		fmt.Printf("%s: nothing to send, next the reminder of %s on %s\n", today, stage.Name(), next)
	}
	// Output:
	// 2018-06-29: nothing to send, next the reminder of 2 months before on 2018-06-30
	// 2018-07-02: send the reminder of 2 months before, its last day: in 60 days
	// 2018-07-03: nothing to send, next the reminder of 1 month before on 2018-07-31
	// 2018-07-31: send the reminder of 1 month before, its last day: in 31 days
	// 2018-09-07: send the reminder of 7 days after, its last day: 7 days ago
}
