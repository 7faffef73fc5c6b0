package takeover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/functions/console/generator"
	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// The people. Who asks is one of these, whatever address is typed.
const (
	ana   = "ana@acme.example"     // a contact since last year
	otto  = "otto@partner.example" // a contact since last year, for one instance only
	nina  = "nina@acme.example"    // a contact since yesterday
	bob   = "bob@acme.example"     // works there, and is no contact
	carl  = "carl@new.example"     // a new customer
	eve   = "eve@gmail.com"        // an attacker
	eva   = "eva@acme.example"     // the attacker's mailbox at the customer
	mal   = "mal@evil.example"     // the attacker's mailbox at a domain of its own
	sam   = "sam@vendor.example"
	lucia = "lucia@vendor.example"
)

var (
	honest    = []string{ana, ana, otto, nina, bob, carl}
	attackers = []string{eve, eva, mal}
	operators = []string{sam, lucia}
	servers   = []license.Server{prod, stage, second, moved, "AWHW8w9JtzBzSrmfEVIL"}
)

// The servers of the customer, and an ID of the first one's data at another database address.
const (
	prod   = "AWHW8w9JtzBzSrmf9GQX"
	stage  = "AWHW8w9JtzBzSrmf9STG"
	second = "AWHW8w9JtzBzSrmf9SEC"
	moved  = "BBBB1111-" + prod
	acme   = "Acme AG"
)

var sample = sync.OnceValues(func() (*catalog.Catalog, error) { return data.Catalog("https://licenses.vendor.example") })

// world is a history while it is played.
type world struct {
	*rand.Rand
	store     *delivery.Store
	rows      *tabletest.Memory
	audited   *storetest.Audited // the same, and each change of it has its row of the audit
	expander  *expansion.Expander
	generator *generator.Generator
	now       time.Time
	alone     bool // one salesperson
	customer  string
	steps     []string

	filed     []string               // IDs of the requests, in order
	author    map[string]string      // of each request: who filed it
	email     map[string]string      // of each request: the address that was typed
	confirmed map[string]bool        // by whoever reads that mailbox
	answers   map[string]answers     // of contacts
	vouches   map[string]vouch       // the newest of each request
	contacts  map[string]time.Time   // of the customer: since when each speaks, by mailbox
	limited   map[string]string      // contacts who speak for one instance only
	forwarded []request.Link         // links of reminders that the attacker got
	reminders map[string]outbox.Mail // these reminders, by license
	stopped   map[string]bool        // licenses of which the contact is not reminded any more

	seen    map[string]int
	problem error
}

type answers map[string]bool

type vouch struct {
	by       string
	licenses []string
	server   license.Server
	email    string
}

func newWorld(seed uint64, alone bool, issuer license.Issuer) *world {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2018, 3, 5, 9, 0, 0, 0, time.UTC), alone: alone,
		author: map[string]string{}, email: map[string]string{}, confirmed: map[string]bool{},
		answers: map[string]answers{}, vouches: map[string]vouch{}, contacts: map[string]time.Time{},
		limited: map[string]string{}, seen: map[string]int{}, reminders: map[string]outbox.Mail{},
		stopped: map[string]bool{}, customer: storetest.CustomerID(acme),
	}
	clock := func() time.Time { return w.now }
	w.rows = &tabletest.Memory{}
	w.audited = &storetest.Audited{Table: w.rows, Fail: w.failf}
	w.store = delivery.New(store.New(w.audited, store.Options{Now: clock}))
	w.expander = expansion.New(w.store)
	w.generator = generator.New(generator.Options{
		Records: w.store, Search: search.New(w.store.Store), Catalog: sample, OneOperator: alone,
		Issuer:  func() (license.Issuer, error) { return issuer, nil },
		Letters: letter.Writer{URL: "https://licenses.vendor.example", Sales: mail.Address{Email: "sales@vendor.example"}},
		Now:     clock,
	})
	w.sell()
	return w
}

// sell puts the customer on record: two production instances, one of them with staging, and its contacts.
func (w *world) sell() {
	ctx := context.Background()
	for _, l := range []license.License{
		{ID: "01l0prod000000000000000000", Type: license.Production, Server: prod},
		{ID: "01l0second0000000000000000", Type: license.Production, Server: second},
		{ID: "01l0stage00000000000000000", Type: license.Staging, Server: stage},
	} {
		l.Organization, l.Edition, l.MaxLoc, l.Support = acme, license.Enterprise, 500_000, true
		l.NotBefore, l.Expiration = day(2017, 5, 1), day(2018, 4, 30)
		i, err := storetest.Draft(ctx, w.store.Store, l, license.Contact{Email: ana})
		i.Imported = true
		if err == nil {
			err = w.store.IssueLicenses(ctx, i)
		}
		if err != nil {
			panic(err)
		}
	}
	a := w.account()
	second := a.InstanceOf("01l0second0000000000000000").ID
	w.change(a, func(c *customer.Customer) error {
		c.Domains = []string{"acme.example"}
		c.Contacts = append(c.Contacts,
			customer.Contact{Email: otto, Instances: []string{second}, Since: w.now.AddDate(-1, 0, 0), AddedBy: sam},
			customer.Contact{Email: nina, Since: w.now.AddDate(0, 0, -1), AddedBy: sam})
		return nil
	})
	w.contacts = map[string]time.Time{ana: {}, otto: {}, nina: w.now.AddDate(0, 0, 6)}
	w.limited[otto] = second
}

func day(y int, m time.Month, d int) license.Date {
	return license.DateOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

func (w *world) account() *customer.Account {
	a, err := w.store.Account(context.Background(), w.customer)
	if err != nil {
		panic(err)
	}
	return a
}

func (w *world) change(a *customer.Account, edit func(*customer.Customer) error) {
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: sam}
	if err := w.store.SaveCustomer(context.Background(), change, a.Customer.ID, edit); err != nil {
		panic(err)
	}
}

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

func one[T any](w *world, list []T) T { return list[w.IntN(len(list))] }

func (w *world) logf(format string, args ...any) {
	w.steps = append(w.steps, w.now.Format("2 Jan 15:04 ")+fmt.Sprintf(format, args...))
}

func (w *world) failf(format string, args ...any) {
	if w.problem == nil {
		w.problem = fmt.Errorf("%s\nafter:\n%s", fmt.Sprintf(format, args...), strings.Join(w.steps, "\n"))
	}
}

// request reads a request.
func (w *world) request(id string) request.Request {
	r, err := w.store.Request(context.Background(), id)
	if err != nil {
		panic(err)
	}
	return r
}

// open draws one of the newest open requests; ok is false if there is none.
func (w *world) open() (r request.Request, ok bool) {
	var list []request.Request
	for _, id := range w.filed {
		if r := w.request(id); r.State.Open() {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return r, false
	}
	return one(w, list[max(0, len(list)-4):]), true
}

// speaks reports, by what happened, whether somebody is a contact who may speak about an instance.
func (w *world) speaks(mailbox, instance string) bool {
	since, ok := w.contacts[mailbox]
	return ok && !w.now.Before(since) && (w.limited[mailbox] == "" || w.limited[mailbox] == instance)
}

// reads reports whether somebody reads an address.
func reads(who, address string) bool { return input.SameMailbox(who, address) }

func evil(who string) bool { return slices.Contains(attackers, who) }

// received does what the mailer does once a request was confirmed: contacts are asked, and answer.
func (w *world) received(r request.Request) {
	into, err := w.expander.Expand(context.Background(), notice.RequestConfirmed(r))
	if err != nil {
		return // it was closed
	}
	for _, n := range into {
		if n.Kind == mail.RequestAsk {
			w.logf("%s is asked about %s", n.To.Email, r.ID)
			w.answer(r, n.To.Email)
		}
	}
}

// answer is a contact who answers, or does not. The honest ones say the truth.
func (w *world) answer(r request.Request, contact string) {
	if w.chance(40) {
		return
	}
	yes := !evil(w.author[r.ID])
	if evil(contact) {
		yes = true
	}
	if err := w.store.AnswerRequest(context.Background(), r.ID, contact, yes); err != nil {
		return
	}
	w.logf("%s says %v about %s", contact, yes, r.ID)
	if w.answers[r.ID] == nil {
		w.answers[r.ID] = answers{}
	}
	w.answers[r.ID][contact] = yes
}
