package generator

import (
	"cmp"
	"context"
	"slices"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/search"
)

// Source names what a draft is based on: a request, a license with what is done about it, or a contract whose
// instances lack their keys. The zero Source, or one with only a customer, is a license without a request.
type Source struct {
	Request  string       // the ID of the request to answer
	License  string       // the ID of the license to renew, replace or upgrade
	Kind     request.Kind // what is done about the license: request.Renewal, Replacement or Upgrade
	Contract string       // the contract whose instances get the keys that they lack: its ID or reference
	Customer string       // the customer: its ID or reference; with Contract, the one with the contract
	Staging  string       // the ID of the customer's production instance that gets another staging instance
}

// Draft is an issue of licenses while an operator prepares it: what it is based on, the form, and what the form comes
// to. Generator.Draft works it out once; the review page, the email and the issue read it.
type Draft struct {
	Form       Form
	Kind       request.Kind
	Request    *request.Request   // the request to answer; nil: none
	Candidates []search.Candidate // customers that the request may be about
	Account    *customer.Account  // nil: a new customer
	Instance   *customer.Instance // that the first license is for; nil: a new one
	Match      customer.Match     // the instance of the account that the request is about
	// Old is the license to renew, replace or upgrade; nil: none.
	Old     *customer.License
	Catalog *catalog.Catalog

	// Begin and Edit leave the fields below empty.

	// Licenses are new, without keys: first the one of the form, then those of further instances and later terms.
	Licenses []license.License
	// StartMoved reports whether a license on smaller terms begins later than was chosen: after the one it renews.
	StartMoved bool
	Previous   []*customer.License // of each license: that of its instance before; nil: none
	Contract   *customer.Contract  // that the licenses are under; nil: none
	Changes    Changes             // what changes with them
	To         license.Contact     // who receives the keys
	Warnings   []Warning
	Mail       mail.Message // the email, with KeyPlaceholder for each key
	// Digest identifies all of the above. A different digest means that something else would be issued.
	Digest string

	generator      *Generator
	today          license.Date             // the day of issue
	productVersion string                   // of the customer's server; "" if unknown
	extraPlugins   []string                 // plugins for the languages beyond the edition
	jars           []catalog.Jar            // of the custom package; none: no custom package
	others         []elsewhere              // instances of other customers with the same data
	known          []*customer.Account      // other customers that the request for an evaluation may be about
	datasets       map[license.Server]int64 // versions of the datasets that the draft was decided by
	production     string                   // ID of the production instance that the first license's instance mirrors
	stagingOf      string                   // ID of the production instance that the source names for staging
	prefetched     *customer.Account        // of the customer that the form most likely names
	fixed          bool                     // the source names the customer
	missing        bool                     // the draft issues the keys that a contract's instances lack
	noCustomer     error                    // why the typed reference names no customer
}

// Changes are what changes on record besides the new licenses. Times are zero until it is recorded.
type Changes struct {
	Customer  *customer.Customer  // new or changed; nil: neither
	New       bool                // Customer is new
	Contacts  []customer.Contact  // added to the customer
	Domain    string              // added to the customer; "" for none
	Contracts []customer.Contract // new or changed
	Instances []customer.Instance // new or changed
	Replaced  []customer.License  // revoked
	Retired   []customer.Instance // staging that a smaller renewal no longer covers
	Muted     []customer.License  // evaluations whose reminders end
}

// elsewhere is an instance of another customer.
type elsewhere struct {
	customer customer.Customer
	instance customer.Instance
}

// Draft works out what a form would issue. It returns an Invalid fault with its fields for a wrong form, together with
// a draft for showing the form again; a NotFound fault for an unknown source; a Conflict fault for a source that is
// closed or revoked; and *PartlyIssued if the form was issued in part.
func (g *Generator) Draft(ctx context.Context, s Source, f Form) (*Draft, error) {
	d, err := g.Edit(ctx, s, f)
	if err == nil {
		err = d.partly()
	}
	if err != nil {
		return nil, err
	}
	if err := d.fill(ctx); err != nil {
		return d.unfilled(err)
	}
	d.review()
	return d, nil
}

// unfilled returns the draft with an error in its form, and no draft with any other error.
func (d *Draft) unfilled(err error) (*Draft, error) {
	if fault.KindOf(err) == fault.Invalid {
		return d, err
	}
	return nil, err
}

// Edit returns a draft with a form that is not checked, for showing the form again. It returns the faults of Draft, but
// for those of the form.
func (g *Generator) Edit(ctx context.Context, s Source, f Form) (*Draft, error) {
	d, err := g.read(ctx, s, f.Customer)
	if err != nil {
		return nil, err
	}
	d.Form = f
	if err := d.readAccount(ctx); err != nil {
		return nil, err
	}
	d.choose(f.Instance)
	if use, id := parseContract(f.Contract); use == contractAsIs && d.Account != nil {
		d.completes(id)
	}
	return d, nil
}

// read reads what a draft is based on. chosen is the customer that the form names, "" if there is none yet.
func (g *Generator) read(ctx context.Context, s Source, chosen string) (*Draft, error) {
	c, err := g.Catalog()
	if err != nil {
		return nil, err
	}
	d := &Draft{Kind: request.New, Catalog: c, generator: g, today: license.DateOf(g.Now())}
	d.fixed = s.License != "" || s.Customer != ""
	switch {
	case s.Request != "":
		return d, d.readRequest(ctx, s.Request, chosen)
	case s.License != "":
		d.Kind = s.Kind
		return d, d.readOld(ctx, s.License)
	case s.Contract != "":
		d.Kind, d.missing = request.Renewal, true
	case s.Staging != "":
		d.Kind, d.stagingOf = request.Staging, s.Staging
	}
	return d, nil
}

// NewCustomer is the value of Form.Customer for a customer that is not on record yet.
const NewCustomer = "new"

// readAccount reads the customer that the form names, by its ID or reference. A customer that was merged into another
// is that one.
func (d *Draft) readAccount(ctx context.Context) (err error) {
	id := d.Form.Customer
	if id == "" || id == NewCustomer {
		return nil
	}
	if r, ok := reference.Parse(id); ok {
		id, err = d.generator.Records.CustomerByReference(ctx, r)
	}
	switch known := d.prefetched; {
	case err != nil:
	case known != nil && known.IsOf(id):
		d.Account = known
	default:
		d.Account, err = d.generator.Records.Account(ctx, id)
	}
	if fault.KindOf(err) == fault.NotFound {
		d.noCustomer = err
		return nil
	}
	if err == nil {
		d.Form.Customer = d.Account.Customer.ID
	}
	return err
}

// FixedCustomer reports whether the source names the customer, so that there is no choice.
func (d *Draft) FixedCustomer() bool { return d.fixed }

// choose sets the instance that the form names, and the license that the draft is about.
func (d *Draft) choose(instance string) {
	if d.Account == nil {
		d.Old = nil
		return
	}
	if d.Request != nil {
		d.Match = d.Account.Match(customer.AskedBy(*d.Request))
	}
	d.Instance = d.Account.Instance(instance)
	switch {
	case d.Instance == nil:
		d.Old = nil
	case d.Old != nil && slices.ContainsFunc(d.Instance.Licenses, func(l customer.License) bool {
		return l.ID == d.Old.ID
	}):
	default:
		d.Old = d.licenseMeant()
	}
}

// completes makes the draft one that completes a change of a contract, where the instance that it begins with has a key
// of the contract's terms before.
func (d *Draft) completes(contract string) {
	if !d.missing || d.Instance == nil || !containsInstance(d.Account.Outstanding(contract, d.today), d.Instance.ID) {
		return
	}
	if l, ok := d.inForce(*d.Instance, contract); ok {
		d.Kind, d.Old = request.Upgrade, &l
	}
}

// readOld reads the license that the draft renews, replaces or upgrades.
func (d *Draft) readOld(ctx context.Context, id string) error {
	r, err := d.generator.Records.License(ctx, id)
	switch {
	case err != nil:
		return err
	case r.License.ReplacedBy != "":
		return fault.New(fault.Conflict, "This license was replaced. Open the license that replaces it.")
	case !r.License.Revoked.IsZero():
		return fault.New(fault.Conflict, "This license was revoked.")
	case r.License.Bridges != "":
		return fault.New(fault.Conflict, "This is a bridge key. Open the license whose terms it has.")
	}
	old := customer.LicenseOf(r.License)
	d.Old = &old
	d.Form.Customer, d.Form.Instance = r.License.Customer, r.License.Instance
	d.Form.Organization = r.License.Organization
	return nil
}

// readRequest reads the request that the draft answers, and the customers that it may be about.
// chosen is the customer that the form names, "" if there is none yet.
func (d *Draft) readRequest(ctx context.Context, id, chosen string) error {
	r, err := d.generator.Records.Request(ctx, id)
	if err != nil {
		return err
	}
	if r.Kind == request.Bridge {
		return fault.New(fault.Conflict, "Bridge keys are issued without you. Open the request for the replacement.")
	}
	if !r.State.Leads(request.Issued) {
		return fault.New(fault.Conflict, "The request is %s, so no license can be issued for it.", r.State)
	}
	d.Kind, d.Request = r.Kind, &r
	also := func(ctx context.Context, strong []string) error {
		if chosen = cmp.Or(chosen, r.Customer); chosen == "" && len(strong) == 1 {
			chosen = strong[0]
		}
		return d.prefetch(ctx, chosen)
	}
	d.Candidates, err = d.generator.Search.CandidatesAnd(ctx, r.Details, also)
	return err
}

// prefetch reads the account of the customer that the form will most likely name, at once with what else is read.
func (d *Draft) prefetch(ctx context.Context, id string) (err error) {
	if _, short := reference.Parse(id); short || id == "" || id == NewCustomer {
		return nil
	}
	d.prefetched, err = d.generator.Records.Account(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil // the form may name another one
	}
	return err
}

// licenseMeant returns the license of the instance that the draft is about: the one that ends last for a renewal, the
// present one for anything else; nil if there is none. An evaluation, and a first license, is about none.
func (d *Draft) licenseMeant() *customer.License {
	if d.Kind == request.Evaluation || d.Kind == request.New && d.Request == nil {
		return nil
	}
	current, ok := d.Instance.Current(d.today)
	if d.Kind == request.Renewal {
		for _, l := range d.Instance.Licenses {
			if l.Revoked.IsZero() && l.Type == current.Type && l.Expiration.After(current.Expiration) {
				current = l
			}
		}
	}
	if !ok {
		return nil
	}
	return &current
}
