package eml

import (
	"fmt"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/license/client"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
)

// issued returns a production license and its staging license, and the public keys that verify them.
func issued(t *testing.T, organization string) ([]license.License, license.KeySet) {
	t.Helper()
	issuer := licensetest.Issuer(t)
	production := license.License{
		ID: "01c6x2m4vj8q0n5r7t9w3y1z2b", Type: license.Production, Organization: organization,
		Server:  "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 5_000_000, Support: true,
		Issued: license.Date{Year: 2018, Month: 2, Day: 26}, Expiration: license.Date{Year: 2019, Month: 2, Day: 28},
		Plugins: []string{"abap", "cpp", "license"},
	}
	staging := production
	staging.ID, staging.Type, staging.Server = "01c6x2m4vj8q0n5r7t9w3y1z2c", license.Staging,
		"5B7F9D3C-AWHW8w9JtzBzSrmf9GQZ"
	list := []license.License{production, staging}
	for i := range list {
		var err error
		if list[i].KeyText, err = issuer.Issue(list[i].Terms()); err != nil {
			t.Fatal(err)
		}
	}
	return list, issuer.Keys
}

var zoe = license.Contact{Name: "Zoë", Email: "zoe@example.org"}

// sent returns a mail with the keys as its recipient gets it.
func sent(t *testing.T, licenses ...license.License) Parsed {
	t.Helper()
	letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@example.com"}}
	m := letters.LicenseKey("m1", letter.Delivery{To: zoe, Licenses: licenses})
	data, err := Format(m, from, date)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, data)
}

// keyLines returns the lines of a text that begin like a key.
func keyLines(text string) (keys []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Rm9ybWF0P") {
			keys = append(keys, strings.TrimSuffix(line, "\n"))
		}
	}
	return keys
}

func TestKeysArriveAsTheyWereIssued(t *testing.T) {
	// Names of all lengths give keys with every padding.
	for n := range 12 {
		licenses, keys := issued(t, "Acme"+strings.Repeat("x", n))
		m := sent(t, licenses...)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
		if err != nil {
			t.Fatal(err)
		}
		inText, panels := keyLines(m.Text), doc.Find("td.panel")
		if len(inText) != 2 || panels.Length() != 2 || len(m.Attachments) != 4 {
			t.Fatalf("%d keys in the text, %d in the HTML, %d attachments", len(inText), panels.Length(),
				len(m.Attachments))
		}
		for i, l := range licenses {
			file := m.Attachments[i]
			if file.Name != "license-"+l.ID+".txt" || file.ContentType != "text/plain; charset=us-ascii" ||
				string(file.Data) != l.KeyText+"\n" {
				t.Errorf("got the attachment %s, %s: %q", file.Name, file.ContentType, file.Data)
			}
			if calendar := m.Attachments[2+i]; calendar.Name != "license-"+l.ID+".ics" ||
				calendar.ContentType != "text/calendar; charset=utf-8" {
				t.Errorf("got the attachment %s, %s", calendar.Name, calendar.ContentType)
			}
			for where, text := range map[string]string{
				"text": inText[i], "HTML": panels.Eq(i).Text(), "file": strings.TrimSuffix(string(file.Data), "\n"),
			} {
				if text != l.KeyText {
					t.Errorf("%s: got the key %q, want %q", where, text, l.KeyText)
				}
				if err := license.CheckBeforeSending(text, withKid(l), keys); err != nil {
					t.Errorf("%s: %v", where, err)
				}
			}
		}
	}
}

func withKid(l license.License) license.Key {
	k := l.Terms()
	k.Kid = "prod-1"
	return k
}

func TestKeysSurviveManglingByMailPrograms(t *testing.T) {
	licenses, keys := issued(t, "Acme & Söhne")
	l := licenses[0]
	want := withKid(l)
	m := sent(t, l)
	_, key, _ := strings.Cut(m.Text, "\n\nRm9ybWF0P")
	key, _, _ = strings.Cut("Rm9ybWF0P"+key, "\n\n")
	for name, mangle := range map[string]func(string) string{
		"unchanged":            func(s string) string { return s },
		"wrapped at 76":        func(s string) string { return wrapped(s, 76, "\n") },
		"wrapped at 76, CR LF": func(s string) string { return wrapped(s, 76, "\r\n") },
		"wrapped and indented": func(s string) string { return "    " + wrapped(s, 72, "\n    ") },
		"quoted":               quoted,
		"wrapped and quoted":   func(s string) string { return quoted(wrapped(s, 76, "\n")) },
		"quoted, wrapped, again": func(s string) string {
			return quoted(wrapped(quoted(wrapped(s, 76, "\n")), 60, "\n"))
		},
		"quoted-printable": func(s string) string { return quotedPrintable(t, s, true) },
		"trailing spaces": func(s string) string {
			return strings.ReplaceAll(wrapped(s, 64, "\n"), "\n", "  \n") + " \n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			mangled := mangle(key)
			text, _ := license.Unmangle(mangled)
			if text != l.KeyText {
				t.Errorf("Unmangle: got %q", text)
			}
			if got, err := license.Read(text); err != nil || !got.Equal(want) {
				t.Errorf("Read: %+v, %v", got, err)
			}
			if v := license.Evaluate(text, license.Instance{Server: l.Server}, keys); !v.Valid() {
				t.Errorf("Evaluate: %v", v.Reasons)
			}
			got, ok := client.Parse(mangled)
			if !ok || got.Edition != "developer" || !slices.Equal(got.Plugins, l.Plugins) {
				t.Errorf("the server reads %+v, %t", got, ok)
			}
		})
	}
	// The key is also found in a whole mail that somebody forwards and pastes.
	for name, body := range map[string]string{
		"text": m.Text, "text, quoted and wrapped": quoted(wrappedLines(m.Text, 76)), "HTML": m.HTML,
	} {
		if text, _ := license.Unmangle(body); text != l.KeyText {
			t.Errorf("%s: got the key %.60q", name, text)
		}
	}
}

// wrapped breaks a text after every n bytes, between characters.
func wrapped(s string, n int, lineEnd string) string {
	var parts []string
	for len(s) > n {
		end := n
		for !utf8.RuneStart(s[end]) {
			end--
		}
		parts, s = append(parts, s[:end]), s[end:]
	}
	return strings.Join(append(parts, s), lineEnd)
}

// wrappedLines breaks the lines of a text that are longer than n characters.
func wrappedLines(s string, n int) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(wrapped(strings.TrimSuffix(line, "\n"), n, "\n") + "\n")
	}
	return out.String()
}

func quoted(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") }

// quotedPrintable encodes a text as a relay may do, and optionally decodes it as its recipient does.
func quotedPrintable(t *testing.T, s string, decode bool) string {
	t.Helper()
	var encoded strings.Builder
	w := quotedprintable.NewWriter(&encoded)
	if _, err := fmt.Fprint(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !decode {
		return encoded.String()
	}
	decoded, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(encoded.String())))
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}

// TestRawQuotedPrintableIsForgivenByTheCheckPage: the server in the field stops at the first "=" and loses plugins.
// Our own mails are base64 on the wire (TestNoBodyIsQuotedPrintable), so only a relay could do this; Unmangle undoes
// it.
func TestRawQuotedPrintableIsForgivenByTheCheckPage(t *testing.T) {
	licenses, _ := issued(t, "Acme")
	raw := quotedPrintable(t, licenses[0].KeyText, false)
	if text, _ := license.Unmangle(raw); text != licenses[0].KeyText {
		t.Errorf("Unmangle: got %q", text)
	}
	if got, ok := client.Parse(raw); ok && slices.Equal(got.Plugins, licenses[0].Plugins) {
		t.Error("the server reads the whole key, against client-contract.md §5")
	}
}
