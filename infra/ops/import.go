package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"marketplace/infra/licenseimport"
	"marketplace/infra/localdata"
	"marketplace/shared/cloud"
	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/config"
	"marketplace/shared/fault"
	"marketplace/shared/response"
	"marketplace/shared/store"
	"marketplace/shared/table"
)

const importUsage = `usage: ops import-licenses [-table NAME] [-skip-refused] FILE.csv

Brings a vendor's existing licenses on record, with their reminders. The file is CSV with the header
  organization,contact,email,server_id,edition,type,max_loc,expiration,support
(dates YYYY-MM-DD; types EVALUATION, PRODUCTION, STAGING; support yes or no). Where a line is refused, every refused line is
reported with its reasons and nothing is recorded; refused as well is a license that is on record with other terms. A file can be
imported again: what is on record stays as it is.

Where to: the table that -table or TABLE_NAME names, in the cloud or, where DYNAMODB_ENDPOINT is set, on that engine (which makes
it if it is missing). Where no table is named, the data of the local server (DATA, default .local), whether it is running or not.
The report says where it was.
`

// importLicenses is the command; it returns the exit status.
func importLicenses(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("import-licenses", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, importUsage) }
	tableName := flags.String("table", os.Getenv("TABLE_NAME"), "")
	skip := flags.Bool("skip-refused", false, "")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		if err == nil {
			flags.Usage()
		}
		return 2
	}
	report, where, err := importFile(context.Background(), *tableName, flags.Arg(0), *skip)
	for _, r := range report.Refused {
		fmt.Fprintln(stderr, r)
	}
	if err != nil {
		if refused, ok := err.(*fault.Error); ok { // the file as a whole; what is wrapped says how far it came
			err = errors.New(refused.Msg)
		}
		fmt.Fprintf(stderr, "import-licenses: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%d recorded in %s, %d on record before, %d refused\n", report.Recorded, where, report.Known, len(report.Refused))
	if len(report.Refused) == 0 {
		return 0
	}
	if !*skip && report.Recorded+report.Known == 0 {
		fmt.Fprintln(stderr, "import-licenses: nothing was recorded; fix the lines above, or skip them with -skip-refused")
	}
	return 1
}

func importFile(ctx context.Context, tableName, path string, skip bool) (report licenseimport.Report, where string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return licenseimport.Report{}, "", err
	}
	defer file.Close()
	return importInto(ctx, tableName, file, skip)
}

// importInto imports the file into the table of that name; with "", into the local server's data. where is that in words.
func importInto(ctx context.Context, tableName string, file io.Reader, skip bool) (report licenseimport.Report, where string, err error) {
	c, err := config.Load(os.Getenv)
	if err != nil {
		return licenseimport.Report{}, "", err
	}
	if c.TableName = tableName; tableName != "" {
		return importIntoTable(ctx, c, file, skip)
	}
	dir := localdata.FromEnv(os.Getenv)
	if server := dir.Server(ctx); server != "" {
		report, err = importByServer(ctx, server, file, skip)
		return report, "the running local server at " + server, err
	}
	if where = string(dir); c.DynamoDBEndpoint != "" {
		where = "the local server's table at " + c.DynamoDBEndpoint
	}
	report, err = importIntoFolder(ctx, dir, c, file, skip)
	return report, where, err
}

func importIntoTable(ctx context.Context, c config.Config, file io.Reader, skip bool) (report licenseimport.Report, where string, err error) {
	var t table.Table
	if where = "table " + c.TableName; c.DynamoDBEndpoint == "" {
		t, err = awsprofile.Table(ctx, c.TableName)
	} else {
		where += " at " + c.DynamoDBEndpoint
		t, err = cloud.LocalTable(ctx, c)
	}
	if err != nil {
		return licenseimport.Report{}, "", err
	}
	report, err = licenseimport.Import(ctx, store.New(t, store.Options{Now: time.Now}), file, "import", skip)
	return report, where, err
}

// importIntoFolder stands in for the local server, with its clock.
func importIntoFolder(ctx context.Context, dir localdata.Dir, c config.Config, file io.Reader, skip bool) (licenseimport.Report, error) {
	clock, err := dir.OpenClock(time.Now)
	if err != nil {
		return licenseimport.Report{}, err
	}
	t, done, err := dir.OpenTable(ctx, c)
	if err != nil {
		return licenseimport.Report{}, err
	}
	report, err := licenseimport.Import(ctx, store.New(t, store.Options{Now: clock.Now}), file, "import", skip)
	if closed := done(); err == nil {
		err = closed
	}
	return report, err
}

// importByServer lets the running local server do it, whose table and clock are its own.
func importByServer(ctx context.Context, server string, file io.Reader, skip bool) (report licenseimport.Report, err error) {
	target := server + "/_local/licenses"
	if skip {
		target += "?" + url.Values{"skip-refused": {"true"}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, file)
	if err != nil {
		return report, err
	}
	req.Header.Set("Content-Type", "text/csv")
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return report, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p response.Problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Detail == "" {
			return report, fmt.Errorf("the local server answered %s", resp.Status)
		}
		return report, errors.New(p.Detail)
	}
	return report, json.NewDecoder(resp.Body).Decode(&report)
}
