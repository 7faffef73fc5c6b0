package check

import (
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"marketplace/functions/bridge/issue"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
	contactstore "marketplace/shared/store/contact"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/requester"
	accountsignins "marketplace/shared/store/signin"
	"marketplace/shared/store/storetest"
)

// contactChange is a change of the contacts of the customer, as it is.
func (u *user) contactChange() contactstore.Change {
	_, version, err := u.s.AccountVersion(u.ctx, u.license.Customer)
	if err != nil {
		panic(err)
	}
	return contactstore.Change{Account: u.license.Customer, Version: version, Customer: u.license.Customer,
		By: contact.Email}
}

// accountSteps are what the account's function does for a contact.
func (u *user) accountSteps() []step {
	s, ctx, signIns := u.s, u.ctx, accountsignins.New(u.s.Store)
	requests, contacts, personal := requester.New(s.Store), contactstore.New(s.Store), erasure.NewWishes(s.Store)
	var filed request.Request
	return []step{
		{"Account", func() error { return last(s.Account(ctx, u.license.Customer)) }},
		{"AccountsOf", func() error { return last(s.AccountsOf(ctx, contact.Email)) }},
		{"Begin", func() error {
			return last(signIns.Begin(ctx, accountsignins.Attempt{Email: contact.Email, Code: signInCode}))
		}},
		{"Open", func() error { return last(signIns.Open(ctx, u.signIn.About, u.signIn.Nonce)) }},
		{"Enter", func() error { return last(signIns.Enter(ctx, u.signIn.About, u.signIn.Nonce, signInCode)) }},
		{"RecordVisit", func() error { return signIns.RecordVisit(ctx, u.license.Customer) }},
		{"EndSession", func() error { return signIns.EndSession(ctx, "s2", u.now.Add(time.Hour)) }},
		{"SessionEnded", func() error { return last(signIns.SessionEnded(ctx, "s2")) }},

		{"TellLoc", func() error { return s.TellLoc(ctx, u.license.Customer, u.license.Instance, contact.Email, 9) }},
		{"FileRequest", func() (err error) { u.moved, _, err = s.FileRequest(ctx, u.replacement()); return err }},
		{"Request", func() (err error) { u.moved, err = s.Request(ctx, u.moved.ID); return err }},
		{"FileBridge", func() error { return last2(s.FileBridge(ctx, u.moved, "")) }},
		{"RequestsOf", func() error { return last2(s.RequestsOf(ctx, []string{u.license.Customer}, 9)) }},
		{"MailsAbout", func() error { return last(s.MailsAbout(ctx, u.license.ID, 10)) }},
		{"Suppressed", func() error { return last(s.Suppressed(ctx, contact.Email)) }},
		{"SendKeyAgain", func() error {
			return s.SendKeyAgain(ctx, u.license.ID, store.Customer, contact, "by contact")
		}},
		{"Licenses", func() error { return last(s.Licenses(ctx, u.license.ID)) }},
		{"FileRequest", func() (err error) {
			filed, _, err = s.FileRequest(ctx, store.Filing{
				Details: request.Details{
					Kind: request.Renewal, Edition: u.license.Edition, Server: u.license.Server, Email: contact.Email,
					Company: "Example", WantedLoc: u.license.MaxLoc,
				},
				Key: "account", Customer: u.license.Customer, Instance: u.license.Instance, Link: u.link(),
			})
			return err
		}},
		{"Requests", func() error {
			return last(requests.Requests(ctx, []string{u.license.Customer}, contact.Email))
		}},
		{"Request", func() error { return last(requests.Request(ctx, filed.ID)) }},
		{"AnswerQuestion", func() error {
			r := u.waits[1]
			return requests.AnswerQuestion(ctx, r.ID, requester.Who(contact.Email), r.Question, "It expires.")
		}},
		{"CorrectRequest", func() error {
			other := filed.Details
			other.Loc = 1
			return requests.CorrectRequest(ctx, filed.ID, requester.Who(contact.Email), filed.Version, other)
		}},
		{"CorrectRequest", func() error { // which confirms it
			other := u.unsaid.Details
			other.Loc = 2
			who := requester.Who(contact.Email)
			return requests.CorrectRequest(ctx, u.unsaid.ID, who, u.unsaid.Version, other)
		}},
		{"CancelRequest", func() error {
			return requests.CancelRequest(ctx, filed.ID, requester.Who(contact.Email))
		}},
		{"AddContact", func() error {
			return contacts.AddContact(ctx, u.contactChange(), customer.Contact{Name: "New", Email: "n@example.com"})
		}},
		{"RemoveContact", func() error { return contacts.RemoveContact(ctx, u.contactChange(), "n@example.com") }},
		{"ReadOwn", func() error { return last(personal.ReadOwn(ctx, contact.Email)) }},
		{"AskErasure", func() error { return personal.AskErasure(ctx, u.license.Customer, contact) }},
		{"ErasureWish", func() error { return last2(personal.ErasureWish(ctx, contact.Email)) }},
		{"Unsubscribed", func() error { return last(s.Unsubscribed(ctx, u.license.ID)) }},
		{"ResubscribeContact", func() error {
			return s.ResubscribeContact(ctx, u.license, contact.Email, store.Customer)
		}},
		{"Unsubscribe", func() error { return s.Unsubscribe(ctx, u.reminder()) }},
		{"Policy", func() error { return nil }}, // which it was given
		{"Hours", func() error { return nil }},  // which it was given
	}
}

// askForBridges files two requests for a bridge key: one that gets it, and one that is refused.
func (u *user) askForBridges(t *testing.T) (orders [2]request.Request) {
	t.Helper()
	for i, old := range []request.OldServer{request.OldStopped, request.OldRunning} {
		details := request.Details{
			Kind: request.Replacement, Edition: u.license.Edition, Server: "AWHW8w9JtzBzSrmf9GQZ", Name: contact.Name,
			Email: contact.Email, Company: "Example", Replaces: string(u.license.Server), OldServer: old,
			Environment: request.ProductionUse,
		}
		r, _, err := storetest.FileRequest(u.ctx, u.s, details, fmt.Sprint("bridge", i))
		if err == nil {
			change := store.RequestChange{ID: r.ID, Version: r.Version, By: store.System}
			err = u.s.LinkRequest(u.ctx, change, u.license.Customer, u.license.Instance)
		}
		if err == nil {
			r, err = u.s.Request(u.ctx, r.ID)
		}
		if err == nil {
			orders[i], _, err = u.s.FileBridge(u.ctx, r, "")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return orders
}

// bridgeIssuer is what the bridge function runs, with a signing key of its own.
func bridgeIssuer(t *testing.T, kept *bridge.Store, now func() time.Time) *issue.Issuer {
	t.Helper()
	const kid = "test-bridge-1"
	signer, err := license.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	keys := license.Issuer{Signers: map[string]crypto.Signer{kid: signer}, Keys: license.KeySet{{
		Kid: kid, Types: license.Types, MaxDays: license.MaxDaysOf(kid), Key: &signer.PublicKey,
	}}}
	return issue.New(issue.Options{
		Store: kept, Catalog: sampleCatalog, Issuer: func() (license.Issuer, error) { return keys, nil },
		Now: now, Log: slog.New(slog.DiscardHandler),
	})
}

// bridgeSteps are what the bridge function does: it issues a key and refuses another.
func (u *user) bridgeSteps(t *testing.T, orders [2]request.Request) []step {
	kept := bridge.New(u.s.Store)
	issuer := bridgeIssuer(t, kept, func() time.Time { return u.now })
	state := func(i int, want request.State) func() error {
		return func() error {
			r, err := u.s.Request(u.ctx, orders[i].ID)
			if err == nil && r.State != want {
				err = fmt.Errorf("got %s, want %s", r.State, want)
			}
			return err
		}
	}
	return []step{
		{"Pending", func() error {
			ids, err := kept.Pending(u.ctx)
			if err == nil && len(ids) != len(orders) {
				err = errors.New("it found nothing to do")
			}
			return err
		}},
		{"Case", func() error { return issuer.Run(u.ctx) }},
		{"Licensed", func() error { return nil }}, // with Case
		{"IssueLicenses", state(0, request.Issued)},
		{"Review", state(1, request.Rejected)},
	}
}

// replacement is what a contact files who is signed in, for the customer's server that got another ID.
func (u *user) replacement() store.Filing {
	return store.Filing{
		Details: request.Details{
			Kind: request.Replacement, Edition: u.license.Edition, Email: contact.Email, Company: "Example",
			Server: "E1000000-AWmoved0000000000009", OldServer: request.OldLost, Environment: request.ProductionUse,
			Replaces: string(u.license.Server),
		},
		Key: "moved", Link: &request.Link{Contact: contact.Email}, Customer: u.license.Customer,
		Instance: u.license.Instance,
	}
}
