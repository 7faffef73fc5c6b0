package rowkey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// The public site writes requests. All index partitions of requests are their own, so that the site's role can be held
// to them (template.yaml).

// Request is the row of a license request itself.
func Request(id string) table.Key { return table.Key{PK: "REQUEST#" + id, SK: "REQUEST"} }

// Reference is the row of a short reference.
func Reference(r reference.Reference) table.Key {
	return table.Key{PK: "REFERENCE#" + string(r), SK: "REFERENCE"}
}

// Idempotency is the row of a client's token, which may be long and contain anything, with the fingerprint of what
// came with it.
func Idempotency(token, fingerprint string) table.Key {
	sum := sha256.Sum256([]byte(token + "\x00" + fingerprint))
	return table.Key{PK: "IDEMPOTENCY#" + hex.EncodeToString(sum[:]), SK: "REQUEST"}
}

// QueuePK is the partition of the requests in a state, in the order in which they are due: of all kinds, editions and
// reviewers (""), or of some. There is one of a kind, an edition and both for states that are ListedByKind, and one of
// a reviewer for those in review.
func QueuePK(state request.State, kind request.Kind, edition license.Edition, reviewer string) string {
	return "QUEUE#" + string(state) + "#" + string(kind) + "#" + string(edition) + "#" + reviewer
}

// ListedByKind reports whether requests in a state are listed also by kind and edition. Closed ones are: they are many,
// and stay where they are. Open ones are few, and move.
func ListedByKind(state request.State) bool { return !state.Open() && state != UnconfirmedState }

// UnconfirmedState is the state under which the queue lists unconfirmed requests, apart from all others.
const UnconfirmedState request.State = "unconfirmed"

// Queue lists every row of a request in the queue.
func Queue(r request.Request) (keys []table.Key) {
	state := r.State
	if r.Unconfirmed && state.Open() {
		state = UnconfirmedState
	}
	add := func(kind request.Kind, edition license.Edition, reviewer string) {
		sk := r.Due.UTC().Format(time.RFC3339) + "#" + r.ID
		keys = append(keys, table.Key{PK: QueuePK(state, kind, edition, reviewer), SK: sk})
	}
	add("", "", "")
	if ListedByKind(state) {
		add(r.Kind, "", "")
		add("", r.Edition, "")
		add(r.Kind, r.Edition, "")
	}
	if state == request.InReview {
		add("", "", r.Reviewer)
	}
	return keys
}

// Untold is the row of an unconfirmed request that sales was not told of yet.
func Untold(requestID string) table.Key { return table.Key{PK: UntoldPK, SK: requestID} }

// UntoldPK is the partition of the unconfirmed requests that sales was not told of yet, by ID.
const UntoldPK = "UNTOLD"

// BridgesPK is the partition of the requests for bridge keys that wait for their key, by ID. A new row wakes the
// function that issues them.
const BridgesPK = "BRIDGES"

// Bridge is the row of a request that waits for its bridge key.
func Bridge(requestID string) table.Key { return table.Key{PK: BridgesPK, SK: requestID} }

// ToDeletePK is the partition of the requests that ended without a license, in the order of the days on which they are
// to be deleted.
const ToDeletePK = "REQUESTS-TO-DELETE"

// ToDelete is the row of a request that expires at a time.
func ToDelete(expires time.Time, requestID string) table.Key {
	return table.Key{PK: ToDeletePK, SK: license.DateOf(expires).String() + "#" + requestID}
}

// ToDeleteThrough asks for the requests that are to be deleted by the end of a day.
func ToDeleteThrough(day license.Date) table.Query {
	return table.Query{PK: ToDeletePK, To: day.AddDays(1).String()}
}

// ConfirmationsPK is the partition of what was sent to an email address, however it is written (input.Inbox), to have
// requests confirmed.
func ConfirmationsPK(email string) string { return "CONFIRMATIONS#" + input.Inbox(email) }

// ConfirmationSlot is the row of the nth email of a day that has an address confirm requests.
func ConfirmationSlot(email string, day license.Date, n int) table.Key {
	return table.Key{PK: ConfirmationsPK(email), SK: fmt.Sprintf("%s#%02d", day, n)}
}

// AskedPK is the partition of the requests that a contact was asked about on a day.
func AskedPK(email string, day license.Date) string {
	return "ASKED#" + day.String() + "#" + input.Mailbox(email)
}

// Asked is the row of a request that a contact was asked about.
func Asked(email string, day license.Date, requestID string) table.Key {
	return table.Key{PK: AskedPK(email, day), SK: requestID}
}

// SlotOf returns the day and the n of a ConfirmationSlot; ok is false for other rows.
func SlotOf(key table.Key) (day license.Date, n int, ok bool) {
	of, number, _ := strings.Cut(key.SK, "#")
	day, err := license.ParseDate(of)
	if err == nil {
		n, err = strconv.Atoi(number)
	}
	return day, n, err == nil
}

// ConfirmedMailbox is the row that says when somebody last confirmed a request behind an address. It is the last one of
// its partition.
func ConfirmedMailbox(email string) table.Key {
	return table.Key{PK: ConfirmationsPK(email), SK: "CONFIRMED"}
}

// DomainRequestsPK is the partition of the requests that came from a mail domain on a day.
func DomainRequestsPK(domain string, day license.Date) string {
	return "DOMAIN-REQUESTS#" + day.String() + "#" + domain
}

// DomainRequest is the row of a request among those of its mail domain.
func DomainRequest(domain string, day license.Date, id string) table.Key {
	return table.Key{PK: DomainRequestsPK(domain, day), SK: id}
}

// DomainAlarm is the row that says that sales were told of the many requests of a domain; it is the first of them.
func DomainAlarm(domain string, day license.Date) table.Key {
	return table.Key{PK: DomainRequestsPK(domain, day), SK: "!ALARM"}
}

// Prefixes of sort keys in the partition of a week.
const (
	FiledPrefix  = "FILED#"
	IssuedPrefix = "ISSUED#"
)

// WeekPK is the partition of the requests that were received in the week of a day, and of those that were answered with
// a license in it.
func WeekPK(day license.Date) string {
	year, week := day.Start().ISOWeek()
	return fmt.Sprintf("WEEK#%04d-W%02d", year, week)
}

// DatasetRequestsPK is the partition of the requests for servers of a dataset, by ID.
func DatasetRequestsPK(s license.Server) string { return "DATASET-REQUESTS#" + s.Dataset() }

// EmailRequestsPK is the partition of the requests from an email address, whatever its spelling (input.Mailbox), by
// ID.
func EmailRequestsPK(email string) string { return "EMAIL-REQUESTS#" + input.Mailbox(email) }

// CustomerRequestsPK is the partition of the requests that were linked to a customer, by ID.
func CustomerRequestsPK(customer string) string { return "CUSTOMER-REQUESTS#" + customer }

// RequestWord is the row that finds a request by a word of its company's name, in a partition by the word's first two
// characters.
func RequestWord(word, id string) table.Key {
	return table.Key{PK: "WORD-REQUESTS#" + firstTwo(word), SK: word + "#" + id}
}
