package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/web"
)

type customersView struct {
	From                string // the name that the list begins at; "" for its beginning
	Customers           []store.CustomerSummary
	FirstPage, NextPage string // addresses of the first and the next page; "" if not needed
	CanEdit             bool
}

// customers lists all customers by name, from a name on.
func (s *site) customers(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	from, err := input.Line("organization", "The name", query.Get("from"), customer.MaxName)
	if err != nil {
		return err
	}
	after := query.Get("after")
	if len(after) > maxPasted || strings.ContainsRune(after, 0) {
		after = ""
	}
	page, err := s.store.Customers(r.Context(), from, after, pageSize)
	if err != nil {
		return err
	}
	v := customersView{From: from, Customers: page.Customers, CanEdit: canEdit(r)}
	if after != "" || from != "" {
		v.FirstPage = customersPath
	}
	if page.Next != "" {
		v.NextPage = customersPath + "?" + url.Values{"after": {page.Next}}.Encode()
	}
	return s.render(w, r, http.StatusOK, "customers.html", inCustomers, "Customers", v)
}

const (
	inCustomers   = "customers"
	customersPath = "/console/customers"
)

// customerPath returns the address of a customer's page, by the reference of the customer or of a contract.
func customerPath(of reference.Reference) string { return customersPath + "/" + string(of) }

// accountPage is what a page of a customer reads.
type accountPage struct {
	*customer.Account
	named         string // the ID of the customer that the address names; another one than Account's if that was merged
	contract      string // the ID of the contract that the address names instead; "" for none
	events        []store.Event
	earlier       string // where the timeline goes on: store.CustomerTimeline
	known         map[string]store.CustomerSummary
	requests      []request.Summary
	moreRequests  bool
	other         typedCustomer
	origin        *customerVersion                 // where the instance of reading.origin was moved from; nil: nowhere
	undeliverable map[string]*delivery.Suppression // by email address
}

// customerVersion is another customer as a form shows it.
type customerVersion struct {
	store.CustomerSummary
	Version int64 // of its account
}

// Path returns the address of the customer's page.
func (p *accountPage) Path() string { return customerPath(p.Customer.Reference) }

// change returns what an operator does to the customer that the form was about.
func (p *accountPage) change(r *http.Request, b snapshot) store.AccountChange {
	return store.AccountChange{Customer: p.named, Version: b.Version, By: operator(r)}
}

// snapshot returns the snapshot for the page's forms.
func (p *accountPage) snapshot() snapshot { return snapshot{p.Version, lastOf(p.events)} }

// reading is what a page of a customer reads besides the account.
type reading struct {
	events   int    // the newest changes
	before   string // a place on the timeline; "" for its end
	requests int
	contacts bool   // which of the contacts get no email
	other    string // another customer, by its reference or name as it was typed; "" for none
	origin   string // where this instance was moved from; "" for none
}

// readAccount reads the customer that the address names, by its reference or ID or the reference of a contract.
// Everything is read in three rounds, however many customers were merged into it.
func (s *site) readAccount(r *http.Request, what reading) (*accountPage, error) {
	ctx := r.Context()
	p := &accountPage{undeliverable: map[string]*delivery.Suppression{}}
	other := make(chan error, 1)
	go func() { // it reads a reference and an account too, so it costs no round
		var err error
		if what.other != "" {
			p.other, err = s.customerTyped(ctx, what.other)
		}
		other <- err
	}()
	id, contract, err := s.customerNamed(ctx, r.PathValue("ref"))
	if err != nil {
		<-other
		return nil, err
	}
	p.named = id
	of := accountReader{site: s, page: p, what: what, told: make(chan struct{})}
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		defer close(of.told)
		p.events, p.earlier, err = s.store.CustomerTimeline(both, []string{id}, what.before, what.events)
		return err
	})
	g.Go(func() (err error) { p.Account, err = s.store.AccountAnd(both, id, of.also); return err })
	if err := errors.Join(g.Wait(), <-other); err != nil {
		return nil, err
	}
	for _, k := range p.Contracts {
		if k.Reference == contract {
			p.contract = k.ID
		}
	}
	return p, nil
}

// customerNamed returns the ID of the customer that an address names. contract is the reference of the contract that
// it names; "" for none.
func (s *site) customerNamed(ctx context.Context, named string) (id string, contract reference.Reference, err error) {
	ref, ok := reference.Parse(named)
	switch {
	case !ok && license.ValidID(strings.ToLower(named)):
		return strings.ToLower(named), "", nil
	case !ok, ref.Kind() == reference.Request:
		return "", "", fault.New(fault.NotFound, "There is no customer with this reference.")
	case ref.Kind() == reference.Contract:
		contract = ref
	}
	id, err = s.store.CustomerByReference(ctx, ref)
	return id, contract, err
}

// accountReader reads what belongs to an account while those that were merged into it are read.
type accountReader struct {
	*site
	page *accountPage
	what reading
	told chan struct{} // closed when the timeline of the customer itself was read
}

func (a accountReader) also(ctx context.Context, known customer.Account, merged []string) error {
	if known.Customer.ID != a.page.named {
		return nil // the page leads to the survivor
	}
	p, ids := a.page, append([]string{known.Customer.ID}, merged...)
	var events []store.Event
	var earlier string
	g, ctx := errgroup.WithContext(ctx)
	if len(merged) > 0 {
		g.Go(func() (err error) {
			events, earlier, err = a.store.CustomerTimeline(ctx, ids, a.what.before, a.what.events)
			return err
		})
	}
	if a.what.requests > 0 {
		g.Go(func() (err error) {
			p.requests, p.moreRequests, err = a.store.RequestsOf(ctx, ids, a.what.requests)
			return err
		})
	}
	if a.what.contacts {
		whys := make([]*delivery.Suppression, len(known.Customer.Contacts))
		for i, c := range known.Customer.Contacts {
			g.Go(func() (err error) { whys[i], err = a.store.Suppressed(ctx, c.Email); return err })
		}
		defer func() {
			for i, c := range known.Customer.Contacts {
				p.undeliverable[c.Email] = whys[i]
			}
		}()
	}
	if i := known.Instance(a.what.origin); i != nil && i.Moved != nil {
		g.Go(func() error {
			c, version, err := a.store.AccountVersion(ctx, i.Moved.Customer)
			p.origin = &customerVersion{summaryOf(c), version}
			return err
		})
	}
	g.Go(func() (err error) {
		<-a.told
		p.known, err = a.store.CustomersByID(ctx, customersIn(p.events)...)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if len(merged) > 0 {
		p.events, p.earlier = events, earlier
	}
	return nil
}

// customersIn lists the customers that lines of a timeline name.
func customersIn(events []store.Event) (ids []string) {
	for _, e := range events {
		switch e.Action {
		case store.CustomerMerged, store.CustomerMergedIn, store.CustomerUnmerged, store.InstanceMovedAway:
			ids = append(ids, e.Note)
		}
	}
	return ids
}

// What a customer's page shows at once.
const (
	changesShown      = 20
	changesOnTimeline = 50
	requestsShown     = 20
	requestsNamed     = 100 // that the timeline calls by their references
)

type customerView struct {
	customer.Customer
	Path        string
	Merge       string // the address of the page that merges it
	Owner       string // the colleague's name
	Counts      string // "12 instances in use, 3 retired"
	Contacts    contactsView
	Merged      []mergedView
	CanEdit     bool
	CanMerge    bool
	Snapshot    snapshot
	Instances   instancesView
	Requests    []requestRow
	AllRequests string // the address that finds more; "" if these are all
	Timeline    []changeGroup
	Earlier     string // the address of the rest of the timeline; "" if this is all
	Note        web.Field
	NoteOpen    bool
	Done        string
	Undo        *undoView
	Error       *formError
}

// mergedView is a customer that was merged into the one of the page.
type mergedView struct {
	store.CustomerSummary
	Into     string // the name of the merged customer that it was merged into before; "" for the page's own
	Contacts contactsView
}

// undoView offers to undo the action before: a link to a page that asks, or a button.
type undoView struct {
	Label string
	To    string
	Asks  bool // To is a page
	Of    string
}

// customer shows a customer.
func (s *site) customer(w http.ResponseWriter, r *http.Request) error {
	if number := pageNumber(r); number > 1 {
		return s.moreInstances(w, r, number)
	}
	p, err := s.readAccount(r, reading{events: changesShown, requests: requestsShown, contacts: true})
	if err != nil || redirectToAccount(w, r, p) {
		return err
	}
	v := s.customerView(r, p)
	v.Done, v.Undo = doneToCustomer(r, p)
	return s.showCustomer(w, r, http.StatusOK, v)
}

func (s *site) showCustomer(w http.ResponseWriter, r *http.Request, status int, v customerView) error {
	title := v.Name
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "customer.html", inCustomers, title, v)
}

// redirectToAccount leads to the customer's own address, if the page has another one: that of a contract, of a customer
// that was merged, or a reference that was typed.
func redirectToAccount(w http.ResponseWriter, r *http.Request, p *accountPage) bool {
	at := r.PathValue("ref")
	if at == string(p.Customer.Reference) {
		return false
	}
	to := p.Path()
	if k := p.Contract(p.contract); k != nil {
		to += "?contract=" + string(k.Reference) + "#" + string(k.Reference)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}

// firstWord returns the word of a customer's name by which others like it are found.
func firstWord(c customer.Customer) string {
	if words := customer.Words(c.Name); len(words) > 0 {
		return words[0]
	}
	return ""
}

func (s *site) customerView(r *http.Request, p *accountPage) customerView {
	names := colleaguesOf(r)
	v := customerView{
		Customer: p.Customer, Path: p.Path(), Owner: names.name(p.Customer.Owner), CanEdit: canEdit(r),
		CanMerge: canAdmin(r), Snapshot: p.snapshot(), Requests: s.requestRows(r, p.requests),
		Timeline: s.accountTimeline(r, p),
		Counts:   countInstances(p.Account), Note: noteOnCustomer.field("", ""),
	}
	v.Contacts = contactsView{contactRows(p, p.Customer, names, s.now()), v.Path, v.CanEdit, v.Snapshot}
	for _, m := range p.Merged {
		row := mergedView{CustomerSummary: summaryOf(m)}
		row.Contacts = contactsView{contactRows(p, m, names, s.now()), v.Path, v.CanEdit, v.Snapshot}
		for _, into := range p.Merged {
			if m.MergedInto == into.ID {
				row.Into = into.Name
			}
		}
		v.Merged = append(v.Merged, row)
	}
	if p.moreRequests {
		v.AllRequests = searchFor(p.Customer.Name)
	}
	if p.earlier != "" {
		v.Earlier = v.Path + "/timeline?" + url.Values{"before": {p.earlier}}.Encode()
	}
	v.Instances = s.instancesView(r, p, 1)
	v.Merge = v.Path + "/merge?" + url.Values{"into": {firstWord(p.Customer)}}.Encode()
	return v
}

func summaryOf(c customer.Customer) store.CustomerSummary {
	return store.CustomerSummary{ID: c.ID, Reference: c.Reference, Name: c.Name, Survivor: c.Survivor}
}

// noteOnCustomer is the text of a note.
var noteOnCustomer = textInput{
	name: "note", label: "Note", hint: "For colleagues. Customers never see it.", missing: "Enter the note.",
}

// noteCustomer adds a note to a customer's timeline. A form that is submitted twice counts once.
func (s *site) noteCustomer(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	p, err := s.readAccount(r, reading{events: changesShown, requests: requestsShown, contacts: true})
	if err != nil {
		return err
	}
	typed, wrong := noteOnCustomer.read(form)
	if wrong != "" {
		v := s.customerView(r, p)
		v.Note, v.NoteOpen = noteOnCustomer.field(typed, wrong), true
		return s.showCustomer(w, r, http.StatusUnprocessableEntity, v)
	}
	if !isRepeat(since(p.events, b.LastEvent), operator(r), store.NoteAdded, typed) {
		if err := s.store.CustomerNote(r.Context(), p.Customer.ID, operator(r), typed); err != nil {
			return err
		}
	}
	return redirectToCustomer(w, r, p, "note", "")
}

// redirectToCustomer leads to the customer's page after an action. of is what it was done to, for undoing it.
func redirectToCustomer(w http.ResponseWriter, r *http.Request, p *accountPage, done, of string) error {
	query := url.Values{"done": {done}}
	if of != "" {
		query.Set("of", of)
	}
	http.Redirect(w, r, p.Path()+"?"+query.Encode(), http.StatusSeeOther)
	return nil
}

// doneToCustomer returns the message after an action, and how to undo it.
func doneToCustomer(r *http.Request, p *accountPage) (done string, undo *undoView) {
	query := r.URL.Query()
	of := query.Get("of")
	switch query.Get("done") {
	case "note":
		return "Note added.", nil
	case "edit":
		return "Customer saved.", nil
	case "contact":
		return "Contact saved.", nil
	case "contact-vouched":
		return "You vouched for this contact, who speaks for the customer from now on.", nil
	case "contact-removed":
		return "Contact removed. They receive no more emails about this customer's licenses.", nil
	case "contact-moved":
		return "Order of contacts saved.", nil
	case "reopened":
		return "Contract reopened.", nil
	case "unmerged":
		return "Merge undone. Both customers are as they were before.", nil
	case "moved-back":
		return "Moved back.", nil
	case "ended":
		if k := contractNamed(p.Account, of); k != nil && !k.Ended.IsZero() {
			undo = &undoView{Label: "Reopen " + of, To: p.Path() + "/contracts/" + of + "/reopen"}
		}
		return "Contract ended.", undo
	case "merged":
		for _, m := range p.Merged {
			if string(m.Reference) == of && canAdmin(r) {
				undo = &undoView{Label: "Undo the merge", To: p.Path() + "/unmerge", Of: of}
			}
		}
		return "Customers merged.", undo
	case "moved":
		if i := p.Instance(of); i != nil && i.Moved != nil {
			undo = &undoView{Label: "Move back", To: p.Path() + "/instances/" + of + "/move-back", Asks: true}
		}
		return "Moved.", undo
	}
	return doneToLicense(query.Get("done")), nil
}

// contractNamed returns the contract with the reference; nil if there is none.
func contractNamed(a *customer.Account, named string) *customer.Contract {
	ref, _ := reference.Parse(named)
	for i := range a.Contracts {
		if a.Contracts[i].Reference == ref {
			return &a.Contracts[i]
		}
	}
	return nil
}

// conflict describes a change that somebody else's change made impossible.
func (s *site) conflict(r *http.Request, p *accountPage, b snapshot, err error) *formError {
	return conflictError(err, eventsOf(s.accountTimeline(r, p)), b)
}

// showCustomerError shows the customer with the conflict and what changed since the form was shown.
func (s *site) showCustomerError(w http.ResponseWriter, r *http.Request, b snapshot, conflict error) error {
	p, err := s.readAccount(r, reading{events: changesShown, requests: requestsShown, contacts: true})
	if err != nil {
		return err
	}
	if p.named != p.Customer.ID { // it was merged: its own timeline says so
		p, err = s.readSurvivor(r, p)
		if err != nil {
			return err
		}
	}
	v := s.customerView(r, p)
	v.Error = s.conflict(r, p, b, conflict)
	return s.showCustomer(w, r, http.StatusConflict, v)
}

// readSurvivor reads the customer that the one of a page was merged into.
func (s *site) readSurvivor(r *http.Request, merged *accountPage) (*accountPage, error) {
	again := r.Clone(r.Context())
	again.SetPathValue("ref", string(merged.Customer.Reference))
	return s.readAccount(again, reading{events: changesShown, requests: requestsShown, contacts: true})
}

// addressProblem returns why a contact gets no email; an empty badge if it gets all.
func addressProblem(c customer.Contact, why *delivery.Suppression) (row addressRow) {
	row = addressRow{Name: c.Name, Email: c.Email}
	if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
		row.Problem = badge{"Invalid address", "bad"}
	}
	if why != nil {
		row.Problem, row.Since = outcomeBadge(why.Outcome), license.DateOf(why.At).Long()
		row.Stopped = stopped(why.Scope)
	}
	return row
}
