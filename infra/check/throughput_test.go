package check

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

const performanceFile = "infra/docs/performance.md"

// What DynamoDB allows for one partition key in a second (Developer Guide, "Designing partition keys").
const (
	maxWriteUnits = 1000
	maxReadUnits  = 3000
)

// wanted is how many mails a second the outbox has to send.
const wanted = 2000

// byHeat lists the partitions, the busiest first.
func byHeat(partitions map[string]tabletest.Use) []string {
	return slices.SortedFunc(maps.Keys(partitions), func(a, b string) int {
		return cmp.Or(-cmp.Compare(partitions[a].WriteUnits, partitions[b].WriteUnits), cmp.Compare(a, b))
	})
}

// rate is how many mails a second the busiest partition allows.
func rate(mails int, partitions map[string]tabletest.Use) (perSecond int, busiest string) {
	keys := byHeat(partitions)
	return mails * maxWriteUnits / partitions[keys[0]].WriteUnits, keys[0]
}

// hottest lists the busiest partitions, for the log.
func hottest(mails int, partitions map[string]tabletest.Use) string {
	var lines []string
	keys := byHeat(partitions)
	for _, pk := range keys[:min(8, len(keys))] {
		use := partitions[pk]
		lines = append(lines, fmt.Sprintf("%-28s %6d write units, %.4f for each mail: %d mails a second", pk,
			use.WriteUnits, float64(use.WriteUnits)/float64(mails), mails*maxWriteUnits/max(1, use.WriteUnits)))
	}
	return strings.Join(lines, "\n")
}

// TestOutboxSendsTwoThousandMailsASecond counts the write units of every partition: to send 6,000 mails of 3,000
// customers, and to record that they were accepted and delivered. The mails are queued by requests, which are counted
// apart, and so are 1,000 reminders.
func TestOutboxSendsTwoThousandMailsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2018, 6, 4, 9, 0, 0, 0, time.UTC)))
		e := newCostEnv(t, license.Issuer{})
		const customers, mails = 3_000, 6_000
		for i := range mails {
			d := details(i % customers)
			d.Company = fmt.Sprintf("%x %x", 1_000_003*(i+1), 7_919*(i+1))
			_, _, err := e.FileRequest(t.Context(), store.Filing{Details: d})
			e.must(err)
		}
		filed, filedBy := rate(mails, e.meter.Spent().Partitions)
		t.Logf("queueing by requests:\n%s", hottest(mails, e.meter.Spent().Partitions))

		e.meter.Reset()
		p := &recorder{perSecond: wanted}
		begun := time.Now()
		e.sendAll(p)
		took := time.Since(begun)
		if len(p.sent) != mails || took > 4*time.Second {
			t.Fatalf("got %d mails sent in %v, want %d in 3 seconds", len(p.sent), took, mails)
		}
		e.deliver(p)
		s := e.meter.Spent()
		sending, sendingBy := rate(mails, s.Partitions)
		t.Logf("sending, with events:\n%s", hottest(mails, s.Partitions))
		if sending < wanted {
			t.Errorf("got %d mails a second by the write units of %s, want %d", sending, sendingBy, wanted)
		}
		for pk, use := range s.Partitions {
			if perSecond := use.ReadUnits * wanted / mails; perSecond > maxReadUnits {
				t.Errorf("%s: got %d read units a second, want at most %d", pk, perSecond, maxReadUnits)
			}
		}

		reminded, remindedBy := e.remind()
		page := read(t, performanceFile)
		for _, line := range []string{
			fmt.Sprintf("| sending, with SES's events | %d | %s |", round(sending), "`"+kindOfPartition(sendingBy)+"`"),
			fmt.Sprintf("| queueing by requests | %d | %s |", round(filed), "`"+kindOfPartition(filedBy)+"`"),
			fmt.Sprintf("| queueing by the daily run | %d | %s |", round(reminded), "`"+kindOfPartition(remindedBy)+"`"),
		} {
			if !strings.Contains(page, "\n"+line+"\n") {
				t.Errorf("%s has no line %s", performanceFile, line)
			}
		}
	})
}

// round keeps two digits of a number.
func round(n int) int {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// recorder is a provider that accepts everything at a rate.
type recorder struct {
	perSecond float64
	sent      []mail.Message
}

func (r *recorder) Send(ctx context.Context, m mail.Message) (string, error) {
	r.sent = append(r.sent, m)
	return sent{}.Send(ctx, m)
}

func (r *recorder) Quota(context.Context) (mail.Quota, error) {
	return mail.Quota{PerSecond: r.perSecond}, nil
}

// sendAll sends everything that is ready, with letters of a line: where real ones are kept, nothing else is.
func (e *costEnv) sendAll(p *recorder) {
	e.t.Helper()
	err := dispatch.New(dispatch.Options{
		Outbox: e.Outbox(), Records: e, Sender: p, Now: time.Now, Log: slog.New(slog.DiscardHandler), AtOnce: 1,
		Write: func(n notice.Notice, _ notice.Records, c letter.Call) (mail.Message, error) {
			return mail.Message{ID: n.ID, Kind: n.Kind, About: n.About, To: mail.Address{Email: n.To.Email},
				Text: "Hello", Attempt: c.Attempt}, nil
		},
	}).Run(e.t.Context())
	e.must(err)
}

// deliver records that each mail was accepted and delivered.
func (e *costEnv) deliver(p *recorder) {
	e.t.Helper()
	for _, m := range p.sent {
		id, _ := sent{}.Send(e.t.Context(), m)
		for _, o := range []outbox.Outcome{outbox.Accepted, outbox.Delivered} {
			r := outbox.Report{Mail: m.ID, Attempt: m.Attempt, ProviderID: id, Recipient: m.To.Email, Outcome: o,
				At: time.Now().UTC()}
			e.must(last(e.RecordReport(e.t.Context(), r)))
		}
	}
}

// remind queues the reminders of 1,000 licenses that expire in two months, and returns how many a second the busiest
// partition allows.
func (e *costEnv) remind() (perSecond int, busiest string) {
	e.t.Helper()
	const licenses = 1_000
	expiration := license.DateOf(time.Now()).AddMonths(2)
	for i := range licenses {
		d := details(i)
		storetest.Record(e.t, e.Store.Store, license.License{
			Type: license.Production, Organization: strconv.Itoa(i) + " AG", Server: d.Server + "x", Edition: d.Edition,
			MaxLoc: 2_000_000, NotBefore: expiration.AddMonths(-12), Expiration: expiration,
			KeyText: strings.Repeat("k", 900), // about as long as a real one
		}, license.Contact{Name: d.Name, Email: d.Email})
	}
	e.meter.Reset()
	e.must(e.daily().Run(e.t.Context()))
	partitions := e.meter.Spent().Partitions
	e.t.Logf("queueing by the daily run:\n%s", hottest(licenses, partitions))
	return rate(licenses, partitions)
}
