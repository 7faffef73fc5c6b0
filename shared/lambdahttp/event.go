package lambdahttp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Event is a request as API Gateway's HTTP API passes it to a function, payload format 2.0. It refers to the bytes from
// which it was parsed and is valid as long as they are; its methods return copies.
type Event struct {
	Method string
	// Path is percent-decoded and without the stage. API Gateway decodes it, despite the name rawPath: a client's
	// /a%2Fb arrives as /a/b, and its /a%252Fb as /a%2Fb. So it must not be decoded again.
	Path string
	// Query is as the client wrote it, without the question mark.
	Query string

	// JSON strings, without their quotes and with their escapes; headers and cookies are whole JSON values, already
	// checked.
	headers, cookies, body         []byte
	base64                         bool
	domain, id, protocol, sourceIP []byte
}

// ParseEvent parses an event. The error says what is wrong and where, and quotes almost nothing of the event.
func ParseEvent(data []byte) (*Event, error) {
	e := new(Event)
	if err := e.parse(data); err != nil {
		return nil, fmt.Errorf("lambdahttp: not an API Gateway event of payload format 2.0: %w", err)
	}
	return e, nil
}

func (e *Event) parse(data []byte) error {
	s := &scanner{data: data}
	var version, path, query, method, stage []byte
	s.space()
	err := s.object(func(key []byte) (err error) {
		switch string(plain(key)) {
		case "version":
			version, err = s.textOrNull()
		case "rawPath":
			path, err = s.textOrNull()
		case "rawQueryString":
			query, err = s.textOrNull()
		case "headers":
			e.headers, err = s.headers()
		case "cookies":
			e.cookies, err = s.cookies()
		case "body":
			e.body, err = s.textOrNull()
		case "isBase64Encoded":
			e.base64, err = s.boolean()
		case "requestContext":
			method, stage, err = e.parseContext(s)
		default:
			err = s.skip(2)
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.space(); s.pos < len(data) {
		return s.fail("the end of the text")
	}
	if v := unescape(version); v != "2.0" {
		return fmt.Errorf("its version is %.20q", v)
	}
	e.Method, e.Path, e.Query = unescape(method), unescape(path), unescape(query)
	if e.Method == "" {
		return errors.New("requestContext.http.method is missing")
	}
	if !strings.HasPrefix(e.Path, "/") {
		return errors.New("rawPath does not begin with a slash")
	}
	e.dropStage(unescape(stage))
	return nil
}

// dropStage removes the stage's name, with which API Gateway prefixes the path for every stage but $default.
func (e *Event) dropStage(stage string) {
	if stage == "" || stage == "$default" {
		return
	}
	if rest, ok := strings.CutPrefix(e.Path[1:], stage); ok && (rest == "" || rest[0] == '/') {
		e.Path = "/" + strings.TrimPrefix(rest, "/")
	}
}

func (e *Event) parseContext(s *scanner) (method, stage []byte, err error) {
	e.domain, e.id, e.protocol, e.sourceIP = nil, nil, nil, nil
	if s.word("null") {
		return nil, nil, nil
	}
	err = s.object(func(key []byte) (err error) {
		switch string(plain(key)) {
		case "domainName":
			e.domain, err = s.textOrNull()
		case "requestId":
			e.id, err = s.textOrNull()
		case "stage":
			stage, err = s.textOrNull()
		case "http":
			method, err = e.parseHTTP(s)
		default:
			err = s.skip(3)
		}
		return err
	})
	return method, stage, err
}

func (e *Event) parseHTTP(s *scanner) (method []byte, err error) {
	e.protocol, e.sourceIP = nil, nil
	if s.word("null") {
		return nil, nil
	}
	err = s.object(func(key []byte) (err error) {
		switch string(plain(key)) {
		case "method":
			method, err = s.textOrNull()
		case "protocol":
			e.protocol, err = s.textOrNull()
		case "sourceIp":
			e.sourceIP, err = s.textOrNull()
		default:
			err = s.skip(4)
		}
		return err
	})
	return method, err
}

// headers checks an object of strings, or null as nil, and returns it whole.
func (s *scanner) headers() ([]byte, error) {
	if s.word("null") {
		return nil, nil
	}
	start := s.pos
	err := s.object(func([]byte) error {
		_, err := s.textOrNull()
		return err
	})
	return s.data[start:s.pos], err
}

// cookies checks a list of strings, or null as nil, and returns it whole.
func (s *scanner) cookies() ([]byte, error) {
	if s.word("null") {
		return nil, nil
	}
	start := s.pos
	err := s.array(func() error {
		_, err := s.textOrNull()
		return err
	})
	return s.data[start:s.pos], err
}

// Header returns the value of a header by its lower-case ASCII name, "" if there is none. API Gateway lower-cases names
// and joins headers of one name with commas; Header does the same for an event that has a name in several spellings.
func (e *Event) Header(name string) string {
	var value string
	e.eachHeader(func(key, v []byte) {
		if key = plain(key); len(key) != len(name) || !strings.EqualFold(string(key), name) {
			return
		}
		if value != "" {
			value += ","
		}
		value += unescape(v)
	})
	return value
}

// HasBody reports whether the event carries a request body.
func (e *Event) HasBody() bool { return len(e.body) > 0 }

func (e *Event) eachHeader(field func(name, value []byte)) {
	if e.headers == nil {
		return
	}
	s := &scanner{data: e.headers}
	_ = s.object(func(name []byte) error { // checked when the event was parsed
		value, err := s.textOrNull()
		field(name, value)
		return err
	})
}

// cookieLine joins the cookies, which API Gateway removes from the headers, as a client sends them.
func (e *Event) cookieLine() string {
	if e.cookies == nil {
		return ""
	}
	var line []string
	s := &scanner{data: e.cookies}
	_ = s.array(func() error {
		v, err := s.textOrNull()
		line = append(line, unescape(v))
		return err
	})
	return strings.Join(line, "; ")
}

// plain resolves the escapes of a key, which hardly any has. A switch over string(plain(key)) does not copy.
func plain(key []byte) []byte {
	if bytes.IndexByte(key, '\\') < 0 {
		return key
	}
	return []byte(unescape(key))
}
