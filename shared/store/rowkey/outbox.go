package rowkey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/mail/notice"
	"marketplace/shared/table"
)

// MailsPK is the partition of the mails about a request or a license: each with its state and what the provider
// reported about it.
func MailsPK(about string) string { return "MAILS#" + about }

// Mail is the row of a mail itself: what to tell whom.
func Mail(id string) table.Key { return table.Key{PK: MailsPK(notice.AboutID(id)), SK: id} }

// Parts of the sort keys of a mail's further rows, behind its ID.
const (
	StateSuffix = "#STATE"
	ReportPart  = "#REPORT#"
)

// DuePart begins the part of the sort key after the mail's ID, of a license in a digest.
const DuePart = "#due#"

// DigestDue is the row of a license in a digest.
func DigestDue(digestID, licenseID string) table.Key {
	return table.Key{PK: Mail(digestID).PK, SK: digestID + DuePart + licenseID}
}

// InSuffix ends the sort key of the row that says in which digest a contact is reminded of a license.
const InSuffix = "#in"

// Reminded is the row that says in which digest a contact is reminded of a license: see notice.Due.Guard.
func Reminded(guardID string) table.Key {
	return table.Key{PK: Mail(guardID).PK, SK: guardID + InSuffix}
}

// DigestsOf asks for every row of the mails whose IDs begin like that of a digest: it, its repetitions, and of a
// beginning without the number, all digests of the day.
func DigestsOf(beginning string) table.Query {
	return table.Query{PK: Mail(beginning).PK, From: beginning, To: beginning + "~"}
}

// UnsubscribedPK is the partition of the addresses that unsubscribed from the reminders of a license.
func UnsubscribedPK(licenseID string) string { return "UNSUBSCRIBED#" + licenseID }

// Unsubscribed is the row of an address that unsubscribed from the reminders of a license, whatever its spelling
// (input.Mailbox).
func Unsubscribed(licenseID, email string) table.Key {
	return table.Key{PK: UnsubscribedPK(licenseID), SK: input.Mailbox(email)}
}

// MailState is the row that says how far sending a mail is.
func MailState(id string) table.Key { return table.Key{PK: Mail(id).PK, SK: id + StateSuffix} }

// Report is the row of a report. providerID, outcome and recipient tell the reports about a mail apart.
func Report(mailID, providerID, outcome, recipient string) table.Key {
	sum := sha256.Sum256([]byte(providerID + "\x00" + outcome + "\x00" + input.Mailbox(recipient)))
	return table.Key{PK: Mail(mailID).PK, SK: mailID + ReportPart + hex.EncodeToString(sum[:16])}
}

// MailRows asks for every row of a mail: itself, its reports, its state.
func MailRows(id string) table.Query {
	return table.Query{PK: Mail(id).PK, From: id, To: id + string('#'+1)}
}

// Letter is the row of a mail as an attempt sent it; attempts count from 1.
func Letter(mailID string, attempt int) table.Key {
	return table.Key{PK: "LETTER#" + mailID, SK: fmt.Sprintf("%06d", attempt)}
}

// LettersOf asks for a mail as all attempts sent it.
func LettersOf(mailID string) table.Query { return table.Query{PK: Letter(mailID, 1).PK} }

// Shards is into how many partitions the outbox is divided, for each rank.
const Shards = 16

// Shard is the part of the outbox that has the mails of a customer.
func Shard(customer string) int {
	h := fnv.New32a()
	h.Write([]byte(customer))
	return int(h.Sum32() % Shards)
}

// stamp formats a time so that texts are in the order of the times, to the millisecond.
func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

const stampLayout = "2006-01-02T15:04:05.000Z"

// ReadyPrefix begins the partitions of the mails of a rank that are ready.
func ReadyPrefix(rank int) string { return "OUTBOX#" + strconv.Itoa(rank) + "#" }

// ReadyPK is the partition of the mails of a rank and shard that are ready to be sent, in the order in which they are.
func ReadyPK(rank, shard int) string { return ReadyPrefix(rank) + hexDigit(shard) }

func hexDigit(shard int) string { return strconv.FormatInt(int64(shard), 16) }

// Ready is the row of a mail that is ready. turn is its place among the mails of its customer that got ready with it.
func Ready(rank, shard int, ready time.Time, turn int, mailID string) table.Key {
	return table.Key{PK: ReadyPK(rank, shard), SK: fmt.Sprintf("%s#%06d#%s", stamp(ready), turn, mailID)}
}

// LaterPK is the partition of the mails of a shard that are paused, in the order in which they get ready.
func LaterPK(shard int) string { return "LATER#" + hexDigit(shard) }

// Later is the row of a mail that is paused.
func Later(shard int, notBefore time.Time, rank int, mailID string) table.Key {
	return table.Key{PK: LaterPK(shard), SK: fmt.Sprintf("%s#%d#%s", stamp(notBefore), rank, mailID)}
}

// LaterDue asks for the mails of a shard whose pause is over.
func LaterDue(shard int, now time.Time) table.Query {
	return table.Query{PK: LaterPK(shard), To: stamp(now.Add(time.Millisecond))}
}

// LaterAgain is where the row of a ready mail goes that cannot be read, and so says nothing of itself but its key.
func LaterAgain(ready table.Key, notBefore time.Time) table.Key {
	parts := strings.Split(ready.PK, "#") // OUTBOX, rank, shard
	return table.Key{PK: "LATER#" + parts[2], SK: stamp(notBefore) + "#" + parts[1] + "#" + MailOf(ready)}
}

// ReadyAgain is LaterAgain the other way round.
func ReadyAgain(later table.Key) table.Key {
	_, shard, _ := strings.Cut(later.PK, "#")
	parts := strings.Split(later.SK, "#") // time, rank, mail
	return table.Key{PK: "OUTBOX#" + parts[1] + "#" + shard, SK: parts[0] + "#000000#" + parts[2]}
}

// ReadySince returns since when the mail of a ready row is ready; the zero Time if the key does not tell.
func ReadySince(key table.Key) time.Time {
	at, _ := time.Parse(stampLayout, key.SK[:min(len(stampLayout), len(key.SK))])
	return at
}

// MailOf returns the ID of the mail that a row of the outbox is about.
func MailOf(key table.Key) string { return key.SK[strings.LastIndexByte(key.SK, '#')+1:] }

// Lease is the row that says which mailer may send.
func Lease() table.Key { return table.Key{PK: "MAILER", SK: "LEASE"} }

// FailedPK is the partition of the mails that were given up, the newest last.
const FailedPK = "FAILEDMAIL"

// Failed is the row of a mail that was given up.
func Failed(at time.Time, mailID string) table.Key {
	return table.Key{PK: FailedPK, SK: stamp(at) + "#" + mailID}
}

// FailedSince asks for the mails that were given up at a time or later.
func FailedSince(at time.Time) table.Query { return table.Query{PK: FailedPK, From: stamp(at)} }

// InDoubtPK is the partition of the mails of which nobody knows whether the provider accepted them.
const InDoubtPK = "INDOUBT"

// InDoubt is the row of a mail of which nobody knows whether the provider accepted it.
func InDoubt(mailID string) table.Key { return table.Key{PK: InDoubtPK, SK: mailID} }
