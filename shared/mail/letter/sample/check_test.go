package sample

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"marketplace/shared/spreadsheet"
)

// checker holds the bytes of an email, as they go to SES, against what mail servers, mail programs and readers need. It
// reads them with the standard library, apart from our own writer and parser.
type checker struct {
	identity string   // the domain that is verified in SES, which signs with DKIM
	sales    string   // the one address that a mailto: link may have
	hosts    []string // that links may lead to

	problems []string
}

// Limits of an email.
const (
	maxEmail = 60_000 // bytes; SES takes 10 MB. The largest sample has 53,000.
	maxHTML  = 50_000 // bytes; Gmail cuts off what is beyond 102 KB
	maxLine  = 998    // bytes without CR LF (RFC 5322 §2.1.1)
	maxCoded = 76     // bytes of a line of base64 (RFC 2045 §6.8)
)

func (c *checker) report(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// check returns what is wrong with an email.
func (c checker) check(raw []byte) []string {
	c.problems = nil
	if len(raw) > maxEmail {
		c.report("the email has %d bytes, more than %d", len(raw), maxEmail)
	}
	c.lines(raw)
	head, _, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !found {
		c.report("no empty line after the headers")
		return c.problems
	}
	c.headers(string(head))
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		c.report("the email cannot be read: %v", err)
		return c.problems
	}
	c.addresses(m.Header)
	var b bodies
	c.part(&b, textproto.MIMEHeader(m.Header), m.Body, "")
	c.bodies(b)
	return c.problems
}

func (c *checker) lines(raw []byte) {
	for i, line := range bytes.Split(raw, []byte("\r\n")) {
		if len(line) > maxLine {
			c.report("line %d has %d bytes, more than %d", i+1, len(line), maxLine)
		}
		if bytes.ContainsAny(line, "\r\n\x00") {
			c.report("line %d has a bare CR, LF or NUL", i+1)
		}
		if bytes.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) {
			c.report("line %d is not ASCII", i+1)
		}
	}
}

// Headers of an email: those that it must have, and those that it may have. SES adds Return-Path and DKIM-Signature.
var (
	required = []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Auto-Submitted"}
	optional = []string{"Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"}
)

func (c *checker) headers(head string) {
	count := map[string]int{}
	for line := range strings.SplitSeq(head, "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		name, _, found := strings.Cut(line, ":")
		if !found || strings.ContainsAny(name, " \t") {
			c.report("not a header: %q", line)
		}
		count[textproto.CanonicalMIMEHeaderKey(name)]++
	}
	for _, name := range required {
		if count[name] == 0 {
			c.report("no header %s", name)
		}
	}
	for name, n := range count {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			c.report("unexpected header %s", name)
		}
		if n > 1 {
			c.report("%d headers %s", n, name)
		}
	}
}

func (c *checker) addresses(h netmail.Header) {
	for _, name := range []string{"From", "To", "Reply-To"} {
		list, err := h.AddressList(name)
		if err == netmail.ErrHeaderNotPresent {
			continue
		}
		if err != nil || len(list) != 1 {
			c.report("%s has %d addresses: %v", name, len(list), err)
			continue
		}
		if name == "From" && domain(list[0].Address) != c.identity {
			c.report("From is at %s, not at the verified %s: DKIM does not align", domain(list[0].Address), c.identity)
		}
	}
	for _, name := range []string{"Sender", "Return-Path"} {
		if v := h.Get(name); v != "" && domain(strings.Trim(v, "<>")) != c.identity {
			c.report("%s is of another domain than From", name)
		}
	}
	if id := h.Get("Message-Id"); domain(strings.Trim(id, "<>")) != c.identity {
		c.report("the Message-ID %s is of another domain than From", id)
	}
	if _, err := h.Date(); err != nil {
		c.report("the date: %v", err)
	}
	c.unsubscribe(h)
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject == "" || strings.ContainsFunc(subject, unicode.IsControl) {
		c.report("the subject is %q, %v", subject, err)
	}
}

// unsubscribe checks the ways to unsubscribe: with https first, and List-Unsubscribe-Post with it (RFC 8058 §3.1).
func (c *checker) unsubscribe(h netmail.Header) {
	var schemes []string
	for part := range strings.SplitSeq(h.Get("List-Unsubscribe"), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		address, bracketed := strings.CutPrefix(strings.TrimSuffix(part, ">"), "<")
		if c.link("List-Unsubscribe", address); !bracketed || strings.ContainsAny(address, "<> ") {
			c.report("List-Unsubscribe has %q", part)
		}
		scheme, _, _ := strings.Cut(address, ":")
		schemes = append(schemes, scheme)
	}
	want := map[string]string{"https mailto": "List-Unsubscribe=One-Click", "": ""}
	post, known := want[strings.Join(schemes, " ")]
	if got := h.Get("List-Unsubscribe-Post"); !known || got != post {
		c.report("List-Unsubscribe has %q with List-Unsubscribe-Post %q", schemes, got)
	}
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// bodies are the decoded parts of an email.
type bodies struct {
	text, html string
	files      []file
}

type file struct {
	name, contentType string
	data              []byte
}

// part reads a part and the parts within it; in is the type of the multipart around it.
func (c *checker) part(b *bodies, h textproto.MIMEHeader, body io.Reader, in string) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		c.report("content type %q: %v", h.Get("Content-Type"), err)
		return
	}
	if kind == "multipart/mixed" && in == "" || kind == "multipart/alternative" && in != "multipart/alternative" {
		c.parts(b, multipart.NewReader(body, params["boundary"]), kind)
		return
	}
	encoded, err := io.ReadAll(body)
	if err != nil {
		c.report("%s: %v", kind, err)
	}
	if encoding := h.Get("Content-Transfer-Encoding"); encoding != "base64" {
		c.report("%s is encoded as %q, not base64", kind, encoding)
	}
	for line := range bytes.SplitSeq(encoded, []byte("\r\n")) {
		if len(line) > maxCoded {
			c.report("%s: a line of base64 has %d bytes", kind, len(line))
		}
	}
	data, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r\n", "").Replace(string(encoded)))
	if err != nil {
		c.report("%s: %v", kind, err)
	}
	disposition, file, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	switch {
	case disposition == "attachment":
		c.attachment(b, kind, params, file["filename"], data)
	case in != "multipart/alternative":
		c.report("%s outside of multipart/alternative", kind)
	case !strings.EqualFold(params["charset"], "UTF-8") || !utf8.Valid(data):
		c.report("%s is not UTF-8", kind)
	case kind == "text/plain" && b.text == "" && b.html == "":
		b.text = c.wireText(kind, data)
	case kind == "text/html" && b.html == "":
		b.html = c.wireText(kind, data)
	default:
		c.report("unexpected part %s", kind)
	}
}

func (c *checker) parts(b *bodies, r *multipart.Reader, kind string) {
	n := 0
	for ; ; n++ {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			c.report("%s: %v", kind, err)
			return
		}
		c.part(b, p.Header, p, kind)
	}
	if n < 2 {
		c.report("%s of %d parts", kind, n)
	}
}

// wireText returns a text with LF for its CR LF (RFC 2046 §4.1.1).
func (c *checker) wireText(kind string, data []byte) string {
	s := strings.ReplaceAll(string(data), "\r\n", "\n")
	if strings.Contains(s, "\r") || strings.Count(s, "\n") != bytes.Count(data, []byte("\r\n")) {
		c.report("%s has lines that do not end with CR LF", kind)
	}
	return s
}

func (c *checker) attachment(b *bodies, kind string, params map[string]string, name string, data []byte) {
	want := map[string]string{".txt": "text/plain; charset=us-ascii", ".ics": "text/calendar; charset=utf-8",
		".csv": "text/csv; charset=utf-8"}
	delete(params, "name")
	got := mime.FormatMediaType(kind, params)
	if ending := name[max(0, strings.LastIndexByte(name, '.')):]; want[ending] != got {
		c.report("the attachment %q is of type %q", name, got)
	}
	b.files = append(b.files, file{name, got, data})
}

func (c *checker) bodies(b bodies) {
	if b.text == "" || b.html == "" {
		c.report("text of %d bytes, HTML of %d bytes", len(b.text), len(b.html))
		return
	}
	if len(b.html) > maxHTML {
		c.report("the HTML has %d bytes, more than %d", len(b.html), maxHTML)
	}
	doc, err := html.Parse(strings.NewReader(b.html))
	if err != nil {
		c.report("the HTML: %v", err)
		return
	}
	var shown page
	c.node(doc, &shown)
	links := webAddress.FindAllString(b.text, -1)
	for _, l := range links {
		c.link("the text", l)
	}
	c.sameLinks(links, shown.links)
	c.sameWords(textWords(b.text), shown.words)
	for _, f := range b.files {
		c.file(f, b)
	}
}

func (c *checker) file(f file, b bodies) {
	if strings.HasPrefix(f.contentType, "text/calendar") {
		for _, problem := range checkCalendar(string(f.data), f.contentType) {
			c.report("%s: %s", f.name, problem)
		}
		for _, l := range webAddress.FindAllString(strings.ReplaceAll(string(f.data), "\r\n ", ""), -1) {
			c.link(f.name, strings.TrimSuffix(l, `\n`))
		}
		return
	}
	if strings.HasPrefix(f.contentType, "text/csv") {
		table := strings.TrimPrefix(string(f.data), spreadsheet.ByteOrderMark)
		rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
		if err != nil || len(rows) < 2 || webAddress.Match(f.data) {
			c.report("%s: %d rows, %v, or links", f.name, len(rows), err)
		}
		return
	}
	key, end := strings.CutSuffix(string(f.data), "\n")
	if !end || key == "" || strings.ContainsFunc(key, unicode.IsSpace) {
		c.report("%s is not one line", f.name)
	}
	if !strings.Contains(b.text, "\n"+key+"\n") || !strings.Contains(html.UnescapeString(b.html), ">"+key+"<") {
		c.report("%s: the key is not a line of the text and of the HTML", f.name)
	}
}

// webAddress finds links in a text: a quotation mark, bracket or full stop behind one is not a part of it.
var webAddress = regexp.MustCompile(`(?:[a-z][a-z0-9+.-]*://|mailto:)[^\s“”"<>\\]*[^\s“”"<>\\.,;:)]`)

// link reports a link that leads anywhere but to our own addresses.
func (c *checker) link(where, to string) {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		c.report("%s links %q: %v", where, to, err)
	case u.Scheme == "mailto" && u.Opaque == c.sales:
	case u.Scheme == "https" && slices.Contains(c.hosts, u.Host) && u.User == nil:
	default:
		c.report("%s links %q", where, to)
	}
}

// page is what a reader of the HTML sees.
type page struct {
	words []string // without addresses of links
	links []string
}

var (
	// elements that a mail may have: none loads anything, runs anything or sends anything.
	elements = strings.Fields("html head meta title style body div table tbody tr td th h1 h2 p ol li a br bdi b")
	// attributes that a mail may have, without those that load something.
	attributes = strings.Fields("lang charset name content class style role width height cellpadding cellspacing " +
		"border align valign bgcolor scope dir href aria-hidden")
	remoteCSS = regexp.MustCompile(`(?i)url\s*\(|@import|@font-face|image-set|image\s*\(|expression|behavior|\\`)
)

// node collects what an element shows and reports what it must not have.
func (c *checker) node(n *html.Node, p *page) {
	switch n.Type {
	case html.TextNode:
		if n.Parent.Data == "style" {
			c.css(n.Data)
		} else if n.Parent.Data != "title" {
			p.words = append(p.words, words(n.Data)...)
			for _, l := range webAddress.FindAllString(n.Data, -1) { // mail programs make a link of it
				c.link("the HTML", l)
				p.links = append(p.links, l)
			}
		}
		return
	case html.ElementNode:
		c.element(n)
		if strings.Contains(attr(n, "style"), "display:none") {
			return // the preview that mail programs show beside the subject
		}
		if n.Data == "li" {
			p.words = append(p.words, fmt.Sprintf("%d.", position(n)))
		}
		if n.Data == "a" {
			c.link("the HTML", attr(n, "href"))
			p.links = append(p.links, attr(n, "href"))
		}
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.node(child, p)
	}
}

func (c *checker) element(n *html.Node) {
	if !slices.Contains(elements, n.Data) {
		c.report("the HTML has an element %s", n.Data)
	}
	for _, a := range n.Attr {
		if !slices.Contains(attributes, a.Key) {
			c.report("the HTML has an attribute %s of %s", a.Key, n.Data)
		}
		if a.Key == "style" {
			c.css(a.Val)
		}
	}
}

func (c *checker) css(s string) {
	if found := remoteCSS.FindString(s); found != "" {
		c.report("the style has %q", found)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// position returns which item of its list n is, from 1.
func position(n *html.Node) int {
	i := 0
	for ; n != nil; n = n.PrevSibling {
		if n.Data == "li" {
			i++
		}
	}
	return i
}

// textWords returns the words of a text without what stands for the form of the HTML: underlines of headings, the line
// above the footer, and marks of quotations.
func textWords(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Trim(line, "=") == "" || strings.Trim(line, "-") == "" {
			continue
		}
		if line = strings.TrimSpace(line); line == ">" {
			continue
		}
		all = append(all, words(strings.TrimPrefix(line, "> "))...)
	}
	return all
}

// words returns the words of a text without links. A colon at the end of a word stands for a column of the HTML.
func words(s string) (list []string) {
	for _, word := range strings.Fields(webAddress.ReplaceAllString(s, "")) {
		if word = strings.TrimSuffix(word, ":"); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// sameWords compares the text with the HTML, word by word. Where a program shows no button, the HTML says “Or open” and
// the address of the link.
func (c *checker) sameWords(text, page []string) {
	for i := 0; ; i++ {
		for i+1 < len(page) && page[i] == "Or" && page[i+1] == "open" && (i >= len(text) || text[i] != "Or") {
			page = slices.Delete(slices.Clone(page), i, i+2)
		}
		switch {
		case i == len(text) && i == len(page):
			return
		case i >= len(text) || i >= len(page) || text[i] != page[i]:
			from := max(0, i-3)
			c.report("the text says %q where the HTML says %q",
				text[min(from, len(text)):min(i+3, len(text))], page[min(from, len(page)):min(i+3, len(page))])
			return
		}
	}
}

func (c *checker) sameLinks(text, page []string) {
	text, page = distinct(text), distinct(page)
	if !slices.Equal(text, page) {
		c.report("the text links %q, the HTML %q", text, page)
	}
}

func distinct(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
