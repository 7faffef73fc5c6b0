package mailmodel

import (
	"encoding/json"
	"strings"
	"time"

	"marketplace/shared/table"
)

// email is an email of the outbox, as its rows say, and what the model knows of it.
type email struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	About string `json:"about"`
	To    struct {
		Email string `json:"email"`
	} `json:"to"`
	Licenses   []string  `json:"licenses"`
	Due        []due     `json:"due"` // those of a digest have rows of their own
	Expiration string    `json:"expiration"`
	Created    time.Time `json:"created"`
	Text       string    `json:"text"`
	Requests   []string  `json:"requests"`
	Repeats    string    `json:"repeats"`
	Except     []string  `json:"except"`
	Contacts   []struct {
		Email string `json:"email"`
	} `json:"contacts"`

	queued  time.Time
	unknown bool // of a kind or schema that only a newer version knows
	state   state
	calls   []*call
	settled time.Time // when an event told that the provider accepted it
	reports []report  // what events told, each once
	marked  time.Time // when its last call was marked
	paused  time.Time // until when it was paused last
	marks   int       // calls that were marked

	// Since somebody tried it again, when it had had so many calls and marks:
	since, marksThen int
	notSent          int // calls that failed for certain
	rejected         bool
	letterFailed     bool
	undone           bool // people undid what it tells
	passedOn         bool // its reader did not get it, and the next contacts do
}

// state is the row of the state of an email.
type state struct {
	Status    string            `json:"status"`
	NotBefore time.Time         `json:"notBefore"`
	Gathering bool              `json:"gathering"`
	Attempts  int               `json:"attempts"`
	Failures  int               `json:"failures"`
	Doubts    int               `json:"doubts"`
	Cause     string            `json:"cause"`
	Omitted   map[string]string `json:"omitted"`
	Call      struct {
		Fence int64     `json:"fence"`
		At    time.Time `json:"at"`
	} `json:"call"`
}

func (s state) open() bool {
	return s.Status == "" || s.Status == "waiting" || s.Status == "sending" || s.Status == "in-doubt"
}

// rank is that of the design: what somebody waits for, what is soon enough, reminders.
func (e *email) rank() int {
	switch e.Kind {
	case "license-key", "request-question", "request-rejected", "request-withdrawn", "request-ask", "license-revoked",
		"license-replaced", "contact-added", "contact-removed":
		return 1
	case "license-expiring":
		return 3
	}
	return 2
}

func (e *email) toSales() bool {
	return e.Kind == "request-new" || e.Kind == "request-unconfirmed" || e.Kind == "license-unreached" ||
		e.Kind == "reminders-stopped"
}

func decode(row table.Row, v any) {
	if err := json.Unmarshal(row.Data, v); err != nil {
		panic(err)
	}
}

// watch sees every transaction that is applied.
func (w *world) watch(p *process, writes []table.Write) {
	w.commits++
	var added []table.Row
	for _, write := range writes {
		row := write.Row
		switch {
		case strings.HasPrefix(row.PK, "OUTBOX#"):
			w.watchReady(row.Key, write.Delete)
		case row.PK == "MAILER" && !write.Delete:
			var lease struct {
				Fence int64 `json:"fence"`
			}
			decode(row, &lease)
			p.fence = lease.Fence
		case strings.HasPrefix(p.name, "daily") && row.SK == "REQUEST" && !write.Delete:
			w.watchClosed(p, row)
		case !strings.HasPrefix(row.PK, "MAILS#"), write.Delete:
		case strings.Contains(row.SK, "#REPORT#"):
			id, _, _ := strings.Cut(row.SK, "#")
			var r report
			decode(row, &r)
			w.emails[id].reports = append(w.emails[id].reports, r)
		case strings.Contains(row.SK, "#due#"):
			added = append(added, row)
		case !strings.Contains(row.SK, "#"):
			w.appear(p, row)
		case strings.HasSuffix(row.SK, "#STATE"):
			w.watchState(p, strings.TrimSuffix(row.SK, "#STATE"), row)
		}
	}
	for _, row := range added {
		id, _, _ := strings.Cut(row.SK, "#")
		w.watchDue(p, id, row)
	}
}

func (w *world) watchReady(key table.Key, deleted bool) {
	if _, known := w.ready[key.String()]; deleted {
		delete(w.ready, key.String())
	} else if !known {
		w.ready[key.String()] = w.commits
	}
}

// appear notes an email that was queued.
func (w *world) appear(p *process, row table.Row) {
	e := &email{queued: w.now}
	decode(row, e)
	if w.emails[e.ID] != nil {
		w.failf("%s queued %s, which was queued before", p.name, e.ID)
	}
	w.logf("%s queues %s to %s", p.name, e.ID, e.To.Email)
	w.emails[e.ID] = e
	w.order = append(w.order, e)
	p.appeared = append(p.appeared, e)
	if e.Kind == "license-unreached" {
		w.license(e.About).unreached = true
	}
	if p == w.reporter || strings.HasPrefix(p.name, "mailer") {
		w.checkFollowsFrom(e)
	}
}

func (w *world) watchState(p *process, id string, row table.Row) {
	e := w.emails[id]
	if e == nil {
		w.failf("%s wrote the state of %s, which was never queued", p.name, id)
		return
	}
	before := e.state
	e.state = state{}
	decode(row, &e.state)
	w.logf("%s records %s: %s %s", p.name, id, e.state.Status, e.state.Cause)
	if e.state.Status == "sending" && e.state.Attempts > before.Attempts {
		e.marks++
		e.marked = w.now
	}
	if p == w.reporter && e.state.Status == "sent" && e.settled.IsZero() {
		e.settled = w.now
	}
	if n := len(e.calls); n > 0 && before.Status == "sending" && e.state.Status != "in-doubt" {
		e.calls[n-1].recorded = true
	}
	switch {
	case !e.state.NotBefore.IsZero():
		e.paused = e.state.NotBefore
	case before.Gathering:
		e.paused = time.Time{} // it was released
	}
	w.checkState(p, e, before)
}

// deliver gives an event of the provider to those who record it. One that fails is given again.
func (w *world) deliver(v event) {
	e, r := v.email, v.report
	w.reporter.appeared = nil
	told, before := len(e.reports), e.fate()
	open := as(w, w.reporter, func() []due { return w.openOf(e) })
	w.reporting = &v
	err := w.record(r)
	w.reporting = nil
	w.logf("event %s %s of %s, attempt %d: %v", r.Outcome, r.Status, e.ID, r.Attempt, err)
	switch {
	case err != nil:
		if v.repeats++; v.repeats > 1000 {
			w.failf("event %s of %s fails for ever: %v", r.Outcome, e.ID, err)
			return
		}
		v.due = w.now.Add(time.Minute)
		w.pending = append(w.pending, v)
	case e.settled.IsZero():
		e.settled = w.now
	}
	if len(e.reports) > told {
		as(w, w.reporter, func() error { w.checkReported(e, r, open, before); return nil })
	}
}
