package restore_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/infra/restore"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/store"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// history is what happened before the copy was made and since.
type history struct {
	*env
	memory                         memory
	copy                           snapshot
	sentSince, waiting, lost, drop string // emails that were waiting when the copy was made
	reminder                       string
	newLicense, newRequest         string
}

func received(requestID string) string { return requestID + "--received" }

// newHistory plays a day with a copy in its middle, and damages the table at its end.
func newHistory(t *testing.T) *history {
	m := &tabletest.Memory{}
	h := &history{env: newEnv(t, m), memory: memory{m}}
	h.issue("old", 1, "2097-03-01", "ada@old.example")
	h.issue("due", 2, "2096-05-03", "ada@due.example") // two months before is tomorrow
	h.send()
	first := h.file("a@first.example")
	h.sentSince = received(first.ID)
	h.waiting = received(h.file("b@second.example").ID)
	h.lost = received(h.file("c@third.example").ID)
	denied := h.file("d@fourth.example")
	h.drop = received(denied.ID)
	h.now = h.now.Add(time.Minute)
	h.copy = m.Rows()

	h.now = h.now.Add(21 * time.Hour) // 06:01 of the next day
	h.send(h.sentSince)
	h.must(h.store.DenyRequests(t.Context(), denied.ID, denied.Secret, denied.ID))
	h.send(h.drop)
	h.daily()
	h.now = h.now.Add(31 * time.Minute)
	for _, id := range h.ready() {
		if strings.Contains(id, "--2096-03-03-") {
			h.reminder = id
			h.send(id)
		}
	}
	h.newLicense = h.issue("new", 3, "2097-03-02", "ada@new.example").ID
	h.send("new--key")
	h.newRequest = h.file("e@fifth.example").ID
	h.send(received(h.newRequest))

	// Somebody deletes what they should not have: an email before it was sent, and a customer.
	for _, row := range m.Rows() {
		old := strings.HasPrefix(row.PK, "CUSTOMER#") && strings.Contains(string(row.Data), "Acme old")
		if old || strings.Contains(row.SK, h.lost) {
			h.must(m.Transact(t.Context(), table.Delete(row.Key, row.Version)))
		}
	}
	return h
}

func (h *history) restored() restore.Report {
	h.t.Helper()
	return h.env.restore(restore.Options{Copy: h.copy, Table: h.memory})
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestHistoryHasEachCase(t *testing.T) {
	h := newHistory(t)
	equal(t, "state of the email sent since", h.state(h.sentSince), outbox.Sent)
	equal(t, "state of the email dropped since", h.state(h.drop), outbox.Pointless)
	equal(t, "state of the reminder", h.state(h.reminder), outbox.Sent)
	equal(t, "state of the lost email", h.state(h.lost), "")
}

func TestReportSaysWhichEmailsGoAgain(t *testing.T) {
	h := newHistory(t)
	r := h.restored()
	equal(t, "emails not sent again", r.Sent, 1)
	equal(t, "waiting emails", r.Waiting, []string{h.waiting, "request-unconfirmed--2096-03-03"})
	equal(t, "reopened emails", r.Reopened, []string{h.drop})
	equal(t, "held emails", r.Held, []string{h.lost})
	if !slices.Contains(r.Undone, "new--key") || !slices.Contains(r.Undone, received(h.newRequest)) {
		t.Errorf("got the undone emails %v, want that of the new license and of the new request", r.Undone)
	}
	if slices.Contains(r.Undone, h.reminder) {
		t.Error("the reminder that was sent is forgotten")
	}
	if len(r.Licenses) != 1 || r.Licenses[0].ID != "new" || r.Licenses[0].Organization != "Acme new" {
		t.Errorf("got the lost licenses %v", r.Licenses)
	}
	if len(r.Requests) != 1 || r.Requests[0].ID != h.newRequest || r.Requests[0].Reference == "" {
		t.Errorf("got the lost requests %v", r.Requests)
	}
}

func TestNoEmailIsSentTwiceAfterARestoration(t *testing.T) {
	h := newHistory(t)
	before := slices.Clone(h.sent)
	h.restored()
	h.daily()
	h.now = h.now.Add(31 * time.Minute)
	h.daily()
	after := h.send()
	for _, id := range after {
		if slices.Contains(before, id) {
			t.Errorf("the email %s is sent twice", id)
		}
	}
	for _, id := range []string{h.waiting, h.drop} {
		if !slices.Contains(after, id) {
			t.Errorf("the email %s is not sent", id)
		}
	}
	for _, id := range after {
		if m, err := h.store.Outbox().Read(t.Context(), id); err != nil || m.Kind == mail.LicenseExpiring {
			t.Errorf("a second reminder goes out: %s", id)
		}
	}
	l, err := h.store.License(t.Context(), "due")
	h.must(err)
	equal(t, "the next reminder", l.NextReminder.String(), "2096-04-03")
}

func TestHeldEmailIsSentWhenSalesSay(t *testing.T) {
	h := newHistory(t)
	h.restored()
	failed, err := h.store.FailedMails(t.Context(), 10)
	h.must(err)
	if len(failed) != 1 || failed[0].ID != h.lost || failed[0].Cause != restore.HeldCause ||
		failed[0].Kind != mail.RequestReceived {
		t.Fatalf("got the failed emails %v, want %s", failed, h.lost)
	}
	if slices.Contains(h.ready(), h.lost) {
		t.Fatal("the email is ready")
	}
	h.must(h.store.TryMailAgain(t.Context(), h.lost, "sam@vendor.example"))
	m, err := h.store.Outbox().Read(t.Context(), h.lost)
	h.must(err)
	if sent := h.send(h.lost); len(sent) != 1 || !m.MaybeTwice() {
		t.Errorf("got %v sent, maybe twice %v; want the email, with a word that it may be a copy", sent, m.MaybeTwice())
	}
}

func TestRestoredTableHasTheRecordsOfTheCopy(t *testing.T) {
	h := newHistory(t)
	h.restored()
	now := map[table.Key]table.Row{}
	for _, row := range h.memory.Rows() {
		now[row.Key] = row
	}
	sending := []string{"mail", "mailstate", "pending", "failed", "lease", "audit"}
	for _, row := range h.copy {
		if slices.Contains(sending, row.Type) {
			continue
		}
		if got, ok := now[row.Key]; !ok || string(got.Data) != string(row.Data) {
			t.Errorf("%v is not as in the copy: %s", row.Key, got.Data)
		}
		delete(now, row.Key)
	}
	for key, row := range now {
		stays := []string{"confirmation", "letter", "reminded", "digestdue", "unsubscribed", "colleague"}
		if !slices.Contains(append(stays, sending...), row.Type) {
			t.Errorf("the copy has no %s %v", row.Type, key)
		}
	}
}

func TestWhatWasUndoneCanBeDoneAgain(t *testing.T) {
	h := newHistory(t)
	h.restored()
	h.issue("new", 3, "2097-03-02", "ada@new.example")
	again := h.file("e@fifth.example")
	h.must(h.store.ConfirmRequests(t.Context(), again.ID, again.Secret, again.ID))
	id, _, _ := strings.Cut(h.drop, "--")
	r, err := h.store.Request(t.Context(), id)
	h.must(err)
	if !r.State.Open() {
		t.Fatalf("the request is %s", r.State)
	}
	h.must(h.store.DenyRequests(t.Context(), r.ID, r.Secret, r.ID))
	l, err := h.store.License(t.Context(), "due")
	h.must(err)
	change := store.LicenseChange{ID: "due", Version: l.Version, By: "sam@vendor.example"}
	h.must(h.store.RevokeLicense(t.Context(), change, "A trial."))
}

func TestSecondRestorationHasNothingToDo(t *testing.T) {
	h := newHistory(t)
	h.restored()
	if r := h.restored(); !r.Nothing() {
		t.Errorf("got %v put and %v deleted", r.Put, r.Deleted)
	}
}

// cut is a table that fails each transaction after some.
type cut struct {
	restore.Table
	left int
}

func (c *cut) Replace(ctx context.Context, writes ...table.Write) error {
	if c.left--; c.left < 0 {
		return table.ErrUnavailable
	}
	return c.Table.Replace(ctx, writes...)
}

func TestRestorationThatIsCutOffIsRunAgain(t *testing.T) {
	for n := 0; ; n++ {
		h := newHistory(t)
		p, err := restore.Compare(t.Context(), restore.Options{
			Copy: h.copy, Now: h.clock, Table: &cut{h.memory, n},
		})
		h.must(err)
		if err = p.Apply(t.Context()); err == nil {
			t.Logf("cut off after each of %d transactions", n)
			return
		}
		h.restored()
		h.daily()
		h.now = h.now.Add(31 * time.Minute)
		before := slices.Clone(h.sent)
		for _, id := range h.send() {
			if slices.Contains(before, id) {
				t.Errorf("cut off after %d transactions, the email %s is sent twice", n, id)
			}
		}
		equal(t, "state of the lost email", h.state(h.lost), outbox.Failed)
		equal(t, "state of the email of the new license", h.state("new--key"), "")
	}
}

func TestSomebodyWhoStillWritesStopsTheRestoration(t *testing.T) {
	h := newHistory(t)
	p, err := restore.Compare(t.Context(), restore.Options{Copy: h.copy, Table: h.memory, Now: h.clock})
	h.must(err)
	for _, row := range h.memory.Rows() {
		if row.Key == rowkey.License("due") {
			h.must(h.memory.Transact(t.Context(), table.Update(row)))
		}
	}
	if err := p.Apply(t.Context()); err == nil || !strings.Contains(err.Error(), "something else writes") {
		t.Errorf("got %v, want that something else writes", err)
	}
}

func TestErasedPeopleAreNamedToBeErasedAgain(t *testing.T) {
	h := newHistory(t)
	keys, err := erasure.ParseKeys(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	h.must(err)
	erase := func() {
		t.Helper()
		e := erasure.New(h.store.Store, secret.Fixed(keys))
		r, err := e.Erase(t.Context(), "ada@due.example", erasure.Options{By: "sam@vendor.example", Now: h.clock})
		h.must(err)
		if !r.Done {
			t.Fatalf("got %v, want that it is done", r)
		}
	}
	erase()
	r := h.env.restore(restore.Options{Copy: h.copy, Table: h.memory, Keys: keys})
	equal(t, "people erased", r.Erased, 1)
	equal(t, "addresses to erase again", r.Again, []string{"ada@due.example"})
	equal(t, "people erased, without keys", h.restored().Erased, 1)
	erase()
	for _, row := range h.memory.Rows() {
		if strings.Contains(row.PK+row.SK+string(row.Data), "ada@due.example") {
			t.Errorf("%v still names the person: %s", row.Key, row.Data)
		}
	}
}

func TestCopyWithoutRowsIsRefused(t *testing.T) {
	h := newHistory(t)
	_, err := restore.Compare(t.Context(), restore.Options{Copy: snapshot{}, Table: h.memory, Now: h.clock})
	if err == nil {
		t.Error("an empty copy is taken for a table")
	}
}

func TestAuditAndLeaseStayAsTheyAre(t *testing.T) {
	h := newHistory(t)
	lease := table.Row{Key: rowkey.Lease(), Type: string(rowkey.TypeLease), Schema: 1, Version: 7, Data: []byte(`{}`)}
	h.must(h.memory.Replace(t.Context(), table.Write{Row: lease}))
	count := func() (n int) {
		for _, row := range h.memory.Rows() {
			if row.Type == string(rowkey.TypeAudit) || row.Key == lease.Key && row.Version == 7 {
				n++
			}
		}
		return n
	}
	before := count()
	h.restored()
	equal(t, "rows of the audit and the lease", count(), before)
}
