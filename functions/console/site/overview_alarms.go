package site

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"marketplace/shared/alarm"
)

// gaugeRow is what is watched, in the list of alarms.
type gaugeRow struct {
	alarm.Gauge
	Now, Limit string
	Badge      badge
	To         string // the part of the page that says more; "" for none
}

// gaugeAddresses are the parts of the overview that say more about a gauge, by its alarm.
var gaugeAddresses = map[string]string{
	"OldestUrgentMailAlarm":   "#outbox-title",
	"OldestConfirmationAlarm": "#outbox-title",
	"OldestReminderAlarm":     "#outbox-title",
	"MailsInDoubtAlarm":       "#outbox-title",
	"MailQuotaAlarm":          "#outbox-title",
	"FailedMailsAlarm":        "#failed-title",
}

// addGauges adds what is watched, as the mailer publishes it.
func (v *overviewView) addGauges(o overviewRecords, now time.Time) {
	readings := o.watched
	readings.Oldest = o.queued.Oldest
	for _, g := range readings.Gauges(now) {
		row := gaugeRow{Gauge: g, Now: "None on record", To: gaugeAddresses[g.ID], Badge: badge{"OK", "good"}}
		if g.Known {
			row.Now = gaugeText(g, g.Value)
		}
		if g.Known && g.Unit == alarm.None {
			row.Now += " ago"
		}
		row.Limit = "up to " + gaugeText(g, g.Threshold)
		if g.Comparison == alarm.AtLeast {
			row.Limit = "below " + gaugeText(g, g.Threshold)
		}
		if g.Breached() {
			row.Badge = badge{"Alarm", "bad"}
			v.Alarms = append(v.Alarms, row)
		}
		v.Gauges = append(v.Gauges, row)
	}
}

// gaugeText writes a value of a gauge. It rounds so that only what breaches a limit reads like it.
func gaugeText(g alarm.Gauge, value float64) string {
	switch g.Unit {
	case alarm.Seconds:
		return minutes(time.Duration(value * float64(time.Second)))
	case alarm.None:
		return minutes(time.Duration(value * float64(time.Hour)))
	case alarm.Percent:
		return strconv.FormatFloat(math.Floor(value*10)/10, 'f', -1, 64) + " %"
	}
	if value >= alarm.Most {
		return fmt.Sprintf("%d or more", alarm.Most)
	}
	return strconv.Itoa(int(value))
}

// minutes writes a length of time in hours and minutes, rounded up.
func minutes(d time.Duration) string {
	m := int((d + time.Minute - 1) / time.Minute)
	switch {
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case m%60 == 0:
		return fmt.Sprintf("%d h", m/60)
	}
	return fmt.Sprintf("%d h %d min", m/60, m%60)
}
