// Package feedback takes what SES says of mails after it took them: that one bounced, that its reader complained, that SES
// did not send it after all. What follows from that is shared/store's affair (RecordReport).
//
// SES publishes events to an SNS topic, which wakes the Lambda function. Each may come several times, and they come in any
// order.
package feedback

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/store"
)

// Store is what is asked of the store.
type Store interface {
	RecordReport(ctx context.Context, r store.Report, task func(license.License) mail.Message) (recorded bool, err error)
}

// Options are what a Job needs, all of them.
type Options struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
	// Unreached writes the mail to sales about a license none of whose contacts can be reached.
	Unreached func(license.License) mail.Message
}

// Job records what SES says.
type Job struct{ Options }

// New makes a Job.
func New(o Options) *Job { return &Job{o} }

// tally counts what came of the records of one event.
type tally struct{ bounced, complained, other, unknown, malformed int64 }

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. Every record of the payload is dealt with, whatever
// becomes of the others. A record that is no event of SES, and one of a mail that is not in the outbox, are in the log: no
// repetition would change them. The error says that the store did not take a report: the whole payload is to come again.
func (j *Job) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var n notification
	if err := json.Unmarshal(payload, &n); err != nil || len(n.Records) == 0 {
		return nil, fmt.Errorf("feedback: the payload holds no records of SNS")
	}
	var t tally
	failed := 0
	for _, record := range n.Records {
		reports, err := parse(record.Sns.Message)
		if err != nil || record.EventSource != "aws:sns" {
			t.malformed++
			j.Log.Error("a record is no event of SES", "notification", line(record.Sns.MessageID, maxID), logging.Error(err))
			continue
		}
		for _, r := range reports {
			if err := j.record(ctx, r, &t); err != nil {
				failed++
			}
		}
	}
	j.Log.Info("mail events", "other", t.other, "unknown", t.unknown, logging.Metrics(j.Now(),
		slog.Int64("MailsBounced", t.bounced), slog.Int64("MailsComplained", t.complained), slog.Int64("MailEventsMalformed", t.malformed)))
	if failed > 0 { // what is returned is logged as it is, and a cause may name an address
		return nil, fmt.Errorf("feedback: %d reports were not recorded; the causes are in the log", failed)
	}
	return []byte("{}"), nil
}

// record takes one report to the store.
func (j *Job) record(ctx context.Context, r store.Report, t *tally) error {
	about := slog.Group("", "mail", r.Mail, "carrierId", r.ProviderID, "outcome", r.Outcome)
	recorded, err := j.Store.RecordReport(ctx, r, j.Unreached)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		t.unknown++
		j.Log.Warn("a report of a mail that is not in the outbox", about)
		return nil
	case err != nil:
		j.Log.Error("a report cannot be recorded", about, logging.Error(err))
		return err
	case !recorded:
		return nil
	}
	switch r.Outcome {
	case store.Bounced:
		t.bounced++
	case store.Complained:
		t.complained++
	default:
		t.other++
	}
	j.Log.Info("a mail did not arrive as it should", about)
	return nil
}
