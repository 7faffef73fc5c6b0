package feedback

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/input"
	"marketplace/shared/store"
)

// notification is a batch of SNS notifications, as Lambda gets them (Lambda developer guide, "Invoking Lambda functions with
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

// event is what SES publishes of a mail: the members that are read here of "Contents of event data that Amazon SES publishes
// to Amazon SNS" (SES developer guide). Others may come at any time.
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

// greeting is what SES publishes to a topic once, when it is told of it: the one message that is no event.
const greeting = "Successfully validated SNS topic"

// parse gives the reports of an event, one for each recipient that it names; none where the event needs nobody's attention.
// The error repeats nothing of the message.
func parse(message string) ([]store.Report, error) {
	if strings.HasPrefix(message, greeting) {
		return nil, nil
	}
	var e event
	if err := json.Unmarshal([]byte(message), &e); err != nil {
		return nil, fmt.Errorf("feedback: the message is no JSON of an event")
	}
	r := store.Report{ProviderID: line(e.Mail.MessageID, maxID)}
	if tag := e.Mail.Tags["mail"]; len(tag) == 1 {
		r.Mail = line(tag[0], maxID)
	}
	recipients := []recipient{{}}
	switch e.EventType {
	case "Bounce":
		// Transient and Undetermined, and what may be added to them, do not say that the address will take no mail.
		r.Outcome = store.Delayed
		if e.Bounce.Type == "Permanent" {
			r.Outcome = store.Bounced
		}
		r.Detail, recipients = e.Bounce.SubType, e.Bounce.Recipients
	case "Complaint":
		if e.Complaint.Feedback == "not-spam" { // the reader takes a complaint back, or a filter's verdict
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
		return nil, fmt.Errorf("feedback: the event does not say which mail it is about")
	}
	return reports(r, recipients), nil
}

const (
	maxID     = 256
	maxDetail = 300
	// A mail has one reader, but behind an alias there can be many.
	maxRecipients = 20
)

// reports are the report for each of the recipients; one without, where none is named.
func reports(r store.Report, recipients []recipient) (list []store.Report) {
	if len(recipients) == 0 {
		recipients = []recipient{{}}
	}
	for _, to := range recipients[:min(len(recipients), maxRecipients)] {
		one := r
		one.Recipient = line(to.Email, input.MaxEmail)
		details := []string{r.Detail, to.Diagnostic}
		if !strings.Contains(to.Diagnostic, to.Status) {
			details = []string{r.Detail, to.Status, to.Diagnostic}
		}
		one.Detail = line(strings.Join(slices.DeleteFunc(details, func(s string) bool { return s == "" }), ", "), maxDetail)
		known := slices.ContainsFunc(list, func(other store.Report) bool { return strings.EqualFold(other.Recipient, one.Recipient) })
		if !known {
			list = append(list, one)
		}
	}
	return list
}

// line makes one line of what strangers wrote: no controls, nothing that turns the direction of what follows, white space
// collapsed, and at most limit characters.
func line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || input.Hidden(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit-1]) + "…"
	}
	return s
}
