package site

import (
	"net/http"
	"net/url"
	"strconv"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// snapshot is the state that a form was shown in: the version of its request or license, and the last event on the
// timeline.
type snapshot struct {
	Version   int64
	LastEvent string
}

// readForm reads a form and the snapshot in it.
func readForm(r *http.Request) (form url.Values, b snapshot, err error) {
	form, err = web.ReadForm(r)
	if err != nil {
		return nil, snapshot{}, err
	}
	b.LastEvent = form.Get("seen")
	b.Version, err = strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil || b.Version < 1 || !license.ValidID(b.LastEvent) {
		return nil, snapshot{}, fault.Wrap(fault.Invalid, err, "The form is incomplete. Reload the page and try again.")
	}
	return form, b, nil
}

// maxText is the longest question, reason or note, in characters.
const maxText = 4000

// textInput is a text that an operator must enter.
type textInput struct {
	name, label, hint string
	missing           string // the error where it is empty
}

func (p textInput) field(value, wrong string) web.Field {
	return web.Field{
		Name: p.name, Label: p.label, Hint: p.hint, Value: value, Error: wrong, Type: "textarea", Rows: 4,
		Required: true,
	}
}

// read returns the text in a form, and an error sentence where it is not acceptable.
func (p textInput) read(form url.Values) (typed, wrong string) {
	typed, err := input.Block("message", p.label, form.Get(p.name), maxText)
	switch {
	case err != nil:
		return form.Get(p.name), fault.Sentence(err)
	case typed == "":
		return "", p.missing
	}
	return typed, ""
}

// formError tells why a form was not accepted.
type formError struct {
	Title     string
	Text      string
	Meanwhile []eventView // events since the form was shown
	Typed     string      // the submitted text, where the page no longer has its field
	TypedInto string      // the label of that field
}

// conflictError describes a conflict, with the events since the form was shown.
func conflictError(err error, timeline []eventView, b snapshot) *formError {
	t := &formError{
		Title: "This is not possible now", Text: fault.Sentence(err),
	}
	for _, e := range timeline {
		if e.ID > b.LastEvent {
			t.Meanwhile = append(t.Meanwhile, e)
		}
	}
	if len(t.Meanwhile) > 0 {
		t.Title = "This page has changed since you opened it"
		t.Text = "Your change was not saved. " +
			"Check what changed below, then try again if your change still applies."
	}
	return t
}
