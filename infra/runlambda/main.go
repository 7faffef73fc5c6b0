// Command runlambda is `make run-lambda`: the compiled functions behind a local HTTP API, driven by template.yaml. Its
// routes with their throttles, each function's environment and timeout, schedules, the table's stream with its filters,
// SES's events with their topic, queues, batches and redrives are those of the template. What the template says and
// nothing here does is an error at the start.
//
// The engines: DynamoDB Local for the table and its stream, moto for S3 and Secrets Manager, infra/sesfront for SES,
// infra/local/devidp for Cognito, and keys of this process for KMS. The functions reach them under AWS's own addresses.
//
// It does not prove what IAM allows, nor that the programs for arm64 run: it runs those of this machine. The functions'
// own clocks cannot be moved; schedules, queues and SES follow a clock that can. Conditions of distributions, alarms,
// backups and policies are not looked at, and records never get too old.
//
// Environment: PORT (default 8080), DYNAMODB_ENDPOINT, SES_ENDPOINT (moto). Argument: the folder of the functions.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // for a machine without time zones

	"marketplace/infra/stack"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "runlambda:", err)
		os.Exit(1)
	}
}

func serve() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: runlambda FOLDER, with the functions that make build made")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		return err
	}
	template, err := stack.Parse(string(text))
	if err != nil {
		return err
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	s, err := Start(ctx, Options{
		Addr: "localhost:" + port, Template: template, Bootstraps: os.Args[1], Stack: "licenses",
		DynamoDB: os.Getenv("DYNAMODB_ENDPOINT"), AWS: os.Getenv("SES_ENDPOINT"), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	if err := s.publishSample(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	fmt.Printf("Site         %s/\nLocal pages  %s/_local/  (what runs, emails, clock)\n"+
		"Not proven   IAM, the programs for arm64, AWS's own services\nPress Ctrl-C to stop.\n", s.URL, s.URL)
	s.run(ctx)
	return s.Close()
}
