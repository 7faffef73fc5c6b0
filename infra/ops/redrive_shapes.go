package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"marketplace/functions/reminders/jobs"
	"marketplace/shared/cloud/failedruns"
)

// action is what to do with a message.
type action int

const (
	leave  action = iota // nobody knows what it is
	drop                 // what comes next does its work
	start                // a function has to run again
	resend               // its queue has to deliver it again
)

// What became of messages, for the summary.
const (
	left     = "left"
	dropped  = "deleted"
	restart  = "started again"
	sentBack = "sent back"
)

// repair is what a message is and what repairs it.
type repair struct {
	act     action
	what    string // for people; without addresses of people, which SES's events have
	done    string // of the summary
	target  string // a function's ARN, or a queue's address
	payload string
}

// says words the repair, done or not.
func (r repair) says(do bool) string {
	word := r.done
	if r.act == leave {
		return "left"
	}
	if !do {
		word = "to be " + word
	}
	return word
}

// do repairs and deletes the message. If it is interrupted before the deletion, the next time repeats it, which changes
// nothing. A job is started once, since it does all that is due.
func (r repair) do(ctx context.Context, queue failedQueue, m failedruns.Message, started map[string]bool) (err error) {
	switch r.act {
	case start:
		if key := r.target + " " + r.payload; !started[key] {
			if err := queue.Invoke(ctx, r.target, r.payload); err != nil {
				return err
			}
			started[key] = true
		}
	case resend:
		err = queue.Send(ctx, r.target, r.payload)
	}
	if err != nil {
		return err
	}
	return queue.Delete(ctx, m)
}

// failure has the members of all shapes.
type failure struct {
	// of Lambda, for a batch of a stream and for an asynchronous invocation
	Context struct {
		Function  string `json:"functionArn"`
		Condition string `json:"condition"`
	} `json:"requestContext"`
	Payload json.RawMessage `json:"requestPayload"`
	Batch   *struct {
		Size int `json:"batchSize"`
	} `json:"DDBStreamBatchInfo"`
	// of SES
	EventType string `json:"eventType"`
	Mail      struct {
		MessageID string `json:"messageId"`
	} `json:"mail"`
	// of SNS, around an event of SES
	Type    string
	Message string
	// of a call to Lambda that the scheduler could not make
	FunctionName string
	Request      json.RawMessage `json:"Payload"`
}

// classify says what a message is. sources are the queues whose messages come here when they fail.
func classify(m failedruns.Message, sources []string) repair {
	unknown := repair{act: leave, done: left}
	var f failure
	if err := json.Unmarshal([]byte(m.Body), &f); err != nil {
		unknown.what = fmt.Sprintf("unknown: %d bytes that are no JSON object", len(m.Body))
		return unknown
	}
	switch {
	case m.Attributes["SCHEDULE_ARN"] != "":
		return ofSchedule(m, f)
	case f.Batch != nil && f.Context.Function != "":
		return repair{act: drop, done: dropped, what: fmt.Sprintf("a batch of %d changes in the table, of which %s "+
			"was not told (%s); the sweep finds them", f.Batch.Size, nameIn(f.Context.Function), f.Context.Condition)}
	case f.Context.Function != "" && len(f.Payload) > 0:
		return ofInvocation(f.Context.Function, string(f.Payload), f.Context.Condition)
	case f.EventType != "" && f.Mail.MessageID != "":
		return ofEvent(f, m.Body, m.Source, sources)
	case f.Type == "Notification":
		var inner failure
		if json.Unmarshal([]byte(f.Message), &inner) == nil && inner.EventType != "" && inner.Mail.MessageID != "" {
			return ofEvent(inner, f.Message, m.Source, sources)
		}
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal([]byte(m.Body), &members)
	unknown.what = fmt.Sprintf("unknown: a JSON object with %q", slices.Sorted(maps.Keys(members)))
	return unknown
}

// ofSchedule is about what the scheduler could not start. Its body is the schedule's input, or the call with it.
func ofSchedule(m failedruns.Message, f failure) repair {
	reason := m.Attributes["ERROR_CODE"]
	if m.Attributes["IS_PAYLOAD_TRUNCATED"] == "true" {
		return repair{act: leave, done: left, what: "unknown: a schedule's input that was cut off"}
	}
	function, payload := m.Attributes["TARGET_ARN"], m.Body
	if f.FunctionName != "" {
		function, payload = f.FunctionName, string(f.Request)
		var quoted string
		if json.Unmarshal(f.Request, &quoted) == nil {
			payload = quoted
		}
	}
	return ofInvocation(function, payload, reason)
}

// ofInvocation is about a run of a function that a schedule was to start, or started in vain.
func ofInvocation(function, payload, reason string) repair {
	if parts := strings.Split(function, ":"); len(parts) > 7 {
		function = strings.Join(parts[:7], ":") // without a version
	}
	var e jobs.Event
	if err := json.Unmarshal([]byte(payload), &e); err == nil && (e.Job == jobs.Daily || e.Job == jobs.Late) {
		input, _ := json.Marshal(e) // two spellings of one input are one job
		return repair{act: start, done: restart, target: function, payload: string(input),
			what: fmt.Sprintf("the job %s of %s (%s)", e.Job, nameIn(function), reason)}
	}
	for name, next := range map[string]string{"MailerFunction": "a minute", "BridgeFunction": "ten minutes"} {
		if strings.Contains(nameIn(function), name) {
			return repair{act: drop, done: dropped,
				what: fmt.Sprintf("a sweep of %s (%s); the next one comes within %s", nameIn(function), reason, next)}
		}
	}
	return repair{act: leave, done: left, what: fmt.Sprintf("unknown: a run of %s (%s)", nameIn(function), reason)}
}

// ofEvent is about an event of SES: of a queue whose function could not record it, or that SNS could not hand over.
func ofEvent(f failure, body, source string, sources []string) repair {
	r := repair{what: fmt.Sprintf("SES's event %s of the email %s", f.EventType, f.Mail.MessageID)}
	own, kind := nameIn(source), "MailOutcome"
	if f.EventType == "Send" {
		kind = "MailAccepted"
	}
	for _, url := range sources {
		if name := path.Base(url); name == own || own == "" && strings.Contains(name, kind) {
			r.act, r.done, r.target, r.payload = resend, sentBack, url, body
			return r
		}
	}
	r.act, r.done = leave, left
	r.what += ", for which there is no queue"
	return r
}

// nameIn returns the name in an ARN of a function, without a version, or of a queue.
func nameIn(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) >= 7 && parts[2] == "lambda" {
		return parts[6]
	}
	return parts[len(parts)-1]
}
