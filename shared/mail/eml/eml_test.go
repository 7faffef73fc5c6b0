package eml

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/mail"
)

var (
	from = mail.Address{Name: "Lizenzbüro", Email: "licenses@example.com"}
	date = time.Date(2018, 2, 26, 9, 30, 15, 0, time.UTC)
	// keyText is one line of base64, longer than any line of a mail, with "=" at its end.
	keyText = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(keyProperties), 40)) + "="
)

const keyProperties = "Format=1\nKid=p1\nEdition=developer\nPlugins=abap,cpp,license\n"

// full returns a message with everything that a message can have.
func full() mail.Message {
	return mail.Message{
		ID: "01c6x2m4-2m-1a2b3c4d", Kind: mail.LicenseExpiring, About: "01c6x2m4",
		To:      mail.Address{Name: "Zoë Müller-O’Neill", Email: "zoe@example.org"},
		ReplyTo: mail.Address{Name: "License Sales, EU", Email: "sales@example.com"},
		Subject: "Ihre Lizenz für Müller & Söhne läuft ab: " + strings.Repeat("ein langer Betreff ", 10) + "🎉",
		Text: "Hello,\n\nthis is your key:\n\n" + keyText + "\n\n.\nFrom here on\n--\nbye = \t\n" +
			strings.Repeat("ü", 500) + "\n",
		HTML: "<!DOCTYPE html>\n<p>" + strings.Repeat("wörd ", 400) + "</p>\n",

		Unsubscribe:    "mailto:sales@example.com?subject=Stop%20reminders",
		UnsubscribeURL: "https://example.com/reminders/stop?mail=x&token=y",
		Attachments: []mail.Attachment{
			{Name: "license.txt", ContentType: "text/plain; charset=us-ascii", Data: []byte(keyText)},
			{
				Name: "Schlüssel für Zoë.bin", ContentType: "application/octet-stream",
				Data: []byte{0, 1, 255, '\r', '\n', '\n', '.', '='},
			},
		},
	}
}

// parsed parses a message; ID, Kind and About are not in it.
func parsed(t interface{ Fatal(...any) }, data []byte) Parsed {
	m, err := Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseReturnsWhatFormatWrote(t *testing.T) {
	for name, change := range map[string]func(*mail.Message){
		"full":                 func(*mail.Message) {},
		"no attachments":       func(m *mail.Message) { m.Attachments = nil },
		"one attachment":       func(m *mail.Message) { m.Attachments = m.Attachments[:1] },
		"text alone":           func(m *mail.Message) { m.Attachments, m.HTML = nil, "" },
		"text and attachments": func(m *mail.Message) { m.HTML = "" },
		"plain addresses":      func(m *mail.Message) { m.To.Name, m.ReplyTo = "", mail.Address{} },
		"no unsubscribe":       func(m *mail.Message) { m.Unsubscribe, m.UnsubscribeURL = "", "" },
		"mailto alone":         func(m *mail.Message) { m.UnsubscribeURL = "" },
		"https alone":          func(m *mail.Message) { m.Unsubscribe = "" },
		"on the local server":  func(m *mail.Message) { m.UnsubscribeURL = "http://localhost:8080/x?y=z" },
	} {
		m := full()
		change(&m)
		data, err := Format(m, from, date)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := parsed(t, data)
		want := m
		want.ID, want.Kind, want.About = "", "", ""
		if !reflect.DeepEqual(got.Message, want) {
			t.Errorf("%s: read back\n%#v\nwant\n%#v", name, got.Message, want)
		}
		if got.From != from || !got.Date.Equal(date) {
			t.Errorf("%s: from %v on %v", name, got.From, got.Date)
		}
	}
}

func TestHeaders(t *testing.T) {
	data, err := Format(full(), from, date.In(time.FixedZone("CET", 3600)))
	if err != nil {
		t.Fatal(err)
	}
	h := parsed(t, data).Header
	for name, want := range map[string]string{
		"Message-Id":     "<01c6x2m4-2m-1a2b3c4d@example.com>",
		"Date":           "Mon, 26 Feb 2018 09:30:15 +0000",
		"Auto-Submitted": "auto-generated",
		"Mime-Version":   "1.0",
		"User-Agent":     "",
		"X-Mailer":       "",
		"Bcc":            "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOneClickNeedsAnHTTPSAddress(t *testing.T) {
	const (
		web    = "https://licenses.example.com/reminders/stop?mail=c1--2018-06-30-1a2b3c4d-01&token=QX4C7D2WJ5"
		mailto = "mailto:sales@example.com?subject=Stop%20reminders"
	)
	for _, tt := range []struct{ web, mailto, list, post string }{
		{web, mailto, "<" + web + ">,\r\n <" + mailto + ">", "List-Unsubscribe=One-Click"},
		{web, "", "<" + web + ">", "List-Unsubscribe=One-Click"},
		{"", mailto, "<" + mailto + ">", ""},
		{"", "", "", ""},
	} {
		m := full()
		m.UnsubscribeURL, m.Unsubscribe = tt.web, tt.mailto
		data, err := Format(m, from, date)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, rest, found := bytes.Cut(data, []byte("\r\nList-Unsubscribe: ")); found {
			for line := range strings.SplitAfterSeq(string(rest), "\r\n") {
				if got != "" && !strings.HasPrefix(line, " ") {
					break
				}
				got += line
			}
		}
		if got = strings.TrimSuffix(got, "\r\n"); got != tt.list {
			t.Errorf("List-Unsubscribe: got %q, want %q", got, tt.list)
		}
		if post := parsed(t, data).Header.Get("List-Unsubscribe-Post"); post != tt.post {
			t.Errorf("List-Unsubscribe-Post: got %q, want %q", post, tt.post)
		}
	}
}

// checkWire fails unless every mail server accepts the bytes: ASCII, CR LF, lines of at most 998 characters.
func checkWire(t interface{ Errorf(string, ...any) }, data []byte) {
	for i, line := range bytes.Split(data, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
	for i, b := range data {
		if b >= 0x80 {
			t.Errorf("byte %d is %x", i, b)
			return
		}
	}
}

func TestEveryMailServerAcceptsTheMIME(t *testing.T) {
	m := full()
	m.To.Name = strings.Repeat("x", 5000)
	m.Subject = strings.Repeat("y", 900)
	m.Attachments[0].Name = strings.Repeat("z", 100)
	data, err := Format(m, from, date)
	if err != nil {
		t.Fatal(err)
	}
	checkWire(t, data)
}

func TestNoBodyIsQuotedPrintable(t *testing.T) {
	data, err := Format(full(), from, date)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("Content-Transfer-Encoding: base64\r\n")); n != 4 ||
		bytes.Contains(data, []byte("quoted-printable")) {
		t.Errorf("got %d base64 bodies, want 4", n)
	}
}

func TestInvalidReplyAddressIsLeftOut(t *testing.T) {
	for _, address := range []string{
		"", "zoe", "zoë@example.org", "zoe@example.org\r\nBcc: eve@example.org", "zoe@xn--a.example", "zoe@example.org, eve@example.org",
		"zoe@" + strings.Repeat("a", 64) + ".example",
	} {
		m := full()
		m.ReplyTo.Email = address
		data, err := Format(m, from, date)
		if err != nil {
			t.Errorf("%q: got %v, want a mail without Reply-To", address, err)
		}
		if bytes.Contains(data, []byte("Reply-To")) || bytes.Contains(data, []byte("eve@")) {
			t.Errorf("%q: got it in the header:\n%s", address, data)
		}
	}
}

func TestUndeliverableMessageIsRejected(t *testing.T) {
	for name, change := range map[string]func(*mail.Message){
		"no recipient":               func(m *mail.Message) { m.To = mail.Address{} },
		"CR LF in the recipient":     func(m *mail.Message) { m.To.Email = "zoe@example.org\r\nBcc: eve@example.org" },
		"two recipients":             func(m *mail.Message) { m.To.Email = "zoe@example.org, eve@example.org" },
		"letters beyond ASCII":       func(m *mail.Message) { m.To.Email = "zoë@example.org" },
		"CR LF in the subject":       func(m *mail.Message) { m.Subject = "a\r\nBcc: eve@example.org" },
		"an endless subject":         func(m *mail.Message) { m.Subject = strings.Repeat("a", 1000) },
		"CR LF in the ID":            func(m *mail.Message) { m.ID = "a\r\nb" },
		"a path as ID":               func(m *mail.Message) { m.ID = "../../etc/passwd" },
		"no ID":                      func(m *mail.Message) { m.ID = "" },
		"no text":                    func(m *mail.Message) { m.Text = " \n" },
		"CR LF in unsubscribe":       func(m *mail.Message) { m.Unsubscribe = "mailto:a@b.c?x=\r\nBcc: x" },
		"javascript in unsubscribe":  func(m *mail.Message) { m.Unsubscribe = "javascript:alert(1)" },
		"two unsubscribes":           func(m *mail.Message) { m.Unsubscribe = "mailto:a@b.c>, <mailto:d@e.f" },
		"a comma in unsubscribe":     func(m *mail.Message) { m.Unsubscribe = "mailto:a@b.c,mailto:d@e.f" },
		"https as mailto":            func(m *mail.Message) { m.Unsubscribe = m.UnsubscribeURL },
		"CR LF in one click":         func(m *mail.Message) { m.UnsubscribeURL += "\r\nBcc: x" },
		"a list in one click":        func(m *mail.Message) { m.UnsubscribeURL += ",https://evil.example/" },
		"one click without https":    func(m *mail.Message) { m.UnsubscribeURL = "http://example.com/stop" },
		"one click to a local name":  func(m *mail.Message) { m.UnsubscribeURL = "http://localhost.example/stop" },
		"CR LF in attachment's name": func(m *mail.Message) { m.Attachments[0].Name = "a\r\nX: y" },
		"an endless attachment name": func(m *mail.Message) { m.Attachments[0].Name = strings.Repeat("a", 101) },
		"CR LF in attachment's type": func(m *mail.Message) { m.Attachments[0].ContentType = "text/plain\r\nX: y" },
	} {
		m := full()
		change(&m)
		_, err := Format(m, from, date)
		if !errors.Is(err, mail.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: the error contains an address: %v", name, err)
		}
	}
	if _, err := Format(full(), mail.Address{Email: "nobody"}, date); !errors.Is(err, mail.ErrSetup) {
		t.Errorf("a bad sender: %v", err)
	}
}

// TestNoFieldInjectsAHeader formats messages of arbitrary texts: either Format rejects them, or the result has exactly
// the known headers and the same texts.
func TestNoFieldInjectsAHeader(t *testing.T) {
	known := map[string]bool{
		"Message-Id": true, "Date": true, "Mime-Version": true, "Subject": true, "From": true, "To": true,
		"Reply-To": true, "Auto-Submitted": true, "Content-Type": true, "Content-Transfer-Encoding": true,
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zé \t\r\n:;,<>@"\\()=?._-]{0,120}`))
		m := mail.Message{
			ID: "id", Text: "t" + text.Draw(t, "text"), HTML: text.Draw(t, "html"), Subject: text.Draw(t, "subject"),
		}
		m.To = mail.Address{Name: text.Draw(t, "name"), Email: "a@example.com"}
		m.ReplyTo = mail.Address{Name: text.Draw(t, "reply name"), Email: "b@example.com"}
		if data := text.Draw(t, "attachment"); data != "" {
			m.Attachments = []mail.Attachment{{
				Name: text.Draw(t, "file name"), ContentType: "text/plain", Data: []byte(data),
			}}
		}
		data, err := Format(m, from, date)
		if errors.Is(err, mail.ErrRejected) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		checkWire(t, data)
		got := parsed(t, data)
		for name, values := range got.Header {
			if !known[name] || len(values) != 1 {
				t.Fatalf("header %s: %q", name, values)
			}
		}
		lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
		if got.Text != lf(m.TextBody()) || got.HTML != lf(m.HTMLBody()) || len(got.Attachments) != len(m.Attachments) {
			t.Fatalf("read back %#v", got.Message)
		}
		if strings.Join(strings.Fields(got.Subject), " ") != strings.Join(strings.Fields(m.Subject), " ") {
			t.Fatalf("subject %q", got.Subject)
		}
		if len(m.Attachments) > 0 && !bytes.Equal(got.Attachments[0].Data, m.Attachments[0].Data) {
			t.Fatalf("attachment %q", got.Attachments[0].Data)
		}
		if got.To.Email != "a@example.com" || got.ReplyTo.Email != "b@example.com" {
			t.Fatalf("to %v, reply to %v", got.To, got.ReplyTo)
		}
	})
}

func TestTruncatedMessageIsAnError(t *testing.T) {
	data, err := Format(full(), from, date)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) - len("--\r\n") {
		if _, err := Parse(bytes.NewReader(data[:n])); err == nil {
			t.Fatalf("Parse accepts the first %d of %d bytes", n, len(data))
		}
	}
}
