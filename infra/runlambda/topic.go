package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/infra/stack"
)

// topic is a topic of SNS that a configuration set of SES publishes to.
type topic struct {
	set           string   // the configuration set; "": none publishes here
	kinds         []string // of SES's events, such as bounce
	subscriptions []subscription
}

// subscription hands the events that its filter takes to a queue, as they are.
type subscription struct {
	filter pattern // nil takes everything
	queue  *queue
}

// publish hands an event of SES to the queues that want it.
func (t *topic) publish(event string, now time.Time) error {
	var v map[string]any
	if err := json.Unmarshal([]byte(event), &v); err != nil {
		return fmt.Errorf("an event of SES: %w", err)
	}
	kind := stack.Str(v["eventType"])
	if kind == "" || !slices.Contains(t.kinds, strings.ToLower(kind[:1])+kind[1:]) {
		return nil
	}
	for _, s := range t.subscriptions {
		if s.filter == nil || s.filter.matches(v) {
			s.queue.send(event, now)
		}
	}
	return nil
}

func (r *reader) readTopics() {
	for _, id := range r.template.Resources("AWS::SNS::Topic") {
		if arn, err := r.resource(id, ""); err == nil {
			r.topics[arn] = &topic{}
		}
	}
	at := func(where string, node any) *topic {
		t := r.topics[r.resolve(where, node)]
		if t == nil {
			r.fail(where, "%s is no topic of the template", stack.Text(node))
			return &topic{}
		}
		return t
	}
	for _, id := range r.template.Resources("AWS::SES::ConfigurationSetEventDestination") {
		p := r.template.Properties(id)
		destination := stack.At(p, "EventDestination")
		r.only(id, destination, "Enabled", "MatchingEventTypes", "SnsDestination")
		r.is(id, destination, "Enabled", "true", "false")
		t := at(id, stack.At(destination, "SnsDestination", "TopicARN"))
		if stack.At(destination, "Enabled") == "false" {
			continue
		}
		t.set = r.resolve(id, stack.At(p, "ConfigurationSetName"))
		for _, kind := range stack.List(stack.At(destination, "MatchingEventTypes")) {
			t.kinds = append(t.kinds, r.resolve(id, kind))
		}
	}
	for _, id := range r.template.Resources("AWS::SNS::Subscription") {
		p := r.template.Properties(id)
		r.only(id, p, "TopicArn", "Protocol", "Endpoint", "RawMessageDelivery", "FilterPolicyScope", "FilterPolicy",
			"RedrivePolicy")
		if stack.At(p, "Protocol") == "email" {
			continue // people read those
		}
		r.is(id, p, "Protocol", "sqs")
		r.is(id, p, "RawMessageDelivery", "true")
		s := subscription{queue: r.queueAt(id, stack.At(p, "Endpoint"))}
		if filter := stack.At(p, "FilterPolicy"); filter != nil {
			r.is(id, p, "FilterPolicyScope", "MessageBody")
			var err error
			if s.filter, err = newPattern(filter); err != nil {
				r.fail(id, "%v", err)
			}
		}
		t := at(id, stack.At(p, "TopicArn"))
		t.subscriptions = append(t.subscriptions, s)
	}
}
