package site

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"marketplace/shared/request"
	"marketplace/shared/web"
)

func (w *world) api(body string, header ...string) *answer {
	w.t.Helper()
	return w.do("POST", "/api/license-requests", body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func (a *answer) json() map[string]any {
	a.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// wrong are the fields that a problem names, each with its message.
func (a *answer) wrong() map[string]string {
	a.t.Helper()
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		a.t.Fatalf("Content-Type %q", ct)
	}
	var p web.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		a.t.Fatal(err)
	}
	if p.Status != a.StatusCode || p.Title == "" || p.Detail == "" || p.Type != "about:blank" {
		a.t.Errorf("problem %+v", p)
	}
	fields := make(map[string]string)
	for _, f := range p.Errors {
		fields[f.Name] = f.Msg
	}
	return fields
}

// goodJSON is a body that is accepted, with other members; a nil leaves one out.
func goodJSON(pairs ...any) string {
	body := map[string]any{
		"kind": "new", "edition": "developer", "serverId": "AWHW8w9JtzBzSrmf9GQX", "ncloc": 120000, "productVersion": "6.7.1",
		"name": "Jane Doe", "email": "jane.doe@customer.example", "company": "Customer", "country": "Switzerland",
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
	w := newWorld(t)
	a := w.api(goodJSON("contacts", []string{"a@customer.example", "b@customer.example"}, "message", "Grüezi", "phone", nil)).wantStatus(http.StatusCreated)
	body := a.json()
	id, _ := body["id"].(string)
	if a.Header.Get("Location") != "/api/license-requests/"+id || body["state"] != "received" || body["due"] != "2018-03-06T09:30:00Z" {
		t.Errorf("Location %s, body %v", a.Header.Get("Location"), body)
	}
	statusURL, _ := body["statusUrl"].(string)
	private, ok := strings.CutPrefix(statusURL, siteURL)
	if !ok {
		t.Fatalf("statusUrl %q", statusURL)
	}
	w.get(private).wantStatus(200)
	recorded, err := w.store.Request(t.Context(), id)
	if err != nil || len(recorded.Contacts) != 2 || recorded.Message != "Grüezi" || recorded.Loc != 120000 {
		t.Errorf("recorded %+v, %v", recorded.Details, err)
	}
	if got := len(w.pendingMails()); got != 2 {
		t.Errorf("%d mails", got)
	}
}

func TestAPIShowsWhatIsAboutNoPerson(t *testing.T) {
	w := newWorld(t)
	filed := w.api(goodJSON()).wantStatus(http.StatusCreated)
	where := filed.Header.Get("Location")
	_, token, _ := strings.Cut(filed.json()["statusUrl"].(string), "token=")

	public := w.get(where).wantStatus(200).json()
	want := map[string]any{
		"id": filed.json()["id"], "state": "received", "kind": "new", "edition": "developer", "serverId": "AWHW8w9JtzBzSrmf9GQX",
		"ncloc": 120000.0, "productVersion": "6.7.1", "created": "2018-03-05T09:30:00Z", "due": "2018-03-06T09:30:00Z",
	}
	if len(public) != len(want) {
		t.Errorf("public %v", public)
	}
	for name, value := range want {
		if public[name] != value {
			t.Errorf("%s: %v, want %v", name, public[name], value)
		}
	}
	for _, whole := range []*answer{w.get(where + "?token=" + token), w.get(where, "Authorization", "Bearer "+token)} {
		body := whole.wantStatus(200).json()
		if got := whole.Header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy %q: the address holds the token", got)
		}
		if body["email"] != "jane.doe@customer.example" || body["company"] != "Customer" || body["token"] != nil {
			t.Errorf("whole %v", body)
		}
	}
	for _, missing := range []*answer{
		w.get(where + "?token=wrong"), w.get(where, "Authorization", "Bearer wrong"), w.get("/api/license-requests/unknown"),
		w.get("/api/license-requests/" + strings.Repeat("x", 3000)), w.get("/api/license-requests/%00"),
	} {
		missing.wantStatus(404).wrong()
	}
}

func TestAPIReplay(t *testing.T) {
	w := newWorld(t)
	first := w.api(goodJSON("idempotencyKey", "1")).wantStatus(http.StatusCreated)
	again := w.api(goodJSON("idempotencyKey", "1")).wantStatus(http.StatusOK)
	if first.body != again.body || first.Header.Get("Location") != again.Header.Get("Location") {
		t.Errorf("first %s, again %s", first.body, again.body)
	}
	for _, header := range []string{"1", `"1"`} {
		if a := w.api(goodJSON(), "Idempotency-Key", header).wantStatus(http.StatusOK); a.body != first.body {
			t.Errorf("by header %s: %s", header, a.body)
		}
	}
	other := w.api(goodJSON("idempotencyKey", "1", "ncloc", 5)).wantStatus(http.StatusConflict)
	other.wrong()
	if strings.Contains(other.body, "token=") || strings.Contains(other.body, first.json()["id"].(string)) {
		t.Errorf("the conflict tells of the first request: %s", other.body)
	}
	if fields := w.api(goodJSON("idempotencyKey", "1"), "Idempotency-Key", "2").wantStatus(422).wrong(); fields["idempotencyKey"] == "" {
		t.Errorf("two keys: %v", fields)
	}
	if got := len(w.pendingMails()); got != 2 {
		t.Errorf("%d mails, want 2", got)
	}
	w.api(goodJSON()).wantStatus(http.StatusCreated)
	w.api(goodJSON()).wantStatus(http.StatusCreated) // without a key each is a request of its own
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
	w := newWorld(t)
	good := goodJSON()
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
		{"an unknown member", goodJSON("licence", "x"), 422, "licence", "no such member"},
		{"a member of another case", goodJSON("Name", "x"), 422, "Name", "no such member"},
		{"the trap of the form", goodJSON("website", ""), 422, "website", "no such member"},
		{"a member twice", strings.Replace(good, "{", `{"ncloc":1,`, 1), 422, "ncloc", "twice"},
		{"a number for a text", goodJSON("name", 7), 422, "name", "a text"},
		{"an object for a text", goodJSON("name", map[string]any{"first": "Jane"}), 422, "name", "a text"},
		{"a fraction", strings.Replace(good, "120000", "120.000", 1), 422, "ncloc", "whole number"},
		{"an exponent", strings.Replace(good, "120000", "1e5", 1), 422, "ncloc", "whole number"},
		{"a negative number", goodJSON("ncloc", -1), 422, "ncloc", "whole number"},
		{"a word for a number", goodJSON("ncloc", "abc"), 422, "ncloc", "whole number"},
		{"too large a number", strings.Replace(good, "120000", "9223372036854775808", 1), 422, "ncloc", "too large"},
		{"a truth value for a number", goodJSON("ncloc", true), 422, "ncloc", "a number"},
		{"contacts of numbers", goodJSON("contacts", []int{7}), 422, "contacts", "array of texts"},
		{"contacts of nothing", `{"contacts":[null]}`, 422, "contacts", "array of texts"},
		{"unknown edition", goodJSON("edition", "professional"), 422, "edition", "no such edition"},
		{"community", goodJSON("edition", "community"), 422, "edition", "no license"},
		{"unknown kind", goodJSON("kind", "gift"), 422, "kind", "evaluation"},
		{"server ID of 16 characters", goodJSON("serverId", "AWHW8w9JtzBzSrmf"), 422, "serverId", "16 characters"},
		{"a missing member", goodJSON("email", nil), 422, "email", "missing"},
		{"null for a member", strings.Replace(good, `"Jane Doe"`, "null", 1), 422, "name", "missing"},
		{"a header in the name", goodJSON("name", "Jane\r\nBcc: all@victims.example"), 422, "name", "line breaks"},
		{"a replacement of nothing", goodJSON("kind", "replacement"), 422, "replaces", "to be replaced"},
		{"a long key", goodJSON("idempotencyKey", strings.Repeat("k", 201)), 422, "idempotencyKey", "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields := w.in(t).api(tt.body).wantStatus(tt.status).wrong()
			if tt.field != "" && !strings.Contains(fields[tt.field], tt.msg) {
				t.Errorf("%v, want %s: %s", fields, tt.field, tt.msg)
			}
		})
	}
	w.do("POST", "/api/license-requests", good, "Content-Type", "text/plain").wantStatus(415).wrong()
	w.do("POST", "/api/license-requests", good, "Content-Type", "application/json", "Content-Encoding", "gzip").wantStatus(415).wrong()
	if a := w.get("/api/license-requests").wantStatus(405); a.Header.Get("Allow") != "POST" {
		t.Errorf("Allow %q", a.Header.Get("Allow"))
	}
	if mails := w.pendingMails(); len(mails) > 0 {
		t.Errorf("mails of refused requests: %v", mails)
	}
}

func TestAPITellsAllThatIsWrongAtOnce(t *testing.T) {
	fields := newWorld(t).api(`{"kind": 7, "licence": "x", "ncloc": -1}`).wantStatus(422).wrong()
	for _, name := range []string{"kind", "licence", "ncloc", "edition", "serverId", "productVersion", "name", "email", "company", "country"} {
		if fields[name] == "" {
			t.Errorf("nothing about %s in %v", name, fields)
		}
	}
}

func FuzzDecodeForm(f *testing.F) {
	f.Add(goodJSON())
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
