// Package cost works out what the stack costs each month (infra/docs/costs.md), from list prices, from the capacity
// units that storage.md counts, from what is in template.yaml, and from assumptions. Its test compares the page.
package cost

import (
	"fmt"
	"math"
)

// Counted is what the tree itself tells.
type Counted struct {
	Units  map[string]Units // of each operation of storage.md
	Memory map[string]int   // MB of each function, by logical ID (stack.md)
	Alarms int
	Keys   int // in KMS
	Limits int // rules of the WebACL
	// Secrets are those of template.yaml, and that of the distributions' header.
	Secrets int
	// Metrics are those that the functions publish, each of one stage; Downloads are the editions and versions by which
	// downloads are counted.
	Metrics, Downloads int
	Document           int // bytes of /editions.json in brotli
	Fresh              int // seconds for which a document is fresh
}

// Units are capacity units of DynamoDB.
type Units struct{ Reads, Writes float64 }

// Line is what something costs in a month.
type Line struct {
	Service, What string
	Dollars       float64
}

// Sum adds lines up.
func Sum(lines []Line) (dollars float64) {
	for _, l := range lines {
		dollars += l.Dollars
	}
	return dollars
}

// seconds are the GB-seconds of so many runs of a function.
func (c Counted) seconds(function string, runs, each float64) float64 {
	mb := c.Memory[function]
	if mb == 0 {
		panic(fmt.Sprintf("cost: stack.md has no memory of %s", function))
	}
	return runs * each * float64(mb) / 1024
}

func (c Counted) units(operation string) Units {
	u, ok := c.Units[operation]
	if !ok {
		panic(fmt.Sprintf("cost: storage.md does not count %q", operation))
	}
	return u
}

// Idle is the stack by itself, when nobody asks for anything but robots.
func (c Counted) Idle() []Line {
	const sweeps, lateLooks, bridgeSweeps, days = hours * 60, hours * 6, hours * 6, hours / 24.0
	const gauges = sweeps / 5
	sweep := c.units("a sweep of the mailer with nothing ready")
	publishing := c.units("a sweep that also publishes the gauges")
	late, daily := c.units("look for late requests, with none"), c.units("a daily run with nothing due")
	waiting := c.units("a sweep of the bridge function with nothing waiting")
	reads := (sweeps-gauges)*sweep.Reads + gauges*publishing.Reads + lateLooks*late.Reads + days*daily.Reads +
		bridgeSweeps*waiting.Reads
	writes := (sweeps-gauges)*sweep.Writes + gauges*publishing.Writes + days*daily.Writes
	runs := sweeps + lateLooks + bridgeSweeps + days
	seconds := c.seconds("MailerFunction", sweeps, sweepRuns) + c.seconds("RemindersFunction", lateLooks, lateRuns) +
		c.seconds("RemindersFunction", days, dailyRuns) + c.seconds("BridgeFunction", bridgeSweeps, bridgeRuns)
	return []Line{
		{"Lambda", "the jobs' runs", lambdaRequest.of(runs) + lambdaSecond.of(seconds)},
		{"EventBridge", "their schedules", started.of(runs)},
		{"DynamoDB", "their reads and writes", readUnit.of(reads) + writeUnit.of(writes)},
		{"SQS", "Lambda waiting on two queues", queueCall.of(queueWaits * hours * 3600 / 20)},
		{"WAF", "the ACL and its rules", wafACL.of(1) + wafRule.of(float64(c.Limits))},
		{"site", "requests of robots", c.site(robots, "RequestsFunction", pageRuns)},
		{"CloudFront", "functions looking for a published catalog", cdnRequest.of(instances * hours * 60)},
		{"KMS", "keys", keyMonth.of(float64(c.Keys))},
		{"Secrets Manager", "secrets", secretMonth.of(float64(c.Secrets)) + secretGet.of(secretReads)},
		{"S3", "packages", bucket.of(packagesKept * packageBytes)},
		{"CloudWatch", "alarms", alarmMonth.of(float64(c.Alarms))},
		{"CloudWatch", "the dashboard", dashboardMonth.of(1)},
		{"CloudWatch", "metrics", metricMonth.of(float64(c.Metrics + c.Downloads))},
		{"CloudWatch", "logs of the jobs", logByte.of(runs * linesOfRun)},
	}
}

// site is what so many requests through the site's distribution to a function cost.
func (c Counted) site(requests float64, function string, runs float64) float64 {
	edge := cdnRequest.of(requests) + cdnByte.of(requests*pageBytes) + wafRequest.of(requests)
	seconds := c.seconds(function, requests, runs)
	origin := apiRequest.of(requests) + lambdaRequest.of(requests) + lambdaSecond.of(seconds)
	return edge + origin + logByte.of(requests*linesOfPage)
}

// Expired is how many of so many catalog fetches reach the API: the first one in each regional cache, for each coding,
// after the document has expired there. Fetches that come at random leave some of these times without any.
func (c Counted) Expired(fetches float64) float64 {
	times := regionalCaches * codings * hours * 3600 / float64(c.Fresh)
	return times * -math.Expm1(-fetches/times)
}

// Catalog is what so many catalog fetches cost.
func (c Counted) Catalog(fetches float64) []Line {
	reach := c.Expired(fetches)
	seconds := c.seconds("CatalogFunction", reach, catalogRuns)
	return []Line{
		{"CloudFront", "requests", cdnRequest.of(fetches)},
		{"CloudFront", "bytes", cdnByte.of(fetches * float64(c.Document+headerBytes))},
		{"HTTP API", "what reaches it", apiRequest.of(reach)},
		{"Lambda", "what reaches it", lambdaRequest.of(reach) + lambdaSecond.of(seconds)},
		{"CloudWatch", "its logs", logByte.of(reach * linesOfFetch)},
	}
}

// PerLicense is what DynamoDB reads and writes for a license in a year.
func (c Counted) PerLicense() (sum Units) {
	for _, y := range yearly {
		u := c.units(y.Operation)
		sum.Reads += y.Times * u.Reads
		sum.Writes += y.Times * u.Writes
	}
	return sum
}

// Stored is how many bytes a license keeps in the table. Two write units are a kilobyte.
func (c Counted) Stored() float64 { return c.PerLicense().Writes / 2 * 1024 * rowsShare * yearsKept }

// Licenses is what so many licenses cost in a month, a twelfth of their year.
func (c Counted) Licenses(n float64) []Line {
	month := n / 12
	u, stored := c.PerLicense(), n*c.Stored()
	sent, events := month*mails, month*mails*eventsOfMail
	seconds := c.seconds("RemindersFunction", 2*month, reminderRuns) + c.seconds("MailerFunction", sent, mailRuns) +
		c.seconds("MailEventsFunction", events, eventRuns)
	return []Line{
		{"DynamoDB", "writes", writeUnit.of(month * u.Writes)},
		{"DynamoDB", "reads", readUnit.of(month * u.Reads)},
		{"DynamoDB", "storage", tableByte.of(stored)},
		{"DynamoDB", "point-in-time recovery", recoverByte.of(stored)},
		{"AWS Backup", "copies", backupByte.of(stored * backupsKept)},
		{"site", "requests: CloudFront, WAF, API, Lambda, logs", c.site(month*pages, "RequestsFunction", pageRuns)},
		{"site", "accounts: the same", c.site(month*accountPages, "AccountFunction", pageRuns)},
		{"site", "console: the same", c.site(month*consolePages, "ConsoleFunction", consoleRuns)},
		{"CloudFront", "packages", cdnByte.of(month*downloads*packageBytes) + cdnRequest.of(2*month*downloads)},
		{"SES", "emails", email.of(sent)},
		{"SNS, SQS", "their events", topicEvent.of(events) + queueCall.of(events*callsOfEvent)},
		{"Lambda", "reminders, emails and events", lambdaRequest.of(sent+events) + lambdaSecond.of(seconds)},
		{"CloudWatch", "logs of these", logByte.of((sent + events) * linesOfRun)},
		{"KMS", "signatures", signature.of(month * signatures)},
	}
}
