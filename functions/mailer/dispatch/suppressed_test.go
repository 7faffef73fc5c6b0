package dispatch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// TestNextContactGetsTheMailsOfASuppressedAddress runs on the store and the letters themselves.
func TestNextContactGetsTheMailsOfASuppressedAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w := newTestEnv(t, &tabletest.Memory{})
		s := delivery.New(store.New(w.faulty, store.Options{Now: time.Now}))
		l := license.License{
			ID: "l1", Type: license.Production, Organization: "Analytical Engines", Server: "AWHW8w9JtzBzSrmf9GQX",
			Edition: license.Developer, MaxLoc: 1, KeyText: "Rm9ybWF0PTEK",
			Expiration: license.DateOf(time.Now()).AddDays(90),
		}
		ada := license.Contact{Name: "Ada Lovelace", Email: "ada@example.org"}
		it := license.Contact{Email: "it@example.org"}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		l = storetest.Record(t, s.Store, l, ada, it).License
		p := &provider{}
		sales := mail.Address{Email: "ada@example.org"} // also a customer here
		letters := letter.Writer{URL: "https://licenses.example.com", Sales: sales}
		d := New(Options{
			Outbox: s.Outbox(), Records: s, Sender: p, Now: time.Now, Log: logging.New(&w.log, "test"),
			Write: letters.With(func() (*catalog.Catalog, error) { return nil, nil }),
		})
		bounce := func(id string) {
			t.Helper()
			_, err := s.RecordReport(ctx, outbox.Report{Mail: id, ProviderID: "c", Outcome: outbox.Bounced})
			must(err)
		}
		idOf := func(to license.Contact, nonce string) string { return notice.LicenseKeyAgain(l, to, nonce).ID }

		must(s.SendKeyAgain(ctx, l.ID, "sam", ada, "k1"))
		w.run(d)
		bounce(idOf(ada, "k1"))
		must(s.SendKeyAgain(ctx, l.ID, "sam", ada, "k2"))
		w.run(d)
		got := p.accepted()
		for _, nonce := range []string{"k1", "k2"} {
			id := notice.LicenseKeyAgain(l, ada, nonce).ToContact(it).ID
			if got[id] != 1 {
				t.Errorf("the next contact got %s %d times, want once: %v", id, got[id], got)
			}
		}
		m, err := s.Outbox().Read(ctx, idOf(ada, "k2"))
		if must(err); got[m.ID] != 0 || m.State.Status != outbox.Failed || !strings.Contains(m.State.Cause, "bounced") {
			t.Errorf("the suppressed address got a mail: %v; %+v", got, m.State)
		}

		bounce(notice.LicenseKeyAgain(l, ada, "k1").ToContact(it).ID)
		must(s.SendKeyAgain(ctx, l.ID, "sam", ada, "k3"))
		w.run(d)
		if got, task := p.accepted(), notice.LicenseUnreached(l).ID; got[idOf(ada, "k3")] != 0 || got[task] != 1 {
			t.Errorf("sales did not get the task, or a customer got a mail: %v", got)
		}
		w.logged("its address is suppressed")
		if log := w.log.String(); strings.Contains(log, "@") || strings.Contains(log, "Lovelace") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestSuppressionThatCannotBeReadKeepsTheMail has a table that fails for that row alone.
func TestSuppressionThatCannotBeReadKeepsTheMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(soon("m", "a.example"))
		w.records.suppressed = func(string) (*delivery.Suppression, error) { return nil, fmt.Errorf("no answer") }
		p := &provider{}
		d := w.dispatcher(p)
		if err := d.Run(context.Background()); err == nil || len(p.calls) != 0 || w.status("m--r") != outbox.Waiting {
			t.Errorf("got %v, %d calls, %s; want an error, and the mail ready", err, len(p.calls), w.status("m--r"))
		}
		w.records.suppressed = nil
		w.run(d)
		w.eachOnce(p, []string{"m--r"})
	})
}
