package web

// Field is a field of a form, as the template "field" shows it: label, hint, error, input. Its id is its name.
type Field struct {
	Name  string
	Label string
	Hint  string // how to fill it in; "" for none
	Value string // as it was typed
	Error string // what is wrong with it; "" where nothing is
	// Type is the input's type, "text" where it is empty. "textarea" is an area of Rows lines. "radio" is a choice of Options
	// that all are seen, "select" one of which the chosen is; of "boxes" any number can be Ticked.
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

// DescribedBy are the ids of the texts that belong to the field's input.
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

// Target is the id that a link to the field leads to.
func (f Field) Target() string {
	if (f.Type == "radio" || f.Type == "boxes") && len(f.Options) > 0 {
		return f.Name + "-" + f.Options[0].Value
	}
	return f.Name
}
