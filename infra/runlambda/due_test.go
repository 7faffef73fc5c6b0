package main

import (
	"slices"
	"testing"
	"time"
)

func TestTimetableSaysWhenTheNextRunIs(t *testing.T) {
	for _, tt := range []struct{ expression, zone, after, want string }{
		{"rate(1 minute)", "UTC", "2026-11-30T12:00:00Z", "2026-11-30T12:01:00Z"},
		{"rate(1 minute)", "UTC", "2026-11-30T12:00:59Z", "2026-11-30T12:01:00Z"},
		{"rate(2 hours)", "UTC", "2026-11-30T13:00:00Z", "2026-11-30T14:00:00Z"},
		{"cron(0 6 * * ? *)", "UTC", "2026-11-30T05:59:59Z", "2026-11-30T06:00:00Z"},
		{"cron(0 6 * * ? *)", "UTC", "2026-11-30T06:00:00Z", "2026-12-01T06:00:00Z"},
		{"cron(0 6 * * ? *)", "Europe/Zurich", "2026-11-30T04:00:00Z", "2026-11-30T05:00:00Z"},
		{"cron(0/10 * * * ? *)", "UTC", "2026-11-30T12:51:00Z", "2026-11-30T13:00:00Z"},
		{"cron(30 4 1 * ? *)", "UTC", "2026-11-30T12:00:00Z", "2026-12-01T04:30:00Z"},
		{"cron(0 9 ? * MON-FRI *)", "UTC", "2026-12-04T09:00:00Z", "2026-12-07T09:00:00Z"},
		{"cron(0,30 8-9 * 2 ? 2028)", "UTC", "2026-11-30T12:00:00Z", "2028-02-01T08:00:00Z"},
		{"cron(0 6 1 1 ? 2199)", "UTC", "2026-11-30T12:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		table, err := newTimetable(tt.expression, tt.zone, noon)
		after, _ := time.Parse(time.RFC3339, tt.after)
		if got := table.next(after).Format(time.RFC3339); err != nil || got != tt.want {
			t.Errorf("%s after %s in %s: got %s, %v; want %s", tt.expression, tt.after, tt.zone, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(1 week)",
		"cron(0 6 * * *)", "cron(0 6 * * * *)", "cron(0 6 ? * ? *)", "cron(60 6 * * ? *)", "cron(0 6 * JAN ? *)",
		"cron(0 6 * * ? *", "at(2026-11-30T12:00:00)"} {
		if _, err := newTimetable(bad, "UTC", noon); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestPatternTakesWhatItsRulesSay(t *testing.T) {
	insert := map[string]any{"eventName": "INSERT",
		"dynamodb": map[string]any{"Keys": map[string]any{"PK": map[string]any{"S": "OUTBOX#2#a"}}}}
	for pattern, want := range map[string]bool{
		`{"eventName":["INSERT"]}`:                                                           true,
		`{"eventName":["MODIFY"]}`:                                                           false,
		`{"eventName":["MODIFY","INSERT"]}`:                                                  true,
		`{"eventname":["INSERT"]}`:                                                           false,
		`{"eventName":[{"prefix":"INS"}]}`:                                                   true,
		`{"eventName":[{"prefix":"insert"}]}`:                                                false,
		`{"eventName":[{"anything-but":["MODIFY"]}]}`:                                        true,
		`{"eventName":[{"anything-but":["INSERT"]}]}`:                                        false,
		`{"missing":[{"anything-but":["INSERT"]}]}`:                                          false,
		`{"dynamodb":{"Keys":{"PK":{"S":[{"prefix":"OUTBOX#1#"}]}}}}`:                        false,
		`{"dynamodb":{"Keys":{"PK":{"S":[{"prefix":"OUTBOX#1#"},{"prefix":"OUTBOX#2#"}]}}}}`: true,
		`{"eventName":["MODIFY"],"dynamodb":{"Keys":{"PK":{"S":[{"prefix":"OUTBOX#2#"}]}}}}`: false,
	} {
		p, err := parsePattern(pattern)
		if err != nil || p.matches(insert) != want {
			t.Errorf("%s: got %v, %v; want %t", pattern, p.matches(insert), err, want)
		}
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"a":"b"}`, `{"a":[]}`, `{"a":[1]}`, `{"a":[{"suffix":"b"}]}`,
		`{"a":[{"prefix":"b","suffix":"c"}]}`, `{"a":[{"prefix":["b"]}]}`, `{"a":[{"anything-but":{"prefix":"b"}}]}`,
		`{"a":[{"exists":false}]}`, `{"a":{"b":[null]}}`} {
		if _, err := parsePattern(bad); err == nil {
			t.Errorf("%s: got no error", bad)
		}
	}
}

// bodiesOf returns the texts of messages.
func bodiesOf(batch []message) (bodies []string) {
	for _, m := range batch {
		bodies = append(bodies, m.body)
	}
	return bodies
}

func TestQueueWaitsForABatchAndGivesUpIntoAnother(t *testing.T) {
	dead := &queue{}
	q := &queue{delay: time.Minute, visibility: 6 * time.Minute, redrive: dead, receives: 2}
	q.send("a", noon)
	q.send("b", noon.Add(time.Second))
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  []string
	}{
		{"delayed", time.Minute - 1, nil},
		{"within the window", 65 * time.Second, nil},
		{"the window is over", 70 * time.Second, []string{"a", "b"}},
		{"hidden", 7 * time.Minute, nil},
		{"visible again", 8 * time.Minute, []string{"a", "b"}},
		{"received twice", 15 * time.Minute, nil},
	} {
		if got := bodiesOf(q.receive(10, 10*time.Second, noon.Add(tt.after))); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := dead.bodies(); !slices.Equal(got, []string{"a", "b"}) || len(q.bodies()) != 0 {
		t.Errorf("got %q in the other queue and %q left", got, q.bodies())
	}
	q.send("c", noon)
	q.send("d", noon)
	batch := q.receive(2, time.Hour, noon.Add(time.Minute)) // it is full
	if got := bodiesOf(batch); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("got %q, want the full batch at once", got)
	}
	q.remove([]string{batch[0].id})
	if got := q.bodies(); !slices.Equal(got, []string{"d"}) {
		t.Errorf("got %q left, want d", got)
	}
}
