package mailkill

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/ses"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/table/bolt"
)

// The test starts its own binary as the process of the mailer, with these variables.
const (
	tableVariable     = "MAILKILL_TABLE" // the file of the embedded table
	sesVariable       = "MAILKILL_SES"   // the provider's address
	aheadVariable     = "MAILKILL_AHEAD" // by which the clock is ahead
	untilIdleVariable = "MAILKILL_UNTIL_IDLE"
)

// TestMain is the mailer's process where the variables are set.
func TestMain(m *testing.M) {
	if path := os.Getenv(tableVariable); path != "" {
		if err := mailer(path); err != nil {
			slog.Error("the process of the mailer failed", "error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// mailer sends what is ready again and again, until it is killed, or once, until nothing is.
func mailer(path string) error {
	ahead, err := time.ParseDuration(os.Getenv(aheadVariable))
	if err != nil {
		return err
	}
	now := func() time.Time { return time.Now().Add(ahead) }
	tab, err := bolt.Open(path)
	if err != nil {
		return err
	}
	defer tab.Close()
	kept := delivery.New(store.New(tab, store.Options{Now: now}))
	letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@vendor.example"}}
	credentials := func(string) string { return "eu-central-1" } // any will do
	d := dispatch.New(dispatch.Options{
		Outbox: kept.Outbox(), Records: kept, Expander: expansion.New(kept),
		Write: letters.With(func() (*catalog.Catalog, error) { return nil, nil }),
		Sender: ses.New(ses.LambdaClient(credentials, os.Getenv(sesVariable)),
			ses.Options{From: mail.Address{Email: "licenses@vendor.example"}, Now: now}),
		Now: now, Log: slog.New(slog.DiscardHandler),
	})
	for {
		if err := d.Run(context.Background()); err != nil || os.Getenv(untilIdleVariable) != "" {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}
