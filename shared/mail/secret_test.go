package mail

import (
	"strings"
	"testing"
)

func TestSecretsOfLinksAreHidden(t *testing.T) {
	const at = "https://licenses.example.com/requests/01c6x2m4vj8q0n5r7t9w3y1z2a"
	for sent, want := range map[string]string{
		at + "?token=SECRET\n":                       at + "?token=…\n",
		at + "?token=SECRET&confirm=SECRET, then":    at + "?token=…&confirm=… then",
		`<a href="` + at + `?a=b&amp;token=SECRET">`: `<a href="` + at + `?a=b&amp;token=…">`,
		"<p>" + at + "?confirm=SECRET</p>":           "<p>" + at + "?confirm=…</p>",
		"<a href='" + at + "?token=SECRET#part'>":    "<a href='" + at + "?token=…#part'>",
		"?to=%2Frenew%3Fmail%3Dm%26token%3DSECRET":   "?to=%2Frenew%3Fmail%3Dm%26token%3D…",
		at + "?token&#61;SECRET":                     at + "?token&#61;…",
		"A token is a secret. tokens=two":            "A token is a secret. tokens=two",
	} {
		m := Message{Subject: sent, Greeting: sent, Text: sent, HTML: sent, Unsubscribe: sent,
			UnsubscribeURL: sent}
		hidden := m.WithoutSecrets()
		for part, got := range map[string]string{"subject": hidden.Subject, "greeting": hidden.Greeting,
			"text": hidden.Text, "HTML": hidden.HTML, "unsubscribe": hidden.Unsubscribe,
			"one click": hidden.UnsubscribeURL} {
			if got != want || strings.Contains(got, "SECRET") {
				t.Errorf("%s: got %q, want %q", part, got, want)
			}
		}
		if m.Text != sent {
			t.Error("the message itself has changed")
		}
	}
}
