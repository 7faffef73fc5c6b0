package lambdahttp

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// reference reads an event with encoding/json, by exact keys.
type reference struct {
	version, path, query, method, stage, body string
	base64                                    bool
	headers                                   map[string]*string
	cookies                                   []*string
}

func (r *reference) read(data []byte) bool {
	var top, context, http map[string]json.RawMessage
	var protocol, sourceIP, domain, id string
	return json.Unmarshal(data, &top) == nil && top != nil &&
		read(top["version"], &r.version) && read(top["rawPath"], &r.path) && read(top["rawQueryString"], &r.query) &&
		read(top["headers"], &r.headers) && read(top["cookies"], &r.cookies) && read(top["body"], &r.body) &&
		read(top["isBase64Encoded"], &r.base64) && read(top["requestContext"], &context) &&
		read(context["stage"], &r.stage) && read(context["domainName"], &domain) && read(context["requestId"], &id) &&
		read(context["http"], &http) && read(http["method"], &r.method) && read(http["protocol"], &protocol) &&
		read(http["sourceIp"], &sourceIP) &&
		r.version == "2.0" && r.method != "" && strings.HasPrefix(r.path, "/")
}

func read(raw json.RawMessage, v any) bool { return raw == nil || json.Unmarshal(raw, v) == nil }

// FuzzEventIsReadLikeEncodingJSON holds the scanner to encoding/json: the same texts accepted, the same values found.
func FuzzEventIsReadLikeEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{"version":"2.0","rawPath":"/a","rawQueryString":"b=c","headers":{"a":"b","accept-encoding":"gzip"},"cookies":["x=y"],"requestContext":{"http":{"method":"GET"}},"isBase64Encoded":false}`,
		`{"version":"2.\u0030","raw\u0050ath":"/\ud83d\ude00\ud83d","requestContext":{"stage":"s","http":{"method":"G\/"}},"body":null}`,
		"{\"version\":\"2.0\",\"rawPath\":\"/\xff\",\"rawPath\":\"/b\",\"headers\":null,\"requestContext\":{\"http\":null},\"requestContext\":{\"http\":{\"method\":\"M\"}}}",
		`[`, `"`, ` { } `,
	} {
		f.Add([]byte(seed))
	}
	for _, value := range []string{` [ 1 , -0.5e+7 , 0 , true , false , null , { } , [ ] ] `, `01`, `1.`, `-`, `.5`,
		`1e`, `tru`, `nul`, `[1,]`, `{"b":1,}`, `{1:2}`,
		`"\x"`, `"\u12g4"`, `"\u12`, "\"\x01\"", "\"\x1f\"", "\"\x7f\xff\"", `"`, ``, `1 2`, `{"b" 1}`, `'a'`, "\v1"} {
		f.Add([]byte(`{"version":"2.0","rawPath":"/a","requestContext":{"http":{"method":"GET"}},"x":` + value + `}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want reference
		ok := want.read(data)
		e, err := ParseEvent(data)
		if ok != (err == nil) && !differsByDuplicates(data) {
			t.Fatalf("encoding/json accepts: %v, ParseEvent: %v", ok, err)
		}
		if err != nil || !ok {
			return
		}
		got := Event{Path: want.path}
		got.dropStage(want.stage)
		if e.Method != want.method || e.Path != got.Path || e.Query != want.query || unescape(e.body) != want.body ||
			e.base64 != want.base64 {
			t.Fatalf("ParseEvent %+v, encoding/json %+v", e, want)
		}
		var cookies []string
		for _, c := range want.cookies {
			if c == nil {
				c = new(string)
			}
			cookies = append(cookies, *c)
		}
		if line := e.cookieLine(); line != strings.Join(cookies, "; ") {
			t.Fatalf("cookies %q, encoding/json %q", line, cookies)
		}
		seen := map[string]string{}
		e.eachHeader(func(name, value []byte) { seen[unescape(name)] = unescape(value) })
		for name, value := range want.headers {
			if value == nil {
				value = new(string)
			}
			if seen[name] != *value {
				t.Fatalf("header %q: got %q, encoding/json %q", name, seen[name], *value)
			}
		}
		if len(seen) != len(want.headers) {
			t.Fatalf("headers %q, encoding/json %v", seen, want.headers)
		}
	})
}

// differsByDuplicates reports whether a key occurs twice in one object: the reference reads only the last one, the
// scanner refuses a wrong type in any.
func differsByDuplicates(data []byte) bool {
	duplicate := false
	s := &scanner{data: data}
	var walk func(depth int) error
	walk = func(depth int) error {
		switch {
		case s.pos < len(data) && data[s.pos] == '{':
			var keys []string
			return s.object(func(key []byte) error {
				duplicate = duplicate || slices.Contains(keys, unescape(key))
				keys = append(keys, unescape(key))
				return walk(depth + 1)
			})
		case s.pos < len(data) && data[s.pos] == '[':
			return s.array(func() error { return walk(depth + 1) })
		}
		return s.skip(depth)
	}
	s.space()
	_ = walk(1)
	return duplicate
}

// FuzzAnyEventGetsAResponseOrAnError holds that no event brings the function down and that every answer is JSON.
func FuzzAnyEventGetsAResponseOrAnError(f *testing.F) {
	f.Add([]byte(`{"version":"2.0","rawPath":"/a//../b","rawQueryString":"%zz","headers":{"host":"h","":"","bad name":"x","content-length":"-5"},"cookies":["",";"],"requestContext":{"http":{"method":"GET","sourceIp":":","protocol":"x"}},"body":"eA==","isBase64Encoded":true}`))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /a/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		w.Header().Set("X-Path", r.URL.Path)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: r.RemoteAddr})
		w.Write([]byte(r.RequestURI + r.Form.Encode()))
	})
	h := New(mux, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		answer, err := h.Invoke(t.Context(), data)
		if err == nil && !json.Valid(answer) {
			t.Fatalf("%s", answer)
		}
	})
}

func TestHeaderIsReadInAnyCase(t *testing.T) {
	e, err := ParseEvent([]byte(`{"version":"2.0","rawPath":"/","headers":{"accept":"a, b","ACCEPT":"c\u0022","x":""},"requestContext":{"http":{"method":"GET"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if v := e.Header("accept"); v != `a, b,c"` {
		t.Errorf("accept: got %q", v)
	}
	if v := e.Header("missing"); v != "" {
		t.Errorf("missing: got %q", v)
	}
}

func TestStringsAreEncodedForEncodingJSON(t *testing.T) {
	for _, v := range []string{"", "plain", "\"\\\x00\x1f\x7f\n\r\t", "é😀\u2028\uFFFD",
		"bad \xff\xc3 utf-8 \xed\xa0\x80"} {
		var got string
		if err := json.Unmarshal(appendString(nil, v), &got); err != nil || got != strings.ToValidUTF8(v, "\uFFFD") &&
			!strings.Contains(v, "bad") {
			t.Errorf("%q: got %q, %v", v, got, err)
		}
		want, _ := json.Marshal(v)
		var wanted string
		if json.Unmarshal(want, &wanted); got != wanted {
			t.Errorf("%q: got %q, encoding/json %q", v, got, wanted)
		}
	}
}

func BenchmarkParseEvent(b *testing.B) {
	event := []byte(`{"version":"2.0","routeKey":"$default","rawPath":"/editions.json","rawQueryString":"","headers":{"accept":"application/json","accept-encoding":"gzip, deflate, br","host":"api.example.com","origin":"https://www.example.com","user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","x-forwarded-for":"205.255.255.176","x-forwarded-port":"443","x-forwarded-proto":"https"},"requestContext":{"accountId":"123456789012","apiId":"r3pmxmplak","domainName":"api.example.com","domainPrefix":"api","http":{"method":"GET","path":"/editions.json","protocol":"HTTP/1.1","sourceIp":"205.255.255.176","userAgent":"Mozilla/5.0"},"requestId":"JKJaXmPLvHcESHA=","routeKey":"$default","stage":"$default","time":"10/Mar/2026:05:16:23 +0000","timeEpoch":1583817383220},"isBase64Encoded":false}`)
	b.ReportAllocs()
	for b.Loop() {
		e, err := ParseEvent(event)
		if err != nil || e.Header("accept-encoding") == "" {
			b.Fatal(err)
		}
	}
}
