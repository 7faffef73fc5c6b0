package store_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// inboxes are the addresses under which requests are filed, each with the inbox that it leads to.
var inboxes = map[string]string{
	"ada@acme.example": "ada@acme.example", "Ada@ACME.example": "ada@acme.example", "ada+2@acme.example": "ada@acme.example",
	"bob@acme.example": "bob@acme.example", "eve@gmail.com": "eve@gmail.com", "e.v.e@googlemail.com": "eve@gmail.com",
}

// looked is what becomes of a request that an operator looks at, or that is confirmed.
func (h *history) looked(r *modelRequest) {
	if r.Unconfirmed {
		r.Due = businessDayAfter(h.now)
	}
	r.Unconfirmed = false
}

// businessDayAfter is when the reply is due to what comes at a time, in an office that is open from Monday to Friday,
// 09:00 to 17:00 UTC.
func businessDayAfter(at time.Time) time.Time {
	weekend := func() bool { return at.Weekday() == time.Saturday || at.Weekday() == time.Sunday }
	open := !weekend() && at.Hour() >= 9 && at.Hour() < 17
	if open || at.Hour() >= 17 {
		at = at.AddDate(0, 0, 1)
	}
	for weekend() {
		at = at.AddDate(0, 0, 1)
	}
	if open {
		return at
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 17, 0, 0, 0, time.UTC)
}

// heard is what comes of an answer of sales, before they looked at the request.
func (h *history) heard(r *modelRequest, by request.State) {
	if r.FirstAnswer != nil {
		return
	}
	r.FirstAnswer = &request.FirstAnswer{At: h.now, By: by}
	if !r.Unconfirmed {
		r.FirstAnswer.Due = r.Due
	}
}

// toConfirm reports whether there is something to confirm about a request.
func (r *modelRequest) toConfirm() bool { return r.Confirmed.IsZero() && r.State.Open() }

// askToConfirm is what comes of asking the address of a request to confirm it: an email with the ID ("": a later one),
// or one that lists all, or none.
func (h *history) askToConfirm(r *modelRequest, id string) (sent bool) {
	inbox, limit, n := inboxes[r.Email], 3, 1
	for _, q := range h.requests {
		if inboxes[q.Email] == inbox && !q.Confirmed.IsZero() && h.now.Before(q.Confirmed.AddDate(0, 0, 30)) {
			limit = 20
		}
	}
	slot := func() table.Key {
		return table.Key{PK: "CONFIRMATIONS#" + inbox, SK: fmt.Sprintf("%s#%02d", h.today(), n)}
	}
	for h.limits[slot()] {
		n++
	}
	what := fmt.Sprintf("%s-%d-%s", h.today(), n, mail.RecipientID(r.Email))
	switch {
	case n > limit+1:
		return false
	case n == limit+1:
		id = notice.RequestsToConfirm(r.Request, what).ID
	case id == "":
		id = notice.RequestReceivedAgain(r.Request, what).ID
	}
	h.limits[slot()] = true
	h.mails = append(h.mails, id)
	return true
}

// countOfDomain is what comes of an unconfirmed request for its domain.
func (h *history) countOfDomain(r *modelRequest) {
	if !strings.Contains(strings.ToLower(r.Email), "@acme.example") {
		return
	}
	of := table.Key{PK: "DOMAIN-REQUESTS#" + h.today().String() + "#acme.example", SK: "!ALARM"}
	n := 0
	for key := range h.limits {
		if key.PK == of.PK {
			n++
		}
	}
	if n >= 20 && !h.limits[of] {
		h.limits[of] = true
		h.mails = append(h.mails, notice.RequestsOfDomain(r.Request, h.today()).ID)
	}
	h.limits[table.Key{PK: of.PK, SK: r.ID}] = true
}

// idle lets a call do nothing.
func (h *history) idle(rt *rapid.T, call func() error) {
	if done := h.attempt(rt, call); done.made || done.err != nil {
		rt.Fatalf("got made %v, %v, want nothing done", done.made, done.err)
	}
}

// settle makes several changes in transactions of their own, of which one may go wrong, until all are made. Once more
// it does nothing.
func (h *history) settle(rt *rapid.T, call func() error) {
	wrong := pick(rt, "goes wrong", tabletest.Fault{}, tabletest.Fault{}, tabletest.Down, tabletest.Lost)
	at, n := rapid.IntRange(1, 3).Draw(rt, "at"), 0
	h.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			if n++; n == at {
				return wrong
			}
		}
		return tabletest.Fault{}
	}
	err := call()
	h.table.Fault = nil
	if fault.KindOf(err) == fault.Unavailable {
		err = call()
	}
	if err != nil {
		rt.Fatal(err)
	}
	h.idle(rt, call)
}

// confirmable draws a request and those that its secret confirms, of which somebody ticks some.
func (h *history) confirmable(rt *rapid.T) (r *modelRequest, ticked []string, settled []*modelRequest) {
	_, r = one(rt, h.requests, "request")
	for _, q := range h.requests {
		if h.undoable(q) {
			panic(nothing("sales may undo what they did"))
		}
	}
	var open []string
	for id, q := range h.requests {
		near := q.Created.Sub(r.Created).Abs() < 24*time.Hour || q.Created.Equal(r.Created.Add(-24*time.Hour))
		if q == r || near && strings.EqualFold(q.Email, r.Email) && q.toConfirm() && r.toConfirm() {
			open = append(open, id)
		}
	}
	slices.Sort(open)
	list, err := h.ToConfirm(rt.Context(), r.ID, r.Secret)
	var got []string
	for _, q := range list {
		got = append(got, q.ID)
	}
	if slices.Sort(got); err != nil || !slices.Equal(got, open) {
		rt.Fatalf("got requests to confirm %v, %v, want %v", got, err, open)
	}
	_, other := one(rt, h.requests, "other")
	_, err = h.ToConfirm(rt.Context(), r.ID, other.Secret)
	if other != r && fault.KindOf(err) != fault.NotFound {
		rt.Fatalf("with another secret: got %v, want not found", err)
	}
	for id, q := range h.requests {
		// Somebody may tick what is not listed.
		if rapid.IntRange(0, 2).Draw(rt, "ticked") > 0 {
			ticked = append(ticked, id)
			if slices.Contains(open, id) && q.toConfirm() {
				settled = append(settled, q)
			}
		}
	}
	return r, ticked, settled
}

func (h *history) confirm(rt *rapid.T) {
	r, ticked, settled := h.confirmable(rt)
	h.settle(rt, func() error { return h.ConfirmRequests(rt.Context(), r.ID, r.Secret, ticked...) })
	for _, q := range settled {
		h.looked(q)
		q.Confirmed, q.told = h.now, append(q.told, store.RequestConfirmed)
		h.mails = append(h.mails, notice.RequestConfirmed(q.Request).ID)
		h.changes++
	}
}

func (h *history) deny(rt *rapid.T) {
	r, ticked, settled := h.confirmable(rt)
	h.settle(rt, func() error { return h.DenyRequests(rt.Context(), r.ID, r.Secret, ticked...) })
	for _, q := range settled {
		q.State, q.Closed = request.Withdrawn, h.now
		q.Reason = "The owner of the email address did not send this request."
		q.told = append(q.told, store.RequestDenied)
		h.changes++
	}
}

func (h *history) sendConfirmation(rt *rapid.T) {
	_, r := one(rt, h.requests, "request")
	send := func() error { return h.SendConfirmation(rt.Context(), r.ID) }
	if !r.toConfirm() || h.undoable(r) {
		h.act(rt, false, touched{}, send, nil)
		return
	}
	if !h.askToConfirm(r, "") {
		if done := h.attempt(rt, send); done.made || fault.KindOf(done.err) != fault.RateLimited {
			rt.Fatalf("got made %v, %v, want too many", done.made, done.err)
		}
		return
	}
	if done := h.attempt(rt, send); !done.made || done.err != nil {
		rt.Fatalf("got made %v, %v", done.made, done.err)
	}
	r.told = append(r.told, store.ConfirmationSent)
	h.changes++
}

func (h *history) correct(rt *rapid.T) {
	id, r := one(rt, h.requests, "request")
	from, to := r.Email, pick(rt, "to", slices.Sorted(maps.Keys(inboxes))...)
	if to == from {
		panic(nothing("it is the same address"))
	}
	correct := func() error { return h.CorrectEmail(rt.Context(), id, from, to) }
	if h.undoable(r) {
		h.act(rt, false, touched{}, correct, nil)
		return
	}
	if !r.toConfirm() || r.Link != nil { // through a bound link
		h.idle(rt, correct)
		return
	}
	h.act(rt, true, touched{request: r, again: true}, correct, func() {
		kept, err := h.aside.Request(rt.Context(), id)
		if err != nil || kept.Secret == r.Secret {
			rt.Fatalf("got secret %q as before, %v", kept.Secret, err)
		}
		r.Email, r.Secret = to, kept.Secret
		r.Asked, r.AskedOf, r.Answers, r.Vouch = time.Time{}, nil, nil, nil
		r.told = append(r.told, store.EmailCorrected)
		if !r.Suspicious {
			h.askToConfirm(r, "")
		}
	})
}

func (h *history) closeUnconfirmed(rt *rapid.T) {
	var old []*modelRequest
	for _, r := range h.requests {
		if r.Unconfirmed && r.State.Open() && !h.now.Before(r.Created.AddDate(0, 0, 30)) {
			old = append(old, r)
		}
	}
	h.settle(rt, func() error {
		_, err := h.CloseUnconfirmed(rt.Context(), 100)
		return err
	})
	for _, r := range old {
		r.State, r.Reason, r.Closed = request.Withdrawn, "Nobody confirmed this request.", h.now
		r.told = append(r.told, store.RequestWithdrawn)
		h.changes++
	}
}

// tell tells sales of the unconfirmed requests, once a day.
func (h *history) tell(rt *rapid.T) {
	id := "request-unconfirmed--" + h.today().String()
	want := 0
	for _, r := range h.requests {
		if r.Unconfirmed && r.State.Open() && !h.record.toldOf[r.ID] && !slices.Contains(h.mails, id) {
			want++
		}
	}
	if n, err := h.TellUnconfirmed(rt.Context()); err != nil || n != want {
		rt.Fatalf("got %d requests told, %v, want %d", n, err, want)
	}
	if want > 0 {
		h.mails = append(h.mails, id)
	}
}

// seenRequest draws a request, as a person saw it. ok: that is still so.
func (h *history) seenRequest(rt *rapid.T) (r *modelRequest, change store.RequestChange, ok bool) {
	who := h.person(rt)
	id, r := one(rt, h.requests, "request")
	change = store.RequestChange{ID: id, Version: h.seen[who].requests[id].Version, By: who}
	if change.Version == 0 { // the person does not know it
		panic(nothing("nobody saw it"))
	}
	return r, change, change.Version == h.record.requests[id].Version && r.State.Open()
}

// linkTo is what becomes of a request that is linked: what contacts said about another customer or
// instance is gone.
func (r *modelRequest) linkTo(customerID, instance, by string) {
	if r.Customer != customerID || r.Instance != "" && r.Instance != instance {
		r.Asked, r.AskedOf, r.Answers = time.Time{}, nil, nil
	}
	r.Customer, r.Instance, r.LinkedBy = customerID, instance, by
}

func (h *history) link(rt *rapid.T) {
	r, change, may := h.seenRequest(rt)
	var customerID, instance string
	if rapid.IntRange(0, 3).Draw(rt, "undo") > 0 {
		customerID, _ = one(rt, h.customers, "customer")
		if i := h.instanceOf(customerID); i != "" && rapid.Bool().Draw(rt, "with instance") {
			instance = i
		}
	}
	link := func() error { return h.LinkRequest(rt.Context(), change, customerID, instance) }
	by, action := change.By, store.RequestLinked
	if customerID == "" {
		by, action = "", store.RequestUnlinked
	}
	if may && r.Customer == customerID && r.Instance == instance && r.LinkedBy == by {
		h.idle(rt, link)
		return
	}
	h.act(rt, may, touched{request: r, seen: true}, link, func() {
		r.linkTo(customerID, instance, by)
		r.told = append(r.told, action)
	})
}

// instanceOf is an instance of a customer, or of those merged with it; "" if there is none.
func (h *history) instanceOf(of string) string {
	for _, id := range slices.Sorted(maps.Keys(h.instances)) {
		if h.survivor(h.instances[id].Customer) == h.survivor(of) {
			return id
		}
	}
	return ""
}

func (h *history) linkNew(rt *rapid.T) {
	if len(h.customers) >= mostCustomers {
		panic(nothing("there are enough customers"))
	}
	r, change, may := h.seenRequest(rt)
	added := customer.Customer{ID: h.id("c"), Name: rapid.SampledFrom(names).Draw(rt, "name"),
		Contacts: drawContacts(rt), Created: h.now}
	link := func() error { return h.LinkNewCustomer(rt.Context(), change, added) }
	h.act(rt, may, touched{request: r, seen: true}, link, func() {
		h.customers[added.ID] = added
		r.linkTo(added.ID, "", change.By)
		r.told = append(r.told, store.RequestLinked)
	})
}

// askers are the contacts who may be asked.
var askers = []license.Contact{ada, {Name: "Bob", Email: "bob@acme.example"}}

// asked is what a request has on record once some contacts were asked.
func (h *history) asked(r *modelRequest, contacts []license.Contact) {
	r.Asked, r.AskedOf = h.now, slices.Clone(r.AskedOf)
	for _, to := range contacts {
		if !slices.Contains(r.AskedOf, to.Email) {
			r.AskedOf = append(r.AskedOf, to.Email)
		}
		h.limits[table.Key{PK: "ASKED#" + h.today().String() + "#" + to.Email, SK: r.ID}] = true
	}
	r.told = append(r.told, store.ContactsAsked)
}

func (h *history) ask(rt *rapid.T) {
	r, change, may := h.seenRequest(rt)
	contacts := askers[:rapid.IntRange(1, 2).Draw(rt, "contacts")]
	then := r.Request
	then.Asked = h.now
	if slices.Contains(h.mails, notice.RequestAsk(then, ada, "").ID) {
		panic(nothing("they were asked before the address was corrected"))
	}
	ask := func() error { return h.AskContacts(rt.Context(), change, contacts...) }
	h.act(rt, may, touched{request: r, seen: true}, ask, func() {
		h.asked(r, contacts)
		for _, to := range contacts {
			h.mails = append(h.mails, notice.RequestAsk(r.Request, to, "").ID)
		}
	})
}

// receive notes what the system found out about a request.
func (h *history) receive(rt *rapid.T) {
	id, r := one(rt, h.requests, "request")
	customerID, _ := one(rt, h.customers, "customer")
	contacts := askers[:rapid.IntRange(0, 2).Draw(rt, "contacts")]
	receive := func() error {
		kept, err := h.ReceiveRequest(rt.Context(), id, customerID, "", contacts...)
		if err == nil && kept.ID != id {
			rt.Fatalf("got request %q, want %q", kept.ID, id)
		}
		return err
	}
	ask := len(contacts) > 0 && (r.Asked.IsZero() || r.Customer != customerID)
	if !r.State.Open() && !h.undoable(r) || r.LinkedBy != "" {
		h.idle(rt, receive)
		return
	}
	h.act(rt, true, touched{request: r, again: true}, receive, func() {
		r.linkTo(customerID, "", store.System)
		r.told = append(r.told, store.RequestLinked)
		if ask {
			h.asked(r, contacts)
		}
	})
}

func (h *history) answer(rt *rapid.T) {
	id, r := one(rt, h.requests, "request")
	by, yes := pick(rt, "by", askers...).Email, rapid.Bool().Draw(rt, "yes")
	answer := func() error { return h.AnswerRequest(rt.Context(), id, by, yes) }
	may := r.State.Open() && slices.Contains(r.AskedOf, by)
	var others []request.Answer
	for _, a := range r.Answers {
		if a.By == by && a.Yes == yes && may {
			h.idle(rt, answer)
			return
		}
		if a.By != by {
			others = append(others, a)
		}
	}
	a := request.Answer{By: by, At: h.now, Yes: yes}
	if slices.Contains(h.mails, notice.RequestAnswered(r.Request, a).ID) {
		panic(nothing("the contact answered at the same moment"))
	}
	h.act(rt, may, touched{request: r, again: may}, answer, func() {
		r.Answers = append(others, a)
		if !a.Yes { // a colleague vouched without knowing of it
			r.Vouch = nil
		}
		h.mails = append(h.mails, notice.RequestAnswered(r.Request, a).ID)
		action := store.ContactSaidNo
		if yes {
			action = store.ContactSaidYes
		}
		r.told = append(r.told, action)
	})
}

func (h *history) vouch(rt *rapid.T) {
	r, change, may := h.seenRequest(rt)
	v := request.Vouch{Customer: "c", Email: r.Email, Server: r.Server, Note: h.id("note")}
	vouch := func() error { return h.VouchFor(rt.Context(), change, v) }
	h.act(rt, may, touched{request: r, seen: true}, vouch, func() {
		v.By, v.At = change.By, h.now
		r.Vouch, r.told = &v, append(r.told, store.VouchedFor)
	})
}

func (h *history) withdrawVouch(rt *rapid.T) {
	r, change, may := h.seenRequest(rt)
	withdraw := func() error { return h.WithdrawVouch(rt.Context(), change) }
	if may && r.Vouch == nil {
		h.idle(rt, withdraw)
		return
	}
	h.act(rt, may, touched{request: r, seen: true}, withdraw, func() {
		r.Vouch, r.told = nil, append(r.told, store.VouchWithdrawn)
	})
}
