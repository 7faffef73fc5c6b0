// Package fault defines the kinds of error that a caller can act on.
//
// An Error separates the message for the user (Msg, Fields) from the cause for the log (Err). shared/web maps kinds to
// HTTP statuses and writes the answers.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about an error. The zero Kind is Internal, for unknown errors.
type Kind uint8

const (
	Internal    Kind = iota // our mistake; the cause is for the log only
	Invalid                 // the input is invalid; Fields says where
	NotFound                // it does not exist
	Gone                    // it existed and was withdrawn
	Conflict                // someone else changed it first, or it contradicts the current state
	Forbidden               // the person may not do this
	TooLarge                // the input exceeds a limit
	Unsupported             // the content type of the input is not supported
	Method                  // the address does not support the method
	RateLimited             // too many requests; try later
	Unavailable             // a service that we need does not respond; try again
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "gone", "conflict", "forbidden", "too large", "unsupported",
	"method not allowed", "rate limited", "unavailable",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("fault.Kind(%d)", uint8(k))
}

// Field is the error of one field of the input. Name is the field's name in the form and in JSON.
type Field struct {
	Name string `json:"field"`
	Msg  string `json:"message"`
}

// Error is an error with a message for the user. Msg is a full sentence for the person who made the request; Err is
// the cause and is never shown. An Error with Fields has Kind Invalid.
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

// New returns an error of the kind with a sentence for the user.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Wrap returns an error of the kind with a sentence for the user and a cause for the log.
func Wrap(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the kind of the first Error in err's chain; Internal if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Sentence returns the message for the user: the Msg of the first Error in err's chain, or err's text if there is none.
func Sentence(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Msg
	}
	return err.Error()
}

// Fields collects the errors of an input in the order of the checks.
type Fields []Field

// Add adds the error of a field, unless the field has one already.
func (f *Fields) Add(name, format string, args ...any) {
	for _, have := range *f {
		if have.Name == name {
			return
		}
	}
	*f = append(*f, Field{Name: name, Msg: fmt.Sprintf(format, args...)})
}

// Refuse adds err (its Sentence) as the error of a field; it does nothing if err is nil.
func (f *Fields) Refuse(name string, err error) {
	if err != nil {
		f.Add(name, "%s", Sentence(err))
	}
}

// Err returns an Invalid error with the fields; nil if there are none.
func (f Fields) Err(msg string) error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Msg: msg, Fields: f}
}
