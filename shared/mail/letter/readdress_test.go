package letter

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
)

// sent returns the message as its recipient reads it, after its way through MIME.
func sent(t *testing.T, m mail.Message) eml.Parsed {
	t.Helper()
	from, date := mail.Address{Email: "licenses@example.com"}, time.Date(2018, 2, 26, 9, 30, 0, 0, time.UTC)
	raw, err := eml.Format(m, from, date)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := eml.Parse(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestReaddressedMessageGreetsItsNewRecipient(t *testing.T) {
	l := testLicense()
	first := license.Contact{Name: "Zoë Müller-O'Neill", Email: "Zoe@example.org"}
	keys := testDelivery()
	keys.To = first
	for _, m := range []mail.Message{
		reminded(l, first, l.Expiration.AddDays(-60)),
		letters.LicenseKey("l1-key", keys),
	} {
		if got := sent(t, m); !strings.Contains(got.Text, "Hello Zoë Müller-O'Neill,\n") ||
			!strings.Contains(got.HTML, "Hello Zoë Müller-O&#39;Neill,") {
			t.Errorf("%s does not greet its first recipient:\n%s", m.ID, got.Text)
		}
		for _, tt := range []struct {
			to       license.Contact
			greeting string
		}{
			{license.Contact{Name: "Ada d'Arc", Email: "ada@example.org"}, "Hello Ada d'Arc,"},
			{license.Contact{Email: "it@example.org"}, "Hello,"},
			{license.Contact{Name: "<b>$&", Email: "it@example.org"}, "Hello,"},
		} {
			readdressed := m.AddressedTo(tt.to)
			got := sent(t, readdressed)
			if got.To.Email != tt.to.Email || got.Subject != m.Subject || len(got.Attachments) != len(m.Attachments) {
				t.Errorf("%s: got %q to %s with %d attachments",
					readdressed.ID, got.Subject, got.To.Email, len(got.Attachments))
			}
			if !strings.Contains(got.Text, "\n"+tt.greeting+"\n") ||
				!strings.Contains(got.HTML, ">"+strings.ReplaceAll(tt.greeting, "'", "&#39;")+"<") ||
				strings.Contains(got.Text+got.HTML, "Neill") {
				t.Errorf("%s: want only the greeting %q\n%s", readdressed.ID, tt.greeting, got.Text)
			}
			back := readdressed.AddressedTo(first)
			if back.ID != m.ID || back.Text != m.Text || back.HTML != m.HTML || back.Greeting != m.Greeting {
				t.Errorf("readdressed to its first recipient: got %s, greeting %q", back.ID, back.Greeting)
			}
		}
	}
}

func TestEveryLetterHasOneSlotForItsGreeting(t *testing.T) {
	check := func(name string, m mail.Message) {
		want := 1
		if m.Kind.ToSales() {
			want = 0
		}
		inText, inHTML := strings.Count(m.Text, mail.GreetingSlot), strings.Count(m.HTML, mail.GreetingSlot)
		if inText != want || inHTML != want {
			t.Errorf("%s: got %d slots in the text, %d in the HTML, want %d", name, inText, inHTML, want)
		}
		if (m.Greeting != "") != (want == 1) {
			t.Errorf("%s: the greeting is %q", name, m.Greeting)
		}
	}
	for name, m := range messages() {
		check(name, m)
	}
	for name, m := range hostileMessages("Eve " + mail.GreetingSlot + " Adams") {
		check(name, m)
	}
}
