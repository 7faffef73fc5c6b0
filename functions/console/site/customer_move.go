package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// moveView is the page that moves an instance: it asks where to, and then says what the move does.
type moveView struct {
	Title      string
	Customer   string
	Reference  reference.Reference
	Path       string // of the customer's page
	Action     string
	Instance   *instanceHead
	ID         string // of the instance
	Snapshot   snapshot
	Error      *formError
	Marked     web.Marked
	To         web.Field               // the other customer
	Candidates []store.CustomerSummary // whose names begin as it was typed

	Target    *store.CustomerSummary // nil: not chosen yet
	Own       bool                   // it is the customer itself: the contract changes
	ToVersion int64
	Instances web.Field
	Contract  web.Field
	Notes     []string
	Undo      bool // moves back
}

// movePage returns the page for moving an instance of an account.
func (s *site) movePage(p *accountPage, i customer.Instance) moveView {
	return moveView{
		Title: "Move instance", Customer: p.Customer.Name, Reference: p.Customer.Reference, Path: p.Path(),
		Action:   p.head(i).Path + "/move",
		Instance: p.head(i), ID: i.ID, Snapshot: p.snapshot(),
		To: web.Field{
			Name: "to", Label: "Other customer", Required: true,
			Hint: "Its reference, such as C-7K3Q9F, or the beginning of its name.",
		},
	}
}

// chosen adds what the page says once the target is known.
func (s *site) chosen(v *moveView, p *accountPage, i customer.Instance, to *customer.Account) {
	target, today := summaryOf(to.Customer), s.today()
	v.Target, v.ToVersion, v.Own = &target, to.Version, to.Customer.ID == p.Customer.ID
	v.Instances = web.Field{Name: "instances", Label: "Instances to move", Type: "boxes", Class: "many"}
	add := func(some customer.Instance, hint string) {
		v.Instances.Options = append(v.Instances.Options, web.Option{
			Value: some.ID, Label: string(some.Server()), Hint: hint, Ticked: true,
		})
	}
	add(i, environmentName(i.Environment))
	for _, staging := range p.StagingOf(i.ID) {
		add(staging, "Staging for it")
	}
	v.Contract = web.Field{
		Name: "contract", Label: "Contract from now on", Type: "select",
		Hint:    "Compare how many instances use it: a move is not refused where the contract covers fewer.",
		Options: []web.Option{{Value: "", Label: "None"}},
	}
	for _, k := range sortedContracts(to, today) {
		if k.Active(today) && !(v.Own && k.ID == contractOf(i, today)) {
			use := to.Use(k.ID, today)
			v.Contract.Options = append(v.Contract.Options, web.Option{
				Value: string(k.Reference), Label: roomUnder(*k, use),
			})
		}
	}
	if len(v.Contract.Options) > 1 {
		v.Contract.Value = v.Contract.Options[1].Value
	}
	v.Notes = []string{
		"Licenses that are valid today go under the contract that you choose. Expired and revoked ones keep theirs.",
		"Keys keep working, and no new keys are issued.",
	}
	if !v.Own {
		v.Notes = append(v.Notes,
			"The organization written in the keys stays "+p.Customer.Name+".",
			fmt.Sprintf("From now on, %s's contacts receive the reminders and keys of these instances; "+
				"%s's contacts no longer do.", target.Name, p.Customer.Name),
			"Staging instances that you leave behind are no longer linked to this production instance.")
	}
	v.Notes = append(v.Notes, "Nobody is emailed. You can move the instances back later.")
}

// roomUnder says what a contract has room for: "K-7K3Q9F: Enterprise, 1 of 2 production, 0 of 2 staging".
func roomUnder(k customer.Contract, use customer.Use) string {
	return fmt.Sprintf("%s: %s, %s lines, %d of %d production, %d of %d staging", k.Reference, shortEdition(k.Edition),
		license.Lines(k.MaxLoc), use.Production, k.Production, use.Staging, k.Staging)
}

func (s *site) showMove(w http.ResponseWriter, r *http.Request, status int, v moveView) error {
	title := v.Title + ": " + v.Customer
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "move.html", inCustomers, title, v)
}

// moveForm asks where an instance is moved to, and shows what the move does once that is known.
func (s *site) moveForm(w http.ResponseWriter, r *http.Request) error {
	to := strings.TrimSpace(r.URL.Query().Get("to"))
	p, err := s.readAccount(r, reading{events: changesShown, other: to})
	if err != nil || redirectToAccount(w, r, p) {
		return err
	}
	i, err := instanceInAddress(r, p)
	if err != nil {
		return err
	}
	v := s.movePage(p, *i)
	v.To.Value = to
	switch {
	case to == "":
		return s.showMove(w, r, http.StatusOK, v)
	case p.other.wrong != "":
		v.Marked = web.Mark([]fault.Field{{Name: "to", Msg: p.other.wrong}}, &v.To)
		return s.showMove(w, r, http.StatusUnprocessableEntity, v)
	case p.other.account == nil:
		v.Candidates = p.other.named
		return s.showMove(w, r, http.StatusOK, v)
	}
	s.chosen(&v, p, *i, p.other.account)
	return s.showMove(w, r, http.StatusOK, v)
}

// typedCustomer is what an operator meant by a reference or the beginning of a name.
type typedCustomer struct {
	account *customer.Account       // of the reference; nil: it was a name, or wrong
	named   []store.CustomerSummary // whose names begin like this
	wrong   string                  // why there is none
}

// maxAlike is how many customers of a name are offered.
const maxAlike = 20

// customerTyped finds the customers that an operator means.
func (s *site) customerTyped(ctx context.Context, typed string) (other typedCustomer, err error) {
	if ref, ok := reference.Parse(typed); ok && ref.Kind() == reference.Customer {
		other.account, other.wrong, err = s.otherAccount(ctx, typed)
		return other, err
	}
	name, err := input.Line("search", "The name", typed, maxQuery)
	if err != nil {
		other.wrong = fault.Sentence(err)
		return other, nil
	}
	found, err := s.index.ByName(ctx, name, maxAlike)
	if other.named = found.Customers; len(found.Customers) == 0 {
		other.wrong = "No customer has this reference or name. Enter a reference such as C-7K3Q9F, " +
			"or at least two characters of a word of the name."
	}
	return other, err
}

// otherAccount reads the customer that an operator typed the reference of. wrong says why there is none.
func (s *site) otherAccount(ctx context.Context, typed string) (a *customer.Account, wrong string, err error) {
	ref, ok := reference.Parse(typed)
	if !ok || ref.Kind() != reference.Customer {
		return nil, "Enter the reference of a customer, such as C-7K3Q9F.", nil
	}
	id, err := s.store.CustomerByReference(ctx, ref)
	if err == nil {
		a, err = s.store.Account(ctx, id)
	}
	if fault.KindOf(err) == fault.NotFound {
		return nil, "There is no customer " + string(ref) + ".", nil
	}
	return a, "", err
}

// readFormOfTwo reads a form about the customer of the page and another one, which a field names by its reference: the
// snapshot of the first, and the other with the version that the form was shown with.
func (s *site) readFormOfTwo(r *http.Request, field string) (
	form url.Values, b snapshot, other *customer.Account, version int64, err error) {
	if form, b, err = readForm(r); err != nil {
		return form, b, nil, 0, err
	}
	version, err = strconv.ParseInt(form.Get("toVersion"), 10, 64)
	if err != nil || version < 1 {
		err = fault.Wrap(fault.Invalid, err, "The form is incomplete. Reload the page and try again.")
		return form, b, nil, 0, err
	}
	other, wrong, err := s.otherAccount(r.Context(), form.Get(field))
	if err == nil && wrong != "" {
		err = fault.New(fault.Invalid, "%s", wrong)
	}
	return form, b, other, version, err
}

// moveInstances moves the ticked instances.
func (s *site) moveInstances(w http.ResponseWriter, r *http.Request) error {
	form, b, to, version, err := s.readFormOfTwo(r, "to")
	if err != nil {
		return err
	}
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			i, err := instanceInAddress(r, p)
			if err != nil {
				return errInstanceGone(p)
			}
			var bad fault.Fields
			ids := movable(p, *i, form["instances"])
			if len(ids) == 0 {
				bad.Add("instances", "Select at least one instance.")
			}
			contract := ""
			if typed := form.Get("contract"); typed != "" {
				k := contractNamed(to, typed)
				if k == nil {
					bad.Add("contract", "Select a contract of %s, or none.", to.Customer.Name)
				} else {
					contract = k.ID
				}
			}
			if err := bad.Err("Nothing was moved. Correct the fields and try again."); err != nil {
				return err
			}
			return s.store.MoveInstances(r.Context(), store.Move{
				Instances: ids, From: p.change(r, b), To: to.Customer.ID, Version: version, Contract: contract,
			})
		},
		done: func(p *accountPage) bool { return s.movedBefore(r, form, p, b) },
		show: func(p *accountPage, status int, b snapshot, wrong error) error {
			i, err := instanceInAddress(r, p)
			if err != nil {
				return s.showCustomerError(w, r, b, wrong)
			}
			again, _, err := s.otherAccount(r.Context(), form.Get("to"))
			if err != nil || again == nil {
				return err
			}
			v := s.movePage(p, *i)
			s.chosen(&v, p, *i, again)
			v.keep(form)
			v.refused(s, r, p, b, wrong)
			return s.showMove(w, r, status, v)
		},
		after: func(*accountPage) error {
			target := customerPath(to.Customer.Reference)
			query := url.Values{"done": {"moved"}, "of": {strings.ToLower(r.PathValue("instance"))}}
			http.Redirect(w, r, target+"?"+query.Encode(), http.StatusSeeOther)
			return nil
		},
	})
}

func errInstanceGone(p *accountPage) error {
	return fault.New(fault.Conflict, "The instance is no longer with %s: somebody moved it.", p.Customer.Name)
}

// movable returns the ticked ones of an instance and its staging.
func movable(p *accountPage, i customer.Instance, ticked []string) (ids []string) {
	for _, id := range append([]string{i.ID}, idsOf(p.StagingOf(i.ID))...) {
		if slices.Contains(ticked, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func idsOf(list []customer.Instance) (ids []string) {
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	return ids
}

// movedBefore reports whether the same form, sent before, moved everything that is ticked.
func (s *site) movedBefore(r *http.Request, form url.Values, p *accountPage, b snapshot) bool {
	to, _, err := s.otherAccount(r.Context(), form.Get("to"))
	if err != nil || to == nil || len(form["instances"]) == 0 {
		return false
	}
	for _, id := range form["instances"] {
		i := to.Instance(id)
		if i == nil || i.Moved == nil {
			return false
		}
		if k := contractNamed(to, form.Get("contract")); k != nil && contractOf(*i, s.today()) != k.ID {
			return false
		}
	}
	return onlyBy(since(p.events, b.LastEvent), operator(r), store.InstanceMovedAway) ||
		onlyBy(since(p.events, b.LastEvent), operator(r), store.InstanceMoved)
}

// keep puts what was chosen into the fields.
func (v *moveView) keep(form url.Values) {
	for i := range v.Instances.Options {
		v.Instances.Options[i].Ticked = slices.Contains(form["instances"], v.Instances.Options[i].Value)
	}
	v.Contract.Value = form.Get("contract")
}

func (v *moveView) refused(s *site, r *http.Request, p *accountPage, b snapshot, err error) {
	f := customerForm{Fields: []*web.Field{&v.Instances, &v.Contract}, Snapshot: v.Snapshot}
	f.refused(s, r, p, b, err)
	v.Marked, v.Error, v.Snapshot = f.Marked, f.Error, f.Snapshot
}

// moveBackPage says what moving an instance back does.
func (s *site) moveBackPage(p *accountPage, i customer.Instance, to customerVersion) moveView {
	v := s.movePage(p, i)
	v.Title, v.Action, v.Undo = "Move back", p.head(i).Path+"/move-back", true
	v.Target, v.ToVersion, v.Own = &to.CustomerSummary, to.Version, to.ID == p.Customer.ID
	v.Instances = web.Field{Name: "instances", Label: "Instances to move back", Type: "boxes", Class: "many"}
	for _, some := range append([]customer.Instance{i}, p.StagingOf(i.ID)...) {
		if some.Moved != nil && some.Moved.Customer == i.Moved.Customer {
			v.Instances.Options = append(v.Instances.Options, web.Option{
				Value: some.ID, Label: string(some.Server()), Hint: environmentName(some.Environment), Ticked: true,
			})
		}
	}
	v.Notes = []string{"Each license that had another contract before goes back under it. Licenses that were issued " +
		"since keep theirs."}
	if !v.Own {
		v.Notes = append(v.Notes, fmt.Sprintf("From now on, %s's contacts receive the reminders and keys again.",
			to.Name))
	}
	v.Notes = append(v.Notes, "Nobody is emailed.")
	return v
}

// moveBackForm asks whether an instance is moved back.
func (s *site) moveBackForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.readAccount(r, reading{events: changesShown, origin: strings.ToLower(r.PathValue("instance"))})
	if err != nil || redirectToAccount(w, r, p) {
		return err
	}
	i, err := instanceInAddress(r, p)
	if err != nil {
		return err
	}
	if p.origin == nil {
		return s.showCustomerError(w, r, p.snapshot(), errNotMoved)
	}
	return s.showMove(w, r, http.StatusOK, s.moveBackPage(p, *i, *p.origin))
}

var errNotMoved = fault.New(fault.Conflict, "The instance was already moved back.")

// moveBack undoes the last move of the ticked instances.
func (s *site) moveBack(w http.ResponseWriter, r *http.Request) error {
	form, b, to, version, err := s.readFormOfTwo(r, "to")
	if err != nil {
		return err
	}
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			i, err := instanceInAddress(r, p)
			switch {
			case err != nil:
				return errInstanceGone(p)
			case i.Moved == nil:
				return errNotMoved
			}
			ids := movable(p, *i, form["instances"])
			if len(ids) == 0 {
				var bad fault.Fields
				bad.Add("instances", "Select at least one instance.")
				return bad.Err("Nothing was moved.")
			}
			return s.store.MoveInstances(r.Context(), store.Move{
				Instances: ids, From: p.change(r, b), To: to.Customer.ID, Version: version, Undo: true,
			})
		},
		done: func(p *accountPage) bool {
			events := since(p.events, b.LastEvent)
			return onlyBy(events, operator(r), store.InstanceMovedAway) ||
				onlyBy(events, operator(r), store.InstanceMovedBack)
		},
		show: func(p *accountPage, status int, b snapshot, wrong error) error {
			i, err := instanceInAddress(r, p)
			if err != nil || i.Moved == nil {
				return s.showCustomerError(w, r, b, wrong)
			}
			again, version, err := s.store.AccountVersion(r.Context(), i.Moved.Customer)
			if err != nil {
				return err
			}
			v := s.moveBackPage(p, *i, customerVersion{summaryOf(again), version})
			v.keep(form)
			v.refused(s, r, p, b, wrong)
			return s.showMove(w, r, status, v)
		},
		after: func(*accountPage) error {
			http.Redirect(w, r, customerPath(to.Customer.Reference)+"?done=moved-back", http.StatusSeeOther)
			return nil
		},
	})
}
