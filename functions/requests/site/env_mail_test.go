package site

import (
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/lettertest"
	mailnotice "marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
)

// letter writes the letter of a queued mail.
func (env *testEnv) letter(id string) mail.Message {
	env.t.Helper()
	m, err := env.store.Outbox().Read(env.t.Context(), id)
	if err != nil {
		env.t.Fatal(err)
	}
	return env.write(m)
}

// toSales writes the letter that tells sales of a request.
func (env *testEnv) toSales(r request.Request) mail.Message {
	env.t.Helper()
	return env.write(outbox.Mail{Notice: mailnotice.RequestNew(r)})
}

func (env *testEnv) write(m outbox.Mail) mail.Message {
	env.t.Helper()
	c, err := sample()
	if err != nil {
		env.t.Fatal(err)
	}
	letters := letter.Writer{
		URL: siteURL, Packages: packagesURL, Sales: mail.Address{Name: "Sales", Email: "sales@vendor.example"},
	}
	written, err := lettertest.Write(env.t.Context(), env.store, letters, c, m)
	if err != nil {
		env.t.Fatal(err)
	}
	return written
}

// begin marks a queued mail as being sent.
func (env *testEnv) begin(id string) outbox.Mail {
	env.t.Helper()
	m, err := env.store.Outbox().Read(env.t.Context(), id)
	if err == nil {
		m, err = env.store.Outbox().Begin(env.t.Context(), m, 1, mail.Message{ID: id})
	}
	if err != nil {
		env.t.Fatal(err)
	}
	return m
}

// sent sends a queued mail.
func (env *testEnv) sent(id string) {
	env.t.Helper()
	if err := env.store.Outbox().RecordSent(env.t.Context(), env.begin(id), "provider-1"); err != nil {
		env.t.Fatal(err)
	}
}
