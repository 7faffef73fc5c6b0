// Package fault holds the kinds of error that a caller can act upon.
//
// An Error keeps apart what its reader is told (Msg, Fields) and what the log is told (Err).
// It knows nothing of HTTP: shared/web maps kinds to statuses and writes the answers.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about an error. The zero Kind is Internal: an error of which nothing is known.
type Kind uint8

const (
	Internal    Kind = iota // a fault of ours; its cause is for the log only
	Invalid                 // the input is wrong; Fields says where
	NotFound                // there is no such thing
	Gone                    // there was such a thing and it was withdrawn
	Conflict                // somebody else changed it first, or it contradicts what is there
	Forbidden               // known, and not allowed
	TooLarge                // the input is over a limit
	Unsupported             // the input is of a content type that is not read here
	Method                  // the address exists, the method is not for it
	RateLimited             // too many, try later
	Unavailable             // something we depend on does not answer; try again
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "gone", "conflict", "forbidden", "too large", "unsupported", "method not allowed", "rate limited", "unavailable",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("fault.Kind(%d)", uint8(k))
}

// Field is what is wrong with one field of the input. Name is the field's name in the form and in the JSON.
type Field struct {
	Name string `json:"field"`
	Msg  string `json:"message"`
}

// Error is an error with a reader. Msg is a full sentence for the person who made the request; Err is the cause and is
// never shown. An Error with Fields has Kind Invalid.
type Error struct {
	Kind   Kind
	Msg    string
	Fields []Field
	Err    error
}

func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	for _, f := range e.Fields {
		s += fmt.Sprintf(" [%s: %s]", f.Name, f.Msg)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error of the kind with a sentence for its reader.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of the kind whose cause err goes to the log alone.
func Wrap(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Err: err}
}

// KindOf is the kind of the first Error in err's chain; Internal where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Sentence is what err tells its reader: the Msg of the first Error in its chain, or its own text where there is none.
func Sentence(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Msg
	}
	return err.Error()
}

// Fields gathers what is wrong with an input, field by field, in the order in which the fields were checked.
type Fields []Field

// Add notes that a field is wrong. Only the first thing said of a field is kept.
func (f *Fields) Add(name, format string, args ...any) {
	for _, have := range *f {
		if have.Name == name {
			return
		}
	}
	*f = append(*f, Field{Name: name, Msg: fmt.Sprintf(format, args...)})
}

// Refuse notes that a field is wrong in the way that err says (Sentence); nothing where err is nil.
func (f *Fields) Refuse(name string, err error) {
	if err != nil {
		f.Add(name, "%s", Sentence(err))
	}
}

// Err is nil where nothing was noted, else an Invalid error with the fields.
func (f Fields) Err(msg string) error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Msg: msg, Fields: f}
}
