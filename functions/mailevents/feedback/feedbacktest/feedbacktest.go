// Package feedbacktest makes events of SES and SNS, for tests and for the local server, which has no provider.
package feedbacktest

import (
	"encoding/json"
	"fmt"
	"time"
)

// Mail is the mail that an event is about.
type Mail struct {
	ID         string // in the outbox
	ProviderID string // the message ID that SES gave it
	To         string // the address
	At         time.Time
}

// Bounce returns SES's event of a bounce. kind is Permanent, Transient or Undetermined; subtype such as General or
// OnAccountSuppressionList.
func Bounce(m Mail, kind, subtype, diagnostic string) string {
	return m.event("Bounce", map[string]any{"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": []any{
		map[string]string{"emailAddress": m.To, "action": "failed", "status": "5.1.1", "diagnosticCode": diagnostic},
	}, "timestamp": stamp(m.At), "feedbackId": "0100016feedback-" + m.ProviderID,
		"reportingMTA": "dns; mta.example.com"})
}

// Complaint returns SES's event of a complaint. feedback is its type, such as abuse; "" if unknown.
func Complaint(m Mail, feedback string) string {
	c := map[string]any{
		"complainedRecipients": []any{map[string]string{"emailAddress": m.To}}, "complaintSubType": nil,
		"timestamp": stamp(m.At), "feedbackId": "0100016feedback-" + m.ProviderID, "userAgent": "Feedback Loop/2.0",
	}
	if feedback != "" {
		c["complaintFeedbackType"] = feedback
	}
	return m.event("Complaint", c)
}

// Reject returns SES's event of a mail that it accepted and did not send.
func Reject(m Mail, reason string) string {
	return m.event("Reject", map[string]any{"reason": reason})
}

func (m Mail) event(kind string, detail map[string]any) string {
	member := map[string]string{"Bounce": "bounce", "Complaint": "complaint", "Reject": "reject"}[kind]
	data, err := json.Marshal(map[string]any{
		"eventType": kind, member: detail,
		"mail": map[string]any{
			"timestamp": stamp(m.At), "messageId": m.ProviderID, "source": "licensing@vendor.example",
			"sendingAccountId": "123456789012",
			"sourceArn":        "arn:aws:ses:eu-central-1:123456789012:identity/vendor.example",
			"destination":      []string{m.To},
			"headersTruncated": false, "headers": []any{map[string]string{"name": "To", "value": m.To}},
			"tags": map[string][]string{
				"ses:configuration-set": {"licenses"}, "ses:source-ip": {"192.0.2.1"},
				"ses:from-domain": {"vendor.example"}, "mail": {m.ID},
			},
		},
	})
	if err != nil {
		panic("feedbacktest: " + err.Error())
	}
	return string(data)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Notification returns the payload with which SNS invokes a Lambda function, with one record per message.
func Notification(at time.Time, messages ...string) []byte {
	const topic = "arn:aws:sns:eu-central-1:123456789012:mail-events"
	var records []any
	for i, message := range messages {
		records = append(records, map[string]any{
			"EventSource": "aws:sns", "EventVersion": "1.0",
			"EventSubscriptionArn": topic + ":2bcfbf39-05c3-41de-beaa-fcfcc21c8f55",
			"Sns": map[string]any{
				"Type": "Notification", "MessageId": fmt.Sprintf("95df01b4-ee98-5cb9-9903-%012d", i), "TopicArn": topic,
				"Subject": "Amazon SES Email Event Notification", "Message": message, "Timestamp": stamp(at),
				"SignatureVersion": "1",
				"Signature":        "EXAMPLE", "SigningCertUrl": "EXAMPLE", "UnsubscribeUrl": "EXAMPLE",
				"MessageAttributes": map[string]any{},
			},
		})
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		panic("feedbacktest: " + err.Error())
	}
	return payload
}
