package sesfront_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/mailevents/feedback"
	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/infra/sesfront"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/ses"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// TestEventsReachTheStore sends reminders of licenses through the front, alone and before moto: one is delivered, the
// answer about one is lost, one bounces and one comes back. Their events go through the function into the store.
func TestEventsReachTheStore(t *testing.T) {
	t.Run("front alone", func(t *testing.T) { eventsReachTheStore(t, "") })
	t.Run("before moto", func(t *testing.T) {
		endpoint := os.Getenv("SES_ENDPOINT")
		if endpoint == "" {
			t.Skip("SES_ENDPOINT is not set: no SES to send through (infra/engines/with-moto.sh starts one)")
		}
		eventsReachTheStore(t, endpoint)
	})
}

func eventsReachTheStore(t *testing.T, upstream string) {
	ctx := t.Context()
	clock := newClock()
	kept := delivery.New(store.New(&tabletest.Memory{}, store.Options{Now: clock.Now}))
	log := logging.New(t.Output(), "test")
	job := feedback.New(feedback.Options{Store: kept, Now: clock.Now, Log: log})
	front := sesfront.New(sesfront.Options{
		Now: clock.Now, Upstream: upstream, Behave: behave, Quota: mail.Quota{PerSecond: 100},
		Publish: func(event string) {
			answer, err := job.Invoke(ctx, feedbacktest.Batch(event))
			if err != nil || string(answer) != `{"batchItemFailures":[]}` {
				t.Errorf("got %s, %v", answer, err)
			}
		},
	})
	endpoint := "http://ses.test"
	if upstream != "" {
		endpoint = upstream
	}
	api := ses.Client(front.Transport(), endpoint)
	sender := mail.Address{Email: fmt.Sprintf("store-%d@vendor.example", time.Now().UnixNano())}
	if upstream != "" {
		if _, err := api.(*sdk.Client).VerifyEmailIdentity(ctx,
			&sdk.VerifyEmailIdentityInput{EmailAddress: &sender.Email}); err != nil {
			t.Fatal(err)
		}
	}
	letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@vendor.example"}}
	mailer := dispatch.New(dispatch.Options{
		Outbox: kept.Outbox(), Records: kept, Expander: expansion.New(kept), Write: letters.With(nil), Now: clock.Now,
		Log:    log,
		Sender: ses.New(api, ses.Options{From: sender, Now: clock.Now}), Sleep: func(context.Context, time.Duration) {},
	})
	for _, id := range []string{"delivered", "lost", "bounced", "returned"} {
		remind(t, kept, id, clock.now)
	}
	run := func(after time.Duration) {
		t.Helper()
		clock.now = clock.now.Add(after)
		front.PublishDue()
		if err := mailer.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	run(0)
	run(time.Minute)
	run(15 * time.Hour)
	run(25 * time.Hour)

	got := map[string][]string{}
	for _, id := range []string{"delivered", "lost", "bounced", "returned"} {
		mails, err := kept.MailsAbout(ctx, id, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			name, _, _ := strings.Cut(m.To.Email, "@")
			got[id] = append(got[id], fmt.Sprintf("%s %s %s, %d calls", name, m.State.Status, outbox.FateOf(m.Reports),
				m.State.Attempts))
		}
	}
	for id, want := range map[string][]string{
		"delivered": {"ada sent arrived, 1 calls"},
		"lost":      {"ada sent arrived, 1 calls"},
		"bounced":   {"ada sent bounced, 1 calls", "it sent arrived, 1 calls"},
		"returned":  {"ada sent returned, 1 calls", "ada sent , 1 calls"},
	} {
		if !slices.Equal(got[id], want) {
			t.Errorf("%s: got %q, want %q", id, got[id], want)
		}
	}
	if n := len(front.Accepted()); n != 6 || front.Calls() != 6 {
		t.Errorf("got %d mails accepted in %d calls, want 6 in 6", n, front.Calls())
	}
	if why, err := kept.Suppressed(ctx, "ada@bounced.example"); err != nil || why == nil {
		t.Errorf("got no suppression of the address that bounced, %v", err)
	}
}

// behave is how the mail to a customer fares that the domain names.
func behave(call sesfront.Call) sesfront.Behaviour {
	b := sesfront.Well(call)
	switch call.Mail.To {
	case "ada@lost.example":
		b.Fault = sesfront.AnswerLost
	case "ada@bounced.example":
		b.Events[1] = sesfront.Event{Event: feedbacktest.HardBounce(), After: 3 * time.Second, Times: 2}
	case "ada@returned.example":
		b.Events[1] = sesfront.Event{Event: feedbacktest.SoftBounce(), After: 14 * time.Hour}
	}
	return b
}

// remind puts a license on record and queues its reminder to the first of two contacts.
func remind(t *testing.T, s *delivery.Store, id string, now time.Time) {
	t.Helper()
	l := license.License{
		ID: id, Type: license.Production, Organization: "Acme " + id, Edition: license.Developer, MaxLoc: 1,
		Server:     license.Server("AWHW8w9JtzBzSr" + strings.ToUpper(mail.RecipientID(id))[:6]),
		Expiration: license.DateOf(now).AddMonths(2),
	}
	ada, it := license.Contact{Email: "ada@" + id + ".example"}, license.Contact{Email: "it@" + id + ".example"}
	recorded := storetest.Record(t, s.Store, l, ada, it)
	digest := s.NewDigest(recorded.License.Customer, license.DateOf(now), ada, now, 0)
	err := s.RecordReminder(t.Context(), store.Due{LicenseRecord: recorded},
		store.Reminding{Stage: reminder.MonthsBefore(2), Digest: digest})
	if err == nil {
		err = digest.Release(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}
