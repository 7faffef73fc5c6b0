package site

import (
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/token"
)

// TestAcceptedInputCanBeSentSignedAndShown types what strangers and office programs produce into the form. Whatever is
// accepted, the status page shows, both emails can be sent, and a license key can carry the company.
func TestAcceptedInputCanBeSentSignedAndShown(t *testing.T) {
	env := newTestEnv(t)
	odd := []rune("aB z&<>\"'%=\\\u00a0\u00ad\u200b\u200d\u202e\ufeffé中א👩❤\ufe0f\u0915\u094d")
	usual := rapid.StringOfN(rapid.SampledFrom(odd), 1, 40, -1)
	typed := rapid.OneOf(usual, usual, usual, usual, rapid.StringN(1, 40, -1))
	domain := rapid.StringOfN(rapid.SampledFrom([]rune("abzABZüé中\u200b-")), 1, 12, -1)
	local := rapid.StringOfN(rapid.SampledFrom([]rune("abzABZ+_\u200bü")), 1, 4, -1)
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		form := withValues(validForm(),
			"name", typed.Draw(t, "name"), "company", typed.Draw(t, "company"), "message", typed.Draw(t, "message"),
			"phone", "555 0123 "+local.Draw(t, "phone"),
			"email", "Jane <j@"+domain.Draw(t, "domain")+".example>", "contacts", local.Draw(t, "contact")+"@x.example",
			"idempotencyKey", token.Form.New())
		answer := env.send("/request/developer", form)
		if answer.StatusCode == http.StatusUnprocessableEntity {
			return
		}
		if answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("status %d for %q", answer.StatusCode, form)
		}
		accepted++
		r := env.request(requestIDOf(answer.Header.Get("Location")))
		asking := env.letter(r.ID + "--received")
		r = env.confirmed(r)
		page := env.get(answer.Header.Get("Location"))
		if page.StatusCode != http.StatusOK || !strings.Contains(html.UnescapeString(page.Body), r.Company) {
			t.Errorf("the status page does not show the company %q", r.Company)
		}
		for _, m := range []mail.Message{asking, env.toSales(r)} {
			from := mail.Address{Name: "Licensing", Email: "licensing@vendor.example"}
			if _, err := eml.Format(m, from, time.Now()); err != nil {
				t.Errorf("%s to %q cannot be sent: %v", m.Kind, m.To, err)
			}
		}
		k := terms()
		k.Organization = r.Company
		text, err := env.keys.Issue(k)
		if err != nil {
			t.Fatalf("no key can carry %q: %v", r.Company, err)
		}
		if back, err := license.Read(text); err != nil || back.Organization != r.Company {
			t.Errorf("the key of %q says %q, %v", r.Company, back.Organization, err)
		}
	})
	if accepted < 20 {
		t.Errorf("only %d forms were accepted", accepted)
	}
}

// requestIDOf takes the ID of a request out of the address of its status page.
func requestIDOf(location string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(location, "/requests/"), "?")
	return id
}
