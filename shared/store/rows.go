package store

import (
	"marketplace/shared/license"
	"marketplace/shared/table"
)

// rowType is the `type` of a row, for whoever reads the table.
type rowType string

const (
	rowRequest     rowType = "request"
	rowLicense     rowType = "license"
	rowEvent       rowType = "event"       // a line of a timeline
	rowIndex       rowType = "index"       // names an entity from another side
	rowIdempotency rowType = "idempotency" // a client's token and the request that it made
	rowDue         rowType = "due"         // the next reminder of a license
	rowMail        rowType = "mail"
	rowPending     rowType = "pending" // a mail that is to be sent
)

// Every key of the table. '#' parts the pieces; what comes from outside is hashed or has no '#'.
func requestKey(id string) table.Key { return table.Key{PK: "REQUEST#" + id, SK: "REQUEST"} }
func licenseKey(id string) table.Key { return table.Key{PK: "LICENSE#" + id, SK: "LICENSE"} }

func mailKey(id string) table.Key { return table.Key{PK: "MAIL#" + id, SK: "MAIL"} }

const (
	pendingPK     = "OUTBOX"
	pendingPrefix = "PENDING#"
)

func pendingKey(id string) table.Key { return table.Key{PK: pendingPK, SK: pendingPrefix + id} }

// A timeline stands in the partition of its entity, in the order in which things happened.
const eventPrefix = "EVENT#"

func eventKey(entity table.Key, eventID string) table.Key {
	return table.Key{PK: entity.PK, SK: eventPrefix + eventID}
}

// The reminders to come stand by month of their day, in the order of days: one row a license, its next reminder.
func duePK(day license.Date) string { return "DUE#" + day.String()[:len("2006-01")] }

func dueKey(day license.Date, licenseID string) table.Key {
	return table.Key{PK: duePK(day), SK: day.String() + "#" + licenseID}
}
