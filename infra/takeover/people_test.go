package takeover

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
)

// What customers and the attacker do.

// file files a request. The attacker types anybody's address, and any of the customer's servers and licenses.
func (w *world) file() {
	who := one(w, slices.Concat(honest, attackers, attackers))
	d := request.Details{
		Kind: one(w, request.Kinds), Edition: license.Enterprise, Server: one(w, servers), Loc: 100_000,
		ProductVersion: "6.7", Name: "Somebody", Email: who, Company: acme, Country: "Switzerland",
	}
	if evil(who) && w.chance(30) {
		d.Email = one(w, []string{ana, nina, bob})
	}
	if evil(who) && w.chance(30) {
		d.Contacts = []string{one(w, attackers)}
	}
	if who == carl {
		d.Kind, d.Server, d.Company = request.New, "AWHW8w9JtzBzSrmf9NEW", "New GmbH"
	}
	if d.Kind == request.Replacement || d.Kind == request.Staging {
		d.Replaces = one(w, []string{prod, stage, second, "01l0prod000000000000000000", "01l0second0000000000000000"})
		d.Environment = one(w, []request.Environment{request.ProductionUse, request.StagingUse})
		d.OldServer = one(w, []request.OldServer{request.OldStopped, request.OldRunning, request.OldLost})
	}
	f := store.Filing{Details: d, Key: fmt.Sprint(w.IntN(30))}
	if evil(who) && len(w.forwarded) > 0 && w.chance(50) {
		link := one(w, w.forwarded)
		f.Link = &link
		if w.chance(40) { // as the page behind the link does
			f.Kind, f.Email, f.Contacts = request.Renewal, link.Contact, nil
			f.Server, f.Replaces, f.Environment, f.OldServer = w.serverOf(link.License), "", "", ""
		}
		f.Bound = link.Binds(f.Details, w.serverOf(link.License))
	}
	r, created, err := w.store.FileRequest(context.Background(), f)
	if err != nil {
		w.failf("a request cannot be filed: %v", err)
		return
	}
	if !created {
		return
	}
	w.logf("%s files %s: %s as %s for %s, replaces %q %s, link %v bound %v", who, r.ID, f.Kind, f.Email, f.Server,
		f.Replaces, f.OldServer, f.Link, f.Bound)
	w.filed = append(w.filed, r.ID)
	w.author[r.ID], w.email[r.ID] = who, f.Email
	if f.Bound {
		w.received(r)
	}
}

func (w *world) serverOf(id string) license.Server {
	r, err := w.store.License(context.Background(), id)
	if err != nil {
		panic(err)
	}
	return r.License.Server
}

// forward is a contact who forwards a reminder to the attacker.
func (w *world) forward() {
	l := one(w, []string{"01l0prod000000000000000000", "01l0second0000000000000000"})
	w.forwarded = append(w.forwarded, request.Link{Mail: l + "--reminder", Contact: ana, License: l})
	w.remind(l)
	w.logf("the attacker has a reminder of %s to %s", l, ana)
}

// remind queues the reminder, once for each license, whose link to stop reminders the attacker has from then on.
func (w *world) remind(id string) {
	ctx := context.Background()
	d := w.store.NewDigest(w.customer, license.DateOf(w.now), license.Contact{Email: ana}, w.now, 0)
	due := notice.Due{License: id, Expiration: day(2018, 4, 30), Stage: reminder.MonthsBefore(1)}
	err := w.store.AddDue(ctx, d, due, entity.Line{By: store.System, Action: store.ReminderQueued})
	if err == nil {
		err = d.Release(ctx)
	}
	mails, errRead := w.store.MailsAbout(ctx, id, 100)
	if err != nil || errRead != nil {
		w.failf("a reminder cannot be queued: %v, %v", err, errRead)
		return
	}
	for _, m := range mails {
		if m.Kind == mail.LicenseExpiring {
			w.reminders[id] = m
		}
	}
}

// stop is the attacker who follows the link of a forwarded reminder that stops reminders, or the contact who resumes
// them. It ends the reminders of that license to that contact, of which sales are told, and nothing else.
func (w *world) stop() {
	if len(w.reminders) == 0 {
		return
	}
	ctx := context.Background()
	id := one(w, slices.Sorted(maps.Keys(w.reminders)))
	m := w.reminders[id]
	before := w.account()
	var err error
	if w.stopped[id] && w.chance(50) {
		err = w.store.Resubscribe(ctx, m)
		w.stopped[id] = false
		w.logf("%s resumes the reminders of %s", ana, id)
	} else {
		err = w.store.Unsubscribe(ctx, m)
		w.stopped[id] = true
		w.seen["reminders stopped"]++
		w.logf("the attacker stops the reminders of %s", id)
	}
	if err != nil {
		w.failf("stopping or resuming the reminders of %s: %v", id, err)
		return
	}
	w.judgeStop(before)
}

// judgeStop compares who is reminded with what was stopped, and that nothing else changed: keys come as before.
func (w *world) judgeStop(before *customer.Account) {
	ctx, after := context.Background(), w.account()
	if !reflect.DeepEqual(before.Customer.Contacts, after.Customer.Contacts) {
		w.failf("stopping reminders changed the contacts: %v", after.Customer.Contacts)
	}
	if why, err := w.store.Suppressed(ctx, ana); err != nil || why != nil {
		w.failf("stopping reminders suppressed %s: %v, %v", ana, why, err)
	}
	for _, i := range after.Instances {
		for _, l := range i.Licenses {
			gone, err := w.store.Unsubscribed(ctx, l.ID)
			if want := w.stopped[l.ID]; err != nil || want != (len(gone) == 1) || want && gone[0].Email != ana {
				w.failf("%s: stopped is %v, and unsubscribed are %v, %v", l.ID, want, gone, err)
			}
			w.keyComes(l.ID)
		}
	}
	mails, err := w.store.MailsAbout(ctx, w.customer, 1000)
	told := slices.ContainsFunc(mails, func(m outbox.Mail) bool { return m.Kind == mail.RemindersStopped })
	if err != nil || !told {
		w.failf("sales were not told that reminders were stopped: %v", err)
	}
}

// keyComes fails unless the mail with the key of a license in use still has a point.
func (w *world) keyComes(id string) {
	r, err := w.store.License(context.Background(), id)
	if err != nil || len(notice.Usable([]license.License{r.License}, license.DateOf(w.now))) == 0 {
		return
	}
	key := notice.LicenseKeyAgain(r.License, license.Contact{Email: ana}, "n")
	records, err := w.store.Records(context.Background(), key)
	if why := key.Pointless(records); err != nil || why != "" {
		w.failf("the key of %s does not come: %s, %v", id, why, err)
	}
}

// confirm is whoever reads the mailbox of a request, and has its email. The honest ones tick their own requests, the
// attacker ticks all.
func (w *world) confirm() {
	r, ok := w.open()
	if !ok {
		return
	}
	reader := r.Email
	list, err := w.store.ToConfirm(context.Background(), r.ID, r.Secret)
	if err != nil {
		w.failf("the secret of %s reads nothing: %v", r.ID, err)
		return
	}
	var own, others []string
	for _, listed := range list {
		if !reads(reader, listed.Email) {
			w.failf("the secret of %s lists %s of another mailbox", r.ID, listed.ID)
		}
		if reads(w.author[listed.ID], reader) || evil(reader) {
			own = append(own, listed.ID)
		} else {
			others = append(others, listed.ID)
		}
	}
	if evil(reader) { // and what is not listed
		own = append(own, w.filed...)
	}
	if len(own) > 0 {
		w.logf("%s confirms %v", reader, own)
		if err := w.store.ConfirmRequests(context.Background(), r.ID, r.Secret, own...); err != nil {
			w.failf("confirming failed: %v", err)
		}
		for _, id := range own {
			now := w.request(id)
			switch {
			case now.Confirmed.IsZero() || w.confirmed[id]:
			case !reads(reader, w.email[id]):
				w.failf("%s confirmed %s, which is not of that mailbox", reader, id)
			default:
				w.confirmed[id] = true
				w.received(now)
			}
		}
	}
	if len(others) > 0 && w.chance(50) {
		w.logf("%s denies %v", reader, others)
		if err := w.store.DenyRequests(context.Background(), r.ID, r.Secret, others...); err != nil {
			w.failf("denying failed: %v", err)
		}
	}
}

// guess is the attacker with a status link, who tries to confirm with it.
func (w *world) guess() {
	r, ok := w.open()
	if !ok || !evil(w.author[r.ID]) {
		return
	}
	for _, secret := range []string{r.Token, "", r.ID, string(r.Reference)} {
		if w.store.ConfirmRequests(context.Background(), r.ID, secret, r.ID) == nil {
			w.failf("%s was confirmed with %q", r.ID, secret)
		}
	}
}

// resend asks for the confirmation once more.
func (w *world) resend() {
	if r, ok := w.open(); ok {
		_ = w.store.SendConfirmation(context.Background(), r.ID) // or it is refused
	}
}

// wait lets hours or days pass.
func (w *world) wait() {
	w.now = w.now.Add(one(w, []time.Duration{time.Minute, time.Hour, 12 * time.Hour, 25 * time.Hour, 4 * 24 * time.Hour}))
}
