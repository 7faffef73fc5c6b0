// Package mailmodel tries licenses and emails together in random histories in which nearly everything fails: the
// store, the outbox, the daily run, the mailer, and what the provider's events do, over a table in memory, with a
// simulated provider and clock. An oracle of its own says after each step which emails had to go out, and which must
// not. It reads what is on record, walks the calendar day by day, and calls nothing of shared/reminder, of
// notice.Unneeded or of delivery.Planner. mail.md, "The random model", has its rules. The package has only tests.
//
// A history depends on nothing but what rapid draws. A failure prints what happened, and how to play the history
// again:
//
//	go test ./infra/mailmodel -run Emails -rapid.failfile=testdata/rapid/…   (the file that the failure names)
//	go test ./infra/mailmodel -run Emails -rapid.seed=…                      (the seed that it names)
//
// -rapid.checks says how many histories are played: 100 in go test ./..., 2,000 in CI, 10,000 on demand.
//
// # A clock that is set back by days
//
// In the cloud a clock may be wrong by minutes, which the model has: those of the processes differ by up to five.
// Nobody sets it back by days, so histories in which somebody does are not part of the model. They fail: six of them
// are enough to see it (TestWhatAClockSetBackByDaysDoes). A license waits in a row of the day of its next reminder,
// and nobody reads the row of a day that is yet to come: whoever was reminded of nothing for want of a day, or whose
// next day was worked out from a later one, is missed. Only the local server lets people set the clock back, and it
// then plans the reminders of every license anew (infra/local, replan): no reminder is missing in the same
// histories. A reminder that was sent before is not sent again, since its guard stays.
//
// Planning anew does not repair everything, but what remains is late, not lost. An email that is paused or in doubt
// waits until the clock reaches the time on record again, and so does the next list of unconfirmed requests of a day
// for which one was sent. The rule that a call in doubt waits half an hour is reckoned from a time that has not come
// yet, so that the oracle complains of the call of a mailer that was cut off just before.
package mailmodel
