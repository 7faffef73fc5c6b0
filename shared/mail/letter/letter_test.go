package letter

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/jba/templatecheck"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

var update = flag.Bool("update", false, "write the golden files anew")

var letters = Writer{URL: "https://licenses.example.com", Sales: mail.Address{Name: "License Sales", Email: "sales@example.com"}, Packages: "https://packages.example.com"}

func someRequest() request.Request {
	return request.Request{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2a", Token: "secret", State: request.Received,
		Created: time.Date(2018, 2, 26, 9, 30, 0, 0, time.UTC), Due: time.Date(2018, 2, 27, 9, 30, 0, 0, time.UTC),
		Details: request.Details{
			Kind: request.Replacement, Edition: license.Developer, Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", Loc: 1_200_000,
			ProductVersion: "6.7.5", Name: "Zoë Müller-O’Neill", Email: "zoe@müller.example", Company: "Müller & Söhne GmbH",
			Country: "Germany", Phone: "+49 30 5550123 ext. 7", Contacts: []string{"ops@example.org", "it@example.org"},
			Message:  "We moved the database to a new host, and the server ID has changed.\n\nThe old server is off.\nThank you!",
			Replaces: "AWHW8w9JtzBzSrmf9GQX", Environment: request.ProductionUse, OldServer: request.OldStopped,
		},
	}
}

func someLicense() license.License {
	return license.License{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: "Müller & Söhne GmbH",
		Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 2_000_000, Support: true,
		Issued: license.Date{Year: 2018, Month: 2, Day: 26}, Expiration: license.Date{Year: 2018, Month: 8, Day: 31},
		Contacts: []license.Contact{{Name: "Zoë Müller-O’Neill", Email: "zoe@example.org"}},
	}
}

// someKeys are a production license and its staging license, with keys.
func someKeys() Delivery {
	l := someLicense()
	l.KeyText = strings.Repeat("Rm9ybWF0PTEKS2lkPXAxCg+/", 29) + "aQ=="
	l.NotBefore = license.Date{Year: 2018, Month: 3, Day: 1}
	l.Languages = []string{"cobol"}
	staging := l
	staging.ID, staging.Type, staging.Server = "01c6x2m4vj8q0n5r7t9w3y1z2c", license.Staging, "5B7F9D3C-AWHW8w9JtzBzSrmf9GQZ"
	return Delivery{To: l.Contacts[0], Licenses: []license.License{l, staging}, ProductVersion: "6.7.1", Catalog: someCatalog()}
}

func someCatalog() *catalog.Catalog {
	return &catalog.Catalog{
		Editions:  []catalog.Edition{{Key: "developer", Name: "Developer Edition", Plugins: []string{"cpp", "license"}, Languages: []string{"java", "cpp", "js"}}},
		Languages: []catalog.Language{{Key: "cpp", Name: "C/C++"}, {Key: "js", Name: "JavaScript"}, {Key: "java", Name: "Java"}, {Key: "cobol", Name: "COBOL"}},
		Packages: []catalog.Package{{
			File: "developer-edition-6.7.1.717.zip", Edition: "developer", Version: "6.7.1",
			URL: "https://licenses.example.com/downloads/developer-edition-6.7.1.717.zip", Jars: []catalog.Jar{{}},
		}},
	}
}

// messages are all messages, about a full request and license.
func messages() map[string]mail.Message {
	l := someLicense()
	one := someKeys()
	one.Licenses, one.Again = one.Licenses[:1], true
	one.Licenses[0].Packages = []string{"developer-edition-6.7.1-qx4c7d2wj5t3vazlqk2m6yhn3e.zip"}
	asked := someRequest()
	asked.Question = "Is the old server off for good?\n\nAnd how many lines of code will there be in a year?"
	asked.Reason = "There is no license for the server AWHW8w9JtzBzSrmf9GQX.\nPlease ask for a new one."
	return map[string]mail.Message{
		"request-received": letters.RequestReceived("m1", someRequest()),
		"request-new":      letters.RequestNew("m2", someRequest()),
		"license-expiring": letters.LicenseExpiring("m3", l, l.Contacts[0], license.Date{Year: 2018, Month: 6, Day: 30}),
		"license-keys":     letters.LicenseKey("m4", someKeys()),
		"license-key":      letters.LicenseKey("m5", one),

		"license-unreached": letters.LicenseUnreached(l),

		"request-question":  letters.RequestQuestion("m6", asked),
		"request-rejected":  letters.RequestRejected("m7", asked),
		"request-withdrawn": letters.RequestWithdrawn("m8", asked),
	}
}

func TestTheMessagesReadAsAgreed(t *testing.T) {
	for name, m := range messages() {
		for ext, body := range map[string]string{".txt": "Subject: " + m.Subject + "\n\n" + m.TextBody(), ".html": m.HTMLBody()} {
			file := filepath.Join("testdata", name+ext)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if body != string(want) {
				t.Errorf("%s differs; go test ./shared/mail -update writes it anew, git diff shows how", file)
			}
		}
	}
}

// hostile texts are what a form, or a vendor's old list of licenses, can bring.
var hostile = []string{
	`"><script>alert(1)</script>`,
	"Eve\r\nBcc: everybody@example.com\r\n\r\nBuy this",
	"Eve\nBcc: x@example.com",
	"\u202Egnp.exe\u202C and \u2067more\u2069\u200F",
	strings.Repeat("x", 200),
	strings.Repeat("långt namn ", 50),
	"👩‍💻 Ada 🎉",
	"{{.Title}} {{template \"x\"}} ${7*7} %s%d",
	"\x00\x07\x1b[31m\u2028\u2029\uFEFF",
	"\xff\xfe invalid",
	"javascript:alert(1)", "=?utf-8?q?=0D=0ABcc:_x?=",
	"visit http://evil.example/win now",
}

func hostileMessages(s string) map[string]mail.Message {
	r := someRequest()
	r.Name, r.Company, r.Country, r.Phone, r.Message, r.Replaces = s, s, s, s, s+"\n"+s, s
	r.Edition, r.Kind, r.Server, r.ProductVersion = license.Edition(s), request.Kind(s), license.Server(s), s
	r.Contacts, r.Question, r.Reason = []string{s}, s, s
	l := someLicense()
	l.Organization, l.Server, l.Edition, l.ID = s, license.Server(s), license.Edition(s), s
	return map[string]mail.Message{
		"request-received": letters.RequestReceived("m1", r),
		"request-new":      letters.RequestNew("m2", r),
		"license-expiring": letters.LicenseExpiring("m3", l, license.Contact{Name: s, Email: "eve@example.org"}, l.Expiration),
		"license-key":      letters.LicenseKey("m4", hostileKeys(l, s)),

		"license-unreached": letters.LicenseUnreached(l),

		"request-question":  letters.RequestQuestion("m5", r),
		"request-rejected":  letters.RequestRejected("m6", r),
		"request-withdrawn": letters.RequestWithdrawn("m7", r),
	}
}

func hostileKeys(l license.License, s string) Delivery {
	l.KeyText, l.Packages, l.Languages = s, []string{s}, []string{s}
	return Delivery{To: license.Contact{Name: s, Email: "eve@example.org"}, Licenses: []license.License{l, l}, ProductVersion: s, Catalog: someCatalog()}
}

func TestHostileDataIsHarmless(t *testing.T) {
	for _, s := range hostile {
		for name, m := range hostileMessages(s) {
			m.Text, m.HTML = m.TextBody(), m.HTMLBody()
			for what, header := range map[string]string{"subject": m.Subject, "name": m.To.Name, "reply name": m.ReplyTo.Name, "unsubscribe": m.Unsubscribe} {
				if strings.ContainsFunc(header, unfitForHeader) {
					t.Errorf("%s about %.40q: the %s is %q", name, s, what, header)
				}
				if n := utf8.RuneCountInString(header); n > 1000 || what != "unsubscribe" && n > maxSubject {
					t.Errorf("%s about %.40q: the %s has %d characters", name, s, what, n)
				}
			}
			if strings.ContainsFunc(m.Text, func(r rune) bool { return r != '\n' && unfitForHeader(r) }) || !utf8.ValidString(m.Text) {
				t.Errorf("%s about %.40q: text %q", name, s, m.Text)
			}
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
			if err != nil {
				t.Fatal(err)
			}
			if n := doc.Find("script, img, link, iframe, object, form").Length(); n > 0 || strings.ContainsFunc(m.HTML, mail.Invisible) {
				t.Errorf("%s about %.40q: the HTML holds what it must not", name, s)
			}
			doc.Find("a").Each(func(_ int, a *goquery.Selection) {
				href, _ := a.Attr("href")
				if u, err := url.Parse(href); err != nil || u.Scheme != "https" && u.Scheme != "mailto" || u.Host != "" && u.Host != "licenses.example.com" && u.Host != "packages.example.com" {
					t.Errorf("%s about %.40q: a link to %q", name, s, href)
				}
			})
		}
	}
}

func unfitForHeader(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || mail.Invisible(r)
}

func TestAStrangerCannotPutTextIntoTheCustomersMail(t *testing.T) {
	r := someRequest()
	const ad = "cheap pills at evil.example"
	r.Name, r.Company, r.Country, r.Message, r.Replaces, r.Phone = ad, ad, ad, ad, ad, ad
	m := letters.RequestReceived("m1", r)
	if all := fmt.Sprint(m); strings.Contains(all, "evil") {
		t.Errorf("the message repeats it: %s", all)
	}
}

func TestTextAndHTMLSayTheSame(t *testing.T) {
	for name, m := range messages() {
		m.Text, m.HTML = m.TextBody(), m.HTMLBody()
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(m.Text), " ")
		for _, selector := range []string{"h1", "h2", "p", "th", "td[dir]", "td.panel", "li"} {
			doc.Find(selector).Each(func(_ int, s *goquery.Selection) {
				said := strings.Join(strings.Fields(strings.TrimPrefix(s.Text(), "Or open ")), " ")
				if strings.HasPrefix(said, "Stop reminders") {
					return // the text says it in the words of its footer
				}
				if !strings.Contains(text, said) && !strings.Contains(strings.ReplaceAll(text, "> ", ""), said) {
					t.Errorf("%s: the text does not say %q", name, said)
				}
			})
		}
		for line := range strings.Lines(m.Text) {
			if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > textWidth && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: a line of %d characters: %q", name, n, line)
			}
		}
	}
}

// TestLayoutsTakeEveryContent executes both layouts for contents full and empty: html/template finds only then what it
// cannot escape.
func TestLayoutsTakeEveryContent(t *testing.T) {
	for name, err := range map[string]error{
		"mail.html": templatecheck.CheckHTML(htmlLayout(), content{}),
		"mail.txt":  templatecheck.CheckText(textLayout(), content{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	content{}.layOut()
	content{
		Title: "t", Preview: "p", Greeting: "g", Intro: []string{"a", "b"}, Facts: []fact{{"l", "v"}, {}},
		Quote: quotation{"q", []string{"", "x"}}, Lead: "l", Action: link{"a", "https://x"}, Notes: []note{{}, {"t", "x", []string{"s"}, []link{{"l", "https://x"}}}},
		Keys: []keyPart{{}, {"t", []fact{{"l", "v"}}, "l", "k"}}, Said: quotation{"s", []string{"x"}},
		Footer: []string{"f"}, Stop: link{"s", "mailto:x"},
	}.layOut()
	Writer{}.RequestReceived("", request.Request{})
	Writer{}.RequestNew("", request.Request{})
	Writer{}.LicenseExpiring("", license.License{}, license.Contact{}, license.Date{})
	Writer{}.LicenseKey("", Delivery{Licenses: make([]license.License, 2)})
	Writer{}.RequestQuestion("", request.Request{})
	Writer{}.RequestRejected("", request.Request{})
	Writer{}.RequestWithdrawn("", request.Request{})
}

func TestTheRenewalLinkFillsTheForm(t *testing.T) {
	for _, c := range []struct {
		edition    license.Edition
		typ        license.Type
		path, kind string
	}{
		{license.Developer, license.Production, "/request/developer", "renewal"},
		{license.Developer, license.Staging, "/request/developer", "renewal"},
		{license.Developer, license.Evaluation, "/request/developer", "new"},
		{license.Community, license.Production, "/request", "renewal"}, // its own page says that nothing can be requested
	} {
		l := someLicense()
		l.Edition, l.Type, l.Server = c.edition, c.typ, "abc_-&=+ d/?#%éxyzabc"
		m := letters.LicenseExpiring("m", l, l.Contacts[0], l.Expiration)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
		if err != nil {
			t.Fatal(err)
		}
		href, _ := doc.Find(".button a").Attr("href")
		u, err := url.Parse(href)
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{"serverId": {string(l.Server)}, "ncloc": {"2000000"}, "kind": {c.kind}}
		if u.Path != c.path || !reflect.DeepEqual(u.Query(), want) {
			t.Errorf("%s: %s", c.typ, href)
		}
		if !strings.Contains(m.Text, "\n"+href+"\n") {
			t.Errorf("%s: the text has another link", c.typ)
		}
	}
}

func TestAReminderSaysHowToStopIt(t *testing.T) {
	m := messages()["license-expiring"]
	want := "mailto:sales@example.com?subject=Stop%20reminders%20of%20license%2001c6x2m4vj8q0n5r7t9w3y1z2b"
	if m.Unsubscribe != want {
		t.Errorf("Unsubscribe is %q", m.Unsubscribe)
	}
	if doc, _ := goquery.NewDocumentFromReader(strings.NewReader(m.HTML)); doc.Find(`a[href="`+want+`"]`).Length() != 1 {
		t.Error("the HTML has no such link")
	}
	for _, name := range []string{"request-received", "request-new"} {
		if messages()[name].Unsubscribe != "" {
			t.Errorf("%s can be unsubscribed", name)
		}
	}
}

func TestHowLongALicenseStillRuns(t *testing.T) {
	for days, want := range map[int]string{62: "in 62 days", 2: "in 2 days", 1: "tomorrow", 0: "today"} {
		l := someLicense()
		if m := letters.LicenseExpiring("m", l, l.Contacts[0], l.Expiration.AddDays(-days)); !strings.Contains(m.Subject, want) || !strings.Contains(m.Text, want) {
			t.Errorf("%d days: %q", days, m.Subject)
		}
	}
}

func TestAWithdrawnPackageIsNotLinked(t *testing.T) {
	d := someKeys()
	file := d.Catalog.Packages[0].File
	if m := letters.LicenseKey("m", d); !strings.Contains(m.Text, file) {
		t.Fatalf("the package %s is not linked while it is offered:\n%s", file, m.Text)
	}
	d.Catalog.Packages[0].Withdrawn = "One of its plugins was broken."
	if m := letters.LicenseKey("m", d); strings.Contains(m.Text, file) || strings.Contains(m.HTML, file) {
		t.Errorf("the withdrawn package %s is linked:\n%s", file, m.Text)
	}
}
