package reminder_test

import (
	"fmt"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
)

// The daily run reminds of a license on the days that the policy names, and catches up if it missed one.
func Example() {
	l := license.License{Expiration: license.Date{Year: 2018, Month: 8, Day: 31}}
	sent := reminder.Stage(0)
	for _, today := range []license.Date{
		{Year: 2018, Month: 6, Day: 29},
		{Year: 2018, Month: 7, Day: 2}, // the run of 30 June was missed
		{Year: 2018, Month: 7, Day: 3},
		{Year: 2018, Month: 7, Day: 31},
	} {
		if stage, due := reminder.Default.Due(l, today, sent); due {
			fmt.Printf("%s: send the %d-month reminder\n", today, stage)
			sent = stage
			continue
		}
		next, _ := reminder.Default.Next(l, today, sent)
		fmt.Printf("%s: nothing to send, next reminder on %s\n", today, next)
	}
	// Output:
	// 2018-06-29: nothing to send, next reminder on 2018-06-30
	// 2018-07-02: send the 2-month reminder
	// 2018-07-03: nothing to send, next reminder on 2018-07-31
	// 2018-07-31: send the 1-month reminder
}
