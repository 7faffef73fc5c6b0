// Package httpscript runs tests that read as HTTP conversations: scripts of rogpeppe's testscript with the commands
// below, sent to an http.Handler without a network. The name of the script says its topic:
//
//	# testdata/versions.txt: The packages of a version.
//	GET /packages.json?version=6.7.1
//	status 200
//	header Content-Type == application/json
//	body contains developer
//
// A test of the package runs all its scripts, each with a handler of its own:
//
//	func TestScripts(t *testing.T) {
//		httpscript.Run(t, "testdata", func(env *testscript.Env) (http.Handler, error) {
//			return newTestSite(env.T().(testing.TB)), nil
//		})
//	}
//
// The request commands are GET, HEAD, OPTIONS, POST, PUT, PATCH and DELETE. Each takes an address, any number of
// headers and perhaps the body: @file, which the script carries at its end, or =text. Redirects are not followed:
//
//	POST /api/license-requests 'Content-Type: application/json' @request.json
//	status 201
//	json /state == received
//	capture NEXT header Location
//	GET $NEXT
//	-- request.json --
//	{"kind": "new"}
//
// The others look at the last response. Where the operator and the text are left out, they ask whether it has the part
// at all; a "!" before the command negates it.
//
//	status code
//	header name [op text]       several values of a name are joined with ", "
//	body [op text]
//	json pointer [op text]      a JSON pointer (RFC 6901) such as /errors/0/name; an object or list as compact JSON
//	html selector [op text]     the text of all elements of a CSS selector, joined with ", "; selector@attribute is
//	                            that attribute
//	capture NAME part ...       keeps such a part, as in "capture ID json /id", as $NAME for the following lines;
//	                            with "matches" and a regular expression, what its first group matches
//
// The operators are ==, !=, contains and matches (a regular expression). The text may be several words, or @file: then
// it is the content of that file.
package httpscript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/rogpeppe/go-internal/testscript"
)

// Run runs the scripts *.txt of a folder. Each gets a handler from newHandler, which finds the script's files in
// env.WorkDir and a testing.TB in env.T().
func Run(t *testing.T, dir string, newHandler func(env *testscript.Env) (http.Handler, error)) {
	t.Helper()
	commands := map[string]func(*testscript.TestScript, bool, []string){"status": status, "capture": capture}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} {
		commands[method] = request(method)
	}
	for name := range parts {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) { check(ts, name, neg, args) }
	}
	testscript.Run(t, testscript.Params{
		Dir:  dir,
		Cmds: commands,
		Setup: func(env *testscript.Env) error {
			handler, err := newHandler(env)
			env.Values[conversationKey{}] = &conversation{handler: handler}
			return err
		},
	})
}

type conversationKey struct{}

// conversation is the state of a script: whom it asks, and the last response.
type conversation struct {
	handler  http.Handler
	response *http.Response // nil before the first request
	body     []byte
}

// last returns the conversation once it has a response.
func last(ts *testscript.TestScript) *conversation {
	c := ts.Value(conversationKey{}).(*conversation)
	if c.response == nil {
		ts.Fatalf("no request has been sent yet")
	}
	return c
}

// request sends: address [header...] [@file].
func request(method string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: %s address ['name: value'...] [@file]", method)
		}
		var body io.Reader
		header := make(http.Header)
		for _, arg := range args[1:] {
			if file, ok := strings.CutPrefix(arg, "@"); ok {
				body = strings.NewReader(ts.ReadFile(file))
				continue
			}
			if text, ok := strings.CutPrefix(arg, "="); ok {
				body = strings.NewReader(text)
				continue
			}
			name, value, ok := strings.Cut(arg, ":")
			if !ok {
				ts.Fatalf("%q is neither a header nor @file nor =text", arg)
			}
			header.Add(name, strings.TrimSpace(value))
		}
		c := ts.Value(conversationKey{}).(*conversation)
		r := newRequest(ts, method, args[0], body)
		r.Header = header
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, r)
		c.response, c.body = recorder.Result(), recorder.Body.Bytes()
		ts.Logf("%s", c.response.Status)
	}
}

// newRequest reports an address that httptest cannot read, at which it panics, as an error of the script.
func newRequest(ts *testscript.TestScript, method, address string, body io.Reader) *http.Request {
	defer func() {
		if v := recover(); v != nil {
			ts.Fatalf("%v", v)
		}
	}()
	return httptest.NewRequest(method, address, body)
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	c := last(ts)
	if len(args) != 1 {
		ts.Fatalf("usage: status code")
	}
	if got := strconv.Itoa(c.response.StatusCode); (got == args[0]) == neg {
		ts.Fatalf("got status %s, want %s\n%s", got, wanted(neg, "", args[0]), excerpt(c.body))
	}
}

// parts read the named part of a response; args are what names it. ok is false where the response has no such part.
var parts = map[string]struct {
	args int
	read func(c *conversation, args []string) (value string, ok bool, err error)
}{
	"header": {1, func(c *conversation, args []string) (string, bool, error) {
		values := c.response.Header.Values(args[0])
		return strings.Join(values, ", "), len(values) > 0, nil
	}},
	"body": {0, func(c *conversation, _ []string) (string, bool, error) {
		return string(c.body), len(c.body) > 0, nil
	}},
	"json": {1, func(c *conversation, args []string) (string, bool, error) { return jsonPart(c.body, args[0]) }},
	"html": {1, func(c *conversation, args []string) (string, bool, error) { return htmlPart(c.body, args[0]) }},
}

// check compares a part of the response: part-args [op text...].
func check(ts *testscript.TestScript, name string, neg bool, args []string) {
	c, part := last(ts), parts[name]
	if len(args) < part.args || len(args) == part.args+1 {
		ts.Fatalf("usage: %s, %d argument(s), and perhaps an operator and a text", name, part.args)
	}
	label, test := strings.Join(append([]string{name}, args[:part.args]...), " "), args[part.args:]
	got, ok, err := part.read(c, args)
	ts.Check(err)
	if len(test) == 0 {
		if ok == neg {
			ts.Fatalf("%s: got %q, want %s", label, got, wanted(neg, "", "any"))
		}
		return
	}
	want := text(ts, test[1:])
	fits, err := compare(got, test[0], want)
	ts.Check(err)
	if fits == neg {
		ts.Fatalf("%s: got %s, want %s", label, excerpt([]byte(got)), wanted(neg, test[0]+" ", want))
	}
}

// text is the rest of a line, or the content of a file.
func text(ts *testscript.TestScript, words []string) string {
	if file, ok := strings.CutPrefix(words[0], "@"); ok && len(words) == 1 {
		return strings.TrimSuffix(ts.ReadFile(file), "\n")
	}
	return strings.Join(words, " ")
}

func compare(got, op, want string) (bool, error) {
	switch op {
	case "==":
		return strings.TrimSuffix(got, "\n") == want, nil
	case "!=":
		return strings.TrimSuffix(got, "\n") != want, nil
	case "contains":
		return strings.Contains(got, want), nil
	case "matches":
		return regexp.MatchString(want, got)
	}
	return false, fmt.Errorf("no operator %q: use ==, !=, contains or matches", op)
}

// capture keeps a part in a variable: NAME part part-args [matches expression].
func capture(ts *testscript.TestScript, neg bool, args []string) {
	var expression string
	if n := len(args); n > 2 && args[n-2] == "matches" {
		args, expression = args[:n-2], args[n-1]
	}
	if neg || len(args) < 2 || len(args) != parts[args[1]].args+2 || parts[args[1]].read == nil {
		ts.Fatalf("usage: capture NAME header|body|json|html [what] [matches expression]")
	}
	value, ok, err := parts[args[1]].read(last(ts), args[2:])
	ts.Check(err)
	if !ok {
		ts.Fatalf("the response has no %s", strings.Join(args[1:], " "))
	}
	if expression != "" {
		re, err := regexp.Compile(expression)
		ts.Check(err)
		groups := re.FindStringSubmatch(value)
		if len(groups) != 2 {
			ts.Fatalf("%s: got %s, want one group of %s",
				strings.Join(args[1:], " "), excerpt([]byte(value)), expression)
		}
		value = groups[1]
	}
	ts.Setenv(args[0], value)
}

// jsonPart finds a value by its JSON pointer.
func jsonPart(body []byte, pointer string) (string, bool, error) {
	var value any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return "", false, fmt.Errorf("the body is not JSON: %w\n%s", err, excerpt(body))
	}
	if pointer != "" && pointer[0] != '/' {
		return "", false, fmt.Errorf("a JSON pointer begins with a slash, %q does not", pointer)
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, key := range strings.Split(pointer, "/")[1:] {
		var ok bool
		switch v := value.(type) {
		case map[string]any:
			value, ok = v[unescape.Replace(key)]
		case []any:
			if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v) {
				value, ok = v[i], true
			}
		}
		if !ok {
			return "", false, nil
		}
	}
	if s, ok := value.(string); ok {
		return s, true, nil
	}
	compact, err := json.Marshal(value)
	return string(compact), true, err
}

// htmlPart gives the text, or an attribute, of all elements that a selector finds.
func htmlPart(body []byte, selector string) (string, bool, error) {
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	selector, attribute, _ := strings.Cut(selector, "@")
	var found []string
	doc.Find(selector).Each(func(_ int, s *goquery.Selection) {
		if attribute == "" {
			found = append(found, strings.Join(strings.Fields(s.Text()), " "))
		} else if value, ok := s.Attr(attribute); ok {
			found = append(found, value)
		}
	})
	return strings.Join(found, ", "), len(found) > 0, nil
}

func wanted(neg bool, op, text string) string {
	if neg {
		return "not " + op + text
	}
	return op + text
}

// excerpt keeps a failure readable where the body is a whole page.
func excerpt(body []byte) string {
	if len(body) > 2000 {
		return string(body[:2000]) + "…"
	}
	return string(body)
}
