package takeover

import (
	"context"
	"errors"
	"slices"

	"marketplace/functions/console/generator"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// What operators do: they believe everybody, and try everything.

// link links a request to the customer, or undoes that.
func (w *world) link() {
	r, ok := w.open()
	if !ok {
		return
	}
	to := one(w, []string{w.customer, w.customer, ""})
	change := store.RequestChange{ID: r.ID, Version: r.Version, By: one(w, operators)}
	if err := w.store.LinkRequest(context.Background(), change, to, ""); err != nil {
		w.failf("linking failed: %v", err)
	}
}

// ask asks all contacts about a request.
func (w *world) ask() {
	r, ok := w.open()
	if !ok {
		return
	}
	to := one(w, []string{ana, otto, nina})
	if _, known := w.contacts[to]; !known {
		return
	}
	change := store.RequestChange{ID: r.ID, Version: r.Version, By: one(w, operators)}
	if err := w.store.AskContacts(context.Background(), change, license.Contact{Email: to}); err != nil {
		if fault.KindOf(err) != fault.Conflict {
			w.failf("asking failed: %v", err)
		}
		return
	}
	w.answer(r, to)
}

// vouchFor vouches for what a request seems to be about, or for something else.
func (w *world) vouchFor() {
	r, ok := w.open()
	if !ok {
		return
	}
	a := w.account()
	v := request.Vouch{Customer: w.customer, Server: r.Server, Email: r.Email}
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			if l.Revoked.IsZero() && w.chance(85) {
				v.Licenses = append(v.Licenses, l.ID)
			}
		}
	}
	if w.chance(20) {
		v.Server = one(w, servers)
	}
	by := one(w, operators)
	change := store.RequestChange{ID: r.ID, Version: r.Version, By: by}
	if err := w.store.VouchFor(context.Background(), change, v); err != nil {
		w.failf("vouching failed: %v", err)
		return
	}
	w.logf("%s vouches for %s: %v %s %s", by, r.ID, v.Licenses, v.Server, v.Email)
	w.vouches[r.ID] = vouch{by, v.Licenses, v.Server, v.Email}
}

// addContact makes somebody a contact, whom nobody vouches for; removeContact ends that.
func (w *world) addContact() {
	who := one(w, []string{eve, eva, bob})
	if _, known := w.contacts[who]; known {
		return
	}
	w.logf("%s becomes a contact", who)
	w.change(w.account(), func(c *customer.Customer) error {
		c.Contacts = append(c.Contacts, customer.Contact{Email: who, Since: w.now, AddedBy: sam})
		return nil
	})
	w.contacts[who] = w.now.AddDate(0, 0, 7)
}

func (w *world) removeContact() {
	who := one(w, []string{eve, eva, bob, nina})
	if _, known := w.contacts[who]; !known {
		return
	}
	w.logf("%s is no contact any more", who)
	w.change(w.account(), func(c *customer.Customer) error {
		c.Contacts = slices.DeleteFunc(c.Contacts, func(c customer.Contact) bool { return reads(c.Email, who) })
		return nil
	})
	delete(w.contacts, who)
}

// issue issues licenses for a request, or for a license without one, with whatever the operator fancies.
func (w *world) issue() {
	var s generator.Source
	var r request.Request
	if w.chance(85) {
		var ok bool
		if r, ok = w.open(); !ok {
			return
		}
		s.Request = r.ID
	} else {
		s.License = one(w, []string{"01l0prod000000000000000000", "01l0second0000000000000000", "01l0stage00000000000000000"})
		s.Kind = one(w, []request.Kind{request.Renewal, request.Replacement, request.Upgrade})
	}
	ctx := context.Background()
	d, err := w.generator.Begin(ctx, s, string(one(w, servers)))
	if err != nil {
		return // a closed request, a revoked license
	}
	f := w.fancy(d, r)
	d, err = w.generator.Draft(ctx, s, f)
	if err != nil {
		return // the form is wrong
	}
	c := generator.Confirmation{Digest: d.Digest, By: one(w, operators)}
	for _, warning := range d.Warnings {
		c.Codes = append(c.Codes, warning.Code)
	}
	before := w.account()
	err = w.generator.Issue(ctx, s, f, c)
	if refused, ok := errors.AsType[*generator.NotIssued](err); ok {
		w.seen["refused"]++
		w.logf("%s may not issue for %q: %v", c.By, s.Request, refused)
		return
	}
	if err != nil {
		return
	}
	w.logf("%s issues for %q: %s to %s", c.By, s.Request, f.Server, d.To.Email)
	w.judge(before, issued{request: s.Request, by: c.By, to: d.To.Email, confirmed: c.Codes, first: f.ID})
	for _, added := range d.Changes.Contacts {
		if d.Account != nil && d.Account.IsOf(w.customer) {
			w.contacts[added.Email] = w.now.AddDate(0, 0, 7)
		}
	}
}

// fancy changes a form at random.
func (w *world) fancy(d *generator.Draft, r request.Request) generator.Form {
	f := d.Form
	if w.chance(70) && f.Customer == generator.NewCustomer {
		f.Customer = w.customer
		if again, err := w.generator.Refresh(context.Background(), generator.Source{Request: r.ID}, f); err == nil {
			f = again.Form
		}
	}
	if w.chance(30) && f.Customer == w.customer {
		f.Instance = one(w, w.account().Instances).ID
	}
	if w.chance(20) {
		f.Server = string(one(w, servers))
	}
	switch w.IntN(4) {
	case 0:
		f.To, f.Name, f.Email = generator.OtherAddress, "", one(w, slices.Concat(attackers, []string{ana, bob}))
	case 1:
		if r.Email != "" {
			f.To = r.Email
		}
	}
	if w.chance(30) {
		f.AddContacts = []string{generator.AddRecipient}
	}
	if f.MaxLoc == "" {
		f.MaxLoc = "500000"
	}
	return f
}

// issued is an issue, as the operator did it.
type issued struct {
	request, by, to, first string
	confirmed              []generator.Code
}

// judge compares what an issue took from the customer with who stands for it.
func (w *world) judge(before *customer.Account, i issued) {
	after := w.account()
	var revoked []string
	for _, now := range after.Instances {
		for _, l := range now.Licenses {
			was := before.InstanceOf(l.ID)
			if l.Revoked.IsZero() || was == nil {
				continue
			}
			n := slices.IndexFunc(was.Licenses, func(old customer.License) bool { return old.ID == l.ID })
			if was.Licenses[n].Revoked.IsZero() {
				revoked = append(revoked, l.ID)
			}
		}
	}
	first := after.InstanceOf(i.first)
	underContract := false
	if first != nil {
		n := slices.IndexFunc(first.Licenses, func(l customer.License) bool { return l.ID == i.first })
		underContract = first.Licenses[n].Contract != ""
	}
	_, known := w.contacts[i.to]
	if len(revoked) == 0 && (!underContract || known || i.to == "") {
		w.seen["took nothing"]++
		return
	}
	instance := ""
	if first != nil && before.Instance(first.ID) != nil {
		instance = first.ID
	}
	switch {
	case w.alone && slices.Contains(i.confirmed, generator.OnOwnWord):
		w.seen["confirmed alone"]++
	case i.request == "":
		w.failf("without a request, %v was revoked and the key went to %s", revoked, i.to)
	case w.byContact(i, instance):
		w.seen["for a contact"]++
		if evil(w.author[i.request]) {
			w.seen["for an attacker with a contact's word"]++
		}
	case w.byTwo(i, revoked):
		w.seen["by two"]++
	default:
		w.failf("for %s, filed by %s as %s, %v was revoked and the key went to %s", i.request, w.author[i.request],
			w.email[i.request], revoked, i.to)
	}
}

// byContact reports whether a contact, who may, asked for the request or said that it is theirs.
func (w *world) byContact(i issued, instance string) bool {
	r := w.request(i.request)
	l, err := w.store.License(context.Background(), i.first)
	_, known := w.contacts[i.to]
	if err != nil || l.License.Server != r.Server || !known && i.to != "" && i.to != r.Email {
		return false
	}
	if w.confirmed[r.ID] && w.speaks(r.Email, instance) {
		return true
	}
	// Somebody who is a contact since lately is as good as the link of a reminder that was sent to them.
	if w.confirmed[r.ID] && r.Link != nil && w.speaks(r.Link.Contact, instance) && reads(r.Link.Contact, r.Email) {
		return true
	}
	said := false
	for contact, yes := range w.answers[r.ID] {
		if reads(contact, r.Email) || !w.speaks(contact, instance) {
			continue
		}
		if !yes {
			return false
		}
		said = true
	}
	return said
}

// byTwo reports whether two colleagues stand for an issue.
func (w *world) byTwo(i issued, revoked []string) bool {
	v, ok := w.vouches[i.request]
	_, known := w.contacts[i.to]
	l, err := w.store.License(context.Background(), i.first)
	if !ok || v.by == i.by || err != nil || l.License.Server != v.server || !known && i.to != "" && i.to != v.email {
		return false
	}
	return !slices.ContainsFunc(revoked, func(id string) bool { return !slices.Contains(v.licenses, id) })
}
