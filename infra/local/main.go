// Command local is `make run`: every function of the product on one port, with an embedded table, an outbox that shows
// the emails, and a clock that can be moved. It needs nothing but Go.
//
// Environment: PORT (default 8080), DATA (the data folder, default .local), EMPTY (if set, start without sample
// requests and licenses), PREVIEW (a folder of release metadata that the console shows before it is published),
// MAIL_EVENTS (the share of emails that do not arrive, from 0 to 1; without it, no events of
// SES are published by themselves), and the variables of shared/config, of which DYNAMODB_ENDPOINT selects a DynamoDB
// engine instead of the embedded table.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // for a machine without time zones

	"marketplace/infra/localdata"
	"marketplace/shared/config"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	s, err := Start(ctx, Options{
		Addr: "localhost:" + port, Data: localdata.FromEnv(os.Getenv), Config: c, Empty: os.Getenv("EMPTY") != "",
		MailEvents: os.Getenv("MAIL_EVENTS"), Preview: os.Getenv("PREVIEW"), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	fmt.Printf("Site         %s/\nLocal pages  %s/_local/  (outbox, clock)\nPress Ctrl-C to stop.\n", s.URL, s.URL)
	<-ctx.Done()
	stop()
	return s.Close()
}
