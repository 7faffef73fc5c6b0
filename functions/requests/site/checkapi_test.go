package site

import (
	"encoding/json"
	"slices"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/web/webtest"
)

func (env *testEnv) apiCheck(body map[string]any) *webtest.Answer {
	env.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		env.t.Fatal(err)
	}
	return env.do("POST", "/api/licenses/check", string(data), "Content-Type", "application/json")
}

// found is a response of the API.
type found struct {
	Valid, Authentic  bool
	Compared          bool
	Summary           string
	Next              step
	Key               map[string]any
	Reasons, Warnings []struct{ Code, Sentence, Remedy, Request, RequestURL, InstallURL string }
	Notices           []notice
	Undone            []license.Mangling
	Text              string
	IgnoredPlugins    []string
}

func checkAnswer(a *webtest.Answer) (f found) {
	a.T.Helper()
	if err := json.Unmarshal([]byte(a.WantStatus(200).Body), &f); err != nil {
		a.T.Fatal(err)
	}
	return f
}

func TestAPIReturnsEveryReason(t *testing.T) {
	env := newTestEnv(t)
	for name, tt := range badKeys(env) {
		body := map[string]any{"key": tt.key}
		for i := 0; i < len(tt.said); i += 2 {
			body[tt.said[i]] = tt.said[i+1]
		}
		f := checkAnswer(env.apiCheck(body))
		var got []string
		for _, r := range f.Reasons {
			got = append(got, r.Code)
			if r.Sentence == "" || r.Remedy == "" || (r.Request == "") != (r.RequestURL == "") {
				t.Errorf("%s: got incomplete reason %+v", name, r)
			}
		}
		if f.Valid || !slices.Equal(got, tt.codes) {
			t.Errorf("%s: got reasons %v, want %v", name, got, tt.codes)
		}
		if r := f.Reasons[0]; tt.link != "" && r.RequestURL+r.InstallURL != siteURL+tt.link {
			t.Errorf("%s: got URL %q%q, want %s", name, r.RequestURL, r.InstallURL, siteURL+tt.link)
		}
		if unreadable := license.Code(tt.codes[0]).Unreadable(); (f.Key == nil) != unreadable {
			t.Errorf("%s: got key %v, unreadable %v", name, f.Key, unreadable)
		}
	}
}

func TestAPIRefusesInvalidChecks(t *testing.T) {
	env := newTestEnv(t)
	key := env.issue(nil)
	for _, tt := range []struct {
		name  string
		body  map[string]any
		wrong []string
	}{
		{"no key", map[string]any{"serverId": serverID}, []string{"key"}},
		{"an empty key", map[string]any{"key": "\n"}, []string{"key"}},
		{"key that is not a string", map[string]any{"key": []string{key}}, []string{"key"}},
		{"invalid server ID", map[string]any{"key": key, "serverId": "AWHW8w9JtzBzSrmf"}, []string{"serverId"}},
		{"negative lines of code", map[string]any{"key": key, "ncloc": -1}, []string{"ncloc"}},
		{"version before editions", map[string]any{"key": key, "productVersion": "6.6"}, []string{"productVersion"}},
		{"unknown edition", map[string]any{"key": key, "edition": "professional"}, []string{"edition"}},
		{"plugins as an object", map[string]any{"key": key, "plugins": map[string]any{}}, []string{"plugins"}},
		{"unknown member", map[string]any{"key": key, "server": serverID}, []string{"server"}},
	} {
		fields := problemFields(env.apiCheck(tt.body).WantStatus(422))
		for _, name := range tt.wrong {
			if fields[name] == "" || len(fields) != len(tt.wrong) {
				t.Errorf("%s: got errors %v, want %v", tt.name, fields, tt.wrong)
			}
		}
	}
}
