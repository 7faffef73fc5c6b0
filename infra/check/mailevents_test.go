package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// checkMailEvents: what SES says of the mails that the mailer sends comes to the function that records it, from nobody else,
// and what cannot be handed over is kept.
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
			problems = append(problems, id+" does not hear of the mails that are sent")
		}
		if got := fmt.Sprint(at(destination, "MatchingEventTypes")); got != "[bounce complaint reject]" {
			problems = append(problems, fmt.Sprintf("%s hears of %s", id, got))
		}
		topic = str(at(destination, "SnsDestination", "TopicARN", "Ref"))
	}
	subscribed := false
	for _, name := range keysOf(functions["MailEventsFunction"]["Events"]) {
		event := at(functions["MailEventsFunction"]["Events"], name)
		subscribed = subscribed || topic != "" && at(event, "Type") == "SNS" && at(event, "Properties", "Topic", "Ref") == topic
		if at(event, "Properties", "RedrivePolicy", "deadLetterTargetArn") == nil {
			problems = append(problems, "MailEventsFunction: what SNS cannot hand over is lost")
		}
	}
	if !subscribed {
		problems = append(problems, "MailEventsFunction hears nothing")
	}
	for _, id := range slices.Concat(found("AWS::SNS::TopicPolicy"), found("AWS::SQS::QueuePolicy")) {
		for _, statement := range list(at(properties(id), "PolicyDocument", "Statement")) {
			if !strings.Contains(fmt.Sprint(at(statement, "Condition")), "aws:SourceArn") {
				problems = append(problems, id+" lets others in as well")
			}
		}
	}
	return problems
}

func TestMailEventsAreHeardOf(t *testing.T) {
	text := read(t, "template.yaml")
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkMailEvents(tpl))
	for _, tt := range []struct{ old, new, want string }{
		{"MatchingEventTypes: [bounce, complaint, reject]", "MatchingEventTypes: [bounce, delivery]", "hears of [bounce delivery]"},
		{"ConfigurationSetName: !Ref MailConfigurationSet", "ConfigurationSetName: other", "does not hear of the mails that are sent"},
		{"        Enabled: true\n        MatchingEventTypes", "        Enabled: false\n        MatchingEventTypes", "does not hear of the mails that are sent"},
		{"Topic: !Ref MailEvents\n", "Topic: !Ref Others\n", "hears nothing"},
		{"            RedrivePolicy: {deadLetterTargetArn: !GetAtt FailedRuns.Arn}", "", "is lost"},
		{`            Condition: {ArnEquals: {"aws:SourceArn": !Ref MailEvents}}`, "", "FailedRunsPolicy lets others in"},
		{`              ArnEquals: {"aws:SourceArn": !Sub "arn`, `              ArnEquals: {"aws:SourceOrg": !Sub "arn`, "MailEventsPolicy lets others in"},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("template.yaml does not say %q any more", tt.old)
		}
		tpl, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		finds(t, checkMailEvents(tpl), tt.want)
	}
}
