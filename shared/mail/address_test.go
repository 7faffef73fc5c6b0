package mail

import (
	"strings"
	"testing"
)

func TestMailboxes(t *testing.T) {
	for in, want := range map[string]string{
		"a@example.com":                       "a@example.com",
		"zoe@müller.example":                  "zoe@xn--mller-kva.example",
		"a.b+c@sub.example.com":               "a.b+c@sub.example.com",
		"zoë@example.com":                     "",
		"":                                    "",
		"a":                                   "",
		"a@":                                  "",
		"@example.com":                        "",
		"A <a@example.com>":                   "",
		"a@example.com, b@example.com":        "",
		"a@example.com\r\nBcc: b@example.com": "",
		"a\n@example.com":                     "",
		"a @example.com":                      "",
		"a@exa mple.com":                      "",
		"a@\u202Eexample.com":                 "",
		"a@exa_mple..com":                     "",
	} {
		got, err := Address{Email: in}.Mailbox()
		if (err == nil) != (want != "") || err == nil && got.Address != want {
			t.Errorf("%q: %v, %v; want %q", in, got, err, want)
		}
		if err != nil && in != "" && len(in) > 1 && strings.Contains(err.Error(), in) {
			t.Errorf("%q: the error repeats it: %v", in, err)
		}
	}
}
