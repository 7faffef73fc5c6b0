// Package rowkey names every row of the table: the key and the type of each, in one place. What a row holds and when it
// is written is in shared/store; infra/docs/storage.md lists both.
//
// '#' separates the parts of a key. Text that a person typed is the last part of a partition key, so that it may
// contain a '#', or it is hashed.
package rowkey

import (
	"fmt"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/table"
)

// Type is the `type` of a row, for whoever reads the table.
type Type string

// Every type of row.
const (
	TypeRequest      Type = "request"
	TypeLicense      Type = "license"
	TypeCustomer     Type = "customer"
	TypeContract     Type = "contract"
	TypeInstance     Type = "instance"
	TypeGuard        Type = "guard"        // changes with all that is on record about a customer
	TypeAudit        Type = "audit"        // a change of the system
	TypeEvent        Type = "event"        // a line of a timeline
	TypeIndex        Type = "index"        // finds an entity by something else than its ID, with a summary of it
	TypeReference    Type = "reference"    // what a short reference names
	TypeIdempotency  Type = "idempotency"  // a client's token and the request that it created
	TypeConfirmation Type = "confirmation" // what an address was sent to have requests confirmed, and that it did
	TypeDataset      Type = "dataset"      // the instances of one dataset
	TypeDue          Type = "due"          // the next reminder of a license
	TypeMail         Type = "mail"         // a mail: what to tell whom
	TypeMailState    Type = "mailstate"    // how far sending it is
	TypeDigestDue    Type = "digestdue"    // a license in a digest
	TypeReminded     Type = "reminded"     // in which digest a contact is reminded of a license
	TypeUnsubscribed Type = "unsubscribed" // an address that unsubscribed from the reminders of a license
	TypeLetter       Type = "letter"       // a mail as one attempt sent it
	TypePending      Type = "pending"      // a mail to send
	TypeFailed       Type = "failed"       // a mail that was given up
	TypeLease        Type = "lease"        // of the mailer
	TypeRun          Type = "run"          // the last complete run of a job
	TypeStats        Type = "stats"        // counts of licenses
	TypeReport       Type = "report"       // what the provider reported about a mail
	TypeSuppression  Type = "suppression"  // a suppressed email address
	TypeSignIn       Type = "signin"       // a sign-in to the account that was begun
	TypeSession      Type = "session"      // a session that somebody signed out of
	TypeErased       Type = "erased"       // what was erased of a person
	TypeErasureAsked Type = "erasureasked" // that a person asked to be erased
	TypeColleague    Type = "colleague"    // somebody who signed in to the console
	TypeDeletion     Type = "deletion"     // what was deleted on a day, in numbers
	TypeReply        Type = "reply"        // a text that sales begin a reply with
)

// LicensePrefix begins sort keys that name a license within a partition of something else.
const LicensePrefix = "LICENSE#"

// License is the row of a license itself.
func License(id string) table.Key { return table.Key{PK: LicensePrefix + id, SK: "LICENSE"} }

// EventPrefix begins the sort keys of a timeline, which shares the partition of its entity, in the order of the events.
const EventPrefix = "EVENT#"

// Event is a line of an entity's timeline.
func Event(entity table.Key, eventID string) table.Key {
	return table.Key{PK: entity.PK, SK: EventPrefix + eventID}
}

// EndedSession is the row of a console session that somebody signed out of. A session's ID does not tell whose it is.
func EndedSession(id string) table.Key { return table.Key{PK: "SESSION#" + id, SK: "ENDED"} }

// SignInsPK is the partition of the sign-ins to their account that were begun with an address, in whatever spelling, in
// the order of the hours.
func SignInsPK(email string) string { return "SIGN-INS#" + input.Mailbox(email) }

// SignIn is the row of the nth sign-in of an hour that was begun with an address, in a browser that signed in with it
// before or in another one.
func SignIn(email string, hour time.Time, known bool, n int) table.Key {
	return table.Key{PK: SignInsPK(email), SK: fmt.Sprintf("%s%02d", signIns(hour, known), n)}
}

// SignInsBy asks for the sign-ins of an hour that were begun with an address, in browsers of one of both kinds.
func SignInsBy(email string, hour time.Time, known bool) table.Query {
	return table.Prefix(SignInsPK(email), signIns(hour, known))
}

// SignInsOf asks for all sign-ins of an hour that were begun with an address.
func SignInsOf(email string, hour time.Time) table.Query {
	return table.Prefix(SignInsPK(email), hourOf(hour)+"#")
}

func signIns(hour time.Time, known bool) string {
	if known {
		return hourOf(hour) + "#known#"
	}
	return hourOf(hour) + "#new#"
}

func hourOf(at time.Time) string { return at.UTC().Format("2006-01-02T15") }

// EndedVisit is the row of a session in a customer's account that somebody signed out of.
func EndedVisit(id string) table.Key { return table.Key{PK: "ACCOUNT-SESSION#" + id, SK: "ENDED"} }

// ColleaguePK is the partition of everybody who signed in to the console, by email address.
const ColleaguePK = "COLLEAGUE"

// Colleague is the row of somebody who signed in to the console.
func Colleague(email string) table.Key { return table.Key{PK: ColleaguePK, SK: email} }

// ErasuresAskedPK is the partition of the people who asked to be erased, by mailbox.
const ErasuresAskedPK = "ERASURES-ASKED"

// ErasureAsked is the row of a person who asked to be erased.
func ErasureAsked(email string) table.Key {
	return table.Key{PK: ErasuresAskedPK, SK: input.Mailbox(email)}
}

// RepliesPK is the partition of the texts that sales begin replies with.
const RepliesPK = "REPLIES"

// Reply is the row of a text that sales begin a reply with.
func Reply(id string) table.Key { return table.Key{PK: RepliesPK, SK: id} }

// SignedIn names, in the audit, the console's sessions of somebody, who may be no colleague.
func SignedIn(email string) string { return ColleaguePK + "#" + email }

// DailyRun is the row of the last complete daily run.
func DailyRun() table.Key { return table.Key{PK: "REMINDERS", SK: "RUN"} }

// DeletionsPK is the partition of the reports about deleted personal data, in the order of the days.
const DeletionsPK = "DELETIONS"

// Deletion is the row of a report about deleted personal data: of a day, and of what deleted it.
func Deletion(day license.Date, by string) table.Key {
	return table.Key{PK: DeletionsPK, SK: day.String() + "#" + by}
}

// DuePK is the partition of the reminders that are due in the month of a day, in the order of the days: one row for
// each license, its next reminder.
func DuePK(day license.Date) string { return "DUE#" + day.YearMonth() }

// Due is the row of a license's next reminder.
func Due(day license.Date, licenseID string) table.Key {
	return table.Key{PK: DuePK(day), SK: day.String() + "#" + licenseID}
}

// ExpiryPK is the partition of the licenses that expire in the month of a day, in the order of the days.
func ExpiryPK(day license.Date) string { return "EXPIRY#" + day.YearMonth() }

// Expiry is the row of a license in the month of its expiration.
func Expiry(l license.License) table.Key {
	return table.Key{PK: ExpiryPK(l.Expiration), SK: l.Expiration.String() + "#" + l.ID}
}

// StatsPK is the partition of the counts of licenses.
const StatsPK = "STATS"

// Stats is the row that counts the licenses of one shard that expire in the month of a day.
func Stats(day license.Date, shard int) table.Key {
	return table.Key{PK: StatsPK, SK: fmt.Sprintf("%s#%02d", day.YearMonth(), shard)}
}

// Suppression is the row of a suppressed email address, whatever its spelling (input.Mailbox).
func Suppression(email string) table.Key {
	return table.Key{PK: "EMAIL#" + input.Mailbox(email), SK: "SUPPRESSED"}
}

// Word is the row that finds an entity by a word of a company's name, in a partition by the word's first two
// characters. entity is the entity's ID with its prefix.
func Word(word, entity string) table.Key {
	return table.Key{PK: "WORD#" + firstTwo(word), SK: word + "#" + entity}
}

func firstTwo(word string) string { return string([]rune(word)[:2]) }

// ReportedPK is the partition of the recent reports about all mails, the newest last.
const ReportedPK = "REPORTED"

// Reported is the row of a report in the list of recent ones. report is the report's own key.
func Reported(at time.Time, report table.Key) table.Key {
	return table.Key{PK: ReportedPK, SK: at.UTC().Format(time.RFC3339) + "#" + report.SK}
}

// UnreachedPK is the partition of the licenses none of whose contacts can be reached, by ID.
const UnreachedPK = "UNREACHED"

// Unreached is the row of a license none of whose contacts can be reached.
func Unreached(licenseID string) table.Key { return table.Key{PK: UnreachedPK, SK: licenseID} }
