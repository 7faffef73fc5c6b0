// Package feedback records what SES reports about mails that it has accepted: bounces, complaints, and mails that it
// did not send after all. The consequences are in shared/store (RecordReport).
//
// SES publishes events to an SNS topic, which invokes the Lambda function, in any order and each at least once.
package feedback

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/store"
)

// Store is the part of the store that a Job calls.
type Store interface {
	RecordReport(ctx context.Context, r store.Report, task func(license.License) mail.Message) (recorded bool,
		err error)
}

// Options are what a Job needs; all are required.
type Options struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
	// Unreached writes the mail to sales about a license none of whose contacts can be reached.
	Unreached func(license.License) mail.Message
}

// Job records the reports of SES.
type Job struct{ Options }

// New returns a Job.
func New(o Options) *Job { return &Job{o} }

// tally counts the outcomes of one invocation.
type tally struct{ bounced, complained, other, unknown, malformed int64 }

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. It processes every record of the payload even if
// others fail. Records that are no events of SES, or about a mail that is not in the outbox, are only logged, since a
// retry would not help. An error means that the store did not record a report: SNS must deliver the whole payload
// again.
func (j *Job) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var n notification
	if err := json.Unmarshal(payload, &n); err != nil || len(n.Records) == 0 {
		return nil, fmt.Errorf("feedback: the payload has no SNS records")
	}
	var t tally
	failed := 0
	for _, record := range n.Records {
		reports, err := parse(record.Sns.Message)
		if err != nil || record.EventSource != "aws:sns" {
			t.malformed++
			j.Log.Error("record is not an event of SES", "notification", input.OneLine(record.Sns.MessageID, maxID),
				logging.Error(err))
			continue
		}
		for _, r := range reports {
			if err := j.record(ctx, r, &t); err != nil {
				failed++
			}
		}
	}
	j.Log.Info("mail events", "other", t.other, "unknown", t.unknown, logging.Metrics(j.Now(),
		slog.Int64("MailsBounced", t.bounced), slog.Int64("MailsComplained", t.complained),
		slog.Int64("MailEventsMalformed", t.malformed)))
	if failed > 0 { // Lambda logs the error unredacted, and a cause may contain an address
		return nil, fmt.Errorf("feedback: %d reports not recorded; see the log", failed)
	}
	return []byte("{}"), nil
}

// record stores one report.
func (j *Job) record(ctx context.Context, r store.Report, t *tally) error {
	about := slog.Group("", "mail", r.Mail, "carrierId", r.ProviderID, "outcome", r.Outcome)
	recorded, err := j.Store.RecordReport(ctx, r, j.Unreached)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		t.unknown++
		j.Log.Warn("report about a mail that is not in the outbox", about)
		return nil
	case err != nil:
		j.Log.Error("cannot record a report", about, logging.Error(err))
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
	j.Log.Info("mail not delivered", about)
	return nil
}
