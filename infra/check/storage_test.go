package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

const storageFile = "infra/docs/storage.md"

// checkRows compares the table of rows with the keys and the types of rows of the code. A key is compared by the
// partition's first part and the beginning of its sort key; "" if that is made of data alone.
func checkRows(page string, keys []table.Key, types []string) []string {
	var documented, listed []string
	for _, row := range tableUnder(page, "Rows") {
		pk := fixed(strings.Trim(row[0], "`"))
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			documented = append(documented, pk+" "+fixed(m[1]))
		}
		listed = append(listed, row[2])
	}
	var real []string
	for _, key := range keys {
		real = append(real, fixed(key.PK)+" "+fixed(key.SK))
	}
	unique := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	problems := differ(storageFile, "the row", unique(documented), unique(real))
	return append(problems, differ(storageFile, "the type", unique(listed), types)...)
}

// fixed returns the beginning of a key that is the same for all rows of a kind: its words in capitals.
func fixed(key string) string { return regexp.MustCompile(`^(?:[A-Z-]+(?:#|$))*`).FindString(key) }

// rowKeys returns one key for each kind of row.
func rowKeys() []table.Key {
	const server license.Server = "BF41A1F2-AWHW8w9JtzBzSrmf9GQX"
	day := license.Date{Year: 2018, Month: 6, Day: 1}
	keys := rowkey.Queue(request.Request{ID: "r", State: request.Received})
	for _, pk := range []string{rowkey.DatasetRequestsPK(server), rowkey.EmailRequestsPK("a@example.com"),
		rowkey.CustomerRequestsPK("c")} {
		keys = append(keys, table.Key{PK: pk, SK: "r"})
	}
	keys = append(keys, rowkey.Customer("c"), rowkey.Guard("c"), rowkey.Contract("c", "k"), rowkey.Instance("c", "i"),
		rowkey.Merged("c", "d"), rowkey.Event(rowkey.CustomerTimeline("c"), "e"), rowkey.Dataset(server),
		rowkey.Server(server, "i"), rowkey.Listed("acme", "c"), rowkey.Domain("acme.example", "c"),
		rowkey.Contact("a@example.com", "c"), rowkey.Word("acme", "c"))
	for _, by := range []string{store.Customer, store.System, operator} {
		keys = append(keys, rowkey.Audit(day.Start(), by, "e"))
	}
	report := rowkey.Report("m", "p", "bounced", "a@example.com")
	return append(keys, rowkey.RequestWord("acme", "r"), rowkey.Request("r"), rowkey.Event(rowkey.Request("r"), "e"),
		rowkey.Named("a@example.com", rowkey.Request("r")), rowkey.Named("a@example.com", rowkey.License("l")),
		rowkey.Named("a@example.com", rowkey.Customer("c")),
		rowkey.Named("a@example.com", rowkey.CustomerTimeline("c")), rowkey.ErasedPerson("h"),
		rowkey.License("l"), rowkey.Event(rowkey.License("l"), "e"), rowkey.Reference("R-000000"),
		rowkey.Idempotency("t", "f"), rowkey.EndedSession("s"), rowkey.EndedVisit("s"),
		rowkey.SignIn("a@example.com", day.Start(), false, 1), rowkey.Colleague("a@example.com"),
		rowkey.ToDelete(day.Start(), "r"), rowkey.Deletion(day, "retention"), rowkey.Reply("t"),
		table.Key{PK: rowkey.WeekPK(day), SK: rowkey.FiledPrefix + "r"},
		table.Key{PK: rowkey.WeekPK(day), SK: rowkey.IssuedPrefix + "r"},
		rowkey.Due(day, "l"), rowkey.Expiry(license.License{ID: "l", Expiration: day}), rowkey.Stats(day, 0),
		rowkey.Suppression("a@example.com"), rowkey.ErasureAsked("a@example.com"),
		rowkey.Mail("m"), rowkey.MailState("m"), report, rowkey.Letter("m", 1),
		rowkey.Ready(1, 0, time.Time{}, 0, "m"), rowkey.Later(0, time.Time{}, 1, "m"), rowkey.Lease(),
		rowkey.InDoubt("m"), rowkey.DailyRun(), rowkey.Failed(time.Time{}, "m"),
		rowkey.Reported(time.Time{}, report), rowkey.Unreached("l"),
		rowkey.Untold("r"), rowkey.Bridge("r"),
		rowkey.ConfirmationSlot("a@example.com", day, 1), rowkey.ConfirmedMailbox("a@example.com"),
		rowkey.DomainRequest("example.com", day, "r"), rowkey.DomainAlarm("example.com", day),
		rowkey.Asked("a@example.com", day, "r"), rowkey.DigestDue("m", "l"), rowkey.Reminded("m"),
		rowkey.Unsubscribed("l", "a@example.com"), rowkey.Event(rowkey.Unsubscribed("l", ""), "e"))
}

// rowTypes returns the types of rows that the code declares.
func rowTypes(t *testing.T) []string {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\tType\w+ +Type += "(\w+)"`).FindAllStringSubmatch(read(t,
		"shared/store/rowkey/rowkey.go"), -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestStorageListsEveryRow(t *testing.T) {
	report(t, checkRows(read(t, storageFile), rowKeys(), rowTypes(t)))
}

func TestRowCheckFinds(t *testing.T) {
	row := func(pk, sk, kind string) string { return fmt.Sprintf("| `%s` | %s | %s | what |\n", pk, sk, kind) }
	page := "\n## Rows\n\n| PK | SK | type | what |\n|---|---|---|---|\n" +
		row("MAIL#<id>", "`MAIL`, `REPORT#<hash>`", "mail") + row("GONE", "`<id>`", "gone")
	finds(t, checkRows(page, []table.Key{{PK: "MAIL#m", SK: "MAIL"}, {PK: "NEW", SK: "n"}}, []string{"mail", "new"}),
		"the row MAIL# REPORT# does not exist", "the row GONE  does not exist", "the row NEW  is missing",
		"the type gone does not exist", "the type new is missing")
}
