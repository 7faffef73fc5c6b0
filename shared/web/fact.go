package web

import (
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
)

// Fact is a line of a facts list: a label and what holds of it. The templates "fact" and "facts" show it.
type Fact struct {
	Label template.HTML
	Value template.HTML // "" for a line that is left out
}

// newFact makes a line of a label and the parts of its value, which are joined. Parts are text unless a function below
// made HTML of them. The line is left out if its first part is empty.
func newFact(label any, parts ...any) Fact {
	f := Fact{Label: markup(label)}
	for i, part := range parts {
		text := markup(part)
		if i == 0 && text == "" {
			break
		}
		f.Value += text
	}
	return f
}

// markup returns HTML as it is and everything else as escaped text.
func markup(part any) template.HTML {
	if safe, ok := part.(template.HTML); ok {
		return safe
	}
	return template.HTML(template.HTMLEscapeString(fmt.Sprint(part)))
}

func element(name string, content any) template.HTML {
	inner := markup(content)
	if inner == "" {
		return ""
	}
	end, _, _ := strings.Cut(name, " ")
	return template.HTML("<"+name+">") + inner + template.HTML("</"+end+">")
}

// factFunctions are what templates call to make facts. Each gives "" for a zero value.
var factFunctions = template.FuncMap{
	"fact":  newFact,
	"facts": func(facts ...Fact) []Fact { return facts },
	// code marks an ID or a name that is copied.
	"code": func(text any) template.HTML { return element("code", text) },
	// typed keeps the line breaks of what a person typed.
	"typed": func(text string) template.HTML { return element(`span class="typed"`, text) },
	"names": names,
	"day": func(d license.Date) template.HTML {
		if d.IsZero() {
			return ""
		}
		return element(`time datetime="`+d.String()+`"`, d.Long())
	},
	"moment": func(t time.Time) template.HTML {
		if t.IsZero() {
			return ""
		}
		return element(`time datetime="`+t.UTC().Format(time.RFC3339)+`"`, Instant(t))
	},
	// link leads to a path or an HTTP address; any other, such as javascript:, is an error.
	"link": func(address string, text any) (template.HTML, error) {
		if address == "" {
			return "", nil
		}
		leads := func(prefix string) bool { return strings.HasPrefix(address, prefix) }
		if !slices.ContainsFunc([]string{"/", "https://", "http://"}, leads) {
			return "", fmt.Errorf("web: link to %q, which is neither a path nor an HTTP address", address)
		}
		return element(`a href="`+template.HTMLEscapeString(address)+`"`, text), nil
	},
}

// names joins the elements of a list with commas: texts, or structs with a field Name.
func names(list any) string {
	var out []string
	for _, v := range reflect.ValueOf(list).Seq2() {
		if v.Kind() == reflect.Struct {
			v = v.FieldByName("Name")
		}
		out = append(out, v.String())
	}
	return strings.Join(out, ", ")
}
