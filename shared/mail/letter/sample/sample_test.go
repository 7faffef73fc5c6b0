package sample

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"marketplace/catalog"
	"marketplace/shared/brand"
	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
)

var (
	writer = letter.Writer{
		URL:      "https://licenses.example.com",
		Sales:    mail.Address{Name: "License Sales", Email: "sales@example.com"},
		Packages: "https://packages.example.com",
	}
	sender = mail.Address{Name: "Editions and Licenses", Email: "licensing@vendor.example"}
	ours   = checker{
		identity: "vendor.example", sales: "sales@example.com",
		hosts: []string{"licenses.example.com", "packages.example.com"},
	}
)

func samples(t *testing.T) []Letter { return samplesOf(t, writer) }

func samplesOf(t *testing.T, w letter.Writer) []Letter {
	t.Helper()
	c := &catalog.Catalog{
		Editions: []catalog.Edition{{
			Key: "developer", Name: "Developer Edition", Plugins: []string{"cpp"}, Languages: []string{"java", "cpp"},
		}},
		LOCThresholds: []int64{100_000, 500_000, 2_000_000},
		Languages:     []catalog.Language{{Key: "cpp", Name: "C/C++"}, {Key: "java", Name: "Java"}},
		Packages: []catalog.Package{{
			File: "developer-edition-6.7.1.717.zip", Edition: "developer", Version: "6.7.1",
			URL: "https://licenses.example.com/downloads/developer-edition-6.7.1.717.zip", Jars: []catalog.Jar{{}},
		}},
	}
	letters, err := Letters(w, c)
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

// raw returns the bytes that SES gets.
func raw(t *testing.T, m mail.Message) []byte {
	t.Helper()
	data, err := eml.Format(m, sender, received)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryLetterIsFitToBeSent(t *testing.T) {
	largest, name := 0, ""
	for _, l := range samples(t) {
		data := raw(t, l.Message)
		for _, problem := range ours.check(data) {
			t.Errorf("%s: %s", l.Name, problem)
		}
		if len(data) > largest {
			largest, name = len(data), l.Name
		}
	}
	t.Logf("the largest email is %s, with %d bytes", name, largest)
}

// TestAnotherVendorsLettersNameTheirProduct writes every letter in another vendor's look.
func TestAnotherVendorsLettersNameTheirProduct(t *testing.T) {
	w := writer
	w.Brand = brand.Brand{Vendor: "Acme & Sons", Product: "Acme Scan", Color: brand.Color{R: 0x7a, G: 0x1f, B: 0x5c}}
	for _, l := range samplesOf(t, w) {
		data := raw(t, l.Message)
		for _, problem := range ours.check(data) {
			t.Errorf("%s: %s", l.Name, problem)
		}
		if strings.Contains(string(data)+l.Message.Subject+l.Message.Text+l.Message.HTML, "SonarQube") {
			t.Errorf("%s names SonarQube", l.Name)
		}
		if !strings.HasPrefix(l.Message.Text, "Acme & Sons · Acme Scan commercial editions · Licenses\n") {
			t.Errorf("%s: got the head %.60q", l.Name, l.Message.Text)
		}
		if !strings.Contains(l.Message.HTML, "border-top:4px solid #7a1f5c") ||
			strings.Contains(l.Message.HTML, "#236a97") || strings.Contains(l.Message.HTML, "ZgotmplZ") {
			t.Errorf("%s is not in the vendor's color", l.Name)
		}
	}
}

func TestOnlyRemindersCanBeUnsubscribedFrom(t *testing.T) {
	for _, l := range samples(t) {
		header := string(raw(t, l.Message))
		header = header[:strings.Index(header, "\r\n\r\n")]
		reminder := l.Message.Kind == mail.LicenseExpiring
		for _, name := range []string{"\r\nList-Unsubscribe:", "\r\nList-Unsubscribe-Post:"} {
			if strings.Contains(header, name) != reminder {
				t.Errorf("%s: got a header %q: %v, want it of reminders alone", l.Name, name, !reminder)
			}
		}
		if stops := strings.Contains(l.Message.Text+l.Message.HTML, "/reminders/stop"); stops != reminder {
			t.Errorf("%s: got a link that stops reminders: %v", l.Name, stops)
		}
	}
}

func TestEveryKindHasASample(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if of, ok := v.Type.(*ast.Ident); ok && of.Name == "Kind" {
				kinds[strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)] = false
			}
		}
		return true
	})
	names := map[string]bool{}
	for _, l := range samples(t) {
		kinds[string(l.Message.Kind)] = true
		if names[l.Name] || l.Title == "" {
			t.Errorf("got a second letter named %q, or one without a title", l.Name)
		}
		names[l.Name] = true
	}
	if len(kinds) < 9 {
		t.Errorf("got %d kinds in message.go, want 9 or more", len(kinds))
	}
	for kind, has := range kinds {
		neverWritten := notice.Notice{Kind: mail.Kind(kind), To: jane}.Expands()
		if has == neverWritten {
			t.Errorf("%s: got a sample: %v, want one of each kind that is not replaced by others", kind, has)
		}
	}
}

func TestFindKnowsEveryName(t *testing.T) {
	letters := samples(t)
	for _, l := range letters {
		if got, err := Find(letters, l.Name); err != nil || got.Title != l.Title {
			t.Errorf("%s: got %q, %v", l.Name, got.Title, err)
		}
	}
	if _, err := Find(letters, "nothing"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v, want not found", err)
	}
}

func TestPreviewForcesTheColorScheme(t *testing.T) {
	for _, l := range samples(t) {
		light, dark := l.HTML(Light), l.HTML(Dark)
		if strings.Contains(light+dark, "prefers-color-scheme") || strings.Contains(light+dark, "light dark") ||
			strings.Count(light, "@media not all {") != 1 || strings.Count(dark, "@media all {") != 1 ||
			strings.Count(dark, `content="dark"`) != 2 || strings.Count(light, "color-scheme: light;") != 1 {
			t.Errorf("%s: the scheme still depends on the browser", l.Name)
		}
	}
}

// find returns the message of a sample.
func find(t *testing.T, name string) mail.Message {
	t.Helper()
	l, err := Find(samples(t), name)
	if err != nil {
		t.Fatal(err)
	}
	l.Message.Attachments = slices.Clone(l.Message.Attachments)
	return l.Message
}

// TestCheckFinds breaks each property of an email once: in the message, or in the bytes that SES gets.
func TestCheckFinds(t *testing.T) {
	html := func(old, new string) func(*mail.Message) {
		return func(m *mail.Message) { m.HTML = strings.Replace(m.HTML, old, new, 1) }
	}
	text := func(old, new string) func(*mail.Message) {
		return func(m *mail.Message) { m.Text = strings.Replace(m.Text, old, new, 1) }
	}
	calendar := func(old, new string) func(*mail.Message) {
		return func(m *mail.Message) {
			a := &m.Attachments[1]
			a.Data = bytes.Replace(a.Data, []byte(old), []byte(new), 1)
		}
	}
	both := func(changes ...func(*mail.Message)) func(*mail.Message) {
		return func(m *mail.Message) {
			for _, change := range changes {
				change(m)
			}
		}
	}
	for name, tt := range map[string]struct {
		change func(*mail.Message)
		want   string
	}{
		"an image":              {html("</h1>", `</h1><img src="https://licenses.example.com/x.png">`), "element img"},
		"an embedded image":     {html("</h1>", `</h1><img src="data:image/png;base64,xx">`), "element img"},
		"a script":              {html("</h1>", "</h1><script>1</script>"), "element script"},
		"a stylesheet":          {html("<style>", `<link rel="stylesheet" href="https://x.example/x.css"><style>`), "element link"},
		"a frame":               {html("</h1>", "</h1><iframe src=x></iframe>"), "element iframe"},
		"a form":                {html("</h1>", "</h1><form></form>"), "element form"},
		"a picture":             {html("</h1>", "</h1><svg></svg>"), "element svg"},
		"a base":                {html("<style>", `<base href="https://x.example"><style>`), "element base"},
		"a refresh":             {html("<style>", `<meta http-equiv="refresh" content="0;url=https://x.example"><style>`), "attribute http-equiv"},
		"a background":          {html("<h1 ", `<h1 background="https://x.example/x.png" `), "attribute background"},
		"an event handler":      {html("<h1 ", `<h1 onclick="x()" `), "attribute onclick"},
		"a source set":          {html("<h1 ", `<h1 srcset="https://x.example" `), "attribute srcset"},
		"a CSS image":           {html(`<h1 style="`, `<h1 style="background-image: URL ( https://x.example )`), "the style has"},
		"a CSS import":          {html("<style>", "<style>@import 'https://x.example/x.css';"), "the style has"},
		"a CSS image in style":  {html("<style>", "<style>p { background: url(//x.example) }"), "the style has"},
		"a web font":            {html("<style>", "<style>@font-face { }"), "the style has"},
		"an escape in CSS":      {html("<style>", `<style>p { background: u\72l(//x.example) }`), "the style has"},
		"another host":          {both(html("https://licenses.example.com/licenses", "https://x.example/licenses"), text("https://licenses.example.com/licenses", "https://x.example/licenses")), "the HTML links"},
		"another host in text":  {text("https://licenses.example.com/licenses", "https://x.example/licenses"), "the text links"},
		"a host like ours":      {html("https://licenses.example.com/licenses", "https://licenses.example.com.x.example/licenses"), "the HTML links"},
		"a user in a link":      {html("https://licenses.example.com/licenses", "https://licenses.example.com@x.example/licenses"), "the HTML links"},
		"a link of no scheme":   {html(`href="https://licenses.example.com/licenses`, `href="//licenses.example.com/licenses`), "the HTML links"},
		"an open link":          {both(html("https://licenses.example.com/licenses", "http://licenses.example.com/licenses"), text("https://licenses.example.com/licenses", "http://licenses.example.com/licenses")), "the HTML links"},
		"a script in a link":    {html(`href="https://licenses.example.com/licenses`, `href="javascript:x()//`), "the HTML links"},
		"mail to somebody else": {html("</h1>", `</h1><a href="mailto:eve@x.example">x</a>`), "the HTML links"},
		"unsubscribe elsewhere": {func(m *mail.Message) { m.UnsubscribeURL = "https://x.example/stop" }, "List-Unsubscribe links"},

		"a word only in the text": {text("License ID:", "Secret license ID:"), "where the HTML says"},
		"a word only in the HTML": {html("</h1>", "</h1><p>More</p>"), "where the HTML says"},
		"another figure":          {text("28 Feb 2019", "29 Feb 2019"), "where the HTML says"},
		"words at the end":        {func(m *mail.Message) { m.Text += "Bye\n" }, "where the HTML says"},
		"words hidden by a style": {html("<h1 style=\"", `<h1 style="display:none;`), "where the HTML says"},
		"another order":           {text("is below", "below is"), "where the HTML says"},
		"a link only in the text": {func(m *mail.Message) { m.Text += "https://licenses.example.com/more\n" }, "the text links"},
		"a link only in the HTML": {html("</h1>", `</h1><a href="https://licenses.example.com/more"></a>`), "the text links"},
		"no HTML":                 {func(m *mail.Message) { m.HTML = "" }, "outside of multipart/alternative"},

		"a large HTML":       {html("</style>", strings.Repeat("p { color: red }\n", 4000)+"</style>"), "the HTML has"},
		"a large attachment": {func(m *mail.Message) { m.Attachments[1].Data = bytes.Repeat([]byte("x"), maxEmail) }, "the email has"},
		"another file":       {func(m *mail.Message) { m.Attachments[0].Name = "key.exe" }, "is of type"},
		"another type":       {func(m *mail.Message) { m.Attachments[0].ContentType = "application/octet-stream" }, "is of type"},
		"a key of two lines": {func(m *mail.Message) { m.Attachments[0].Data = []byte("a\nb\n") }, "is not one line"},
		"a key without end":  {func(m *mail.Message) { m.Attachments[0].Data = bytes.TrimSpace(m.Attachments[0].Data) }, "is not one line"},
		"another key":        {func(m *mail.Message) { m.Attachments[0].Data = []byte("abc\n") }, "is not a line of the text"},

		"a scheduling message":   {calendar("VERSION:2.0", "VERSION:2.0\r\nMETHOD:PUBLISH"), "METHOD"},
		"an organizer":           {calendar("TRANSP", "ORGANIZER:mailto:sales@example.com\r\nTRANSP"), "ORGANIZER"},
		"no UID":                 {calendar("UID:", "X-UID:"), "properties UID"},
		"no DTSTAMP":             {calendar("DTSTAMP:", "X-DTSTAMP:"), "properties DTSTAMP"},
		"a local DTSTAMP":        {calendar("T000000Z", "T000000"), "DTSTAMP is"},
		"no PRODID":              {calendar("PRODID:", "X-PRODID:"), "properties PRODID"},
		"another version":        {calendar("VERSION:2.0", "VERSION:1.0"), "VERSION is"},
		"two summaries":          {calendar("SUMMARY:", "SUMMARY:a\r\nSUMMARY:"), "second SUMMARY"},
		"a long line":            {calendar("SUMMARY:", "SUMMARY:"+strings.Repeat("x", 80)), "more than 75"},
		"LF in a calendar":       {calendar("VERSION:2.0\r\n", "VERSION:2.0\n"), "control characters"},
		"no end of the event":    {calendar("END:VEVENT\r\n", ""), "ends within"},
		"an alarm of no day":     {calendar("TRIGGER:-P", "TRIGGER:P"), "TRIGGER is"},
		"another host in a file": {calendar("URL:https://licenses.example.com", "URL:https://x.example"), "links"},
	} {
		m := find(t, "license-key")
		tt.change(&m)
		problems := strings.Join(ours.check(raw(t, m)), "\n")
		if !strings.Contains(problems, tt.want) {
			t.Errorf("%s: got %q, want %q", name, problems, tt.want)
		}
	}
}

func TestCheckOfTheWireFinds(t *testing.T) {
	good := string(raw(t, find(t, "license-expiring")))
	replace := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	const begin = "text/plain; charset=UTF-8\r\n\r\n"
	for name, tt := range map[string]struct{ raw, want string }{
		"another sender":           {replace("licensing@vendor.example", "licensing@x.example"), "DKIM does not align"},
		"a sender of a subdomain":  {replace("<licensing@vendor.example>", "<licensing@mail.vendor.example>"), "DKIM does not align"},
		"two senders":              {replace("<licensing@vendor.example>", "<licensing@vendor.example>, <x@vendor.example>"), "From has 2"},
		"a second From":            {replace("To:", "From: x@vendor.example\r\nTo:"), "2 headers From"},
		"an injected header":       {replace("To:", "Bcc: eve@x.example\r\nTo:"), "unexpected header Bcc"},
		"a foreign Sender":         {replace("To:", "Sender: eve@x.example\r\nTo:"), "Sender is of another domain"},
		"a foreign Return-Path":    {replace("To:", "Return-Path: <eve@x.example>\r\nTo:"), "Return-Path is of another domain"},
		"a foreign Message-ID":     {replace("-8c86ebd3-01@vendor.example", "@x.example"), "is of another domain than From"},
		"no Date":                  {replace("Date:", "X-Date:"), "no header Date"},
		"a bad date":               {replace("Date: Mon,", "Date: Monday the"), "the date"},
		"no subject":               {replace("Subject:", "X-Subject:"), "no header Subject"},
		"two subjects":             {replace("Subject:", "Subject: x\r\nSubject:"), "2 headers Subject"},
		"no Message-ID":            {replace("Message-ID:", "X-ID:"), "no header Message-Id"},
		"no Auto-Submitted":        {replace("Auto-Submitted:", "X-Auto:"), "no header Auto-Submitted"},
		"two recipients":           {replace("<jane.doe@customer.example>", "<jane.doe@customer.example>, <x@x.example>"), "To has 2"},
		"a folded header, broken":  {replace("To:", "oh no\r\nTo:"), "not a header"},
		"a long line":              {replace("Subject:", "Subject: "+strings.Repeat("x", maxLine)), "more than 998"},
		"a bare LF":                {replace("\r\nTo:", "\nTo:"), "bare CR, LF"},
		"not ASCII":                {replace("Subject:", "Subject: é"), "is not ASCII"},
		"quoted-printable":         {replace("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable"), "not base64"},
		"a long line of base64":    {replace(begin, begin+strings.Repeat("QUFB", 30)), "a line of base64 has"},
		"another character set":    {replace("charset=UTF-8", "charset=iso-8859-1"), "is not UTF-8"},
		"HTML alone":               {replace("text/plain", "text/x-other"), "unexpected part"},
		"HTML before the text":     {strings.Replace(replace("text/html", "text/x"), "text/plain", "text/html", 1), "unexpected part text/x"},
		"a broken body":            {replace(begin, begin+"!!!!"), "illegal base64"},
		"lines of LF in the text":  {replace(begin, begin+"YQpi\r\n"), "do not end with CR LF"},
		"no end of the headers":    {"From: x", "no empty line"},
		"no parts":                 {good[:strings.Index(good, "\r\n\r\n")+4], "multipart/mixed"},
		"one part":                 {good[:strings.Index(good, "\r\n\r\n")+4] + "--x\r\n\r\neA==", "multipart/mixed"},
		"no POST to unsubscribe":   {replace("List-Unsubscribe-Post:", "X-Post:"), "with List-Unsubscribe-Post"},
		"a POST to an address":     {replace("<https://licenses.example.com/reminders/stop", "<mailto:sales@example.com?x"), "with List-Unsubscribe-Post"},
		"a broken fold":            {replace("reminders/stop?mail=", "reminders/stop?mail=\r\n "), "List-Unsubscribe has"},
		"unsubscribe to elsewhere": {replace("<mailto:sales@example.com", "<mailto:eve@x.example"), "List-Unsubscribe links"},
	} {
		problems := strings.Join(ours.check([]byte(tt.raw)), "\n")
		if tt.raw == good || !strings.Contains(problems, tt.want) {
			t.Errorf("%s: got %q, want %q", name, problems, tt.want)
		}
	}
	if problems := ours.check([]byte(good)); len(problems) > 0 {
		t.Errorf("got %q, want nothing about a good email", problems)
	}
}
