package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"marketplace/infra/runtimeapi"
	"marketplace/infra/sesfront"
)

// behave is how SES treats a mail: as the options say, but without events unless its configuration set publishes them.
func (s *Server) behave(c sesfront.Call) sesfront.Behaviour {
	b := sesfront.Well(c)
	if s.options.Behave != nil {
		b = s.options.Behave(c)
	}
	for _, t := range s.topics {
		if t.set != "" && t.set == c.ConfigurationSet {
			return b
		}
	}
	b.Events = nil
	return b
}

// publish hands an event of SES to the topics.
func (s *Server) publish(event string) {
	for _, t := range s.topics {
		if err := t.publish(event, s.clock.Now()); err != nil {
			s.options.Log.Error("an event of SES was lost", "err", err)
		}
	}
}

// run lets happen what is due until the context ends.
func (s *Server) run(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Settle(ctx); err != nil && ctx.Err() == nil {
				s.options.Log.Error("what was due failed", "err", err)
			}
		}
	}
}

// Settle starts the schedules that are due and hands on changes of tables, events of SES and messages, until nothing is
// left to do at the time of the clock.
func (s *Server) Settle(ctx context.Context) error {
	s.work.Lock()
	defer s.work.Unlock()
	var failures []error
	for range 1000 {
		did, err := s.step(ctx)
		failures = append(failures, err)
		if !did || ctx.Err() != nil {
			return errors.Join(failures...)
		}
	}
	return errors.Join(append(failures, errors.New("functions keep starting each other"))...)
}

// MoveClock moves the clock forward, and lets happen what falls due. A schedule starts one run, however often it fell
// due: the functions' own clocks do not move, so that a second run would find what the first one did.
func (s *Server) MoveClock(ctx context.Context, to time.Time) error {
	if to.Before(s.clock.Now()) {
		return errors.New("the clock only moves forward")
	}
	s.clock.Set(to)
	return s.Settle(ctx)
}

// step does what is due now, once.
func (s *Server) step(ctx context.Context) (did bool, err error) {
	var failures []error
	did = s.mail.PublishDue() > 0
	for id, stream := range s.streams {
		records, err := stream.read(ctx)
		failures = append(failures, err)
		for _, source := range s.deployment.streams {
			if source.table != id {
				continue
			}
			for _, batch := range source.batches(records) {
				did = true
				failures = append(failures, s.hand(ctx, source, batch, 0))
			}
		}
	}
	for _, source := range s.polls {
		if batch := source.queue.receive(source.size, source.window, s.clock.Now()); len(batch) > 0 {
			did = true
			failures = append(failures, s.handMessages(ctx, source, batch))
		}
	}
	started, err := s.startSchedules(ctx)
	return did || started, errors.Join(append(failures, err)...)
}

// handMessages gives messages to the source's function, and deletes those that did not fail.
func (s *Server) handMessages(ctx context.Context, source queueSource, batch []message) error {
	var event events.SQSEvent
	var ids []string
	for _, m := range batch {
		ids = append(ids, m.id)
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: m.id, ReceiptHandle: m.id, Body: m.body, EventSource: "aws:sqs", AWSRegion: region,
			EventSourceARN: source.queue.arn, Attributes: map[string]string{
				"ApproximateReceiveCount": fmt.Sprint(m.received), "SentTimestamp": fmt.Sprint(m.sent.UnixMilli()),
			},
		})
	}
	body, err := json.Marshal(event)
	if err != nil {
		return err
	}
	answer, err := s.invoke(ctx, source.function, body)
	if err != nil {
		return fmt.Errorf("%s: %w", source.function, err)
	}
	var response events.SQSEventResponse
	if source.partial && len(answer) > 0 {
		if err := json.Unmarshal(answer, &response); err != nil {
			return fmt.Errorf("%s: its answer about a batch: %w", source.function, err)
		}
	}
	for _, failed := range response.BatchItemFailures {
		n := len(ids)
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == failed.ItemIdentifier })
		if n == len(ids) { // Lambda takes the whole batch as failed then
			return fmt.Errorf("%s: it reports a message %q that it did not get", source.function, failed.ItemIdentifier)
		}
	}
	source.queue.remove(ids)
	return nil
}

// startSchedules starts what is due, in the order in which it fell due.
func (s *Server) startSchedules(ctx context.Context) (started bool, err error) {
	now := s.clock.Now()
	var due []*schedule
	for _, sch := range s.schedules {
		if !sch.next.IsZero() && !sch.next.After(now) {
			due = append(due, sch)
		}
	}
	slices.SortStableFunc(due, func(a, b *schedule) int { return a.next.Compare(b.next) })
	var failures []error
	for _, sch := range due {
		event := []byte(sch.input)
		if sch.input == "" {
			if event, err = runtimeapi.Schedule(sch.name, sch.next); err != nil {
				return true, err
			}
		}
		sch.next = sch.timetable.next(now)
		failures = append(failures, s.start(ctx, sch.function, event))
	}
	return len(due) > 0, errors.Join(failures...)
}

// start starts a run that nobody waits for; one that fails is started again as often as the function says.
func (s *Server) start(ctx context.Context, id string, event []byte) (err error) {
	f := s.functions[id]
	for range f.retries + 1 {
		if _, err = s.invoke(ctx, id, event); err == nil {
			return nil
		}
	}
	s.giveUp(f.failed, id, event, err)
	return fmt.Errorf("%s: %w", id, err)
}

// giveUp puts a run that failed for good into a queue, as Lambda's destinations do.
func (s *Server) giveUp(q *queue, function string, event []byte, cause error) {
	if q == nil {
		return
	}
	body, err := json.Marshal(map[string]any{
		"version": "1.0", "timestamp": s.clock.Now(), "requestPayload": json.RawMessage(event),
		"requestContext":  map[string]any{"functionArn": function, "condition": "RetriesExhausted"},
		"responsePayload": map[string]any{"errorMessage": cause.Error()},
	})
	if err != nil {
		s.options.Log.Error("a failed run was lost", "function", function, "err", err)
		return
	}
	q.send(string(body), s.clock.Now())
}
