package mail

import (
	"strings"
	"testing"

	"marketplace/shared/license"
)

func TestAReaddressedMessageGreetsItsNewReaderAndNobodyElse(t *testing.T) {
	l := someLicense()
	first := license.Contact{Name: "Zoë Müller-O'Neill", Email: "Zoe@example.org"}
	for _, to := range []license.Contact{{Name: "Ada d'Arc", Email: "ada@example.org"}, {Email: "it@example.org"}, {Name: "<b>$&", Email: "it@example.org"}} {
		keys := someKeys()
		keys.To = first
		for _, m := range []Message{NewLicenseExpiring(site, "l1-2m", l, first, l.Expiration.AddDays(-60)), NewLicenseKey(site, "l1-key", keys)} {
			got := m.Readdressed(to)
			if got.To.Email != to.Email || got.ID != m.ID+"-"+ReaderID(to.Email) || got.Subject != m.Subject || len(got.Attachments) != len(m.Attachments) {
				t.Errorf("%s to %v: %s", got.ID, got.To, got.Subject)
			}
			want := "Hello,"
			if to.Name == "Ada d'Arc" {
				want = "Hello Ada d'Arc,"
			}
			if !strings.Contains(got.Text, want) || !strings.Contains(got.HTML, strings.ReplaceAll(want, "'", "&#39;")) || strings.Contains(got.Text+got.HTML, "Neill") {
				t.Errorf("%s\n%s", got.Text, got.HTML)
			}
			if again := got.Readdressed(first); again.ID != m.ID+"-"+ReaderID("zoe@example.org") || again.Text != m.Text || again.HTML != m.HTML {
				t.Errorf("back to the first reader: %s\n%s", again.ID, again.Text)
			}
		}
	}
}
