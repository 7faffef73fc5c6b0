package mailmodel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"marketplace/catalog"
	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
)

// mailer is a Dispatcher in a process of its own. One that was not cut off runs again, as a warm Lambda does.
type mailer struct {
	process    *process
	dispatcher *dispatch.Dispatcher
}

func (w *world) newMailer() *mailer {
	w.mailers++
	p := w.process(fmt.Sprintf("mailer%d", w.mailers), plan{})
	o := dispatch.Options{
		Outbox: p.store.Outbox(), Records: records{p.store, p}, Expander: expander{expansion.New(p.store), p},
		Write: w.write, Sender: p, Now: p.clock,
		Log:    slog.New(slog.NewTextHandler(logged{w}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		AtOnce: 1, Sleep: p.sleep,
	}
	if mutate := mutations[w.mutation].mailer; mutate != nil {
		mutate(w, p, &o)
	}
	return &mailer{p, dispatch.New(o)}
}

// records notes when a mailer reads what is on record.
type records struct {
	*delivery.Store
	process *process
}

func (r records) Records(ctx context.Context, n notice.Notice) (notice.Records, error) {
	r.process.recordsAtStep = r.process.steps
	return r.Store.Records(ctx, n)
}

func noCatalog() (*catalog.Catalog, error) { return nil, nil }

// write writes letters. Those of some emails cannot be written.
func (w *world) write(n notice.Notice, r notice.Records, c letter.Call) (mail.Message, error) {
	if e := w.emails[n.ID]; w.hash("template"+n.ID)%100 < w.habits.templateFails {
		e.letterFailed = true
		w.logf("the letter %s cannot be written", n.ID)
		if w.hash("panic"+n.ID)%2 == 0 {
			panic("a template")
		}
		return mail.Message{}, errors.New("a template fails")
	}
	letters := letter.Writer{
		URL: "https://licenses.example.com", Sales: mail.Address{Email: salesEmail}, Reminders: w.policy,
	}
	return letters.With(noCatalog)(n, r, c)
}

// logged is where mailers log to.
type logged struct{ world *world }

func (l logged) Write(line []byte) (int, error) {
	_, rest, _ := bytes.Cut(line, []byte(" ")) // without the time
	l.world.logf("      %s", bytes.TrimSpace(rest))
	return len(line), nil
}

// send runs the mailer, with what may go wrong.
func (w *world) send() {
	pl := plan{down: w.habits.tableDown, lost: w.habits.tableLost}
	if w.chance(w.habits.cutOff) {
		if pl.dieAtCall = w.choose(3); pl.dieAtCall == 0 {
			pl.dieAt, pl.dieAfter = 1+w.choose(40), w.chance(50)
		}
	}
	if w.chance(w.habits.stall) {
		pl.stallAt, pl.stall = 1+w.choose(25), w.meanwhile
	}
	switch w.choose(30) {
	case 0:
		pl.cancelAt = 1 + w.choose(40)
	case 1:
		pl.downFrom = 1 + w.choose(40)
	}
	w.dispatch(pl)
}

// schedule runs the mailer again and again for a while, as its schedule does.
func (w *world) schedule() {
	every := one(w, []time.Duration{time.Minute, 6 * time.Minute, 31 * time.Minute, 4 * time.Hour})
	for range 3 + w.choose(6) {
		w.send()
		w.advance(every + time.Duration(w.choose(1000))*time.Millisecond)
	}
}

// meanwhile is what happens while a mailer stalls.
func (w *world) meanwhile() {
	if w.chance(50) { // another mailer tries at once
		w.dispatch(plan{})
		return
	}
	for range 1 + w.choose(3) {
		one(w, []func(*world){(*world).wait, (*world).wait, (*world).changeLicense, (*world).review, (*world).send,
			(*world).changeCustomer, (*world).unsubscribe, (*world).remind})(w)
	}
}

func (w *world) dispatch(pl plan) {
	m := w.mailer
	if m == nil || w.running > 0 || w.chance(30) {
		m = w.newMailer()
	}
	p := m.process
	p.begin(pl)
	clean := pl.down+pl.lost+pl.dieAt+pl.dieAtCall+pl.stallAt+pl.cancelAt+pl.downFrom == 0
	if !clean {
		w.outage.unsure = true
	}
	w.logf("%s runs", p.name)
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	w.running++
	err := m.dispatcher.Run(ctx)
	w.running--
	cancel()
	w.logf("%s ends after %d steps: %v", p.name, p.steps, err)
	if clean && w.running == 0 && w.outage.class == "" && !p.lastCall.IsZero() {
		w.outage.unsure = false
	}
	if p.dead {
		m = nil
	}
	if w.running == 0 {
		w.mailer = m
	}
}
