package site

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"marketplace/shared/request"
	"marketplace/shared/response"
	"marketplace/shared/web/webtest"
)

func (env *testEnv) api(body string, header ...string) *webtest.Answer {
	env.t.Helper()
	return env.do("POST", "/api/license-requests", body,
		append([]string{"Content-Type", "application/json"}, header...)...)
}

func jsonObject(a *webtest.Answer) map[string]any {
	a.T.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		a.T.Fatalf("%v in %s", err, a.Body)
	}
	return v
}

// problemFields returns the fields that a problem names, each with its message.
func problemFields(a *webtest.Answer) map[string]string {
	a.T.Helper()
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		a.T.Fatalf("Content-Type %q", ct)
	}
	var p response.Problem
	if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
		a.T.Fatal(err)
	}
	if p.Status != a.StatusCode || p.Title == "" || p.Detail == "" || p.Type != "about:blank" {
		a.T.Errorf("problem %+v", p)
	}
	fields := make(map[string]string)
	for _, f := range p.Errors {
		fields[f.Name] = f.Msg
	}
	return fields
}

// validJSON is a body that is accepted, with other members; a nil leaves one out.
func validJSON(pairs ...any) string {
	body := map[string]any{
		"kind": "new", "edition": "developer", "serverId": "AWHW8w9JtzBzSrmf9GQX", "ncloc": 120000,
		"productVersion": "6.7.1",
		"name":           "Jane Doe", "email": "jane.doe@customer.example", "company": "Customer",
		"country": "Switzerland",
	}
	for i := 0; i < len(pairs); i += 2 {
		body[pairs[i].(string)] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(body, pairs[i].(string))
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestAPIFilesARequest(t *testing.T) {
	env := newTestEnv(t)
	a := env.api(validJSON("contacts", []string{"a@customer.example", "b@customer.example"}, "message", "Grüezi",
		"phone", nil)).WantStatus(http.StatusCreated)
	body := jsonObject(a)
	id, _ := body["id"].(string)
	if a.Header.Get("Location") != "/api/license-requests/"+id || body["state"] != "received" ||
		body["due"] != "2018-03-06T09:30:00Z" {
		t.Errorf("Location %s, body %v", a.Header.Get("Location"), body)
	}
	statusURL, _ := body["statusUrl"].(string)
	private, ok := strings.CutPrefix(statusURL, siteURL)
	if !ok {
		t.Fatalf("statusUrl %q", statusURL)
	}
	env.get(private).WantStatus(200)
	recorded, err := env.store.Request(t.Context(), id)
	if err != nil || len(recorded.Contacts) != 2 || recorded.Message != "Grüezi" || recorded.Loc != 120000 {
		t.Errorf("recorded %+v, %v", recorded.Details, err)
	}
	if got := len(env.pendingMails()); got != 2 {
		t.Errorf("%d mails", got)
	}
}

func TestAPIShowsWhatIsAboutNoPerson(t *testing.T) {
	env := newTestEnv(t)
	filed := env.api(validJSON()).WantStatus(http.StatusCreated)
	where := filed.Header.Get("Location")
	_, token, _ := strings.Cut(jsonObject(filed)["statusUrl"].(string), "token=")

	public := jsonObject(env.get(where).WantStatus(200))
	want := map[string]any{
		"id": jsonObject(filed)["id"], "state": "received", "kind": "new", "edition": "developer",
		"serverId": "AWHW8w9JtzBzSrmf9GQX",
		"ncloc":    120000.0, "productVersion": "6.7.1", "created": "2018-03-05T09:30:00Z",
		"due": "2018-03-06T09:30:00Z",
	}
	if len(public) != len(want) {
		t.Errorf("public %v", public)
	}
	for name, value := range want {
		if public[name] != value {
			t.Errorf("%s: %v, want %v", name, public[name], value)
		}
	}
	for _, whole := range []*webtest.Answer{env.get(where + "?token=" + token),
		env.get(where, "Authorization", "Bearer "+token)} {
		body := jsonObject(whole.WantStatus(200))
		if got := whole.Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy %q: the address holds the token", got)
		}
		if body["email"] != "jane.doe@customer.example" || body["company"] != "Customer" || body["token"] != nil {
			t.Errorf("whole %v", body)
		}
	}
	for _, missing := range []*webtest.Answer{
		env.get(where + "?token=wrong"), env.get(where, "Authorization", "Bearer wrong"),
		env.get("/api/license-requests/unknown"),
		env.get("/api/license-requests/" + strings.Repeat("x", 3000)), env.get("/api/license-requests/%00"),
	} {
		problemFields(missing.WantStatus(404))
	}
}

func TestAPIReplay(t *testing.T) {
	env := newTestEnv(t)
	first := env.api(validJSON("idempotencyKey", "1")).WantStatus(http.StatusCreated)
	again := env.api(validJSON("idempotencyKey", "1")).WantStatus(http.StatusOK)
	if first.Body != again.Body || first.Header.Get("Location") != again.Header.Get("Location") {
		t.Errorf("first %s, again %s", first.Body, again.Body)
	}
	for _, header := range []string{"1", `"1"`} {
		if a := env.api(validJSON(), "Idempotency-Key", header).WantStatus(http.StatusOK); a.Body != first.Body {
			t.Errorf("by header %s: %s", header, a.Body)
		}
	}
	other := env.api(validJSON("idempotencyKey", "1", "ncloc", 5)).WantStatus(http.StatusConflict)
	problemFields(other)
	if strings.Contains(other.Body, "token=") || strings.Contains(other.Body, jsonObject(first)["id"].(string)) {
		t.Errorf("the conflict tells of the first request: %s", other.Body)
	}
	if fields := problemFields(env.api(validJSON("idempotencyKey", "1"), "Idempotency-Key",
		"2").WantStatus(422)); fields["idempotencyKey"] == "" {
		t.Errorf("two keys: %v", fields)
	}
	if got := len(env.pendingMails()); got != 2 {
		t.Errorf("%d mails, want 2", got)
	}
	env.api(validJSON()).WantStatus(http.StatusCreated)
	env.api(validJSON()).WantStatus(http.StatusCreated) // without a key each is a request of its own
}

// manyMembers is an object of n members that no request has.
func manyMembers(n int) string {
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, `,"%d":0`, i)
	}
	return "{" + body.String()[1:] + "}"
}

func TestAPIRefuses(t *testing.T) {
	env := newTestEnv(t)
	good := validJSON()
	for _, tt := range []struct {
		name, body string
		status     int
		field, msg string
	}{
		{"nothing", "", 400, "", ""},
		{"a cut body", good[:len(good)-1], 400, "", ""},
		{"something behind it", good + "{}", 400, "", ""},
		{"an array", "[" + good + "]", 400, "", ""},
		{"a number", "7", 400, "", ""},
		{"null", "null", 400, "", ""},
		{"bytes that are not UTF-8", `{"name":"` + "\xff" + `"}`, 400, "", ""},
		{"deep nesting", `{"name":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}", 400, "", ""},
		{"1 MB", `{"message":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "", ""},
		{"very many members", manyMembers(5000), 400, "", ""},
		{"an unknown member", validJSON("licence", "x"), 422, "licence", "Unknown member"},
		{"a member of another case", validJSON("Name", "x"), 422, "Name", "Unknown member"},
		{"the trap of the form", validJSON("website", ""), 422, "website", "Unknown member"},
		{"a member twice", strings.Replace(good, "{", `{"ncloc":1,`, 1), 422, "ncloc", "twice"},
		{"a number for a text", validJSON("name", 7), 422, "name", "a string"},
		{"an object for a text", validJSON("name", map[string]any{"first": "Jane"}), 422, "name", "a string"},
		{"a fraction", strings.Replace(good, "120000", "120.000", 1), 422, "ncloc", "whole number"},
		{"an exponent", strings.Replace(good, "120000", "1e5", 1), 422, "ncloc", "whole number"},
		{"a negative number", validJSON("ncloc", -1), 422, "ncloc", "whole number"},
		{"a word for a number", validJSON("ncloc", "abc"), 422, "ncloc", "whole number"},
		{"too large a number", strings.Replace(good, "120000", "9223372036854775808", 1), 422, "ncloc", "too large"},
		{"a truth value for a number", validJSON("ncloc", true), 422, "ncloc", "a number"},
		{"contacts of numbers", validJSON("contacts", []int{7}), 422, "contacts", "array of strings"},
		{"contacts of nothing", `{"contacts":[null]}`, 422, "contacts", "array of strings"},
		{"unknown edition", validJSON("edition", "professional"), 422, "edition",
			"Choose developer, enterprise or datacenter"},
		{"community", validJSON("edition", "community"), 422, "edition", "no license"},
		{"unknown kind", validJSON("kind", "gift"), 422, "kind", "evaluation"},
		{"server ID of 16 characters", validJSON("serverId", "AWHW8w9JtzBzSrmf"), 422, "serverId", "16 characters"},
		{"a missing member", validJSON("email", nil), 422, "email", "Enter an email address"},
		{"null for a member", strings.Replace(good, `"Jane Doe"`, "null", 1), 422, "name", "Enter your name"},
		{"a header in the name", validJSON("name", "Jane\r\nBcc: all@victims.example"), 422, "name", "line breaks"},
		{"a replacement of nothing", validJSON("kind", "replacement"), 422, "replaces", "license to replace"},
		{"a long key", validJSON("idempotencyKey", strings.Repeat("k", 201)), 422, "idempotencyKey", "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields := problemFields(env.in(t).api(tt.body).WantStatus(tt.status))
			if tt.field != "" && !strings.Contains(fields[tt.field], tt.msg) {
				t.Errorf("%v, want %s: %s", fields, tt.field, tt.msg)
			}
		})
	}
	problemFields(env.do("POST", "/api/license-requests", good, "Content-Type", "text/plain").WantStatus(415))
	problemFields(env.do("POST", "/api/license-requests", good, "Content-Type", "application/json", "Content-Encoding",
		"gzip").WantStatus(415))
	if a := env.get("/api/license-requests").WantStatus(405); a.Header.Get("Allow") != "POST" {
		t.Errorf("Allow %q", a.Header.Get("Allow"))
	}
	if mails := env.pendingMails(); len(mails) > 0 {
		t.Errorf("mails of refused requests: %v", mails)
	}
}

func TestAPITellsAllThatIsWrongAtOnce(t *testing.T) {
	fields := problemFields(newTestEnv(t).api(`{"kind": 7, "licence": "x", "ncloc": -1}`).WantStatus(422))
	for _, name := range []string{"kind", "licence", "ncloc", "edition", "serverId", "productVersion", "name", "email",
		"company", "country"} {
		if fields[name] == "" {
			t.Errorf("nothing about %s in %v", name, fields)
		}
	}
}

func FuzzDecodeForm(f *testing.F) {
	f.Add(validJSON())
	f.Add(`{"ncloc":1e400,"ncloc":-0,"contacts":["a",null],"name":"\ud800"}`)
	f.Fuzz(func(t *testing.T, body string) {
		form, bad, err := decodeForm(body)
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("%q is taken as JSON", body)
		}
		if err != nil && form != (request.Form{}) && len(bad) > 0 {
			t.Errorf("%q: half a form", body)
		}
		_, _ = form.Accept()
	})
}
