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
	"marketplace/shared/store/search"
	"marketplace/shared/table"
)

const importUsage = `usage: ops import-licenses [-table NAME] [-skip-refused] FILE.csv

Imports a vendor's existing licenses with their customers, contracts and instances. The file is CSV; its first line
names the columns, in any order:
  organization,contact,email,server_id,edition,type,max_loc,expiration,support
(dates YYYY-MM-DD; types EVALUATION, PRODUCTION, STAGING; support yes or no), and any of these, which may be blank:
  customer     our reference of the customer (C-…), or a name by which you tell customers apart
  contract     our reference of the contract (K-…), or a name likewise
  environment  production or staging
  mirrors      the server ID of the production that a staging server mirrors
  contacts     further email addresses
  reference    what another system calls the customer, such as CRM:4711

Licenses of one organization name and one mail domain are one customer's; at public mail providers the whole address
counts. The same name at another domain is another customer, and a note suggests to merge them. Licenses of equal terms
are under one contract, and licenses of one server ID are for one instance.

A further line of a license with another contact adds the contact. If any line has an error, every such line is reported
with all its errors and nothing is recorded; -skip-refused records the others. Lines that contradict each other or a
license on record are errors too. A note names an accepted line that deserves a look, such as a server that another
customer has. The order of the lines does not matter, and a file can be imported again: what is on record stays
unchanged, also if sales changed it since. If an import is interrupted, run it again.

The licenses go to the table named by -table or TABLE_NAME: in the cloud, or on the engine at DYNAMODB_ENDPOINT if that
is set, which creates the table if necessary. Without a table name they go to the data of the local server (DATA,
default .local), whether it is running or not. The report names the target.
`

// importLicenses runs the command and returns its exit status.
func importLicenses(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("import-licenses", flag.ContinueOnError)
	help := func(w io.Writer) { fmt.Fprint(w, importUsage) }
	tableName := flags.String("table", os.Getenv("TABLE_NAME"), "")
	skip := flags.Bool("skip-refused", false, "")
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() != 1 {
		help(stderr)
		return 2
	}
	report, where, err := importFile(context.Background(), *tableName, flags.Arg(0), *skip)
	for _, n := range report.Notes {
		fmt.Fprintln(stderr, n)
	}
	for _, r := range report.Refused {
		fmt.Fprintln(stderr, r)
	}
	if err != nil {
		if refused, ok := err.(*fault.Error); ok { // the whole file; a wrapped fault says how far the import got
			err = errors.New(refused.Msg)
		}
		fmt.Fprintf(stderr, "import-licenses: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%d recorded in %s, %d already on record, %d refused\n",
		report.Recorded, where, report.Known, len(report.Refused))
	if report.Customers+report.Contracts+report.Instances > 0 {
		fmt.Fprintf(stdout, "New: %s, %s, %s\n", some(report.Customers, "customer"), some(report.Contracts, "contract"),
			some(report.Instances, "instance"))
	}
	if len(report.Refused) == 0 {
		return 0
	}
	if !*skip && report.Recorded+report.Known == 0 {
		fmt.Fprintln(stderr,
			"import-licenses: nothing was recorded; fix the lines above, or skip them with -skip-refused")
	}
	return 1
}

// some counts things: "1 customer", "2 customers".
func some(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func importFile(
	ctx context.Context, tableName, path string, skip bool,
) (report licenseimport.Report, where string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return licenseimport.Report{}, "", err
	}
	defer file.Close()
	return importInto(ctx, tableName, file, skip)
}

// importInto imports the file into the named table, or into the local server's data for "". where names the target.
func importInto(
	ctx context.Context, tableName string, file io.Reader, skip bool,
) (report licenseimport.Report, where string, err error) {
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

func importIntoTable(
	ctx context.Context, c config.Config, file io.Reader, skip bool,
) (report licenseimport.Report, where string, err error) {
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
	kept := store.New(t, store.Options{Now: time.Now})
	report, err = licenseimport.Import(ctx, file, licenseimport.Options{
		Store: kept, Search: search.New(kept), SkipRefused: skip, PublicMailDomains: c.PublicMailDomains,
	})
	return report, where, err
}

// importIntoFolder does what the local server would do, by its clock.
func importIntoFolder(
	ctx context.Context, dir localdata.Dir, c config.Config, file io.Reader, skip bool,
) (licenseimport.Report, error) {
	clock, err := dir.OpenClock(time.Now)
	if err != nil {
		return licenseimport.Report{}, err
	}
	t, done, err := dir.OpenTable(ctx, c)
	if err != nil {
		return licenseimport.Report{}, err
	}
	kept := store.New(t, store.Options{Now: clock.Now})
	report, err := licenseimport.Import(ctx, file, licenseimport.Options{
		Store: kept, Search: search.New(kept), SkipRefused: skip, PublicMailDomains: c.PublicMailDomains,
	})
	if closed := done(); err == nil {
		err = closed
	}
	return report, err
}

// importByServer lets the running local server import, since it holds the table and the clock.
func importByServer(
	ctx context.Context, server string, file io.Reader, skip bool,
) (report licenseimport.Report, err error) {
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
