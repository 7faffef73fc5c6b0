package web

import "net/http"

// Visitor is who is signed in, as a site's header shows it; nil is nobody.
type Visitor struct {
	Name, Email, Role string
}

// visitorError is an error whose page shows who made the request.
type visitorError struct {
	error
	visitor *Visitor
}

func (e *visitorError) Unwrap() error { return e.error }

// ShowVisitor returns a handler like handle, whose error pages show the visitor too.
func ShowVisitor(visitor func(*http.Request) *Visitor, handle HandlerFunc) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := run(handle, w, r); err != nil {
			return &visitorError{err, visitor(r)}
		}
		return nil
	}
}
