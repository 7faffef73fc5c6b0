// Package reminder is the policy of when a customer is reminded that a license expires: a pure function of the license,
// the day and what was sent before. Who acts on it is functions/reminders.
package reminder

import (
	"marketplace/shared/license"
)

// Stage is one reminder: so many calendar months before a license's expiration.
type Stage int

// Policy lists the stages, the earliest reminder (most months) first.
type Policy []Stage

// Default is what the vendor promises: two months and one month before.
var Default = Policy{2, 1}

// Day is when the stage falls due for a license that expires on expiration.
func (s Stage) Day(expiration license.Date) license.Date { return expiration.AddMonths(-int(s)) }
