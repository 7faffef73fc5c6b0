package daily

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// ready are the reminders that are ready to be sent, in the order of sending.
func (w *testEnv) ready() (list []outbox.Mail) {
	err := w.store.Outbox().EachReady(w.t.Context(), func(m outbox.Mail) error {
		list = append(list, m)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// promote makes the paused mails ready whose time has come, as the mailer does.
func (w *testEnv) promote() {
	for shard := range rowkey.Shards {
		if _, err := w.store.Outbox().Promote(w.t.Context(), shard, 1000); err != nil {
			w.t.Fatal(err)
		}
	}
}

// save changes the customer of a license.
func (w *testEnv) save(l license.License, edit func(*customer.Customer)) {
	a, err := w.store.Account(w.t.Context(), l.Customer)
	if err == nil {
		change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
		err = w.store.SaveCustomer(w.t.Context(), change, change.Customer,
			func(c *customer.Customer) error { edit(c); return nil })
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestReminderGoesToTheFirstContactForRenewalsOfTheInstance(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	contacts := []license.Contact{
		{Email: "keys@example.org"}, {Email: "other@example.org"}, {Email: "renewals@example.org"}, ada,
	}
	l := w.addTo("Analytical Engines", contacts, 0, date("2018-04-30"))
	other := w.addTo("Analytical Engines", contacts, 1, date("2018-12-31"))
	w.save(l, func(c *customer.Customer) {
		c.Contacts[0].For = []customer.Purpose{customer.Keys}
		c.Contacts[1].Instances = []string{other.Instance}
		c.Contacts[2].For = []customer.Purpose{customer.Renewals}
	})
	w.run()
	if ready := w.ready(); len(ready) != 1 || ready[0].To.Email != "renewals@example.org" {
		t.Errorf("got mails %+v, want one to renewals@example.org", ready)
	}
}

func TestCustomerWithoutAContactForRenewalsIsATaskForSales(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	l := w.add(0, date("2018-04-30"))
	w.save(l, func(c *customer.Customer) { c.Contacts[0].For = []customer.Purpose{customer.Keys} })
	w.run()
	expect(t, w.mails(), "license0 unreached on 2018-03-01")
	ready, err := lettertest.Ready(t.Context(), w.store)
	if err != nil || len(ready) != 1 {
		t.Fatalf("got mails %v, %v, want one", ready, err)
	}
	if m := w.letter(ready[0].ID); !strings.Contains(m.Text, "ada@example.org") ||
		!strings.Contains(m.Subject, string(storetest.Customer(t, w.store.Store, "Analytical Engines").Reference)) {
		t.Errorf("got %s\n%s\nwant the customer's reference and Ada's address", m.Subject, m.Text)
	}
	w.save(l, func(c *customer.Customer) { c.Contacts[0].For = nil })
	w.run()
	expect(t, w.mails(), "license0 2m on 2018-03-01", "license0 unreached on 2018-03-01")
}

func TestMergedCustomerIsRemindedThroughBoth(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	hostile := license.Contact{Email: "nobody"}
	l := w.addTo("Analytical Engines", []license.Contact{hostile}, 0, date("2018-04-30"))
	into := storetest.Customer(t, w.store.Store, "Engines International", ada)
	from, err := w.store.Account(t.Context(), l.Customer)
	if err != nil {
		t.Fatal(err)
	}
	survivor, err := w.store.Account(t.Context(), into.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.MergeCustomers(t.Context(), store.Merge{From: l.Customer, FromVersion: from.Version, Into: into.ID,
		IntoVersion: survivor.Version, By: "sam@vendor.example"})
	if err != nil {
		t.Fatal(err)
	}
	w.run()
	if ready := w.ready(); len(ready) != 1 || ready[0].To != ada {
		t.Errorf("got mails %+v, want one to Ada", ready)
	}
}

func TestRetiredInstanceGetsNoReminderUntilItIsBackInUse(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	l := w.add(0, date("2018-04-30"))
	retire := func(retired bool) {
		a, err := w.store.Account(t.Context(), l.Customer)
		if err == nil {
			change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
			err = w.store.RetireInstance(t.Context(), change, l.Instance, retired)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	retire(true)
	w.today = date("2018-03-01")
	w.run()
	expect(t, w.mails())
	retire(false)
	w.run()
	expect(t, w.mails(), "license0 2m on 2018-03-01")
}

// TestRunReadsEachCustomerAndDueRowOnce has 12 licenses of each of 5 customers due, and more of another than a digest
// takes.
func TestRunReadsEachCustomerAndDueRowOnce(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	const customers, each = 5, 12
	for i := range customers * each {
		organization := fmt.Sprintf("Company %d", i%customers)
		to := license.Contact{Email: fmt.Sprintf("ada@company%d.example", i%customers)}
		w.addTo(organization, []license.Contact{to}, i, date("2018-04-30"))
	}
	const crowd = 230 // more than a digest takes
	for i := range crowd {
		w.addTo("Crowd", []license.Contact{ada}, 1000+i, date("2018-04-30"))
	}
	var mu sync.Mutex
	reads := map[string]int{}
	w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
		mu.Lock()
		defer mu.Unlock()
		kind, _, _ := strings.Cut(c.Key.PK, "#")
		if kind == "CUSTOMER" {
			kind, _, _ = strings.Cut(c.Key.SK, "#")
		}
		if c.Op == "get" {
			reads[kind]++
		}
		return tabletest.Fault{}
	}
	w.faulty.Reset()
	w.run()
	w.faulty.Fault = nil
	const all, organizations = customers*each + crowd, customers + 1
	if reads["CUSTOMER"] != organizations || reads["CONTRACT"] != organizations || reads["EMAIL"] != organizations {
		t.Errorf("got reads %v, want one of each of %d customers, of its contract and of its address", reads,
			organizations)
	}
	rows := w.faulty.Counts().RowsRead - reads["CUSTOMER"] - reads["CONTRACT"]
	if n := len(w.mails()); n != all || float64(rows) > 1.1*all {
		t.Errorf("got %d rows read for %d reminders, want at most 1.1 each: %v", rows, n, reads)
	}
	if n := len(w.ready()); n != customers+2 {
		t.Errorf("got %d mails, want one a contact, and two for the crowd", n)
	}
}

// TestNextKeyUnderAContractIsATaskForSales has a contract of three years with yearly keys for two servers.
func TestNextKeyUnderAContractIsATaskForSales(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	first := w.add(0, date("2018-12-31"))
	a, err := w.store.Account(t.Context(), first.Customer)
	if err != nil {
		t.Fatal(err)
	}
	contract := a.Contracts[0]
	contract.Last, contract.Production = date("2020-12-31"), 2
	err = w.store.IssueLicenses(t.Context(), store.Issue{Contracts: []customer.Contract{contract}, By: storetest.By})
	if err != nil {
		t.Fatal(err)
	}
	second := w.add(1, date("2018-12-31"), func(l *license.License) { l.Contract = contract.ID })
	w.today = date("2018-10-31")
	w.run()
	w.run()
	var tasks, reminders []mail.Message
	for _, m := range w.ready() {
		if written := w.letter(m.ID); m.Kind == mail.LicenseNextKey {
			tasks = append(tasks, written)
		} else {
			reminders = append(reminders, written)
		}
	}
	if len(tasks) != 1 || len(reminders) != 1 {
		t.Fatalf("got %d tasks and %d reminders, want one task and one reminder of both", len(tasks), len(reminders))
	}
	if m := tasks[0]; m.To.Email != "sales@example.com" || !strings.Contains(m.Subject, string(contract.Reference)) ||
		!strings.Contains(m.Text, "/renew") || !strings.Contains(m.Text, "31 Dec 2020") {
		t.Errorf("got the task %s\n%s", m.Subject, m.Text)
	}
	for _, m := range reminders {
		if !strings.Contains(m.Text, "runs through 31 Dec 2020") || strings.Contains(m.Text, "/request/") ||
			strings.Contains(m.Text, "/renew/") {
			t.Errorf("got the reminder %s\n%s\nwant the next key promised and no renewal sold", m.Subject, m.Text)
		}
	}

	// The contract is ended: what has not been sent says so no more.
	if a, err = w.store.Account(t.Context(), first.Customer); err != nil {
		t.Fatal(err)
	}
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
	if err := w.store.EndContract(t.Context(), change, contract.ID, "unpaid"); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.ready() {
		r, err := w.store.Records(t.Context(), m.Notice)
		want := map[mail.Kind]string{mail.LicenseNextKey: "the contract ends with the license"}[m.Kind]
		if why := m.Pointless(r); err != nil || why != want {
			t.Errorf("%s: got pointless %q, %v, want %q", m.ID, why, err, want)
		}
	}
	m := w.letter(w.digest(second, ada, 1).ID)
	if !strings.Contains(m.Text, "/renew/license") || strings.Contains(m.Text, "31 Dec 2020") {
		t.Errorf("got\n%s\nwant a renewal", m.Text)
	}
}

// turnStore notes the turns of the digests of each customer.
type turnStore struct {
	Store
	mu    sync.Mutex
	turns map[string][]int
}

func (s *turnStore) NewDigest(customer string, day license.Date, to license.Contact, ready time.Time,
	turn int) *outbox.Digest {
	s.mu.Lock()
	s.turns[customer] = append(s.turns[customer], turn)
	s.mu.Unlock()
	return s.Store.NewDigest(customer, day, to, ready, turn)
}

func TestDigestsOfACustomerTakeTurnsWhateverTheAddress(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	contacts := []license.Contact{{Email: "a@one.example"}, {Email: "b@two.example"}, {Email: "c@three.example"}}
	var one license.License
	for i := range contacts {
		one = w.addTo("Analytical Engines", contacts, i, date("2018-04-30"))
		w.save(one, func(c *customer.Customer) { c.Contacts[i].Instances = []string{one.Instance} })
	}
	other := w.addTo("Other", []license.Contact{ada}, 9, date("2018-04-30"))
	turns := &turnStore{Store: w.store, turns: map[string][]int{}}
	w.job.Store = turns
	w.run()
	got := slices.Sorted(slices.Values(turns.turns[one.Customer]))
	if !slices.Equal(got, []int{0, 1, 2}) || !slices.Equal(turns.turns[other.Customer], []int{0}) {
		t.Errorf("got turns %v, want 0, 1, 2 and 0", turns.turns)
	}
}

func TestFailedReadOfACustomerIsMadeAgain(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	const licenses = 3 * atOnce
	for i := range licenses {
		w.add(i, date("2018-04-30"))
	}
	var mu sync.Mutex
	failed := false
	w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Op == "get" && strings.HasPrefix(c.Key.PK, "CUSTOMER#") && !failed {
			failed = true
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	if err := w.job.Run(t.Context()); err == nil {
		t.Error("got no error of the licenses whose customer could not be read")
	}
	if n := len(w.mails()); n < licenses-atOnce || n == licenses {
		t.Errorf("got %d reminders of %d, want all but those that waited for the read", n, licenses)
	}
	w.run()
	if n := len(w.mails()); n != licenses {
		t.Errorf("got %d reminders, want %d", n, licenses)
	}
}
