package site

import (
	"fmt"
	"net/http"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// mergeView is the page that merges a customer into another: it asks which, and then says what the merge does.
type mergeView struct {
	Customer   store.CustomerSummary
	Path       string
	Snapshot   snapshot
	Error      *formError
	Marked     web.Marked
	Into       web.Field
	Candidates []store.CustomerSummary // whose names begin as it was typed
	Target     *store.CustomerSummary  // nil: not chosen yet
	ToVersion  int64
	From, Kept string // what the two have: "2 contracts, 5 instances, 3 contacts"
	Notes      []string
}

func (s *site) mergePage(p *accountPage) mergeView {
	return mergeView{
		Customer: summaryOf(p.Customer), Path: p.Path(), Snapshot: p.snapshot(),
		Into: web.Field{
			Name: "into", Label: "Merge into", Required: true,
			Hint: "The customer that remains: its reference, such as C-7K3Q9F, or the beginning of its name.",
		},
	}
}

func (v *mergeView) chosen(p *accountPage, into *customer.Account) {
	target := summaryOf(into.Customer)
	v.Target, v.ToVersion = &target, into.Version
	v.From, v.Kept = contentsOf(p.Account), contentsOf(into)
	v.Notes = []string{
		fmt.Sprintf("%s's contracts, instances, licenses, contacts, requests and timeline appear on the page of %s. "+
			"%s and its name lead there.", p.Customer.Name, target.Name, p.Customer.Reference),
		"Nothing is moved, counted twice or revoked. Keys keep working, and reminders go to the same people as " +
			"before, and to the contacts of " + target.Name + ".",
		"Nobody is emailed. You can undo the merge at any time on the page of " + target.Name + ".",
	}
}

// contentsOf says what a customer has.
func contentsOf(a *customer.Account) string {
	contacts := len(a.Customer.Contacts)
	for _, m := range a.Merged {
		contacts += len(m.Contacts)
	}
	return strings.Join([]string{
		quantity(len(a.Contracts), "contract", "contracts"), quantity(len(a.Instances), "instance", "instances"),
		quantity(contacts, "contact", "contacts"),
	}, ", ")
}

func (s *site) showMerge(w http.ResponseWriter, r *http.Request, status int, v mergeView) error {
	title := "Merge " + v.Customer.Name
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "merge.html", inCustomers, title, v)
}

// mergeForm asks into which customer one is merged, and shows what the merge does once that is known.
func (s *site) mergeForm(w http.ResponseWriter, r *http.Request) error {
	into := strings.TrimSpace(r.URL.Query().Get("into"))
	p, err := s.readAccount(r, reading{events: changesShown, other: into})
	if err != nil || redirectToAccount(w, r, p) {
		return err
	}
	v, wrong := s.mergePage(p), p.other.wrong
	v.Into.Value = into
	for _, c := range p.other.named {
		if c.ID != p.Customer.ID {
			v.Candidates = append(v.Candidates, c)
		}
	}
	if p.other.account != nil {
		if err := customer.CheckMerge(*p.Account, *p.other.account); err != nil {
			wrong = fault.Sentence(err)
		} else {
			v.chosen(p, p.other.account)
		}
	}
	if wrong != "" {
		v.Marked = web.Mark([]fault.Field{{Name: "into", Msg: wrong}}, &v.Into)
		return s.showMerge(w, r, http.StatusUnprocessableEntity, v)
	}
	return s.showMerge(w, r, http.StatusOK, v)
}

// mergeCustomers merges the customer into another.
func (s *site) mergeCustomers(w http.ResponseWriter, r *http.Request) error {
	form, b, into, version, err := s.readFormOfTwo(r, "into")
	if err != nil {
		return err
	}
	p, err := s.readAccount(r, reading{events: changesShown})
	if err != nil {
		return err
	}
	after := func() error {
		merged, err := s.customerReference(r, p.named)
		if err != nil {
			return err
		}
		http.Redirect(w, r, customerPath(into.Customer.Reference)+"?done=merged&of="+merged, http.StatusSeeOther)
		return nil
	}
	err = nil
	if p.named == p.Customer.ID {
		if err = customer.CheckMerge(*p.Account, *into); err == nil {
			err = s.store.MergeCustomers(r.Context(), store.Merge{
				From: p.named, FromVersion: b.Version, Into: into.Customer.ID, IntoVersion: version, By: operator(r),
			})
		}
	} else { // it was merged meanwhile
		err = fault.New(fault.Conflict, "The customer was already merged into %s.", p.Customer.Name)
	}
	switch kind := fault.KindOf(err); {
	case err == nil:
		return after()
	case kind != fault.Conflict && kind != fault.Invalid && kind != fault.TooLarge:
		return err
	}
	again, failed := s.readAccount(r, reading{events: changesShown})
	switch {
	case failed != nil:
		return failed
	case again.named != again.Customer.ID && again.Customer.ID == into.Customer.ID:
		return after() // the same form, sent before
	case again.named != again.Customer.ID:
		return s.showCustomerError(w, r, b, err)
	}
	if into, _, failed = s.otherAccount(r.Context(), form.Get("into")); failed != nil || into == nil {
		return failed
	}
	v := s.mergePage(again)
	v.Into.Value = form.Get("into")
	v.Error = s.conflict(r, again, b, err)
	if customer.CheckMerge(*again.Account, *into) == nil {
		v.chosen(again, into)
	}
	return s.showMerge(w, r, http.StatusConflict, v)
}

// customerReference returns the reference of a customer that may have been merged.
func (s *site) customerReference(r *http.Request, id string) (string, error) {
	known, err := s.store.CustomersByID(r.Context(), id)
	return string(known[id].Reference), err
}

// undoMerge undoes the merging of a customer into the one of the page.
func (s *site) undoMerge(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	merged := func(p *accountPage) string {
		for _, m := range p.Merged {
			if string(m.Reference) == form.Get("customer") {
				return m.ID
			}
		}
		return ""
	}
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			id := merged(p)
			if id == "" {
				return fault.New(fault.Conflict, "The customer is no longer merged into this one.")
			}
			return s.store.UnmergeCustomer(r.Context(), p.change(r, b), id)
		},
		done: func(p *accountPage) bool {
			return merged(p) == "" && onlyBy(since(p.events, b.LastEvent), operator(r), store.CustomerUnmerged)
		},
		show:  func(_ *accountPage, _ int, b snapshot, err error) error { return s.showCustomerError(w, r, b, err) },
		after: func(p *accountPage) error { return redirectToCustomer(w, r, p, "unmerged", "") },
	})
}
