package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// instanceHead names an instance on the page of a form.
type instanceHead struct {
	Environment string
	Server      license.Server
	Path        string
}

type instanceView struct {
	customer.Instance
	Customer   store.CustomerSummary
	Path       string // of the customer's page
	At         string // of this page
	Badge      badge  // of its license in force, or of an instance that was retired
	Production *instanceHead
	Staging    []instanceHead
	Servers    []customer.ServerID // the current one first
	Licenses   []instanceLicense   // the newest first
	Bridges    []instanceBridge    // bridge keys, the newest first
	RetiredBy  string
	MovedFrom  bool
	CanEdit    bool
	Snapshot   snapshot
	Error      *formError
	Done       string
	Undo       *undoView
	Gauge      web.Gauge // of the license in force

	Renew, Replace, Change, AddStaging string // addresses of the generator; "" if it is not possible
}

// EnvironmentName returns the environment as people read it.
func (v instanceView) EnvironmentName() string { return environmentName(v.Environment) }

// instanceLicense is a license of an instance.
type instanceLicense struct {
	customer.License
	Status   badge
	Contract reference.Reference // "" for none
	To       string              // the address of the contract
}

// TypeAndEdition summarizes the license: Production, Developer.
func (l instanceLicense) TypeAndEdition() string {
	return l.Type.Name() + ", " + shortEdition(l.Edition)
}

// instanceBridge is a bridge key of an instance.
type instanceBridge struct {
	customer.Bridge
	Status badge
}

// instanceInAddress returns the instance that the address names.
func instanceInAddress(r *http.Request, p *accountPage) (*customer.Instance, error) {
	if i := p.Instance(strings.ToLower(r.PathValue("instance"))); i != nil {
		return i, nil
	}
	return nil, fault.New(fault.NotFound, "%s has no such instance. It may have been moved to another customer.",
		p.Customer.Name)
}

func (p *accountPage) head(i customer.Instance) *instanceHead {
	return &instanceHead{environmentName(i.Environment), i.Server(), p.Path() + "/instances/" + i.ID}
}

// instance shows an instance of a customer.
func (s *site) instance(w http.ResponseWriter, r *http.Request) error {
	p, err := s.readAccount(r, reading{events: changesShown})
	if err != nil {
		return err
	}
	i, err := instanceInAddress(r, p)
	if err != nil {
		return err
	}
	if r.PathValue("ref") != string(p.Customer.Reference) {
		http.Redirect(w, r, p.head(*i).Path, http.StatusSeeOther)
		return nil
	}
	v := s.instanceView(r, p, *i)
	switch r.URL.Query().Get("done") {
	case "instance":
		v.Done = "Instance saved."
	case "retired":
		v.Done = "Instance retired."
		if !i.InUse() {
			v.Undo = &undoView{Label: "Put back into use", To: v.At + "/resume"}
		}
	case "resumed":
		v.Done = "The instance is in use again."
	}
	return s.showInstance(w, r, http.StatusOK, v)
}

func (s *site) showInstance(w http.ResponseWriter, r *http.Request, status int, v instanceView) error {
	title := v.Customer.Name + ": " + v.EnvironmentName() + " " + shortServer(v.Server())
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "instance.html", inCustomers, title, v)
}

func (s *site) instanceView(r *http.Request, p *accountPage, i customer.Instance) instanceView {
	today := s.today()
	row := s.instanceRow(i, summaryOf(p.Customer))
	v := instanceView{
		Instance: i, Customer: row.Customer, Path: p.Path(), At: p.head(i).Path, Badge: row.Status,
		RetiredBy: colleaguesOf(r).name(i.RetiredBy), MovedFrom: i.Moved != nil, CanEdit: canEdit(r),
		Snapshot: p.snapshot(),
	}
	if l, ok := i.Current(today); ok && l.Valid(today) {
		if c, err := s.catalog(); err == nil { // the page does without
			v.Gauge = web.NewGauge(i.Loc, i.Told, l.MaxLoc, c.LOCThresholds)
		}
	}
	if of := p.Instance(i.Production); of != nil {
		v.Production = p.head(*of)
	}
	for _, other := range p.Instances {
		if other.Production == i.ID && other.InUse() {
			v.Staging = append(v.Staging, *p.head(other))
		}
	}
	v.Servers = slices.Clone(i.Servers)
	slices.Reverse(v.Servers)
	for _, l := range slices.Backward(i.Licenses) {
		row := instanceLicense{License: l, Status: s.badgeOf(l)}
		if k := p.Contract(l.Contract); k != nil {
			row.Contract = k.Reference
			row.To = p.Path() + "?" + url.Values{"contract": {string(k.Reference)}}.Encode() + "#" + string(k.Reference)
		}
		v.Licenses = append(v.Licenses, row)
	}
	for _, b := range slices.Backward(i.Bridges) {
		status := s.badgeOf(b.License)
		if b.Valid(today) {
			status = badge{"Bridge key", "warn"}
		}
		v.Bridges = append(v.Bridges, instanceBridge{b, status})
	}
	current, ok := i.Current(today)
	if !i.InUse() {
		return v
	}
	if ok {
		at := "/console/licenses/" + current.ID
		v.Renew, v.Replace = at+"/renew", at+"/replace"
		if current.Type != license.Evaluation && current.Valid(today) {
			v.Change = at + "/upgrade"
		}
	}
	if i.Environment != request.StagingUse {
		v.AddStaging = p.Path() + "/issue?" + url.Values{"staging": {i.ID}}.Encode()
	}
	return v
}

// retireInstance returns the handler that takes an instance out of use, or back into use.
func (s *site) retireInstance(retired bool) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, b, err := readForm(r)
		if err != nil {
			return err
		}
		done := "resumed"
		if retired {
			done = "retired"
		}
		return s.save(r, b, save{
			apply: func(p *accountPage, b snapshot) error {
				i, err := instanceInAddress(r, p)
				if err != nil {
					return err
				}
				return s.store.RetireInstance(r.Context(), p.change(r, b), i.ID, retired)
			},
			done: func(p *accountPage) bool {
				i, err := instanceInAddress(r, p)
				return err == nil && i.InUse() != retired && (!retired || i.RetiredBy == operator(r))
			},
			show: func(p *accountPage, status int, b snapshot, wrong error) error {
				i, err := instanceInAddress(r, p)
				if err != nil {
					return s.showCustomerError(w, r, b, wrong)
				}
				v := s.instanceView(r, p, *i)
				v.Error = s.conflict(r, p, b, wrong)
				return s.showInstance(w, r, status, v)
			},
			after: func(p *accountPage) error { return redirectToInstance(w, r, p, done) },
		})
	}
}

func redirectToInstance(w http.ResponseWriter, r *http.Request, p *accountPage, done string) error {
	i, err := instanceInAddress(r, p)
	if err != nil {
		return err
	}
	http.Redirect(w, r, p.head(*i).Path+"?done="+done, http.StatusSeeOther)
	return nil
}

// instanceFields are the fields of an instance's form.
type instanceFields struct{ Environment, Production web.Field }

func (f *instanceFields) list() []*web.Field { return []*web.Field{&f.Environment, &f.Production} }

func newInstanceFields(p *accountPage, i customer.Instance) *instanceFields {
	f := &instanceFields{
		Environment: web.Field{
			Name: "environment", Label: "Used for", Type: "radio", Value: string(i.Environment), Required: true,
			Options: []web.Option{
				{Value: string(request.ProductionUse), Label: "Production"},
				{Value: string(request.StagingUse), Label: "Staging"},
			},
		},
		Production: web.Field{
			Name: "production", Label: "Staging for", Type: "select", Value: i.Production, Optional: true,
			Hint:    "The production instance that a staging instance is a copy of.",
			Options: []web.Option{{Value: "", Label: "Not known"}},
		},
	}
	for _, other := range p.Instances {
		chosen := other.ID == i.Production
		if other.ID != i.ID && (chosen || other.InUse() && other.Environment != request.StagingUse) {
			option := web.Option{Value: other.ID, Label: string(other.Server())}
			f.Production.Options = append(f.Production.Options, option)
		}
	}
	if len(f.Production.Options) > 2*maxBoxes {
		f.Production.Type, f.Production.Options, f.Production.Value = "", nil, ""
		f.Production.Hint += " Enter its server ID, or leave this empty if it is not known."
		if of := p.Instance(i.Production); of != nil {
			f.Production.Value = string(of.Server())
		}
	}
	return f
}

func (s *site) editInstancePage(p *accountPage, i customer.Instance) (customerForm, *instanceFields) {
	f := p.form("Edit instance", "/instances/"+i.ID+"/edit", "Save")
	f.Instance, f.Cancel = p.head(i), p.head(i).Path
	f.Notes = []string{"This changes what is counted and offered. Licenses that were issued keep their type: " +
		"replace the license to change it. Nobody is emailed."}
	fields := newInstanceFields(p, i)
	f.Fields = fields.list()
	return f, fields
}

// editInstance shows the form of an instance.
func (s *site) editInstance(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ownForm(w, r)
	if p == nil {
		return err
	}
	i, err := instanceInAddress(r, p)
	if err != nil {
		return err
	}
	f, _ := s.editInstancePage(p, *i)
	return s.showCustomerForm(w, r, http.StatusOK, f)
}

// readInstance changes an instance as the form says.
func readInstance(p *accountPage, i customer.Instance, form url.Values) (customer.Instance, error) {
	var bad fault.Fields
	i.Environment, i.Production = request.Environment(form.Get("environment")), ""
	switch i.Environment {
	case request.ProductionUse:
	case request.StagingUse:
		typed := strings.TrimSpace(form.Get("production"))
		if i.Production = productionNamed(p, i.ID, typed); i.Production == "" && typed != "" {
			bad.Add("production", "%s is no other production instance of this customer.", input.Quote(typed))
		}
		if n := len(p.StagingOf(i.ID)); n > 0 {
			bad.Add("environment", "This instance has staging of its own. Edit its %s first.",
				quantity(n, "staging instance", "staging instances"))
		}
	default:
		bad.Add("environment", "Select production or staging.")
	}
	return i, bad.Err("The instance was not saved. Correct the fields and try again.")
}

// productionNamed returns the ID of the production instance that a form names, by ID or server ID; "" for none.
func productionNamed(p *accountPage, staging, typed string) string {
	for _, other := range p.Instances {
		if typed != "" && other.ID != staging && other.Environment != request.StagingUse &&
			(other.ID == typed || string(other.Server()) == typed) {
			return other.ID
		}
	}
	return ""
}

// saveInstance saves the form of an instance.
func (s *site) saveInstance(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			i, err := instanceInAddress(r, p)
			if err != nil {
				return err
			}
			after, err := readInstance(p, *i, form)
			if err != nil {
				return err
			}
			after.Licenses = nil
			return s.store.IssueLicenses(r.Context(), store.Issue{
				By: operator(r), Instances: []customer.Instance{after}, Accounts: map[string]int64{p.named: b.Version},
			})
		},
		done: func(p *accountPage) bool {
			i, err := instanceInAddress(r, p)
			if err != nil {
				return false
			}
			after, err := readInstance(p, *i, form)
			return err == nil && after.Environment == i.Environment && after.Production == i.Production
		},
		show: func(p *accountPage, status int, b snapshot, wrong error) error {
			i, err := instanceInAddress(r, p)
			if err != nil {
				return s.showCustomerError(w, r, b, wrong)
			}
			f, fields := s.editInstancePage(p, *i)
			fields.Environment.Value, fields.Production.Value = form.Get("environment"), form.Get("production")
			f.refused(s, r, p, b, wrong)
			return s.showCustomerForm(w, r, status, f)
		},
		after: func(p *accountPage) error { return redirectToInstance(w, r, p, "instance") },
	})
}
