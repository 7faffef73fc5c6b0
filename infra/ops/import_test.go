package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"marketplace/infra/licenseimport"
	"marketplace/infra/localdata"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

func TestImportIntoStoppedServersDataUsesItsClock(t *testing.T) {
	t.Setenv("DATA", t.TempDir())
	t.Setenv("DYNAMODB_ENDPOINT", "")
	dir := localdata.FromEnv(os.Getenv)
	clock, err := dir.OpenClock(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	clock.Set(time.Now().AddDate(-10, 0, 0))
	if err := clock.Save(); err != nil {
		t.Fatal(err)
	}
	expiration := license.DateOf(clock.Now()).AddMonths(6)
	file := strings.Join(licenseimport.Header, ",") +
		"\nAcme AG,Ada,ada@acme.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,100000," +
		expiration.String() + ",yes\n"
	if report, _, err := importInto(t.Context(), "", strings.NewReader(file), false); err != nil ||
		report.Recorded != 1 {
		t.Fatalf("import: got %+v, %v", report, err)
	}

	table, done, err := dir.OpenTable(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var due []string
	err = store.New(table, store.Options{Now: clock.Now}).DueReminders(t.Context(), expiration,
		func(d store.Due) error {
			due = append(due, d.Day.String())
			return nil
		})
	if want := expiration.AddMonths(-2).String(); err != nil || len(due) != 1 || due[0] != want {
		t.Errorf("reminders are due on %q, %v; want %s", due, err, want)
	}
}

// announced is a local server that runs, to the eyes of the tool; it counts the imports that it gets.
func announced(t *testing.T) (url string, imports *int) {
	t.Helper()
	imports = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			*imports++
		}
		io.WriteString(w, `{"recorded":1}`)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	t.Setenv("DATA", dir)
	if err := localdata.Dir(dir).Announce(server.URL); err != nil {
		t.Fatal(err)
	}
	return server.URL, imports
}

// licensesFile is a file with one license, of a server.
func licensesFile(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "licenses.csv")
	line := "Acme AG,Ada,ada@acme.example," + server + ",developer,PRODUCTION,100000,2035-08-31,yes\n"
	if err := os.WriteFile(path, []byte(strings.Join(licenseimport.Header, ",")+"\n"+line), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunningServerImportsWithoutTableName(t *testing.T) {
	url, imports := announced(t)
	t.Setenv("TABLE_NAME", "")
	var stdout, stderr strings.Builder
	status := run([]string{"import-licenses", licensesFile(t, "AWHW8w9JtzBzSrmf9GQX")}, &stdout, &stderr)
	want := "1 recorded in the running local server at " + url + ", 0 already on record, 0 refused\n"
	if status != 0 || stdout.String() != want || *imports != 1 {
		t.Errorf("status %d, %d imports, %q, want %q\n%s", status, *imports, &stdout, want, &stderr)
	}
}

func TestNamedTableIsOpenedAtItsEndpoint(t *testing.T) {
	for _, test := range []struct {
		name, variable string
		flag           []string
		want           string
	}{
		{"-table", "", []string{"-table", "mine"}, "mine"},
		{"TABLE_NAME", "mine", nil, "mine"},
		{"-table before TABLE_NAME", "other", []string{"-table", "mine"}, "mine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, imports := announced(t)
			asked := map[string]int{}
			engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var call struct{ TableName string }
				json.NewDecoder(r.Body).Decode(&call)
				asked[call.TableName]++
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(
					w,
					`{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"not today"}`,
				)
			}))
			defer engine.Close()
			t.Setenv("DYNAMODB_ENDPOINT", engine.URL)
			t.Setenv("TABLE_NAME", test.variable)
			var stdout, stderr strings.Builder
			status := run(append(append([]string{"import-licenses"}, test.flag...),
				licensesFile(t, "AWHW8w9JtzBzSrmf9GQX")), &stdout, &stderr)
			if status != 1 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "table mine at "+engine.URL) {
				t.Errorf("status %d\n%s%s", status, &stdout, &stderr)
			}
			if len(asked) != 1 || asked[test.want] == 0 || *imports != 0 {
				t.Errorf("the engine was asked for the tables %v, the server %d times", asked, *imports)
			}
		})
	}
}

func TestLicensesAreImportedIntoTheNamedTable(t *testing.T) {
	endpoint := os.Getenv("DYNAMODB_ENDPOINT")
	if endpoint == "" {
		t.Skip("DYNAMODB_ENDPOINT names no engine; infra/engines/with-dynoxide.sh and with-dynamodb-local.sh do")
	}
	_, imports := announced(t)
	name := "import-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	file := licensesFile(t, "AWHW8w9JtzBzSrmf9GQX")
	for _, want := range []string{
		"1 recorded in table %, 0 already on record, 0 refused\nNew: 1 customer, 1 contract, 1 instance\n",
		"0 recorded in table %, 1 already on record, 0 refused\n",
	} {
		want = strings.Replace(want, "%", name+" at "+endpoint, 1)
		var stdout, stderr strings.Builder
		if status := run([]string{"import-licenses", "-table", name, file}, &stdout, &stderr); status != 0 ||
			stdout.String() != want {
			t.Errorf("status %d, %q, want %q\n%s", status, &stdout, want, &stderr)
		}
	}
	if *imports != 0 {
		t.Errorf("the running server took %d imports", *imports)
	}
	table, err := cloud.LocalTable(t.Context(), config.Config{DynamoDBEndpoint: endpoint, TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = store.New(table, store.Options{Now: time.Now}).LicensesExpiring(t.Context(),
		license.Date{Year: 2035, Month: 8, Day: 1}, func(store.LicenseRecord) error {
			found++
			return nil
		})
	if err != nil || found != 1 {
		t.Errorf("%d licenses are on record in the table, %v", found, err)
	}
}
