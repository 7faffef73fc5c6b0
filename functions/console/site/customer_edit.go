package site

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/reference"
	"marketplace/shared/web"
)

// customerForm is a page with one form about a customer.
type customerForm struct {
	Title    string
	Customer string // its name
	Path     string // of its page
	Action   string // where the form is sent
	Button   string
	Cancel   string
	Snapshot snapshot
	Fields   []*web.Field
	Marked   web.Marked
	Error    *formError
	Once     string // tells one sending of a key from another; "" where nothing is sent

	Contact  *contactForm  // what else can be done with a contact; nil: nothing
	Instance *instanceHead // what the form is about; nil: no instance
	Contract reference.Reference
	Notes    []string // what the action does and does not do
}

// heading makes the form of an account's page.
func (p *accountPage) form(title, action, button string) customerForm {
	return customerForm{
		Title: title, Customer: p.Customer.Name, Path: p.Path(), Action: p.Path() + action, Button: button,
		Cancel: p.Path(), Snapshot: p.snapshot(),
	}
}

func (s *site) showCustomerForm(w http.ResponseWriter, r *http.Request, status int, f customerForm) error {
	title := f.Title + ": " + f.Customer
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "customer-form.html", inCustomers, title, f)
}

// ownForm reads the account for the page of a form, which only the customer's own address has. It is nil if the page
// leads elsewhere.
func (s *site) ownForm(w http.ResponseWriter, r *http.Request) (*accountPage, error) {
	p, err := s.readAccount(r, reading{events: changesShown})
	if err != nil || redirectToAccount(w, r, p) {
		return nil, err
	}
	return p, nil
}

// save handles a form about a customer: apply makes the change, done reports whether an earlier sending of the same
// form made it, and show shows the form again. Whatever somebody else changed since the form was shown is told, and
// stays.
type save struct {
	apply func(p *accountPage, b snapshot) error
	done  func(p *accountPage) bool
	show  func(p *accountPage, status int, b snapshot, err error) error
	after func(p *accountPage) error
}

func (s *site) save(r *http.Request, b snapshot, do save) error {
	p, err := s.readAccount(r, reading{events: changesShown})
	if err != nil {
		return err
	}
	err = do.apply(p, b)
	switch fault.KindOf(err) {
	case fault.Invalid:
		return do.show(p, http.StatusUnprocessableEntity, b, err)
	case fault.Conflict, fault.TooLarge:
		again, failed := s.readAccount(r, reading{events: changesShown})
		if failed == nil && again.named != again.Customer.ID {
			again, failed = s.readSurvivor(r, again)
		}
		if failed != nil {
			return errors.Join(failed, err)
		}
		if do.done(again) {
			return do.after(again)
		}
		return do.show(again, http.StatusConflict, b, err)
	}
	if err != nil {
		return err
	}
	return do.after(p)
}

// customerFields are the fields of a customer's form.
type customerFields struct{ Name, FormerNames, Domains, Owner, Outside, Notes web.Field }

func (s *site) customerFields(r *http.Request, c customer.Customer) *customerFields {
	f := &customerFields{
		Name: web.Field{Name: "name", Label: "Name", Value: c.Name, Required: true},
		FormerNames: web.Field{
			Name: "formerNames", Label: "Former names and other spellings", Type: "textarea", Rows: 3, Optional: true,
			Hint:  "One per line. The customer is found by them too. A name that you change is kept here.",
			Value: strings.Join(c.FormerNames, "\n"),
		},
		Domains: web.Field{
			Name: "domains", Label: "Mail domains", Type: "textarea", Rows: 3, Optional: true,
			Hint: "One per line, such as example.com. Requests from these domains are recognized. " +
				"Public mail providers are not accepted: add people as contacts instead.",
			Value: strings.Join(c.Domains, "\n"),
		},
		Owner: web.Field{
			Name: "owner", Label: "Owner", Type: "select", Value: c.Owner, Optional: true,
			Hint: "The colleague who looks after this customer.", Options: ownerOptions(colleaguesOf(r), c.Owner),
		},
		Outside: web.Field{
			Name: "outside", Label: "References in other systems", Type: "textarea", Rows: 3, Optional: true,
			Hint:  "One per line, such as “CRM: 12345”.",
			Value: outsideText(c.Outside),
		},
		Notes: web.Field{
			Name: "notes", Label: "Notes", Type: "textarea", Rows: 5, Optional: true,
			Hint: "For colleagues. Customers never see them.", Value: c.Notes,
		},
	}
	return f
}

func (f *customerFields) list() []*web.Field {
	return []*web.Field{&f.Name, &f.FormerNames, &f.Domains, &f.Owner, &f.Outside, &f.Notes}
}

// ownerOptions lists the colleagues by name, and an owner who is none any more.
func ownerOptions(names colleagues, owner string) []web.Option {
	var list []web.Option
	for email, name := range names {
		list = append(list, web.Option{Value: email, Label: name})
	}
	if _, known := names[owner]; owner != "" && !known {
		list = append(list, web.Option{Value: owner, Label: owner})
	}
	slices.SortFunc(list, func(a, b web.Option) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
	})
	return append([]web.Option{{Value: "", Label: "Nobody"}}, list...)
}

func outsideText(list []customer.Outside) string {
	lines := make([]string, len(list))
	for i, o := range list {
		lines[i] = o.System + ": " + o.ID
	}
	return strings.Join(lines, "\n")
}

// linesOf returns the lines of a typed text that are not empty.
func linesOf(typed string) (list []string) {
	for _, line := range strings.Split(typed, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// readCustomer changes a customer as the form says. The name that it had becomes a former one.
func readCustomer(c customer.Customer, form url.Values) (customer.Customer, error) {
	old := c.Name
	c.Name, c.Notes, c.Owner = form.Get("name"), form.Get("notes"), form.Get("owner")
	c.FormerNames = linesOf(form.Get("formerNames"))
	c.Domains = input.Fields(form.Get("domains"))
	c.Outside = nil
	for _, line := range linesOf(form.Get("outside")) {
		system, id, _ := strings.Cut(line, ":")
		c.Outside = append(c.Outside, customer.Outside{System: system, ID: id})
	}
	c, err := c.Check()
	if err != nil {
		return c, err
	}
	c.AddFormerName(old)
	c.FormerNames = slices.DeleteFunc(c.FormerNames, func(name string) bool { return name == c.Name })
	return c, nil
}

// editCustomer shows the form of a customer.
func (s *site) editCustomer(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ownForm(w, r)
	if p == nil {
		return err
	}
	f := p.form("Edit customer", "/edit", "Save")
	f.Fields = s.customerFields(r, p.Customer).list()
	return s.showCustomerForm(w, r, http.StatusOK, f)
}

// saveCustomer saves the form of a customer.
func (s *site) saveCustomer(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			return s.store.SaveCustomer(r.Context(), p.change(r, b), p.named, func(c *customer.Customer) (err error) {
				*c, err = readCustomer(*c, form)
				return err
			})
		},
		done: func(p *accountPage) bool {
			wanted, err := readCustomer(p.Customer, form)
			return err == nil && sameCustomer(wanted, p.Customer)
		},
		show: func(p *accountPage, status int, b snapshot, wrong error) error {
			f := p.form("Edit customer", "/edit", "Save")
			fields := s.customerFields(r, p.Customer)
			for _, field := range fields.list() {
				field.Value = form.Get(field.Name)
			}
			f.Fields = fields.list()
			f.refused(s, r, p, b, wrong)
			return s.showCustomerForm(w, r, status, f)
		},
		after: func(p *accountPage) error { return redirectToCustomer(w, r, p, "edit", "") },
	})
}

// sameCustomer reports whether two customers are equal, but for former names: saving a form adds one to those in it.
func sameCustomer(a, b customer.Customer) bool {
	return a.Name == b.Name && a.Owner == b.Owner && a.Notes == b.Notes && slices.Equal(a.Domains, b.Domains) &&
		slices.Equal(a.Outside, b.Outside)
}

// refused marks the fields that are wrong, or tells of the conflict: the form keeps what was typed, with the snapshot
// of what is on record now.
func (f *customerForm) refused(s *site, r *http.Request, p *accountPage, b snapshot, err error) {
	if invalid, ok := errors.AsType[*fault.Error](err); ok && invalid.Kind == fault.Invalid {
		f.Marked = web.Mark(invalid.Fields, f.Fields...)
		if len(invalid.Fields) == 0 {
			f.Marked.Stray = []string{invalid.Msg}
		}
		f.Snapshot = b
		return
	}
	f.Error = s.conflict(r, p, b, err)
}
