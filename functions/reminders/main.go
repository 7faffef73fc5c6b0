// Command reminders is the Lambda function of the jobs that schedules start: the daily run, which puts the reminders
// that are due into the outbox, and the one that tells colleagues of late requests.
package main

import (
	"log"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/functions/reminders/daily"
	"marketplace/functions/reminders/jobs"
	"marketplace/functions/reminders/late"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/logging"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
)

func main() {
	c, err := config.Load(os.Getenv, "TABLE_NAME")
	if err != nil {
		log.Fatal(err)
	}
	s := delivery.New(store.New(cloud.Table(c, os.Getenv), store.Options{
		Now: time.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	}))
	out := logging.New(os.Stdout, c.Stage)
	lambda.Start(jobs.Jobs{
		jobs.Daily: daily.New(daily.Options{Store: s, Deletion: deletion.New(s.Store), Now: time.Now, Log: out}).Run,
		jobs.Late:  late.New(late.Options{Store: s, Now: time.Now, Log: out}).Run,
	}.Run)
}
