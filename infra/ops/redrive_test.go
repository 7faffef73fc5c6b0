package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"marketplace/shared/cloud/failedruns"
)

const (
	reminders = "arn:aws:lambda:eu-central-1:123456789012:function:licensing-RemindersFunction-1A2B"
	mailer    = "arn:aws:lambda:eu-central-1:123456789012:function:licensing-MailerFunction-3C4D"
	bridge    = "arn:aws:lambda:eu-central-1:123456789012:function:licensing-BridgeFunction-5E6F"
	accepted  = "https://sqs.eu-central-1.amazonaws.com/123456789012/licensing-MailAcceptedQueue-5E6F"
	outcome   = "https://sqs.eu-central-1.amazonaws.com/123456789012/licensing-MailOutcomeQueue-7G8H"

	sendEvent   = `{"eventType":"Send","mail":{"messageId":"0100-a","destination":["ada@acme.example"]}}`
	bounceEvent = `{"eventType":"Bounce","bounce":{},"mail":{"messageId":"0100-b","destination":["ada@acme.example"]}}`
)

// batch is what Lambda says of a batch of the stream that failed for good.
const batch = `{"requestContext":{"requestId":"r","functionArn":"` + mailer + `","condition":"RetryAttemptsExhausted",
	"approximateInvokeCount":3},"responseContext":{"statusCode":200,"executedVersion":"$LATEST",
	"functionError":"Unhandled"},"version":"1.0","timestamp":"2026-11-30T03:00:00.000Z","DDBStreamBatchInfo":{
	"shardId":"shardId-1","startSequenceNumber":"1","endSequenceNumber":"4","batchSize":4,
	"approximateArrivalOfFirstRecord":"2026-11-30T02:00:00Z","approximateArrivalOfLastRecord":"2026-11-30T02:00:01Z",
	"streamArn":"arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/2026"}}`

// invocation is what Lambda says of an asynchronous run that failed for good.
func invocation(function, payload string) string {
	return `{"version":"1.0","timestamp":"2026-11-30T06:00:00.000Z","requestContext":{"requestId":"r","functionArn":"` +
		function + `:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":` + payload +
		`,"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
		"responsePayload":{"errorMessage":"no table"}}`
}

// scheduled is what the scheduler notes beside an input that it could not deliver.
func scheduled(target string) map[string]string {
	return map[string]string{
		"SCHEDULE_ARN": "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/s", "TARGET_ARN": target,
		"ERROR_CODE": "TooManyRequestsException", "EXECUTION_ID": "e", "IS_PAYLOAD_TRUNCATED": "false",
	}
}

// from is the ARN of the queue at an address.
func from(url string) string {
	return "arn:aws:sqs:eu-central-1:123456789012:" + url[strings.LastIndex(url, "/")+1:]
}

// queue is a queue of failed runs in memory.
type queue struct {
	messages []failedruns.Message
	hidden   map[string]bool
	done     []string // what was sent and invoked
	fault    func(call string) error
}

func (q *queue) fails(call string) error {
	if q.fault == nil {
		return nil
	}
	return q.fault(call)
}

func (q *queue) Receive(context.Context) (list []failedruns.Message, err error) {
	if q.hidden == nil {
		q.hidden = map[string]bool{}
	}
	for _, m := range q.messages {
		if !q.hidden[m.ID] && len(list) < 10 {
			q.hidden[m.ID] = true
			list = append(list, m)
		}
	}
	return list, q.fails("receive")
}

func (q *queue) Release(_ context.Context, m failedruns.Message) error {
	delete(q.hidden, m.ID)
	return nil
}

func (q *queue) Delete(_ context.Context, m failedruns.Message) error {
	if err := q.fails("delete"); err != nil {
		return err
	}
	delete(q.hidden, m.ID)
	q.messages = slices.DeleteFunc(q.messages, func(other failedruns.Message) bool { return other.ID == m.ID })
	return nil
}

func (q *queue) Sources(context.Context) ([]string, error) {
	return []string{accepted, outcome}, q.fails("sources")
}

func (q *queue) Send(_ context.Context, url, body string) error {
	q.done = append(q.done, "send "+url+" "+body)
	return q.fails("send")
}

func (q *queue) Invoke(_ context.Context, function, payload string) error {
	q.done = append(q.done, "invoke "+function+" "+payload)
	return q.fails("invoke")
}

func drive(t *testing.T, q *queue, do bool) (string, bool, error) {
	t.Helper()
	var out bytes.Buffer
	ok, err := redriveAll(t.Context(), q, do, &out)
	return out.String(), ok, err
}

// shapes are the messages of the queue in all their shapes.
var shapes = map[string]struct {
	message failedruns.Message
	says    string
	does    string // "" for nothing
	left    bool
}{
	"stream": {failedruns.Message{Body: batch}, "a batch of 4 changes in the table, of which " +
		"licensing-MailerFunction-3C4D was not told (RetryAttemptsExhausted); the sweep finds them; deleted", "",
		false},
	"daily run failed": {failedruns.Message{Body: invocation(reminders, `{"job":"daily"}`)},
		"the job daily of licensing-RemindersFunction-1A2B (RetriesExhausted); started again",
		"invoke " + reminders + ` {"job":"daily"}`, false},
	"late failed": {failedruns.Message{Body: invocation(reminders, `{ "job" : "late" }`)}, "the job late of ",
		"invoke " + reminders + ` {"job":"late"}`, false},
	"sweep failed": {failedruns.Message{Body: invocation(mailer, `{"source":"aws.scheduler"}`)},
		"a sweep of licensing-MailerFunction-3C4D (RetriesExhausted); the next one comes within a minute; deleted", "",
		false},
	"sweep of the bridge function failed": {failedruns.Message{Body: invocation(bridge, `{"source":"aws.scheduler"}`)},
		"a sweep of licensing-BridgeFunction-5E6F (RetriesExhausted); the next one comes within ten minutes; deleted",
		"", false},
	"schedule of the daily run": {failedruns.Message{Body: `{"job":"daily"}`, Attributes: scheduled(reminders)},
		"the job daily of licensing-RemindersFunction-1A2B (TooManyRequestsException)",
		"invoke " + reminders + ` {"job":"daily"}`, false},
	"schedule's call": {failedruns.Message{Attributes: scheduled("arn:aws:scheduler:::aws-sdk:lambda:invoke"),
		Body: `{"FunctionName":"` + reminders + `","InvocationType":"Event","Payload":"{\"job\":\"late\"}"}`},
		"the job late of licensing-RemindersFunction-1A2B", "invoke " + reminders + ` {"job":"late"}`, false},
	"schedule of the sweep": {failedruns.Message{Body: `{}`, Attributes: scheduled(mailer)},
		"a sweep of licensing-MailerFunction-3C4D", "", false},
	"event of the queue of accepted emails": {failedruns.Message{Body: sendEvent, Source: from(accepted)},
		"SES's event Send of the email 0100-a; sent back",
		"send " + accepted + " " + sendEvent, false},
	"event of the queue of outcomes": {failedruns.Message{Body: bounceEvent, Source: from(outcome)},
		"SES's event Bounce of the email 0100-b; sent back", "send " + outcome + " " + bounceEvent, false},
	"event that SNS kept": {failedruns.Message{Body: bounceEvent}, "SES's event Bounce", "send " + outcome + " " +
		bounceEvent, false},
	"acceptance that SNS kept": {failedruns.Message{Body: sendEvent}, "SES's event Send",
		"send " + accepted + " " + sendEvent, false},
	"event in an envelope of SNS": {failedruns.Message{Body: fmt.Sprintf(`{"Type":"Notification","Message":%q}`,
		sendEvent)}, "SES's event Send", "send " + accepted + " " + sendEvent, false},
	"event of another queue": {failedruns.Message{Body: sendEvent, Source: from("x/other")},
		"SES's event Send of the email 0100-a, for which there is no queue; left", "", true},
	"no JSON": {failedruns.Message{Body: "hello"}, "unknown: 5 bytes that are no JSON object; left", "", true},
	"other JSON": {failedruns.Message{Body: `{"b":1,"a":2}`}, `unknown: a JSON object with ["a" "b"]; left`, "",
		true},
	"other envelope": {failedruns.Message{Body: `{"Type":"Notification","Message":"x"}`}, "unknown: ", "", true},
	"unknown job": {failedruns.Message{Body: invocation(reminders, `{"job":"yearly"}`)},
		"unknown: a run of licensing-RemindersFunction-1A2B (RetriesExhausted); left", "", true},
	"cut input": {failedruns.Message{Body: `{"job":"daily"}`, Attributes: map[string]string{"SCHEDULE_ARN": "s",
		"IS_PAYLOAD_TRUNCATED": "true"}}, "unknown: a schedule's input that was cut off; left", "", true},
}

func TestEachFailedRunIsRepairedByItsShape(t *testing.T) {
	for name, tt := range shapes {
		t.Run(name, func(t *testing.T) {
			tt.message.ID = "m1"
			q := &queue{messages: []failedruns.Message{tt.message}}
			out, ok, err := drive(t, q, false)
			if err != nil || !ok || len(q.done) > 0 || len(q.messages) != 1 || len(q.hidden) > 0 {
				t.Errorf("without -do: got %t, %v, did %q, hid %v", ok, err, q.done, q.hidden)
			}
			if !strings.Contains(out, "nothing was changed") {
				t.Errorf("got\n%s", out)
			}
			out, ok, err = drive(t, q, true)
			if err != nil || ok == tt.left || !strings.Contains(out, "m1: "+tt.says) {
				t.Errorf("got %t, %v and\n%swant %q", ok, err, out, tt.says)
			}
			if strings.Contains(out, "ada@acme.example") {
				t.Errorf("a person's address is in\n%s", out)
			}
			if got := strings.Join(q.done, "\n"); got != tt.does {
				t.Errorf("did %q, want %q", got, tt.does)
			}
			if (len(q.messages) == 1) != tt.left || len(q.hidden) > 0 {
				t.Errorf("left %d messages, hidden %v", len(q.messages), q.hidden)
			}
		})
	}
}

func TestAJobIsStartedOnceForAllItsMessages(t *testing.T) {
	q := &queue{}
	for i := range 25 {
		q.messages = append(q.messages, failedruns.Message{ID: fmt.Sprint(i), Body: `{"job":"daily"}`,
			Attributes: scheduled(reminders)})
	}
	out, ok, err := drive(t, q, true)
	if err != nil || !ok || len(q.done) != 1 || len(q.messages) > 0 {
		t.Errorf("got %t, %v, did %q, left %d", ok, err, q.done, len(q.messages))
	}
	if !strings.HasSuffix(out, "25 messages: 25 started again, 0 failed\n") {
		t.Errorf("got\n%s", out)
	}
	if out, ok, err := drive(t, q, true); out != "no failed runs\n" || !ok || err != nil {
		t.Errorf("again: got %t, %v and\n%s", ok, err, out)
	}
}

func TestNothingIsLostWhateverFails(t *testing.T) {
	var all []failedruns.Message
	for i, name := range slices.Sorted(maps.Keys(shapes)) {
		m := shapes[name].message
		m.ID = fmt.Sprint(i)
		all = append(all, m)
	}
	whole := &queue{messages: slices.Clone(all)}
	if _, _, err := drive(t, whole, true); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"sources", "receive", "invoke", "send", "delete"} {
		q := &queue{messages: slices.Clone(all)}
		q.fault = func(got string) error {
			if got == call {
				return errors.New("connection lost")
			}
			return nil
		}
		if out, ok, err := drive(t, q, true); ok {
			t.Errorf("%s fails: got %t, %v and\n%s", call, ok, err, out)
		}
		q.fault, q.hidden = nil, nil
		if _, _, err := drive(t, q, true); err != nil {
			t.Errorf("after %s failed: %v", call, err)
		}
		if len(q.messages) != len(whole.messages) {
			t.Errorf("after %s failed: %d messages are left, want %d", call, len(q.messages), len(whole.messages))
		}
		for _, want := range whole.done {
			if !slices.Contains(q.done, want) {
				t.Errorf("after %s failed: did not %s", call, want)
			}
		}
	}
}

// TestRedrivingInMoto moves an event through moto's SQS, an independent implementation, as it fails and comes back.
func TestRedrivingInMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no SQS to read from (infra/engines/with-moto.sh starts one)")
	}
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	client, ctx, suffix := sqs.NewFromConfig(config), t.Context(), fmt.Sprint(time.Now().UnixNano())
	create := func(name string, attributes map[string]string) string {
		out, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name + suffix),
			Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return *out.QueueUrl
	}
	receive := func(url string) (bodies []string) {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
			if _, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url,
				ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		return bodies
	}
	failed := create("FailedRuns", nil)
	source := create("MailOutcomeQueue", map[string]string{"RedrivePolicy": fmt.Sprintf(
		`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:FailedRuns%s","maxReceiveCount":"1"}`, suffix)})
	q := failedruns.Open(config, failed)
	for url, body := range map[string]string{source: bounceEvent, failed: "hello"} {
		if err := q.Send(ctx, url, body); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time is once too many
		receive(source)
	}
	for _, do := range []bool{false, true, true} {
		var out bytes.Buffer
		if _, err := redriveAll(ctx, q, do, &out); err != nil {
			t.Fatal(err)
		}
		t.Logf("-do=%t\n%s", do, &out)
	}
	if got := receive(source); !slices.Equal(got, []string{bounceEvent}) {
		t.Errorf("its queue has %q, want the event once", got)
	}
	if got := receive(failed); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("failed runs has %q, want what is unknown", got)
	}
}
