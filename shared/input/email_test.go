package input

import (
	"net/mail"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEmailAcceptsWhatMailCanBeSentTo(t *testing.T) {
	for typed, want := range map[string]string{
		"ada@example.com": "", "a.b+c@sub.example.co.uk": "", "jurgen@müller.example": "", "a@x.io": "", "o'hara@example.com": "",
		"ana@ab--cd.example": "", "ana@xn--bcher-kva.example": "", "ana@" + strings.Repeat("a", 63) + ".example": "",
		"ana@例え.テスト": "", "ANA@EXAMPLE.COM": "",
		" ada@example.com ":                       "ada@example.com",
		"ana@customer.example\u200b":              "ana@customer.example",
		"\u202aana@cust\u00adomer.example\u202c":  "ana@customer.example",
		"Ana Example <ana@customer.example>":      "ana@customer.example",
		`"Example, Ana" <ana@customer.example>`:   "ana@customer.example",
		"Example, Ana <ana@customer.example>;":    "ana@customer.example",
		"<ana@customer.example>":                  "ana@customer.example",
		"mailto:ana@customer.example?subject=Key": "ana@customer.example",
		"MAILTO:ana@customer.example":             "ana@customer.example",
		"ana@customer.example.":                   "ana@customer.example",
		"ana@customer.example;":                   "ana@customer.example",
		"'ana@customer.example'":                  "ana@customer.example",
	} {
		if want == "" {
			want = typed
		}
		if got, err := Email(typed); err != nil || got != want {
			t.Errorf("Email(%q) = %q, %v, want %q", typed, got, err, want)
		}
	}
}

func TestEmailRefusesWhatMailCannotBeSentTo(t *testing.T) {
	for _, bad := range []string{
		"", "\u200b", "ada", "ada@localhost", "@example.com", "ada@example.com, eve@example.com",
		"ada@example.com\r\nBcc: eve@example.com", "ada@@example.com", "ada@example..com", "ada@[127.0.0.1]", "ada@.example.com",
		strings.Repeat("a", 250) + "@example.com", "ada@exam ple.com", "ada@example.com (Ada)", "jürgen@example.com",
		`"ada b"@example.com`, "ada@exa_mple.com", "ada@-example.com", "ada@example-.com", "ada@example.c", "ada@example.42",
		strings.Repeat("a", 65) + "@example.com", "ada..b@example.com", ".ada@example.com", "ada.@example.com",
		"ana@" + strings.Repeat("a", 64) + ".example", "ana@xn--a.example", "ana@xn--.example", "ana@aאb.example",
		"ana@" + strings.Repeat("ü", 60) + ".example", "ana@" + strings.Repeat("abcdefg.", 31) + "example",
	} {
		if got, err := Email(bad); err == nil {
			t.Errorf("Email(%q) = %q, want an error", bad, got)
		}
	}
}

func TestEmailsReadsListsFromMailPrograms(t *testing.T) {
	want := []string{"ana@customer.example", "bob@customer.example"}
	for _, typed := range []string{
		"ana@customer.example bob@customer.example", "ana@customer.example,bob@customer.example",
		"Ana Example <ana@customer.example>; Bob Example <bob@customer.example>",
		"Example, Ana <ana@customer.example>, Example, Bob <bob@customer.example>",
		`"Example, Ana" <ana@customer.example>; "Bob" <bob@customer.example>;`,
		"ana@customer.example;\r\nmailto:bob@customer.example\r\n", "<ana@customer.example> <bob@customer.example>",
		"To: Ana <ana@customer.example>\nCc: Bob <bob@customer.example>",
	} {
		if got := Emails(typed); !slices.Equal(got, want) {
			t.Errorf("Emails(%q) = %q, want %q", typed, got, want)
		}
	}
	if got := Emails("ana; Bob <bob@customer.example>"); !slices.Equal(got, []string{"ana", "bob@customer.example"}) {
		t.Errorf("got %q, want the entry that is no address to stay", got)
	}
}

func TestMailboxIsOneForAllSpellings(t *testing.T) {
	for _, spelling := range []string{
		"ana.idn@bücher.example", "ana.idn@xn--bcher-kva.example", "Ana.IDN@BÜCHER.example", "ana.idn@XN--BCHER-KVA.EXAMPLE",
		"ana.idn@bu\u0308cher.example", "ana.idn@ｂücher.example",
	} {
		if got := Mailbox(spelling); got != "ana.idn@xn--bcher-kva.example" {
			t.Errorf("Mailbox(%q) = %q", spelling, got)
		}
	}
}

func TestInboxIsOneForAllThatLeadThere(t *testing.T) {
	for address, want := range map[string]string{
		"ana@acme.example": "ana@acme.example", "Ana+news@ACME.example": "ana@acme.example", "ana+@acme.example": "ana@acme.example",
		"ana+a+b@bücher.example": "ana@xn--bcher-kva.example", "+ana@acme.example": "+ana@acme.example",
		"ana.abel@acme.example": "ana.abel@acme.example", "A.na.Abel+x@gmail.com": "anaabel@gmail.com",
		"ana.abel@googlemail.com": "anaabel@gmail.com", "ana": "ana", "": "",
	} {
		if got := Inbox(address); got != want {
			t.Errorf("Inbox(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestLikelySlip(t *testing.T) {
	for typed, want := range map[string]string{
		"ana@hotmial.com": "ana@hotmail.com", "ana@gmial.com": "ana@gmail.com", "ana@gmail.con": "ana@gmail.com",
		"ana@gmail.co": "ana@gmail.com", "ana@outlok.com": "ana@outlook.com", "Ana@YAHO.com": "Ana@yahoo.com", "ana@iclould.com": "ana@icloud.com",
		"ana@gmail.com": "", "ana@mail.com": "", "ana@ymail.com": "", "ana@hotmail.de": "", "ana@customer.example": "", "ana@gmx.ch": "",
		"ana@web.de": "", "ana@wen.de": "", "ana": "", "@gmial.com": "",
	} {
		if got := LikelySlip(typed); got != want {
			t.Errorf("LikelySlip(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestAcceptedAddressesCanBeWrittenToAHeader(t *testing.T) {
	part := rapid.StringOfN(rapid.SampledFrom([]rune("abzAZ09.-_+ü中א'\"<>,; @\u200b\u202e\r\n")), 0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		typed := part.Draw(
			t,
			"local",
		) + "@" + part.Draw(
			t,
			"domain",
		) + rapid.SampledFrom([]string{"", ".example", ".com."}).
			Draw(t, "top")
		got, err := Email(typed)
		if err != nil {
			return
		}
		wire, err := Wire(got)
		if err != nil {
			t.Fatalf("Email(%q) = %q, and Wire refuses it: %v", typed, got, err)
		}
		parsed, err := mail.ParseAddress((&mail.Address{Address: wire}).String())
		if err != nil || parsed.Address != wire || strings.ContainsAny(wire, "\r\n ,;<>") {
			t.Fatalf("Email(%q) goes onto the wire as %q: %v", typed, wire, err)
		}
		if again, err := Email(got); err != nil || again != got {
			t.Fatalf("Email(%q) = %q, and that becomes %q, %v", typed, got, again, err)
		}
	})
}

func TestMailboxIsTheSameInEverySpelling(t *testing.T) {
	const want = "ana@xn--bcher-kva.example"
	for _, spelling := range []string{
		"ana@bücher.example", "ana@bu\u0308cher.example", "Ana@BÜCHER.example", "ana@xn--bcher-kva.example",
		"ana@XN--BCHER-KVA.example", "ana@bücher。example", "ana@bücher.ｅｘａｍｐｌｅ",
	} {
		if got := Mailbox(spelling); got != want || !SameMailbox(spelling, want) {
			t.Errorf("Mailbox(%q) = %q, want %q", spelling, got, want)
		}
	}
	for _, other := range []string{"ana@bucher.example", "bob@bücher.example", "ana", ""} {
		if SameMailbox(other, want) {
			t.Errorf("got %q as a spelling of %s", other, want)
		}
	}
}
