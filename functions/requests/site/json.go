package site

import (
	"encoding/json"
	"io"
	"strings"

	"marketplace/shared/fault"
)

// maxErrors limits how many wrong members an answer lists.
const maxErrors = 40

// decodeObject reads a body that is one JSON object and hands each member to set. bad names wrong members; err means
// that the body is not such an object.
func decodeObject(body string, set func(jsonMember)) (bad fault.Fields, err error) {
	in := json.NewDecoder(strings.NewReader(body))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil, notJSON(err)
	}
	seen := make(map[string]bool)
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		m := jsonMember{name: name.(string), bad: &bad}
		if err := in.Decode(&m.value); err != nil {
			return nil, notJSON(err)
		}
		if len(bad) == maxErrors {
			return nil, fault.New(fault.Invalid, "Too many members of the JSON object are invalid. Check the format.")
		}
		if seen[m.name] {
			m.fault("This member appears twice. Send it once.")
			continue
		}
		seen[m.name] = true
		set(m)
	}
	if _, err := in.Token(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := in.Token(); err != io.EOF {
		return nil, fault.Wrap(fault.Invalid, err, "The body continues after the JSON object. Send one object only.")
	}
	return bad, nil
}

func notJSON(err error) error {
	return fault.Wrap(fault.Invalid, err, "The body is not a complete JSON object.")
}

// jsonMember is a member of a JSON object. Its methods store the value as a person would type it. They treat null as
// missing, and report a nil target as an unknown member.
type jsonMember struct {
	name  string
	value json.RawMessage
	bad   *fault.Fields
}

func (m jsonMember) fault(msg string) { m.bad.Add(m.name, "%s", msg) }

func (m jsonMember) text(target *string) { m.read(target, "Send a string.") }

// read stores a string; want is the error for other values.
func (m jsonMember) read(target *string, want string) {
	switch {
	case target == nil:
		m.fault("Unknown member. Remove it.")
	case string(m.value) == "null":
	case m.value[0] != '"':
		m.fault(want)
	case json.Unmarshal(m.value, target) != nil:
		m.fault("This string is not valid. Send UTF-8 text.")
	}
}

// number stores a whole number or a string.
func (m jsonMember) number(target *string) {
	if c := m.value[0]; c != '-' && (c < '0' || '9' < c) {
		m.read(target, "Send a number or a string.")
		return
	}
	if strings.ContainsAny(string(m.value), ".eE") {
		m.fault("Enter the lines of code as a whole number, for example 120000.")
	}
	*target = string(m.value)
}

// list stores an array of strings, one a line, or a string.
func (m jsonMember) list(target *string) {
	const what = "Send an array of strings, or one string."
	if m.value[0] != '[' {
		m.read(target, what)
		return
	}
	var list []*string
	if json.Unmarshal(m.value, &list) != nil {
		m.fault(what)
	}
	for _, item := range list {
		if item == nil {
			m.fault(what)
			return
		}
		*target += *item + "\n"
	}
}
