package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/infra/localdata"
	"marketplace/shared/config"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// testEnv is a running server with a client that follows no redirects.
type testEnv struct {
	*Server
	t      *testing.T
	client http.Client
}

// newTestEnv starts a server in the folder, on the engine at DYNAMODB_ENDPOINT if that is set.
func newTestEnv(t *testing.T, data localdata.Dir) *testEnv {
	t.Helper()
	return newTestEnvWith(t, data, config.Config{})
}

func newTestEnvWith(t *testing.T, data localdata.Dir, c config.Config) *testEnv {
	t.Helper()
	c.DynamoDBEndpoint, c.TableName = os.Getenv("DYNAMODB_ENDPOINT"), tableName(t)
	s, err := Start(t.Context(), Options{
		Addr: "localhost:0", Data: data, Empty: true, Now: time.Now,
		Log:    slog.New(slog.NewTextHandler(t.Output(), nil)),
		Config: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testEnv{s, t, http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// tableName separates tests that share an engine.
func tableName(t *testing.T) string {
	return "local-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name()) + fmt.Sprint(time.Now().UnixNano())
}

// do sends a request and reads the whole response.
func (env *testEnv) do(method, target, contentType, body string, headers ...string) (*http.Response, string) {
	env.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = env.URL + target
	}
	req, err := http.NewRequestWithContext(env.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		env.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := env.client.Do(req)
	if err != nil {
		env.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		env.t.Fatal(err)
	}
	return resp, string(text)
}

func (env *testEnv) get(target string, want int) string {
	env.t.Helper()
	resp, body := env.do("GET", target, "", "")
	if resp.StatusCode != want {
		env.t.Fatalf("GET %s = %s, want %d\n%.500s", target, resp.Status, want, body)
	}
	return body
}

func (env *testEnv) page(target string) *goquery.Document {
	env.t.Helper()
	return document(env.t, env.get(target, http.StatusOK))
}

func document(t *testing.T, page string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func (env *testEnv) postForm(target string, form url.Values) (*http.Response, string) {
	env.t.Helper()
	return env.do("POST", target, "application/x-www-form-urlencoded", form.Encode())
}

// outboxMail is an entry of /_local/outbox.json.
type outboxMail struct{ ID, Kind, To, Subject, At, About string }

func (env *testEnv) outbox() (mails []outboxMail) {
	env.t.Helper()
	if err := json.Unmarshal([]byte(env.get("/_local/outbox.json", http.StatusOK)), &mails); err != nil {
		env.t.Fatal(err)
	}
	return mails
}

func (env *testEnv) moveClock(to string) {
	env.t.Helper()
	resp, body := env.postForm("/_local/clock", url.Values{"now": {to}})
	if resp.StatusCode != http.StatusOK {
		env.t.Fatalf("moving the clock to %s: %s %s", to, resp.Status, body)
	}
}

// fill returns the values of the form on a page.
func fill(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[name], textarea[name], select[name]").Each(func(_ int, in *goquery.Selection) {
		name := in.AttrOr("name", "")
		kind := in.AttrOr("type", "text")
		_, checked := in.Attr("checked")
		switch {
		case kind == "radio" || kind == "checkbox":
			if checked {
				values.Set(name, in.AttrOr("value", "on"))
			}
		case goquery.NodeName(in) == "textarea":
			values.Set(name, in.Text())
		default:
			values.Set(name, in.AttrOr("value", ""))
		}
	})
	return values
}

const requestLink = "/request/developer?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000"

func TestCustomerFilesARequest(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))

	form := env.page(requestLink).Find("form[method=post]")
	values := fill(form)
	if values.Get("serverId") != "AWHW8w9JtzBzSrmf9GQX" || values.Get("ncloc") != "120000" {
		t.Fatalf("got prefilled form %v", values)
	}
	for name, value := range map[string]string{
		"kind": "evaluation", "productVersion": "6.7.1", "name": "Ada Lovelace", "email": "ada@acme.example",
		"company": "Acme AG", "country": "Switzerland",
	} {
		values.Set(name, value)
	}
	action := form.AttrOr("action", requestLink)
	resp, body := env.postForm(action, values)
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("sending the form: %s\n%s", resp.Status, body)
	}
	status := resp.Header.Get("Location")
	again, _ := env.postForm(action, values)
	if again.Header.Get("Location") != status {
		t.Errorf("sent again: got redirect to %s, want %s", again.Header.Get("Location"), status)
	}
	mails := env.outbox()
	if len(mails) != 1 || mails[0].Kind != "request-received" || mails[0].To != "ada@acme.example" {
		t.Fatalf("got outbox %+v, want one email to the customer", mails)
	}
	env.confirmRequest(mails[0])
	if text := env.page(status).Find("main").Text(); !strings.Contains(text, "AWHW8w9JtzBzSrmf9GQX") ||
		!strings.Contains(text, "120'000") {
		t.Errorf("got status page:\n%s", text)
	}
	mails = env.outbox()
	kinds := map[string]string{}
	for _, m := range mails {
		kinds[m.Kind] = m.To
		env.page("/_local/outbox/" + m.ID)
		env.page("/_local/outbox/" + m.ID + "/html")
	}
	if len(mails) != 2 || kinds["request-new"] != "sales@vendor.example" {
		t.Errorf("got outbox %+v, want one more email, to sales", mails)
	}
}

// confirmRequest follows the link of an email that asks to confirm a request, and says that it is theirs.
func (env *testEnv) confirmRequest(m outboxMail) {
	env.t.Helper()
	link := env.page("/_local/outbox/"+m.ID+"/html").Find("a[href*='confirm=']").AttrOr("href", "")
	form := env.page(link).Find("main form[method=post]")
	values := fill(form)
	values.Set("answer", "yes")
	resp, body := env.postForm(link, values)
	if resp.StatusCode != http.StatusSeeOther || strings.Contains(resp.Header.Get("Location"), "confirm=") {
		env.t.Fatalf("confirming: got %s to %s\n%s", resp.Status, resp.Header.Get("Location"), body)
	}
}

func TestEveryLinkOfTheCatalogWorks(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	var versions map[string][]struct{ Key, HomeURL, LicenseRequestURL, DownloadURL string }
	if err := json.Unmarshal([]byte(env.get("/editions.json", http.StatusOK)), &versions); err != nil {
		t.Fatal(err)
	}
	if len(versions) < 5 {
		t.Fatalf("got %d versions in editions.json, want at least 5", len(versions))
	}
	for version, editions := range versions {
		if len(editions) != 4 {
			t.Errorf("%s: got %d editions, want 4", version, len(editions))
		}
		for _, e := range editions {
			env.get(e.HomeURL, http.StatusOK)
			if e.LicenseRequestURL != "" {
				env.get(e.LicenseRequestURL+"?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=1", http.StatusOK)
			}
			if e.Key == "community" {
				continue
			}
			body := env.get(e.DownloadURL, http.StatusOK)
			z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
			if err != nil {
				t.Fatalf("%s: %v", e.DownloadURL, err)
			}
			if len(z.File) < 9 {
				t.Errorf("%s: got %d jars, want at least 9", e.DownloadURL, len(z.File))
			}
			for _, f := range z.File {
				if path.Ext(f.Name) != ".jar" || strings.Contains(f.Name, "/") {
					t.Errorf("%s: got %s, want only jars at the top", e.DownloadURL, f.Name)
				}
			}
		}
	}
}

const csvHeader = "organization,contact,email,server_id,edition,type,max_loc,expiration,support\n"

// importLicenses imports one license for each expiration day, each for another customer and server.
func (env *testEnv) importLicenses(expirations ...string) {
	env.t.Helper()
	file := csvHeader
	for i, day := range expirations {
		file += fmt.Sprintf("Acme %d AG,Ada,ada+%s@acme.example,AWHW8w9JtzBzSrmf9%03d,developer,PRODUCTION,1000000,"+
			"%s,yes\n", i, day, i, day)
	}
	resp, body := env.do("POST", "/_local/licenses", "text/csv", file)
	if resp.StatusCode != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`"recorded":%d`, len(expirations))) {
		env.t.Fatalf("import: %s %s", resp.Status, body)
	}
}

func TestRemindersAreSentOnCalendarMonths(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	env.moveClock("2027-11-15T12:00:00Z")
	days := map[string][2]string{ // expiration: two months before, one month before
		"2028-02-29": {"2027-12-29", "2028-01-29"},
		"2028-03-31": {"2028-01-31", "2028-02-29"},
		"2028-04-30": {"2028-02-29", "2028-03-30"},
		"2028-05-31": {"2028-03-31", "2028-04-30"},
		"2028-08-31": {"2028-06-30", "2028-07-31"},
		"2029-02-28": {"2028-12-28", "2029-01-28"},
		"2029-04-30": {"2029-02-28", "2029-03-30"},
	}
	var expirations []string
	for day := range days {
		expirations = append(expirations, day)
	}
	env.importLicenses(expirations...)
	if mails := env.outbox(); len(mails) != 0 {
		t.Fatalf("before the clock moved: got emails %v, want none", mails)
	}
	env.moveClock("2028-06-15T00:00:00Z")
	env.moveClock("2028-06-30T00:00:00Z") // just at the beginning of a day on which one is due
	env.moveClock("2030-01-01T00:00:00Z")

	got := map[string][]string{}
	mails := env.outbox()
	for i := len(mails) - 1; i >= 0; i-- { // oldest first
		m := mails[i]
		if m.Kind != "license-expiring" {
			t.Errorf("got an email of kind %s, want license-expiring", m.Kind)
		}
		expiration := strings.TrimSuffix(strings.TrimPrefix(m.To, "ada+"), "@acme.example")
		got[expiration] = append(got[expiration], m.At[:len("2006-01-02")])
	}
	for expiration, want := range days {
		if fmt.Sprint(got[expiration]) != fmt.Sprint(want[:]) {
			t.Errorf("license expiring on %s: got reminders on %v, want %v", expiration, got[expiration], want)
		}
	}
	env.moveClock("2027-11-15T12:00:00Z")
	env.moveClock("2030-01-01T00:00:00Z")
	if again := env.outbox(); len(again) != len(mails) {
		t.Errorf("second pass through the year: got %d emails, want %d", len(again), len(mails))
	}
}

func TestMovingTheClockBackPlansRemindersAnew(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	env.moveClock("2028-08-20T12:00:00Z")
	env.importLicenses("2028-08-01", "2028-08-31", "2028-09-30") // expired, both days missed, the first day missed
	env.moveClock("2028-05-01T12:00:00Z")
	env.moveClock("2028-12-01T12:00:00Z")
	days := map[string][]string{}
	for _, m := range env.outbox() {
		days[m.To] = append(days[m.To], m.At[:len("2006-01-02")])
	}
	want := map[string][]string{ // the newest first
		"ada+2028-08-01@acme.example": {"2028-07-01", "2028-06-01"},
		"ada+2028-08-31@acme.example": {"2028-07-31", "2028-06-30"},
		"ada+2028-09-30@acme.example": {"2028-08-30", "2028-07-30"},
	}
	if !maps.EqualFunc(days, want, slices.Equal) {
		t.Errorf("got reminders on %v, want %v", days, want)
	}
}

func (env *testEnv) clock() time.Time {
	env.t.Helper()
	var clock struct{ Now time.Time }
	if err := json.Unmarshal([]byte(env.get("/_local/clock", http.StatusOK)), &clock); err != nil {
		env.t.Fatal(err)
	}
	return clock.Now
}

func TestClockSurvivesARestart(t *testing.T) {
	data := localdata.Dir(t.TempDir())
	env := newTestEnv(t, data)
	env.moveClock("2028-03-01T10:00:00+02:00")
	want := time.Date(2028, 3, 1, 8, 0, 0, 0, time.UTC)
	if passed := env.clock().Sub(want); passed < 0 || passed > time.Minute {
		t.Errorf("got a clock %v ahead of %v, want less than a minute", passed, want)
	}
	clock, err := data.OpenClock(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if passed := clock.Now().Sub(want); passed < 0 || passed > time.Minute {
		t.Errorf("after a restart: got %v, want %v", clock.Now(), want)
	}
}

func TestDataOfAnotherVersionIsRefused(t *testing.T) {
	if os.Getenv("DYNAMODB_ENDPOINT") != "" {
		t.Skip("the table is the engine's at DYNAMODB_ENDPOINT; this test is about the one in the folder")
	}
	data := localdata.Dir(t.TempDir())
	engine, err := bolt.Open(filepath.Join(string(data), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	older := localdata.Marker
	older.Schema--
	if err := engine.Transact(t.Context(), table.Create(older)); err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Options{Addr: "localhost:0", Data: data, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "To begin again, delete the folder") {
		t.Errorf("got error %v, want how to begin again", err)
	}
}

func TestSampleSendsOnlyTheRemindersOfItsTwoStories(t *testing.T) {
	data := localdata.Dir(t.TempDir())
	reminded := func(mails []outboxMail) []string {
		var to []string
		for _, m := range mails {
			to = append(to, m.Kind+" to "+m.To)
		}
		slices.Sort(to)
		return to
	}
	// Emails about late requests are no reminders; other tests have them.
	late := func(m outboxMail) bool { return m.Kind == "request-late" || m.Kind == "request-late-sales" }
	sent := []string(nil)
	for range 2 { // the second start seeds nothing
		s, err := Start(t.Context(), Options{Addr: "localhost:0", Data: data, Now: time.Now,
			Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		env := &testEnv{Server: s, t: t}
		if got := reminded(slices.DeleteFunc(env.outbox(), late)); !slices.Equal(got, sent) {
			t.Errorf("after a start: got emails %q, want %q", got, sent)
		}
		env.moveClock(time.Now().AddDate(1, 0, 0).Format(time.RFC3339))
		sent = []string{"license-expiring to elsa@cobaltgames.example", // on the last day of the evaluation
			"license-expiring to reto@graniteworks.example", // of the licenses of one day
			"license-expiring to reto@graniteworks.example", // of the one that was muted
			"reminders-stopped to sales@vendor.example"}     // somebody unsubscribed, and nobody else is reminded
		if got := reminded(slices.DeleteFunc(env.outbox(), late)); !slices.Equal(got, sent) {
			t.Errorf("a year later: got emails %q, want %q", got, sent)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	engine, done, err := data.OpenTable(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	db := store.New(engine, store.Options{Now: time.Now})
	waiting, err := db.Queue(t.Context(), store.QueueQuery{States: []request.State{request.Waiting}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	bounced := 0
	for _, r := range waiting.Requests {
		mails, err := db.MailsAbout(t.Context(), r.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			bounced += len(m.Reports)
		}
	}
	if bounced != 1 {
		t.Errorf("got %d bounced emails, want 1", bounced)
	}
}

// TestSampleHasRequestsInEveryState looks before any of them expires.
func TestSampleHasRequestsInEveryState(t *testing.T) {
	data := localdata.Dir(t.TempDir())
	s, err := Start(t.Context(), Options{Addr: "localhost:0", Data: data, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	engine, done, err := data.OpenTable(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	db := store.New(engine, store.Options{Now: time.Now})
	states := map[request.State]int{}
	for _, state := range request.States {
		page, err := db.Queue(t.Context(), store.QueueQuery{States: []request.State{state}, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		states[state] = len(page.Requests)
	}
	for state, n := range states {
		if n == 0 || n > 60 {
			t.Errorf("got %d requests in state %s, want 1 to 60: %v", n, state, states)
		}
	}
}
