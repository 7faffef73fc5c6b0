package site

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/customer"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

var (
	linkStep = step{
		path: "link", label: "Link", from: undecided, action: store.RequestLinked,
		done: "The request is linked to the customer.",
	}
	unlinkStep = step{
		path: "unlink", label: "Unlink", from: undecided, action: store.RequestUnlinked,
		done: "The request is no longer linked to a customer.",
	}
)

// linkView links a request to a customer, or undoes it.
type linkView struct {
	Unlink string                  // the name of the customer that it is linked to; "" for none
	Other  web.Field               // another customer, by reference or name
	Found  []store.CustomerSummary // whose names begin as it was typed
	Open   bool                    // Other is unfolded
	New    string                  // the name of the new customer that can be made; "" for none
}

func viewOfLink(r request.Request) linkView {
	return linkView{
		New: r.Company,
		Other: web.Field{
			Name: "customer", Label: "Customer", Required: true,
			Hint: "A reference, such as C-7K3Q9F, or the beginning of a name.",
		},
	}
}

// linkRequest links a request to the customer that is chosen or typed, or to a new one with the company's name.
func (s *site) linkRequest(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	if form.Get("make") == "customer" {
		return s.linkToNew(w, r, b)
	}
	typed := strings.TrimSpace(form.Get("customer"))
	to, found, wrong, err := s.customerToLink(r.Context(), typed)
	if err != nil {
		return err
	}
	if to == "" {
		v, err := s.requestView(r, "")
		if err != nil {
			return err
		}
		v.Linking.Other.Value, v.Linking.Other.Error, v.Linking.Found, v.Linking.Open = typed, wrong, found, true
		return s.showRequest(w, r, http.StatusUnprocessableEntity, v)
	}
	return s.perform(w, r, linkStep, b, to, func(b snapshot, id, customerID string) error {
		change := store.RequestChange{ID: id, Version: b.Version, By: operator(r)}
		return s.store.LinkRequest(r.Context(), change, customerID, form.Get("instance"))
	})
}

// customerToLink returns the ID of the customer that an operator chose or typed. One that was merged is the one that it
// was merged into. wrong says why it is none, and found are those that it may be.
func (s *site) customerToLink(ctx context.Context, typed string) (
	id string, found []store.CustomerSummary, wrong string, err error) {
	if typed == "" {
		return "", nil, "Enter the reference of a customer, such as C-7K3Q9F, or a name.", nil
	}
	other, err := s.customerTyped(ctx, typed)
	if err != nil || other.wrong != "" {
		return "", nil, other.wrong, err
	}
	if other.account != nil {
		return other.account.Customer.ID, nil, "", nil
	}
	exactly := func(c store.CustomerSummary) bool { return strings.EqualFold(c.Name, typed) }
	same := slices.DeleteFunc(slices.Clone(other.named), func(c store.CustomerSummary) bool { return !exactly(c) })
	if len(same) == 0 {
		same = other.named
	}
	if len(same) > 1 {
		return "", same, "Several customers have such a name. Link one of them.", nil
	}
	account, err := s.store.Account(ctx, same[0].ID)
	if err != nil {
		return "", nil, "", err
	}
	return account.Customer.ID, nil, "", nil
}

// linkToNew puts the company of a request on record as a new customer, and links the request to it.
func (s *site) linkToNew(w http.ResponseWriter, r *http.Request, b snapshot) error {
	current, err := s.store.Request(r.Context(), requestID(r))
	if err != nil {
		return err
	}
	added, err := customer.Customer{Name: current.Company, Created: s.now()}.Check()
	if err != nil {
		return err
	}
	added.ID = idOfNew(current.ID, b.Version)
	return s.perform(w, r, linkStep, b, added.ID, func(b snapshot, id, _ string) error {
		change := store.RequestChange{ID: id, Version: b.Version, By: operator(r)}
		return s.store.LinkNewCustomer(r.Context(), change, added)
	})
}

// idOfNew returns the ID of the customer that a request is linked to: the same however often its form is sent.
func idOfNew(requestID string, version int64) string {
	seed := sha256.Sum256(fmt.Appendf(nil, "customer of %s %d", requestID, version))
	var id ulid.ULID
	if of, err := ulid.ParseStrict(requestID); err == nil {
		id = of
	}
	const random = 6 // the bytes before are the time
	copy(id[random:], seed[:])
	return strings.ToLower(id.String())
}

// unlinkRequest undoes the link of a request to its customer.
func (s *site) unlinkRequest(w http.ResponseWriter, r *http.Request) error {
	_, b, err := readForm(r)
	if err != nil {
		return err
	}
	return s.perform(w, r, unlinkStep, b, "", func(b snapshot, id, _ string) error {
		change := store.RequestChange{ID: id, Version: b.Version, By: operator(r)}
		return s.store.LinkRequest(r.Context(), change, "", "")
	})
}
