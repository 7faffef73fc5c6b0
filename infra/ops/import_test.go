package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"marketplace/infra/ledger"
	"marketplace/infra/localdata"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

func TestAnImportIntoAStoppedServersDataGoesByItsClock(t *testing.T) {
	t.Setenv("DATA", t.TempDir())
	t.Setenv("DYNAMODB_ENDPOINT", "")
	dir := localdata.FromEnv(os.Getenv)
	clock, err := dir.OpenClock(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	clock.Set(time.Now().AddDate(-10, 0, 0))
	if err := clock.Keep(); err != nil {
		t.Fatal(err)
	}
	expiration := license.DateOf(clock.Now()).AddMonths(6)
	file := strings.Join(ledger.Header, ",") + "\nAcme AG,Ada,ada@acme.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,100000," + expiration.String() + ",yes\n"
	if report, err := importInto(t.Context(), "", strings.NewReader(file), false); err != nil || report.Recorded != 1 {
		t.Fatalf("import: %+v, %v", report, err)
	}

	table, done, err := dir.OpenTable(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var due []string
	err = store.New(table, store.Options{Now: clock.Now}).DueReminders(t.Context(), expiration, func(d store.Due) error {
		due = append(due, d.Day.String())
		return nil
	})
	if want := expiration.AddMonths(-2).String(); err != nil || len(due) != 1 || due[0] != want {
		t.Errorf("reminders are due on %q, %v; want %s", due, err, want)
	}
}
