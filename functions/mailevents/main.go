// Command mailevents is the Lambda function that SQS queues invoke with SES's events about mails that SES has accepted:
// sent, delivered, delayed, bounced, complained about, rejected.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/functions/mailevents/feedback"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/logging"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
)

func main() {
	c, err := config.Load(os.Getenv, "TABLE_NAME")
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(feedback.New(feedback.Options{
		Store: delivery.New(store.New(cloud.Table(c, os.Getenv), store.Options{
			Now: time.Now, Reminders: c.Reminders, Retention: c.Retention,
		})),
		Now: time.Now,
		Log: logging.New(os.Stdout, c.Stage),
	}))
}
