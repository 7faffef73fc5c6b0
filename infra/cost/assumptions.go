package cost

// Assumption is what nobody can measure before there are customers. Whoever has a month's figures puts them here.
type Assumption struct {
	What  string
	Value float64
}

// What the catalog's callers do, and how CloudFront keeps documents: a document is fetched again when it has expired
// in one of the regional caches.
const (
	hours          = 730 // of a month
	regionalCaches = 13
	codings        = 2   // that browsers ask for: brotli and gzip
	headerBytes    = 700 // of an answer
)

// What is done about a license in a year.
const (
	pages        = 60 // of the site: the form, status pages, the key check, files of pages
	accountPages = 10
	consolePages = 40
	pageBytes    = 12e3 // compressed, with its headers
	downloads    = 3    // of packages
	packageBytes = 60e6
	rowsShare    = 0.4 // of the kilobytes written, what stays: rows are replaced, and none fills its kilobyte
	yearsKept    = 3
	packagesKept = 24
	backupsKept  = 35 + 12        // copies of the whole table (template.yaml, BackupPlan)
	eventsOfMail = 2              // send and delivery
	callsOfEvent = 3              // of a queue: sent, received, deleted
	signatures   = 1.2            // renewals and replaced keys
	linesOfPage  = 1500           // bytes of logs: API Gateway's, Lambda's and CloudFront's
	linesOfFetch = 650            // bytes of logs: API Gateway's and Lambda's
	linesOfRun   = 900            // bytes of logs
	robots       = 200_000        // requests of robots and monitors to the site, a month
	instances    = 5              // of functions that are warm and look for a published catalog every minute
	queueWaits   = 10             // of Lambda on the two queues at a time, each 20 seconds long
	secretReads  = 3 * 12 * hours // of the account's secret and the console's two, every five minutes
)

// How long functions run, in seconds.
const (
	catalogRuns  = 0.005
	pageRuns     = 0.060
	consoleRuns  = 0.120
	sweepRuns    = 0.300
	dailyRuns    = 2.0
	lateRuns     = 0.100
	bridgeRuns   = 0.100
	reminderRuns = 0.050 // more for each reminder
	mailRuns     = 0.150 // more for each email
	eventRuns    = 0.050
)

// yearly is how often an operation of storage.md is done about a license in a year.
var yearly = []struct {
	Operation string
	Times     float64
}{
	{"file a request, with an email", 1},
	{"send its email", 1},
	{"confirm a request", 1},
	{"turn its notice into an email to sales", 1},
	{"send the email to sales", 1},
	{"a page of the queue", 4},
	{"find the customers of a request", 1},
	{"find customers by two words", 2},
	{"read a customer, and one that was merged into it", 4},
	{"a page of its timeline", 2},
	{"take a request into review", 1},
	{"renew a contract with its two instances", 0.5}, // of two licenses
	{"send a license key", 1},
	{"replace a server ID and both keys for it", 0.1},
	{"record a reminder, with its email", 2},
	{"send a reminder", 2},
	{"record that SES accepted an email", 5.1},
	{"record that it was delivered", 5},
	{"record a bounce and write to the next contact", 0.1},
	{"delete an expired request", 0.1},
}

// mails is how many emails are sent about a license in a year: two about the request, the key and two reminders, and
// one more for each bounce.
const mails = 5.1

// Assumptions lists all of the above but yearly.
var Assumptions = []Assumption{
	{"hours of a month", hours},
	{"regional caches of CloudFront that fetch a document when it has expired", regionalCaches},
	{"codings that browsers ask for", codings},
	{"bytes of headers in an answer", headerBytes},
	{"requests to the site for each license and year", pages},
	{"pages of an account for each license and year", accountPages},
	{"pages of the console for each license and year", consolePages},
	{"bytes of a page, compressed, with its headers", pageBytes},
	{"downloads of packages for each license and year", downloads},
	{"bytes of a package", packageBytes},
	{"share of the kilobytes written that stays", rowsShare},
	{"years for which it stays", yearsKept},
	{"packages in the bucket", packagesKept},
	{"copies of the table that AWS Backup keeps", backupsKept},
	{"events of SES for each email", eventsOfMail},
	{"calls of a queue for each event", callsOfEvent},
	{"emails for each license and year", mails},
	{"signatures for each license and year", signatures},
	{"bytes of logs for each request to the site", linesOfPage},
	{"bytes of logs for each catalog request that reaches the API", linesOfFetch},
	{"bytes of logs for each run of a job", linesOfRun},
	{"requests of robots and monitors to the site, each month", robots},
	{"warm functions that look for a published catalog every minute", instances},
	{"long polls of Lambda on the two queues at a time", queueWaits},
	{"reads of secrets, each month", secretReads},
	{"seconds: catalog, a run", catalogRuns},
	{"seconds: site, a run", pageRuns},
	{"seconds: console, a run", consoleRuns},
	{"seconds: mailer, a sweep", sweepRuns},
	{"seconds: mailer, more for each email", mailRuns},
	{"seconds: daily run", dailyRuns},
	{"seconds: daily run, more for each reminder", reminderRuns},
	{"seconds: look for late requests", lateRuns},
	{"seconds: look for bridge keys that wait", bridgeRuns},
	{"seconds: mail events, for each event", eventRuns},
}
