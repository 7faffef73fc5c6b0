package webtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/lazyregexp"
)

// Scanner is a program that looks for dangers in what people are sent, as mail filters and browsers' guards have them:
// it opens every link and submits every form that it finds, untouched, with each of its buttons, and goes on from what
// it gets. It stays on its site. What people decide on pages must not happen because of it.
type Scanner struct {
	Client
	SiteURL string // without a trailing slash
	// Opened and Submitted are the addresses, without those that were tried before.
	Opened, Submitted []string

	tried map[string]bool
}

// maxScanned ends a scan that does not come to an end.
const maxScanned = 2000

// Scan looks at a text, such as that of a mail, or at the HTML of one.
func (s *Scanner) Scan(text string) {
	s.T.Helper()
	for _, link := range linkInText().FindAllString(text, -1) {
		s.open(link)
	}
	if doc, err := goquery.NewDocumentFromReader(strings.NewReader(text)); err == nil {
		s.document(doc, s.SiteURL+"/")
	}
}

// Open opens an address of the site.
func (s *Scanner) Open(address string) {
	s.T.Helper()
	s.open(s.resolve(s.SiteURL+"/", address))
}

var linkInText = lazyregexp.New(`https?://[^\s"'<>]+`)

func (s *Scanner) resolve(page, address string) string {
	base, err := url.Parse(page)
	if err != nil {
		return ""
	}
	u, err := base.Parse(address)
	if err != nil {
		return ""
	}
	u.Fragment = ""
	return u.String()
}

// path returns an address as the site gets it; "" for an address of another site.
func (s *Scanner) path(address string) string {
	path, ok := strings.CutPrefix(address, s.SiteURL)
	if !ok || path != "" && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "?") {
		return ""
	}
	if !strings.HasPrefix(path, "/") {
		return "/" + path
	}
	return path
}

// first reports whether something of the site is tried for the first time.
func (s *Scanner) first(what string) bool {
	s.T.Helper()
	if s.tried == nil {
		s.tried = map[string]bool{}
	}
	if s.tried[what] {
		return false
	}
	s.tried[what] = true
	if len(s.tried) > maxScanned {
		s.T.Fatalf("got more than %d pages and forms", maxScanned)
	}
	return true
}

func (s *Scanner) open(address string) {
	s.T.Helper()
	path := s.path(address)
	if path == "" || !s.first("GET "+path) {
		return
	}
	s.Opened = append(s.Opened, path)
	s.answer(s.Do(http.MethodGet, path, ""), address)
}

// answer goes on from a response.
func (s *Scanner) answer(a *Answer, page string) {
	s.T.Helper()
	if to := a.Header.Get("Location"); to != "" {
		s.open(s.resolve(page, to))
	}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		s.document(a.Page(), page)
	}
}

func (s *Scanner) document(doc *goquery.Document, page string) {
	s.T.Helper()
	doc.Find("[href], [src]").Each(func(_ int, e *goquery.Selection) {
		for _, attr := range []string{"href", "src"} {
			if at := e.AttrOr(attr, ""); at != "" {
				s.open(s.resolve(page, at))
			}
		}
	})
	doc.Find("form").Each(func(_ int, form *goquery.Selection) {
		buttons := form.Find("button[type=submit], button:not([type]), input[type=submit]")
		s.submit(form, nil, page)
		buttons.Each(func(_ int, button *goquery.Selection) { s.submit(form, button, page) })
	})
}

// submit sends a form as a browser does whose user touched nothing but a button; nil is none.
func (s *Scanner) submit(form, button *goquery.Selection, page string) {
	s.T.Helper()
	values := Untouched(form)
	action, method := form.AttrOr("action", ""), form.AttrOr("method", "get")
	if button != nil {
		if name := button.AttrOr("name", ""); name != "" {
			values.Add(name, button.AttrOr("value", ""))
		}
		action, method = button.AttrOr("formaction", action), button.AttrOr("formmethod", method)
	}
	target := page
	if action != "" {
		target = s.resolve(page, action)
	}
	if !strings.EqualFold(method, http.MethodPost) {
		target, _, _ = strings.Cut(target, "?")
		s.open(target + "?" + values.Encode())
		return
	}
	path := s.path(target)
	if path == "" || !s.first("POST "+path+" "+values.Encode()) {
		return
	}
	s.Submitted = append(s.Submitted, path)
	s.answer(s.Send(path, values), target)
}

// Untouched returns the values of a form as it came.
func Untouched(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[name], textarea[name], select[name]").Each(func(_ int, field *goquery.Selection) {
		if field.Is("[disabled]") {
			return
		}
		name := field.AttrOr("name", "")
		switch {
		case field.Is("textarea"):
			values.Add(name, field.Text())
		case field.Is("select"):
			chosen := field.Find("option[selected]")
			if chosen.Length() == 0 {
				chosen = field.Find("option").First()
			}
			chosen.Each(func(_ int, o *goquery.Selection) { values.Add(name, o.AttrOr("value", o.Text())) })
		case field.Is("[type=radio], [type=checkbox]"):
			if field.Is("[checked]") {
				values.Add(name, field.AttrOr("value", "on"))
			}
		case !slices.Contains([]string{"submit", "button", "reset", "image", "file"}, field.AttrOr("type", "")):
			values.Add(name, field.AttrOr("value", ""))
		}
	})
	return values
}
