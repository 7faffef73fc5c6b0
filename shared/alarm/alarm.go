// Package alarm lists what is watched in production: each metric with the limit at which people are told, and what they
// are told. template.yaml has a CloudWatch alarm for each Rule, the mailer publishes the gauges, and the console's
// overview shows the same values. What these are worked out from is in the table: shared/store/delivery reads it.
package alarm

import "time"

// Rule is a metric and its limit. The fields have the names and values of CloudWatch.
type Rule struct {
	ID        string // of the alarm in template.yaml
	Name      string // for people
	Namespace string
	Metric    string
	Unit      Unit
	Statistic string
	// A value breaches the limit if it compares with Threshold as Comparison says, throughout Periods periods.
	Comparison Comparison
	Threshold  float64
	Period     time.Duration
	Periods    int
	Missing    Missing
	Breach     string // what a breach means: a sentence for people
	Guide      string // the page of infra/runbooks that says what to do

	// gauge works out the value at a time; nil if nothing in the table tells it.
	gauge func(r Readings, now time.Time) (value float64, known bool)
}

// Unit is the unit of a metric. CloudWatch has none for hours: these are None.
type Unit string

// Every Unit.
const (
	None    Unit = "None"
	Count   Unit = "Count"
	Seconds Unit = "Seconds"
	Percent Unit = "Percent"
)

// Comparison is how a value that breaches the limit compares with the threshold.
type Comparison string

// Every Comparison.
const (
	Above   Comparison = "GreaterThanThreshold"
	AtLeast Comparison = "GreaterThanOrEqualToThreshold"
)

// Missing is what a period without a value means.
type Missing string

// Every Missing.
const (
	Breaching    Missing = "breaching"
	NotBreaching Missing = "notBreaching"
	KeepsState   Missing = "ignore"
)

// Namespaces of metrics.
const (
	Ours = "Marketplace" // with the dimension Stage
	SES  = "AWS/SES"     // without a dimension: of all that the account sends
)

const (
	// PublishEvery is the least time between two lines with the gauges. The mailer is started every minute, so that
	// each period has one.
	PublishEvery = 4 * time.Minute
	period       = 10 * time.Minute
	// Most is up to how many emails are counted: Most may stand for more.
	Most = 100
)

// Rules lists every rule. That the mailer publishes nothing is told by the first one alone.
var Rules = []Rule{
	{
		ID: "DailyRunAlarm", Name: "Last complete daily run",
		Namespace: Ours, Metric: "HoursSinceDailyRun", Unit: None, Statistic: "Maximum",
		Comparison: Above, Threshold: 26, Period: period, Periods: 3, Missing: Breaching,
		Breach: "No daily run was completed in the last 26 hours. Reminders may be late.",
		Guide:  "reminders-late.md",
		gauge: func(r Readings, now time.Time) (float64, bool) {
			return since(r.DailyRun, now).Hours(), !r.DailyRun.IsZero()
		},
	},
	{
		ID: "LateRequestsAlarm", Name: "Late requests of which nobody was told",
		Namespace: Ours, Metric: "LateRequestsUntold", Unit: Count, Statistic: "Maximum",
		Comparison: AtLeast, Threshold: 1, Period: period, Periods: 2, Missing: NotBreaching,
		Breach: "A request has been late for over an hour of office time, and its reviewer or sales were not told.",
		Guide:  "failed-runs.md",
		gauge:  func(r Readings, _ time.Time) (float64, bool) { return float64(r.LateUntold), true },
	},
	{
		ID: "OldestUrgentMailAlarm", Name: "Oldest urgent email waiting",
		Namespace: Ours, Metric: "OldestUrgentMail", Unit: Seconds, Statistic: "Maximum",
		Comparison: Above, Threshold: 15 * 60, Period: period, Periods: 2, Missing: NotBreaching,
		Breach: "A license key, question or answer has been waiting to be sent for more than 15 minutes.",
		Guide:  "outbox-stuck.md", gauge: oldest(1),
	},
	{
		ID: "OldestConfirmationAlarm", Name: "Oldest confirmation or email to sales waiting",
		Namespace: Ours, Metric: "OldestConfirmation", Unit: Seconds, Statistic: "Maximum",
		Comparison: Above, Threshold: 60 * 60, Period: period, Periods: 2, Missing: NotBreaching,
		Breach: "A confirmation or an email to sales has been waiting to be sent for more than an hour.",
		Guide:  "outbox-stuck.md", gauge: oldest(2),
	},
	{
		ID: "OldestReminderAlarm", Name: "Oldest reminder waiting",
		Namespace: Ours, Metric: "OldestReminder", Unit: Seconds, Statistic: "Maximum",
		Comparison: Above, Threshold: 24 * 60 * 60, Period: period, Periods: 2, Missing: NotBreaching,
		Breach: "A reminder has been waiting to be sent for more than a day.",
		Guide:  "reminders-late.md", gauge: oldest(3),
	},
	{
		ID: "FailedMailsAlarm", Name: "Emails that failed in the last 24 hours",
		Namespace: Ours, Metric: "FailedMails", Unit: Count, Statistic: "Maximum",
		Comparison: AtLeast, Threshold: 5, Period: period, Periods: 1, Missing: NotBreaching,
		Breach: "At least 5 emails failed in the last 24 hours, and nobody has tried them again.",
		Guide:  "outbox-stuck.md",
		gauge:  func(r Readings, _ time.Time) (float64, bool) { return float64(r.Failed), true },
	},
	{
		ID: "MailsInDoubtAlarm", Name: "Emails in doubt",
		Namespace: Ours, Metric: "MailsInDoubt", Unit: Count, Statistic: "Maximum",
		Comparison: AtLeast, Threshold: 5, Period: period, Periods: 3, Missing: NotBreaching,
		Breach: "For half an hour, we have not known of at least 5 emails whether SES accepted them.",
		Guide:  "outbox-stuck.md",
		gauge:  func(r Readings, _ time.Time) (float64, bool) { return float64(r.InDoubt), true },
	},
	{
		ID: "MailQuotaAlarm", Name: "Daily quota used",
		Namespace: Ours, Metric: "MailQuotaUsed", Unit: Percent, Statistic: "Maximum",
		Comparison: AtLeast, Threshold: 80, Period: period, Periods: 1, Missing: NotBreaching,
		Breach: "80 % of the daily quota of SES is used: only keys, questions and answers are still sent.",
		Guide:  "ses-paused.md",
		gauge: func(r Readings, _ time.Time) (float64, bool) {
			if r.Quota == 0 {
				return 0, true
			}
			return 100 * float64(r.Sent) / float64(r.Quota), true
		},
	},
	{
		ID: "MailsUnknownAlarm", Name: "Emails of an unknown kind",
		Namespace: Ours, Metric: "MailsUnknown", Unit: Count, Statistic: "Sum",
		Comparison: AtLeast, Threshold: 1, Period: time.Hour, Periods: 1, Missing: NotBreaching,
		Breach: "The mailer has emails of a kind that it does not know. It keeps them, and a version that knows them " +
			"sends them.",
		Guide: "outbox-stuck.md",
	},
	// SES puts an account under review at these rates (Developer Guide, "Sending review process FAQs"). It publishes
	// them only while it has something to count.
	{
		ID: "BounceRateAlarm", Name: "Bounce rate",
		Namespace: SES, Metric: "Reputation.BounceRate", Unit: None, Statistic: "Maximum",
		Comparison: AtLeast, Threshold: 0.05, Period: time.Hour, Periods: 1, Missing: KeepsState,
		Breach: "At least 5 % of the account's emails bounce. SES may stop the account.",
		Guide:  "bounces-rising.md",
	},
	{
		ID: "ComplaintRateAlarm", Name: "Complaint rate",
		Namespace: SES, Metric: "Reputation.ComplaintRate", Unit: None, Statistic: "Maximum",
		Comparison: AtLeast, Threshold: 0.001, Period: time.Hour, Periods: 1, Missing: KeepsState,
		Breach: "Recipients complain about at least 0.1 % of the account's emails. SES may stop the account.",
		Guide:  "bounces-rising.md",
	},
}

// Description is what the alarm tells people.
func (r Rule) Description() string {
	text := r.Breach
	if r.Missing == Breaching {
		text += " Or nothing was reported for as long as the alarm waits."
	}
	return text + " See infra/runbooks/" + r.Guide + "."
}

// Breached reports whether a value breaches the limit of a rule.
func (r Rule) Breached(value float64) bool {
	return value > r.Threshold || r.Comparison == AtLeast && value == r.Threshold
}

// Readings are what the gauges are worked out from.
type Readings struct {
	DailyRun time.Time // when the last complete daily run ended; the zero Time if none is on record
	// Oldest is since when the oldest ready email of each rank has been ready; ranks without one have no entry.
	Oldest          map[int]time.Time
	Failed, InDoubt int // up to Most
	LateUntold      int // late requests of which nobody was told for an hour of office time, up to Most
	Sent            int // in the last 24 hours
	Quota           int // how many emails the provider accepts in 24 hours; 0: unlimited or unknown
}

// Gauge is a rule with its value.
type Gauge struct {
	Rule
	Value float64
	Known bool // there is a value
}

// Gauges returns the gauges at a time, in the order of Rules.
func (r Readings) Gauges(now time.Time) (list []Gauge) {
	for _, rule := range Rules {
		if rule.gauge != nil {
			value, known := rule.gauge(r, now)
			list = append(list, Gauge{rule, value, known})
		}
	}
	return list
}

// Breached reports whether the limit is breached. A missing value may be a breach.
func (g Gauge) Breached() bool {
	if !g.Known {
		return g.Missing == Breaching
	}
	return g.Rule.Breached(g.Value)
}

// oldest returns the age of the oldest ready email of a rank in seconds, 0 if there is none.
func oldest(rank int) func(Readings, time.Time) (float64, bool) {
	return func(r Readings, now time.Time) (float64, bool) {
		at, waits := r.Oldest[rank]
		if !waits {
			return 0, true
		}
		return since(at, now).Seconds(), true
	}
}

// since returns how long ago a time was. It is never negative: clocks differ, and may be set back.
func since(at, now time.Time) time.Duration { return max(0, now.Sub(at)) }
