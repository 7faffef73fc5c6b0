package request

import (
	"slices"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
)

// Reply is a text that sales begin a question, a rejection or a withdrawal with.
type Reply struct {
	ID   string `json:"id"`
	Name string `json:"name"` // what sales choose it by
	For  State  `json:"for"`  // the state that a request gets into with it: one of ReplyStates
	Text string `json:"text"` // with placeholders

	ChangedBy string    `json:"changedBy"` // a colleague's email address
	Changed   time.Time `json:"changed"`   // UTC

	Version int64 `json:"-"` // as it was read; 0 of a new one
}

// ReplyStates are the states that a request gets into with a text to the customer.
var ReplyStates = []State{Waiting, Rejected, Withdrawn}

// Placeholder stands for a fact of a request in the text of a reply.
type Placeholder struct {
	Name string // in braces
	Is   string // what it becomes
	// typed: whoever filed the request typed the value, so it is not repeated to an unconfirmed address.
	typed bool
	value func(Request) string
}

// maxPlaceholder is the longest value of a placeholder, in characters.
const maxPlaceholder = 200

// Placeholders are all that exist.
var Placeholders = []Placeholder{
	{"reference", "the reference, such as R-7K3Q9F", false, func(r Request) string { return string(r.Reference) }},
	{"kind", "what is requested, such as Renewal", false, func(r Request) string { return r.Kind.Name() }},
	{"edition", "the edition, such as Developer Edition", false, func(r Request) string { return r.Edition.Name() }},
	{"received", "the day on which we received the request", false,
		func(r Request) string { return r.Created.UTC().Format("02 Jan 2006") }},
	{"server ID", "the server ID", true, func(r Request) string { return string(r.Server) }},
	{"lines of code", "the lines of code", true, func(r Request) string { return r.Counted() }},
	{"name", "the requester's name", true, func(r Request) string { return r.Name }},
	{"company", "the company", true, func(r Request) string { return r.Company }},
}

// CheckReply returns an Invalid fault that names what is wrong with the placeholders of a text, and those that exist.
func CheckReply(text string) error {
	_, err := placeholders(text, func(Placeholder) string { return "" })
	return err
}

// Filled returns the text with the facts of a request in the place of its placeholders. left names those that it leaves
// out: until the address is confirmed, our emails repeat nothing that was typed with the request.
func (t Reply) Filled(r Request) (text string, left []string) {
	text, err := placeholders(t.Text, func(p Placeholder) string {
		if p.typed && !r.AddressConfirmed() {
			if !slices.Contains(left, p.Name) {
				left = append(left, p.Name)
			}
			return ""
		}
		return input.OneLine(p.value(r), maxPlaceholder)
	})
	if err != nil {
		return t.Text, nil // a newer version may know more of them
	}
	return text, left
}

// placeholders replaces the placeholders of a text.
func placeholders(text string, value func(Placeholder) string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || strings.ContainsAny(name, "{\n") {
			return "", fault.New(fault.Invalid, "Close the brace of “{%s”. %s", input.OneLine(name, 30), existing())
		}
		i := slices.IndexFunc(Placeholders, func(p Placeholder) bool { return p.Name == name })
		if i < 0 {
			return "", fault.New(fault.Invalid, "There is no placeholder {%s}. %s", input.OneLine(name, 30), existing())
		}
		b.WriteString(value(Placeholders[i]))
		text = after
	}
}

// existing lists the placeholders in a sentence.
func existing() string {
	var names []string
	for _, p := range Placeholders {
		names = append(names, "{"+p.Name+"}")
	}
	return "Use " + strings.Join(names, ", ") + "."
}
