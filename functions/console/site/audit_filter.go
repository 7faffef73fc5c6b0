package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
)

const auditPath = "/console/audit"

// auditFilter is what an address selects of the audit.
type auditFilter struct {
	audit.Query
	typed    url.Values         // as the form had it
	customer *customer.Account  // nil: everybody
	errors   map[string]string  // by field: why it was ignored
	named    []auditedCandidate // customers that the typed name may mean
}

// auditedCandidate is a customer, with the address of what the filter selects of it.
type auditedCandidate struct {
	store.CustomerSummary
	To string
}

// auditFields are the fields of the filter, as addresses name them.
var auditFields = []string{"from", "to", "who", "customer", "action"}

// readAuditFilter reads the filter in an address.
func (s *site) readAuditFilter(r *http.Request) (f auditFilter, err error) {
	f = auditFilter{typed: url.Values{}, errors: map[string]string{}}
	for _, name := range auditFields {
		if value := strings.TrimSpace(r.URL.Query().Get(name)); value != "" {
			f.typed.Set(name, value)
		}
	}
	f.From, f.To = f.day("from"), f.day("to")
	if !f.To.IsZero() && f.To.Before(f.From) {
		f.errors["to"] = "“Through” must be the same day as “From” or later."
	}
	f.By, f.Action = strings.ToLower(f.typed.Get("who")), store.Action(f.typed.Get("action"))
	if typed := f.typed.Get("customer"); typed != "" {
		err = s.readAuditedCustomer(r.Context(), &f, typed)
	}
	return f, err
}

// day reads a day of the filter; the zero Date for none.
func (f *auditFilter) day(name string) license.Date {
	typed := f.typed.Get(name)
	if typed == "" {
		return license.Date{}
	}
	day, err := license.ParseDate(typed)
	if err != nil {
		f.errors[name] = "Enter a day, for example 2018-03-05."
	}
	return day
}

// readAuditedCustomer finds the customer that somebody typed the reference or the name of.
func (s *site) readAuditedCustomer(ctx context.Context, f *auditFilter, typed string) error {
	meant, err := s.customerTyped(ctx, typed)
	if err != nil {
		return err
	}
	a, wrong := meant.account, meant.wrong
	switch {
	case len(meant.named) == 1:
		if a, wrong, err = s.otherAccount(ctx, string(meant.named[0].Reference)); err != nil {
			return err
		}
	case len(meant.named) > 1:
		wrong = "Several customers match this name. Choose one below."
		for _, c := range meant.named {
			f.named = append(f.named, auditedCandidate{c, f.with("customer", string(c.Reference))})
		}
	}
	if a == nil {
		f.errors["customer"] = wrong
		return nil
	}
	f.customer, f.Customers = a, []string{a.Customer.ID}
	for _, m := range a.Merged {
		f.Customers = append(f.Customers, m.ID)
	}
	f.typed.Set("customer", string(a.Customer.Reference))
	return nil
}

// with returns the address of the filter with another value of a field; "" removes it.
func (f auditFilter) with(name, value string) string {
	v := url.Values{}
	for key, values := range f.typed {
		v[key] = slices.Clone(values)
	}
	v.Del(name)
	if value != "" {
		v.Set(name, value)
	}
	return auditPath + "?" + v.Encode()
}

// err is the fault that says what is wrong with the filter; nil if nothing is.
func (f auditFilter) err() error {
	var bad fault.Fields
	for _, name := range auditFields {
		if msg := f.errors[name]; msg != "" {
			bad.Add(name, "%s", msg)
		}
	}
	return bad.Err("Nothing was exported. Correct the filter and try again.")
}

// words says what the filter selects, for the audit itself: in days, and without names of customers.
func (f auditFilter) words() string {
	parts := []string{f.From.String() + " to " + f.To.String()}
	if f.By != "" {
		parts = append(parts, "by "+f.By)
	}
	if f.customer != nil {
		parts = append(parts, "customer "+string(f.customer.Customer.Reference))
	}
	if f.Action != "" {
		parts = append(parts, "action "+string(f.Action))
	}
	return strings.Join(parts, ", ")
}
