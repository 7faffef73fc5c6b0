// Package failedruns reads the queue of what failed for good, over AWS's clients of SQS and Lambda, and starts again
// what an operator chooses. It is separate from cloud because only the operator's tool may link these clients.
package failedruns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Message is a message of the queue.
type Message struct {
	ID, Body   string
	Source     string            // the ARN of the queue in which it failed; "" if it was not in one
	Attributes map[string]string // what its sender noted beside the body
	Receipt    string
}

// Queue is the queue of failed runs. It is safe for concurrent use.
type Queue struct {
	url    string
	sqs    *sqs.Client
	lambda *lambda.Client
}

// Open returns the queue at an address.
func Open(config aws.Config, url string) *Queue {
	return &Queue{url, sqs.NewFromConfig(config), lambda.NewFromConfig(config)}
}

// hidden is for how many seconds nobody else receives what Receive returned.
const hidden = 600

// Receive returns up to ten messages, none if the queue has no more.
func (q *Queue) Receive(ctx context.Context) (list []Message, err error) {
	out, err := q.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: 10, VisibilityTimeout: hidden,
		WaitTimeSeconds:             2, // without waiting, an answer may be empty though there are messages
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"DeadLetterQueueSourceArn"},
	})
	if err != nil {
		return nil, fmt.Errorf("failedruns: %w", err)
	}
	for _, m := range out.Messages {
		noted := make(map[string]string)
		for name, value := range m.MessageAttributes {
			noted[name] = aws.ToString(value.StringValue)
		}
		list = append(list, Message{aws.ToString(m.MessageId), aws.ToString(m.Body),
			m.Attributes["DeadLetterQueueSourceArn"], noted, aws.ToString(m.ReceiptHandle)})
	}
	return list, nil
}

// Release lets others receive the message at once.
func (q *Queue) Release(ctx context.Context, m Message) error {
	_, err := q.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: &m.Receipt, VisibilityTimeout: 0,
	})
	return wrap(err)
}

// Delete deletes the message.
func (q *Queue) Delete(ctx context.Context, m Message) error {
	_, err := q.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &m.Receipt})
	return wrap(err)
}

// Sources returns the addresses of the queues whose messages come here when they fail.
func (q *Queue) Sources(ctx context.Context) (urls []string, err error) {
	pages := sqs.NewListDeadLetterSourceQueuesPaginator(q.sqs, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &q.url})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(err)
		}
		urls = append(urls, page.QueueUrls...)
	}
	return urls, nil
}

// Send sends a text to the queue at an address.
func (q *Queue) Send(ctx context.Context, url, body string) error {
	_, err := q.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	return wrap(err)
}

// Invoke starts a function with a payload and does not wait until it has run.
func (q *Queue) Invoke(ctx context.Context, function, payload string) error {
	_, err := q.lambda.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &function, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(payload),
	})
	return wrap(err)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("failedruns: %w", err)
}
