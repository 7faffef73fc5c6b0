package site

import (
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
)

var letters = letter.Writer{
	URL: siteURL, Packages: "https://packages.vendor.example",
	Sales: mail.Address{Name: "Sales", Email: "sales@vendor.example"},
}

// mail reads a mail of the outbox.
func (w *testEnv) mail(id string) outbox.Mail {
	w.t.Helper()
	m, err := w.store.Outbox().Read(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// letter writes the letter of a queued mail.
func (w *testEnv) letter(id string) mail.Message {
	w.t.Helper()
	c, err := sampleCatalog()
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := lettertest.Write(w.t.Context(), w.store, letters, c, w.mail(id))
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// sendMail sends a queued mail.
func (w *testEnv) sendMail(id string) {
	w.t.Helper()
	if err := lettertest.Send(w.t.Context(), w.store, id, w.letter(id), "c"); err != nil {
		w.t.Fatal(err)
	}
}

// expand replaces a queued notice by what it becomes, as the mailer does.
func (w *testEnv) expand(id string) {
	w.t.Helper()
	m := w.mail(id)
	into, err := expansion.New(w.store).Expand(w.t.Context(), m.Notice)
	w.must(err)
	w.must(w.store.Outbox().Expand(w.t.Context(), m, into))
}

// failMail gives a queued mail up.
func (w *testEnv) failMail(id, cause string) outbox.Mail {
	w.t.Helper()
	m := w.mail(id)
	if err := w.store.Outbox().Fail(w.t.Context(), m, cause); err != nil {
		w.t.Fatal(err)
	}
	return m
}
