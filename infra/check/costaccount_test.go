package check

import (
	"errors"
	"time"

	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
	"marketplace/shared/store/signin"
)

// measureAccount measures what a contact of a customer does in the account, and what issues a bridge key.
func (e *costEnv) measureAccount() {
	p := e.bought(1)
	e.measureSignIn(p)
	ctx, l := e.t.Context(), p.issued[0]
	e.measure("tell lines of code in the account", func() error {
		return e.TellLoc(ctx, p.customer.ID, l.Instance, p.to().Email, 1_300_000)
	})
	filing := func(kind request.Kind) store.Filing {
		d := usual(1)
		d.Kind, d.Edition, d.Email, d.Replaces = kind, l.Edition, p.to().Email, string(l.Server)
		d.WantedLoc, d.Environment = 2_000_000, request.ProductionUse
		if kind == request.Replacement {
			d.Server, d.OldServer, d.WantedLoc = "BF41A1F7-AWmoved0000000000009", request.OldLost, 0
		}
		return store.Filing{Details: d, Key: string(kind), Customer: p.customer.ID, Instance: l.Instance,
			Link: &request.Link{Contact: p.to().Email, License: l.ID}}
	}
	e.measureFiling("file a request in the account", func() error {
		return last2(e.FileRequest(ctx, filing(request.Renewal)))
	})
	moved, _, err := e.FileRequest(ctx, filing(request.Replacement))
	e.must(err)
	e.must(e.mailer(0).Run(ctx))

	waiting := bridge.New(e.Store.Store)
	e.measure("a sweep of the bridge function with nothing waiting", func() error { return last(waiting.Pending(ctx)) })
	var order request.Request
	e.measureFiling("ask for a bridge key", func() (err error) {
		order, _, err = e.FileBridge(ctx, moved, "")
		return err
	})
	issuer := bridgeIssuer(e.t, waiting, time.Now)
	e.measure("issue a bridge key, with an email and a notice", func() error { return issuer.Run(ctx) })
	order, err = e.Request(ctx, order.ID)
	if err != nil || order.State != request.Issued {
		e.t.Fatalf("got a request that is %s, %v, want its bridge key issued", order.State, err)
	}
}

// measureSignIn measures what a sign-in costs, from the address to the account.
func (e *costEnv) measureSignIn(p *purchase) {
	ctx, signIns := e.t.Context(), signin.New(e.Store.Store)
	var id string
	e.measureFiling("begin to sign in to the account, with an email", func() (err error) {
		id, err = signIns.Begin(ctx, signin.Attempt{Email: p.to().Email, Code: signInCode})
		return err
	})
	e.measureSending("send the link of a sign-in", 1)
	m, err := e.Outbox().Read(ctx, notice.IDOf(id, notice.Link))
	e.must(err)
	e.measure("open the link of a sign-in", func() error { return last(signIns.Open(ctx, id, m.Nonce)) })
	e.measure("type the code, and enter the account", func() error {
		_, err := signIns.Enter(ctx, id, m.Nonce, signInCode)
		return errors.Join(err, last(e.AccountsOf(ctx, p.to().Email)), signIns.RecordVisit(ctx, p.customer.ID))
	})
	e.measure("read the account for a page", func() error {
		_, err := signIns.SessionEnded(ctx, "s1")
		return errors.Join(err, last(e.Account(ctx, p.customer.ID)))
	})
}
