package site

import (
	"errors"
	"net/http"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// bridgeStep asks for a bridge key ahead of a replacement. The function of its own issues it (functions/bridge).
var bridgeStep = step{
	path: "bridge", label: "Issue a bridge key", from: undecided, action: store.BridgeRequested,
	done: "The bridge key will be issued and emailed within two minutes.",
}

// bridgeOffer is what the page of a request for a replacement says about a bridge key.
type bridgeOffer struct {
	Through license.Date     // the last day of a key that is issued today
	Why     string           // why there can be none; "" if there can
	Issued  *customer.Bridge // the one that is valid for the new server; nil: none
}

// viewOfBridge offers a bridge key. nil: the request is none that could have one.
func (s *site) viewOfBridge(r *http.Request, j judge) (*bridgeOffer, error) {
	current := j.Request
	if current.Kind != request.Replacement || current.OldServer == request.OldSame || !current.State.Open() ||
		j.account == nil || !j.account.IsOf(current.Customer) {
		return nil, nil
	}
	if i := j.account.Instance(j.Instance); i != nil {
		if b, ok := i.Bridge(s.today()); ok && b.Server == current.Server {
			return &bridgeOffer{Issued: &b}, nil
		}
	}
	terms, err := s.bridgeFor(r, j)
	if no, ok := errors.AsType[*customer.NoBridge](err); ok {
		return &bridgeOffer{Why: no.Sentence}, nil
	}
	return &bridgeOffer{Through: terms.Expiration}, err
}

// bridgeFor judges whether the request gets a bridge key if sales ask for it.
func (s *site) bridgeFor(r *http.Request, j judge) (customer.BridgeTerms, error) {
	known, err := s.store.Dataset(r.Context(), j.Request.Server)
	if err != nil {
		return customer.BridgeTerms{}, err
	}
	return j.account.BridgeFor(customer.BridgeAsked{
		Request: j.Request, BySales: true, Elsewhere: known.Elsewhere(j.account), DomainShared: j.DomainShared,
	}, j.now)
}

// issueBridge files the request for a bridge key ahead of the replacement.
func (s *site) issueBridge(w http.ResponseWriter, r *http.Request) error {
	_, b, err := readForm(r)
	if err != nil {
		return err
	}
	j, err := s.judgeOf(r)
	if err != nil {
		return err
	}
	return s.perform(w, r, bridgeStep, b, "", func(b snapshot, _, _ string) error {
		switch {
		case j.Request.Version != b.Version:
			return fault.New(fault.Conflict, "Someone else changed this request first, so no bridge key was issued. "+
				"Check the request and try again.")
		case j.account == nil:
			return fault.New(fault.Conflict, "Link the request to a customer first.")
		}
		_, err := s.bridgeFor(r, j)
		if no, ok := errors.AsType[*customer.NoBridge](err); ok {
			return fault.New(fault.Conflict, "No bridge key was issued. %s", no.Sentence)
		}
		if err == nil {
			_, _, err = s.store.FileBridge(r.Context(), j.Request, operator(r))
		}
		return err
	})
}
