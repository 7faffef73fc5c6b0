package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/functions/console/signin"
	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/mailevents/feedback"
	"marketplace/functions/reminders/daily"
	"marketplace/functions/requests/site"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/ses"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/dynamo"
)

// recorder is a table that notes which permissions table/dynamo would need for what is done with it, and what is created.
type recorder struct {
	table.Table
	actions map[string]bool
	created []table.Row
}

func (r *recorder) Get(ctx context.Context, key table.Key) (table.Row, error) {
	r.actions["dynamodb:GetItem"] = true
	return r.Table.Get(ctx, key)
}

func (r *recorder) Query(ctx context.Context, q table.Query) (table.Page, error) {
	r.actions["dynamodb:Query"] = true
	return r.Table.Query(ctx, q)
}

// A transaction needs the permissions of its parts (DynamoDB developer guide, "Using IAM with DynamoDB transactions").
func (r *recorder) Transact(ctx context.Context, writes ...table.Write) error {
	for _, w := range writes {
		if w.Delete {
			r.actions["dynamodb:DeleteItem"] = true
		} else {
			r.actions["dynamodb:UpdateItem"] = true
			r.created = append(r.created, w.Row)
		}
	}
	return r.Table.Transact(ctx, writes...)
}

// step is a method of the store and a call of it.
type step struct {
	method string
	call   func() error
}

// usage does with a store what each function does with its own, and gives by function which permissions that takes, and
// the rows that filing a request writes. A method that a function may call and that is not tried here is an error.
func usage(t *testing.T) (actions map[string][]string, rows []table.Row) {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	now := time.Date(2018, 6, 1, 12, 0, 0, 0, time.UTC)
	ctx := t.Context()
	r := &recorder{Table: engine}
	s := store.New(r, store.Options{Now: func() time.Time { return now }})

	server, err := license.ParseServer("AWHW8w9JtzBzSrmf9GQX")
	if err != nil {
		t.Fatal(err)
	}
	today := license.DateOf(now)
	l := license.License{
		ID: "l1", Type: license.Production, Organization: "Example", Server: server, Edition: license.Developer, MaxLoc: 1,
		Expiration: today.AddMonths(2), Contacts: []license.Contact{{Email: "a@example.com"}},
	}
	r.actions = map[string]bool{}
	if _, err := s.AddLicense(ctx, l, store.System); err != nil {
		t.Fatal(err)
	}

	details := request.Details{Kind: request.Evaluation, Edition: license.Developer, Server: server, Email: "a@example.com", Company: "Example"}
	mails := func(r request.Request) []mail.Message {
		return []mail.Message{{ID: r.ID + "-1"}, {ID: r.ID + "-2"}, {ID: r.ID + "-3"}}
	}
	var filed request.Request
	file := func() (err error) {
		filed, _, err = s.FileRequest(ctx, details, "token", mails)
		return err
	}
	claim := func(end func(store.Mail) error) func() error {
		return func() error {
			ids, err := s.PendingMail(ctx, "", 100)
			if err != nil || len(ids) == 0 {
				return fmt.Errorf("no pending mail: %w", err)
			}
			for _, id := range ids {
				m, err := s.ClaimMail(ctx, id, time.Minute)
				if errors.Is(err, store.ErrNotClaimed) {
					continue
				}
				if err != nil {
					return err
				}
				return end(m)
			}
			return errors.New("every mail is claimed")
		}
	}
	unreached := letter.Writer{}.LicenseUnreached
	key := mail.Message{ID: "k1", Kind: mail.LicenseKey, About: l.ID, To: mail.Address{Email: "a@example.com"}}
	if err := s.SendKeyAgain(ctx, l.ID, store.System, key); err != nil {
		t.Fatal(err)
	}
	var due store.Due
	cause := errors.New("a cause")

	actions = map[string][]string{"catalog": nil}
	try := func(function string, declared reflect.Type, steps []step) {
		r.actions = map[string]bool{}
		for method := range declared.Methods() {
			if !slices.ContainsFunc(steps, func(s step) bool { return s.method == method.Name }) {
				t.Errorf("%s may call %s: it is not known which permissions that takes", function, method.Name)
			}
		}
		for _, s := range steps {
			if err := s.call(); err != nil {
				t.Fatalf("%s: %s: %v", function, s.method, err)
			}
		}
		actions[function] = slices.Sorted(maps.Keys(r.actions))
	}
	try("requests", reflect.TypeFor[site.Store](), []step{
		{"FileRequest", file},
		{"FileRequest", file}, // a repeated one reads
		{"Request", func() error { _, err := s.Request(ctx, filed.ID); return err }},
		{"RequestByToken", func() error { _, err := s.RequestByToken(ctx, filed.ID, filed.Token); return err }},
		{"RequestTimeline", func() error { _, err := s.RequestTimeline(ctx, filed.ID); return err }},
		{"License", func() error { _, err := s.License(ctx, l.ID); return err }},
	})
	rows = slices.Clone(r.created)
	try("mailer", reflect.TypeFor[dispatch.Outbox](), []step{
		{"PendingMail", func() error { _, err := s.PendingMail(ctx, "", 1); return err }},
		{"Mail", func() error { _, err := s.Mail(ctx, filed.ID+"-1"); return err }},
		{"ClaimMail", claim(func(m store.Mail) error { return s.RecordSent(ctx, m, "x") })},
		{"RecordSent", func() error { return nil }},
		{"FailMail", claim(func(m store.Mail) error { return s.FailMail(ctx, m, cause) })},
		{"ReleaseMail", claim(func(m store.Mail) error { return s.ReleaseMail(ctx, m) })},
		{"RetryMail", claim(func(m store.Mail) error { return s.RetryMail(ctx, m, cause, now) })},
		{"Suppressed", func() error { _, err := s.Suppressed(ctx, "a@example.com"); return err }},
		{"FailSuppressed", claim(func(m store.Mail) error { return s.FailSuppressed(ctx, m, store.Suppression{}, unreached) })},
	})
	for method := range reflect.TypeFor[ses.API]().Methods() {
		actions["mailer"] = append(actions["mailer"], "ses:"+method.Name)
	}
	try("mailevents", reflect.TypeFor[feedback.Store](), []step{
		{"RecordReport", func() error {
			_, err := s.RecordReport(ctx, store.Report{Mail: key.ID, ProviderID: "x", Outcome: store.Bounced}, unreached)
			return err
		}},
	})
	try("reminders", reflect.TypeFor[daily.Store](), []step{
		{"DueReminders", func() error {
			return s.DueReminders(ctx, today, func(d store.Due) error { due = d; return nil })
		}},
		{"RecordReminder", func() error {
			return s.RecordReminder(ctx, due, reminder.Default.Longest(), []mail.Message{{ID: "r1"}})
		}},
		{"Reachable", func() error { _, err := s.Reachable(ctx, l.Contacts); return err }},
		{"RecordUnreached", func() error { _, err := s.RecordUnreached(ctx, l, unreached(l)); return err }},
	})
	// The console has the whole store; its kinds of access are these. Of what its gate does, each is here.
	try("console", reflect.TypeFor[signin.Sessions](), []step{
		{"SessionEnded", func() error { _, err := s.SessionEnded(ctx, "s1"); return err }},
		{"EndSession", func() error { return s.EndSession(ctx, "s1", now.Add(time.Hour)) }},
		{"Queue", func() error {
			_, err := s.Queue(ctx, store.QueueQuery{States: request.States, Limit: 10})
			return err
		}},
		{"Request", func() (err error) { filed, err = s.Request(ctx, filed.ID); return err }},
		{"Review", func() error {
			_, err := s.Review(ctx, store.Review{ID: filed.ID, Version: filed.Version, By: "a@example.com", To: request.InReview}, nil)
			return err
		}},
	})
	for service, asked := range map[string]reflect.Type{"s3": reflect.TypeFor[packagestore.API](), "kms": reflect.TypeFor[signer.API]()} {
		for method := range asked.Methods() {
			actions["console"] = append(actions["console"], service+":"+method.Name)
		}
	}
	return actions, rows
}

// checkPermissions: a function may do exactly what it does, on the table and nothing else; the mailer sends in one name.
func checkPermissions(t template, actions map[string][]string) (problems []string) {
	for id, f := range t.functions() {
		granted := map[string]bool{}
		for _, policy := range list(f["Policies"]) {
			for _, statement := range list(at(policy, "Statement")) {
				resource := at(statement, "Resource")
				for _, action := range list(at(statement, "Action")) {
					action := str(action)
					granted[action] = true
					switch {
					case resource == "*" && action != "ses:GetSendQuota":
						problems = append(problems, fmt.Sprintf("%s may %s on every resource", id, action))
					case strings.HasPrefix(action, "dynamodb:") && at(resource, "GetAtt") != "Table.Arn":
						problems = append(problems, fmt.Sprintf("%s may %s on %v, not on the table", id, action, resource))
					case action == "ses:SendRawEmail" && at(statement, "Condition", "StringEquals", "ses:FromAddress") == nil:
						problems = append(problems, fmt.Sprintf("%s may %s in any name", id, action))
					}
				}
			}
		}
		for _, action := range actions[folder(id)] {
			if !granted[action] {
				problems = append(problems, fmt.Sprintf("%s may not %s, which it does", id, action))
			}
			delete(granted, action)
		}
		for action := range granted {
			problems = append(problems, fmt.Sprintf("%s may %s, which it never does", id, action))
		}
	}
	return problems
}

// checkWaking: of the rows that are created, the stream shows the mailer those of pending mails and no others.
func checkWaking(t template, rows []table.Row) (problems []string) {
	outbox := t.functions()["MailerFunction"]["Events"]
	var pattern struct {
		EventName []string
		Dynamodb  struct{ Keys map[string]struct{ S []any } }
	}
	filters := list(at(outbox, "Outbox", "Properties", "FilterCriteria", "Filters"))
	if len(filters) != 1 {
		return []string{"MailerFunction: its stream has no filter"}
	}
	if err := json.Unmarshal([]byte(str(at(filters[0], "Pattern"))), &pattern); err != nil {
		return []string{fmt.Sprintf("MailerFunction: the stream's filter: %v", err)}
	}
	if !slices.Equal(pattern.EventName, []string{"INSERT"}) {
		problems = append(problems, "MailerFunction: the stream's filter is not for new rows only")
	}
	matches := func(key, value string) bool {
		return slices.ContainsFunc(pattern.Dynamodb.Keys[key].S, func(rule any) bool {
			if prefix := at(rule, "prefix"); prefix != nil {
				return strings.HasPrefix(value, str(prefix))
			}
			return rule == value
		})
	}
	for _, row := range rows {
		wakes := matches("PK", row.PK) && matches("SK", row.SK)
		if pending := row.Type == "pending"; pending != wakes {
			problems = append(problems, fmt.Sprintf("MailerFunction: %s (%s) wakes %s", row.Key, row.Type, map[bool]string{true: "the mailer", false: "nobody"}[wakes]))
		}
	}
	return problems
}

// tableMade is what table/dynamo asks for when it creates a table, as the members of a template's table.
func tableMade(t *testing.T) map[string]any {
	t.Helper()
	made := map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		switch _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation {
		case "CreateTable", "UpdateTimeToLive":
			maps.Copy(made, body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, `{"Table":{"TableStatus":"ACTIVE"}}`)
	}))
	defer server.Close()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		RetryMaxAttempts: 1,
	})
	if err := dynamo.CreateTable(t.Context(), client, "t"); err != nil {
		t.Fatal(err)
	}
	return made
}

// checkTable: the table is the one that the engines on one's own machine get, and outlives its stack.
func checkTable(t template, made map[string]any) (problems []string) {
	r := at(t.root, "Resources", "Table")
	for _, key := range []string{"KeySchema", "AttributeDefinitions", "BillingMode", "StreamSpecification", "TimeToLiveSpecification"} {
		want := made[key]
		if m, ok := want.(map[string]any); ok {
			delete(m, "StreamEnabled") // CloudFormation has no such member
		}
		// Everything in a template reads as text.
		got, wanted := fmt.Sprint(at(r, "Properties", key)), fmt.Sprint(want)
		if got != wanted {
			problems = append(problems, fmt.Sprintf("Table: %s is %s; table/dynamo creates it with %s", key, got, wanted))
		}
	}
	for _, id := range keysOf(at(t.root, "Resources")) {
		r := at(t.root, "Resources", id)
		keeps := slices.Contains([]any{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"}, at(r, "Type"))
		if keeps && (at(r, "DeletionPolicy") != "Retain" || at(r, "UpdateReplacePolicy") != "Retain") {
			problems = append(problems, id+" is deleted with the stack")
		}
	}
	return problems
}
