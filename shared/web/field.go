package web

import "marketplace/shared/fault"

// Field is a field of a form for the template "field": label, hint, error, input. Its id is its name.
type Field struct {
	Name  string
	Label string
	Hint  string // how to fill it in; "" for none
	Value string // as it was typed
	Error string // "" if the value is right
	// Type is the input's type; "" is "text". "textarea" has Rows lines. "radio" shows all Options, "select" the chosen
	// one; of "boxes" any number can be Ticked.
	Type         string
	Rows         int
	Options      []Option
	Autocomplete string // what a browser may fill in, as HTML names it; "" is "off"
	InputMode    string
	Class        string // further classes of the field's box
	Required     bool
	Optional     bool // says so beside the label
}

// Option is one of a field's choices.
type Option struct {
	Value  string
	Label  string
	Hint   string
	Ticked bool // of boxes
}

// DescribedBy returns the IDs of the texts that belong to the field's input.
func (f Field) DescribedBy() string {
	switch {
	case f.Error != "" && f.Hint != "":
		return f.Name + "-hint " + f.Name + "-error"
	case f.Error != "":
		return f.Name + "-error"
	case f.Hint != "":
		return f.Name + "-hint"
	}
	return ""
}

// Target returns the ID for a link to the field.
func (f Field) Target() string {
	if (f.Type == "radio" || f.Type == "boxes") && len(f.Options) > 0 {
		return f.Name + "-" + f.Options[0].Value
	}
	return f.Name
}

// Marked has the errors of a form, for the template "form-errors" at its top.
type Marked struct {
	Errors []Field  // the fields with an error, in the order of the page
	Stray  []string // errors of fields that are not on the page
}

// Mark sets the errors of a form's fields, which are in the order of the page. Boxes without Options are not on the
// page.
func Mark(bad []fault.Field, fields ...*Field) (m Marked) {
	messages := make(map[string]string, len(bad))
	for _, b := range bad {
		messages[b.Name] = b.Msg
	}
	for _, f := range fields {
		msg, wrong := messages[f.Name]
		if !wrong || f.Type == "boxes" && len(f.Options) == 0 {
			continue
		}
		f.Error = msg
		m.Errors = append(m.Errors, *f)
		delete(messages, f.Name)
	}
	for _, b := range bad {
		if msg, stray := messages[b.Name]; stray {
			m.Stray = append(m.Stray, msg)
			delete(messages, b.Name)
		}
	}
	return m
}
