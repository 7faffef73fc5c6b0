package letter

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/jba/templatecheck"

	"marketplace/catalog"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/notice"
	"marketplace/shared/officehours"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// switched are the reminders with every stage that can be switched on.
var switched = reminder.With(reminder.Switchable...)

var letters = Writer{
	URL:      "https://licenses.example.com",
	Sales:    mail.Address{Name: "License Sales", Email: "sales@example.com"},
	Packages: "https://packages.example.com",
	catalog:  testCatalog(),
}

func testRequest() request.Request {
	return request.Request{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2a", Reference: "R-7K3Q9F", Token: "secret", Secret: "confirming",
		State:   request.Received,
		Created: time.Date(2018, 2, 26, 9, 30, 0, 0, time.UTC), Due: time.Date(2018, 2, 27, 9, 30, 0, 0, time.UTC),
		Details: request.Details{
			Kind: request.Replacement, Edition: license.Developer, Loc: 1_200_000,
			Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", ProductVersion: "6.7.5",
			Name: "Zoë Müller-O’Neill", Email: "zoe@müller.example",
			Company: "Müller & Söhne GmbH", Country: "Germany", Phone: "+49 30 5550123 ext. 7",
			Contacts: []string{"ops@example.org", "it@example.org"},
			Message: "We moved the database to a new host, and the server ID has changed.\n\n" +
				"The old server is off.\nThank you!",
			Replaces: "AWHW8w9JtzBzSrmf9GQX", Environment: request.ProductionUse, OldServer: request.OldStopped,
		},
	}
}

func testLicense() license.License {
	return license.License{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: "Müller & Söhne GmbH",
		Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 2_000_000, Support: true,
		Issued: license.Date{Year: 2018, Month: 2, Day: 26}, Expiration: license.Date{Year: 2018, Month: 8, Day: 31},
		Contract: "contract1",
	}
}

var it = license.Contact{Email: "it@example.org"}

var zoe = license.Contact{Name: "Zoë Müller-O’Neill", Email: "zoe@example.org"}

// threeYears is the last day of a contract that goes on after testLicense.
var threeYears = license.Date{Year: 2020, Month: 8, Day: 31}

// named are the references of the customer and the contract of testLicense.
var named = References{
	Customer:  "C-7K3Q9F",
	Contracts: map[string]reference.Reference{"contract1": "K-2M4XWT", "contract2": "K-0ZZZZZ"},
}

// testDelivery returns a production license and its staging license, with keys.
func testDelivery() Delivery {
	l := testLicense()
	l.KeyText = strings.Repeat("Rm9ybWF0PTEKS2lkPXAxCg+/", 29) + "aQ=="
	l.NotBefore = license.Date{Year: 2018, Month: 3, Day: 1}
	l.Languages = []string{"cobol"}
	staging := l
	staging.ID, staging.Type = "01c6x2m4vj8q0n5r7t9w3y1z2c", license.Staging
	staging.Server = "5B7F9D3C-AWHW8w9JtzBzSrmf9GQZ"
	return Delivery{
		To: zoe, Licenses: []license.License{l, staging}, References: named, ProductVersion: "6.7.1",
		Catalog: testCatalog(),
	}
}

func testCatalog() *catalog.Catalog {
	return &catalog.Catalog{
		Editions: []catalog.Edition{{
			Key: "developer", Name: "Developer Edition",
			Plugins: []string{"cpp", "license"}, Languages: []string{"java", "cpp", "js"},
		}},
		Languages: []catalog.Language{
			{Key: "cpp", Name: "C/C++"}, {Key: "js", Name: "JavaScript"},
			{Key: "java", Name: "Java"}, {Key: "cobol", Name: "COBOL"},
		},
		LOCThresholds: []int64{100_000, 500_000, 2_000_000, 5_000_000},
		Packages: []catalog.Package{{
			File: "developer-edition-6.7.1.717.zip", Edition: "developer", Version: "6.7.1",
			URL: "https://licenses.example.com/downloads/developer-edition-6.7.1.717.zip", Jars: []catalog.Jar{{}},
		}},
	}
}

// zurichOffice returns the hours of an office in Zurich.
func zurichOffice() officehours.Hours {
	h, err := officehours.Hours{}.In("Europe/Zurich")
	if err != nil {
		panic(err)
	}
	return h
}

// messages returns one of each letter, about a full request and license.
func messages() map[string]mail.Message {
	l := testLicense()
	one := testDelivery()
	one.Licenses, one.Again = one.Licenses[:1], true
	one.Licenses[0].Packages = []string{"developer-edition-6.7.1-qx4c7d2wj5t3vazlqk2m6yhn3e.zip"}
	linked := testRequest()
	linked.Link, linked.Bound = &request.Link{Contact: linked.Email}, true
	abroad := linked
	abroad.Zone = "America/New_York"
	inZurich := letters
	inZurich.Hours = zurichOffice()
	reviewed := testRequest()
	reviewed.Confirmed = reviewed.Created.Add(time.Hour)
	reviewed.Question = "Is the old server off for good?\n\nAnd how many lines of code will there be in a year?"
	reviewed.Reason = "There is no license for the server AWHW8w9JtzBzSrmf9GQX.\nPlease ask for a new one."
	all := map[string]mail.Message{
		"request-received": letters.RequestReceived("m1", testRequest()),
		"request-linked":   letters.RequestReceived("m1", linked),
		"request-abroad":   inZurich.RequestReceived("m1", abroad),
		"request-new":      letters.RequestNew("m2", testRequest()),
		"license-expiring": reminded(l, zoe, l.Expiration.AddDays(-62)),
		"license-keys":     letters.LicenseKey("m4", testDelivery()),
		"license-key":      letters.LicenseKey("m5", one),
		"bridge-key":       letters.LicenseKey("m5", bridged(one)),

		"license-unreached": letters.LicenseUnreached(l, []license.Contact{zoe, {Email: "it@example.org"}}, named),

		"license-next-key": letters.LicenseNextKey("m9", l, l.Expiration.AddDays(-62), threeYears, named),
		"next-key-coming":  coming(l, zoe, l.Expiration.AddDays(-62)),

		"request-unconfirmed": letters.RequestsUnconfirmed([]request.Summary{testRequest().Summary()}, l.NotBefore),

		"request-question":  letters.RequestQuestion("m6", reviewed),
		"request-rejected":  letters.RequestRejected("m7", reviewed),
		"request-withdrawn": letters.RequestWithdrawn("m8", reviewed),
	}
	all["licenses-expiring"] = severalExpiring().message()
	all["license-expired"] = reminded(l, zoe, l.Expiration.AddDays(7))
	all["evaluation-expiring"] = reminded(evaluation(l), zoe, l.Expiration)
	all["reminders-stopped"] = stoppedBy(zoe, l.Expiration.AddDays(-7), expiring(l), expiring(another(l, 1))).message()
	for _, name := range []string{"moved", "bridged", "revoked", "added", "removed", "left"} {
		tt := notices()[name]
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil {
			panic(err)
		}
		all["told-"+name] = m
	}
	return all
}

// bridged makes the license of a delivery a bridge key.
func bridged(d Delivery) Delivery {
	l := d.Licenses[0]
	l.Bridges, l.Expiration = "01c6x2m4vj8q0n5r7t9w3y1z2z", l.NotBefore.AddDays(license.BridgeDays-1)
	d.Licenses = []license.License{l}
	return d
}

func TestLettersMatchTheirGoldenFiles(t *testing.T) {
	for name, m := range messages() {
		bodies := map[string]string{".txt": "Subject: " + m.Subject + "\n\n" + m.TextBody(), ".html": m.HTMLBody()}
		for ext, body := range bodies {
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
				t.Errorf("%s differs: run go test ./shared/mail/letter -update and look at git diff", file)
			}
		}
	}
}

// testCustomer is the ID of the customer of testLicense.
const testCustomer = "01c6x2m4vj8q0n5r7t9w3y1z2d"

// reminderTo is a digest to a contact on a day of each license's newest stage.
func reminderTo(to license.Contact, today license.Date, list ...notice.Expiring) told {
	n := notice.LicensesExpiring(testCustomer, today, to, 1)
	n.Nonce = "QX4C7D2WJ5T3VAZLQK2M6YHN3E"
	r := notice.Records{Today: today, Policy: switched, Customer: named.Customer,
		Organization: testLicense().Organization, Expiring: map[string]notice.Expiring{}}
	for _, of := range list {
		l := of.License
		of.Contacts, of.Reminded = []license.Contact{to}, &to
		r.Expiring[l.ID] = of
		n.Due = append(n.Due, notice.Due{License: l.ID, Expiration: l.Expiration, Stage: r.Policy.Newest(l, today)})
	}
	return told{n, r}
}

// expiring is what is on record about a license.
func expiring(l license.License) notice.Expiring {
	return notice.Expiring{License: l, Environment: request.ProductionUse, Contract: named.Contracts[l.Contract]}
}

// another is a license of another server.
func another(l license.License, n int) license.License {
	l.ID = fmt.Sprintf("01c6x2m4vj8q0n5r7t9w3y%04d", n)
	l.Server = license.Server(fmt.Sprintf("%08X-AWHW8w9JtzBzSrmf9GQX", 0x5B7F0000+n))
	return l
}

func evaluation(l license.License) license.License {
	l.Type, l.Contract = license.Evaluation, ""
	return l
}

// severalExpiring is a digest of every sort of license: one has expired, the contract of another goes on.
func severalExpiring() told {
	l := testLicense()
	today := l.Expiration.AddDays(-7)
	over, staging, later := another(l, 1), another(l, 2), another(l, 3)
	next, tried := another(l, 4), evaluation(another(l, 5))
	over.Expiration, later.Expiration = today.AddDays(-7), today.AddMonths(1)
	later.Organization = "Müller Töchter AG"
	ofStaging := expiring(staging)
	ofStaging.License.Type, ofStaging.Environment = license.Staging, request.StagingUse
	return reminderTo(zoe, today, expiring(later), goingOn(next), ofStaging, expiring(l), expiring(over),
		expiring(tried))
}

// goingOn is what is on record about a license whose contract goes on.
func goingOn(l license.License) notice.Expiring {
	of := expiring(l)
	of.ContractLast = threeYears
	return of
}

// stoppedBy is what sales are told when a contact unsubscribed from reminders of licenses.
func stoppedBy(who license.Contact, today license.Date, list ...notice.Expiring) told {
	t := reminderTo(who, today, list...)
	t.Notice = notice.RemindersStopped(t.Notice, t.Due, "n1")
	for id, of := range t.on.Expiring {
		of.Reminded, of.Unsubscribed = nil, []string{who.Email}
		t.on.Expiring[id] = of
	}
	return t
}

func (t told) message() mail.Message {
	m, err := letters.Write(t.Notice, t.on, nil, Call{})
	if err != nil {
		panic(err)
	}
	return m
}

// reminded is the letter about one license.
func reminded(l license.License, to license.Contact, today license.Date) mail.Message {
	return reminderTo(to, today, expiring(l)).message()
}

// coming is the letter about one license whose contract goes on.
func coming(l license.License, to license.Contact, today license.Date) mail.Message {
	return reminderTo(to, today, goingOn(l)).message()
}

// hostile are texts that a form, or the vendor's old list of licenses, can contain.
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
	"Hello " + mail.GreetingSlot + "Ada",
	"javascript:alert(1)", "=?utf-8?q?=0D=0ABcc:_x?=",
	"visit http://evil.example/win now",
}

func hostileMessages(s string) map[string]mail.Message {
	r := testRequest()
	r.Name, r.Company, r.Country, r.Phone, r.Message, r.Replaces = s, s, s, s, s+"\n"+s, s
	r.Edition, r.Kind, r.Server, r.ProductVersion = license.Edition(s), request.Kind(s), license.Server(s), s
	r.Contacts, r.Question, r.Reason = []string{s}, s, s
	l := testLicense()
	l.Organization, l.Server, l.Edition, l.ID = s, license.Server(s), license.Edition(s), s
	to := license.Contact{Name: s, Email: "eve@example.org"}
	hostileNames := References{
		Customer:  reference.Reference(s),
		Contracts: map[string]reference.Reference{l.Contract: reference.Reference(s)},
	}
	told := notice.Notice{ID: "c1--m11", To: to, Text: s + "\n" + s, Contacts: []license.Contact{{Name: s, Email: s}, to},
		Moves: []notice.Move{{From: license.Server(s), To: license.Server(s)}}, Nonce: s, About: s}
	return map[string]mail.Message{
		"license-moved":   letters.LicenseMoved(told, l, hostileNames),
		"license-revoked": letters.LicenseRevoked(told, l, hostileNames),
		"contact-added":   letters.ContactAdded(told, s, hostileNames),
		"contact-removed": letters.ContactRemoved(told, s, hostileNames),

		"request-received":  letters.RequestReceived("m1", r),
		"request-new":       letters.RequestNew("m2", r),
		"license-expiring":  hostileReminder(s, to, expiring(l)),
		"next-key-coming":   hostileReminder(s, to, goingOn(l)),
		"licenses-expiring": hostileReminder(s, to, expiring(l), goingOn(l), expiring(testLicense())),
		"reminders-stopped": hostileStop(s, to, l),
		"license-key":       letters.LicenseKey("m4", hostileDelivery(l, to, s)),

		"license-unreached": letters.LicenseUnreached(l, []license.Contact{{Email: s}}, hostileNames),

		"license-next-key": letters.LicenseNextKey("m9", l, l.Expiration, threeYears, hostileNames),

		"request-question":  letters.RequestQuestion("m5", r),
		"request-rejected":  letters.RequestRejected("m6", r),
		"request-withdrawn": letters.RequestWithdrawn("m7", r),
	}
}

// hostileReminder has a text of a stranger in everything that is on record about the licenses.
func hostileReminder(s string, to license.Contact, list ...notice.Expiring) mail.Message {
	for i := range list {
		list[i].License.ID += strings.Repeat("x", i) // else the licenses are one
		list[i].Environment, list[i].Contract = request.Environment(s), reference.Reference(s)
	}
	r := reminderTo(to, testLicense().Expiration, list...)
	r.on.Organization, r.on.Customer = s, reference.Reference(s)
	return r.message()
}

func hostileStop(s string, to license.Contact, l license.License) mail.Message {
	r := stoppedBy(to, l.Expiration, expiring(l))
	r.on.Organization, r.on.Customer = s, reference.Reference(s)
	return r.message()
}

func hostileDelivery(l license.License, to license.Contact, s string) Delivery {
	l.KeyText, l.Packages, l.Languages = s, []string{s}, []string{s}
	return Delivery{To: to, Licenses: []license.License{l, l}, ProductVersion: s, Catalog: testCatalog()}
}

func TestHostileDataIsHarmless(t *testing.T) {
	for _, s := range hostile {
		for name, m := range hostileMessages(s) {
			label := fmt.Sprintf("%s with %.40q", name, s)
			checkHeaders(t, label, m)
			if text := m.TextBody(); !utf8.ValidString(text) ||
				strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unfitForHeader(r) }) {
				t.Errorf("%s: the text is %q", label, text)
			}
			checkHTML(t, label, m.HTMLBody())
		}
	}
}

func checkHeaders(t *testing.T, label string, m mail.Message) {
	t.Helper()
	for what, header := range map[string]string{
		"subject": m.Subject, "name": m.To.Name, "reply name": m.ReplyTo.Name, "unsubscribe": m.Unsubscribe,
		"one click": m.UnsubscribeURL,
	} {
		if strings.ContainsFunc(header, unfitForHeader) {
			t.Errorf("%s: the %s is %q", label, what, header)
		}
		if n := utf8.RuneCountInString(header); n > 1000 ||
			what != "unsubscribe" && what != "one click" && n > maxSubject {
			t.Errorf("%s: the %s has %d characters", label, what, n)
		}
	}
}

func checkHTML(t *testing.T, label, html string) {
	t.Helper()
	doc := parseHTML(t, html)
	if strings.ContainsFunc(html, invisible) {
		t.Errorf("%s: the HTML has invisible characters", label)
	}
	if n := doc.Find("script, img, link, iframe, object, form").Length(); n > 0 {
		t.Errorf("%s: the HTML has %d active or external elements", label, n)
	}
	doc.Find("a").Each(func(_ int, a *goquery.Selection) {
		href := a.AttrOr("href", "")
		u, err := url.Parse(href)
		if err != nil || u.Scheme != "https" && u.Scheme != "mailto" ||
			!slices.Contains([]string{"", "licenses.example.com", "packages.example.com"}, u.Host) {
			t.Errorf("%s: a link goes to %q", label, href)
		}
	})
}

func parseHTML(t *testing.T, html string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// invisible leaves out the joiners of names and emoji, which input.OneLine keeps.
func invisible(r rune) bool {
	return input.IsInvisible(r) && r != '\u200d' && r != '\u200c' && r != '\ufe0f'
}

func unfitForHeader(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || invisible(r)
}

func TestQuestionNamesTheReplacedLicenseAsItIsRead(t *testing.T) {
	r := testRequest()
	r.Confirmed, r.Question = r.Created, "Which one?"
	for typed, want := range map[string]string{
		"“01c6x2m4vj8q0n5r7t9w3y1z2b.”": "01c6x2m4vj8q0n5r7t9w3y1z2b", "License ID: l1": "l1", "l1.": "l1",
		"call 0041225550123456 at once": "", "evil.example": "",
	} {
		r.Replaces = typed
		m := letters.RequestQuestion("m1", r).TextBody()
		if strings.Contains(m, "Related license or server") != (want != "") || !strings.Contains(m, want) ||
			strings.Contains(m, "0041") || strings.Contains(m, "evil") {
			t.Errorf("%q: got %s, want %q", typed, m, want)
		}
	}
}

func TestTextAndHTMLSayTheSame(t *testing.T) {
	for name, m := range messages() {
		body := m.TextBody()
		text := strings.Join(strings.Fields(body), " ")
		doc := parseHTML(t, m.HTMLBody())
		for _, selector := range []string{"h1", "h2", "p", "th", "td[dir]", "td.panel", "li"} {
			doc.Find(selector).Each(func(_ int, s *goquery.Selection) {
				want := strings.Join(strings.Fields(strings.TrimPrefix(s.Text(), "Or open ")), " ")
				if !strings.Contains(text, want) && !strings.Contains(strings.ReplaceAll(text, "> ", ""), want) {
					t.Errorf("%s: the text does not say %q", name, want)
				}
			})
		}
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			if n := utf8.RuneCountInString(line); n > textWidth && strings.Contains(line, " ") {
				t.Errorf("%s: got a line of %d characters, want at most %d: %q", name, n, textWidth, line)
			}
		}
	}
}

// TestTemplatesRenderEveryContent renders full and empty contents: html/template finds what it cannot escape only then.
func TestTemplatesRenderEveryContent(t *testing.T) {
	for name, err := range map[string]error{
		"mail.html": templatecheck.CheckHTML(htmlTemplate(), content{}),
		"mail.txt":  templatecheck.CheckText(textTemplate(), content{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	content{}.render()
	content{
		Title: "t", Preview: "p", Greeting: "g", Intro: []string{"a", "b"}, Facts: []fact{{"l", "v"}, {}},
		Statement: quotation{"s", []string{"x"}}, Message: quotation{"q", []string{"", "x"}},
		Keys:  []keyPart{{}, {"t", []fact{{"l", "v"}}, "l", "k"}},
		Notes: []note{{}, {"t", "x", []string{"s"}, []link{{"l", "https://x"}}}},
		Lead:  "l", Action: link{"a", "https://x"},
		Groups: []group{{}, {"t", "x", []item{{}, {"t", []string{"a", "b"}, link{"a", "https://x"}}}}},
		Footer: []string{"f"}, Stop: []link{{}, {"s", "mailto:x"}},
	}.render()
	Writer{}.RequestReceived("", request.Request{})
	Writer{}.RequestNew("", request.Request{})
	Writer{}.LicenseKey("", Delivery{Licenses: make([]license.License, 2)})
	Writer{}.RequestQuestion("", request.Request{})
	Writer{}.RequestRejected("", request.Request{})
	Writer{}.RequestWithdrawn("", request.Request{})
}

func TestRenewalLinkFillsInTheForm(t *testing.T) {
	for _, tt := range []struct {
		edition    license.Edition
		typ        license.Type
		path, kind string
	}{
		{license.Developer, license.Production, "/request/developer", "renewal"},
		{license.Developer, license.Staging, "/request/developer", "renewal"},
		{license.Developer, license.Evaluation, "/request/developer", "new"},
		{license.Community, license.Production, "/request", "renewal"}, // the Community Edition has no form
	} {
		l := testLicense()
		l.Edition, l.Type, l.Server = tt.edition, tt.typ, "abc_-&=+ d/?#%éxyzabc"
		today := l.Expiration // the link of a license that has expired is that of the form
		if l.Type != license.Evaluation {
			today = today.AddDays(7)
		}
		m := reminded(l, zoe, today)
		href := parseHTML(t, m.HTMLBody()).Find(".button a").AttrOr("href", "")
		u, err := url.Parse(href)
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{"serverId": {string(l.Server)}, "ncloc": {"2000000"}, "kind": {tt.kind}}
		if u.Path != tt.path || !reflect.DeepEqual(u.Query(), want) {
			t.Errorf("%s: got %s, want %s?%s", tt.typ, href, tt.path, want.Encode())
		}
		if !strings.Contains(m.Text, "\n"+href+"\n") {
			t.Errorf("%s: the text does not have the link %s", tt.typ, href)
		}
	}
}

func TestWithdrawnPackageIsNotLinked(t *testing.T) {
	d := testDelivery()
	file := d.Catalog.Packages[0].File
	if m := letters.LicenseKey("m", d); !strings.Contains(m.Text, file) {
		t.Fatalf("the offered package %s is not linked:\n%s", file, m.Text)
	}
	d.Catalog.Packages[0].Withdrawn = "One of its plugins was broken."
	if m := letters.LicenseKey("m", d); strings.Contains(m.Text, file) || strings.Contains(m.HTML, file) {
		t.Errorf("the withdrawn package %s is linked:\n%s", file, m.Text)
	}
}

func TestSalesReadOfARequestWhoseAddressNoMailReaches(t *testing.T) {
	for address, want := range map[string]string{
		"zoe@example.org":           "Replies to this email go to the customer.",
		"zoë@example.org":           "do not reply to this email",
		"zoe@xn--a.example":         "do not reply to this email",
		"zoe@example.org\r\nBcc: x": "do not reply to this email",
	} {
		r := testRequest()
		r.Email = address
		m := letters.RequestNew("m1", r)
		if !strings.Contains(m.Text, want) || !strings.Contains(m.Text, strings.Fields(address)[0]) {
			t.Errorf("%q: the text lacks the address or %q:\n%s", address, want, m.Text)
		}
		if _, err := eml.Format(m, mail.Address{Email: "from@example.com"}, r.Created); err != nil {
			t.Errorf("%q: got %v, want a mail to sales", address, err)
		}
	}
}

func TestKeyMailSaysHowItsEditionIsInstalled(t *testing.T) {
	for name, tt := range map[string]struct {
		edition  license.Edition
		packages []string
		says     []string
		never    []string
	}{
		"standard": {license.Developer, nil,
			[]string{"choose Upgrade at the Developer Edition", "All Developer Edition packages"},
			[]string{"custom package"}},
		"custom": {license.Developer, []string{"developer-edition-6.7.1-x.zip"},
			[]string{"Your custom package", "/tailored/developer-edition-6.7.1-x.zip", "/editions/developer#install"},
			[]string{"Upgrade", "All Developer Edition packages", "package for SonarQube"}},
		"cluster": {license.DataCenter, nil,
			[]string{"manually on every application node", "All Data Center Edition packages"},
			[]string{"Upgrade", "Marketplace"}},
		"custom on a cluster": {license.DataCenter, []string{"datacenter-edition-6.7.1-x.zip"},
			[]string{"Your custom package", "on every application node"}, []string{"Upgrade", "All Data Center"}},
		"community": {license.Community, []string{"community-edition-6.7.1-x.zip"},
			[]string{"Your custom package", "/editions/community#custom"}, []string{"Upgrade", "Marketplace"}},
	} {
		l := testLicense()
		l.KeyText, l.Edition, l.Packages = "KEY", tt.edition, tt.packages
		m := letters.LicenseKey("1", Delivery{To: zoe, Licenses: []license.License{l}})
		text := strings.Join(strings.Fields(m.Text), " ")
		for _, want := range tt.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: got no %q in\n%s", name, want, m.Text)
			}
		}
		for _, other := range tt.never {
			if strings.Contains(text, other) {
				t.Errorf("%s: got %q in\n%s", name, other, m.Text)
			}
		}
	}
}
