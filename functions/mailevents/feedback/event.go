package feedback

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/store/outbox"
)

// EventTypes are the types of SES's events that become reports. The configuration set publishes exactly these.
var EventTypes = []string{"Send", "Delivery", "DeliveryDelay", "Bounce", "Complaint", "Reject"}

// event is an event that SES publishes about a mail, with the members that we read ("Contents of event data that
// Amazon SES publishes to Amazon SNS", SES developer guide). SES may add others at any time.
type event struct {
	EventType string `json:"eventType"`
	Mail      struct {
		Timestamp string              `json:"timestamp"`
		MessageID string              `json:"messageId"`
		Tags      map[string][]string `json:"tags"`
	} `json:"mail"`
	Delivery struct {
		Timestamp  string   `json:"timestamp"`
		Recipients []string `json:"recipients"`
		Response   string   `json:"smtpResponse"`
	} `json:"delivery"`
	Delay struct {
		Type       string      `json:"delayType"`
		Timestamp  string      `json:"timestamp"`
		Recipients []recipient `json:"delayedRecipients"`
	} `json:"deliveryDelay"`
	Bounce struct {
		Type       string      `json:"bounceType"`
		SubType    string      `json:"bounceSubType"`
		Timestamp  string      `json:"timestamp"`
		Recipients []recipient `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		SubType    string      `json:"complaintSubType"`
		Feedback   string      `json:"complaintFeedbackType"`
		Timestamp  string      `json:"timestamp"`
		Recipients []recipient `json:"complainedRecipients"`
	} `json:"complaint"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
}

type recipient struct {
	Email      string `json:"emailAddress"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

// validation begins the only message that is no event: SES publishes it once to a new topic. A subscription with a
// filter on the body does not get it.
const validation = "Successfully validated SNS topic"

// parse returns the reports of an event, one for each recipient that it names; none if the event needs no attention.
// The error repeats nothing of the message.
func parse(message string) ([]outbox.Report, error) {
	if strings.HasPrefix(message, validation) {
		return nil, nil
	}
	var e event
	if err := json.Unmarshal([]byte(message), &e); err != nil {
		return nil, fmt.Errorf("feedback: the message is not the JSON of an event")
	}
	r := outbox.Report{
		Mail: e.tag("mail"), Attempt: attempt(e.tag("attempt")), ProviderID: input.OneLine(e.Mail.MessageID, maxID),
	}
	recipients, at := []recipient(nil), e.Mail.Timestamp
	switch e.EventType {
	case "Send":
		r.Outcome = outbox.Accepted
	case "Delivery":
		r.Outcome, r.Detail, at = outbox.Delivered, e.Delivery.Response, e.Delivery.Timestamp
		for _, to := range e.Delivery.Recipients {
			recipients = append(recipients, recipient{Email: to})
		}
	case "DeliveryDelay":
		r.Outcome, r.Detail, at = outbox.Delayed, e.Delay.Type, e.Delay.Timestamp
		recipients = e.Delay.Recipients
	case "Bounce":
		// Only a permanent bounce says that the address accepts no mail. SES may add other types.
		r.Outcome, r.Detail, at = outbox.Returned, e.Bounce.SubType, e.Bounce.Timestamp
		if e.Bounce.Type == "Permanent" {
			r.Outcome = outbox.Bounced
		}
		recipients = e.Bounce.Recipients
	case "Complaint":
		if e.Complaint.Feedback == "not-spam" { // the recipient takes back a complaint, or the verdict of a filter
			return nil, nil
		}
		r.Outcome, at = outbox.Complained, e.Complaint.Timestamp
		r.Detail = joined(e.Complaint.SubType, e.Complaint.Feedback)
		recipients = e.Complaint.Recipients
	case "Reject":
		r.Outcome, r.Detail = outbox.Refused, e.Reject.Reason
	case "":
		return nil, fmt.Errorf("feedback: the message has no eventType")
	default:
		return nil, nil
	}
	if r.ProviderID == "" {
		return nil, fmt.Errorf("feedback: the event does not identify its mail")
	}
	r.At = firstTime(at, e.Mail.Timestamp)
	return reports(r, recipients), nil
}

// tag returns the value of a tag that we gave the mail; "" without it.
func (e event) tag(name string) string {
	if values := e.Mail.Tags[name]; len(values) == 1 {
		return input.OneLine(values[0], maxID)
	}
	return ""
}

// attempt reads the number of an attempt; 0 if it is none.
func attempt(tag string) int {
	n, err := strconv.Atoi(tag)
	if err != nil || n < 1 || n > maxAttempt || strconv.Itoa(n) != tag {
		return 0
	}
	return n
}

// firstTime returns the first of some times in ISO 8601 that is readable, in UTC; the zero time if none is.
func firstTime(texts ...string) time.Time {
	for _, text := range texts {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// statusCode matches an enhanced mail system status code (RFC 3463, §2).
var statusCode = lazyregexp.New(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}$`)

const (
	maxID      = 256
	maxDetail  = 300
	maxAttempt = 1_000_000
	// A mail has one recipient, but an alias can expand to many.
	maxRecipients = 20
)

// reports returns the report for each of the recipients; one without a recipient if none is named.
func reports(r outbox.Report, recipients []recipient) (list []outbox.Report) {
	if len(recipients) == 0 {
		recipients = []recipient{{}}
	}
	for _, to := range recipients[:min(len(recipients), maxRecipients)] {
		report := r
		report.Recipient = input.OneLine(to.Email, input.MaxEmail)
		// A comment may follow the code: "5.2.2 (mailbox full)".
		if code, _, _ := strings.Cut(strings.TrimSpace(to.Status), " "); statusCode().MatchString(code) {
			report.Status = code
		}
		detail := joined(r.Detail, to.Diagnostic)
		if !strings.Contains(to.Diagnostic, to.Status) {
			detail = joined(r.Detail, to.Status, to.Diagnostic)
		}
		report.Detail = input.OneLine(detail, maxDetail)
		known := slices.ContainsFunc(list, func(other outbox.Report) bool {
			return input.SameMailbox(other.Recipient, report.Recipient)
		})
		if !known {
			list = append(list, report)
		}
	}
	return list
}

// joined joins details with commas, without the empty ones.
func joined(details ...string) string {
	return strings.Join(slices.DeleteFunc(details, func(s string) bool { return s == "" }), ", ")
}
