// Command reminders is the Lambda function that a schedule invokes once a day. It puts the reminders that are due into
// the outbox.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/functions/reminders/daily"
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
	lambda.Start(daily.New(daily.Options{
		Store: delivery.New(store.New(cloud.Table(c, os.Getenv), store.Options{
			Now: time.Now, Reminders: c.Reminders, Retention: c.Retention,
		})),
		Now: time.Now,
		Log: logging.New(os.Stdout, c.Stage),
	}).Run)
}
