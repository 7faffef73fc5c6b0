package input

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMailtoKeepsHostileAddressesInOnePiece(t *testing.T) {
	for address, want := range map[string]string{
		"ada@example.com":    "mailto:ada@example.com",
		"o'hara@example.com": "mailto:o%27hara@example.com",
		"a.b+c@example.com":  "mailto:a.b%2Bc@example.com",
		"ana@bücher.example": "mailto:ana@xn--bcher-kva.example",
		"ada%40acme.example?bcc=eve%40evil.example&x=@evil.example": "mailto:ada%2540acme.example%3Fbcc%3Deve%2540evil.example%26x%3D" +
			"@evil.example",
		"a/b#c@example.com":                   "mailto:a%2Fb%23c@example.com",
		"ada@example.com?bcc=eve@example.com": "mailto:ada%40example.com%3Fbcc%3Deve@example.com",
		"ada@example.com,eve@example.com":     "",
		"ada@example.com\r\nBcc: eve":         "",
		"javascript:alert(1)":                 "",
		"":                                    "",
	} {
		if _, err := Wire(address); err != nil {
			want = ""
		}
		if got := Mailto(address, ""); got != want {
			t.Errorf("Mailto(%q) = %q, want %q", address, got, want)
		}
	}
	got := Mailto("ada@example.com", "Stop it & more?")
	if want := "mailto:ada@example.com?subject=Stop%20it%20%26%20more%3F"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMailtoNamesOneRecipientAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching("[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}").Draw(t, "local part")
		link := Mailto(local+"@example.com", "")
		u, err := url.Parse(link)
		if err != nil || u.RawQuery != "" || u.Fragment != "" || u.Host != "" {
			t.Fatalf("%q parses as %+v, %v", link, u, err)
		}
		if to, err := url.PathUnescape(strings.TrimPrefix(link, "mailto:")); err != nil || to != local+"@example.com" {
			t.Fatalf("%q names %q, %v", link, to, err)
		}
	})
}
