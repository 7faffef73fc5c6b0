package site

import (
	"encoding/json"
	"fmt"
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

// problemFields returns the fields that a problem names, with their messages.
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

// validJSON returns a valid body with other members; nil removes one.
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

// manyMembers returns an object with n unknown members.
func manyMembers(n int) string {
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, `,"%d":0`, i)
	}
	return "{" + body.String()[1:] + "}"
}

func TestAPIRefusesInvalidRequests(t *testing.T) {
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
		{"a replacement of a story", validJSON("kind", "replacement", "replaces", strings.Repeat("our license ", 20)), 422,
			"replaces", "Enter only the license ID or the server ID"},
		{"a long key", validJSON("idempotencyKey", strings.Repeat("k", 201)), 422, "idempotencyKey", "too long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields := problemFields(env.in(t).api(tt.body).WantStatus(tt.status))
			if tt.field != "" && !strings.Contains(fields[tt.field], tt.msg) {
				t.Errorf("got %v, want %s: %s", fields, tt.field, tt.msg)
			}
		})
	}
	if mails := env.pendingMails(); len(mails) > 0 {
		t.Errorf("got emails %v for refused requests, want none", mails)
	}
}

func FuzzDecodeForm(f *testing.F) {
	f.Add(validJSON())
	f.Add(`{"ncloc":1e400,"ncloc":-0,"contacts":["a",null],"name":"\ud800"}`)
	f.Fuzz(func(t *testing.T, body string) {
		form, bad, err := decodeForm(body)
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("%q: got no error, want one for invalid JSON", body)
		}
		if err != nil && form != (request.Form{}) && len(bad) > 0 {
			t.Errorf("%q: got a partial form and field errors beside the error %v", body, err)
		}
		_, _ = form.Accept()
	})
}
