// Package letter writes the mails of the vendor: subject, text and HTML, with license keys and calendar files attached. How
// a mail is kept and sent is not its concern: shared/store keeps it, functions/mailer sends it.
package letter

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"sync"
	texttemplate "text/template"
	"unicode/utf8"

	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// content is what a message says, before it is laid out as text and as HTML: one source, so that neither says less than
// the other. All of it is text from anywhere: laying out makes it harmless.
type content struct {
	Title    string
	Preview  string    // what a list of mails shows beside the subject
	Greeting string    // mail.GreetingSlot where the message greets somebody; set by compose
	Intro    []string  // paragraphs
	Said     quotation // what the mail is about, before the facts
	Facts    []fact    // one without a value is left out
	Keys     []keyPart
	Quote    quotation
	Lead     string // what the link is for
	Action   link
	Notes    []note
	Footer   []string
	Stop     link // of the footer; the text's footer says how in words
}

type fact struct{ Label, Value string }

// keyPart is a license with its key.
type keyPart struct {
	Title string // "" where there is but one
	Facts []fact
	Lead  string
	Key   string // one line, however long; ASCII without spaces
}

type note struct {
	Title, Text string
	Steps       []string // numbered
	Links       []link
}

type link struct{ Label, URL string }

// quotation is what somebody wrote, line by line.
type quotation struct {
	Title string
	Lines []string
}

//go:embed template
var templates embed.FS

var htmlLayout = sync.OnceValue(func() *htmltemplate.Template {
	return htmltemplate.Must(htmltemplate.ParseFS(templates, "template/mail.html"))
})

var textLayout = sync.OnceValue(func() *texttemplate.Template {
	return texttemplate.Must(texttemplate.New("mail.txt").Funcs(texttemplate.FuncMap{
		"paragraph": func(s string) string { return strings.Join(wrap(s, textWidth), "\n") },
		"facts":     textFacts,
		"quote":     textQuote,
		"steps":     textSteps,
		"heading":   func(s string) string { return s + "\n" + strings.Repeat("=", utf8.RuneCountInString(s)) },
	}).ParseFS(templates, "template/mail.txt"))
})

// compose completes a message with what the content says, as text and as HTML.
func compose(m mail.Message, c content) mail.Message {
	if m.Greeting != "" {
		c.Greeting = mail.GreetingSlot
	}
	m.Text, m.HTML = c.layOut()
	return m
}

// layOut writes the content as text and as HTML. The layouts are checked against contents full and empty by a test:
// laying out cannot fail.
func (c content) layOut() (text, html string) {
	c = c.clean()
	var t, h strings.Builder
	if err := textLayout().Execute(&t, c); err != nil {
		panic(fmt.Sprintf("mail: laying out as text: %v", err))
	}
	if err := htmlLayout().Execute(&h, c); err != nil {
		panic(fmt.Sprintf("mail: laying out as HTML: %v", err))
	}
	return strings.TrimSpace(t.String()) + "\n", h.String()
}

// clean makes every text of the content harmless in a mail (oneLine). Links are URL-encoded where they are made.
func (c content) clean() content {
	c.Title, c.Preview = mail.OneLine(c.Title, maxSubject), mail.OneLine(c.Preview, maxSubject)
	c.Intro, c.Footer = cleanLines(c.Intro), cleanLines(c.Footer)
	c.Said.Lines, c.Quote.Lines = cleanLines(c.Said.Lines), cleanLines(c.Quote.Lines)
	c.Facts = cleanFacts(c.Facts)
	keys := make([]keyPart, len(c.Keys))
	for i, k := range c.Keys {
		keys[i] = keyPart{mail.OneLine(k.Title, maxSubject), cleanFacts(k.Facts), mail.OneLine(k.Lead, maxParagraph), mail.OneLine(k.Key, license.MaxText)}
	}
	notes := make([]note, len(c.Notes))
	for i, n := range c.Notes {
		notes[i] = note{n.Title, mail.OneLine(n.Text, maxParagraph), cleanLines(n.Steps), nil}
		for _, l := range n.Links {
			notes[i].Links = append(notes[i].Links, link{mail.OneLine(l.Label, maxSubject), l.URL})
		}
	}
	c.Keys, c.Notes = keys, notes
	return c
}

func cleanLines(list []string) []string {
	cleaned := make([]string, len(list))
	for i, s := range list {
		cleaned[i] = mail.OneLine(s, maxParagraph)
	}
	return cleaned
}

// cleanFacts leaves out what has no value.
func cleanFacts(facts []fact) (known []fact) {
	for _, f := range facts {
		if value := mail.OneLine(f.Value, maxValue); value != "" {
			known = append(known, fact{f.Label, value})
		}
	}
	return known
}

// How much of a text goes into a mail, in characters. The form and the import take less of nearly everything.
const (
	maxSubject   = 150
	maxValue     = 1500 // five e-mail addresses
	maxParagraph = 4000
)

// textFacts writes facts in two columns; a long value goes on below its beginning.
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

// textQuote writes a quotation as mails do.
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

// textSteps numbers steps; a long one goes on below its beginning.
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
