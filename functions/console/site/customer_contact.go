package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// contactRow is a contact in a customer's list.
type contactRow struct {
	customer.Contact
	Address   addressRow
	Key       string // names the contact in addresses
	Of        string // the ID of its customer
	Purposes  string // what the person is written to for
	Instances []string
	All       bool // speaks for all instances
	AddedBy   string
	Speaks    string // since when, or on whose word, the person speaks for the customer
	First     bool
	Last      bool
}

// contactsView is a list of contacts with what can be done with them.
type contactsView struct {
	Rows     []contactRow
	Path     string // of the customer's page
	CanEdit  bool
	Snapshot snapshot
}

// speaks says on whose word a contact speaks for the customer, or from when; "" after the first days.
func speaks(c customer.Contact, names colleagues, now time.Time) string {
	switch {
	case c.VouchedBy != "" && c.VouchedBy != c.AddedBy:
		return "vouched for by " + names.name(c.VouchedBy)
	case !c.InEffect(now):
		return "speaks for the customer from " + license.DateOf(c.Effect()).Long()
	}
	return ""
}

// mayVouch reports whether an operator may vouch for a contact: whoever did not add the person, while it matters.
func (s *site) mayVouch(c customer.Contact, operator string) bool {
	return !c.InEffect(s.now()) && (s.oneOperator || !input.SameMailbox(c.AddedBy, operator))
}

func contactRows(p *accountPage, of customer.Customer, names colleagues, now time.Time) (rows []contactRow) {
	for n, c := range of.Contacts {
		row := contactRow{
			Contact: c, Address: addressProblem(c, p.undeliverable[c.Email]), Key: mail.RecipientID(c.Email), Of: of.ID,
			Purposes: purposesOf(c), All: len(c.Instances) == 0, AddedBy: names.name(c.AddedBy),
			Speaks: speaks(c, names, now),
			First:  n == 0, Last: n == len(of.Contacts)-1,
		}
		for _, id := range c.Instances {
			if i := p.Instance(id); i != nil {
				row.Instances = append(row.Instances, environmentName(i.Environment)+" "+shortServer(i.Server()))
			}
		}
		if gone := len(c.Instances) - len(row.Instances); gone > 0 {
			row.Instances = append(row.Instances,
				quantity(gone, "instance that moved away", "instances that moved away"))
		}
		rows = append(rows, row)
	}
	return rows
}

func purposeName(p customer.Purpose) string {
	switch p {
	case customer.Keys:
		return "license keys"
	case customer.Renewals:
		return "renewals"
	}
	return string(p)
}

func purposesOf(c customer.Contact) string {
	if len(c.For) == 0 {
		return "License keys and renewals"
	}
	names := make([]string, len(c.For))
	for i, p := range c.For {
		names[i] = purposeName(p)
	}
	text := strings.Join(names, " and ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// contactForm is what the page of a contact has besides its form.
type contactForm struct {
	Key    string
	Of     string // the reference of its customer, where that was merged; "" for the page's own
	Remove string // what becomes of the instances that the person speaks for
	Keys   []web.Option
	Resend web.Field
	Speaks string // from when; "" if the person speaks for the customer already
	Vouch  bool   // the person who is signed in may vouch for the contact
}

// maxBoxes is for how many instances a form has a box each; beyond that their server IDs are typed.
const maxBoxes = 50

// contactFields are the fields of a contact's form.
type contactFields struct{ Name, Email, Partner, For, Instances web.Field }

func (f *contactFields) list() []*web.Field {
	return []*web.Field{&f.Name, &f.Email, &f.Partner, &f.For, &f.Instances}
}

func newContactFields(p *accountPage, c customer.Contact) *contactFields {
	f := &contactFields{
		Name:  web.Field{Name: "name", Label: "Name", Value: c.Name, Optional: true},
		Email: web.Field{Name: "email", Label: "Email", Type: "email", Value: c.Email, Required: true},
		Partner: web.Field{
			Name: "partner", Label: "Partner", Value: c.Partner, Optional: true,
			Hint: "The reseller or outsourcer that the person works for, if not for the customer.",
		},
		For: web.Field{
			Name: "for", Label: "Emails", Type: "boxes",
			Options: []web.Option{{
				Value: string(customer.Keys), Label: "License keys",
				Ticked: len(c.For) == 0 || slices.Contains(c.For, customer.Keys),
			}, {
				Value: string(customer.Renewals), Label: "Renewals", Hint: "Reminders before a license expires.",
				Ticked: len(c.For) == 0 || slices.Contains(c.For, customer.Renewals),
			}},
		},
	}
	f.Instances = instancesField(p, c.Instances)
	return f
}

// instancesField offers the instances in use, and those that are chosen.
func instancesField(p *accountPage, chosen []string) web.Field {
	f := web.Field{
		Name: "instances", Label: "Instances", Type: "boxes", Class: "many", Optional: true,
		Hint: "Tick none if the person speaks for all of them, new ones included.",
	}
	var typed []string
	for _, i := range p.Instances {
		if ticked := slices.Contains(chosen, i.ID); i.InUse() || ticked {
			f.Options = append(f.Options, web.Option{Value: i.ID, Label: string(i.Server()),
				Hint: environmentName(i.Environment), Ticked: ticked})
			if ticked {
				typed = append(typed, string(i.Server()))
			}
		}
	}
	if len(f.Options) > maxBoxes {
		f.Type, f.Class, f.Rows, f.Options = "textarea", "", 4, nil
		f.Hint = "Server IDs, one per line. Leave this empty if the person speaks for all instances, new ones included."
		f.Value = strings.Join(typed, "\n")
	}
	return f
}

// readInstances returns the IDs of the instances that a form names: by box, or by server ID.
func readInstances(p *accountPage, typed []string) (ids []string, wrong string) {
	for _, text := range typed {
		for _, name := range input.Fields(text) {
			found := p.Instance(name) != nil
			if found {
				ids = append(ids, name)
			}
			for _, i := range p.Instances {
				if !found && string(i.Server()) == name {
					ids = append(ids, i.ID)
				}
			}
			if !found && !slices.ContainsFunc(p.Instances, func(i customer.Instance) bool {
				return string(i.Server()) == name
			}) {
				return nil, "No instance of this customer has the server ID " + input.Quote(name) + "."
			}
		}
	}
	return ids, ""
}

// readContact returns the contact of a form. known is the contact as it was, or zero for a new one. Another address
// makes it another person, who speaks for nothing yet; so does an instance more.
func readContact(p *accountPage, known customer.Contact, form url.Values, by string, now time.Time) (
	customer.Contact, error) {
	c := known
	c.Name, c.Email, c.Partner, c.For = form.Get("name"), form.Get("email"), form.Get("partner"), nil
	for _, purpose := range form["for"] {
		c.For = append(c.For, customer.Purpose(purpose))
	}
	var bad fault.Fields
	if len(c.For) == 0 {
		bad.Add("for", "Select license keys, renewals or both.")
	}
	var wrong string
	if c.Instances, wrong = readInstances(p, form["instances"]); wrong != "" {
		bad.Add("instances", "%s", wrong)
	}
	checked, err := c.Check()
	if invalid, ok := err.(*fault.Error); ok {
		bad = append(invalid.Fields, bad...)
	}
	if err := bad.Err("The contact was not saved. Correct the fields and try again."); err != nil {
		return c, err
	}
	if !input.SameMailbox(checked.Email, known.Email) || widened(known.Instances, checked.Instances) {
		checked.Since, checked.AddedBy, checked.VouchedBy, checked.Confirmed = now, by, "", time.Time{}
	}
	return checked, nil
}

// widened reports whether a contact speaks for more instances than before; none are all.
func widened(before, after []string) bool {
	return len(before) > 0 && (len(after) == 0 || slices.ContainsFunc(after, func(id string) bool {
		return !slices.Contains(before, id)
	}))
}

// contactNamed returns the contact that the address names, and the ID of its customer, which may have been merged.
func contactNamed(p *accountPage, key string) (found customer.Contact, of customer.Customer, ok bool) {
	for _, of := range p.Customers() {
		for _, c := range of.Contacts {
			if mail.RecipientID(c.Email) == key {
				return c, of, true
			}
		}
	}
	return customer.Contact{}, customer.Customer{}, false
}

func errNoContact(p *accountPage) error {
	return fault.New(fault.NotFound, "%s has no such contact any more.", p.Customer.Name)
}

// contactPage returns the form of a contact, or of a new one if key is "".
func (s *site) contactPage(p *accountPage, key string, c customer.Contact, operator string) (
	f customerForm, fields *contactFields,
) {
	if key == "" {
		f = p.form("Add contact", "/contacts/new", "Add contact")
	} else {
		f = p.form("Edit contact", "/contacts/"+key, "Save")
		f.Contact = s.contactForm(p, key, c, operator)
		f.Once = store.NewID(s.now())
	}
	fields = newContactFields(p, c)
	f.Fields = fields.list()
	return f, fields
}

// maxKeys is how many license keys the page of a contact offers to resend.
const maxKeys = 100

func (s *site) contactForm(p *accountPage, key string, c customer.Contact, operator string) *contactForm {
	f := &contactForm{Key: key, Vouch: s.mayVouch(c, operator)}
	if !c.InEffect(s.now()) {
		f.Speaks = license.DateOf(c.Effect()).Long()
	}
	_, of, _ := contactNamed(p, key)
	if of.ID != p.Customer.ID {
		f.Of = of.Name
	}
	today := s.today()
	for _, i := range p.Instances {
		for _, l := range i.Licenses {
			if i.InUse() && l.HasKey && l.Valid(today) && c.IsFor(customer.Keys, i.ID) && c.InEffect(s.now()) &&
				len(f.Keys) < maxKeys {
				f.Keys = append(f.Keys, web.Option{Value: l.ID, Label: l.Type.Name() + " " + shortServer(l.Server) +
					", through " + l.Expiration.Long()})
			}
		}
	}
	f.Resend = web.Field{Name: "license", Label: "License", Type: "select", Options: f.Keys}
	return f
}

// newContact shows the form of a new contact.
func (s *site) newContact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ownForm(w, r)
	if p == nil {
		return err
	}
	f, _ := s.contactPage(p, "", customer.Contact{}, operator(r))
	return s.showCustomerForm(w, r, http.StatusOK, f)
}

// editContact shows the form of a contact.
func (s *site) editContact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ownForm(w, r)
	if p == nil {
		return err
	}
	key := r.PathValue("contact")
	c, _, ok := contactNamed(p, key)
	if !ok {
		return errNoContact(p)
	}
	f, _ := s.contactPage(p, key, c, operator(r))
	return s.showCustomerForm(w, r, http.StatusOK, f)
}

// saveContact adds a contact, or saves the one in the address.
func (s *site) saveContact(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	key := r.PathValue("contact")
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			known, of, ok := contactNamed(p, key)
			if key != "" && !ok {
				return errContactChanged
			}
			if key == "" {
				of = p.Customer
			}
			c, err := readContact(p, known, form, operator(r), s.now())
			if err != nil {
				return err
			}
			for _, other := range p.Customers() {
				if have, ok := other.Contact(c.Email); ok && (key == "" || mail.RecipientID(have.Email) != key) {
					return alreadyContact(p, have, c)
				}
			}
			return s.store.SaveCustomer(r.Context(), p.change(r, b), of.ID, func(kept *customer.Customer) error {
				return putContact(kept, key, c)
			})
		},
		done: func(p *accountPage) bool {
			have, ok := p.Customer.Contact(form.Get("email"))
			wanted, err := readContact(p, have, form, operator(r), s.now())
			return ok && err == nil && sameContact(have, wanted)
		},
		show: func(p *accountPage, status int, b snapshot, wrong error) error {
			c, _, ok := contactNamed(p, key)
			if key != "" && !ok { // somebody removed it: there is no form any more
				return s.showCustomerError(w, r, b, errContactChanged)
			}
			f, fields := s.contactPage(p, key, c, operator(r))
			fields.keep(p, form)
			f.refused(s, r, p, b, wrong)
			return s.showCustomerForm(w, r, status, f)
		},
		after: func(p *accountPage) error { return redirectToCustomer(w, r, p, "contact", "") },
	})
}

var errContactChanged = fault.New(fault.Conflict, "Someone else removed this contact or changed its address first, "+
	"so your change was not saved.")

// alreadyContact refuses a second contact with a mailbox. The same form sent twice is a conflict, which save settles.
func alreadyContact(p *accountPage, have, wanted customer.Contact) error {
	if wanted.Since = have.Since; sameContact(have, wanted) {
		return errContactChanged
	}
	var bad fault.Fields
	bad.Add("email", "%s is a contact of this customer already.", input.Quote(have.Email))
	return bad.Err("The contact was not saved. Correct the fields and try again.")
}

func sameContact(a, b customer.Contact) bool {
	return a.Name == b.Name && a.Email == b.Email && a.Partner == b.Partner && slices.Equal(a.For, b.For) &&
		slices.Equal(a.Instances, b.Instances)
}

// keep puts what was typed into the fields.
func (f *contactFields) keep(p *accountPage, form url.Values) {
	for _, field := range []*web.Field{&f.Name, &f.Email, &f.Partner} {
		field.Value = form.Get(field.Name)
	}
	for _, field := range []*web.Field{&f.For, &f.Instances} {
		for i := range field.Options {
			field.Options[i].Ticked = slices.Contains(form[field.Name], field.Options[i].Value)
		}
	}
	if len(f.Instances.Options) == 0 {
		f.Instances.Value = form.Get("instances")
	}
}

// putContact adds a contact at the end, or puts it in the place of the one that key names.
func putContact(kept *customer.Customer, key string, c customer.Contact) error {
	at := contactIndex(*kept, key)
	switch {
	case key == "" && len(kept.Contacts) >= customer.MaxContacts:
		var bad fault.Fields
		bad.Add("email", "There are %d contacts already. Remove one first.", customer.MaxContacts)
		return bad.Err("The contact was not saved.")
	case key == "":
		kept.Contacts = append(kept.Contacts, c)
	case at < 0:
		return errContactChanged
	default:
		kept.Contacts[at] = c
	}
	return nil
}

func contactIndex(c customer.Customer, key string) int {
	return slices.IndexFunc(c.Contacts, func(have customer.Contact) bool { return mail.RecipientID(have.Email) == key })
}

// removeContact removes a contact.
func (s *site) removeContact(w http.ResponseWriter, r *http.Request) error {
	return s.changeContact(w, r, "contact-removed",
		func(p *accountPage) bool { _, _, ok := contactNamed(p, r.PathValue("contact")); return !ok },
		func(list []customer.Contact, at int) ([]customer.Contact, error) {
			return slices.Delete(list, at, at+1), nil
		})
}

// orderContact returns the handler that moves a contact up or down in the order in which they are written to.
func (s *site) orderContact(by int) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.changeContact(w, r, "contact-moved", nil,
			func(list []customer.Contact, at int) ([]customer.Contact, error) {
				if to := at + by; to >= 0 && to < len(list) {
					list[at], list[to] = list[to], list[at]
				}
				return list, nil
			})
	}
}

// changeContact changes the list of contacts that has the one in the address.
func (s *site) changeContact(w http.ResponseWriter, r *http.Request, done string, isDone func(*accountPage) bool,
	change func(list []customer.Contact, at int) ([]customer.Contact, error)) error {
	_, b, err := readForm(r)
	if err != nil {
		return err
	}
	key := r.PathValue("contact")
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			_, of, ok := contactNamed(p, key)
			if !ok {
				return errContactChanged
			}
			return s.store.SaveCustomer(r.Context(), p.change(r, b), of.ID, func(kept *customer.Customer) error {
				at := contactIndex(*kept, key)
				if at < 0 {
					return errContactChanged
				}
				list, err := change(kept.Contacts, at)
				if err == nil {
					kept.Contacts = list
				}
				return err
			})
		},
		done: func(p *accountPage) bool {
			if isDone == nil { // the same form sent twice: nobody else changed anything
				return onlyBy(since(p.events, b.LastEvent), operator(r), store.CustomerChanged)
			}
			return isDone(p)
		},
		show:  func(_ *accountPage, _ int, b snapshot, err error) error { return s.showCustomerError(w, r, b, err) },
		after: func(p *accountPage) error { return redirectToCustomer(w, r, p, done, "") },
	})
}

// vouchForContact has a contact speak for the customer from now on, on the word of a colleague who did not add them.
func (s *site) vouchForContact(w http.ResponseWriter, r *http.Request) error {
	return s.changeContact(w, r, "contact-vouched",
		func(p *accountPage) bool {
			c, _, ok := contactNamed(p, r.PathValue("contact"))
			return ok && c.VouchedBy == operator(r)
		},
		func(list []customer.Contact, at int) ([]customer.Contact, error) {
			if !s.mayVouch(list[at], operator(r)) {
				return nil, fault.New(fault.Forbidden, "You added this contact, or nobody has to vouch any more. "+
					"Ask a colleague to vouch for a new contact.")
			}
			list[at].VouchedBy = operator(r)
			return list, nil
		})
}

// onlyBy reports whether a person did all of the events, and nothing but one kind of action.
func onlyBy(events []store.Event, who string, action store.Action) bool {
	return len(events) > 0 && !slices.ContainsFunc(events, func(e store.Event) bool {
		return e.By != who || e.Action != action
	})
}

// sendKeyToContact resends the key of a license to a contact. A form that is submitted twice sends one email.
func (s *site) sendKeyToContact(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	p, err := s.readAccount(r, reading{events: changesShown})
	if err != nil {
		return err
	}
	c, _, ok := contactNamed(p, r.PathValue("contact"))
	if !ok {
		return s.showCustomerError(w, r, b, errContactChanged)
	}
	if !c.InEffect(s.now()) {
		return s.showCustomerError(w, r, b, fault.New(fault.Conflict, "%s is a new contact and speaks for %s from %s. "+
			"Have a colleague vouch for the contact first.", c.Email, p.Customer.Name,
			license.DateOf(c.Effect()).Long()))
	}
	once := form.Get("once")
	if !license.ValidID(once) || p.InstanceOf(form.Get("license")) == nil {
		return fault.New(fault.Invalid, "The form is incomplete. Reload the page and try again.")
	}
	recorded, err := s.store.License(r.Context(), form.Get("license"))
	if err != nil {
		return err
	}
	l := recorded.License
	switch why := whyKeyNotSent(l, s.today()); {
	case l.KeyText == "":
		return errNoKey(l)
	case why != "":
		return s.showCustomerError(w, r, b, fault.New(fault.Conflict, "%s", why))
	}
	switch why, err := s.store.Suppressed(r.Context(), c.Email); {
	case err != nil:
		return err
	case why != nil && why.Stops(mail.LicenseKey):
		return s.showCustomerError(w, r, b, fault.New(fault.Conflict,
			"We no longer email %s because an email was not delivered or was marked as spam. Choose another contact, "+
				"or resume emails to this address first, on the page of the license.", c.Email))
	}
	to := license.Contact{Name: c.Name, Email: c.Email}
	if err := s.store.SendKeyAgain(r.Context(), l.ID, operator(r), to, once); err != nil {
		return err
	}
	return redirectToCustomer(w, r, p, "send-key", "")
}
