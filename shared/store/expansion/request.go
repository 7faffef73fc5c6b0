package expansion

import (
	"context"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/token"
)

// requestConfirmed tells sales of a request that needs no more confirmation. If one customer among all has to do with
// it, the request is linked to that one; if granting it could take something from the customer, and none of its
// contacts asked, they are asked whether it is theirs.
func (e *Expander) requestConfirmed(ctx context.Context, n notice.Notice) ([]notice.Notice, error) {
	r, err := e.store.Request(ctx, n.About)
	switch {
	case err != nil:
		return nil, err
	case !r.Known(e.store.Now()).State.Open():
		return nil, &notice.PointlessError{Why: "the request is closed"}
	}
	if r.LinkedBy == "" {
		if r, err = e.receive(ctx, r); err != nil {
			return nil, err
		}
	}
	into := []notice.Notice{notice.RequestNew(r)}
	if r.LinkedBy == store.System {
		for _, email := range r.AskedOf {
			into = append(into, notice.RequestAsk(r, license.Contact{Email: email}, token.Answer.New()))
		}
	}
	return into, nil
}

// receive links a request to the one customer that it has to do with, and notes which of its contacts are asked.
func (e *Expander) receive(ctx context.Context, r request.Request) (request.Request, error) {
	candidates, err := e.index.Candidates(ctx, r.Details)
	if err != nil {
		return r, err
	}
	strong := slices.DeleteFunc(slices.Clone(candidates), func(c search.Candidate) bool { return !c.Strong() })
	if len(strong) != 1 {
		return r, nil // sales decide
	}
	a, err := e.store.Account(ctx, strong[0].Customer.ID)
	if fault.KindOf(err) == fault.NotFound {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	instance := a.Match(customer.AskedBy(r)).Instance
	ask, err := e.toAsk(ctx, a, customer.Asker{
		Request: r, Instance: instance, DomainShared: search.DomainShared(candidates, a),
	})
	if err != nil {
		return r, err
	}
	return e.store.ReceiveRequest(ctx, r.ID, a.Customer.ID, instance, ask...)
}

// maxAsked is how many contacts are asked about one request.
const maxAsked = 5

// toAsk returns the contacts who are asked whether a request is theirs: none if it takes nothing from them, or if one
// of them asked. Those who were asked too much today are left out (store.AskedEnough).
func (e *Expander) toAsk(ctx context.Context, a *customer.Account, who customer.Asker) (list []license.Contact,
	err error) {
	if !who.Request.Kind.MayCharge() {
		return nil, nil
	}
	switch a.Standing(who, e.store.Now()) {
	case customer.Colleague, customer.Stranger:
	default:
		return nil, nil
	}
	for _, c := range a.Approvers(who, e.store.Now()) {
		enough, err := e.store.AskedEnough(ctx, c.Email)
		if err != nil {
			return nil, err
		}
		if !enough {
			list = append(list, license.Contact{Name: c.Name, Email: c.Email})
		}
		if len(list) == maxAsked {
			break
		}
	}
	return list, nil
}
