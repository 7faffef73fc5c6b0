// Package licenseimport imports licenses that a vendor issued before this system. It reads them from a CSV file (Read),
// works out which customers, contracts and instances they belong to, and records each customer with its reminders
// (Import). The operator's tool and the local server use it.
//
// What it forms does not depend on the order of the lines, and importing a file again forms nothing: licenses are known
// by IDs that follow from their terms, customers by IDs that follow from name and domain, whatever sales changed since.
package licenseimport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

// Recorder is where licenses are recorded; *store.Store implements it.
type Recorder interface {
	Now() time.Time
	// OnRecord returns those licenses that are on record, by ID.
	OnRecord(ctx context.Context, ids ...string) (map[string]license.License, error)
	// Customer, Account and CustomerByReference return a NotFound fault for a customer that is not on record.
	Customer(ctx context.Context, id string) (customer.Customer, error)
	Account(ctx context.Context, id string) (*customer.Account, error)
	CustomerByReference(ctx context.Context, r reference.Reference) (id string, err error)
	Accounts(ctx context.Context, ids ...string) ([]*customer.Account, error)
	Dataset(ctx context.Context, s license.Server) (store.Dataset, error)
	IssueLicenses(ctx context.Context, i store.Issue) error
}

// Search finds customers that are on record; *search.Index implements it.
type Search interface {
	Customers(ctx context.Context, name string, limit int) (list []store.CustomerSummary, more bool, err error)
	ByDomain(ctx context.Context, domain string, limit int) (search.Found, error)
	ByEmail(ctx context.Context, email string, limit int) (search.Found, error)
}

// Report is the result of an import.
type Report struct {
	Recorded  int       `json:"recorded"`            // newly recorded licenses
	Known     int       `json:"known"`               // licenses that were recorded before
	Customers int       `json:"customers,omitempty"` // new ones, and so on
	Contracts int       `json:"contracts,omitempty"`
	Instances int       `json:"instances,omitempty"`
	Notes     []Note    `json:"notes,omitempty"`
	Refused   []Refusal `json:"refused,omitempty"`
}

// Options say where and how to import. Store and Search are required.
type Options struct {
	Store       Recorder
	Search      Search // in the same store
	By          string // who imports, for timelines; "" is "import"
	SkipRefused bool   // records the other lines if some are refused
	// PublicMailDomains are further domains at which anybody can have an address (customer.CheckDomain).
	PublicMailDomains []string
}

// Import reads a file and records its licenses with their customers, contracts and instances. If a line is refused, for
// its content or for what is on record, nothing is recorded unless SkipRefused; the report lists the lines and reasons.
//
// Different customers are recorded at once, what belongs to one in as many transactions as it needs. Running an
// interrupted import again finishes it.
func Import(ctx context.Context, r io.Reader, o Options) (Report, error) {
	file, err := Read(r)
	if err != nil {
		return Report{}, err
	}
	o.By = cmp.Or(o.By, "import")
	im := &importer{options: o, report: Report{Notes: file.Notes, Refused: file.Refused}}
	groups, err := im.resolve(ctx, file.Entries)
	if err != nil {
		return im.sorted(), fmt.Errorf("import: looking up customers (nothing was imported): %w", err)
	}
	if len(im.report.Refused) > 0 && !o.SkipRefused {
		im.report.Known = 0
		return im.sorted(), nil
	}
	if err := im.record(ctx, groups); err != nil {
		return im.sorted(), fmt.Errorf("import: stopped after %d licenses; run it again to import the rest: %w",
			im.report.Recorded+im.report.Known, err)
	}
	return im.sorted(), nil
}

// importer is an import while it runs.
type importer struct {
	options Options

	mu     sync.Mutex
	report Report
}

// sorted is the report in the order of the lines.
func (im *importer) sorted() Report {
	slices.SortStableFunc(im.report.Refused, func(a, b Refusal) int { return a.Line - b.Line })
	slices.SortStableFunc(im.report.Notes, func(a, b Note) int { return a.Line - b.Line })
	return im.report
}

func (im *importer) note(notes ...Note) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.report.Notes = append(im.report.Notes, notes...)
}

// refuse refuses a license for what is on record, once.
func (im *importer) refuse(e *Entry, reason string) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if !e.refused {
		e.refused = true
		im.report.Refused = append(im.report.Refused, Refusal{e.Line, []string{reason}})
	}
}

// refuseAll refuses what a plan refuses.
func (im *importer) refuseAll(p *plan) {
	for _, r := range p.refused {
		i := slices.IndexFunc(p.group.entries, func(e *Entry) bool { return e.Line == r.Line })
		im.refuse(p.group.entries[i], r.Reasons[0])
	}
}

// record records groups, with one goroutine for each shard of customers.
func (im *importer) record(ctx context.Context, groups []*group) error {
	g, ctx := errgroup.WithContext(ctx)
	for shard := range store.Shards {
		g.Go(func() error {
			for _, of := range groups {
				if store.Shard(of.id) != shard {
					continue
				}
				if err := im.recordGroup(ctx, of); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// attempts is how often a customer is planned again after somebody else changed it, while nothing gets recorded.
const attempts = 20

// recordGroup records the licenses of a customer.
func (im *importer) recordGroup(ctx context.Context, g *group) (err error) {
	entries := slices.DeleteFunc(slices.Clone(g.fresh), func(e *Entry) bool { return e.refused })
	for n := 0; n < attempts; n++ {
		if len(entries) == 0 {
			return nil
		}
		a, err := im.account(ctx, g.id)
		if err != nil {
			return err
		}
		p := im.planned(g, a, entries)
		if len(p.refused) > 0 { // somebody changed the customer since the lines were looked up
			im.refuseAll(p)
			entries = slices.DeleteFunc(entries, func(e *Entry) bool { return e.refused })
			continue
		}
		err = im.recordPlan(ctx, p)
		if fault.KindOf(err) != fault.Conflict && !errors.Is(err, store.ErrIssued) {
			return err
		}
		before := len(entries)
		if entries, err = im.missing(ctx, entries); err != nil {
			return err
		}
		if len(entries) < before {
			n = 0
		}
	}
	return fault.New(fault.Conflict, "Customer %s changes all the time. Try again later.", g.id)
}

// account reads a customer; nil if it is not on record.
func (im *importer) account(ctx context.Context, id string) (*customer.Account, error) {
	a, err := im.options.Store.Account(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return a, err
}

// recordPlan records a plan, batch by batch. It is a Conflict fault or store.ErrIssued if somebody else changed the
// customer meanwhile.
func (im *importer) recordPlan(ctx context.Context, p *plan) error {
	id, version := p.account.Customer.ID, p.account.Version
	list := p.batches()
	for len(list) > 0 {
		b := list[0]
		b.issue.Accounts = map[string]int64{id: version}
		err := im.options.Store.IssueLicenses(ctx, b.issue)
		if halves := b.halves(); fault.KindOf(err) == fault.TooLarge && len(halves) > 0 {
			list = append(halves, list[1:]...)
			continue
		}
		if err != nil {
			return err
		}
		im.recorded(p, b)
		list = list[1:]
		version++
	}
	im.mu.Lock()
	im.report.Known += len(p.known)
	im.mu.Unlock()
	return nil
}

// recorded counts what a batch recorded.
func (im *importer) recorded(p *plan, b batch) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.report.Recorded += len(b.issue.Licenses)
	if b.issue.Customer != nil && !p.had[b.issue.Customer.ID] {
		p.had[b.issue.Customer.ID] = true
		im.report.Customers++
	}
	for _, c := range b.issue.Contracts {
		if !p.had[c.ID] {
			im.report.Contracts++
		}
	}
	for _, i := range b.issue.Instances {
		if !p.had[i.ID] {
			im.report.Instances++
		}
	}
}

// missing returns the licenses that are not on record.
func (im *importer) missing(ctx context.Context, entries []*Entry) (list []*Entry, err error) {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ids...)
	}
	known, err := im.options.Store.OnRecord(ctx, ids...)
	for _, e := range entries {
		if _, ok := e.among(known); !ok && !e.refused {
			list = append(list, e)
		}
	}
	return list, err
}

// among returns the license if it is one of some, under whichever spelling.
func (e *Entry) among(known map[string]license.License) (l license.License, ok bool) {
	for _, id := range e.ids {
		if l, ok = known[id]; ok {
			return l, true
		}
	}
	return l, false
}
