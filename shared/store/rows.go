package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// rowType is the `type` of a row, for whoever reads the table.
type rowType string

const (
	rowRequest     rowType = "request"
	rowLicense     rowType = "license"
	rowEvent       rowType = "event"       // a line of a timeline
	rowIndex       rowType = "index"       // names an entity from another side, with a summary of it
	rowIdempotency rowType = "idempotency" // a client's token and the request that it made
	rowDataset     rowType = "dataset"     // guards the licenses of one dataset against each other
	rowDue         rowType = "due"         // the next reminder of a license
	rowMail        rowType = "mail"
	rowPending     rowType = "pending" // a mail that is to be sent
	rowDead        rowType = "dead"    // a mail that was given up
	rowStats       rowType = "stats"   // counts of licenses

	rowReport      rowType = "report"      // what the provider said of a mail after it took it
	rowSuppression rowType = "suppression" // no mail goes to an address any more
	rowSession     rowType = "session"     // a session of the console that somebody signed out of
)

// Every key of the table. '#' parts the pieces. What a person typed is the last piece of a partition key, so that it can
// hold a '#', or it is hashed.

func requestKey(id string) table.Key { return table.Key{PK: "REQUEST#" + id, SK: "REQUEST"} }
func licenseKey(id string) table.Key { return table.Key{PK: "LICENSE#" + id, SK: "LICENSE"} }
func mailKey(id string) table.Key    { return table.Key{PK: "MAIL#" + id, SK: "MAIL"} }

// A timeline stands in the partition of its entity, in the order in which things happened.
const eventPrefix = "EVENT#"

func eventKey(entity table.Key, eventID string) table.Key {
	return table.Key{PK: entity.PK, SK: eventPrefix + eventID}
}

// The mails about a request or a license stand together.
func aboutPK(id string) string { return "ABOUT#" + id }

func aboutKey(m mail.Message) table.Key { return table.Key{PK: aboutPK(m.About), SK: m.ID} }

// The mails that are to be sent stand together.
const (
	pendingPK     = "OUTBOX"
	pendingPrefix = "PENDING#"
)

func pendingKey(mailID string) table.Key {
	return table.Key{PK: pendingPK, SK: pendingPrefix + mailID}
}

// So do those that were given up, the newest last.
const deadPK = "DEADMAIL"

func deadKey(at time.Time, mailID string) table.Key {
	return table.Key{PK: deadPK, SK: at.UTC().Format(time.RFC3339) + "#" + mailID}
}

// What the provider said of a mail stands with the mail, and for a while in a list of all, the newest last.
const (
	reportPrefix = "REPORT#"
	reportedPK   = "REPORTED"
)

func reportKey(r Report) table.Key {
	sum := sha256.Sum256([]byte(r.ProviderID + "\x00" + string(r.Outcome) + "\x00" + strings.ToLower(r.Recipient)))
	return table.Key{PK: mailKey(r.Mail).PK, SK: reportPrefix + hex.EncodeToString(sum[:16])}
}

func reportedKey(at time.Time, r Report) table.Key {
	key := reportKey(r)
	return table.Key{PK: reportedPK, SK: at.UTC().Format(time.RFC3339) + "#" + r.Mail + "#" + key.SK[len(reportPrefix):]}
}

// An address that no mail goes to stands with what is known of it; the licenses none of whose contacts is left, together.
func suppressionKey(email string) table.Key { return table.Key{PK: emailPK(email), SK: "SUPPRESSED"} }

const unreachedPK = "UNREACHED"

func unreachedKey(licenseID string) table.Key { return table.Key{PK: unreachedPK, SK: licenseID} }

// A client's token may be long and hold anything.
func idempotencyKey(token string) table.Key {
	sum := sha256.Sum256([]byte(token))
	return table.Key{PK: "IDEMPOTENCY#" + hex.EncodeToString(sum[:]), SK: "REQUEST"}
}

// A session's ID tells nothing of who it is.
func endedSessionKey(id string) table.Key { return table.Key{PK: "SESSION#" + id, SK: "ENDED"} }

// The requests of a state stand in the order in which they are due: all of them, and once more for each kind, each
// edition, and both, so that a filtered list is read as fast as the whole one. What is in review stands so for its reviewer as
// well.
func queuePK(state request.State, kind request.Kind, edition license.Edition, reviewer string) string {
	return "QUEUE#" + string(state) + "#" + string(kind) + "#" + string(edition) + "#" + reviewer
}

func queueKeys(r request.Request) (keys []table.Key) {
	sk := r.Due.UTC().Format(time.RFC3339) + "#" + r.ID
	reviewers := []string{""}
	if r.State == request.InReview {
		reviewers = append(reviewers, r.Reviewer)
	}
	for _, kind := range []request.Kind{"", r.Kind} {
		for _, edition := range []license.Edition{"", r.Edition} {
			for _, reviewer := range reviewers {
				keys = append(keys, table.Key{PK: queuePK(r.State, kind, edition, reviewer), SK: sk})
			}
		}
	}
	return keys
}

// The requests that came in a week, and those that were answered with a license in it, stand together.
func weekPK(day license.Date) string {
	year, week := day.Start().ISOWeek()
	return fmt.Sprintf("WEEK#%04d-W%02d", year, week)
}

const (
	filedPrefix  = "FILED#"
	issuedPrefix = "ISSUED#"
)

// The reminders to come stand by month, in the order of their days: one row a license, its next reminder.
func duePK(day license.Date) string { return "DUE#" + day.YearMonth() }

func dueKey(day license.Date, licenseID string) table.Key {
	return table.Key{PK: duePK(day), SK: day.String() + "#" + licenseID}
}

// Licenses stand by the month in which they expire, in the order of the days.
func expiryPK(day license.Date) string { return "EXPIRY#" + day.YearMonth() }

func expiryKey(l license.License) table.Key {
	return table.Key{PK: expiryPK(l.Expiration), SK: l.Expiration.String() + "#" + l.ID}
}

// What is known of a dataset and of an e-mail address stands together: requests and licenses side by side.
func datasetPK(s license.Server) string { return "DATASET#" + s.Dataset() }
func emailPK(email string) string       { return "EMAIL#" + strings.ToLower(email) }

// A company's requests and licenses stand under words of its name, in partitions by the words' first two characters.
func wordKey(word, entity string) table.Key {
	first := []rune(word)[:2]
	return table.Key{PK: "WORD#" + string(first), SK: word + "#" + entity}
}

func datasetGuardKey(s license.Server) table.Key {
	return table.Key{PK: datasetPK(s), SK: "DATASET"}
}

// The staging licenses of a production server stand with its dataset, beside the licenses of the dataset itself.
const stagingPrefix = "STAGING#"

const (
	requestPrefix = "REQUEST#"
	licensePrefix = "LICENSE#"
)
