package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"marketplace/shared/license"
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

// The mails that are to be sent stand together.
const (
	pendingPK     = "OUTBOX"
	pendingPrefix = "PENDING#"
)

func pendingKey(mailID string) table.Key {
	return table.Key{PK: pendingPK, SK: pendingPrefix + mailID}
}

// A client's token may be long and hold anything.
func idempotencyKey(token string) table.Key {
	sum := sha256.Sum256([]byte(token))
	return table.Key{PK: "IDEMPOTENCY#" + hex.EncodeToString(sum[:]), SK: "REQUEST"}
}

// The open requests stand by state, the oldest first.
func queueKey(r request.Request) table.Key {
	return table.Key{PK: "QUEUE#" + string(r.State), SK: r.Created.UTC().Format(time.RFC3339) + "#" + r.ID}
}

// The reminders to come stand by month, in the order of their days: one row a license, its next reminder.
func duePK(month license.Date) string { return "DUE#" + month.String()[:len("2006-01")] }

func dueKey(day license.Date, licenseID string) table.Key {
	return table.Key{PK: duePK(day), SK: day.String() + "#" + licenseID}
}

// Licenses stand by the month in which they expire, in the order of the days.
func expiryKey(l license.License) table.Key {
	day := l.Expiration.String()
	return table.Key{PK: "EXPIRY#" + day[:len("2006-01")], SK: day + "#" + l.ID}
}

// What is known of a dataset, an e-mail address and a company stands together: requests and licenses side by side.
func datasetPK(s license.Server) string { return "DATASET#" + s.Dataset() }
func emailPK(email string) string       { return "EMAIL#" + strings.ToLower(email) }
func companyPK(company string) string {
	return "COMPANY#" + strings.ToLower(strings.Join(strings.Fields(company), " "))
}

func datasetGuardKey(s license.Server) table.Key {
	return table.Key{PK: datasetPK(s), SK: "DATASET"}
}

const (
	requestPrefix = "REQUEST#"
	licensePrefix = "LICENSE#"
)
