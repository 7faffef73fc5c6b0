// Package letter writes the mails of the vendor: subject, text and HTML, with license keys and calendar files
// attached. How a mail is kept and sent is not its concern: shared/store keeps it, functions/mailer sends it.
package letter

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"sync"
	texttemplate "text/template"
	"unicode/utf8"

	"marketplace/shared/brand"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// content is what a letter says, before it is rendered as text and as HTML: one source, so that neither says less than
// the other. Any of it may come from strangers: rendering makes it harmless.
type content struct {
	Title     string
	Preview   string    // what mail programs show next to the subject
	Greeting  string    // mail.GreetingSlot where the message greets somebody; set by compose
	Intro     []string  // paragraphs
	Statement quotation // what sales wrote, before the facts
	Facts     []fact    // those without a value are left out
	Keys      []keyPart
	Groups    []group   // licenses in lists
	Message   quotation // what the customer wrote, after the facts
	Lead      string    // what the action is for
	Action    link
	Notes     []note
	Footer    []string
	Stop      []link // in the footer
	Look      look   // set by compose
}

// look is the brand as the templates show it.
type look struct {
	brand.Brand
	Accent, AccentOnDark string // colors
}

// The colors of letters unless the brand has its own.
const (
	accent       = "#236a97"
	accentOnDark = "#6cb0ee"
)

func newLook(b brand.Brand) look {
	if b.Color.IsZero() {
		return look{b.OrDefault(), accent, accentOnDark}
	}
	return look{b.OrDefault(), b.Color.String(), b.Color.OnDark().String()}
}

type fact struct{ Label, Value string }

// keyPart is one license with its key.
type keyPart struct {
	Title string // "" if there is only one
	Facts []fact
	Lead  string
	Key   string // one line, however long; ASCII without spaces
}

// group is a list of licenses under a heading.
type group struct {
	Title, Text string
	Items       []item
}

// item is a license of a group, in a few lines: there may be 200.
type item struct {
	Title  string
	Lines  []string
	Action link
}

type note struct {
	Title, Text string
	Steps       []string // numbered
	Links       []link
}

type link struct{ Label, URL string }

// quotation is what a person wrote, line by line.
type quotation struct {
	Title string
	Lines []string
}

//go:embed template
var templates embed.FS

var htmlTemplate = sync.OnceValue(func() *htmltemplate.Template {
	return htmltemplate.Must(htmltemplate.ParseFS(templates, "template/mail.html"))
})

var textTemplate = sync.OnceValue(func() *texttemplate.Template {
	return texttemplate.Must(texttemplate.New("mail.txt").Funcs(texttemplate.FuncMap{
		"paragraph":  func(s string) string { return strings.Join(wrap(s, textWidth), "\n") },
		"facts":      textFacts,
		"quote":      textQuote,
		"steps":      textSteps,
		"heading":    func(s string) string { return underlined(s, "=") },
		"subheading": func(s string) string { return underlined(s, "-") },
	}).ParseFS(templates, "template/mail.txt"))
})

// underlined returns a heading of a text. A second line is not underlined: headings are short.
func underlined(s, with string) string {
	return s + "\n" + strings.Repeat(with, utf8.RuneCountInString(s))
}

// compose returns the message with the content as its text and HTML.
func (w Writer) compose(m mail.Message, c content) mail.Message {
	if m.Greeting != "" {
		c.Greeting = mail.GreetingSlot
	}
	if w.call.MaybeTwice {
		c.Footer = append([]string{maybeTwice}, c.Footer...)
	}
	c.Look = newLook(w.Brand)
	m.Attempt = w.call.Attempt
	m.Text, m.HTML = c.render()
	return m
}

// subject formats a subject that is harmless in a header.
func subject(format string, args ...any) string {
	return input.OneLine(fmt.Sprintf(format, args...), maxSubject)
}

// render writes the content as text and as HTML. It cannot fail: a test checks the templates against full and empty
// contents.
func (c content) render() (text, html string) {
	c = c.clean()
	var t, h strings.Builder
	if err := textTemplate().Execute(&t, c); err != nil {
		panic(fmt.Sprintf("mail: rendering the text: %v", err))
	}
	if err := htmlTemplate().Execute(&h, c); err != nil {
		panic(fmt.Sprintf("mail: rendering the HTML: %v", err))
	}
	return strings.TrimSpace(t.String()) + "\n", h.String()
}

// clean makes every text of the content harmless in a mail (oneLine). Links are URL-encoded where they are made.
func (c content) clean() content {
	c.Title, c.Preview = input.OneLine(c.Title, maxSubject), input.OneLine(c.Preview, maxSubject)
	c.Intro, c.Footer = cleanLines(c.Intro), cleanLines(c.Footer)
	c.Statement.Lines, c.Message.Lines = cleanLines(c.Statement.Lines), cleanLines(c.Message.Lines)
	c.Facts = cleanFacts(c.Facts)
	keys := make([]keyPart, len(c.Keys))
	for i, k := range c.Keys {
		keys[i] = keyPart{
			Title: input.OneLine(k.Title, maxSubject), Facts: cleanFacts(k.Facts),
			Lead: input.OneLine(k.Lead, maxParagraph), Key: input.OneLine(k.Key, license.MaxText),
		}
	}
	notes := make([]note, len(c.Notes))
	for i, n := range c.Notes {
		notes[i] = note{n.Title, input.OneLine(n.Text, maxParagraph), cleanLines(n.Steps), nil}
		for _, l := range n.Links {
			notes[i].Links = append(notes[i].Links, link{input.OneLine(l.Label, maxSubject), l.URL})
		}
	}
	c.Keys, c.Notes = keys, notes
	groups := make([]group, len(c.Groups))
	for i, g := range c.Groups {
		groups[i] = group{
			input.OneLine(g.Title, maxSubject), input.OneLine(g.Text, maxParagraph), make([]item, len(g.Items)),
		}
		for j, one := range g.Items {
			groups[i].Items[j] = item{input.OneLine(one.Title, maxSubject), cleanLines(one.Lines), one.Action}
		}
	}
	c.Groups = groups
	return c
}

func cleanLines(list []string) []string {
	cleaned := make([]string, len(list))
	for i, s := range list {
		cleaned[i] = input.OneLine(s, maxParagraph)
	}
	return cleaned
}

// cleanFacts leaves out facts without a value.
func cleanFacts(facts []fact) (known []fact) {
	for _, f := range facts {
		if value := input.OneLine(f.Value, maxValue); value != "" {
			known = append(known, fact{f.Label, value})
		}
	}
	return known
}

// Limits of texts in a mail, in characters. The form and the import accept less of nearly everything.
const (
	maxSubject   = 150
	maxValue     = 1500 // five email addresses
	maxParagraph = 4000
)

// textFacts writes facts in two columns; a long value is wrapped within its column.
func textFacts(facts []fact) string {
	width := 0
	for _, f := range facts {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	var b strings.Builder
	for _, f := range facts {
		label := f.Label + ":"
		for _, line := range wrap(f.Value, textWidth-width-5) {
			fmt.Fprintf(&b, "  %-*s  %s\n", width+1, label, line)
			label = ""
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// textQuote prefixes lines with "> ", as mail programs do.
func textQuote(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		parts := wrap(line, textWidth-2)
		if len(parts) == 0 {
			b.WriteString(">\n")
		}
		for _, part := range parts {
			b.WriteString("> " + part + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// textSteps numbers steps; a long one is wrapped with an indent.
func textSteps(steps []string) string {
	var b strings.Builder
	for i, step := range steps {
		number := fmt.Sprintf("%d.", i+1)
		for _, line := range wrap(step, textWidth-4) {
			fmt.Fprintf(&b, "%-3s %s\n", number, line)
			number = ""
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
