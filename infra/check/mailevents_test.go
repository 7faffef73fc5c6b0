package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// checkMailEvents: SES's events about the mailer's mails reach the function that records them, from nobody else, and
// events that cannot be delivered are kept.
func checkMailEvents(t template) (problems []string) {
	found := func(kind string) (names []string) {
		for _, id := range keysOf(at(t.root, "Resources")) {
			if at(t.root, "Resources", id, "Type") == kind {
				names = append(names, id)
			}
		}
		return names
	}
	properties := func(id string) any { return at(t.root, "Resources", id, "Properties") }
	functions := t.functions()
	sentWith := at(functions["MailerFunction"]["Environment"], "Variables", "SES_CONFIGURATION_SET", "Ref")
	topic := ""
	for _, id := range found("AWS::SES::ConfigurationSetEventDestination") {
		destination := at(properties(id), "EventDestination")
		if at(properties(id), "ConfigurationSetName", "Ref") != sentWith || at(destination, "Enabled") != "true" {
			problems = append(problems, id+" gets no events of the mailer's mails")
		}
		if got := fmt.Sprint(at(destination, "MatchingEventTypes")); got != "[bounce complaint reject]" {
			problems = append(problems, fmt.Sprintf("%s gets the events %s", id, got))
		}
		topic = str(at(destination, "SnsDestination", "TopicARN", "Ref"))
	}
	subscribed := false
	for _, name := range keysOf(functions["MailEventsFunction"]["Events"]) {
		event := at(functions["MailEventsFunction"]["Events"], name)
		subscribed = subscribed || topic != "" && at(event, "Type") == "SNS" &&
			at(event, "Properties", "Topic", "Ref") == topic
		if at(event, "Properties", "RedrivePolicy", "deadLetterTargetArn") == nil {
			problems = append(problems, "MailEventsFunction: what SNS cannot deliver is lost")
		}
	}
	if !subscribed {
		problems = append(problems, "MailEventsFunction gets no events")
	}
	for _, id := range slices.Concat(found("AWS::SNS::TopicPolicy"), found("AWS::SQS::QueuePolicy")) {
		for _, statement := range list(at(properties(id), "PolicyDocument", "Statement")) {
			if !strings.Contains(fmt.Sprint(at(statement, "Condition")), "aws:SourceArn") {
				problems = append(problems, id+" allows other senders")
			}
		}
	}
	return problems
}

func TestMailEventsReachTheirFunction(t *testing.T) {
	text := read(t, "template.yaml")
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkMailEvents(tpl))
	for _, tt := range []struct{ old, new, want string }{
		{"MatchingEventTypes: [bounce, complaint, reject]", "MatchingEventTypes: [bounce, delivery]",
			"gets the events [bounce delivery]"},
		{"ConfigurationSetName: !Ref MailConfigurationSet", "ConfigurationSetName: other",
			"gets no events of the mailer's mails"},
		{"        Enabled: true\n        MatchingEventTypes", "        Enabled: false\n        MatchingEventTypes",
			"gets no events of the mailer's mails"},
		{"Topic: !Ref MailEvents\n", "Topic: !Ref Others\n", "gets no events"},
		{"            RedrivePolicy: {deadLetterTargetArn: !GetAtt FailedRuns.Arn}", "", "is lost"},
		{`            Condition: {ArnEquals: {"aws:SourceArn": !Ref MailEvents}}`, "",
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
