// Package feedbacktest makes the events that SES publishes about mails, and the batches in which SQS hands them to the
// function. Tests, the front for SES (infra/sesfront) and the local server, which has no provider, use it.
package feedbacktest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Mail is a mail that SES accepted.
type Mail struct {
	ID         string // in the outbox: the tag "mail"
	Kind       string // the tag "kind"
	About      string // the tag "about"
	Attempt    int    // the tag "attempt"; 0: none
	ProviderID string // the message ID that SES gave it
	From, To   string // addresses; From may be ""
	At         time.Time
}

// Event is an event of SES, without the mail that it is about.
type Event struct {
	Type       string    // the eventType: Send, Delivery, DeliveryDelay, Bounce, Complaint or Reject
	Kind       string    // the bounceType, delayType, complaintFeedbackType, or the reason of a Reject
	Subtype    string    // the bounceSubType or complaintSubType
	Status     string    // the status code of a Bounce or DeliveryDelay; "": none
	Diagnostic string    // the words of the recipient's server; "": none
	At         time.Time // when it happened; zero: when SES accepted the mail
}

// Send says that SES accepted the mail.
func Send() Event { return Event{Type: "Send"} }

// Delivery says that the recipient's server took the mail.
func Delivery() Event { return Event{Type: "Delivery", Diagnostic: "250 2.0.0 OK"} }

// Delay says that SES is still trying. kind is the delay type, such as MailboxFull.
func Delay(kind string) Event {
	return Event{Type: "DeliveryDelay", Kind: kind, Status: "4.2.2", Diagnostic: "smtp; 452 4.2.2 mailbox full"}
}

// Bounce says that the mail came back. kind is Permanent, Transient or Undetermined; subtype such as General or
// OnAccountSuppressionList. status and diagnostic are "" if the recipient's server did not give them.
func Bounce(kind, subtype, status, diagnostic string) Event {
	return Event{Type: "Bounce", Kind: kind, Subtype: subtype, Status: status, Diagnostic: diagnostic}
}

// HardBounce is the bounce of an address that does not exist.
func HardBounce() Event {
	return Bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown")
}

// SoftBounce is the bounce with which SES gives up after many attempts.
func SoftBounce() Event {
	return Bounce("Transient", "MailboxFull", "4.4.7", "smtp; 452 4.2.2 mailbox full")
}

// Absence is how SES reports the automatic reply of somebody who is away: a bounce without a status.
func Absence() Event { return Bounce("Transient", "General", "", "") }

// Complaint says that the recipient marked the mail as spam. feedback is its type, such as abuse; "" if unknown.
func Complaint(feedback string) Event { return Event{Type: "Complaint", Kind: feedback} }

// Reject says that SES accepted the mail and did not send it.
func Reject() Event { return Event{Type: "Reject", Kind: "Bad content"} }

// Late returns the event as it happens some time after SES accepted the mail.
func (e Event) Late(m Mail, after time.Duration) Event {
	e.At = m.At.Add(after)
	return e
}

// JSON returns the event as SES publishes it ("Contents of event data that Amazon SES publishes to Amazon SNS").
func (e Event) JSON(m Mail) string {
	if e.At.IsZero() {
		e.At = m.At
	}
	if m.From == "" {
		m.From = "licensing@vendor.example"
	}
	member, detail := e.detail(m)
	tags := map[string][]string{
		"ses:configuration-set": {"licenses"}, "ses:source-ip": {"192.0.2.1"}, "ses:from-domain": {"vendor.example"},
		"ses:caller-identity": {"mailer"},
	}
	for name, value := range map[string]string{"mail": m.ID, "kind": m.Kind, "about": m.About} {
		if value != "" {
			tags[name] = []string{value}
		}
	}
	if m.Attempt > 0 {
		tags["attempt"] = []string{strconv.Itoa(m.Attempt)}
	}
	return encode(map[string]any{
		"eventType": e.Type, member: detail,
		"mail": map[string]any{
			"timestamp": stamp(m.At), "messageId": m.ProviderID, "source": m.From,
			"sendingAccountId": "123456789012",
			"sourceArn":        "arn:aws:ses:eu-central-1:123456789012:identity/vendor.example",
			"destination":      []string{m.To},
			"headersTruncated": false, "headers": []any{map[string]string{"name": "To", "value": m.To}},
			"commonHeaders": map[string]any{"to": []string{m.To}, "messageId": m.ProviderID},
			"tags":          tags,
		},
	})
}

// detail returns the member of an event that its type adds.
func (e Event) detail(m Mail) (member string, detail map[string]any) {
	feedbackID := "0100016feedback-" + m.ProviderID
	switch e.Type {
	case "Send":
		return "send", map[string]any{}
	case "Delivery":
		return "delivery", map[string]any{
			"timestamp": stamp(e.At), "processingTimeMillis": e.At.Sub(m.At).Milliseconds(),
			"recipients": []string{m.To}, "smtpResponse": e.Diagnostic, "reportingMTA": "a8-70.smtp-out.amazonses.com",
			"remoteMtaIp": "192.0.2.25",
		}
	case "DeliveryDelay":
		return "deliveryDelay", map[string]any{
			"timestamp": stamp(e.At), "delayType": e.Kind, "expirationTime": stamp(m.At.Add(14 * time.Hour)),
			"delayedRecipients": []any{e.recipient(m)},
		}
	case "Bounce":
		return "bounce", map[string]any{
			"bounceType": e.Kind, "bounceSubType": e.Subtype, "bouncedRecipients": []any{e.recipient(m)},
			"timestamp": stamp(e.At), "feedbackId": feedbackID, "reportingMTA": "dns; mta.example.com",
		}
	case "Complaint":
		detail = map[string]any{
			"complainedRecipients": []any{map[string]string{"emailAddress": m.To}}, "complaintSubType": nil,
			"timestamp": stamp(e.At), "feedbackId": feedbackID, "userAgent": "Feedback Loop/2.0",
		}
		if e.Kind != "" {
			detail["complaintFeedbackType"] = e.Kind
		}
		if e.Subtype != "" {
			detail["complaintSubType"] = e.Subtype
		}
		return "complaint", detail
	case "Reject":
		return "reject", map[string]any{"reason": e.Kind}
	}
	panic("feedbacktest: unknown type of event " + e.Type)
}

// recipient is the recipient of a bounce or delay; without a status, SES got no delivery status notification.
func (e Event) recipient(m Mail) map[string]string {
	r := map[string]string{"emailAddress": m.To}
	if e.Status != "" {
		r["status"] = e.Status
		if e.Type == "Bounce" {
			r["action"] = "failed"
		}
	}
	if e.Diagnostic != "" {
		r["diagnosticCode"] = e.Diagnostic
	}
	return r
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic("feedbacktest: " + err.Error())
	}
	return string(data)
}

// Validation is the message that SES publishes once to a new topic. It is no event.
const Validation = "Successfully validated SNS topic for Amazon SES event publishing."

// Batch returns the payload with which SQS invokes a Lambda function, with one record for each event, as the SNS topic
// delivers it to the queue: raw. MessageID returns their IDs.
func Batch(events ...string) []byte {
	records := make([]any, len(events))
	for i, body := range events {
		records[i] = map[string]any{
			"messageId": MessageID(i), "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "body": body,
			"attributes": map[string]string{
				"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183",
				"SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1545082649185",
			},
			"messageAttributes": map[string]any{}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:mail-events",
			"awsRegion": "eu-central-1",
		}
	}
	return []byte(encode(map[string]any{"Records": records}))
}

// MessageID returns the ID of the i-th record of a Batch.
func MessageID(i int) string { return fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", i) }
