// Package feedback records what SES reports about mails that it has accepted: that it has, and whether they were
// delivered, delayed or returned, who complained, and what it did not send after all. What follows is decided in
// shared/store/delivery (RecordReport).
//
// SES publishes events to an SNS topic, which puts them into SQS queues, which invoke the Lambda function with batches
// of them: in any order, and each event at least once.
package feedback

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/logging"
	"marketplace/shared/store/outbox"
)

// Store is the part of the store that a Job calls.
type Store interface {
	RecordReport(ctx context.Context, r outbox.Report) (recorded bool, err error)
}

// Options are what a Job needs; all are required.
type Options struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Job records the reports of SES.
type Job struct{ Options }

// New returns a Job.
func New(o Options) *Job { return &Job{o} }

// batch is what SQS invokes the function with ("Using Lambda with Amazon SQS", Lambda developer guide). The topic
// delivers raw messages, so a body is an event of SES without an envelope of SNS.
type batch struct {
	Records []struct {
		MessageID   string `json:"messageId"`
		Body        string `json:"body"`
		EventSource string `json:"eventSource"`
	}
}

// failures names the records of a batch that SQS must deliver again (ReportBatchItemFailures).
type failures struct {
	Items []failure `json:"batchItemFailures"`
}

type failure struct {
	ID string `json:"itemIdentifier"`
}

// tally counts the outcomes of one invocation.
type tally struct {
	reports            map[outbox.Outcome]int64
	unknown, malformed int64
}

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. It processes every record of the batch even if
// others fail, and answers which ones the store did not record: SQS delivers these again. Records that are no events of
// SES, or about a mail that is not in the outbox, are only logged and counted, since a retry would not help.
func (j *Job) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var b batch
	if err := json.Unmarshal(payload, &b); err != nil || len(b.Records) == 0 {
		return nil, fmt.Errorf("feedback: the payload has no SQS records")
	}
	t := tally{reports: map[outbox.Outcome]int64{}}
	answer := failures{Items: []failure{}}
	for _, record := range b.Records {
		reports, err := parse(record.Body)
		if err != nil || record.EventSource != "aws:sqs" {
			t.malformed++
			j.Log.Error("record is not an event of SES", "record", input.OneLine(record.MessageID, maxID),
				logging.Error(err))
			continue
		}
		failed := false
		for _, r := range reports {
			failed = j.record(ctx, r, &t) != nil || failed
		}
		if failed {
			answer.Items = append(answer.Items, failure{record.MessageID})
		}
	}
	j.Log.Info("mail events", "accepted", t.reports[outbox.Accepted], "delayed", t.reports[outbox.Delayed],
		"refused", t.reports[outbox.Refused], "unknown", t.unknown,
		logging.Metrics(j.Now(),
			logging.Count("MailsDelivered", t.reports[outbox.Delivered]),
			logging.Count("MailsReturned", t.reports[outbox.Returned]),
			logging.Count("MailsBounced", t.reports[outbox.Bounced]),
			logging.Count("MailsComplained", t.reports[outbox.Complained]),
			logging.Count("MailEventsFailed", int64(len(answer.Items))),
			logging.Count("MailEventsMalformed", t.malformed)))
	return json.Marshal(answer)
}

// record stores one report.
func (j *Job) record(ctx context.Context, r outbox.Report, t *tally) error {
	about := slog.Group("", "mail", r.Mail, "carrierId", r.ProviderID, "outcome", r.Outcome)
	recorded, err := j.Store.RecordReport(ctx, r)
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
	t.reports[r.Outcome]++
	if r.Outcome != outbox.Accepted && r.Outcome != outbox.Delivered {
		j.Log.Info("mail not delivered", about)
	}
	return nil
}
