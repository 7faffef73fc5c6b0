package site

import (
	"context"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

// askerView is who asks, and what is on record about it.
type askerView struct {
	ContactOf []contactOf
	Customers []candidateView // that the request may be about: the one that it is linked to, then the likeliest
	Others    []candidateView // more of them
	Choose    bool            // several customers are equally likely
	Instance  *matchView      // that it is about; nil: nobody knows yet of which customer
}

// contactOf is a customer that has the requester as a contact.
type contactOf struct {
	Customer store.CustomerSummary
	Only     bool // there is no other customer that the request may be about
	Since    license.Date
	Partner  string // the contact works for
}

// candidateView is a customer that a request may be about.
type candidateView struct {
	store.CustomerSummary
	Why     string
	Linked  bool   // the request is linked to it
	By      string // who linked it: “linked by the system”; "" if nobody did
	CanLink bool   // the viewer may link the request to it
}

// Link is the badge of the customer that the request is linked to.
func (c candidateView) Link() badge {
	if !c.Linked || c.By != "" {
		return badge{}
	}
	return badge{"Linked", "good"}
}

// matchView is the instance that a request is about, those that it may be about, or the one that a new one is like.
type matchView struct {
	Text string // how that is known; "" if the request is linked to it
	Rows []matchedRow
}

// matchedRow is an instance with its name and the address of its page.
type matchedRow struct {
	instanceRow
	Name, Path string
}

// Has says which license the instance has: the edition is enough where the type is that of its environment.
func (m matchedRow) Has() string {
	if m.License != nil && m.License.Type.Name() == m.Name {
		return m.License.Edition.Name()
	}
	return m.Terms()
}

// maxCandidates is how many customers the page shows at once.
const maxCandidates = 3

// asked is what a request's page reads about who asks.
type asked struct {
	candidates []search.Candidate
	account    *customer.Account // of the customer that the request is most likely about; nil: nobody knows
}

// readAsked reads who asks. The account is read at once with the customers, but after them where several that were
// merged speak for it.
func (s *site) readAsked(ctx context.Context, r request.Request) (a asked, err error) {
	a.candidates, err = s.index.CandidatesAnd(ctx, r.Details, func(ctx context.Context, strong []string) error {
		return s.readLikely(ctx, r, strong, &a)
	})
	if err != nil {
		return a, err
	}
	var strong []string
	for _, c := range a.candidates {
		if c.Strong() {
			strong = append(strong, c.Customer.ID)
		}
	}
	return a, s.readLikely(ctx, r, strong, &a)
}

// readLikely reads the account of the customer that a request is linked to, or else of the only one with a strong
// basis, unless it was read before.
func (s *site) readLikely(ctx context.Context, r request.Request, strong []string, a *asked) error {
	id := r.Customer
	if id == "" && len(strong) == 1 {
		id = strong[0]
	}
	if id == "" || a.account != nil && a.account.IsOf(id) {
		return nil
	}
	account, err := s.store.Account(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	a.account = account
	return err
}

// view says who asks. It adds to seen the customers and instances that it shows.
func (a asked) view(s *site, r request.Request, seen map[string]bool) (v askerView) {
	list := a.candidatesOf(r)
	for _, c := range list {
		seen[c.ID] = true
	}
	v.Customers = list[:min(maxCandidates, len(list))]
	v.Others = list[len(v.Customers):]
	for _, c := range a.candidates {
		if c.Contact.Email != "" {
			v.ContactOf = append(v.ContactOf, contactOf{
				c.Customer, len(list) == 1, license.DateOf(c.Contact.Since), c.Contact.Partner,
			})
		}
	}
	if a.account == nil {
		v.Choose = len(list) > 1
		return v
	}
	about := a.about(s, r)
	for _, row := range about.Rows {
		seen[row.ID] = true
	}
	v.Instance = &about
	return v
}

// candidatesOf lists the customers that a request may be about, the one that it is linked to first.
func (a asked) candidatesOf(r request.Request) (list []candidateView) {
	for _, c := range a.candidates {
		list = append(list, candidateView{CustomerSummary: c.Customer, Why: reasons(c)})
	}
	if a.account == nil || !a.account.IsOf(r.Customer) {
		return list
	}
	linked := candidateView{CustomerSummary: summaryOf(a.account.Customer), Linked: true}
	same := func(c candidateView) bool { return c.ID == linked.ID }
	if i := slices.IndexFunc(list, same); i >= 0 {
		linked.Why = list[i].Why
	}
	return append([]candidateView{linked}, slices.DeleteFunc(list, same)...)
}

// about says which instance of the account the request is about.
func (a asked) about(s *site, r request.Request) (v matchView) {
	ids := []string{r.Instance}
	if a.account.Instance(r.Instance) == nil {
		m := a.account.Match(customer.AskedBy(r))
		v.Text = matchText(m.How)
		switch {
		case m.Instance != "":
			ids = []string{m.Instance}
		case len(m.Candidates) > 0:
			if ids = m.Candidates; m.How == customer.ProductionID {
				v.Text += " It may be a staging instance shown here, or a new one."
			}
		case m.From != "" && m.How == customer.NoMatch:
			v.Text = "A new staging instance, of this one."
			ids = []string{m.From}
		default:
			ids = []string{m.From}
		}
	}
	for _, id := range ids[:min(maxRelated, len(ids))] {
		if i := a.account.Instance(id); i != nil {
			v.Rows = append(v.Rows, matchedRow{
				s.instanceRow(*i, summaryOf(a.account.Customer)), environmentName(i.Environment),
				customerPage(a.account.Customer) + "/instances/" + i.ID,
			})
		}
	}
	return v
}

// matchText says how the instance that a request is about is known.
func matchText(how customer.How) string {
	switch how {
	case customer.ExactID, customer.ByEnvironment:
		return "Found by its server ID."
	case customer.Replaced:
		return "Found by the server that the request replaces."
	case customer.Moved:
		return "Found by its data. The request says that the old server is gone, so this is the same instance."
	case customer.Copied:
		return "The data of a known server, which is still in use: a copy, so a new instance."
	case customer.ProductionID:
		return "The server ID is that of production."
	case customer.Undecided:
		return "It may be one of these, or a new one. Ask the customer if you are not sure."
	}
	return "No instance on record matches this server."
}

// reasons says why a request may be about a customer.
func reasons(c search.Candidate) string {
	var list []string
	for _, by := range c.By {
		switch by {
		case search.BasisLicense:
			list = append(list, "the request names its license")
		case search.BasisReference:
			list = append(list, "the request names its reference")
		case search.BasisServer:
			list = append(list, "has this server")
		case search.BasisContact:
			list = append(list, "a contact sent it")
		case search.BasisDomain:
			list = append(list, "same mail domain")
		case search.BasisName:
			list = append(list, "similar name")
		}
	}
	return strings.Join(list, "; ")
}
