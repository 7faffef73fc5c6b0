package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store/deletion"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// goneRequest is a request that has expired: nobody can read it any more, whatever rows of it there still are.
type goneRequest struct {
	*modelRequest
	deleted license.Date // by the daily run; zero: not yet
}

// expiresOf is when a request expires: at the end of the 180th day after it was closed without a license.
func expiresOf(r request.Request) time.Time {
	switch r.State {
	case request.Rejected, request.Withdrawn, request.Answered:
		return time.Date(r.Closed.Year(), r.Closed.Month(), r.Closed.Day()+181, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}
}

// age lets the requests go whose time is over.
func (h *history) age() {
	for id, r := range h.requests {
		if e := expiresOf(r.Request); !e.IsZero() && !h.now.Before(e) {
			h.gone[id] = &goneRequest{modelRequest: r}
			delete(h.requests, id)
			about := func(mail string) bool { return notice.AboutID(mail) == id }
			h.mails = slices.DeleteFunc(h.mails, about)
		}
	}
}

// expire lets months pass.
func (h *history) expire(*rapid.T) {
	h.now = h.now.AddDate(0, 0, 30+(h.ids*37)%160)
	h.age()
}

// ofRequest returns the ID of the request that a row is deleted with; "" for any other row.
func ofRequest(row table.Row) string {
	kind, of, _ := strings.Cut(row.PK, "#")
	last := row.SK[strings.LastIndexByte(row.SK, '#')+1:]
	switch kind {
	case "REQUEST", "MAILS", "LETTER":
		return notice.AboutID(of)
	case "QUEUE", "CUSTOMER-REQUESTS", "DATASET-REQUESTS", "EMAIL-REQUESTS", "WORD-REQUESTS", "UNTOLD",
		"REQUESTS-TO-DELETE", "NAMED":
		return last
	case "OUTBOX", "LATER", "FAILEDMAIL", "INDOUBT":
		return notice.AboutID(last)
	}
	return ""
}

// recounted reads all rows but those of requests that are gone, which it returns by their requests.
func (h *history) recounted() (r *recount, left map[string][]table.Row) {
	left = map[string][]table.Row{}
	var rows []table.Row
	for _, row := range h.memory.Rows() {
		if id := ofRequest(row); h.gone[id] != nil {
			left[id] = append(left[id], row)
		} else if row.PK != "DELETIONS" {
			rows = append(rows, row)
		}
	}
	r = recounted(rows, h.record)
	r.gone = h.gone
	return r, left
}

// checkGone: what the daily run has deleted has left no row, the report has every one of them, and nobody can read or
// change what is gone.
func (h *history) checkGone(rt *rapid.T, left map[string][]table.Row) {
	for id, r := range h.gone {
		for _, row := range left[id] {
			// Where the engine dropped the request first, it drops its index rows too.
			if over := !row.Expires.IsZero() && !h.now.Before(row.Expires); !r.deleted.IsZero() && !over {
				rt.Fatalf("request %s was deleted: got row %v", id, row.Key)
			}
		}
		if _, err := h.aside.Request(rt.Context(), id); fault.KindOf(err) != fault.NotFound {
			rt.Fatalf("request %s has expired: got %v, want it not found", id, err)
		}
	}
	told := map[string]int{}
	for _, a := range h.record.audit {
		for _, d := range a.Done {
			if id, ok := strings.CutPrefix(d.On, "REQUEST#"); ok && d.Action == deletion.RequestDeleted {
				told[id]++
			}
		}
	}
	for id, r := range h.gone {
		if want := !r.deleted.IsZero(); told[id] > 1 || (told[id] == 1) != want {
			rt.Fatalf("request %s: got %d lines of the audit that it was deleted, want one: %v", id, told[id], want)
		}
	}
	got := map[string]map[string]int{}
	for _, row := range h.memory.Rows() {
		if row.PK == "DELETIONS" {
			var d struct{ Counts map[string]int }
			if err := json.Unmarshal(row.Data, &d); err != nil {
				rt.Fatal(err)
			}
			got[row.SK] = d.Counts
		}
	}
	same(rt, "reports of what was deleted", got, h.reports)
}

// deleteExpired is the daily run's deletion: it may be cut off, and then be made again, and another one may run at
// once.
func (h *history) deleteExpired(rt *rapid.T) {
	limit := pick(rt, "limit", 1, 2, 1000)
	_, left := h.recounted()
	var due []string
	for id, r := range h.gone {
		if r.deleted.IsZero() {
			due = append(due, id)
		}
	}
	slices.SortFunc(due, func(a, b string) int {
		x, y := h.gone[a], h.gone[b]
		if d := expiresOf(x.Request).Compare(expiresOf(y.Request)); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	due = due[:min(limit, len(due))]
	wrong, other := pick(rt, "goes wrong", tabletest.Fault{}, tabletest.Down, tabletest.Lost), limit == 1000
	other = other && pick(rt, "another runs", true, false)
	at, n := rapid.IntRange(1, 12).Draw(rt, "at"), 0
	h.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			n++
			if n == at && other {
				if _, err := deletion.New(h.aside).DeleteExpired(rt.Context(), limit); err != nil {
					rt.Fatal(err)
				}
			} else if n == at {
				return wrong
			}
		}
		return tabletest.Fault{}
	}
	_, err := deletion.New(h.Store).DeleteExpired(rt.Context(), limit)
	h.table.Fault = nil
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		rt.Fatal(err)
	}
	if err != nil { // the request that failed is the first of the next run, if it was not deleted after all
		for _, id := range due {
			for _, row := range h.memory.Rows() {
				if row.PK == "REQUESTS-TO-DELETE" && strings.HasSuffix(row.SK, "#"+id) {
					if _, err := deletion.New(h.Store).DeleteExpired(rt.Context(), 1); err != nil {
						rt.Fatal(err)
					}
				}
			}
		}
	}
	for _, id := range due {
		h.countDeleted(left[id])
		h.gone[id].deleted = h.today()
		h.changes++
	}
	if limit == 1000 {
		h.idle(rt, func() error { _, err := deletion.New(h.Store).DeleteExpired(rt.Context(), limit); return err })
	}
}

// countDeleted adds a deleted request, of which there were some rows, to today's report.
func (h *history) countDeleted(rows []table.Row) {
	key := h.today().String() + "#retention"
	if h.reports[key] == nil {
		h.reports[key] = map[string]int{}
	}
	counts := h.reports[key]
	counts["requests"]++
	for _, row := range rows {
		switch {
		case strings.HasPrefix(row.SK, "EVENT#"):
			counts["lines"]++
		case row.Type == "mail":
			counts["emails"]++
		case row.Type == "letter":
			counts["letters"]++
		}
	}
}

// drop has the engine drop some rows of requests whose time to live is over, each by itself.
func (h *history) drop(rt *rapid.T) {
	for _, row := range h.memory.Rows() {
		over := !row.Expires.IsZero() && !h.now.Before(row.Expires)
		if over && h.gone[ofRequest(row)] != nil && rapid.Bool().Draw(rt, "dropped") {
			if err := h.memory.Transact(rt.Context(), table.Delete(row.Key, table.Any)); err != nil {
				rt.Fatal(err)
			}
		}
	}
}

// checkExpiries: each row expires when the page about personal data says so, and no other row does.
func (h *history) checkExpiries(rt *rapid.T) {
	for _, row := range h.memory.Rows() {
		want, known := h.expiry(row)
		if known && !row.Expires.Equal(want) {
			rt.Fatalf("%v: got expiry %v, want %v", row.Key, row.Expires, want)
		}
	}
}

// expiry reckons when a row expires. known is false for those that expire with a license, which other tests look at.
func (h *history) expiry(row table.Row) (at time.Time, known bool) {
	kind, _, _ := strings.Cut(row.PK, "#")
	var data struct{ At, Created time.Time }
	if err := json.Unmarshal(row.Data, &data); err != nil {
		panic(err)
	}
	day := func(text string, days int) time.Time {
		d, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
		if err != nil {
			panic(err)
		}
		return d.AddDate(0, 0, days)
	}
	switch {
	case kind == "AUDIT":
		return data.At.AddDate(0, 36, 0).Truncate(time.Second), true
	case strings.HasPrefix(row.SK, "EVENT#"), kind == "MAILS", kind == "OUTBOX", kind == "LATER",
		kind == "REQUESTS-TO-DELETE", kind == "NAMED":
		return time.Time{}, true
	case kind == "DUE", kind == "UNSUBSCRIBED", kind == "IDEMPOTENCY", kind == "DOMAIN-REQUESTS":
		return time.Time{}, false
	case kind == "CONFIRMATIONS" && row.SK == "CONFIRMED":
		return data.At.AddDate(0, 0, 30).Truncate(time.Second), true
	case kind == "CONFIRMATIONS":
		return day(row.SK, 2), true
	case kind == "ASKED":
		return day(row.PK[len("ASKED#"):], 2), true
	}
	if r := h.requests[ofRequest(row)]; r != nil {
		return expiresOf(r.Request), true
	}
	return time.Time{}, h.gone[ofRequest(row)] == nil
}

// TestHistoriesDeleteWhatExpires runs random histories of requests over years.
func TestHistoriesDeleteWhatExpires(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(reminder.Policy{})
		for range 2 {
			h.step(rt, "issue")
		}
		for range rapid.IntRange(20, 40).Draw(rt, "steps") {
			h.step(rt, "file", "file", "file", "review", "review", "review", "look", "note", "resend", "confirm",
				"deny", "link", "ask", "answer", "close", "tell", "issue", "pass", "expire", "expire", "delete",
				"delete", "drop")
		}
	})
}

func TestDeletionFinishesWhatTheEngineBegan(t *testing.T) {
	for name, dropped := range map[string]func(table.Row) bool{
		"the request alone":      func(row table.Row) bool { return row.Type == "request" },
		"index rows alone":       func(row table.Row) bool { return row.Type == "index" },
		"whatever has an expiry": func(table.Row) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			memory := &tabletest.Memory{}
			b := newTestEnvOver(memory)
			r := review(t, b, file(t, b, evaluation), request.Rejected, "no")
			b.now = r.Expires
			for _, row := range memory.Rows() {
				if !row.Expires.IsZero() && !b.now.Before(row.Expires) && dropped(row) {
					if err := memory.Transact(t.Context(), table.Delete(row.Key, table.Any)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if n, err := deletion.New(b.Store).DeleteExpired(t.Context(), 10); n != 1 || err != nil {
				t.Fatalf("got %d deleted, %v", n, err)
			}
			for _, row := range memory.Rows() {
				if id := ofRequest(row); id == r.ID && row.Expires.IsZero() || row.Type == "request" {
					t.Errorf("got row %v", row.Key)
				}
			}
			_, err := b.RequestByReference(t.Context(), r.Reference)
			if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "We deleted it on 29 Aug 2018") {
				t.Errorf("by reference: got %v, want the day of the deletion", err)
			}
			if n, err := deletion.New(b.Store).DeleteExpired(t.Context(), 10); n != 0 || err != nil {
				t.Errorf("again: got %d deleted, %v", n, err)
			}
		})
	}
}
