package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	policy "marketplace/shared/reminder"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table/tabletest"
)

var grace = license.Contact{Name: "Grace Hopper", Email: "grace@acme.example"}

func dueOf(id string) notice.Due {
	return notice.Due{
		License: id, Expiration: license.Date{Year: 2018, Month: 5, Day: 1}, Stage: policy.MonthsBefore(2),
	}
}

// digest is the one of the day for grace.
func (e *testEnv) digest() *outbox.Digest {
	return e.NewDigest("c1", license.DateOf(start), grace, start, 0)
}

// add adds a license as shared/store does: a conflict with its guard says that it was added before.
func (e *testEnv) add(ctx context.Context, d *outbox.Digest, id string) (told bool, err error) {
	due := dueOf(id)
	err = entity.Retry(func() error {
		c := e.entities.Begin()
		if _, err := d.AddIn(ctx, c, due); err != nil {
			return err
		}
		err := c.Commit(ctx)
		if err == nil {
			d.Added(due)
			return nil
		}
		d.Lost()
		if told = entity.IsConflictOn(err, rowkey.Reminded(due.Guard(d.To()))); told {
			return nil
		}
		return err
	})
	return told, err
}

func (e *testEnv) mustAdd(d *outbox.Digest, ids ...string) {
	e.t.Helper()
	for _, id := range ids {
		if told, err := e.add(e.t.Context(), d, id); told || err != nil {
			e.t.Fatalf("adding license %s: got that it was added before %v, %v", id, told, err)
		}
	}
}

func (e *testEnv) release(d *outbox.Digest) { e.t.Helper(); e.must(d.Release(e.t.Context())) }

// in names the licenses of a digest.
func (e *testEnv) in(id string) string {
	e.t.Helper()
	var ids []string
	for _, due := range e.read(id).Due {
		ids = append(ids, due.License)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// numbered is the ID of the n-th digest of the day.
func numbered(n int) string { return notice.LicensesExpiring("c1", license.DateOf(start), grace, n).ID }

func TestDigestGathersLicensesUntilItIsReleased(t *testing.T) {
	e := newTestEnv(t)
	d := e.digest()
	e.mustAdd(d, "l1", "l2", "l3")
	e.want("while licenses are added", e.status(numbered(1)), "waiting paused")
	e.want("promoted", e.promote(), 0)
	e.release(d)
	e.want("released", e.status(numbered(1)), "waiting ready")
	e.want("licenses", e.in(numbered(1)), "l1 l2 l3")
	m := e.read(numbered(1))
	if m.Kind != mail.LicenseExpiring || m.To != grace || m.About != "c1" || m.Rank() != notice.RankReminder ||
		m.Nonce == "" || m.State.Gathering || !m.State.NotBefore.IsZero() || m.Due[0] != dueOf("l1") {
		t.Errorf("got %+v, want a reminder of three licenses to Grace", m)
	}
	e.release(d)
	e.want("released again", e.status(numbered(1)), "waiting ready")
	e.must(e.RecordSent(t.Context(), e.begin(numbered(1)), "p1"))
	e.want("sent", e.status(numbered(1)), "sent")
}

func TestReleasedDigestTakesNoLicense(t *testing.T) {
	e := newTestEnv(t)
	first := e.digest()
	e.mustAdd(first, "l1")
	e.release(first)
	e.mustAdd(first, "l2")
	another := e.digest()
	e.mustAdd(another, "l3")
	e.release(first)
	e.want("the first", e.in(numbered(1)), "l1")
	e.want("the second", e.in(numbered(2))+", "+e.status(numbered(2)), "l2 l3, waiting ready")
	e.mustAdd(another, "l4")
	e.release(another)
	e.want("the third", e.in(numbered(3))+", "+e.status(numbered(3)), "l4, waiting ready")
}

func TestContactIsRemindedOfALicenseOnce(t *testing.T) {
	e := newTestEnv(t)
	d := e.digest()
	e.mustAdd(d, "l1")
	for name, again := range map[string]*outbox.Digest{
		"the same run": d, "another run": e.digest(),
		"another day": e.NewDigest("c1", license.DateOf(start).AddDays(1), grace, start, 0),
		"another spelling": e.NewDigest("c1", license.DateOf(start), license.Contact{Email: "Grace@ACME.example"}, start,
			0),
		"another customer": e.NewDigest("c2", license.DateOf(start), grace, start, 0),
	} {
		if told, err := e.add(t.Context(), again, "l1"); !told || err != nil {
			t.Errorf("%s: got that it was added before %v, %v, want true", name, told, err)
		}
		if known, err := e.Reminded(t.Context(), dueOf("l1"), again.To()); !known || err != nil {
			t.Errorf("%s: got reminded %v, %v, want true", name, known, err)
		}
	}
	other := dueOf("l1")
	other.Stage = policy.MonthsBefore(1)
	if known, err := e.Reminded(t.Context(), other, grace); known || err != nil {
		t.Errorf("later stage: got reminded %v, %v, want false", known, err)
	}
	ada := e.NewDigest("c1", license.DateOf(start), license.Contact{Email: "ada@acme.example"}, start, 0)
	e.mustAdd(ada, "l1")
	e.mustAdd(d, "l2") // a license that was added before does not close the digest
	e.release(d)
	e.want("licenses", e.in(numbered(1)), "l1 l2")
}

func TestFullDigestIsFollowedByAnother(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	d := e.digest()
	for i := range 401 {
		e.mustAdd(d, fmt.Sprintf("l%03d", i))
	}
	e.release(d)
	for n, want := range map[int]int{1: 200, 2: 200, 3: 1} {
		m := e.read(numbered(n))
		if len(m.Due) != want || e.lists(m.ID) != "ready" {
			t.Errorf("digest %d: got %d licenses, %s, want %d, ready", n, len(m.Due), e.lists(m.ID), want)
		}
	}
	last := e.digest()
	e.mustAdd(last, "l900")
	e.want("another run", e.in(numbered(4)), "l900")
}

func TestContactGets99DigestsADay(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	for i := range 99 {
		d := e.digest()
		e.mustAdd(d, fmt.Sprintf("l%d", i))
		e.release(d)
	}
	if _, err := e.add(t.Context(), e.digest(), "l100"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want an Unavailable fault", err)
	}
	if known, err := e.Reminded(t.Context(), dueOf("l100"), grace); known || err != nil {
		t.Errorf("got reminded %v, %v, want false", known, err)
	}
}

func TestDigestOfARunThatWasCutOffGetsReadyByItself(t *testing.T) {
	e := newTestEnv(t)
	e.mustAdd(e.digest(), "l1")
	e.now = start.Add(10 * time.Minute)
	next := e.digest() // the run is started again, and cut off again
	e.mustAdd(next, "l2")
	e.now = start.Add(30*time.Minute - time.Millisecond)
	e.want("promoted early", e.promote(), 0)
	e.now = start.Add(30 * time.Minute)
	e.want("promoted", e.promote(), 1)
	e.want("the digest", e.in(numbered(1))+", "+e.status(numbered(1)), "l1 l2, waiting ready")
	e.mustAdd(next, "l3") // that run was only slow
	e.release(next)
	e.want("the first", e.in(numbered(1)), "l1 l2")
	e.want("the second", e.in(numbered(2))+", "+e.status(numbered(2)), "l3, waiting ready")
}

// TestReleaseMeetsAnAdd releases or promotes the digest between the reading and the writing of whoever adds to it, and
// adds to it between the reading and the writing of whoever releases it.
func TestReleaseMeetsAnAdd(t *testing.T) {
	meanwhile := func(e *testEnv, do func()) {
		e.table.Fault = func(c tabletest.Call) tabletest.Fault {
			if c.Op == "transact" {
				e.table.Fault = nil
				do()
			}
			return tabletest.Fault{}
		}
	}
	for name, close := range map[string]func(e *testEnv, other *outbox.Digest){
		"released": func(e *testEnv, other *outbox.Digest) { e.release(other) },
		"promoted": func(e *testEnv, _ *outbox.Digest) { e.now = e.now.Add(time.Hour); e.promote() },
	} {
		e := newTestEnvOver(t, &tabletest.Memory{})
		other, d := e.digest(), e.digest()
		e.mustAdd(other, "l1")
		e.mustAdd(d, "l2")
		meanwhile(e, func() { close(e, other) })
		e.mustAdd(d, "l3")
		e.release(d)
		e.want(name+" before an add", e.in(numbered(1))+", "+e.in(numbered(2)), "l1 l2, l3")
		e.want(name+" before an add: lists", e.status(numbered(1))+", "+e.status(numbered(2)),
			"waiting ready, waiting ready")
	}
	for name, open := range map[string]func(e *testEnv, d *outbox.Digest){
		"release": func(e *testEnv, d *outbox.Digest) { e.release(d) },
		"promote": func(e *testEnv, _ *outbox.Digest) { e.now = e.now.Add(time.Hour); e.promote(); e.promote() },
	} {
		e := newTestEnvOver(t, &tabletest.Memory{})
		other, d := e.digest(), e.digest()
		e.mustAdd(other, "l1")
		e.mustAdd(d, "l2")
		meanwhile(e, func() { e.mustAdd(d, "l3") })
		open(e, other)
		e.want("added before a "+name, e.in(numbered(1))+", "+e.status(numbered(1)), "l1 l2 l3, waiting ready")
	}
}

// TestDigestSurvivesALostAnswer loses the answer, or fails the call, of each transaction in turn.
func TestDigestSurvivesALostAnswer(t *testing.T) {
	testLostAnswers(t, "l1")
	testLostAnswers(t, "l1", "l2", "l3")
}

func testLostAnswers(t *testing.T, ids ...string) {
	t.Helper()
	for at := range len(ids) + 2 {
		for name, f := range map[string]tabletest.Fault{"lost": tabletest.Lost, "down": tabletest.Down} {
			e := newTestEnvOver(t, &tabletest.Memory{})
			n := 0
			e.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					if n++; n == at+1 {
						return f
					}
				}
				return tabletest.Fault{}
			}
			d := e.digest()
			for _, id := range ids {
				if _, err := e.add(t.Context(), d, id); err != nil {
					if _, err := e.add(t.Context(), d, id); err != nil { // the next pass
						t.Fatal(err)
					}
				}
			}
			if d.Release(t.Context()) != nil {
				e.release(d)
			}
			e.want(fmt.Sprintf("%s at %d", name, at), e.in(numbered(1))+", "+e.status(numbered(1)),
				strings.Join(ids, " ")+", waiting ready")
		}
	}
}

// TestTwoRunsFillTheSameDigest: each license with a guard is in the digest that it names, which was ready only after
// the license was added.
func TestTwoRunsFillTheSameDigest(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	const licenses = 120
	readyWith := map[string]int{} // licenses of a digest when it was first seen ready
	var mu sync.Mutex
	var wg sync.WaitGroup
	for run := range 3 {
		wg.Go(func() {
			d := e.digest()
			for i := range licenses {
				id := fmt.Sprintf("l%03d", (i*7+run*40)%licenses)
				for {
					if _, err := e.add(t.Context(), d, id); err == nil {
						break
					} else if fault.KindOf(err) != fault.Conflict {
						t.Error(err)
						return
					}
				}
				if i%40 == 39 {
					if err := d.Release(t.Context()); err != nil && fault.KindOf(err) != fault.Conflict {
						t.Error(err)
					}
					mu.Lock()
					for n := 1; n < 10; n++ {
						m, err := e.Read(t.Context(), numbered(n))
						if _, seen := readyWith[m.ID]; err == nil && !m.State.Gathering && !seen {
							readyWith[m.ID] = len(m.Due)
						}
					}
					mu.Unlock()
				}
			}
			if err := d.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	in := map[string]string{}
	for n := 1; n < 20; n++ {
		m, err := e.Read(t.Context(), numbered(n))
		if fault.KindOf(err) == fault.NotFound {
			break
		}
		e.must(err)
		if e.lists(m.ID) != "ready" {
			t.Errorf("%s: got %s, want ready", m.ID, e.lists(m.ID))
		}
		if with, seen := readyWith[m.ID]; seen && with != len(m.Due) {
			t.Errorf("%s: got %d licenses, %d when it was ready", m.ID, len(m.Due), with)
		}
		for _, due := range m.Due {
			if other, twice := in[due.License]; twice {
				t.Errorf("license %s is in %s and %s", due.License, other, m.ID)
			}
			in[due.License] = m.ID
		}
	}
	if len(in) != licenses {
		t.Errorf("got %d licenses in digests, want %d", len(in), licenses)
	}
	for id, digest := range in {
		found, err := e.About(t.Context(), id)
		if err != nil || len(found) != 1 || found[0].ID != digest {
			t.Errorf("about %s: got %+v, %v, want %s", id, found, err, digest)
		}
	}
}

func TestMailsAboutALicenseIncludeItsDigests(t *testing.T) {
	e := newTestEnv(t)
	d := e.digest()
	e.mustAdd(d, "l1", "l2")
	e.release(d)
	e.now = e.now.Add(time.Minute)
	digest := e.read(numbered(1)).Notice
	repeated := digest.Repeated()
	again := digest.Again("n1")
	e.queue(repeated)
	e.now = e.now.Add(time.Minute)
	e.queue(again)
	e.now = e.now.Add(time.Minute)
	e.queue(key("l1", "grace@acme.example"))
	e.now = e.now.Add(time.Minute)
	next := e.digest()
	e.mustAdd(next, "l3")
	want := map[string]string{
		"l1": strings.Join([]string{digest.ID, repeated.ID, again.ID, "l1--key"}, " "),
		"l2": strings.Join([]string{digest.ID, repeated.ID, again.ID}, " "),
		"l3": numbered(2), "l4": "",
		"c1": strings.Join([]string{digest.ID, repeated.ID, again.ID, numbered(2)}, " "),
	}
	for _, about := range slices.Sorted(maps.Keys(want)) {
		list, err := e.About(t.Context(), about)
		e.must(err)
		var ids []string
		for _, m := range list {
			ids = append(ids, m.ID)
			if m.Kind == mail.LicenseExpiring && m.ID != numbered(2) && len(m.Due) != 2 {
				t.Errorf("%s: got licenses %v, want both", m.ID, m.Due)
			}
		}
		e.want("about "+about, strings.Join(ids, " "), want[about])
	}
}

func TestRepetitionKeepsTheLicensesAndTakesNone(t *testing.T) {
	e := newTestEnv(t)
	d := e.digest()
	e.mustAdd(d, "l1")
	e.release(d)
	e.queue(e.read(numbered(1)).Notice.Repeated(), e.read(numbered(1)).Notice.Again("n1"))
	next := e.digest()
	e.mustAdd(next, "l2")
	e.want("the second", e.in(numbered(2)), "l2")
	e.want("the repetition", e.in(numbered(1)+"-repeated"), "l1")
}

func TestLetterNamesWhatItDoesNotLeaveOut(t *testing.T) {
	e := newTestEnv(t)
	d := e.digest()
	e.mustAdd(d, "l1", "l2", "l3")
	e.release(d)
	named := func() string {
		var ids []string
		for _, due := range e.read(numbered(1)).Named() {
			ids = append(ids, due.License)
		}
		return strings.Join(ids, " ")
	}
	e.want("before a letter", named(), "l1 l2 l3")
	m := e.read(numbered(1))
	m.State.Omitted = map[string]string{"l2": "the license was revoked"}
	m, err := e.Begin(t.Context(), m, 1, mail.Message{ID: m.ID})
	e.must(err)
	e.want("its call has begun", named(), "l1 l3")
	e.must(e.Fail(t.Context(), m, "a cause"))
	e.must(e.tryAgain(m.ID))
	e.want("to be tried again", named(), "l1 l3")
	e.must(e.RecordSent(t.Context(), e.begin(m.ID), "p1"))
	e.want("sent", named(), "l1 l3")
}

func TestDigestThatCannotBeReadIsNotFilled(t *testing.T) {
	e := newTestEnv(t)
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "query" {
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	d := e.digest()
	if _, err := e.add(t.Context(), d, "l1"); !errors.Is(err, tabletest.Down.Before) {
		t.Errorf("got %v, want that the table is down", err)
	}
	e.table.Fault = nil
	e.release(d)
	e.want("added", len(e.ready(notice.RankReminder)), 0)
}
