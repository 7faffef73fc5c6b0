package site

import (
	"net/http"
	"net/url"
	"strconv"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// basis is what somebody saw who sends a form: the version of a request or license, and the last line of its timeline.
type basis struct {
	Version int64
	Seen    string
}

// readForm reads a form and what it is based on.
func readForm(r *http.Request) (form url.Values, b basis, err error) {
	form, err = web.ReadForm(r)
	if err != nil {
		return nil, basis{}, err
	}
	b.Seen = form.Get("seen")
	b.Version, err = strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil || b.Version < 1 || !license.ValidID(b.Seen) {
		return nil, basis{}, fault.Wrap(fault.Invalid, err, "The form does not say what it is about. Load the page again, and repeat your change.")
	}
	return form, b, nil
}

// maxText is how long a question, a reason or a note can be, in characters.
const maxText = 4000

// prompt is a text that an operator has to type.
type prompt struct{ name, label, hint string }

func (p prompt) field(value, wrong string) web.Field {
	return web.Field{Name: p.name, Label: p.label, Hint: p.hint, Value: value, Error: wrong, Type: "textarea", Rows: 4, Required: true}
}

// take reads the text out of a form; wrong says what is wrong with it.
func (p prompt) take(form url.Values) (typed, wrong string) {
	typed, err := input.Block("message", p.label, form.Get(p.name), maxText)
	switch {
	case err != nil:
		return form.Get(p.name), fault.Sentence(err)
	case typed == "":
		return "", p.label + " is missing."
	}
	return typed, ""
}

// trouble is why a form was not taken.
type trouble struct {
	Title     string
	Text      string
	Meanwhile []eventView // what others did since the form was shown
	Kept      string      // what was typed, where the page has no field for it any more
	KeptAs    string      // what it was
}

// overtaken is the trouble of a form that somebody else was faster than.
func overtaken(err error, events []store.Event, b basis) *trouble {
	t := &trouble{Title: "This is not possible now", Text: fault.Sentence(err), Meanwhile: timelineView(since(events, b.Seen))}
	if len(t.Meanwhile) > 0 {
		t.Title = "Somebody was faster"
		t.Text = "This changed while you looked at it, so nothing of yours was written. What you typed is kept: see what happened, and send it again if it still fits."
	}
	return t
}
