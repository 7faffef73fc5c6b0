package check

import (
	"time"

	accountsignins "marketplace/shared/store/signin"

	"marketplace/shared/store/bridge"
)

// accountSteps are what the account's function does for a contact.
func (u *user) accountSteps() []step {
	s, ctx, signIns := u.s, u.ctx, accountsignins.New(u.s.Store)
	return []step{
		{"Account", func() error { return last(s.Account(ctx, u.license.Customer)) }},
		{"AccountsOf", func() error { return last(s.AccountsOf(ctx, contact.Email)) }},
		{"Begin", func() error { return last(signIns.Begin(ctx, contact.Email, signInCode, "")) }},
		{"Open", func() error { return last(signIns.Open(ctx, u.signIn.About, u.signIn.Nonce)) }},
		{"Enter", func() error { return last(signIns.Enter(ctx, u.signIn.About, u.signIn.Nonce, signInCode)) }},
		{"RecordVisit", func() error { return signIns.RecordVisit(ctx, u.license.Customer) }},
		{"EndSession", func() error { return signIns.EndSession(ctx, "s2", u.now.Add(time.Hour)) }},
		{"SessionEnded", func() error { return last(signIns.SessionEnded(ctx, "s2")) }},

		{"Licenses", func() error { return last(s.Licenses(ctx, u.license.ID)) }},
		{"Policy", func() error { return nil }}, // which it was given
		{"Hours", func() error { return nil }},  // which it was given
	}
}

// bridgeSteps are what the bridge function does.
func (u *user) bridgeSteps() []step {
	waiting := bridge.New(u.s.Store)
	return []step{{"Pending", func() error { return last(waiting.Pending(u.ctx)) }}}
}
