package feedback

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/store"
)

// notification is a batch of SNS notifications (Lambda developer guide, "Invoking Lambda functions with
// Amazon SNS notifications").
type notification struct {
	Records []struct {
		EventSource string
		Sns         struct {
			MessageID string `json:"MessageId"`
			Message   string
		}
	}
}

// event is an event that SES publishes about a mail, with the members that we read ("Contents of event data that
// Amazon SES publishes to Amazon SNS", SES developer guide). SES may add others at any time.
type event struct {
	EventType string `json:"eventType"`
	Mail      struct {
		MessageID string              `json:"messageId"`
		Tags      map[string][]string `json:"tags"`
	} `json:"mail"`
	Bounce struct {
		Type       string      `json:"bounceType"`
		SubType    string      `json:"bounceSubType"`
		Recipients []recipient `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		SubType    string      `json:"complaintSubType"`
		Feedback   string      `json:"complaintFeedbackType"`
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

// validation is the only message that is no event: SES publishes it once to a new topic.
const validation = "Successfully validated SNS topic"

// parse returns the reports of an event, one for each recipient that it names; none if the event needs no attention.
// The error repeats nothing of the message.
func parse(message string) ([]store.Report, error) {
	if strings.HasPrefix(message, validation) {
		return nil, nil
	}
	var e event
	if err := json.Unmarshal([]byte(message), &e); err != nil {
		return nil, fmt.Errorf("feedback: the message is not the JSON of an event")
	}
	r := store.Report{ProviderID: input.OneLine(e.Mail.MessageID, maxID)}
	if tag := e.Mail.Tags["mail"]; len(tag) == 1 {
		r.Mail = input.OneLine(tag[0], maxID)
	}
	recipients := []recipient{{}}
	switch e.EventType {
	case "Bounce":
		// Only a permanent bounce says that the address accepts no mail. SES may add other types.
		r.Outcome = store.Delayed
		if e.Bounce.Type == "Permanent" {
			r.Outcome = store.Bounced
		}
		r.Detail, recipients = e.Bounce.SubType, e.Bounce.Recipients
	case "Complaint":
		if e.Complaint.Feedback == "not-spam" { // the recipient takes back a complaint, or the verdict of a filter
			return nil, nil
		}
		r.Outcome, r.Detail, recipients = store.Complained, e.Complaint.SubType, e.Complaint.Recipients
		if e.Complaint.Feedback != "" {
			r.Detail = strings.TrimSpace(r.Detail + " " + e.Complaint.Feedback)
		}
	case "Reject":
		r.Outcome, r.Detail = store.Refused, e.Reject.Reason
	case "":
		return nil, fmt.Errorf("feedback: the message has no eventType")
	default:
		return nil, nil
	}
	if r.ProviderID == "" {
		return nil, fmt.Errorf("feedback: the event does not identify its mail")
	}
	return reports(r, recipients), nil
}

const (
	maxID     = 256
	maxDetail = 300
	// A mail has one recipient, but an alias can expand to many.
	maxRecipients = 20
)

// reports returns the report for each of the recipients; one without a recipient if none is named.
func reports(r store.Report, recipients []recipient) (list []store.Report) {
	if len(recipients) == 0 {
		recipients = []recipient{{}}
	}
	for _, to := range recipients[:min(len(recipients), maxRecipients)] {
		report := r
		report.Recipient = input.OneLine(to.Email, input.MaxEmail)
		details := []string{r.Detail, to.Diagnostic}
		if !strings.Contains(to.Diagnostic, to.Status) {
			details = []string{r.Detail, to.Status, to.Diagnostic}
		}
		report.Detail = input.OneLine(
			strings.Join(slices.DeleteFunc(details, func(s string) bool { return s == "" }), ", "),
			maxDetail,
		)
		known := slices.ContainsFunc(list, func(other store.Report) bool {
			return input.SameMailbox(other.Recipient, report.Recipient)
		})
		if !known {
			list = append(list, report)
		}
	}
	return list
}
