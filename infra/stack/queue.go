package stack

import (
	"slices"
	"strings"
)

// checkQueues: every queue is encrypted, keeps messages for 14 days, and hands on what nobody could read to FailedRuns,
// which hands on nothing.
func checkQueues(c *checker) {
	var rows []string
	for _, id := range c.Template.Resources("AWS::SQS::Queue") {
		p := c.Template.Properties(id)
		c.only(id, p, "DelaySeconds", "VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled",
			"RedrivePolicy", "Tags", "KmsMasterKeyId")
		c.is(id, p, "SqsManagedSseEnabled", "true")
		c.is(id, p, "KmsMasterKeyId", "missing") // SNS and Lambda could not use it
		c.is(id, p, "MessageRetentionPeriod", "1209600")
		if id == "FailedRuns" {
			c.is(id, p, "RedrivePolicy", "missing")
		} else {
			c.is(id, p, "RedrivePolicy", "{deadLetterTargetArn: !GetAtt FailedRuns.Arn, maxReceiveCount: 50}")
		}
		row := []string{"`" + id + "`"}
		for _, key := range []string{"DelaySeconds", "VisibilityTimeout", "MessageRetentionPeriod"} {
			row = append(row, strings.ReplaceAll(Text(At(p, key)), "missing", "–"))
		}
		rows = append(rows, strings.Join(row, " | "))
	}
	c.rows("Queues", rows)
	for id, f := range c.Template.Functions() {
		polled := events(f, "SQS")
		by := map[string]string{}
		for _, name := range Keys(polled) {
			p := polled[name]
			text := Text(At(p, "Queue"))
			c.want(by[text] == "", id+"."+name, "it polls the same queue as %s", by[text])
			by[text] = name
			queue, _, _ := strings.Cut(Str(At(p, "Queue", "GetAtt")), ".")
			c.want(c.Template.Type(queue) == "AWS::SQS::Queue" && queue != "FailedRuns", id+"."+name, "it polls %s",
				Text(At(p, "Queue")))
			visible := number(At(c.Template.Properties(queue), "VisibilityTimeout"))
			c.want(visible >= 6*number(f["Timeout"]), id+"."+name,
				"%s shows a message again after %d s, want six times the function's timeout", queue, visible)
		}
	}
}

// filters are the events that each queue gets.
var filters = map[string][2]string{
	"MailAcceptedSubscription": {"{eventType: [Send]}", "!GetAtt MailAcceptedQueue.Arn"},
	"MailOutcomeSubscription":  {"{eventType: [{anything-but: [Send]}]}", "!GetAtt MailOutcomeQueue.Arn"},
}

// checkMail: SES signs with the keys and events of the configuration set alone, and topics are open to their services.
func checkMail(c *checker) {
	p := c.Template.Properties("MailConfigurationSet")
	c.only("MailConfigurationSet", p, "ReputationOptions", "SuppressionOptions", "DeliveryOptions", "Tags", "Name",
		"SendingOptions")
	c.is("MailConfigurationSet", p, "ReputationOptions", "{ReputationMetricsEnabled: true}")
	c.is("MailConfigurationSet", p, "SuppressionOptions", "{SuppressedReasons: []}")
	c.is("MailConfigurationSet", p, "SendingOptions", "missing", "{SendingEnabled: true}")
	for _, id := range c.Template.Resources("AWS::SNS::Topic") {
		c.only(id, c.Template.Properties(id), "Tags", "DisplayName")
	}
	for _, id := range c.Template.Resources("AWS::SES::ConfigurationSetEventDestination") {
		c.is(id, At(c.Template.Root, "Resources", id), "DependsOn", "MailEventsPolicy")
		destination := At(c.Template.Properties(id), "EventDestination")
		c.only(id, destination, "Enabled", "MatchingEventTypes", "SnsDestination", "Name")
		c.is(id, destination, "SnsDestination", "{TopicARN: !Ref MailEvents}")
	}
	for _, id := range c.Template.Resources("AWS::SNS::Subscription") {
		p := c.Template.Properties(id)
		c.only(id, p, "TopicArn", "Protocol", "Endpoint", "RawMessageDelivery", "FilterPolicyScope", "FilterPolicy",
			"RedrivePolicy")
		c.is(id, p, "Protocol", "sqs", "email")
		if id == "AlarmSubscription" {
			c.is(id, p, "Protocol", "email")
		}
		if Text(At(p, "Protocol")) != "sqs" {
			continue
		}
		c.is(id, p, "RawMessageDelivery", "true")
		c.is(id, p, "FilterPolicyScope", "MessageBody")
		if want, known := filters[id]; known {
			c.is(id, p, "FilterPolicy", want[0])
			c.is(id, p, "Endpoint", want[1])
		}
		c.is(id, p, "RedrivePolicy", "{deadLetterTargetArn: !GetAtt FailedRuns.Arn}")
		queue, _, _ := strings.Cut(Str(At(p, "Endpoint", "GetAtt")), ".")
		allowed := slices.ContainsFunc(c.Template.Resources("AWS::SQS::QueuePolicy"), func(policy string) bool {
			return strings.Contains(Text(At(c.Template.Properties(policy), "Queues")), "!Ref "+queue)
		})
		c.want(allowed, id, "no policy of %s lets the topic in", queue)
	}
}
