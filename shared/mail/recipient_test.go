package mail

import (
	"strings"
	"testing"

	"marketplace/shared/license"
)

func TestGreetingUsesOnlyNamesOfPersons(t *testing.T) {
	for name, want := range map[string]string{
		"Ada Lovelace":          "Hello Ada Lovelace,",
		"J. R. O'Neill-Smith":   "Hello J. R. O'Neill-Smith,",
		"José":                  "Hello José,",
		"李雷":                    "Hello 李雷,",
		"":                      "Hello,",
		"evil.example":          "Hello,",
		"http://x":              "Hello,",
		"Bob <b@x>":             "Hello,",
		strings.Repeat("a", 61): "Hello,",
	} {
		if got := Greeting(name); got != want {
			t.Errorf("Greeting(%q): got %q, want %q", name, got, want)
		}
	}
}

func TestGreetingFollowsTheRecipientWhateverItsWords(t *testing.T) {
	m := Message{
		ID: "m1", To: Address{Name: "Zoë", Email: "zoe@example.org"}, Greeting: "Good morning, Zoë!",
		Text: "Title\n\n" + GreetingSlot + "\n\nZoë wrote:\n", HTML: "<p>" + GreetingSlot + "<p>Zoë wrote:",
	}
	m = m.AddressedTo(license.Contact{Name: "Ada d'Arc", Email: "ada@example.org"})
	if want := "Title\n\nHello Ada d'Arc,\n\nZoë wrote:\n"; m.TextBody() != want {
		t.Errorf("text: got %q, want %q", m.TextBody(), want)
	}
	if want := "<p>Hello Ada d&#39;Arc,<p>Zoë wrote:"; m.HTMLBody() != want {
		t.Errorf("HTML: got %q, want %q", m.HTMLBody(), want)
	}
}
