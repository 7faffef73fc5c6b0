package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/infra/localdata"
	"marketplace/infra/sesfront"
)

// idle is a server of a deployment without engines, whose functions are a func.
func idle(t *testing.T, d deployment, invoke func(function, event string) (string, error)) *Server {
	t.Helper()
	clock, err := localdata.Dir(t.TempDir()).OpenClock(func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return &Server{deployment: d, clock: clock, mail: sesfront.New(sesfront.Options{Now: clock.Now}),
		invoke: func(_ context.Context, function string, event []byte) ([]byte, error) {
			answer, err := invoke(function, string(event))
			return []byte(answer), err
		}}
}

func TestFailedMessagesStayAndTheOthersGo(t *testing.T) {
	q := &queue{arn: "q", visibility: time.Minute}
	var events []string
	s := idle(t, deployment{polls: []queueSource{{function: "f", queue: q, size: 10, partial: true}}},
		func(_, event string) (string, error) {
			events = append(events, event)
			var got struct {
				Records []struct{ MessageID, Body string }
			}
			if err := json.Unmarshal([]byte(event), &got); err != nil {
				return "", err
			}
			for _, r := range got.Records {
				if r.Body == "bad" {
					return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.MessageID), nil
				}
			}
			return "", nil
		})
	for _, body := range []string{"a", "bad", "c"} {
		q.send(body, noon)
	}
	if err := s.Settle(t.Context()); err != nil || len(events) != 1 || !slices.Equal(q.bodies(), []string{"bad"}) {
		t.Errorf("got %d events, %q left, %v; want the failed message left", len(events), q.bodies(), err)
	}
	if err := s.MoveClock(t.Context(), noon.Add(time.Minute)); err != nil || len(events) != 2 ||
		!strings.Contains(events[1], `"ApproximateReceiveCount":"2"`) {
		t.Errorf("got %q, %v; want the message again", events, err)
	}
}

func TestReportOfAnUnknownMessageFailsTheBatch(t *testing.T) {
	q := &queue{visibility: time.Minute}
	s := idle(t, deployment{polls: []queueSource{{function: "f", queue: q, size: 10, partial: true}}},
		func(string, string) (string, error) { return `{"batchItemFailures":[{"itemIdentifier":"x"}]}`, nil })
	q.send("a", noon)
	if err := s.Settle(t.Context()); err == nil || len(q.bodies()) != 1 {
		t.Errorf("got %v and %q left", err, q.bodies())
	}
}

func TestFailedBatchOfAStreamIsHalvedTriedAgainAndKept(t *testing.T) {
	failed := &queue{}
	var sizes []int
	s := idle(t, deployment{}, func(_, event string) (string, error) {
		sizes = append(sizes, strings.Count(event, "eventName"))
		if strings.Contains(event, "bad") {
			return "", errors.New("refused")
		}
		return "", nil
	})
	source := streamSource{function: "f", retries: 2, bisect: true, failed: failed}
	err := s.hand(t.Context(), source, []record{{"eventName": "a"}, {"eventName": "bad"}}, 0)
	if err == nil || !slices.Equal(sizes, []int{2, 1, 1, 1, 1}) {
		t.Errorf("got batches of %v, %v; want the two, the good one, and the bad one three times", sizes, err)
	}
	if kept := failed.bodies(); len(kept) != 1 || !strings.Contains(kept[0], `"eventName":"bad"`) {
		t.Errorf("got %q kept, want the bad record", kept)
	}
}

func TestScheduleStartsOneRunHoweverOftenItFellDue(t *testing.T) {
	failed := &queue{}
	minutely, err := newTimetable("rate(1 minute)", "UTC", noon)
	if err != nil {
		t.Fatal(err)
	}
	daily, err := newTimetable("cron(0 6 * * ? *)", "UTC", noon)
	if err != nil {
		t.Fatal(err)
	}
	var runs []string
	s := idle(t, deployment{
		functions: map[string]function{"f": {retries: 1, failed: failed}},
		schedules: []*schedule{
			{function: "f", name: "Daily", timetable: daily, next: daily.next(noon), input: `{"job":"daily"}`},
			{function: "f", name: "Sweep", timetable: minutely, next: minutely.next(noon)},
		},
	}, func(_, event string) (string, error) {
		if strings.Contains(event, "daily") {
			runs = append(runs, "daily")
			return "", errors.New("refused")
		}
		runs = append(runs, "sweep")
		return "", nil
	})
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{
		{time.Minute - 1, ""},
		{time.Minute, "sweep"},
		{time.Hour, "sweep"},
		{18 * time.Hour, "sweep daily daily"}, // the one that fell due first; the other fails and is tried again
	} {
		runs = nil
		_ = s.MoveClock(t.Context(), noon.Add(tt.after)) // the daily run's error
		if got := strings.Join(runs, " "); got != tt.want {
			t.Errorf("after %v: got the runs %q, want %q", tt.after, got, tt.want)
		}
	}
	if kept := failed.bodies(); len(kept) != 1 || !strings.Contains(kept[0], `"requestPayload":{"job":"daily"}`) {
		t.Errorf("got %q kept, want the daily run", kept)
	}
	if err := s.MoveClock(t.Context(), noon); err == nil {
		t.Error("the clock moved back")
	}
}

func TestEventsOfSESReachTheQueuesOfTheirSubscriptions(t *testing.T) {
	d, err := readText(t, readTemplate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := idle(t, d, nil)
	for _, kind := range []string{"Send", "Delivery", "Bounce", "Open"} {
		s.publish(`{"eventType":"` + kind + `"}`)
	}
	for name, want := range map[string][]string{
		"test-MailAcceptedQueue": {`{"eventType":"Send"}`},
		"test-MailOutcomeQueue":  {`{"eventType":"Delivery"}`, `{"eventType":"Bounce"}`},
	} {
		if got := d.queues["arn:aws:sqs:eu-central-1:123456789012:"+name].bodies(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
