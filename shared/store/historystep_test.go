package store_test

import (
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// server draws one of few datasets, under one of two database addresses.
func server(rt *rapid.T) license.Server {
	dataset := "AWHW8w9JtzBzSrmf9GQ" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "dataset")
	if rapid.Bool().Draw(rt, "moved") {
		return license.Server("0A1B2C3D-" + dataset)
	}
	return license.Server(dataset)
}

func (h *history) file(rt *rapid.T) {
	f := store.Filing{Details: evaluation, Key: h.id("token")}
	f.Server = server(rt)
	f.Kind = rapid.SampledFrom(request.Kinds).Draw(rt, "kind")
	f.Company = rapid.SampledFrom([]string{"Acme AG", "Fjord Systems"}).Draw(rt, "company")
	f.Email = pick(rt, "email", slices.Sorted(maps.Keys(inboxes))...)
	how := pick(rt, "how", "by form", "by form", "by form", "suspicious", "bound", "by telephone")
	switch how {
	case "suspicious":
		f.Suspicious = true
	case "bound":
		f.Kind, f.Bound = request.Renewal, true
		f.Link = &request.Link{Mail: "m", Contact: f.Email, License: f.Key}
	case "by telephone":
		f.By = people[0]
	}
	var filed request.Request
	made := 0
	change := func() (err error) {
		var created bool
		filed, created, err = h.FileRequest(rt.Context(), f)
		if created {
			made++
		}
		return err
	}
	h.act(rt, true, touched{}, change, func() {
		if made > 1 {
			rt.Fatal("one token made two requests")
		}
		wantUnconfirmed := how == "by form" || how == "suspicious"
		if filed.Unconfirmed != wantUnconfirmed || !filed.Due.Equal(businessDayAfter(h.now)) {
			rt.Fatalf("%s: got unconfirmed %v and due at %v", how, filed.Unconfirmed, filed.Due)
		}
		r := &modelRequest{Request: filed, told: []store.Action{store.RequestReceived}}
		h.requests[filed.ID] = r
		switch {
		case !wantUnconfirmed:
			h.mails = append(h.mails, notice.RequestReceived(filed).ID, notice.RequestConfirmed(filed).ID)
			return
		case !f.Suspicious:
			h.askToConfirm(r, notice.RequestReceived(filed).ID)
		}
		h.countOfDomain(r)
	})
}

var told = map[request.State]store.Action{
	request.Waiting: store.CustomerAsked, request.Rejected: store.RequestRejected,
	request.Withdrawn: store.RequestWithdrawn,
}

func (h *history) review(rt *rapid.T) {
	who := h.person(rt)
	id, r := one(rt, h.requests, "request")
	to := rapid.SampledFrom([]request.State{request.InReview, request.InReview, request.Waiting, request.Rejected,
		request.Withdrawn}).Draw(rt, "to")
	v := store.Review{ID: id, Version: h.seen[who].requests[id].Version, By: who, To: to, Text: "because"}
	change := func() error {
		_, err := h.Review(rt.Context(), v)
		return err
	}
	takenOver := r.State == request.InReview && to == request.InReview && r.Reviewer != who
	may := v.Version == h.record.requests[id].Version && (r.State.Leads(to) || takenOver)
	h.act(rt, may, touched{request: r, seen: true}, change, func() {
		action := told[to]
		if to == request.InReview {
			action = map[request.State]store.Action{
				request.Received: store.RequestTaken, request.Waiting: store.RequestResumed,
				request.InReview: store.RequestTakenOver,
			}[r.State]
		}
		before := r.Request
		if to == request.Waiting || to == request.Rejected {
			h.heard(r, to)
		}
		h.looked(r)
		if r.State == request.Waiting && to == request.InReview {
			r.Due = businessDayAfter(h.now)
		}
		r.State, r.Undo = to, nil
		switch to {
		case request.InReview:
			r.Reviewer = who
		case request.Waiting:
			r.Reviewer, r.Question = who, "because"
			h.mails = append(h.mails, notice.RequestQuestion(r.Request, v.Version).ID)
		default:
			h.end(r, before, v.Version, who)
		}
		r.told = append(r.told, action)
	})
}

// resend answers a request with a key that is on record.
func (h *history) resend(rt *rapid.T) {
	who := h.person(rt)
	id, r := one(rt, h.requests, "request")
	lid, l := one(rt, h.licenses, "license")
	v := store.Review{ID: id, Version: h.seen[who].requests[id].Version, By: who}
	may := v.Version == h.record.requests[id].Version && r.State.Leads(request.Answered) && l.Revoked.IsZero() &&
		l.KeyText != ""
	touch := touched{request: r, seen: true}
	h.act(rt, may, touch, func() error { return h.ResendKey(rt.Context(), v, lid, ada) }, func() {
		h.heard(r, request.Answered)
		h.looked(r)
		r.State, r.Closed = request.Answered, h.now
		r.Customer, r.Instance = l.Customer, l.Instance
		r.told = append(r.told, store.RequestAnswered)
		h.mails = append(h.mails, notice.LicenseKeyAgain(l, ada, id).ID)
	})
}

func (h *history) note(rt *rapid.T) {
	id, r := one(rt, h.requests, "request")
	change := func() error { return h.NoteOnRequest(rt.Context(), id, people[0], "called them") }
	h.act(rt, true, touched{twice: true}, change, func() {
		r.told = append(r.told, store.NoteAdded)
	})
}

// retire is what comes of an instance's retiring, or its coming back.
func (h *history) retire(id string, retired bool, by string) {
	i := h.instances[id]
	i.Retired, i.RetiredBy = time.Time{}, ""
	if retired {
		i.Retired, i.RetiredBy = h.now, by
	}
	h.instances[id] = i
	for lid, l := range h.licenses {
		over := h.today().After(l.Expiration.AddMonths(1)) // until then, a reminder may still come
		if l.Instance == id && l.Revoked.IsZero() && !over {
			l.Retired = retired
			h.licenses[lid] = l
		}
	}
}

func (h *history) retireInstance(rt *rapid.T) {
	who := h.person(rt)
	id, i := one(rt, h.instances, "instance")
	of := h.survivor(i.Customer)
	version := h.seen[who].guards[of]
	retired := i.InUse()
	touch := touched{customer: of, seen: true, license: h.licenseOf(id)}
	change := func() error {
		return h.RetireInstance(rt.Context(), store.AccountChange{Customer: of, Version: version, By: who}, id, retired)
	}
	h.act(rt, version == h.record.guards[of], touch, change, func() { h.retire(id, retired, who) })
}

// licenseOf is a license of an instance that changes with it; "" if it has none.
func (h *history) licenseOf(instance string) string {
	for _, id := range slices.Sorted(maps.Keys(h.licenses)) {
		if l := h.licenses[id]; l.Instance == instance && l.Revoked.IsZero() {
			return id
		}
	}
	return ""
}

// move moves an instance to another contract or customer, or back.
func (h *history) move(rt *rapid.T) {
	who := h.person(rt)
	id, i := one(rt, h.instances, "instance")
	from := h.survivor(i.Customer)
	m := store.Move{Instances: []string{id},
		From: store.AccountChange{Customer: from, Version: h.seen[who].guards[from], By: who}}
	may := m.From.Version == h.record.guards[from]
	m.Undo = i.Moved != nil && rapid.Bool().Draw(rt, "back")
	switch {
	case m.Undo:
		m.To = h.survivor(i.Moved.Customer)
		if may && m.To != from { // what was issued since is under a contract that stays
			for lid, l := range h.licenses {
				_, moved := i.Moved.Contracts[lid]
				if l.Instance == id && !moved && l.Contract != "" && h.valid(l) {
					may = false
				}
			}
		}
	default:
		to, _, ok := h.account(rt, who, "to")
		m.To, may = to, may && ok
		var known []string
		for kid, k := range h.contracts {
			if h.survivor(k.Customer) == to {
				known = append(known, kid)
			}
		}
		slices.Sort(known)
		if foreign := h.foreignContract(to); foreign != "" && pick(rt, "foreign", true, false, false, false, false) {
			m.Contract, m.Version = foreign, h.seen[who].guards[to]
			if done := h.attempt(rt, func() error { return h.MoveInstances(rt.Context(), m) }); done.made {
				rt.Fatalf("moved to contract %s, which is not of customer %s", foreign, to)
			}
			return
		}
		if m.Contract = rapid.SampledFrom(append(known, "")).Draw(rt, "contract"); m.To == from && m.Contract == "" {
			panic(nothing("it would move nowhere"))
		}
	}
	m.Version = h.seen[who].guards[m.To]
	may = may && m.Version == h.record.guards[m.To]
	touch := touched{customer: m.To, seen: true, license: h.licenseOf(id)}
	h.act(rt, may, touch, func() error { return h.MoveInstances(rt.Context(), m) }, func() { h.moved(i, m) })
}

// foreignContract is a contract that a customer does not have; "" if there is none.
func (h *history) foreignContract(of string) string {
	for _, id := range slices.Sorted(maps.Keys(h.contracts)) {
		if h.survivor(h.contracts[id].Customer) != of {
			return id
		}
	}
	return ""
}

// moved is what comes of a move.
func (h *history) moved(i customer.Instance, m store.Move) {
	back := i.Moved
	home := m.To
	if m.Undo {
		home = back.Customer
	}
	i.Moved = &customer.Origin{Customer: i.Customer, Contracts: map[string]string{}}
	i.Customer = home
	for id, l := range h.licenses {
		if l.Instance != i.ID {
			continue
		}
		i.Moved.Contracts[id] = l.Contract
		l.Customer = home
		if m.Undo {
			if contract, moved := back.Contracts[id]; moved {
				l.Contract = contract
			}
		} else if l.Type != license.Evaluation && h.valid(l) {
			l.Contract = m.Contract
		}
		h.licenses[id] = l
	}
	if m.Undo {
		i.Moved = nil
	}
	h.instances[i.ID] = i
}

func (h *history) endContract(rt *rapid.T) {
	who := h.person(rt)
	id, k := one(rt, h.contracts, "contract")
	of := h.survivor(k.Customer)
	change := store.AccountChange{Customer: of, Version: h.seen[who].guards[of], By: who}
	touch := touched{customer: of, seen: true}
	may := change.Version == h.record.guards[of]
	if rapid.Bool().Draw(rt, "reopen") {
		reopen := func() error { return h.ReopenContract(rt.Context(), change, id) }
		h.act(rt, may && !k.Ended.IsZero(), touch, reopen, func() {
			k.Ended, k.EndedBy, k.EndedReason = time.Time{}, "", ""
			h.contracts[id] = k
		})
		return
	}
	end := func() error { return h.EndContract(rt.Context(), change, id, "unpaid") }
	h.act(rt, may && k.Ended.IsZero(), touch, end, func() {
		k.Ended, k.EndedBy, k.EndedReason = h.now, who, "unpaid"
		h.contracts[id] = k
	})
}

func (h *history) merge(rt *rapid.T) {
	who := h.person(rt)
	from, fromVersion, okFrom := h.account(rt, who, "from")
	into, intoVersion, okInto := h.account(rt, who, "into")
	if from == into && pick(rt, "other", true, true, false) {
		panic(nothing("it would be merged into itself"))
	}
	m := store.Merge{From: from, Into: into, FromVersion: fromVersion, IntoVersion: intoVersion, By: who}
	touch := touched{customer: into, seen: true}
	change := func() error { return h.MergeCustomers(rt.Context(), m) }
	h.act(rt, okFrom && okInto && from != into, touch, change, func() {
		c := h.customers[from]
		c.MergedInto = into
		h.customers[from] = c
	})
}

func (h *history) unmerge(rt *rapid.T) {
	who := h.person(rt)
	merged := maps.Clone(h.customers)
	maps.DeleteFunc(merged, func(_ string, c customer.Customer) bool { return c.MergedInto == "" })
	id, _ := one(rt, merged, "merged")
	of := h.survivor(id)
	change := store.AccountChange{Customer: of, Version: h.seen[who].guards[of], By: who}
	touch := touched{customer: of, seen: true}
	may := change.Version == h.record.guards[of]
	h.act(rt, may, touch, func() error { return h.UnmergeCustomer(rt.Context(), change, id) }, func() {
		c := h.customers[id]
		c.MergedInto = ""
		h.customers[id] = c
	})
}

// save edits a customer.
func (h *history) save(rt *rapid.T) {
	who := h.person(rt)
	id, version, ok := h.account(rt, who, "customer")
	var merged []string // those who can be edited along
	for other := range h.customers {
		if h.survivor(other) == h.survivor(id) {
			merged = append(merged, other)
		}
	}
	slices.Sort(merged)
	of := rapid.SampledFrom(merged).Draw(rt, "of")
	name, contacts := rapid.SampledFrom(names).Draw(rt, "name"), drawContacts(rt)
	edit := func(c *customer.Customer) error {
		former := c.Name
		c.Name, c.Contacts, c.Owner = name, contacts, h.id("owner")
		c.AddFormerName(former)
		c.Survivor, c.MergedInto = "", "" // which an edit does not change
		return nil
	}
	var saved customer.Customer
	change := func() error {
		return h.SaveCustomer(rt.Context(), store.AccountChange{Customer: id, Version: version, By: who}, of,
			func(c *customer.Customer) error {
				err := edit(c)
				saved = *c
				return err
			})
	}
	h.act(rt, ok, touched{customer: id, seen: true}, change, func() {
		saved.MergedInto, saved.Survivor = h.customers[of].MergedInto, h.customers[of].Survivor
		h.saved(saved, false)
	})
}

func (h *history) revoke(rt *rapid.T) {
	who := h.person(rt)
	id, l := one(rt, h.licenses, "license")
	change := store.LicenseChange{ID: id, Version: h.seen[who].licenses[id].Version, By: who}
	may := change.Version == h.record.licenses[id].Version && l.Revoked.IsZero()
	touch := touched{license: id, alone: true, customer: l.Customer}
	h.act(rt, may, touch, func() error { return h.RevokeLicense(rt.Context(), change, "never paid") }, func() {
		l := h.licenses[id]
		l.Revoked, l.RevokedReason = h.now, "never paid"
		h.licenses[id] = l
		h.mails = append(h.mails, id+"--revoked")
	})
}

func (h *history) mute(rt *rapid.T) {
	who := h.person(rt)
	id, _ := one(rt, h.licenses, "license")
	var after license.Mute
	if rapid.Bool().Draw(rt, "muted") {
		after = license.Mute{By: who, At: h.now, Reason: h.id("reason")}
		if rapid.Bool().Draw(rt, "for a time") {
			after.Until = h.today().AddDays(rapid.IntRange(0, 60).Draw(rt, "days"))
		}
	}
	change := store.LicenseChange{ID: id, Version: h.seen[who].licenses[id].Version, By: who}
	may := change.Version == h.record.licenses[id].Version
	mute := func() error { return h.muting(rt.Context(), h.Store, change, after) }
	h.act(rt, may, touched{license: id, alone: true}, mute, func() {
		l := h.licenses[id]
		l.Mute = after
		h.licenses[id] = l
	})
}

func (h *history) pass(rt *rapid.T) {
	defer h.age()
	if rapid.Bool().Draw(rt, "an hour") {
		h.now = h.now.Add(time.Duration(rapid.IntRange(1, 30).Draw(rt, "hours")) * time.Hour)
		return
	}
	h.now = h.now.AddDate(0, 0, rapid.IntRange(1, 45).Draw(rt, "days"))
}
