package dispatch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// digestEnv has a digest of three licenses to Ada ready; Bob is the next contact. It runs on the store and the letters
// themselves.
type digestEnv struct {
	*testEnv
	s        *delivery.Store
	p        *provider
	d        *Dispatcher
	licenses []license.License
	digest   notice.Notice
	toBob    notice.Notice
}

func inDigestEnv(t *testing.T, f func(ctx context.Context, w *digestEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w := &digestEnv{testEnv: newTestEnv(t, &tabletest.Memory{}), p: &provider{}}
		w.s = delivery.New(store.New(w.faulty, store.Options{Now: time.Now}))
		w.box = w.s.Outbox()
		letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@example.com"}}
		w.d = New(Options{
			Outbox: w.box, Records: w.s, Sender: w.p, Now: time.Now, Log: w.logger,
			Write: letters.With(func() (*catalog.Catalog, error) { return nil, nil }),
		})
		ada := license.Contact{Name: "Ada Lovelace", Email: "ada@example.org"}
		bob := license.Contact{Email: "bob@example.org"}
		today := license.DateOf(time.Now())
		var gathered *outbox.Digest
		for i := range 3 {
			r := storetest.Record(t, w.s.Store, license.License{
				ID: fmt.Sprintf("l%d", i), Type: license.Production, Organization: "Analytical Engines",
				Server:  license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf000%d", i)),
				Edition: license.Developer, MaxLoc: 1, Expiration: today.AddMonths(2),
			}, ada, bob)
			w.licenses = append(w.licenses, r.License)
			if i == 0 {
				gathered = w.s.NewDigest(r.License.Customer, today, ada, time.Now(), 0)
			}
			w.must(w.s.RecordReminder(ctx, store.Due{LicenseRecord: r},
				store.Reminding{Stage: reminder.MonthsBefore(2), Digest: gathered}))
		}
		w.digest = notice.LicensesExpiring(w.licenses[0].Customer, today, ada, 1)
		w.toBob = notice.LicensesExpiring(w.licenses[0].Customer, today, bob, 1)
		w.run(w.d)
		if len(w.p.calls) != 0 {
			t.Error("got a digest sent that is not released")
		}
		w.must(gathered.Release(ctx))
		f(ctx, w)
	})
}

func (w *digestEnv) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *digestEnv) revoke(ctx context.Context, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		r, err := w.s.Silent().License(ctx, id)
		w.must(err)
		w.must(w.s.Silent().RevokeLicense(ctx, store.LicenseChange{ID: id, Version: r.Version, By: "sam"}, "unpaid"))
	}
}

func TestWhatADigestLeavesOutIsRecordedWithTheAttempt(t *testing.T) {
	inDigestEnv(t, func(ctx context.Context, w *digestEnv) {
		w.p.fault = always(errConnect)
		w.run(w.d)
		if m := w.mail(w.digest.ID); m.State.Attempts == 0 || len(m.State.Omitted) != 0 || len(m.Named()) != 3 {
			t.Fatalf("got %+v, want an attempt that names all", m.State)
		}
		w.p.fault = nil
		w.revoke(ctx, "l1")
		w.runFor(w.d, time.Hour)
		m := w.mail(w.digest.ID)
		if m.State.Status != outbox.Sent || len(m.State.Omitted) != 1 ||
			m.State.Omitted["l1"] != "the license was revoked" {
			t.Errorf("got %+v, want l1 left out because it was revoked", m.State)
		}
		var named []string
		for _, due := range m.Named() {
			named = append(named, due.License)
		}
		if got := strings.Join(named, " "); got != "l0 l2" {
			t.Errorf("got %s named, want l0 l2", got)
		}
		// Its bounce goes on with what it named alone.
		_, err := w.s.RecordReport(ctx, outbox.Report{Mail: m.ID, ProviderID: "c", Outcome: outbox.Bounced})
		w.must(err)
		if m := w.mail(w.toBob.ID); len(m.Due) != 2 || m.Due[0].License != "l0" || m.Due[1].License != "l2" {
			t.Errorf("got Bob's digest %+v, want l0 and l2", m.Due)
		}
	})
}

func TestDigestThatNothingIsLeftOfIsDropped(t *testing.T) {
	inDigestEnv(t, func(ctx context.Context, w *digestEnv) {
		w.revoke(ctx, "l0", "l1")
		r, err := w.s.License(ctx, "l2")
		w.must(err)
		change := store.LicenseChange{ID: "l2", Version: r.Version, By: "sam"}
		w.must(w.s.MuteReminders(ctx, change, "in talks", license.Date{}))
		w.run(w.d)
		m := w.mail(w.digest.ID)
		if len(w.p.callsOf(m.ID)) != 0 || m.State.Status != outbox.Pointless ||
			m.State.Cause != "none of the licenses needs a reminder any more" {
			t.Errorf("got %+v, want it dropped", m.State)
		}
		if got := m.State.Omitted["l2"]; got != "the reminders are paused" {
			t.Errorf("got l2 left out because %q, want its own reason", got)
		}
	})
}

func TestDigestToASuppressedAddressIsPassedOnAndSent(t *testing.T) {
	inDigestEnv(t, func(ctx context.Context, w *digestEnv) {
		w.must(w.s.SendKeyAgain(ctx, "l0", "sam", w.digest.To, "k"))
		key := notice.LicenseKeyAgain(w.licenses[0], w.digest.To, "k").ID
		_, err := w.s.RecordReport(ctx, outbox.Report{Mail: key, ProviderID: "c", Outcome: outbox.Bounced})
		w.must(err)
		w.revoke(ctx, "l2")
		w.run(w.d)
		if m := w.mail(w.digest.ID); m.State.Status != outbox.Failed || len(w.p.callsOf(m.ID)) != 0 {
			t.Errorf("got %+v, want it failed without a call", m.State)
		}
		m := w.mail(w.toBob.ID)
		if m.State.Status != outbox.Sent || len(m.Due) != 2 || len(w.p.callsOf(m.ID)) != 1 {
			t.Errorf("got Bob's digest %+v with %v, want l0 and l1 sent", m.State, m.Due)
		}
		w.logged("its address is suppressed")
		if log := w.log.String(); strings.Contains(log, "@") || strings.Contains(log, "Lovelace") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestLicensesWhoseContactChangedArePassedOn: Ada is for one instance only when her digest is sent.
func TestLicensesWhoseContactChangedArePassedOn(t *testing.T) {
	inDigestEnv(t, func(ctx context.Context, w *digestEnv) {
		id := w.licenses[0].Customer
		a, err := w.s.Account(ctx, id)
		w.must(err)
		change := store.AccountChange{Customer: id, Version: a.Version, By: "sam"}
		w.must(w.s.SaveCustomer(ctx, change, id, func(c *customer.Customer) error {
			c.Contacts[0].Instances = []string{w.licenses[1].Instance}
			return nil
		}))
		w.p.fault = failing(errConnect, w.digest.ID)
		w.run(w.d) // passes on, and fails
		w.p.fault = nil
		w.runFor(w.d, time.Hour)
		for to, want := range map[string]int{w.digest.ID: 1, w.toBob.ID: 2} {
			m := w.mail(to)
			if m.State.Status != outbox.Sent || len(m.Named()) != want || w.p.accepted()[to] != 1 {
				t.Errorf("%s: got %+v naming %v, want %d licenses sent", to, m.State, m.Named(), want)
			}
		}
	})
}

func TestLicensesThatCannotBePassedOnKeepTheMail(t *testing.T) {
	inDigestEnv(t, func(ctx context.Context, w *digestEnv) {
		id := w.licenses[0].Customer
		a, err := w.s.Account(ctx, id)
		w.must(err)
		change := store.AccountChange{Customer: id, Version: a.Version, By: "sam"}
		w.must(w.s.SaveCustomer(ctx, change, id, func(c *customer.Customer) error {
			c.Contacts = c.Contacts[1:]
			return nil
		}))
		w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
			for _, write := range c.Writes {
				if strings.HasPrefix(write.Row.SK, w.toBob.ID) {
					return tabletest.Down
				}
			}
			return tabletest.Fault{}
		}
		if err := w.d.Run(ctx); err == nil || w.status(w.digest.ID) != outbox.Waiting {
			t.Errorf("got %v and the mail %s, want an error, and the mail ready", err, w.status(w.digest.ID))
		}
		w.faulty.Fault = nil
		w.runFor(w.d, time.Hour)
		m := w.mail(w.digest.ID)
		if m.State.Status != outbox.Pointless || m.State.Cause != "the recipient is no longer a contact" {
			t.Errorf("got %+v, want it dropped", m.State)
		}
		if m := w.mail(w.toBob.ID); m.State.Status != outbox.Sent || len(m.Due) != 3 {
			t.Errorf("got Bob's digest %+v with %v, want all three sent", m.State, m.Due)
		}
	})
}
