package delivery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
)

// Planner works out who is reminded of licenses, for the daily run, the mailer and the console's forecast alike. It
// reads each customer, each contract and each suppressed address once, so it is for one run or one page. It may be used
// from several goroutines at once.
type Planner struct {
	store      *Store
	customers  cache[customer.Customer]
	contracts  cache[customer.Contract]
	suppressed cache[*Suppression]
}

// NewPlanner returns a Planner that has read nothing.
func (s *Store) NewPlanner() *Planner { return &Planner{store: s} }

// Plan is what a day brings for a license.
type Plan struct {
	Stage    reminder.Stage   // due; zero: none is
	To       *license.Contact // who is reminded; nil: nobody
	Turn     *license.Contact // whose turn it is: the first contact who can be reached, also one who unsubscribed
	Customer string           // the ID of the customer, of the survivor if it was merged
	// Why nobody is reminded, as the end of a sentence such as "Not sent: the license was revoked".
	Why string
	// Unreached says that no contact can be reached: sales are told. Stopped says that the contact whose turn it is has
	// unsubscribed. In both cases the license stays due.
	Unreached, Stopped bool
	NextKey            bool // the contract goes on after the license: sales are told to issue the next key
}

// Plan works out what happens about a license on the day of a time, UTC, if nothing changes until then but that the
// reminders of the days before are sent.
func (p *Planner) Plan(ctx context.Context, r store.LicenseRecord, at time.Time) (plan Plan, err error) {
	return p.planAfter(ctx, r, at, p.sentBefore(r, license.DateOf(at)))
}

// planAfter is Plan where the newest stage that was sent before is that of a day.
func (p *Planner) planAfter(ctx context.Context, r store.LicenseRecord, at time.Time, sent license.Date) (
	plan Plan, err error) {
	today, policy := license.DateOf(at), p.store.Policy()
	stage, due := policy.Due(r.License, today, sent)
	if !due {
		plan.Why = whyNotDue(r.License, today)
		return plan, nil
	}
	plan.Stage = stage
	of, err := p.facts(ctx, r.License, at, stage.After())
	if err != nil {
		return Plan{}, fmt.Errorf("delivery: plan for license %s: %w", r.License.ID, err)
	}
	plan.Customer, plan.Turn = of.customer, of.turn
	covered := stage.After() && of.Covered
	plan.NextKey = !of.ContractLast.IsZero() && !covered
	if of.turn == nil && !covered {
		plan.Unreached, plan.Why = true, "no contact can be reached"
		return plan, nil
	}
	d := notice.Due{License: r.License.ID, Expiration: r.License.Expiration, Stage: stage}
	records := notice.Records{Policy: policy, Today: today}
	if of.turn == nil {
		plan.Why = notice.Unneeded(of.Expiring, d, license.Contact{}, records)
		return plan, nil
	}
	if plan.Why = notice.Unneeded(of.Expiring, d, *of.turn, records); plan.Why == "" {
		plan.To = of.turn
	}
	if of.Reminded == nil && !covered {
		plan.Stopped, plan.Why = true, of.whoUnsubscribed()
	}
	return plan, nil
}

// sentBefore returns the day of the newest stage of a license that was sent before a day, or will be until then.
func (p *Planner) sentBefore(r store.LicenseRecord, day license.Date) license.Date {
	sent := r.Reminded
	for from := license.DateOf(p.store.Now()); ; {
		next, stage := p.store.Policy().Next(r.License, from, sent)
		if next.IsZero() || !day.After(next) {
			return sent
		}
		from, sent = next, stage.Day(r.License.Expiration)
	}
}

// whyNotDue returns why no stage is due for a license today.
func whyNotDue(l license.License, today license.Date) string {
	switch silence := reminder.Silenced(l, today); {
	case silence == reminder.Muted && !l.Mute.Until.IsZero():
		return string(silence) + " through " + l.Mute.Until.Long()
	case silence != "":
		return string(silence)
	}
	return "no reminder is due"
}

// Expiring reads what is on record at a time about a license of a digest.
func (p *Planner) Expiring(ctx context.Context, l license.License, at time.Time) (notice.Expiring, error) {
	of, err := p.facts(ctx, l, at, true)
	return of.Expiring, err
}

// facts are an Expiring with what only a Plan needs.
type facts struct {
	notice.Expiring
	customer string           // see Plan.Customer
	turn     *license.Contact // the first contact who can be reached, unsubscribed or not
	gone     []store.Unsubscription
}

// whoUnsubscribed says that the contact whose turn it is unsubscribed.
func (f facts) whoUnsubscribed() string {
	i := slices.IndexFunc(f.gone, func(u store.Unsubscription) bool { return input.SameMailbox(u.Email, f.turn.Email) })
	return fmt.Sprintf("%s unsubscribed on %s; nobody else is reminded", f.turn.Email,
		license.DateOf(f.gone[i].At).Long())
}

// facts reads what is on record about a license, of its instance only if wanted: all at once, then whom mail reaches.
func (p *Planner) facts(ctx context.Context, l license.License, at time.Time, withInstance bool) (of facts, err error) {
	of.License = l
	var customers []customer.Customer
	var contract customer.Contract
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		customers, err = customer.WithSurvivor(l.Customer, func(id string) (customer.Customer, error) {
			return p.customers.get(id, func() (customer.Customer, error) { return p.store.Customer(ctx, id) })
		})
		return err
	})
	g.Go(func() (err error) { of.gone, err = p.store.Unsubscribed(both, l.ID); return err })
	g.Go(func() (err error) { contract, err = p.contract(ctx, l); return err })
	if withInstance {
		g.Go(func() error {
			i, err := p.store.InstanceOf(both, l)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
			of.Environment, of.Covered = i.Environment, i.Covers(l, license.DateOf(at))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return of, err
	}
	if len(customers) > 0 {
		of.customer = customers[len(customers)-1].ID
		of.Customer = customers[len(customers)-1].Reference
	}
	of.Contract = contract.Reference
	if contract.Outlives(l) {
		of.ContractLast = contract.Last
	}
	for _, u := range of.gone {
		of.Unsubscribed = append(of.Unsubscribed, u.Email)
	}
	of.Contacts = customer.Readers(customers, customer.Renewals, l.Instance, at)
	of.turn, err = firstReachable(of.Contacts, func(email string) (*Suppression, error) {
		read := func() (*Suppression, error) { return p.store.Suppressed(ctx, email) }
		return p.suppressed.get(input.Mailbox(email), read)
	})
	if of.turn != nil && !of.HasUnsubscribed(*of.turn) {
		of.Reminded = of.turn
	}
	return of, err
}

// contract returns the contract of a license; the zero Contract if it has none.
func (p *Planner) contract(ctx context.Context, l license.License) (customer.Contract, error) {
	if l.Contract == "" {
		return customer.Contract{}, nil
	}
	return p.contracts.get(l.Contract, func() (customer.Contract, error) {
		found, err := p.store.ContractOf(ctx, l)
		if fault.KindOf(err) == fault.NotFound {
			return customer.Contract{}, nil
		}
		return found, err
	})
}

// cache keeps what was read once, by key. Only what could not be read is read again.
type cache[V any] struct {
	mu    sync.Mutex
	known map[string]*cached[V]
}

// cached is a value that somebody reads; done is closed when it was read.
type cached[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func (c *cache[V]) get(key string, read func() (V, error)) (V, error) {
	v, isNew := c.entry(key)
	if !isNew {
		<-v.done
		return v.value, v.err
	}
	defer close(v.done)
	if v.value, v.err = read(); v.err != nil {
		c.mu.Lock()
		delete(c.known, key)
		c.mu.Unlock()
	}
	return v.value, v.err
}

// keep keeps a value that was read elsewhere.
func (c *cache[V]) keep(key string, value V) {
	if v, isNew := c.entry(key); isNew {
		v.value = value
		close(v.done)
	}
}

// entry returns what is cached under a key; isNew says that the caller has to read it.
func (c *cache[V]) entry(key string) (v *cached[V], isNew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v = c.known[key]; v == nil {
		if c.known == nil {
			c.known = map[string]*cached[V]{}
		}
		v, isNew = &cached[V]{done: make(chan struct{})}, true
		c.known[key] = v
	}
	return v, isNew
}
