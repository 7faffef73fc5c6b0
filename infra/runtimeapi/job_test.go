package runtimeapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/infra/runtimeapi"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/lambdahttp/lambdahttptest"
	"marketplace/shared/license"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
)

// TestCompiledFunctionsHandleARequest files a request, confirms it by the link of its mail, runs the daily reminders
// for an expiring license, and sends the mails: each step in the compiled function, on a DynamoDB engine and an SES.
func TestCompiledFunctionsHandleARequest(t *testing.T) {
	c := config.Config{DynamoDBEndpoint: os.Getenv("DYNAMODB_ENDPOINT"), SESEndpoint: os.Getenv("SES_ENDPOINT")}
	switch {
	case c.DynamoDBEndpoint == "":
		t.Skip("DYNAMODB_ENDPOINT names no engine; infra/engines/with-dynoxide.sh and with-dynamodb-local.sh do")
	case c.SESEndpoint == "":
		t.Skip("SES_ENDPOINT is not set: no SES to send through (infra/engines/with-moto.sh starts one)")
	}
	c.TableName = fmt.Sprintf("job-%d", time.Now().UnixNano())
	from := fmt.Sprintf("licensing-%d@vendor.example", time.Now().UnixNano())
	env := []string{
		"TABLE_NAME=" + c.TableName, "DYNAMODB_ENDPOINT=" + c.DynamoDBEndpoint, "SES_ENDPOINT=" + c.SESEndpoint,
		"SITE_URL=https://licenses.example.com", "PACKAGES_URL=https://cdn.example.com",
		"SALES_EMAIL=sales@vendor.example", "MAIL_FROM=Licensing <" + from + ">",
	}
	table, err := cloud.LocalTable(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	kept := store.New(table, store.Options{Now: time.Now})
	provider := sdk.New(sdk.Options{
		Region: "eu-central-1", BaseEndpoint: &c.SESEndpoint,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	if _, err := provider.VerifyEmailIdentity(t.Context(),
		&sdk.VerifyEmailIdentityInput{EmailAddress: &from}); err != nil {
		t.Fatal(err)
	}
	expiring := license.License{
		ID: "01c6x2m4z0000000000000000a", Type: license.Production, Organization: "Acme AG",
		Server:  "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1_000_000, Expiration: license.DateOf(time.Now()).AddDays(45),
	}
	expiring = storetest.Record(t, kept, expiring, license.Contact{Name: "Ada", Email: "ada@acme.example"}).License

	requests := launch(t, "requests", env)
	id := postForm(t, requests)
	postJSON(t, requests, id)
	mailer := launch(t, "mailer", env)
	queue(t, mailer, c.TableName, id+"--received")
	confirm(t, requests, id, arrived(t, c.SESEndpoint, from))

	scheduled, err := runtimeapi.Schedule("reminders", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	reminders := launch(t, "reminders", env)
	for range 2 { // a schedule may deliver twice
		for _, input := range []string{`{"job":"daily"}`, `{"job":"late"}`} {
			if _, err := reminders.Invoke(t.Context(), []byte(input)); err != nil {
				t.Fatalf("%s: %v\n%s", input, err, reminders.Stderr())
			}
		}
	}

	for range 2 {
		queue(t, mailer, c.TableName, id+"--confirmed")
	}
	if _, err := mailer.Invoke(t.Context(), scheduled); err != nil {
		t.Fatalf("%v\n%s\n%s", err, mailer.Stdout(), mailer.Stderr())
	}
	var got []string
	for _, m := range arrived(t, c.SESEndpoint, from) {
		got = append(got, m.To.Email+": "+m.Subject)
	}
	slices.Sort(got)
	want := []string{"ada@acme.example: SonarQube license expires in 45 days",
		"eve@acme.example: Please confirm your license request", "sales@vendor.example: New license request"}
	if len(got) != len(want) {
		t.Fatalf("these mails arrived:\n%s", strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("arrived: %s; want %s…", got[i], want[i])
		}
	}

	reminded, err := kept.MailsAbout(t.Context(), expiring.ID, 10)
	if err != nil || len(reminded) != 1 || reminded[0].State.ProviderID == "" {
		t.Fatalf("%+v, %v", reminded, err)
	}

	// Ada's mail program unsubscribes with the one POST of RFC 8058, twice; then she resumes the reminders.
	stop := "https://licenses.example.com" + letter.StopPath + "?" + url.Values{
		"mail": {reminded[0].ID}, "token": {reminded[0].Nonce},
	}.Encode()
	for range 2 {
		resp := post(t, requests, stop, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click")
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("unsubscribing by one click: got %d %v", resp.StatusCode, resp.Header)
		}
	}
	if gone, err := kept.Unsubscribed(t.Context(), expiring.ID); err != nil || len(gone) != 1 {
		t.Errorf("got %+v unsubscribed, %v; want Ada", gone, err)
	}
	if err := kept.ResubscribeContact(t.Context(), expiring, "ada@acme.example", "sam@vendor.example"); err != nil {
		t.Fatal(err)
	}

	// The reminder bounces: sales hear once that the license has no reachable contact.
	bounce := feedbacktest.Batch(feedbacktest.HardBounce().JSON(feedbacktest.Mail{
		ID: reminded[0].ID, ProviderID: reminded[0].State.ProviderID, To: "ada@acme.example", At: time.Now(),
	}))
	mailEvents := launch(t, "mailevents", env)
	for range 2 {
		for function, event := range map[*runtimeapi.Function][]byte{mailEvents: bounce, reminders: []byte(`{"job":"daily"}`)} {
			if _, err := function.Invoke(t.Context(), event); err != nil {
				t.Fatalf("%v\n%s", err, function.Stderr())
			}
		}
		if _, err := mailer.Invoke(t.Context(), scheduled); err != nil {
			t.Fatalf("%v\n%s", err, mailer.Stderr())
		}
	}
	told := 0
	for _, m := range arrived(t, c.SESEndpoint, from) {
		if strings.Contains(m.Subject, " cannot be reached: Acme AG") && m.To.Email == "sales@vendor.example" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("sales got %d mails about the license, want 1", told)
	}
}

// queue tells the mailer, as the stream of the table does, that a mail about Eve's request was queued.
func queue(t *testing.T, mailer *runtimeapi.Function, table, id string) {
	t.Helper()
	written := rowkey.Ready(notice.RankSoon, rowkey.Shard("acme.example"), time.Now(), 0, id)
	inserted, err := runtimeapi.Stream(table, time.Now(), runtimeapi.Change{
		Keys: map[string]any{"PK": written.PK, "SK": written.SK},
		New:  map[string]any{"PK": written.PK, "SK": written.SK},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mailer.Invoke(t.Context(), inserted); err != nil {
		t.Fatalf("%v\n%s\n%s", err, mailer.Stdout(), mailer.Stderr())
	}
}

// confirmLink is the link of a mail that asks to confirm a request.
var confirmLink = regexp.MustCompile(`https://\S+[?&]confirm=[^\s&]+`)

// confirm follows the link of the only mail so far and says, twice, that the request is theirs.
func confirm(t *testing.T, f *runtimeapi.Function, id string, mails []eml.Parsed) {
	t.Helper()
	if len(mails) != 1 || mails[0].To.Email != fields["email"] {
		t.Fatalf("got mails %+v, want one to %s", mails, fields["email"])
	}
	link := confirmLink.FindString(mails[0].Text)
	if link == "" {
		t.Fatalf("got no link in the mail:\n%s", mails[0].Text)
	}
	if resp := send(t, f, "GET", link); resp.StatusCode != http.StatusOK {
		t.Errorf("page of the link: %d", resp.StatusCode)
	}
	answer := url.Values{"answer": {"yes"}, "request": {id}, "listed": {id}}
	for range 2 {
		resp := post(t, f, link, "application/x-www-form-urlencoded", answer.Encode())
		if location := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther ||
			strings.Contains(location, "confirm=") {
			t.Fatalf("the answer was answered with %d and %q", resp.StatusCode, location)
		}
	}
}

// launch builds and starts a function.
func launch(t *testing.T, name string, env []string) *runtimeapi.Function {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	if err := runtimeapi.Build(t.Context(), "marketplace/functions/"+name, bootstrap); err != nil {
		t.Fatal(err)
	}
	f, err := runtimeapi.Start(t.Context(), runtimeapi.Options{Bootstrap: bootstrap, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return f
}

// post sends a POST request through a function.
func post(t *testing.T, f *runtimeapi.Function, target, contentType, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	event, err := runtimeapi.HTTP(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.Invoke(t.Context(), event)
	if err != nil {
		t.Fatalf("POST %s: %v\n%s", target, err, f.Stderr())
	}
	resp, err := lambdahttptest.Response(answer.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// fields are the fields of a request, named as in the form and the API.
var fields = map[string]string{
	"kind": "evaluation", "edition": "developer", "serverId": "AWHW8w9JtzBzSrmf9GQY", "ncloc": "120000",
	"productVersion": "6.7.1",
	"name":           "Eve", "email": "eve@acme.example", "company": "Acme AG", "country": "Switzerland",
	"idempotencyKey": "k1",
}

// postForm files a request by the form, twice, and returns its ID.
func postForm(t *testing.T, f *runtimeapi.Function) (id string) {
	t.Helper()
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	var status string
	for range 2 {
		resp := post(t, f, "/request/developer", "application/x-www-form-urlencoded", form.Encode())
		location := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusSeeOther || status != "" && location != status {
			t.Fatalf("the form was answered with %d and %q, after %q", resp.StatusCode, location, status)
		}
		status = location
	}
	if resp := send(t, f, "GET", status); resp.StatusCode != http.StatusOK {
		t.Errorf("status page: %d", resp.StatusCode)
	}
	path, _, _ := strings.Cut(status, "?")
	return path[strings.LastIndex(path, "/")+1:]
}

// postJSON sends an invalid request, and reads the request filed by the form.
func postJSON(t *testing.T, f *runtimeapi.Function, id string) {
	t.Helper()
	if resp := post(t, f, "/api/license-requests", "application/json",
		`{"kind":"gift"}`); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("invalid request: got %d, want 422", resp.StatusCode)
	}
	resp := send(t, f, "GET", "/api/license-requests/"+id)
	var known struct{ ID, State, ServerID string }
	if err := json.NewDecoder(resp.Body).Decode(&known); err != nil || known.ID != id || known.State != "received" ||
		known.ServerID != fields["serverId"] {
		t.Errorf("the API says %+v, %v", known, err)
	}
}

// arrived returns the mails that moto's SES accepted from a sender.
func arrived(t *testing.T, endpoint, from string) (mails []eml.Parsed) {
	t.Helper()
	resp, err := http.Get(endpoint + "/moto-api/data.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var data struct {
		SES struct {
			RawMessage []struct {
				Data string `json:"raw_data"`
			}
		} `json:"ses"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&data); err != nil {
		t.Fatal(err)
	}
	for _, raw := range data.SES.RawMessage {
		m, err := eml.Parse(strings.NewReader(raw.Data))
		if err != nil {
			t.Fatal(err)
		}
		if m.From.Email == from {
			mails = append(mails, m)
		}
	}
	return mails
}
