package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"marketplace/functions/mailevents/feedback"
)

// mailEvents is the part of template.yaml by which SES's events reach the function that records them.
type mailEvents struct {
	template
	function map[string]any
	problems []string
}

// resources lists the logical IDs of the resources of a type.
func (t template) resources(kind string) (names []string) {
	for _, id := range keysOf(at(t.root, "Resources")) {
		if at(t.root, "Resources", id, "Type") == kind {
			names = append(names, id)
		}
	}
	return names
}

func (t template) properties(id string) any { return at(t.root, "Resources", id, "Properties") }

func (m *mailEvents) want(ok bool, problem string, args ...any) {
	if !ok {
		m.problems = append(m.problems, fmt.Sprintf(problem, args...))
	}
}

// checkMailEvents: SES's events about the mailer's mails reach the function that records them, each by one queue and
// from nobody else; that a mail was accepted arrives late; and events that cannot be delivered are kept.
func checkMailEvents(t template) []string {
	m := &mailEvents{template: t, function: t.functions()["MailEventsFunction"]}
	topic := m.destination()
	delivered := map[string]string{} // the queue that gets events of a type
	for _, id := range t.resources("AWS::SNS::Subscription") {
		if at(t.properties(id), "TopicArn", "Ref") != "Alarms" { // checkAlarmTopic has that one
			m.subscription(id, topic, delivered)
		}
	}
	gets := map[string][]string{} // by queue
	for _, event := range feedback.EventTypes {
		gets[delivered[event]] = append(gets[delivered[event]], event)
	}
	m.want(len(gets[""]) == 0, "no queue gets the events %q", gets[""])
	for _, queue := range slices.Sorted(maps.Keys(gets)) {
		delayed := at(t.properties(queue), "DelaySeconds") == "60"
		m.want(queue == "" || delayed == slices.Equal(gets[queue], []string{"Send"}),
			"%s gets %q, delayed by a minute: %v", queue, gets[queue], delayed)
	}
	for _, id := range slices.Concat(t.resources("AWS::SNS::TopicPolicy"), t.resources("AWS::SQS::QueuePolicy")) {
		if id == "AlarmsPolicy" { // no mail events: infra/stack has that one
			continue
		}
		for _, statement := range list(at(t.properties(id), "PolicyDocument", "Statement")) {
			m.want(strings.Contains(fmt.Sprint(at(statement, "Condition")), "aws:SourceArn"), "%s allows other senders",
				id)
		}
	}
	set := t.properties(str(at(t.functions()["MailerFunction"]["Environment"], "Variables", "SES_CONFIGURATION_SET",
		"Ref")))
	reasons, ok := at(set, "SuppressionOptions", "SuppressedReasons").([]any)
	m.want(ok && len(reasons) == 0, "SES's own list suppresses addresses")
	return m.problems
}

// destination returns the topic to which SES publishes the events of the mailer's mails.
func (m *mailEvents) destination() (topic string) {
	sentWith := at(m.functions()["MailerFunction"]["Environment"], "Variables", "SES_CONFIGURATION_SET", "Ref")
	for _, id := range m.resources("AWS::SES::ConfigurationSetEventDestination") {
		destination := at(m.properties(id), "EventDestination")
		m.want(at(m.properties(id), "ConfigurationSetName", "Ref") == sentWith && at(destination, "Enabled") == "true",
			"%s gets no events of the mailer's mails", id)
		var published []string
		for _, event := range list(at(destination, "MatchingEventTypes")) {
			published = append(published, strings.ToUpper(str(event)[:1])+str(event)[1:])
		}
		m.want(slices.Equal(published, feedback.EventTypes), "%s gets the events %q, want %q", id, published,
			feedback.EventTypes)
		topic = str(at(destination, "SnsDestination", "TopicARN", "Ref"))
	}
	return topic
}

// subscription checks a subscription of a topic and its queue, and adds the events that the queue gets.
func (m *mailEvents) subscription(id, topic string, delivered map[string]string) {
	p := m.properties(id)
	m.want(topic != "" && at(p, "TopicArn", "Ref") == topic && at(p, "Protocol") == "sqs" &&
		at(p, "RawMessageDelivery") == "true" && at(p, "FilterPolicyScope") == "MessageBody",
		"%s is not a subscription of raw events", id)
	m.want(at(p, "RedrivePolicy", "deadLetterTargetArn") != nil, "%s: what SNS cannot deliver is lost", id)
	queue, _, _ := strings.Cut(str(at(p, "Endpoint", "GetAtt")), ".")
	q := m.properties(queue)
	m.want(at(q, "RedrivePolicy", "deadLetterTargetArn") != nil, "%s: what the function cannot record is lost", queue)
	m.want(at(q, "SqsManagedSseEnabled") == "true", "%s is not encrypted", queue)
	timeout, _ := strconv.Atoi(str(m.function["Timeout"]))
	visible, _ := strconv.Atoi(str(at(q, "VisibilityTimeout")))
	m.want(visible >= 6*timeout, "%s delivers again after %d seconds, want six times the function's timeout", queue,
		visible)

	polled := false
	for _, name := range keysOf(m.function["Events"]) {
		source := at(m.function["Events"], name)
		if at(source, "Type") != "SQS" || str(at(source, "Properties", "Queue", "GetAtt")) != queue+".Arn" {
			continue
		}
		polled = true
		m.want(fmt.Sprint(at(source, "Properties", "FunctionResponseTypes")) == "[ReportBatchItemFailures]",
			"%s delivers whole batches again", queue)
	}
	m.want(polled, "the function does not poll %s", queue)
	for _, event := range feedback.EventTypes {
		if passes(at(p, "FilterPolicy", "eventType"), event) {
			m.want(delivered[event] == "", "%s and %s get the events %s", delivered[event], queue, event)
			delivered[event] = queue
		}
	}
}

// passes reports whether a filter policy's values let a text pass: it is one of them, or anything but some.
func passes(policy any, text string) bool {
	return slices.ContainsFunc(list(policy), func(v any) bool {
		if but := at(v, "anything-but"); but != nil {
			return !slices.Contains(list(but), any(text))
		}
		return v == text
	})
}

func TestMailEventsReachTheirFunction(t *testing.T) {
	text := read(t, "template.yaml")
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkMailEvents(tpl))
	for _, tt := range []struct{ old, new, want string }{
		{"MatchingEventTypes: [send, delivery,", "MatchingEventTypes: [delivery,", `gets the events ["Delivery"`},
		{"ConfigurationSetName: !Ref MailConfigurationSet", "ConfigurationSetName: other",
			"gets no events of the mailer's mails"},
		{"        Enabled: true\n        MatchingEventTypes", "        Enabled: false\n        MatchingEventTypes",
			"gets no events of the mailer's mails"},
		{"TopicArn: !Ref MailEvents\n", "TopicArn: !Ref Others\n", "is not a subscription of raw events"},
		{"RawMessageDelivery: true", "RawMessageDelivery: false", "is not a subscription of raw events"},
		{"      FilterPolicyScope: MessageBody\n", "", "is not a subscription of raw events"},
		{"FilterPolicy: {eventType: [Send]}", "FilterPolicy: {eventType: [Sent]}", `no queue gets the events ["Send"]`},
		{"{anything-but: [Send]}", "{anything-but: [Sent]}", "get the events Send"},
		{"{anything-but: [Send]}", "Bounce", `no queue gets the events ["Delivery"`},
		{"      DelaySeconds: 60\n", "", `MailAcceptedQueue gets ["Send"], delayed by a minute: false`},
		{"  MailOutcomeQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n",
			"  MailOutcomeQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n      DelaySeconds: 60\n",
			`"Bounce" "Complaint" "Reject"], delayed by a minute: true`},
		{"VisibilityTimeout: 360", "VisibilityTimeout: 60", "delivers again after 60 seconds"},
		{"            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "delivers whole batches again"},
		{"Queue: !GetAtt MailOutcomeQueue.Arn", "Queue: !GetAtt FailedRuns.Arn", "does not poll MailOutcomeQueue"},
		{"      RedrivePolicy: {deadLetterTargetArn: !GetAtt FailedRuns.Arn} # what", "      # what",
			"what SNS cannot deliver is lost"},
		{"      RedrivePolicy: {deadLetterTargetArn: !GetAtt FailedRuns.Arn, maxReceiveCount: 50} #", "      #",
			"what the function cannot record is lost"},
		{"SuppressionOptions: {SuppressedReasons: []}", "SuppressionOptions: {SuppressedReasons: [BOUNCE]}",
			"SES's own list suppresses addresses"},
		{`            Resource: !GetAtt FailedRuns.Arn
            Condition: {ArnEquals: {"aws:SourceArn": !Ref MailEvents}}`, "            Resource: !GetAtt FailedRuns.Arn",
			"FailedRunsPolicy allows other senders"},
		{`              ArnEquals: {"aws:SourceArn": !Sub "arn`, `              ArnEquals: {"aws:SourceOrg": !Sub "arn`,
			"MailEventsPolicy allows other senders"},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("template.yaml does not contain %q any more", tt.old)
		}
		tpl, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		finds(t, checkMailEvents(tpl), tt.want)
	}
}
