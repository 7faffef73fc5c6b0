package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
)

const undoer = "lucia@vendor.example"

// undo undoes the end of a request.
func undo(t *testing.T, b *testEnv, r request.Request) error {
	t.Helper()
	return b.UndoReview(t.Context(), r.ID, r.Undo.Mail, undoer)
}

// rowsBeside returns all rows but those that a decision leaves behind: versions, emails, timelines and the audit.
func rowsBeside(h memoryEnv) map[table.Key]string {
	rows := map[table.Key]string{}
	for _, row := range h.memory.Rows() {
		kind, _, _ := strings.Cut(row.PK, "#")
		if kind == "MAILS" || kind == "AUDIT" || strings.HasPrefix(row.SK, "EVENT#") {
			continue
		}
		rows[row.Key] = fmt.Sprintf("%s %s %v", row.Type, row.Data, row.Expires)
	}
	return rows
}

func TestUndoRestoresTheRequestAsItWas(t *testing.T) {
	states := map[string]func(*testEnv, request.Request) request.Request{
		"received": func(_ *testEnv, r request.Request) request.Request { return r },
		"in review": func(b *testEnv, r request.Request) request.Request {
			return review(t, b, r, request.InReview, "")
		},
		"waiting": func(b *testEnv, r request.Request) request.Request {
			return review(t, b, r, request.Waiting, "Which version?")
		},
	}
	for _, to := range []request.State{request.Rejected, request.Withdrawn} {
		for name, prepare := range states {
			t.Run(string(to)+" from "+name, func(t *testing.T) {
				h := newMemoryEnv()
				testUndo(t, h, prepare(h.testEnv, file(t, h.testEnv, evaluation)), to)
			})
		}
		for _, told := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s from unconfirmed, sales told %v", to, told), func(t *testing.T) {
				h := newMemoryEnv()
				r := fileAs(t, h.testEnv, under("ada@acme.example"))
				if told {
					if _, err := h.TellUnconfirmed(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				testUndo(t, h, r, to)
			})
		}
	}
}

func testUndo(t *testing.T, h memoryEnv, before request.Request, to request.State) {
	b := h.testEnv
	before = now(t, b, before)
	rows := rowsBeside(h)
	b.now = b.now.Add(time.Hour) // another time than any before
	ended := reviewBy(t, b, "sam@vendor.example", before, to, "There is no contract.")
	b.now = b.now.Add(request.UndoFor - time.Millisecond)
	if err := undo(t, b, ended); err != nil {
		t.Fatal(err)
	}
	after := now(t, b, before)
	told := actions(t, b, after)
	last, want := told[len(told)-1], store.RejectionUndone
	if to == request.Withdrawn {
		want = store.WithdrawalUndone
	}
	if last != want {
		t.Errorf("got last line %q, want %q", last, want)
	}
	after.Version = before.Version
	if !reflect.DeepEqual(after, before) {
		t.Errorf("got request\n%+v, want\n%+v", after, before)
	}
	if got := rowsBeside(h); !reflect.DeepEqual(got, rows) {
		for key := range got {
			if got[key] != rows[key] {
				t.Errorf("%v: got %s, want %s", key, got[key], rows[key])
			}
		}
		for key := range rows {
			if _, ok := got[key]; !ok {
				t.Errorf("%v is gone", key)
			}
		}
	}
	m, err := b.Outbox().Read(t.Context(), ended.Undo.Mail)
	if err != nil || m.State.Status != outbox.Pointless {
		t.Errorf("got email %+v, %v, want it closed as pointless", m.State, err)
	}
}

// TestNobodyHearsOfAnEndThatCanBeUndone: for a minute, the email waits, and only sales see the end.
func TestNobodyHearsOfAnEndThatCanBeUndone(t *testing.T) {
	b := newTestEnv(t)
	r := review(t, b, file(t, b, evaluation), request.InReview, "")
	ended := review(t, b, r, request.Rejected, "why")
	if got := promoteAll(t, b); len(got) > 0 {
		t.Errorf("got mails %v ready, want none", got)
	}
	queued, err := b.Outbox().Queued(t.Context(), 10)
	if err != nil || queued.Held != 1 || queued.Paused != 0 || len(queued.Oldest) != 0 {
		t.Errorf("got queue %+v, %v, want one held email", queued, err)
	}
	known, err := b.RequestByToken(t.Context(), r.ID, r.Token)
	if err != nil || known.State != request.InReview || known.Reason != "" || !known.Closed.IsZero() ||
		!known.Due.Equal(r.Due) {
		t.Errorf("got %+v, %v, want the request in review", known, err)
	}
	for name, err := range map[string]error{
		"send the confirmation": b.SendConfirmation(t.Context(), r.ID),
		"correct the address":   b.CorrectEmail(t.Context(), r.ID, r.Email, "eve@acme.example"),
		"answer":                b.AnswerRequest(t.Context(), r.ID, r.Email, true),
	} {
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.Sentence(err), "Wait a minute") ||
			strings.Contains(fault.Sentence(err), "reject") {
			t.Errorf("%s: got %v, want to be asked to wait", name, err)
		}
	}
	b.now = ended.Undo.Until
	if got := promoteAll(t, b); len(got) != 1 || got[0] != ended.Undo.Mail {
		t.Errorf("got mails %v ready after the minute, want %s", got, ended.Undo.Mail)
	}
	if known, err = b.RequestByToken(t.Context(), r.ID, r.Token); err != nil || known.State != request.Rejected {
		t.Errorf("got %+v, %v, want the request rejected", known, err)
	}
}

// promoteAll ends all pauses that are over, and lists the mails that are ready.
func promoteAll(t *testing.T, b *testEnv) []string {
	t.Helper()
	for shard := range 16 {
		if _, err := b.Outbox().Promote(t.Context(), shard, 100); err != nil {
			t.Fatal(err)
		}
	}
	return pending(t, b.Store)
}

// TestConfirmingWaitsWhileTheEndCanBeUndone: the link of the email shows the request as it was, and says to wait.
func TestConfirmingWaitsWhileTheEndCanBeUndone(t *testing.T) {
	b := newTestEnv(t)
	r := fileAs(t, b, under("ada@acme.example"))
	ended := review(t, b, r, request.Withdrawn, "why")
	list, err := b.ToConfirm(t.Context(), r.ID, r.Secret)
	if err != nil || len(list) != 1 || !list[0].State.Open() || !list[0].Unconfirmed {
		t.Errorf("got %+v, %v, want the request as it was", list, err)
	}
	for name, settle := range map[string]func() error{
		"confirm": func() error { return b.ConfirmRequests(t.Context(), r.ID, r.Secret, r.ID) },
		"deny":    func() error { return b.DenyRequests(t.Context(), r.ID, r.Secret, r.ID) },
	} {
		if err := settle(); fault.KindOf(err) != fault.Conflict || now(t, b, r).Version != ended.Version {
			t.Errorf("%s: got %v, want to be asked to wait", name, err)
		}
	}
	if err := undo(t, b, ended); err != nil {
		t.Fatal(err)
	}
	confirm(t, b, r)
	if got := now(t, b, r); got.Confirmed.IsZero() || got.State != request.Received {
		t.Errorf("got %+v, want it confirmed", got)
	}
}

func TestUndoIsRefusedWhenItIsTooLate(t *testing.T) {
	b := newTestEnv(t)
	r := file(t, b, evaluation)
	ended := review(t, b, r, request.Rejected, "why")
	b.now = ended.Undo.Until
	if err := undo(t, b, ended); fault.KindOf(err) != fault.Conflict ||
		!strings.Contains(fault.Sentence(err), "is over") {
		t.Errorf("after the minute: got %v", err)
	}
	if got := now(t, b, r); got.Version != ended.Version {
		t.Errorf("got request %+v, want it unchanged", got)
	}
	for name, id := range map[string]string{"another": r.ID + "--rejected-7", "none": ""} {
		if err := b.UndoReview(t.Context(), r.ID, id, undoer); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s email: got %v, want a conflict", name, err)
		}
	}
	open := file(t, b, evaluation)
	if err := b.UndoReview(t.Context(), open.ID, open.ID+"--rejected-1", undoer); fault.KindOf(err) != fault.Conflict {
		t.Errorf("open request: got %v, want a conflict", err)
	}
	if err := b.UndoReview(t.Context(), "r9", "r9--rejected-1", undoer); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown request: got %v, want not found", err)
	}
}

// TestUndoIsRefusedOnceTheEmailIsBegun: the mailer's clock may be ahead of the console's.
func TestUndoIsRefusedOnceTheEmailIsBegun(t *testing.T) {
	b := newTestEnv(t)
	ended := review(t, b, file(t, b, evaluation), request.Rejected, "why")
	m, err := b.Outbox().Read(t.Context(), ended.Undo.Mail)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := b.Outbox().Begin(t.Context(), m, 1, mail.Message{ID: m.ID})
	if err != nil {
		t.Fatal(err)
	}
	for name, then := range map[string]func() error{
		"being sent": func() error { return nil },
		"failed":     func() error { return b.Outbox().Pause(t.Context(), begun, "down", b.now.Add(time.Hour), true) },
	} {
		if err := then(); err != nil {
			t.Fatal(err)
		}
		if err := undo(t, b, ended); fault.KindOf(err) != fault.Conflict ||
			!strings.Contains(fault.Sentence(err), "on its way") {
			t.Errorf("%s: got %v, want that the email is on its way", name, err)
		}
	}
}

// TestUndoAndMailerExcludeEachOther: of an undo and a call to the provider at once, one is made.
func TestUndoAndMailerExcludeEachOther(t *testing.T) {
	for range 20 {
		b := newMemoryEnv().testEnv
		ended := review(t, b, file(t, b, evaluation), request.Withdrawn, "why")
		m, err := b.Outbox().Read(t.Context(), ended.Undo.Mail)
		if err != nil {
			t.Fatal(err)
		}
		var undone, begun error
		var wg sync.WaitGroup
		wg.Go(func() { undone = undo(t, b, ended) })
		wg.Go(func() { _, begun = b.Outbox().Begin(t.Context(), m, 1, mail.Message{ID: m.ID}) })
		wg.Wait()
		open := now(t, b, ended).State.Open()
		if (undone == nil) == (begun == nil) || open != (undone == nil) || undone != nil &&
			fault.KindOf(undone) != fault.Conflict || begun != nil && !errors.Is(begun, outbox.ErrChanged) {
			t.Fatalf("got undone %v, begun %v and the request open %v, want one of both", undone, begun, open)
		}
	}
}

func TestOfTwoWhoUndoAtOnceOneIsTold(t *testing.T) {
	b := newTestEnv(t)
	ended := review(t, b, file(t, b, evaluation), request.Rejected, "why")
	var done, told atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			switch err := undo(t, b, ended); {
			case err == nil:
				done.Add(1)
			case fault.KindOf(err) == fault.Conflict:
				told.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || told.Load() != 3 {
		t.Errorf("got %d undone and %d told, want 1 and 3", done.Load(), told.Load())
	}
	lines := actions(t, b, ended)
	want := []store.Action{store.RequestRejected, store.RejectionUndone}
	if !slices.Equal(lines[len(lines)-2:], want) {
		t.Errorf("got timeline %q, want it to end with %q", lines, want)
	}
}

// TestUndoneRequestCanBeRejectedAgain: the next decision is one of its own.
func TestUndoneRequestCanBeRejectedAgain(t *testing.T) {
	b := newTestEnv(t)
	first := review(t, b, file(t, b, evaluation), request.Rejected, "why")
	if err := undo(t, b, first); err != nil {
		t.Fatal(err)
	}
	second := review(t, b, now(t, b, first), request.Rejected, "why not")
	if err := undo(t, b, first); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v, want that the first one is undone already", err)
	}
	b.now = second.Undo.Until
	if got := promoteAll(t, b); len(got) != 1 || got[0] != second.Undo.Mail {
		t.Errorf("got mails %v, want %s", got, second.Undo.Mail)
	}
}
